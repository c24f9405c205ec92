"""What a sweep was asked and what answered it, kept beside its table: the file as given, versions and hashes."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path

from archsim.errors import ConfigError, Problem
from archsim.provenance import sha256_of, versions
from archsim.sweeps.checks import Checked
from archsim.sweeps.table import FORMAT

SPEC, MADE_WITH = "sweep.yaml", "made_with.json"


def given(spec: str | Path, checked: Checked) -> dict[str, bytes]:
    """File name to content: the sweep's file as it stands, and what its table is made with.

    The hashes are SHA-256: of the sweep's file, and of the content of each chip and network that it names.
    """
    try:
        text = Path(spec).read_bytes()
    except OSError as error:
        raise ConfigError(Problem(f"cannot read the sweep's file: {error.strerror}", file=str(spec))) from error
    hashes = {f"sweep {Path(spec).name}": hashlib.sha256(text).hexdigest()}
    for kind, names in (("chip", checked.file.archs), ("network", checked.file.workloads)):
        hashes |= {f"{kind} {name}": sha256_of(checked.contents[name]) for name in names if name in checked.contents}
    made_with = versions() | ({} if checked.file.search is None else {"optuna": version("optuna")})
    body = {"format": FORMAT, "versions": made_with, "hashes": hashes}
    return {SPEC: text, MADE_WITH: (json.dumps(body, indent=1) + "\n").encode()}

"""What went into an answer: what was asked for, the hashes of its content, and the versions of what computed it."""

from __future__ import annotations

import hashlib
import json
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from archsim.request import Request


def asked(request: Request) -> dict[str, Any]:
    """What was asked for, as plain data: enough to ask again."""
    return {
        "arch": request.architecture.document.data, "workload": request.workload.document.data,
        "overrides": list(request.overrides), "costs": [_durable(name) for name in request.costs],
        "samples": list(request.samples), "plugins": [_durable(name) for name in request.plugins],
    } | ({} if request.on_chips is None else {"on_chips": dict(request.on_chips)})  # fmt: skip


def hashes(request: Request) -> dict[str, str]:
    """SHA-256 of the chip, the workload with its recorded spikes, and the cost table."""
    architecture = sha256_of(request.architecture.content)
    return {"architecture": architecture, "workload": request.workload.hash, "costs": request.table.hash}


def versions() -> dict[str, str]:
    """Python, archsim, and the packages that its figures come through."""
    return dict(_versions())


@cache
def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in ("archsim", "numpy", "simpy", "numba"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def sha256_of(data: object) -> str:
    """SHA-256 of plain data, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()


def _durable(name_or_path: str) -> str:
    """A path that still holds in another folder; names of presets stay."""
    path = Path(name_or_path)
    return str(path.resolve()) if path.is_file() else name_or_path

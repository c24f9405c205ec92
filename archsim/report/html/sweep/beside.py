"""What lies beside a sweep's table in its folder: its own file as given, versions and hashes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archsim.sweeps.given import MADE_WITH, SPEC
from archsim.sweeps.table import FILE

MadeWith = Mapping[str, Mapping[str, str]]


def beside(place: Path) -> tuple[str | None, MadeWith]:
    """The sweep's own file, and versions and hashes by name; what is not there or damaged is left out."""
    folder = place if place.is_dir() else place.parent
    table = place / FILE if place.is_dir() else place
    made: dict[str, dict[str, str]] = {"versions": {}, "hashes": {}}
    try:
        found = json.loads(_bytes(folder / MADE_WITH) or b"null")
    except ValueError:
        found = None
    for kind, entries in made.items():
        stated = found.get(kind) if isinstance(found, dict) else None
        if isinstance(stated, dict):
            entries |= {str(name): str(text) for name, text in stated.items()}
    made["hashes"][f"table {table.name}"] = hashlib.sha256(_bytes(table) or b"").hexdigest()
    spec = _bytes(folder / SPEC)
    return None if spec is None else spec.decode("utf-8", errors="replace"), made


def searched_for(spec: str | None) -> tuple[str, ...]:
    """The objectives that a search's file names; none of another sweep's, or of a file that is none."""
    import yaml

    try:
        found: Any = yaml.safe_load(spec or "")
    except (yaml.YAMLError, ValueError):
        return ()
    for key in ("method", "search", "objectives"):
        found = found.get(key) if isinstance(found, dict) else None
    return tuple(map(str, found)) if isinstance(found, list) else ()


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None

"""Chips, networks, cost tables and memory devices that come with archsim, found by name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from archsim.errors import ConfigError, Problem, nearest

Kind = Literal["arch", "workload", "cost", "device"]

_NOUN: Mapping[Kind, str] = {"arch": "chip", "workload": "workload", "cost": "cost table", "device": "device"}
_FOLDERS = ("cost", "device")  # of arch_configs; every other folder holds chips
_PACKAGE = Path(__file__).resolve().parents[1]


def find(kind: Kind, name_or_path: str | Path) -> tuple[Path, str]:
    """The file to read and how to show it: ``sata`` is a preset, ``./sata.yaml`` a path (which need not exist).

    A path contains a folder separator, ends in .yaml, .yml or .csv, or is a ``Path``. ConfigError for an unknown name,
    with all known ones.
    """
    if isinstance(name_or_path, Path):
        return name_or_path, str(name_or_path)
    if not isinstance(name_or_path, str):
        text = f"a {_NOUN[kind]} is named by a preset's name or a path, not by {type(name_or_path).__name__}"
        raise ConfigError(Problem(text, value=name_or_path))
    if _is_path(name_or_path):
        return Path(name_or_path), name_or_path
    known = _presets(kind)
    if name_or_path in known:
        return known[name_or_path], f"{name_or_path} (preset)"
    others = [noun for other, noun in _NOUN.items() if name_or_path in _presets(other)]
    message = (
        f"this is a {others[0]}; a {_NOUN[kind]} is wanted here"
        if others
        else f"no {_NOUN[kind]} preset has this name (a path contains '/' or ends in .yaml)"
    )
    raise ConfigError(
        Problem(
            message,
            value=name_or_path,
            allowed=", ".join(known) or "no presets are installed",
            nearest=nearest(name_or_path, known),
        )
    )


def names(kind: Kind) -> list[str]:
    """The names of all presets of a kind, sorted."""
    return list(_presets(kind))


def _is_path(text: str) -> bool:
    separators = {"/", os.sep, os.altsep or "/"}
    return any(separator in text for separator in separators) or text.endswith((".yaml", ".yml", ".csv"))


def is_preset(path: str | Path) -> bool:
    """Whether a file came with archsim."""
    return any(Path(path).resolve().is_relative_to(_root() / folder) for folder in ("workloads", "arch_configs"))


def _root() -> Path:
    return _PACKAGE / "_presets" if (_PACKAGE / "_presets").is_dir() else _PACKAGE.parent


def _presets(kind: Kind) -> dict[str, Path]:
    root = _root()
    if kind == "workload":
        files = list((root / "workloads").glob("*.yaml"))
    elif kind in _FOLDERS:
        files = list((root / "arch_configs" / kind).glob("*.yaml"))
    else:
        files = [file for file in (root / "arch_configs").glob("*/*.yaml") if file.parent.name not in _FOLDERS]
    return {file.stem: file for file in sorted(files, key=lambda file: (file.stem, str(file)))}

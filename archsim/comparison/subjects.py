"""What people name to be compared: a run that was written to a folder, or a chip."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, TypeVar

from archsim.accelerators import Architecture
from archsim.config import names
from archsim.errors import ConfigError, Problem, nearest
from archsim.result import FILE, Result
from archsim.store.loading import RUNS, is_id

T = TypeVar("T")
Subject = str | Path | Architecture | Result
Kind = Literal["run", "chip"]
YAML = (".yaml", ".yml")


def kind_of(subject: Subject) -> Kind:
    """A result, a folder, a stored run's id is a run; a preset's name (whatever folders there are) or a file is a chip.

    ConfigError for what is neither.
    """
    if isinstance(subject, Result):
        return "run"
    if isinstance(subject, Architecture) or subject in (presets := names("arch")):
        return "chip"
    if not isinstance(subject, str | Path):
        text = f"a chip or a run is named by a name or a path, not by {type(subject).__name__}"
        raise ConfigError(Problem(text, value=subject))
    text = str(subject)
    if os.path.isdir(text) or os.path.basename(text) == FILE:
        return "run"
    if text.endswith(YAML) or (os.path.isfile(text) and (isinstance(subject, Path) or os.path.dirname(text))):
        return "chip"
    if is_id(text) and nearest(text, presets) is None:
        return "run"
    allowed = f"{', '.join(presets)}; a YAML file; {RUNS}"
    message = "neither a chip nor a run is here"
    raise ConfigError(Problem(message, value=text, allowed=allowed, nearest=nearest(text, presets)))


def shown(subject: Subject) -> str:
    """How the user named it; the chip's name for what is loaded already."""
    if isinstance(subject, Architecture):
        return subject.name
    return subject.arch if isinstance(subject, Result) else str(subject)

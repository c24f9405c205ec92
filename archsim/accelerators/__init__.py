"""Accelerator families: each is a schema and a lowering. They register by name; the built-ins use the same door."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from archsim.accelerators.crossbar.components import memories as _memories_crossbar
from archsim.accelerators.crossbar.lower import lower as _lower_crossbar
from archsim.accelerators.crossbar.schema import CrossbarArchitecture
from archsim.accelerators.lowered import LayerFacts, Lowered
from archsim.accelerators.systolic.lower import lower as _lower_systolic
from archsim.accelerators.systolic.memories import memories as _memories_systolic
from archsim.accelerators.systolic.schema import SystolicArchitecture
from archsim.config import Document, Strict, apply_overrides, build_from, validate
from archsim.config.reading import was_read
from archsim.cost.component import Component
from archsim.errors import ConfigError, Problem, nearest
from archsim.workload import Workload


@dataclass(frozen=True)
class Family:
    """A family of accelerators: its name in ``family:``, its schema, and ``lower(architecture, workload, sample)``.

    ``memories(architecture)`` names the parts that exist whatever the network is, so that a chip that no cost table
    can price is refused when it is loaded: each component, and the user's key for each of its attributes.
    ``only_prices`` are keys of the chip that change what things cost and nothing that :attr:`lower` makes: points of a
    sweep that differ in these share one execution. ``archsim.testing`` checks it.
    """

    name: str
    schema: type[Strict]
    lower: Callable[[Any, Workload, int], Lowered]
    memories: Callable[[Any], Sequence[tuple[Component, Mapping[str, str]]]] | None = None
    only_prices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Architecture:
    """One chip: its validated description, the family that can lower it, and the document it came from."""

    family: Family
    chip: Any
    document: Document

    @property
    def name(self) -> str:
        """The chip's name."""
        return str(self.chip.name)

    def with_overrides(self, overrides: Sequence[str]) -> Architecture:
        """The same chip with further dotted overrides. ConfigError lists everything wrong."""
        return _architecture(apply_overrides(self.document, overrides)) if overrides else self

    @property
    def content(self) -> Any:
        """All that describes the chip: its document, and what the files that it names hold (``chip.included``)."""
        included = getattr(self.chip, "included", None)
        return self.document.data if included is None else [self.document.data, included]


_families: dict[str, Family] = {}


def register_family(family: Family) -> Family:
    """Make a family known; the last one registered under a name wins."""
    _families[family.name] = family
    return family


@cache
def _load_entry_points() -> None:
    node = ("node",)
    systolic = Family("systolic", SystolicArchitecture, _lower_systolic, _memories_systolic, node)
    crossbar = Family("crossbar", CrossbarArchitecture, _lower_crossbar, _memories_crossbar, node)
    _families.setdefault("systolic", systolic)
    _families.setdefault("crossbar", crossbar)
    for entry in entry_points(group="archsim.families"):
        register_family(entry.load())


def family_names() -> list[str]:
    """All registered families."""
    _load_entry_points()
    return sorted(_families)


def family(name: str) -> Family:
    """The family of that name."""
    _load_entry_points()
    return _families[name]


def load_architecture(name_or_path: str | Path, overrides: Sequence[str] = ()) -> Architecture:
    """A chip by preset name or file, with dotted overrides (``array.rows=32``). ConfigError lists everything wrong."""
    return build_from("arch", name_or_path, overrides, lambda document, _: _architecture(document))


def _architecture(document: Document) -> Architecture:
    names = family_names()
    stated = document.data.get("family") if isinstance(document.data, dict) else None
    if not isinstance(document.data, dict):
        raise ConfigError(Problem("a chip's description must be a mapping of keys", file=document.file, line=1))
    if stated not in names:
        raise ConfigError(
            Problem(
                "missing" if stated is None else "unknown family", file=document.file, line=document.line(("family",)),
                key="family", value=stated, allowed=", ".join(names), nearest=nearest(str(stated), names),
            )
        )  # fmt: skip
    chosen = family(str(stated))
    return Architecture(chosen, validate(chosen.schema, document), document)


def load_plugin(path: str) -> None:
    """Execute a user's Python file, which registers dataflows or families."""
    file = Path(path)
    if not file.is_file():
        raise ConfigError(Problem("no such plugin file", key="--plugin", value=path, allowed="a Python file"))
    spec = importlib.util.spec_from_file_location(f"archsim_plugin_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise ConfigError(Problem("not a Python file", key="--plugin", value=path, allowed="a file ending in .py"))
    module = importlib.util.module_from_spec(spec)
    try:
        was_read(file, file.read_bytes())
        spec.loader.exec_module(module)
    except Exception as error:
        raise ConfigError(
            Problem(f"the plugin fails: {type(error).__name__}: {error}", key="--plugin", value=path)
        ) from error


__all__ = [
    "Architecture",
    "Family",
    "LayerFacts",
    "Lowered",
    "family",
    "family_names",
    "load_architecture",
    "load_plugin",
    "register_family",
]

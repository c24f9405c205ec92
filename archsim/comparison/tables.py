"""A Comparison: results side by side as tables, ratios to the first one, and what is not like for like. Immutable."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from archsim.comparison.changes import CHANGE_TABLES, Change
from archsim.comparison.fairness import differences
from archsim.comparison.folder import FORMAT
from archsim.comparison.memories import on_chip_pj
from archsim.comparison.sentences import sentences
from archsim.comparison.settings import Setting, settings
from archsim.comparison.sides import Difference, Side
from archsim.errors import ArchsimError, Problem, nearest
from archsim.result import LayerRow, Result
from archsim.result.tables import not_finite

if TYPE_CHECKING:
    import pandas as pd

Figures = tuple[float | None, ...]
METRICS = (
    "energy_pj", "dynamic_pj", "static_pj", "on_chip_pj", "steady_energy_pj", "latency_ns", "throughput_per_s",
    "edp_pj_ns", "area_um2", "power_mw", "peak_power_mw", "pj_per_synaptic_operation",
)  # fmt: skip
SETTINGS = "settings"
TABLES = (*CHANGE_TABLES, SETTINGS)


@dataclass(frozen=True)
class Metric:
    """One figure of every side; None where a side has none."""

    name: str
    values: Figures

    @property
    def ratios(self) -> Figures:
        """Every value over that of the first side; None where one of the two is missing, or the first is 0."""
        first = self.values[0]
        return tuple(None if value is None or not first else value / first for value in self.values)


@dataclass(frozen=True)
class LevelPair:
    """A level of every chip: its energy and area; None where a chip has no such level."""

    level: str
    dynamic_pj: Figures
    static_pj: Figures
    area_um2: Figures


@dataclass(frozen=True)
class Moved:
    """A component that chips count to different levels; None where a chip has no such component."""

    component: str
    levels: tuple[str | None, ...]


@dataclass(frozen=True)
class LayerPair:
    """A mapped layer that every side has: energy, share of the critical path, and the layers executed with it."""

    name: str
    energy_pj: tuple[float, ...]
    cycles: tuple[float, ...]
    members: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Comparison:
    """Results side by side; ratios are to the first. Energies in pJ, times in ns or cycles, area in um2."""

    sides: tuple[Side, ...]

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        """The figures that people ask for first (``METRICS``)."""
        return tuple(Metric(name, tuple(_figure(side.result, name) for side in self.sides)) for name in METRICS)

    @cached_property
    def levels(self) -> tuple[LevelPair, ...]:
        """Energy and area by level, over the levels of all chips in the order in which they come."""
        energy = [side.result.levels() for side in self.sides]
        areas = [_area_by_level(side.result) for side in self.sides]
        return tuple(
            LevelPair(
                level,
                tuple(found[level][0] if level in found else None for found in energy),
                tuple(found[level][1] if level in found else None for found in energy),
                tuple(found.get(level) for found in areas),
            )
            for level in dict.fromkeys(level for found in energy for level in found)
        )

    @cached_property
    def moved(self) -> tuple[Moved, ...]:
        """Components that are not on one level on all chips that have them: sums by level hold other things there."""
        found = [{row.name: row.level for row in side.result.components} for side in self.sides]
        names = dict.fromkeys(name for levels in found for name in levels)
        parts = (Moved(name, tuple(levels.get(name) for levels in found)) for name in names)
        return tuple(part for part in parts if len(set(part.levels) - {None}) > 1)

    @cached_property
    def layers(self) -> tuple[LayerPair, ...]:
        """The mapped layers whose names all sides have, in the order of the first."""
        tables = [{row.name: row for row in side.result.layers} for side in self.sides]
        shared = [name for name in tables[0] if all(name in table for table in tables)]
        return tuple(_layer_pair(name, [table[name] for table in tables]) for name in shared)

    @cached_property
    def other_layers(self) -> tuple[tuple[str, ...], ...]:
        """By side, the mapped layers whose names not all sides have."""
        shared = {pair.name for pair in self.layers}
        return tuple(tuple(row.name for row in side.result.layers if row.name not in shared) for side in self.sides)

    @cached_property
    def differences(self) -> tuple[Difference, ...]:
        """Everything that makes the comparison unfair; empty where the sides are alike."""
        return differences(self.sides)

    @cached_property
    def settings(self) -> tuple[Setting, ...]:
        """Keys in which chips of one family differ, with what each side has there."""
        return settings(self.sides)

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """From the first side to each of the others: differences by component, layer and action."""
        return tuple(Change(self.sides[0], side) for side in self.sides[1:])

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The rows of one of ``TABLES`` over all changes: which sides, and what differs. ArchsimError for others."""
        if table not in TABLES:
            known = ", ".join(TABLES)
            raise ArchsimError(Problem("no such table", value=table, allowed=known, nearest=nearest(table, TABLES)))
        if table == SETTINGS:
            names = [side.label for side in self.sides]
            return [{"key": one.key, **dict(zip(names, one.values, strict=True))} for one in self.settings]
        return [
            {"first": change.first.label, "other": change.other.label, **row}
            for change in self.changes
            for row in getattr(change, table).rows()
        ]

    def frame(self, table: str = "energy_by_component") -> pd.DataFrame:
        """:meth:`rows` as a pandas DataFrame."""
        rows = self.rows(table)
        import pandas

        return pandas.DataFrame(rows)

    def to_data(self) -> dict[str, Any]:
        """The one object that ``--json`` prints and that ``compare.json`` holds."""
        return {
            "format": FORMAT,
            "sides": [_side_data(side) for side in self.sides],
            "metrics": [{**asdict(metric), "ratios": metric.ratios} for metric in self.metrics],
            "levels": [asdict(pair) for pair in self.levels],
            "moved": [asdict(part) for part in self.moved],
            "layers": [asdict(pair) for pair in self.layers],
            "other_layers": dict(zip((side.label for side in self.sides), self.other_layers, strict=True)),
            "like_for_like": not self.differences,
            "differences": [asdict(difference) for difference in self.differences],
            "settings": [asdict(setting) for setting in self.settings],
            "changes": [{"said": sentences(change), **change.to_data()} for change in self.changes],
        }

    def to_text(self, indent: int | None = None) -> str:
        """:meth:`to_data` as text. ArchsimError for figures that are not finite (prices of no real chip)."""
        body = self.to_data()
        try:
            return json.dumps(body, indent=indent, allow_nan=False)
        except ValueError:
            problems = [Problem("is not a finite number; look at the cost table", key=key) for key in not_finite(body)]
            raise ArchsimError(problems) from None


def _figure(result: Result, name: str) -> float | None:
    if name == "on_chip_pj":
        return on_chip_pj(result)
    if name == "pj_per_synaptic_operation":
        operations = result.synaptic_operations
        return result.energy_pj / operations if operations else None
    value = getattr(result, name)
    return None if value is None else float(value)


def _area_by_level(result: Result) -> dict[str, float]:
    sums: dict[str, float] = {}
    for part in result.components:
        sums[part.level] = sums.get(part.level, 0.0) + part.area_um2
    return sums


def _layer_pair(name: str, rows: Sequence[LayerRow]) -> LayerPair:
    return LayerPair(
        name, tuple(row.energy_pj for row in rows), tuple(row.cycles for row in rows),
        tuple(row.members or (row.name,) for row in rows),
    )  # fmt: skip


def _side_data(side: Side) -> dict[str, Any]:
    result = side.result
    names = (
        "arch", "workload", "engine", "samples", "timesteps", "tasks", "clock_mhz", "node_nm", "cycles",
        "interval_cycles", "throughput_note", "synthetic", "synaptic_operations", "assumptions", "verdict",
    )  # fmt: skip
    return {
        "label": side.label, "given": side.given, "origin": side.origin,
        **{name: getattr(result, name) for name in names},
        "versions": dict(result.versions), "hashes": dict(result.hashes),
        "inputs": {name: value for name, value in result.inputs.items() if name != "components"},
    }  # fmt: skip

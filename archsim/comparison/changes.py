"""From the first side of a comparison to another one: where the differences of energy, latency and area are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from archsim.comparison.parts import Amount, Energy, PartTable, Product, products, sorted_parts
from archsim.comparison.sides import Side
from archsim.result import Result

LEAKAGE, IDLE, WHOLE_CHIP = "leakage", "idle", ""
BETWEEN_LEVELS = " | "
CHANGE_TABLES = (
    "energy_by_component", "energy_by_layer", "energy_by_action", "energy_by_layer_action", "latency_by_layer",
    "latency_by_unit", "area_by_component",
)  # fmt: skip
Names = tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """What ``other`` has more than ``first``, taken apart; parts are matched by their names.

    The parts of every table sum to the difference of the totals. Leakage is an action of its component: its count is
    the latency in ns, its price the power in mW (1 mW x 1 ns = 1 pJ).
    """

    first: Side
    other: Side

    @cached_property
    def energy_by_component(self) -> PartTable[Energy]:
        """Dynamic and static energy of each component, whatever its level; of two levels, both are told."""
        one, two = (_components(result, self._levels) for result in self._results)
        return PartTable("energy", ("component", "level"), _energies(one, two), self._energy)

    @cached_property
    def energy_by_layer(self) -> PartTable[Energy]:
        """Dynamic and static energy of each mapped layer; ``idle``: leakage of parts while their level has no work."""
        one, two = (_layers(result) for result in self._results)
        return PartTable("energy", ("layer",), _energies(one, two), self._energy)

    @cached_property
    def energy_by_action(self) -> PartTable[Product]:
        """Counts and prices of each component's actions, its leakage among them."""
        one, two = (_actions(result, by_layer=False) for result in self._results)
        return PartTable("energy", ("component", "action"), products(one, two), self._energy)

    @cached_property
    def energy_by_layer_action(self) -> PartTable[Product]:
        """The same in each mapped layer; leakage is the whole chip's (its layer is empty).

        Effects of count and price sum over the layers to those of the action: it has its price in a layer without any.
        """
        one, two = (_actions(result, by_layer=True) for result in self._results)
        for found, result in zip((one, two), self._results, strict=True):
            prices = _prices(result)
            for names in {**one, **two}:
                found.setdefault(names, Amount(0.0, prices.get(names[1:]), 0.0))
        return PartTable("energy", ("layer", "component", "action"), products(one, two), self._energy)

    @cached_property
    def latency_by_layer(self) -> PartTable[Product]:
        """Cycles of the critical path in each mapped layer times the clock period in ns."""
        return self._latency("layer")

    @cached_property
    def latency_by_unit(self) -> PartTable[Product]:
        """Cycles of the critical path in each unit and mapped layer, busy or latency, times the clock period in ns."""
        return self._latency("unit", "layer", "what")

    @cached_property
    def area_by_component(self) -> PartTable[Product]:
        """Instances of each component, whatever its level, times the area of one."""
        one, two = (_areas(result, self._levels) for result in self._results)
        totals = (self.first.result.area_um2, self.other.result.area_um2)
        return PartTable("area", ("component", "level"), products(one, two), totals)

    @property
    def main_tables(self) -> tuple[PartTable[Any], ...]:
        """One table for each of energy, latency and area."""
        return self.energy_by_component, self.latency_by_layer, self.area_by_component

    @cached_property
    def is_equal(self) -> bool:
        """Whether no part of any table differs by more than rounding."""
        tables: Iterable[PartTable[Any]] = (getattr(self, name) for name in CHANGE_TABLES)
        return not any(table.differing for table in tables)

    @cached_property
    def is_same_question(self) -> bool:
        """Whether both executed the same spikes on the same chip at the same prices."""
        one, two = (_question(result) for result in self._results)
        return bool(self.first.result.hashes) and one == two

    @property
    def _results(self) -> tuple[Result, Result]:
        return self.first.result, self.other.result

    @cached_property
    def _levels(self) -> Mapping[str, str]:
        """The level of each component; both where the sides have it on different ones: ``compute | neuron module``."""
        found: dict[str, set[str]] = {}
        for result in self._results:
            for row in result.components:
                found.setdefault(row.name, set()).add(row.level)
        return {name: BETWEEN_LEVELS.join(sorted(levels)) for name, levels in found.items()}

    @property
    def _energy(self) -> tuple[float, float]:
        return self.first.result.energy_pj, self.other.result.energy_pj

    def _latency(self, *names: str) -> PartTable[Product]:
        one, two = (_path(result, names) for result in self._results)
        totals = (self.first.result.latency_ns, self.other.result.latency_ns)
        return PartTable("latency", names, products(one, two), totals)

    def to_data(self) -> dict[str, Any]:
        """All tables as plain data, with their totals and the names of both sides."""
        tables: dict[str, PartTable[Any]] = {name: getattr(self, name) for name in CHANGE_TABLES}
        return {
            "first": self.first.label, "other": self.other.label,
            "same_question": self.is_same_question, "equal": self.is_equal,
            **{name: {"totals": table.totals, "difference": table.difference, "rows": table.rows()}
               for name, table in tables.items()},
        }  # fmt: skip


def _energies(one: Mapping[Names, tuple[float, float]], two: Mapping[Names, tuple[float, float]]) -> tuple[Energy, ...]:
    """Parts of (dynamic, static) energies, matched by their names."""
    pairs = {names: (one.get(names, (0.0, 0.0)), two.get(names, (0.0, 0.0))) for names in {**one, **two}}
    return sorted_parts([Energy(names, (a[0], b[0]), (a[1], b[1])) for names, (a, b) in pairs.items()])


def _components(result: Result, levels: Mapping[str, str]) -> dict[Names, tuple[float, float]]:
    return {(row.name, levels[row.name]): (row.dynamic_pj, row.static_pj) for row in result.components}


def _layers(result: Result) -> dict[Names, tuple[float, float]]:
    """(dynamic, static) of mapped layers; what belongs to none is idle."""
    mapped = _mapped_layers(result)
    rows: dict[Names, tuple[float, float]] = {(row.name,): (row.dynamic_pj, row.static_pj) for row in result.layers}
    dynamic = sum(row.energy_pj for row in result.counts if row.layer not in mapped)
    static = result.energy_pj - dynamic - sum(row.energy_pj for row in result.layers)
    return {**rows, (IDLE,): (dynamic, static)}


def _actions(result: Result, by_layer: bool) -> dict[Names, Amount]:
    """Amounts by (component, action), or by (layer, component, action); an action has one price in all layers."""
    prices, mapped = _prices(result), _mapped_layers(result)
    counts: dict[Names, float] = {}
    values: dict[Names, float] = {}
    for row in result.counts:
        where = (mapped.get(row.layer, row.layer),) if by_layer else ()
        names = (*where, row.component, row.action)
        counts[names] = counts.get(names, 0.0) + row.count
        values[names] = values.get(names, 0.0) + row.energy_pj
    found = {names: Amount(count, prices[names[-2:]], values[names]) for names, count in counts.items()}
    return {**found, **_leakages(result, by_layer)}


def _prices(result: Result) -> dict[Names, float | None]:
    """pJ of each (component, action); None where nothing was counted."""
    sums: dict[Names, tuple[float, float]] = {}
    for row in result.counts:
        count, energy_pj = sums.get((row.component, row.action), (0.0, 0.0))
        sums[row.component, row.action] = (count + row.count, energy_pj + row.energy_pj)
    return {names: energy_pj / count if count else None for names, (count, energy_pj) in sums.items()}


def _leakages(result: Result, by_layer: bool) -> dict[Names, Amount]:
    """Leakage of each component: latency in ns times its power in mW."""
    where = (WHOLE_CHIP,) if by_layer else ()
    time_ns = result.latency_ns
    return {
        (*where, row.name, LEAKAGE): Amount(time_ns, row.static_pj / time_ns if time_ns else None, row.static_pj)
        for row in result.components
    }


def _path(result: Result, names: Names) -> dict[Names, Amount]:
    """The critical path by the given columns of its rows, layers as they are mapped."""
    mapped, period_ns = _mapped_layers(result), 1000.0 / result.clock_mhz
    cycles: dict[Names, float] = {}
    for row in result.critical_path:
        given = {"unit": row.unit, "what": row.what, "layer": mapped.get(row.layer, row.layer)}
        key = tuple(given[name] for name in names)
        cycles[key] = cycles.get(key, 0.0) + row.cycles
    return {key: Amount(count, period_ns, count * period_ns) for key, count in cycles.items()}


def _mapped_layers(result: Result) -> dict[str, str]:
    """The mapped layer that each layer of the network is executed in."""
    return {member: row.name for row in result.layers for member in row.members}


def _areas(result: Result, levels: Mapping[str, str]) -> dict[Names, Amount]:
    return {
        (row.name, levels[row.name]): Amount(
            row.instances, row.area_um2 / row.instances if row.instances else None, row.area_um2
        )
        for row in result.components
    }  # fmt: skip


def _question(result: Result) -> tuple[Any, ...]:
    """What decides the figures: content of chip, workload and costs, the inputs, plug-ins."""
    return dict(result.hashes), result.samples, tuple(result.inputs.get("plugins", ()))

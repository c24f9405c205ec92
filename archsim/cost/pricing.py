"""Counts times prices: energy per ledger row, static energy over the executed time, area. Vectorised, re-done in ms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from archsim.cost.component import INFORMATIONAL, Component
from archsim.cost.floorplan import floorplanned
from archsim.cost.known import KnownCosts
from archsim.cost.records import ComponentCost, Span
from archsim.cost.table import CostTable
from archsim.errors import CostError, Problem, nearest

Floats = NDArray[np.float64]
ZERO = Span.exactly(0.0)


class Counts(Protocol):
    """Columns of equal length (the engine's ledger is one): who did what how often."""

    @property
    def component(self) -> NDArray[Any]:
        """Component names."""

    @property
    def action(self) -> NDArray[Any]:
        """Action names."""

    @property
    def count(self) -> NDArray[np.int64]:
        """How many of them."""


@dataclass(frozen=True)
class Bill:
    """What one component costs over a run: pJ of its actions, pJ of its leakage, um2 on the chip (0 off chip)."""

    component: Component
    cost: ComponentCost
    dynamic_pj: Span
    static_pj: Span
    area_um2: Span

    @property
    def energy_pj(self) -> Span:
        """Dynamic and static together."""
        return self.dynamic_pj + self.static_pj


@dataclass(frozen=True)
class Prices:
    """A priced run. ``energy_pj``, ``low_pj`` and ``high_pj`` stand beside the rows of the counts that were priced."""

    node_nm: float
    latency_ns: float
    energy_pj: Floats
    low_pj: Floats
    high_pj: Floats
    bills: Mapping[str, Bill]

    @cached_property
    def dynamic_pj(self) -> Span:
        """Energy of all actions."""
        return _sum(bill.dynamic_pj for bill in self.bills.values())

    @cached_property
    def static_pj(self) -> Span:
        """Leakage and background of all components over the latency."""
        return _sum(bill.static_pj for bill in self.bills.values())

    @cached_property
    def total_pj(self) -> Span:
        """Dynamic and static."""
        return self.dynamic_pj + self.static_pj

    @cached_property
    def area_um2(self) -> Span:
        """Layout area of all on-chip instances, placement utilisation included."""
        return total_area_um2((bill.component, bill.cost) for bill in self.bills.values())


def price(
    counts: Counts,
    components: Sequence[Component],
    table: CostTable,
    node_nm: float,
    latency_ns: float,
) -> Prices:
    """Price a ledger at one technology node.

    dynamic [pJ] = count x energy per action; static [pJ] = leakage [mW] x instances x latency [ns], for
    1 mW x 1 ns = 1 pJ; area [um2] = instances x area each, on-chip components only. A count is that of all instances
    of its component together.

    CostError: a size outside a table; components that do not exist; actions without a price that are not
    INFORMATIONAL; all of them at once.
    """
    return Pricer(counts, components, latency_ns).price(table, node_nm)


class Pricer:
    """A ledger, and the chip it is of, that can be priced again and again; see :func:`price`."""

    def __init__(self, counts: Counts, components: Sequence[Component], latency_ns: float) -> None:
        names = [component.name for component in components]
        if len(set(names)) != len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise CostError([Problem("two components have this name", key=name) for name in twice])
        self._components, self._latency_ns = tuple(components), latency_ns
        self._pairs, self._codes = _factorise(counts)
        self._amount = np.asarray(counts.count, dtype=np.float64)
        self._known = KnownCosts()

    def price(self, table: CostTable, node_nm: float) -> Prices:
        """The run at these prices."""
        placed = floorplanned(self._components, table, node_nm, self._known)
        costs = table.costs_of(placed, node_nm, self._known)
        by_name = {component.name: component for component in placed}
        each = _prices_of(self._pairs, by_name, costs)
        ends = np.array([(span.value, span.low, span.high) for span in each], dtype=np.float64).reshape(-1, 3)
        columns = [self._amount * ends[self._codes, end] for end in range(3)]
        position = {name: at for at, name in enumerate(by_name)}
        owner = np.array([position[name] for name, _ in self._pairs], dtype=np.intp)[self._codes]
        sums = [np.bincount(owner, weights=column, minlength=len(by_name)) for column in columns]
        bills = {
            part.name: _bill(part, costs[part.name], Span(*(float(total[at]) for total in sums)), self._latency_ns)
            for at, part in enumerate(by_name.values())
        }
        return Prices(node_nm, self._latency_ns, columns[0], columns[1], columns[2], bills)


def total_area_um2(costs: Iterable[tuple[Component, ComponentCost]]) -> Span:
    """Area of all on-chip instances. CostError when on-chip components are not all at one node."""
    chosen = [(component, cost) for component, cost in costs if component.on_chip]
    nodes = {cost.node_nm for _, cost in chosen}
    if len(nodes) > 1:
        raise CostError(
            [Problem("components of several nodes have no common area; scale them to one", key=component.name,
                     value=cost.node_nm) for component, cost in chosen]
        )  # fmt: skip
    return _sum(cost.area_um2_each.span * float(component.count) for component, cost in chosen)


def _bill(component: Component, cost: ComponentCost, dynamic_pj: Span, latency_ns: float) -> Bill:
    instances = float(component.count)
    area = cost.area_um2_each.span * instances if component.on_chip else ZERO
    return Bill(component, cost, dynamic_pj, cost.leakage_mw_each.span * (instances * latency_ns), area)


def _factorise(counts: Counts) -> tuple[list[tuple[str, str]], NDArray[np.intp]]:
    codes: dict[tuple[str, str], int] = {}
    rows = [
        codes.setdefault(pair, len(codes))
        for pair in zip(counts.component.tolist(), counts.action.tolist(), strict=True)
    ]
    return list(codes), np.array(rows, dtype=np.intp)


def _prices_of(
    pairs: Sequence[tuple[str, str]], components: Mapping[str, Component], costs: Mapping[str, ComponentCost]
) -> list[Span]:
    problems, spans = [], []
    for name, action in pairs:
        span = ZERO
        if name not in components:
            problems.append(Problem("the counts name a component that the chip does not have", key=f"{name}.{action}",
                                    nearest=nearest(name, components)))  # fmt: skip
        elif action in costs[name].energy_pj:
            span = costs[name].energy_pj[action].span
        elif action not in INFORMATIONAL:
            priced = costs[name].energy_pj
            problems.append(Problem("this action has no price", key=f"{name}.{action}", allowed=", ".join(priced),
                                    nearest=nearest(action, priced)))  # fmt: skip
        spans.append(span)
    if problems:
        raise CostError(problems)
    return spans


def _sum(spans: Iterable[Span]) -> Span:
    return reduce(lambda left, right: left + right, spans, ZERO)

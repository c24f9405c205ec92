"""Costs of components that were estimated before, found again by what their estimate has read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from archsim.cost.component import Component
from archsim.cost.records import ComponentCost, Constant

if TYPE_CHECKING:
    from archsim.cost.table import CostTable

Read = tuple[tuple[str, ...], dict[tuple[Constant, ...], ComponentCost]]
MOST_KEPT = 4096


@dataclass(frozen=True)
class _Place:
    """A component at a node, by tables that share everything but their constants."""

    component: tuple[Any, ...]
    node_nm: float
    rest: tuple[int, ...]


class KnownCosts:
    """Estimates of some components, kept: the same component, node and constants have the same cost.

    An estimate is a pure function of the component, the node and the table. What it reads of the table's constants is
    noted while it is made; a later one whose constants of these names are equal would take the same way and come to
    the same cost, so it is not made again. Tables that differ in more than constants (grids, fixed prices) are kept
    apart.
    """

    def __init__(self) -> None:
        self._reads: dict[_Place, list[Read]] = {}
        self._alive: dict[int, Any] = {}  # what is known by its identity must live as long
        self._kept = 0

    def cost_of(self, component: Component, node_nm: float, table: CostTable) -> ComponentCost:
        """As :meth:`archsim.cost.table.CostTable.cost_of`."""
        rest = (table.prices, table.gates, table.sram, table.scaling, table.adc)
        place = _Place(_content(component), node_nm, tuple(map(id, rest)))
        for names, costs in self._reads.get(place, ()):
            cost = costs.get(tuple(table.constants[name] for name in names))
            if cost is not None:
                return cost
        notes = _Noted(table.constants)
        cost = replace(table, constants=notes).cost_of(component, node_nm)
        if self._kept == MOST_KEPT:
            self._reads, self._alive, self._kept = {}, {}, 0
        self._keep(place, rest, tuple(notes.read), table, cost)
        return cost

    def _keep(
        self, place: _Place, rest: tuple[Any, ...], names: tuple[str, ...], table: CostTable, cost: ComponentCost
    ) -> None:
        self._kept += 1
        self._alive |= {id(part): part for part in rest}
        known = self._reads.setdefault(place, [])
        if names not in (read for read, _ in known):
            known.append((names, {}))
        dict(known)[names][tuple(table.constants[name] for name in names)] = cost


def _content(component: Component) -> tuple[Any, ...]:
    return component.name, component.primitive, component.count, component.on_chip, *component.attributes.items()


class _Noted(Mapping[str, Constant]):
    """Constants, and the names of those that were read."""

    def __init__(self, constants: Mapping[str, Constant]) -> None:
        self._constants = constants
        self.read: dict[str, None] = {}

    def __getitem__(self, name: str) -> Constant:
        found = self._constants[name]
        self.read[name] = None
        return found

    def __iter__(self) -> Iterator[str]:
        self.read |= dict.fromkeys(self._constants)
        return iter(self._constants)

    def __len__(self) -> int:
        return len(self._constants)

"""Which constant the answer hangs on: total energy with one constant at its low or high end, the others nominal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from archsim.cost.component import Component
from archsim.cost.pricing import Counts, price
from archsim.cost.records import Constant
from archsim.cost.scaling import End, Quantity
from archsim.cost.table import CostTable


@dataclass(frozen=True)
class Swing:
    """One bar of the tornado: total energy in pJ with this constant alone at its low and high end.

    ``at_low_pj`` may exceed ``at_high_pj`` (a clock divides). ``low`` and ``high`` are the constant's own ends, None
    for the node scaling, whose factors depend on the node that a constant comes from.
    """

    key: str
    unit: str
    value: float | None
    low: float | None
    high: float | None
    nominal_pj: float
    at_low_pj: float
    at_high_pj: float
    source: str

    @property
    def swing_pj(self) -> float:
        """Width of the bar."""
        return abs(self.at_high_pj - self.at_low_pj)


def vary(
    counts: Counts,
    components: Sequence[Component],
    table: CostTable,
    node_nm: float,
    latency_ns: float,
) -> tuple[Swing, ...]:
    """One row per constant with a range and per scaled quantity that moves the total, widest first."""

    def total_pj(changed: CostTable) -> float:
        return price(counts, components, changed, node_nm, latency_ns).total_pj.value

    nominal = total_pj(table)
    swings = []
    for key, constant, low, high in _ranges(table):
        swings.append(
            Swing(key, constant.unit, constant.value, constant.span.low, constant.span.high, nominal,
                  total_pj(low), total_pj(high), constant.source)
        )  # fmt: skip
    scaled: tuple[Quantity, ...] = ("energy", "leakage")
    for quantity in scaled:
        low, high = _pinned(table, quantity, "low"), _pinned(table, quantity, "high")
        swings.append(
            Swing(f"scaling.{quantity}", "1", None, None, None, nominal, total_pj(low), total_pj(high),
                  table.scaling.scaling.model.source)
        )  # fmt: skip
    moving = [swing for swing in swings if swing.swing_pj > 0]
    return tuple(sorted(moving, key=lambda swing: (-swing.swing_pj, swing.key)))


def _ranges(table: CostTable) -> Iterator[tuple[str, Constant, CostTable, CostTable]]:
    for key, constant in {**table.constants, **table.prices}.items():
        span = constant.span
        if span.low < span.high:
            yield key, constant, table.with_constant(key, span.low), table.with_constant(key, span.high)


def _pinned(table: CostTable, quantity: Quantity, end: End) -> CostTable:
    return replace(table, scaling=table.scaling.pin(quantity, end))

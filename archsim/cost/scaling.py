"""Energy, leakage and area from one technology node to another, by published factors. Time is never scaled.

Energy per operation and area follow A. Stillmaker and B. Baas, "Scaling equations for the accurate prediction of CMOS
device performance from 180 nm to 7 nm", Integration 58 (2017): E ~ a2 V^2 + a1 V + a0, here at each node's nominal
supply (high-performance coefficients). The range spans the low-power coefficients and the same 0.8 V at both nodes.
Leakage has no published factors there: it takes the energy factor (as hwcomponents does; both shrink with width and
supply as long as a node's off-current per width stays). Its range spans the leakage of equal SRAM banks in the CACTI
table (geometric mean over all sizes, each device type), which changes device class from node to node and is no trend.
Nodes between two rows lie on a log-log line.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from archsim.cost.grids import Grid
from archsim.cost.interpolate import loglog
from archsim.cost.records import Span
from archsim.errors import CostError, Problem

Quantity = Literal["energy", "leakage", "area"]
End = Literal["value", "low", "high"]

ISO_VOLT = 0.8
MOST_KEPT = 4096
ISO_VOLT_UP_TO_NM = 130.0


@dataclass(frozen=True)
class Scaling:
    """Factors between any two nodes of the table; ``pinned`` puts a quantity's factors at one end of their range."""

    scaling: Grid
    sram: Grid
    pinned: Mapping[Quantity, End] = field(default_factory=dict)

    def pin(self, quantity: Quantity, end: End) -> Scaling:
        """The same factors with one quantity at its low or high end only (for ``--vary-costs``)."""
        return replace(self, pinned={**self.pinned, quantity: end})

    def factor(self, quantity: Quantity, from_nm: float, to_nm: float) -> Span:
        """What to multiply a quantity at ``from_nm`` by to have it at ``to_nm``; CostError outside the table."""
        return self._known(quantity, from_nm, to_nm)[0]

    def step(self, quantity: Quantity, from_nm: float, to_nm: float) -> str:
        """The factor as a line of explanation."""
        return self._known(quantity, from_nm, to_nm)[1]

    def _known(self, quantity: Quantity, from_nm: float, to_nm: float) -> tuple[Span, str]:
        """Factor and explanation; a chip asks for the same few again and again."""
        asked = (quantity, from_nm, to_nm)
        if asked not in self._kept:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            span = self._factor(quantity, from_nm, to_nm)
            self._kept[asked] = span, self._step(span, quantity, from_nm, to_nm)
        return self._kept[asked]

    @cached_property
    def _kept(self) -> dict[tuple[str, float, float], tuple[Span, str]]:
        return {}

    def _factor(self, quantity: Quantity, from_nm: float, to_nm: float) -> Span:
        self._check(from_nm, to_nm)
        if from_nm == to_nm:
            return Span.exactly(1.0)
        candidates = {"energy": self._energy, "leakage": self._leakage, "area": self._area}[quantity](from_nm, to_nm)
        span = Span(candidates[0], min(candidates), max(candidates))
        end = self.pinned.get(quantity)
        return span if end is None else Span.exactly(getattr(span, end))

    def _step(self, span: Span, quantity: Quantity, from_nm: float, to_nm: float) -> str:
        how = self.scaling.model.source
        if quantity == "leakage":
            more = len(self._leakage(from_nm, to_nm)) > 1
            how = f"as energy: {how}" + ("; range also over equal SRAM banks" if more else "")
        factor = f"x {span.value:.4g} ({span.low:.4g}..{span.high:.4g})"
        return f"{quantity} scaled {from_nm:g} -> {to_nm:g} nm: {factor}; {how}"

    def supply_v(self, node_nm: float) -> float:
        """Nominal supply voltage at a node, log-log between the table's; CostError outside it."""
        self._check(node_nm)
        return loglog(node_nm, {float(row["node_nm"]): float(row["vdd_v"]) for row in self.scaling.rows}).value

    @cached_property
    def nodes_nm(self) -> tuple[float, ...]:
        """The table's nodes, ascending."""
        return tuple(sorted(float(row["node_nm"]) for row in self.scaling.rows))

    def _check(self, *nodes_nm: float) -> None:
        low, high = self.nodes_nm[0], self.nodes_nm[-1]
        outside = [node for node in nodes_nm if not low <= node <= high]
        if outside:
            raise CostError(
                [Problem("the technology node lies outside the scaling table", key="node_nm", value=node,
                         allowed=f"{low:g} to {high:g} nm") for node in outside]
            )  # fmt: skip

    def _energy(self, from_nm: float, to_nm: float) -> list[float]:
        curves = self._energies[: 4 if max(from_nm, to_nm) <= ISO_VOLT_UP_TO_NM else 2]
        return [loglog(to_nm, curve).value / loglog(from_nm, curve).value for curve in curves]

    @cached_property
    def _energies(self) -> tuple[dict[float, float], ...]:
        """Energy by node at nominal supplies, high performance and low power, then both at one supply."""
        return tuple(self._relative(kind, volt) for volt in (None, ISO_VOLT) for kind in ("hp", "lp"))

    @cached_property
    def _areas(self) -> dict[float, float]:
        return {float(row["node_nm"]): float(row["area"]) for row in self.scaling.rows}

    def _area(self, from_nm: float, to_nm: float) -> list[float]:
        curve = self._areas
        return [loglog(to_nm, curve).value / loglog(from_nm, curve).value]

    def _leakage(self, from_nm: float, to_nm: float) -> list[float]:
        energy = self._energy(from_nm, to_nm)[0]
        ratios = [
            loglog(to_nm, curve).value / loglog(from_nm, curve).value
            for curve in self.sram_leakage.values()
            if min(curve) <= min(from_nm, to_nm) and max(from_nm, to_nm) <= max(curve)
        ]
        return [energy, *ratios]

    def _relative(self, kind: str, volt: float | None) -> dict[float, float]:
        curve = {}
        for row in self.scaling.rows:
            v = float(row["vdd_v"]) if volt is None else volt
            a2, a1, a0 = (float(row[f"{kind}_a{n}"]) for n in (2, 1, 0))
            curve[float(row["node_nm"])] = a2 * v * v + a1 * v + a0
        return curve

    @cached_property
    def sram_leakage(self) -> dict[str, dict[float, float]]:
        """Cell -> node -> geometric mean of the leakage in mW over the banks that all nodes of that cell have."""
        curves: dict[str, dict[float, float]] = {}
        tables = self.sram.sram
        for cell in sorted({cell for _, cell in tables}):
            leaks = {node: table["leakage_mw"] for (node, its), table in tables.items() if its == cell}
            places = set.intersection(*(set(leak) for leak in leaks.values()))
            curves[cell] = {
                node: math.exp(sum(math.log(leak[place]) for place in places) / len(places))
                for node, leak in leaks.items()
            }
        return curves

"""How long wires are that cross a tile: the parts of the chip, spread over equal squares.

A component with the attribute ``squares`` lies over, or between, so many equal squares that hold all other parts on the
chip: side = sqrt(sum of their areas / squares). Wires themselves lie above the cells and take no part in it. A stated
side must not be smaller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from math import sqrt
from typing import TYPE_CHECKING

from archsim.cost.component import Component
from archsim.errors import CostError, Problem

if TYPE_CHECKING:
    from archsim.cost.known import KnownCosts
    from archsim.cost.table import CostTable

SQUARES = "squares"
UM_PER_MM = 1000.0


def floorplanned(
    components: Sequence[Component], table: CostTable, node_nm: float, known: KnownCosts | None = None
) -> tuple[Component, ...]:
    """The components with the lengths that follow from the areas of the others. CostError: a side too small."""
    if not any(SQUARES in part.attributes for part in components):
        return tuple(components)
    cells = [part for part in components if SQUARES not in part.attributes and part.on_chip]
    cost_of = table.cost_of if known is None else partial(known.cost_of, table=table)
    area_um2 = sum(cost_of(part, node_nm).area_um2_each.value * part.count for part in cells)
    return tuple(_sized(part, area_um2) if SQUARES in part.attributes else part for part in components)


def _sized(part: Component, area_um2: float) -> Component:
    rest = {name: value for name, value in part.attributes.items() if name != SQUARES}
    squares = int(part.attributes[SQUARES])
    needed_um = sqrt(area_um2 / squares)
    stated_um = rest.pop("side_um", None)
    if stated_um is not None and float(stated_um) < needed_um:
        text = f"the parts of a tile need {needed_um**2 / 1e6:.4g} mm2, more than fit"
        raise CostError(
            Problem(text, key="tile.side", value=f"{float(stated_um) / UM_PER_MM:g} mm",
                    allowed=f"at least {needed_um / UM_PER_MM:.4g} mm, fit, or fewer PEs per tile")
        )  # fmt: skip
    side_um = needed_um if stated_um is None else float(stated_um)
    length = {"side_um": side_um} if part.primitive == "htree" else {"length_mm": side_um / UM_PER_MM}
    return replace(part, attributes={**rest, **length})

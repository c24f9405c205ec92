"""Lengths of wires from the areas of what they cross."""

from __future__ import annotations

import pytest

from archsim.cost.component import Component
from archsim.cost.floorplan import floorplanned
from archsim.cost.table import load_costs
from archsim.errors import CostError

TABLE = load_costs()
ADDERS = Component("adders", "adder", "compute", {"bits": 16}, 1000)
OFF_CHIP = Component("dram", "dram", "DRAM", {"row_bytes": 2048, "devices": 1}, on_chip=False)


def wires(**attributes: float) -> list[Component]:
    tree = Component("tree", "htree", "interconnect", {"bits": 8, "leaves": 4, "squares": 4, **attributes}, 4)
    link = Component("link", "link", "interconnect", {"bits": 8, "squares": 4, **attributes}, 8)
    return [ADDERS, OFF_CHIP, tree, link]


def test_the_side_is_that_of_equal_squares() -> None:
    area = TABLE.cost_of(ADDERS, 28).area_um2_each.value * 1000
    adders, dram, tree, link = floorplanned(wires(), TABLE, 28)
    assert adders is ADDERS and dram is OFF_CHIP and tree.count == 4
    assert dict(tree.attributes) == {"bits": 8, "leaves": 4, "side_um": pytest.approx((area / 4) ** 0.5)}
    assert dict(link.attributes) == {"bits": 8, "length_mm": pytest.approx((area / 4) ** 0.5 / 1000)}
    smaller = floorplanned(wires(), TABLE, 22)[2]
    assert smaller.attributes["side_um"] < tree.attributes["side_um"]


def test_a_stated_side_must_hold_the_parts() -> None:
    assert floorplanned(wires(side_um=5000.0), TABLE, 28)[2].attributes["side_um"] == 5000.0
    with pytest.raises(CostError, match=r"tile.side: the parts of a tile need .* mm2, more than fit \(got '0.01 mm'"):
        floorplanned(wires(side_um=10.0), TABLE, 28)

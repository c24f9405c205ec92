"""Units made of gates: each is the sum of the gates that it is made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.cost.component import Component
from archsim.cost.primitives.compound import tree
from archsim.cost.records import ComponentCost
from archsim.cost.table import load_costs
from archsim.errors import CostError

TABLE = load_costs()


def cost(primitive: str, node_nm: float = 28, **attributes: float | str) -> ComponentCost:
    return TABLE.cost_of(Component("it", primitive, "compute", attributes), node_nm)


@pytest.mark.parametrize("node", [28, 65])
@pytest.mark.parametrize(
    ("primitive", "gate"), [("accumulator", "adder"), ("diff", "subtractor"), ("shift_add", "adder")]
)
def test_an_operation_is_the_gate_and_a_register_read_and_written(primitive: str, gate: str, node: float) -> None:
    unit, logic, register = (cost(name, node, bits=16) for name in (primitive, gate, "register"))
    for end in ("low", "value", "high"):
        assert getattr(unit.energy_pj["op"], end) == pytest.approx(
            getattr(logic.energy_pj["op"], end) + sum(getattr(p, end) for p in register.energy_pj.values()), rel=1e-12
        )
    assert unit.leakage_mw_each.value == pytest.approx(logic.leakage_mw_each.value + register.leakage_mw_each.value)
    assert unit.area_um2_each.value == pytest.approx(logic.area_um2_each.value + register.area_um2_each.value)


def test_an_accumulator_of_16_bits_by_hand() -> None:
    unit = cost("accumulator", bits=16)
    assert unit.energy_pj["op"].value == pytest.approx((0.0367 + 2 * 0.02511) / 400 * 1000)
    assert unit.area_um2_each.value == pytest.approx((45.024 + 68.04) / 0.7)
    assert any(step.startswith("register write: ") for step in unit.energy_pj["op"].steps)
    assert unit.energy_pj["op"].constant.source.startswith("SATA_Sim")
    with pytest.raises(CostError, match="allowed: 2 to 32 bits"):
        cost("accumulator", bits=33)


def test_a_selectable_shift_adds_multiplexer_stages() -> None:
    fixed = cost("shift_add", bits=16)
    for positions in (2, 4):
        unit, stages = (cost(name, bits=16, positions=positions) for name in ("shift_add", "shifter"))
        assert unit.energy_pj["op"].value == pytest.approx(fixed.energy_pj["op"].value + stages.energy_pj["op"].value)
        assert unit.area_um2_each.value == pytest.approx(fixed.area_um2_each.value + stages.area_um2_each.value)


def test_isaacs_shift_and_add_goes_by_its_bits() -> None:
    isaac = cost("shift_add", 32, bits=16, model="isaac")
    assert (isaac.energy_pj["op"].value, isaac.area_um2_each.value) == (0.021, 60)
    assert cost("shift_add", 32, bits=24, model="isaac").energy_pj["op"].value == pytest.approx(0.0315)
    assert cost("shift_add", 65, bits=16, model="isaac").energy_pj["op"].value == pytest.approx(
        0.021 * TABLE.scaling.factor("energy", 32, 65).value
    )
    with pytest.raises(CostError, match=r"it\.model: no such shift-and-add unit .*gates, isaac"):
        cost("shift_add", bits=16, model="gate")


def test_a_count_of_five_ones_by_hand() -> None:
    assert tree(5) == [(1, 2), (2, 1), (3, 1)]
    assert tree(8) == [(1, 4), (2, 2), (3, 1)]
    two, three = (cost("adder", bits=bits).energy_pj["op"].value for bits in (2, 3))
    assert cost("popcount", inputs=5).energy_pj["op"].value == pytest.approx(2 * two / 2 + two + three)
    with pytest.raises(CostError, match=r"it\.inputs"):
        cost("popcount", inputs=1)


@given(st.integers(2, 1024))
def test_a_tree_joins_all_inputs_and_is_wide_enough(inputs: int) -> None:
    levels = tree(inputs)
    assert sum(count for _, count in levels) == inputs - 1
    assert 2 ** levels[-1][0] >= inputs
    assert (
        cost("popcount", inputs=inputs + 1).energy_pj["op"].value
        > cost("popcount", inputs=inputs).energy_pj["op"].value
    )

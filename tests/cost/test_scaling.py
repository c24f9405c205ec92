from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.cost.scaling import Quantity
from archsim.cost.table import CostTable, load_costs
from archsim.errors import CostError

TABLE = load_costs()
QUANTITIES: tuple[Quantity, ...] = ("energy", "leakage", "area")
nodes = st.sampled_from((180.0, 130.0, 90.0, 65.0, 55.0, 45.0, 40.0, 32.0, 28.0, 22.0, 20.0, 16.0, 14.0, 10.0, 7.0))


def energy(a2: float, a1: float, a0: float, volt: float) -> float:
    return a2 * volt**2 + a1 * volt + a0


def test_energy_from_65_to_45_nm_follows_the_papers_polynomials() -> None:
    at_65 = energy(3.755, -4.398, 1.975, 1.1)
    factor = TABLE.scaling.factor("energy", 65, 45)
    assert factor.value == pytest.approx(energy(1.018, -0.3107, 0.1539, 1.0) / at_65, rel=1e-12)
    iso_lp = energy(1.103, -0.362, 0.2767, 0.8) / energy(3.755, -4.398, 1.975, 0.8)
    assert factor.high == pytest.approx(iso_lp, rel=1e-12)


def test_28_nm_lies_on_the_log_log_line_between_32_and_20() -> None:
    at_32, at_20 = energy(0.8367, -0.4341, 0.1701, 0.9), energy(0.373, -0.1582, 0.04104, 0.82)
    share = math.log(28 / 32) / math.log(20 / 32)
    assert TABLE.scaling.factor("energy", 32, 28).value == pytest.approx((at_20 / at_32) ** share, rel=1e-12)


@pytest.mark.parametrize(
    ("start", "end", "published"), [(65, 32, 0.31), (90, 45, 0.35), (180, 65, 0.08), (32, 7, 0.13), (45, 16, 0.19)]
)
def test_area_agrees_with_the_papers_rounded_matrix(start: float, end: float, published: float) -> None:
    assert TABLE.scaling.factor("area", start, end).value == pytest.approx(published, rel=0.05)


def test_leakage_scales_as_energy_and_its_range_holds_equal_sram_banks() -> None:
    tables = TABLE.sram.sram
    old, new = tables[65.0, "itrs-lop"]["leakage_mw"], tables[28.0, "itrs-lop"]["leakage_mw"]
    shared = set.intersection(*(set(t["leakage_mw"]) for (_, cell), t in tables.items() if cell == "itrs-lop"))
    mean = math.exp(sum(math.log(new[place] / old[place]) for place in shared) / len(shared))
    factor = TABLE.scaling.factor("leakage", 65, 28)
    assert factor.value == TABLE.scaling.factor("energy", 65, 28).value
    assert factor.high == pytest.approx(mean, rel=1e-9) and mean > 6  # another device class, not a trend
    assert "range also over equal SRAM banks" in TABLE.scaling.step("leakage", 65, 28)
    assert "SRAM" not in TABLE.scaling.step("leakage", 28, 7)


@given(nodes, nodes, nodes, st.sampled_from(QUANTITIES))
def test_a_detour_over_a_third_node_changes_nothing(a: float, b: float, c: float, quantity: Quantity) -> None:
    factor = TABLE.scaling.factor
    direct = factor(quantity, a, c).value
    assert factor(quantity, a, b).value * factor(quantity, b, c).value == pytest.approx(direct, rel=1e-9)


@given(nodes, nodes, st.sampled_from(QUANTITIES))
def test_ranges_are_ordered_and_no_step_is_no_change(a: float, b: float, quantity: Quantity) -> None:
    span = TABLE.scaling.factor(quantity, a, b)
    assert 0 < span.low <= span.value <= span.high
    assert TABLE.scaling.factor(quantity, a, a).value == 1


@given(nodes, nodes)
def test_smaller_nodes_take_less_energy_and_area(a: float, b: float) -> None:
    if a > b:
        assert TABLE.scaling.factor("energy", a, b).value < 1
        assert TABLE.scaling.factor("area", a, b).value < 1


@pytest.mark.parametrize("node", [5.0, 250.0])
def test_a_node_outside_the_table_names_the_bounds(table: CostTable, node: float) -> None:
    with pytest.raises(CostError, match="allowed: 7 to 180 nm"):
        table.scaling.factor("energy", 28, node)

"""Wires, H-trees, routers, ISAAC's bus and eDRAM: prices and lengths by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.cost.component import Component
from archsim.cost.primitives.interconnect import htree_um
from archsim.cost.records import ComponentCost
from archsim.cost.table import load_costs
from archsim.errors import CostError

TABLE = load_costs()


def cost(primitive: str, node_nm: float = 65, **attributes: float | str) -> ComponentCost:
    return TABLE.cost_of(Component("it", primitive, "interconnect", attributes), node_nm)


def test_256_bits_over_10_mm_at_the_sources_voltage_take_310_pj() -> None:
    link = cost("link", 32, bits=256, length_mm=10)  # 32 nm: 0.9 V, as the source's 40 nm
    assert TABLE.scaling.supply_v(32) == 0.9
    assert 256 * link.energy_pj["bit"].value == pytest.approx(310, rel=1e-5)
    assert 256 * link.energy_pj["bit"].high == pytest.approx(110e-3 / 0.36 * 0.81 * 2560, rel=1e-5)


def test_a_bit_over_a_millimetre_goes_with_the_square_of_the_supply() -> None:
    at_65, at_28 = (cost("link", node, bits=8, length_mm=1).energy_pj["bit"].value for node in (65, 28))
    assert at_65 == pytest.approx(0.149498 * 1.1**2, rel=1e-12)
    assert at_28 == pytest.approx(0.149498 * TABLE.scaling.supply_v(28) ** 2, rel=1e-12)
    assert 0.82 < TABLE.scaling.supply_v(28) < 0.9
    with pytest.raises(CostError, match="outside the scaling table"):
        TABLE.scaling.supply_v(250)


def test_wires_take_pitch_times_length_or_nothing() -> None:
    area = cost("link", bits=32, length_mm=2.5).area_um2_each
    assert area.value == pytest.approx(4 * 65e-3 * 32 * 2500)
    assert (area.low, area.high) == (0, pytest.approx(2 * area.value))
    assert cost("link", bits=32, length_mm=0).energy_pj["bit"].value == 0


def test_lengths_of_an_h_tree_by_hand() -> None:
    assert htree_um(1, 800) == (0, 0)
    assert htree_um(4, 800) == (400, 1200)  # from the centre 200 along and 200 up; one H: a bar and two legs of 400
    assert htree_um(16, 800) == (600, 3600)  # four more of half the size
    assert htree_um(8, 800) == htree_um(16, 800) and htree_um(5, 800) == htree_um(16, 800)
    assert htree_um(17, 800) == htree_um(64, 800)


def test_an_h_tree_is_a_link_of_its_length() -> None:
    tree = cost("htree", bits=64, leaves=16, side_um=800)
    assert tree.energy_pj["bit"].value == pytest.approx(cost("link", bits=64, length_mm=0.6).energy_pj["bit"].value)
    assert tree.area_um2_each.value == pytest.approx(cost("link", bits=64, length_mm=3.6).area_um2_each.value)


@given(st.integers(1, 4096), st.floats(1, 1e4))
def test_more_leaves_and_longer_sides_never_shorten_a_tree(leaves: int, side_um: float) -> None:
    path, wire = htree_um(leaves, side_um)
    assert path <= side_um and path <= wire
    assert htree_um(leaves + 1, side_um)[1] >= wire and htree_um(leaves, 2 * side_um)[1] == pytest.approx(2 * wire)


def test_isaacs_router_bus_and_edram_at_their_own_node() -> None:
    router, bus, edram = cost("router", 32, flit_bits=256), cost("bus", 32, bits=256), cost("edram", 32, line_bytes=32)
    assert router.energy_pj["flit"].value == pytest.approx(20.74)
    assert router.area_um2_each.value == pytest.approx(150_000)
    assert bus.energy_pj["bit"].value == 0.054
    assert bus.area_um2_each.value == pytest.approx(7500)
    assert edram.energy_pj["line_read"].value == pytest.approx(20.45) == edram.energy_pj["line_write"].value
    assert edram.area_um2_each.value == 83_000
    assert cost("edram", 32, macros=3).area_um2_each.value == 249_000
    assert cost("router", 32, flit_bits=32).energy_pj["flit"].value == pytest.approx(20.74 / 8)


@pytest.mark.parametrize("node", [28, 65])
def test_routers_scale_like_logic(node: float) -> None:
    home, away = cost("router", 32, flit_bits=64), cost("router", node, flit_bits=64)
    for quantity, one, other in (
        ("energy", home.energy_pj["flit"], away.energy_pj["flit"]),
        ("area", home.area_um2_each, away.area_um2_each),
    ):
        assert other.value == pytest.approx(one.value * TABLE.scaling.factor(quantity, 32, node).value)  # type: ignore[arg-type]

"""Prices by hand from the rows of the shipped tables."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.cost.component import Component
from archsim.cost.primitives import PRIMITIVES
from archsim.cost.primitives.base import Primitive
from archsim.cost.records import ComponentCost
from archsim.cost.table import CostTable, load_costs
from archsim.errors import CostError

TABLE = load_costs()


def cost(primitive: str, node_nm: float = 28, on_chip: bool = True, **attributes: int | str) -> ComponentCost:
    component = Component("it", primitive, "compute", attributes, on_chip=on_chip)
    return TABLE.cost_of(component, node_nm)


@pytest.mark.parametrize(
    ("primitive", "bits", "pj"),
    [("adder", 16, 0.09175), ("subtractor", 8, 0.042225), ("comparator", 32, 0.10625), ("andgate", 8, 0.005875),
     ("multiplier", 8, 0.20525), ("lfsr", 32, 0.088)],
)  # fmt: skip
def test_energy_of_a_table_width_is_power_over_400_mhz(primitive: str, bits: int, pj: float) -> None:
    assert cost(primitive, bits=bits).energy_pj["op"].value == pytest.approx(pj, rel=1e-12)


def test_the_unstated_clock_widens_the_price_upwards_only() -> None:
    adder = cost("adder", bits=16).energy_pj["op"]
    assert (adder.low, adder.high) == pytest.approx((0.0367 / 400 * 1000, 0.0367 / 300 * 1000))


def test_a_width_between_two_columns_is_interpolated_log_log() -> None:
    share = math.log(12 / 8) / math.log(16 / 8)
    mw = 0.01689 * (0.0367 / 0.01689) ** share
    assert cost("adder", bits=12).energy_pj["op"].value == pytest.approx(mw / 400 * 1000, rel=1e-12)


def test_leakage_and_area_of_an_adder() -> None:
    adder = cost("adder", bits=16)
    assert adder.leakage_mw_each.value == pytest.approx(3.5e-5, rel=1e-12)
    assert adder.area_um2_each.value == pytest.approx(45.024 / 0.7, rel=1e-12)
    assert adder.area_um2_each.low == pytest.approx(45.024 / 0.8)


def test_one_bit_of_a_bit_sliced_row_is_half_of_two() -> None:
    assert cost("andgate", bits=1).energy_pj["op"].value == pytest.approx(0.000597 / 2 / 400 * 1000)
    assert cost("register", bits=1).energy_pj["write"].value == pytest.approx(0.003191 / 2 / 400 * 1000)


@pytest.mark.parametrize(("primitive", "bits"), [("adder", 1), ("adder", 33), ("register", 64)])
def test_a_width_outside_the_table_names_the_bounds(primitive: str, bits: int) -> None:
    with pytest.raises(CostError, match=r"it\.bits: the width lies outside .* allowed: 2 to 32 bits"):
        cost(primitive, bits=bits)


def test_a_register_file_charges_one_word_but_leaks_and_takes_room_as_a_whole() -> None:
    file = cost("registerfile", bytes=26, bits=8)
    assert file.energy_pj["write"].value == pytest.approx(0.031225)
    assert file.energy_pj["read"].value == pytest.approx(0.031225)
    assert file.energy_pj["read"].low == 0
    assert file.leakage_mw_each.value == pytest.approx(26 * 0.0201e-3)
    assert file.area_um2_each.value == pytest.approx(26 * 34.27 / 0.7)


def test_a_register_file_ends_where_the_sram_table_begins() -> None:
    with pytest.raises(CostError, match="use an sram"):
        cost("registerfile", bytes=1024)
    with pytest.raises(CostError, match="below that use a registerfile"):
        cost("sram", bytes=1023)


def test_two_banks_of_16_kib_have_the_energy_of_one_and_the_leakage_and_area_of_two() -> None:
    sram = cost("sram", bytes=32 * 1024, banks=2, line_bytes=32)
    assert sram.energy_pj["line_read"].value == 5.67242
    assert sram.energy_pj["line_write"].value == 7.41495
    assert sram.leakage_mw_each.value == pytest.approx(2 * 5.49378, rel=1e-12)
    assert sram.area_um2_each.value == pytest.approx(2 * 49543.064, rel=1e-12)


def test_a_weight_buffer_of_144_kib_in_2_banks_lies_between_64_and_128_kib() -> None:
    share = math.log(72 / 64) / math.log(2)
    sram = cost("sram", bytes=144 * 1024, banks=2, line_bytes=32)
    assert sram.energy_pj["line_read"].value == pytest.approx(14.2646 * (23.0204 / 14.2646) ** share, rel=1e-12)
    assert sram.leakage_mw_each.value == pytest.approx(2 * 20.3418 * (41.4443 / 20.3418) ** share, rel=1e-12)


@given(st.integers(1024, 2 * 2**20), st.integers(4, 32))
def test_any_sram_lies_within_the_figures_of_its_neighbours(size: int, line: int) -> None:
    figures = TABLE.sram.sram[28.0, "itrs-lop"]["read_pj"]
    sizes = sorted({place[0] for place in figures})
    lines = sorted({place[1] for place in figures})
    around = [
        figures[a, b]
        for a in (max(s for s in sizes if s <= size), min(s for s in sizes if s >= size))
        for b in (max(n for n in lines if n <= line), min(n for n in lines if n >= line))
    ]
    value = cost("sram", bytes=size, line_bytes=line).energy_pj["line_read"].value
    assert min(around) * (1 - 1e-12) <= value <= max(around) * (1 + 1e-12)


@pytest.mark.parametrize(
    ("node", "size", "banks"), [(28, 4 * 2**20, 2), (90, 2**20, 2), (90, 2**20 + 1, 3), (65, 5 * 2**20, 3)]
)
def test_a_bank_above_the_table_names_the_bound_and_the_banks_that_help(node: float, size: int, banks: int) -> None:
    bound = "524288" if node == 90 else "2.09715e\\+06"
    with pytest.raises(CostError, match=f"allowed: 1024 to {bound} bytes per bank at {node} nm; set banks: {banks}"):
        cost("sram", node, bytes=size)
    cost("sram", node, bytes=size, banks=banks)


def test_too_many_banks_and_too_wide_lines_are_refused_with_a_way_out() -> None:
    with pytest.raises(CostError, match="set banks: 4"):
        cost("sram", bytes=4096, banks=8)
    with pytest.raises(CostError, match="allowed: 4 to 32 bytes"):
        cost("sram", bytes=4096, line_bytes=64)
    with pytest.raises(CostError, match="allowed: itrs-lop, itrs-lstp"):
        cost("sram", bytes=4096, cell="edram")


def test_an_sram_at_a_node_without_points_is_scaled_from_the_nearest() -> None:
    at_16 = cost("sram", 16, bytes=16384)
    factor = TABLE.scaling.factor("energy", 22, 16)
    assert at_16.energy_pj["line_read"].value == pytest.approx(
        TABLE.sram.sram[22.0, "itrs-lop"]["read_pj"][16384.0, 32.0] * factor.value
    )
    assert at_16.energy_pj["line_read"].constant.node_nm == 22
    assert "scaled 22 -> 16 nm" in at_16.energy_pj["line_read"].steps[-1]


def test_an_sram_between_two_nodes_lies_on_the_log_log_line_between_their_points() -> None:
    lstp = cost("sram", 28, bytes=16384, cell="itrs-lstp").energy_pj["line_read"]
    old, new = (TABLE.sram.sram[node, "itrs-lstp"]["read_pj"][16384.0, 32.0] for node in (32.0, 22.0))
    assert lstp.value == pytest.approx(old * (new / old) ** (math.log(28 / 32) / math.log(22 / 32)), rel=1e-12)
    assert any("points of 22 and 32 nm" in step for step in lstp.steps)
    with pytest.raises(CostError, match="1024 to 524288 bytes per bank at 65 and 90 nm"):
        cost("sram", 80, bytes=2**20)


def test_dynamic_energy_and_area_of_an_sram_never_fall_as_the_node_grows() -> None:
    sizes = {"bytes": 144 * 1024, "banks": 2}
    found = [cost("sram", node, **sizes) for node in range(22, 91)]
    for figures in ([c.energy_pj["line_read"].value for c in found], [c.area_um2_each.value for c in found]):
        assert figures == sorted(figures)


def test_no_price_jumps_from_one_node_to_the_next() -> None:
    for node in range(14, 90):
        one, two = (cost("sram", node + step, bytes=65536) for step in (0, 0.01))
        assert two.energy_pj["line_write"].value == pytest.approx(one.energy_pj["line_write"].value, rel=0.01)
        assert two.leakage_mw_each.value == pytest.approx(one.leakage_mw_each.value, rel=0.01)
        one, two = (cost("adder", node + step, bits=16) for step in (0, 0.01))
        assert two.leakage_mw_each.value == pytest.approx(one.leakage_mw_each.value, rel=0.01)


def test_dram_prices_bits_rows_and_background() -> None:
    dram = cost("dram", on_chip=False)
    assert dram.energy_pj["read_bit"].value == pytest.approx(672.785 / 32, rel=1e-5)
    assert dram.energy_pj["write_bit"].value == pytest.approx(672.794 / 32, rel=1e-5)
    assert dram.energy_pj["activate"].value == pytest.approx(1873 + 1802)
    assert dram.leakage_mw_each.value == pytest.approx(32 * 1.5 + (235 - 32) * 260 / 7800 * 1.5)
    assert dram.energy_pj["read_bit"].high == 2600 / 64
    assert dram.energy_pj["activate"].low == 2 * (55 * 48.75 - 38 * 35 - 32 * 13.75) * 1.5  # a row of 1 KiB, twice
    assert cost("dram", 65, on_chip=False).energy_pj["read_bit"].value == dram.energy_pj["read_bit"].value
    with pytest.raises(CostError, match=r"it\.on_chip: a dram is not on the chip"):
        cost("dram")


def test_a_dram_row_costs_by_its_bytes_and_every_device_has_background_power() -> None:
    for row in (64, 1024, 2048, 8192):
        activate = cost("dram", on_chip=False, row_bytes=row).energy_pj["activate"]
        assert activate.value == pytest.approx(3675 * row / 2048)
    two = cost("dram", on_chip=False, devices=2)
    assert two.leakage_mw_each.value == 2 * cost("dram", on_chip=False).leakage_mw_each.value
    assert two.energy_pj == cost("dram", on_chip=False).energy_pj
    assert "x 2 devices" in two.leakage_mw_each.steps[-1] and "x8" in two.leakage_mw_each.constant.note
    for unused in ("bytes", "bus_bits"):
        with pytest.raises(CostError, match="no such attribute"):
            cost("dram", on_chip=False, **{unused: 64})


def test_a_row_of_no_bytes_in_an_overlay_is_refused(tmp_path: Path) -> None:
    (tmp_path / "o.yaml").write_text("constants: {dram.row_bytes: {value: 0, source: nobody}}")
    table = load_costs(overlays=[str(tmp_path / "o.yaml")])
    with pytest.raises(CostError, match=r"dram\.row_bytes: must be above zero"):
        table.cost_of(Component("it", "dram", "DRAM", on_chip=False), 28)


@pytest.mark.parametrize(
    ("key", "primitive"),
    [("gates.clock", "adder"), ("gates.placement_utilisation", "adder"), ("sram.placement_utilisation", "sram")],
)
def test_nothing_is_divided_by_zero(key: str, primitive: str) -> None:
    sizes = {"bytes": 4096} if primitive == "sram" else {"bits": 8}
    table = load_costs(overrides=[f"cost.{key}=0"])
    with pytest.raises(CostError, match=f"{key}: must be above zero"):
        table.cost_of(Component("it", primitive, "compute", sizes), 28)


def test_a_fifo_shares_its_table_power_between_push_and_pop() -> None:
    fifo = cost("fifo", depth=4, bits=8)
    assert fifo.energy_pj["push"].value == pytest.approx(0.0443 / 400 * 1000 / 2)
    assert fifo.energy_pj["pop"].high == pytest.approx(0.0443 / 300 * 1000)
    between = cost("fifo", depth=3, bits=8).energy_pj["push"].value
    assert cost("fifo", depth=2, bits=8).energy_pj["push"].value < between < fifo.energy_pj["push"].value
    with pytest.raises(CostError, match=r"it\.depth: .*allowed: 2 to 8; a deeper queue"):
        cost("fifo", depth=16, bits=8)


def test_a_multiplexer_is_an_and_gate_times_the_library_ratio() -> None:
    mux = cost("mux", bits=8, inputs=4)
    assert mux.energy_pj["op"].value == pytest.approx(3 * 37.0 / 31.7 * 0.005875, rel=1e-4)
    assert mux.area_um2_each.value == pytest.approx(3 * 4.95 / 2.75 * 6.72 / 0.7, rel=1e-12)
    assert mux.leakage_mw_each.value == pytest.approx(3 * 1.73 / 1.16 * 0.00481e-3, rel=1e-4)


def test_a_fixed_shift_is_wiring_and_a_variable_one_is_stages_of_multiplexers() -> None:
    fixed = cost("shifter", bits=16)
    assert fixed.energy_pj["op"].value == fixed.leakage_mw_each.value == fixed.area_um2_each.value == 0
    assert "wiring" in fixed.energy_pj["op"].steps[0]
    stage = cost("mux", bits=16).energy_pj["op"].value
    for positions, stages in ((2, 1), (4, 2), (5, 3)):
        variable = cost("shifter", bits=16, positions=positions).energy_pj["op"].value
        assert variable == pytest.approx(stages * stage)


def test_unknown_primitives_and_attributes_name_the_nearest() -> None:
    with pytest.raises(CostError, match=r"it\.primitive: unknown primitive .*did you mean 'adder'"):
        cost("addr", bits=8)
    with pytest.raises(CostError) as caught:
        cost("sram", byts=4096)
    texts = [str(problem) for problem in caught.value.problems]
    assert any("it.byts" in text and "did you mean 'bytes'?" in text for text in texts)
    assert any(text.startswith("it.bytes: is missing") for text in texts)


@pytest.mark.parametrize("bits", [0, -8, "eight"])
def test_attributes_that_are_no_positive_whole_number_are_refused(bits: int | str) -> None:
    with pytest.raises(CostError, match=r"it\.bits"):
        cost("adder", bits=bits)


@given(st.integers(2, 31))
def test_more_bits_cost_more_in_every_way(bits: int) -> None:
    for primitive in ("adder", "comparator", "andgate", "multiplier", "register"):
        narrow, wide = cost(primitive, bits=bits), cost(primitive, bits=bits + 1)
        action = "write" if primitive == "register" else "op"
        assert narrow.energy_pj[action].value < wide.energy_pj[action].value
        assert narrow.leakage_mw_each.value < wide.leakage_mw_each.value
        assert narrow.area_um2_each.value < wide.area_um2_each.value


def test_every_primitive_prices_exactly_its_actions_with_ordered_ranges_and_sources() -> None:
    attributes: dict[str, dict[str, int | str]] = {
        "sram": {"bytes": 4096}, "registerfile": {"bytes": 64}, "fifo": {"depth": 4, "bits": 8}, "dram": {},
        "adc": {"bits": 6, "conversion_ns": 10}, "wordline_driver": {"rows": 64, "cols": 64}, "column_mux": {},
        "popcount": {"inputs": 64}, "link": {"bits": 32, "length_mm": 1}, "router": {"flit_bits": 32}, "edram": {},
        "htree": {"bits": 32, "leaves": 16, "side_um": 500},
        "crossbar_cells": {
            "rows": 64, "cols": 64, "read_v": 1, "pulse_ns": 4, "g_min_us": 5, "g_max_us": 50, "mean_us": 20,
            "program_pj": 1, "cell_f2": 4, "feature_nm": 40, "device": "a test",
        },
    }  # fmt: skip
    for name, primitive in PRIMITIVES.items():
        sized = attributes.get(name, {"bits": 32})
        priced = cost(name, 65, on_chip=name != "dram", **sized)
        assert tuple(priced.energy_pj) == primitive.actions
        for figure in (*priced.energy_pj.values(), priced.leakage_mw_each, priced.area_um2_each):
            assert figure.low <= figure.value <= figure.high
            assert figure.constant.source and figure.steps


def test_a_new_primitive_is_one_object_and_one_registration(table: CostTable) -> None:
    from archsim.cost import primitives
    from archsim.cost.records import Constant, Priced

    def estimate(request: primitives.Request) -> ComponentCost:
        def of(value: float, unit: str) -> Priced:
            return Priced.of(Constant(value * request.number("bits"), unit, 65, "a test"), "made up")

        return ComponentCost({"convert": of(2.0, "pJ")}, of(0.1, "mW"), of(300.0, "um2"), request.node_nm)

    laser = Primitive("laser", ("convert",), {"bits": primitives.Need("bits")}, estimate)
    primitives.register(laser)
    try:
        component = Component("laser", "laser", "compute", {"bits": 4})
        assert table.cost_of(component, 65).energy_pj["convert"].value == 8.0
        with pytest.raises(CostError, match="registered already"):
            primitives.register(laser)
    finally:
        del PRIMITIVES["laser"]

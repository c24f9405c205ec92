from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from archsim import load_architecture, load_workload
from archsim.cost.component import Component
from archsim.cost.explain import explain
from archsim.cost.overrides import with_overrides
from archsim.cost.pricing import Pricer, Prices, price, total_area_um2
from archsim.cost.records import Span
from archsim.cost.table import CostTable, load_costs
from archsim.cost.variation import vary
from archsim.errors import CostError
from archsim.run import execute_once

TABLE = load_costs()
ADDER = Component("pe_adder", "adder", "compute", {"bits": 16}, count=128)
BUFFER = Component("ifmap_buffer", "sram", "global buffer", {"bytes": 32768, "banks": 2, "line_bytes": 32})
DRAM = Component("dram", "dram", "DRAM", on_chip=False)
CHIP = (ADDER, BUFFER, DRAM)


@dataclass(frozen=True)
class Columns:
    component: NDArray[Any]
    action: NDArray[Any]
    count: NDArray[np.int64]


def counts(*rows: tuple[str, str, int]) -> Columns:
    columns = [[row[n] for row in rows] for n in range(3)]
    return Columns(
        np.array(columns[0], dtype=object), np.array(columns[1], dtype=object), np.array(columns[2], dtype=np.int64)
    )


LEDGER = counts(
    ("pe_adder", "op", 1000), ("ifmap_buffer", "line_read", 50), ("ifmap_buffer", "element_read", 1600),
    ("dram", "read_bit", 320), ("dram", "activate", 1), ("pe_adder", "op", 24),
)  # fmt: skip


def test_every_row_is_its_count_times_its_price() -> None:
    rows = price(LEDGER, CHIP, TABLE, 28, 1000.0).energy_pj
    assert rows == pytest.approx([91.75, 50 * 5.67242, 0.0, 320 * 21.0245, 3675.0, 24 * 0.09175], rel=1e-12)


def test_static_energy_is_milliwatts_times_nanoseconds_of_all_instances_and_banks() -> None:
    bills = price(LEDGER, CHIP, TABLE, 28, 2.5e6).bills
    assert bills["pe_adder"].static_pj.value == pytest.approx(0.035e-3 * 128 * 2.5e6)
    assert bills["ifmap_buffer"].static_pj.value == pytest.approx(2 * 5.49378 * 2.5e6)
    assert bills["dram"].static_pj.value == pytest.approx(58.15 * 2.5e6)


def test_bills_sum_to_the_rows_and_the_total() -> None:
    priced = price(LEDGER, CHIP, TABLE, 28, 1000.0)
    assert priced.dynamic_pj.value == pytest.approx(priced.energy_pj.sum())
    assert priced.dynamic_pj.low == pytest.approx(priced.low_pj.sum())
    assert priced.dynamic_pj.high == pytest.approx(priced.high_pj.sum())
    assert priced.bills["pe_adder"].dynamic_pj.value == pytest.approx(1024 * 0.09175)
    assert priced.total_pj.value == pytest.approx(priced.dynamic_pj.value + priced.static_pj.value)
    assert priced.bills["dram"].energy_pj.value == pytest.approx(320 * 21.0245 + 3675 + 58150)


def test_area_counts_on_chip_instances_only() -> None:
    priced = price(LEDGER, CHIP, TABLE, 28, 1000.0)
    assert priced.area_um2.value == pytest.approx(128 * 45.024 / 0.7 + 2 * 49543.064)
    assert priced.bills["dram"].area_um2 == Span(0, 0, 0)
    beside = price(counts(), (ADDER, replace(BUFFER, on_chip=False)), TABLE, 28, 1000.0)
    assert beside.area_um2.value == pytest.approx(128 * 45.024 / 0.7)
    assert beside.bills["ifmap_buffer"].area_um2 == Span(0, 0, 0)
    assert beside.bills["ifmap_buffer"].static_pj.value > 0


def test_on_chip_parts_at_two_nodes_have_no_common_area() -> None:
    costs = [(ADDER, TABLE.cost_of(ADDER, 28)), (BUFFER, TABLE.cost_of(BUFFER, 65)), (DRAM, TABLE.cost_of(DRAM, 65))]
    with pytest.raises(CostError, match="pe_adder: components of several nodes have no common area"):
        total_area_um2(costs)


def test_all_actions_without_a_price_and_unknown_components_are_named_at_once() -> None:
    wrong = counts(("pe_adder", "add", 1), ("ifmap_buffer", "line_red", 1), ("ifmap_bufer", "line_read", 1),
                   ("dram", "element_read", 5))  # fmt: skip
    with pytest.raises(CostError) as caught:
        price(wrong, CHIP, TABLE, 28, 1.0)
    texts = [str(problem) for problem in caught.value.problems]
    assert len(texts) == 3
    assert texts[0].startswith("pe_adder.add: this action has no price") and "allowed: op" in texts[0]
    assert "did you mean 'line_read'?" in texts[1]
    assert "did you mean 'ifmap_buffer'?" in texts[2]


def test_all_sizes_outside_a_table_are_named_at_once() -> None:
    chip = (replace(ADDER, attributes={"bits": 99}), replace(BUFFER, attributes={"bytes": 12}))
    with pytest.raises(CostError) as caught:
        price(counts(), chip, TABLE, 28, 1.0)
    assert [problem.key for problem in caught.value.problems] == ["pe_adder.bits", "ifmap_buffer.bytes"]


def test_two_components_of_one_name_are_refused() -> None:
    with pytest.raises(CostError, match="pe_adder: two components have this name"):
        price(counts(), (ADDER, ADDER), TABLE, 28, 1.0)


def test_an_empty_ledger_costs_leakage_only() -> None:
    priced = price(counts(), CHIP, TABLE, 28, 10.0)
    assert priced.dynamic_pj == Span(0, 0, 0) and priced.static_pj.value > 0 and len(priced.energy_pj) == 0


@given(st.lists(st.integers(0, 2**40), min_size=3, max_size=3), st.floats(0, 1e9))
def test_energy_is_linear_in_counts_and_time_and_the_range_holds_it(amounts: list[int], latency_ns: float) -> None:
    ledger = counts(("pe_adder", "op", amounts[0]), ("dram", "write_bit", amounts[1]),
                    ("ifmap_buffer", "line_write", amounts[2]))  # fmt: skip
    once, twice = (price(replace(ledger, count=ledger.count * n), CHIP, TABLE, 28, n * latency_ns) for n in (1, 2))
    assert twice.total_pj.value == pytest.approx(2 * once.total_pj.value, rel=1e-12)
    assert once.total_pj.low <= once.total_pj.value <= once.total_pj.high
    assert (once.low_pj <= once.energy_pj).all() and (once.energy_pj <= once.high_pj).all()


def test_one_bar_per_constant_that_moves_the_total_widest_first() -> None:
    rows = vary(LEDGER, CHIP, TABLE, 28, 1000.0)
    assert [row.swing_pj for row in rows] == sorted((row.swing_pj for row in rows), reverse=True)
    by_key = {row.key: row for row in rows}
    nominal = price(LEDGER, CHIP, TABLE, 28, 1000.0).total_pj
    assert all(row.nominal_pj == nominal.value for row in rows)
    assert by_key["dram.read_bit"].at_high_pj - nominal.value == pytest.approx(320 * (40.625 - 21.0245))
    assert by_key["dram.background"].at_low_pj - nominal.value == pytest.approx(1000 * (30 - 58.15))
    assert by_key["gates.clock"].at_low_pj > nominal.value
    assert set(by_key) == {"dram.background", "dram.read_bit", "dram.activate", "sram.read_factor",
                           "sram.leakage_factor", "gates.clock"}  # fmt: skip


def test_single_swings_add_up_to_the_whole_range_where_no_two_constants_multiply() -> None:
    rows = vary(LEDGER, CHIP, TABLE, 28, 1000.0)
    total = price(LEDGER, CHIP, TABLE, 28, 1000.0).total_pj
    assert sum(max(row.at_low_pj, row.at_high_pj) - row.nominal_pj for row in rows) == pytest.approx(
        total.high - total.value
    )
    assert sum(row.nominal_pj - min(row.at_low_pj, row.at_high_pj) for row in rows) == pytest.approx(
        total.value - total.low
    )


def test_at_another_node_the_scaling_is_a_bar_of_its_own() -> None:
    keys = {row.key: row for row in vary(LEDGER, CHIP, TABLE, 65, 1000.0)}
    energy = TABLE.scaling.factor("energy", 28, 65)
    assert keys["scaling.energy"].at_low_pj - keys["scaling.energy"].nominal_pj == pytest.approx(
        1024 * 0.09175 * (energy.low - energy.value)
    )
    assert "scaling.leakage" in keys


def test_an_explanation_shows_count_price_constant_source_and_every_step() -> None:
    lines = explain(ADDER, "op", TABLE, 65, count=2000)
    assert lines[0] == "pe_adder.op: adder (bits 16), 128 instances, 65 nm"
    factor = TABLE.scaling.factor("energy", 28, 65).value
    assert lines[1].startswith(f"price: {0.09175 * factor:.6g} pJ (from ")
    assert lines[2].startswith(f"count: 2,000 -> {2000 * 0.09175 * factor:.6g} pJ")
    text = "\n".join(lines)
    assert "constant: 0.0367 mW, 28 nm" in text
    assert "source: SATA_Sim inference-energy-cal/hw_kernels.py" in text
    assert "step: adder dynamic at 16 bits: 0.0367 mW in the table" in text
    assert "gates.clock 400 MHz (300..400), SATA_Sim" in text
    assert "energy scaled 28 -> 65 nm: x " in text and "Stillmaker" in text


def test_an_explanation_names_the_neighbours_of_an_interpolated_sram() -> None:
    weights = Component("weights", "sram", "global buffer", {"bytes": 147456, "banks": 2})
    text = "\n".join(explain(weights, "line_read", TABLE, 28))
    assert "read of a bank of 73728 bytes with 32-byte lines, itrs-lop, 28 nm" in text
    assert "log-log between bytes per bank 65536 .. 131072" in text
    assert "one line of 32 bytes in one bank" in text
    assert "x 2 banks" in "\n".join(explain(weights, "leakage", TABLE, 28))


def test_an_explanation_lists_the_other_sources() -> None:
    text = "\n".join(explain(DRAM, "read_bit", TABLE, 28))
    assert "another source: 12.45 pJ/bit, Prosperity" in text and "does not scale" in text


def test_unpriced_and_unknown_actions_are_explained_too() -> None:
    assert "no price" in explain(BUFFER, "element_read", TABLE, 28)[0]
    with pytest.raises(CostError, match="did you mean 'line_read'"):
        explain(BUFFER, "lineread", TABLE, 28)


def test_a_changed_constant_changes_only_what_depends_on_it(table: CostTable) -> None:
    slow = table.with_constant("gates.clock", 200)
    assert slow.cost_of(ADDER, 28).energy_pj["op"].value == pytest.approx(2 * 0.09175)
    assert slow.cost_of(BUFFER, 28) == table.cost_of(BUFFER, 28)
    assert slow.hash != table.hash


@pytest.fixture(scope="module")
def executed_chips():
    """Real ledgers and parts, floorplanned wires among them."""
    found = [
        execute_once(load_architecture(arch), load_workload("cnn-mnist"), 0, "fast") for arch in ("sata", "spikeflow")
    ]
    return [(one.execution.ledger, one.lowered.components) for one in found]


def test_priced_again_is_priced_as_if_for_the_first_time(executed_chips):
    tables = [TABLE, replace(TABLE, scaling=TABLE.scaling.pin("energy", "low")), load_costs()]
    for key, constant in TABLE.constants.items():
        tables += [with_overrides(tables[len(tables) % 3], [f"cost.{key}={constant.value * 3}"]), TABLE]
    for ledger, components in executed_chips:
        again = Pricer(ledger, components, 1e5)
        for at, table in enumerate(tables):
            for node_nm in (28, 65, 37.5)[: 1 if at % 9 else 3]:
                assert _bills(again.price, table, node_nm) == _bills(
                    Pricer(ledger, components, 1e5).price, table, node_nm
                )


def _bills(of: Callable[[CostTable, float], Prices], table: CostTable, node_nm: float) -> Any:
    try:
        prices = of(table, node_nm)
    except CostError as refused:
        return refused.problems
    return prices.bills, prices.energy_pj.tolist()

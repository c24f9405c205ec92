"""What a run at another node says of its prices."""

from __future__ import annotations

from archsim.cost.component import Component
from archsim.cost.notes import node_notes
from archsim.cost.table import CostTable

ADDER = Component("adder", "adder", "compute", {"bits": 16})
BUFFER = Component("buffer", "sram", "global buffer", {"bytes": 32768})
DRAM = Component("dram", "dram", "DRAM", on_chip=False)
CHIP = (ADDER, BUFFER, DRAM)


def test_nothing_is_said_at_the_node_that_the_table_is_made_for(table: CostTable) -> None:
    assert node_notes(CHIP, table, 28) == ()


def test_another_node_says_what_was_scaled_and_how_banks_leak_over_the_nodes(table: CostTable) -> None:
    logic, sram = node_notes(CHIP, table, 45)
    assert logic.startswith("logic and registers at 45 nm are scaled from 28 nm: energy x 2.")
    assert "itrs-lop points of 45 nm (CACTI 7)" in sram
    leaks = {node: points["leakage_mw"][65536.0, 32.0] for (node, cell), points in table.sram.sram.items()
             if cell == "itrs-lop"}  # fmt: skip
    assert "1 at 45" in sram and min(leaks, key=leaks.__getitem__) == 45
    assert f"{leaks[90] / leaks[45]:.0f} at 90" in sram


def test_a_node_between_two_and_one_outside_all(table: CostTable) -> None:
    assert "interpolated between itrs-lop points of 45 and 65 nm" in node_notes(CHIP, table, 55)[1]
    assert "itrs-lop points of 22 nm scaled like logic" in node_notes(CHIP, table, 7)[1]
    assert node_notes((DRAM,), table, 7) == ()
    lstp = Component("buffer", "sram", "global buffer", {"bytes": 32768, "cell": "itrs-lstp"})
    assert "itrs-lstp points of 22 and 32 nm" in node_notes((ADDER, lstp), table, 28)[0]


def test_parts_with_a_node_of_their_own_are_named_when_it_is_another(table: CostTable) -> None:
    adc = Component("adc", "adc", "compute", {"bits": 6, "conversion_ns": 10.0})
    mux, router = Component("mux", "column_mux", "compute"), Component("router", "router", "compute", {"flit_bits": 32})
    assert node_notes((adc, mux), table, 65) == ()
    (note,) = node_notes((adc, mux, router), table, 28)
    assert note == (
        "scaled to 28 nm like logic, for want of a law of their own: router from 32 nm; column_mux from 65 nm"
    )
    assert "adc, router from 32 nm" not in node_notes((adc, router), table, 7)[0]
    assert "adc from 16 nm; router from 32 nm" in node_notes((adc, router), table, 7)[0]

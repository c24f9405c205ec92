"""The roofline by hand: operations per byte, what memories allow, and the roof."""

from __future__ import annotations

import pytest

from archsim.analysis.roofline import roofline
from archsim.cost.component import Component
from archsim.engine import execute
from archsim.taskgraph import GraphBuilder

PARTS = [
    Component("dram", "dram", "DRAM", {"devices": 2}, on_chip=False),
    Component("buffer", "sram", "global buffer", {"bytes": 1024, "line_bytes": 4, "banks": 2}),
    Component("pad", "registerfile", "scratchpad", {"bits": 8, "bytes": 16}, 3),
    Component("adder", "adder", "compute", {"bits": 8}, 4),
    Component("unused", "sram", "global buffer", {"bytes": 64, "line_bytes": 4}),
]


def executed():
    """800 bits from DRAM in 100 cycles, then 40 operations in 10 cycles, twice; nothing overlaps."""
    builder = GraphBuilder(["layer"], 1)
    load = builder.block(2, layer=0, unit=builder.unit("dram", "fifo"), duration=100)
    work = builder.block(2, layer=0, unit=builder.unit("array"), duration=10)
    builder.edge(work, load.ids[-1])
    builder.count("dram", "read_bit", load, 800)
    builder.count("dram", "activate", load, 1)
    builder.count("adder", "sop", work, 40)
    builder.count("adder", "op", work, 70)
    builder.count("buffer", "line_write", load, 25)
    builder.count("buffer", "line_read", work, 5)
    builder.count("buffer", "element_read", work, 77)
    builder.count("pad", "read", work, 100)
    return execute(builder.build())


def test_by_hand_at_1_mhz():
    found = roofline(executed(), PARTS, 1.0)
    assert found.operations == 80
    assert found.stage == "array" and found.roof_per_s == pytest.approx(80 / 20 * 1e6)
    assert found.achieved_per_s == pytest.approx(80 / 220 * 1e6)
    memories = {one.component: one for one in found.memories}
    assert set(memories) == {"dram", "buffer", "pad"} and found.memories[0].component == "dram"
    dram, buffer, pad = memories["dram"], memories["buffer"], memories["pad"]
    assert (dram.bytes_moved, dram.intensity, dram.bytes_per_s) == (200, 0.4, pytest.approx(1e6))
    assert dram.attainable_per_s == pytest.approx(0.4e6) and dram.memory_bound
    assert (buffer.bytes_moved, buffer.bytes_per_s) == (60 * 4, pytest.approx(8e6 * 60 / 50))
    assert buffer.attainable_per_s == pytest.approx(80 / 200 * 8e6) and buffer.memory_bound
    assert (pad.bytes_moved, pad.bytes_per_s) == (200, pytest.approx(3e6)) and pad.intensity == 0.4


def test_the_roof_is_made_by_the_stage_that_works_most():
    """40 operations are read in 10 cycles and converted in 25, twice; the converters never wait, but for the first."""
    builder = GraphBuilder(["layer"], 1)
    read = builder.block(2, layer=0, unit=builder.unit("read"), duration=10)
    convert = builder.block(2, layer=0, unit=builder.unit("adc"), duration=25)
    builder.edge(convert, read.ids)
    builder.count("cells", "sop", read, 40)
    found = roofline(execute(builder.build()), PARTS, 1.0)
    assert found.stage == "adc" and found.roof_per_s == pytest.approx(80 / 50 * 1e6)
    assert found.achieved_per_s == pytest.approx(80 / 60 * 1e6)


def test_nothing_moves_and_nothing_computes():
    found = roofline(execute(GraphBuilder(["layer"], 1).build()), PARTS, 1.0)
    assert (found.operations, found.achieved_per_s, found.memories) == (0, 0.0, ())
    assert (found.roof_per_s, found.stage) == (0.0, "")

"""A dilated window on a 2 x 2 array, by hand: a column of 5 values, two taps two apart, so that 3 windows overlap.

    p0: x0 k0, x2 k1        p1: x1 k0, x3 k1        p2: x2 k0, x4 k1

Two filters, two timesteps. A fold has two positions: p0 and p1, then p2 alone.
"""

from __future__ import annotations

from typing import Any

import pytest
from drawn import Done, chip, run, workload

COLUMN = [[1, 0, 1, 0, 0], [0, 1, 0, 0, 1]]  # at t = 0: x0 and x2; at t = 1: x1 and x4
BYTES = {"size": "64 KiB", "line": 1, "banks": 2}


def on_column(largest: int = 1, **more: Any) -> Done:
    values = [[[[x * largest] for x in column]] for column in COLUMN]
    described = {
        "name": "dilated",
        "timesteps": 2,
        "input": {"shape": [1, 5, 1], "encoding": "events", "max_spikes": largest},
        "layers": [{"name": "conv", "type": "conv2d", "out_channels": 2, "kernel": [2, 1], "dilation": [2, 1]}],
    }
    buffers = {"ifmap": BYTES, "weight": BYTES, "ofmap": BYTES, "membrane": BYTES, "port_limited": False}
    return run(chip(buffers=buffers, **more), workload(described, {"input": values}))


def test_taps_that_are_two_apart() -> None:
    """Products: p0 has both taps at t = 0, p2 the first; at t = 1 p1 has the first and p2 the second: 3 and 2."""
    done = on_column(sparsity="gate")
    assert [done.count("pe_adder", "op", t) for t in (0, 1)] == [2 * 3, 2 * 2]
    assert done.durations("array") == [2 + 2] * 4


def test_the_union_of_dilated_windows() -> None:
    """Folds stream {k0, k1} and {k0} at t = 0, {k0} and {k1} at t = 1; each lasts two cycles more."""
    assert on_column(sparsity={"skip": "union"}).durations("array") == [4, 3, 3, 3]


@pytest.mark.parametrize(("largest", "bits"), [(1, 1), (300, 9)])
def test_the_band_of_rows_that_windows_span_is_loaded_in_the_width_of_the_events(largest: int, bits: int) -> None:
    """p0 and p1 span rows 0 to 3, p2 rows 2 to 4, of which row 4 is new: 5 values a timestep, beside 4 weights."""
    done = on_column(largest)
    assert done.count("dram", "read_bit") == 2 * 5 * bits + 4 * 8
    assert done.durations("array") == [2 * bits + 2] * 4  # bit plane by bit plane
    assert done.count("pe_adder", "sop") == 2 * 5


@pytest.mark.parametrize(("channels", "lines"), [(2, 1), (12, 4), (20, 6)])
def test_lines_of_taps_side_by_side(channels: int, lines: int) -> None:
    """A row of a window: a line of 8 bits for each 8 of its 3 places, or two times one for each 8 of a place's."""
    described = {
        "name": "dilated",
        "timesteps": 1,
        "input": {"shape": [channels, 1, 5], "encoding": "events"},
        "layers": [{"name": "conv", "type": "conv2d", "out_channels": 2, "kernel": [1, 2], "dilation": [1, 2]}],
    }
    buffers = {"ifmap": BYTES, "weight": BYTES, "ofmap": BYTES, "membrane": BYTES, "port_limited": False}
    done = run(chip(buffers=buffers), workload(described))
    assert done.count("ifmap_buffer", "line_read") == 3 * lines

"""Events of crossbars against a direct count, crossbar by crossbar, over the spike maps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.accelerators.crossbar.mapping import Hierarchy, Placement, place
from archsim.accelerators.crossbar.reads import Converters, Reads, adc_bits, reads
from archsim.workload import Layer

SHARING = [("crossbar", False), ("pe", False), ("pe", True)]


def conv(channels: int, filters: int, kernel: int, size: int, **more: Any) -> Layer:
    stride, padding = more.pop("stride", (1, 1)), more.pop("padding", (0, 0))
    out = tuple((size + 2 * padding[i] - kernel) // stride[i] + 1 for i in (0, 1))
    return Layer(
        index=0, name="conv", kind="conv2d", sources=("input",), in_shape=(channels, size, size),
        out_shape=(filters, *out), in_bits=more.pop("in_bits", 1), out_bits=1, in_max=1, out_max=1,
        weight_bits=more.pop("weight_bits", 4), kernel=(kernel, kernel), stride=stride, padding=padding, **more,
    )  # fmt: skip


def counted(values: np.ndarray[Any, Any], placed: Placement, converters: Converters) -> dict[str, Any]:
    """One crossbar, position, plane and timestep at a time."""
    layer, size = placed.layer, values.shape[2]
    height, width = layer.out_shape[1:]
    per_group, kernel = values.shape[1] // layer.groups, layer.kernel[0]
    shape = (len(values), height * width)
    found: dict[str, Any] = {name: np.zeros(shape, int) for name in ("rows", "cells", "adc", "read")}
    most = 0
    for t in range(len(values)):
        for p in range(height * width):
            for plane in range(layer.in_bits):
                seen: dict[tuple[int, ...], list[int]] = {}
                each = converters.rows_at_once
                pieces = [
                    (x, number, placed.first[x] + placed.step * np.arange(number * each, placed.rows[x])[:each])
                    for x in np.flatnonzero(placed.replica == 0) for number in range(-(-int(placed.rows[x]) // each))
                ]  # fmt: skip
                for x, number, rows in pieces:
                    active = 0
                    for k in rows:
                        channel, tap = divmod(int(k), kernel * kernel)
                        y = p // width * layer.stride[0] + tap // kernel - layer.padding[0]
                        z = p % width * layer.stride[1] + tap % kernel - layer.padding[1]
                        if 0 <= y < size and 0 <= z < size:
                            value = int(values[t, placed.group[x] * per_group + channel, y, z])
                            active += value >> plane & 1
                    columns = int(placed.outputs[x]) * placed.cells.columns + placed.cells.reference_columns
                    found["rows"][t, p] += active
                    found["cells"][t, p] += active * columns
                    found["read"][t, p] += active > 0
                    apart = int(placed.pe[x]) if converters.analog_sum else int(x)
                    group = (int(placed.column[x]), apart, int(placed.sign[x]), number)
                    seen.setdefault(group, [0, columns])[0] += active
                for active, columns in seen.values():
                    most = max(most, active)
                    if active or not converters.skip_silent:
                        found["adc"][t, p] += columns
    return {**found, "most": most}


def as_counted(done: Reads) -> dict[str, Any]:
    return {
        "rows": done.rows_driven, "cells": done.cells_read, "adc": done.conversions, "read": done.crossbars_read,
        "most": done.most_active_rows,
    }  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_events_equal_a_direct_count(data: st.DataObject) -> None:
    draw = data.draw
    groups, kernel, bits = draw(st.sampled_from([1, 2])), draw(st.integers(1, 3)), draw(st.sampled_from([1, 1, 3]))
    stride, padding = draw(st.integers(1, 2)), draw(st.integers(0, kernel // 2))
    channels, filters = groups * draw(st.integers(1, 5)), groups * draw(st.integers(1, 4))
    more = {"groups": groups, "in_bits": bits, "stride": (stride,) * 2, "padding": (padding,) * 2}
    layer = conv(channels, filters, kernel, 4, **more)
    share, analog_sum = draw(st.sampled_from(SHARING))
    at_once = draw(st.sampled_from([65536, 1, 2, 4]))
    converters = Converters(share, analog_sum, draw(st.booleans()), rows_at_once=at_once)  # type: ignore[arg-type]
    chip = Hierarchy(
        rows=draw(st.integers(1, 6)), cols=draw(st.integers(8, 12)), cell_bits=draw(st.sampled_from([2, 4])),
        signed=draw(st.sampled_from(["differential", "diff", "offset"])),
        crossbars_per_pe=draw(st.integers(2, 9)), pes_per_tile=2, unroll=draw(st.sampled_from(["kernel", "flat"])),
    )  # fmt: skip
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    values = rng.integers(0, 2**bits, (2, channels, 4, 4)) * (rng.random((2, channels, 4, 4)) < 0.4)
    (placed,) = place([layer], chip)
    expected = counted(values, placed, converters)
    for name, count in as_counted(reads(values, placed, converters)).items():
        assert np.array_equal(count, expected[name]), name


@pytest.mark.parametrize(("share", "analog_sum"), SHARING)
def test_spikes_of_equal_density_convert_less_where_they_cluster(share: Any, analog_sum: bool) -> None:
    """8 spikes: all in one channel block, or one in each of 8 blocks of 2 rows."""
    (placed,) = place(
        [conv(16, 2, 1, 1)],
        Hierarchy(rows=2, cols=4, cell_bits=4, signed="differential", crossbars_per_pe=2, pes_per_tile=8),
    )
    spread = np.tile(np.array([1, 0], np.uint8), 8).reshape(1, 16, 1, 1)
    clustered = np.repeat(np.array([1, 0], np.uint8), 8).reshape(1, 16, 1, 1)
    converted = [
        int(reads(map_, placed, Converters(share, analog_sum, True)).conversions.sum()) for map_ in (spread, clustered)
    ]
    assert converted == ([16, 8] if analog_sum else [32, 16])
    dense = reads(clustered, placed, Converters(share, analog_sum, False))
    assert int(dense.conversions.sum()) == converted[0]
    assert int(dense.rows_driven.sum()) == 8 and int(dense.cells_read.sum()) == 8 * 4


def test_silence_costs_nothing_when_skipped() -> None:
    (placed,) = place(
        [conv(4, 3, 3, 5, padding=(1, 1))],
        Hierarchy(rows=4, cols=8, cell_bits=4, signed="offset", crossbars_per_pe=9, pes_per_tile=1),
    )
    silent = reads(np.zeros((3, 4, 5, 5), np.uint8), placed, Converters("pe", True, True))
    assert all(int(np.sum(count)) == 0 for count in as_counted(silent).values())


def test_bits_of_an_exact_conversion() -> None:
    assert [adc_bits(rows, levels) for rows, levels in ((0, 2), (1, 2), (3, 2), (4, 2), (64, 2), (64, 16))] == [
        1, 1, 2, 3, 7, 10,
    ]  # fmt: skip

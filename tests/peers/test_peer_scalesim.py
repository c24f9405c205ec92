"""SCALE-Sim's reports, and its buffers against a literal emulation."""

from __future__ import annotations

import peer_emulator as literal
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from peer_reference import document, table

from archsim.errors import UnsupportedError
from archsim.peers import demand, scalesim
from archsim.peers.layers import PeerLayer, gemm_layer
from archsim.peers.scalesim import ScaleSimConfig

COLUMNS = {
    "total_cycles": "total_cycles",
    "mapping_eff": "mapping_efficiency",
    "overall_util": "overall_utilisation",
    "compute_util": "compute_utilisation",
    "SRAM_IFMAP_Reads": "sram_ifmap_reads",
    "SRAM_Filter_Reads": "sram_filter_reads",
    "SRAM_OFMAP_Writes": "sram_ofmap_writes",
    "DRAM_IFMAP_Reads": "dram_ifmap_reads",
    "DRAM_Filter_Reads": "dram_filter_reads",
    "DRAM_OFMAP_Writes": "dram_ofmap_writes",
}


def reported_layer(row: dict[str, str]) -> PeerLayer:
    shapes = document("scalesim_topologies.json")["layers"].get(row["topology"])
    if shapes is None:
        return gemm_layer(row["layer"], int(row["P"]), int(row["K"]), int(row["F"]))
    return PeerLayer(row["layer"], *shapes[row["layer"]])


def test_every_reported_row_is_reproduced() -> None:
    rows = table("scalesim_calc.csv")
    assert len(rows) == 109
    for row in rows:
        array_rows, array_cols = map(int, row["array"].split("x"))
        layer = reported_layer(row)
        assert (layer.positions, layer.reduction, layer.filters) == (int(row["P"]), int(row["K"]), int(row["F"]))
        got = scalesim.answer([layer], ScaleSimConfig(array_rows, array_cols, row["dataflow"])).layers[0]  # type: ignore[arg-type]
        for column, attribute in COLUMNS.items():
            exact = not column.endswith(("eff", "util"))
            expected = float(row[column]) if exact else pytest.approx(float(row[column]), rel=1e-12)
            assert getattr(got, attribute) == expected, (row["topology"], row["layer"], row["dataflow"], column)
        assert got.cycles == got.total_cycles + 1


layers = st.builds(
    lambda height, width, kernel_h, kernel_w, channels, filters, stride: PeerLayer(
        "layer", max(height, kernel_h), max(width, kernel_w), kernel_h, kernel_w, channels, filters, stride
    ),
    st.integers(2, 9),
    st.integers(2, 9),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 24),
    st.integers(1, 12),
    st.integers(1, 3),
)


@settings(max_examples=120, deadline=None)
@given(
    layers,
    st.integers(1, 9),
    st.integers(1, 9),
    st.sampled_from(["os", "ws", "is"]),
    st.sampled_from([1024, 1500, 2048]),
)
def test_equals_the_emulated_array(layer: PeerLayer, rows: int, cols: int, dataflow: str, size: int) -> None:
    asked = literal.demands(layer, rows, cols, dataflow)
    config = ScaleSimConfig(rows, cols, dataflow, size, size, size)  # type: ignore[arg-type]
    got = scalesim.answer([layer], config).layers[0]
    kept = scalesim.whole_kib(size)
    assert got.cycles == len(asked.ifmap) == len(asked.filters) == len(asked.ofmap)
    assert got.sram_filter_reads == literal.requests(asked.filters)
    assert got.sram_ifmap_reads >= literal.requests(asked.ifmap)  # the peer counts the overhanging ones as well
    assert got.dram_ifmap_reads == literal.read_buffer(asked.ifmap, kept)
    assert got.dram_filter_reads == literal.read_buffer(asked.filters, kept)
    assert got.dram_ofmap_writes == literal.write_buffer(asked.ofmap, cols, kept)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=120), st.integers(1, 4), st.integers(1, 40))
def test_flushing_reads_of_any_stream(stream: list[int], repeats: int, words: int) -> None:
    held: set[int] = set()
    reads = 0
    for address in stream * repeats:
        if address not in held:
            held.add(address)
            reads += 1
            if len(held) == words:
                held.clear()
    import numpy as np

    assert demand.flushing_reads(np.array(stream, dtype=np.int32), repeats, words) == reads


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=6), st.integers(1, 4), st.integers(1, 70))
def test_repeated_tiles_are_a_stream_of_distinct_words(tiles: list[int], repeats: int, words: int) -> None:
    held: set[tuple[int, int]] = set()
    reads = 0
    for number, tile in enumerate(tiles):
        for _ in range(repeats):
            for word in range(tile):
                if (number, word) not in held:
                    held.add((number, word))
                    reads += 1
                    if len(held) == words:
                        held.clear()
    assert demand.repeated_tile_reads(tuple(tiles), repeats, words) == reads


@pytest.mark.parametrize("dataflow", ["os", "ws", "is"])
def test_equals_the_emulated_array_when_buffers_flush_and_drain(dataflow: str) -> None:
    layer = PeerLayer("layer", 9, 8, 3, 2, 20, 11, 2)
    asked = literal.demands(layer, 5, 3, dataflow)
    got = scalesim.answer([layer], ScaleSimConfig(5, 3, dataflow, 1024, 1024, 1024)).layers[0]  # type: ignore[arg-type]
    assert (got.dram_ifmap_reads, got.dram_filter_reads, got.dram_ofmap_writes) == (
        literal.read_buffer(asked.ifmap, 1024),
        literal.read_buffer(asked.filters, 1024),
        literal.write_buffer(asked.ofmap, 3, 1024),
    )
    assert got.dram_ifmap_reads > 9 * 8 * 20 or dataflow == "is"


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 3000), st.integers(1, 12), st.integers(20, 400))
def test_drained_writes_of_full_lines(words: int, line_words: int, size: int) -> None:
    flat = list(range(words))
    lines = [flat[first : first + line_words] for first in range(0, words, line_words)]
    spaced = [line for busy in lines for line in (busy, *[[]] * 3)]
    assert demand.drained_writes(words, line_words, size) == literal.write_buffer(spaced, line_words, size)


def test_hand_computed_two_by_two() -> None:
    """4 positions, K = 3, 3 filters on 2 x 2: 2 x 2 folds of 3 + 2 + 2 - 2 = 5 cycles, columns 3/4 used."""
    got = scalesim.answer([gemm_layer("g", 4, 3, 3)], ScaleSimConfig(2, 2)).layers[0]
    assert got.total_cycles == 19
    assert got.mapping_efficiency == 75.0
    assert (got.sram_ifmap_reads, got.sram_filter_reads) == (4 * 3 * 2, 3 * 3 * 2)
    assert got.sram_ofmap_writes == 12 + 4 * (2 + 2)
    assert (got.dram_ifmap_reads, got.dram_filter_reads, got.dram_ofmap_writes) == (12, 9, 12)


def test_refusals_name_everything() -> None:
    with pytest.raises(UnsupportedError) as caught:
        ScaleSimConfig(0, 0, "rs", 10, 10, 10)  # type: ignore[arg-type]
    assert len(caught.value.problems) == 6
    small = [PeerLayer("a", 2, 2, 3, 3, 1, 1), PeerLayer("b", 9, 2, 3, 3, 1, 1), PeerLayer("c", 3, 3, 3, 3, 1, 1)]
    with pytest.raises(UnsupportedError) as caught:
        scalesim.answer(small, ScaleSimConfig(2, 2))
    assert ["'a'" in str(caught.value), "'b'" in str(caught.value), "'c'" in str(caught.value)] == [True, True, False]


def test_limits_are_stated_once() -> None:
    padded = PeerLayer("conv", 4, 4, 3, 3, 1, 1, 1, "conv", (1, 1), ("written as two",))
    limits = scalesim.answer([padded, padded], ScaleSimConfig(2, 2)).limits
    assert limits[len(scalesim.LIMITS) :] == (
        "written as two",
        "padding is ignored in cycles and accesses: conv, conv",
    )

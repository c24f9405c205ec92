"""Flits and hops by hand for a layer that spans two tiles, and against a count spike by spike."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_reads import conv

from archsim.accelerators.crossbar.delivery import Delivery, reading_of
from archsim.accelerators.crossbar.links import LinkLoads
from archsim.accelerators.crossbar.mapping import Hierarchy, Placement, place
from archsim.accelerators.crossbar.noc import (
    Mesh,
    Packets,
    input_rows,
    partial_sums,
    reading_tiles,
    replica_rows,
)

CHIP = Hierarchy(rows=2, cols=4, cell_bits=4, signed="differential", crossbars_per_pe=1, pes_per_tile=2)


def spike_traffic(values: Any, sources: list[int], reader: Placement, mesh: Mesh, **how: Any) -> list[Any]:
    """Packets, flits and flits times links of each timestep."""
    source = np.repeat(np.array(sources)[:, None], values.shape[2], axis=1)
    sent = Delivery(values != 0, reader.layer.in_bits, source, reading_of(reader), mesh, Packets(**how))
    return [column.sum(axis=(1, 2)) for column in sent.traffic[:3]]


def test_routes_go_along_x_then_y() -> None:
    mesh = Mesh(7)  # three in a row
    assert mesh.width == 3 and [Mesh(n).width for n in (1, 2, 4, 5, 9, 10)] == [1, 2, 2, 3, 3, 4]
    assert mesh.route(0, 5) == [(0, 0, 0, 1), (0, 1, 0, 2), (0, 2, 1, 2)]
    assert [mesh.hops(3, tile) for tile in range(7)] == [1, 2, 3, 0, 1, 2, 1]
    assert mesh.passed(0, [2, 5], multicast=False) == 5 and mesh.passed(0, [2, 5], multicast=True) == 3
    assert [Mesh(n).links for n in (1, 2, 4, 5, 7)] == [0, 2, 8, 14, 24]
    assert [Mesh(n).routers for n in (1, 2, 4, 5, 7)] == [1, 2, 4, 6, 9]


@given(source=st.integers(0, 22), targets=st.sets(st.integers(0, 22)))
def test_links_passed_are_those_of_the_routes(source: int, targets: set[int]) -> None:
    mesh = Mesh(23)
    routes = [mesh.route(source, target) for target in sorted(targets)]
    assert mesh.passed(source, sorted(targets), multicast=True) == len({link for route in routes for link in route})
    assert mesh.passed(source, sorted(targets), multicast=False) == sum(map(len, routes))
    assert [mesh.hops(source, target) for target in sorted(targets)] == [len(route) for route in routes]


def test_a_layer_that_spans_two_tiles() -> None:
    """6 channels in blocks of 2 rows and 2 filters: three crossbars, one in each PE, two PEs in a tile: tiles 0 and 1.

    Its sums (2 outputs) go from tile 1 to tile 0. Channels 0-3 are read in tile 0, channels 4-5 in tile 1.
    """
    (placed,) = place([conv(6, 2, 1, 2)], CHIP)
    assert placed.tile.tolist() == [0, 0, 1] and placed.home.tolist() == [[0, 0]]
    assert partial_sums(placed) == [(0, 0, 1, 0, 2, 2, 2)]
    assert reading_tiles(placed) == [[(0, 2, (0,)), (2, 4, (0,)), (4, 6, (1,))]]
    values = np.zeros((2, 6, 2, 2), np.uint8)
    values[0, [0, 3, 4, 5], 0, 0] = 1  # t = 0: two spikes to tile 0, two to tile 1, at one position
    values[1, 5, 1, 1] = 1
    mesh, sources = Mesh(4), [2] * 6  # all from tile 2, below tile 0
    sent = spike_traffic(values, sources, placed, mesh, flit_bits=2, multicast=False, bitmap=False)
    # an address of 24 elements has 5 bits, 3 flits; tile 2 to 0 is one hop, to 1 two hops
    assert [column.tolist() for column in sent] == [[4, 1], [12, 3], [2 * 3 + 2 * 3 * 2, 3 * 2]]
    sent = spike_traffic(values, sources, placed, mesh, flit_bits=2, multicast=False, bitmap=True)
    # maps of 4 channels (2 flits) and of 2 channels (1 flit)
    assert [column.tolist() for column in sent] == [[2, 1], [2 + 1, 1], [2 + 1 * 2, 1 * 2]]


def test_multicast_passes_shared_links_once() -> None:
    """8 filters in blocks of 2: four columns, each in a PE of its own, two in a tile: every channel is read in both."""
    (placed,) = place([conv(2, 8, 1, 1)], CHIP)
    assert placed.tile.tolist() == [0, 0, 1, 1] and reading_tiles(placed) == [[(0, 2, (0, 1))]]
    values, mesh = np.ones((1, 2, 1, 1), np.uint8), Mesh(4)
    settings_: dict[str, Any] = {"flit_bits": 16, "bitmap": False}
    unicast = spike_traffic(values, [2, 2], placed, mesh, multicast=False, **settings_)
    multicast = spike_traffic(values, [2, 2], placed, mesh, multicast=True, **settings_)
    assert [int(column[0]) for column in unicast] == [4, 4, 2 * (1 + 2)]
    assert [int(column[0]) for column in multicast] == [2, 2, 2 * 3]  # right then up, and up: no link in common
    assert mesh.passed(2, [0, 1], multicast=True) == 3 and mesh.passed(0, [1, 3], multicast=True) == 2


def test_replicas_handle_bands_of_rows() -> None:
    layer = conv(1, 1, 3, 8, padding=(1, 1))
    assert replica_rows(layer, 3) == [range(0, 3), range(3, 6), range(6, 8)]
    assert [input_rows(layer, rows) for rows in replica_rows(layer, 3)] == [range(0, 4), range(2, 7), range(5, 8)]
    assert replica_rows(conv(1, 1, 1, 2), 3) == [range(0, 1), range(1, 2), range(2, 2)]
    assert input_rows(layer, range(8, 8)) == range(0)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_traffic_equals_a_count_spike_by_spike(data: st.DataObject) -> None:
    draw = data.draw
    groups, kernel, bits = draw(st.sampled_from([1, 2])), draw(st.integers(1, 3)), draw(st.sampled_from([1, 2]))
    channels, filters = groups * draw(st.integers(1, 4)), groups * draw(st.integers(1, 4))
    padding, stride = draw(st.integers(0, kernel // 2)), draw(st.integers(1, 2))
    shape: dict[str, Any] = {"padding": (padding,) * 2, "stride": (stride,) * 2}
    layer = conv(channels, filters, kernel, 4, groups=groups, in_bits=bits, **shape)
    chip = Hierarchy(
        rows=draw(st.integers(1, 3)), cols=4, cell_bits=4, signed="differential",
        crossbars_per_pe=draw(st.integers(1, 4)), pes_per_tile=draw(st.integers(1, 3)),
        unroll=draw(st.sampled_from(["kernel", "flat"])),
    )  # fmt: skip
    (placed,) = place([layer], chip, [draw(st.integers(1, 3))])
    mesh = Mesh(int(placed.tile.max()) + 2)
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    values = rng.integers(0, 2**bits, (2, channels, 4, 4)) * (rng.random((2, channels, 4, 4)) < 0.5)
    sources = rng.integers(0, mesh.tiles, channels).tolist()
    multicast, flit_bits = draw(st.booleans()), draw(st.integers(1, 8))
    expected = np.zeros((3, 2), int)
    bands = [input_rows(layer, rows) for rows in replica_rows(layer, int(placed.replica.max()) + 1)]
    address = int(channels * 16 - 1).bit_length() + (bits if bits > 1 else 0)
    flits = -(-max(1, address) // flit_bits)
    for t, c, y, _ in np.argwhere(values).tolist():
        away = set()
        for x in range(placed.crossbars):
            rows = placed.first[x] + placed.step * np.arange(placed.rows[x])
            held = {int(k) // kernel**2 + int(placed.group[x]) * (channels // groups) for k in rows}
            if c in held and y in bands[placed.replica[x]] and placed.tile[x] != sources[c]:
                away.add(int(placed.tile[x]))
        packets = min(1, len(away)) if multicast else len(away)
        expected[:, t] += [packets, packets * flits, flits * mesh.passed(sources[c], away, multicast)]
    sent = spike_traffic(values, sources, placed, mesh, flit_bits=flit_bits, multicast=multicast, bitmap=False)
    assert np.array_equal(np.stack(sent), expected)


@pytest.mark.parametrize("bitmap", [False, True])
def test_silence_sends_nothing(bitmap: bool) -> None:
    (placed,) = place([conv(6, 2, 1, 2)], CHIP)
    sent = spike_traffic(
        np.zeros((3, 6, 2, 2), np.uint8), [3] * 6, placed, Mesh(4), flit_bits=8, multicast=True, bitmap=bitmap
    )
    assert all(column.tolist() == [0, 0, 0] for column in sent)


@settings(max_examples=60)
@given(data=st.data())
def test_the_busiest_link_is_that_of_the_routes(data: st.DataObject) -> None:
    mesh, draw = Mesh(data.draw(st.integers(1, 12))), data.draw
    tile = st.integers(0, mesh.tiles - 1)
    loads, by_link = LinkLoads(mesh), Counter[Any]()
    for _ in range(draw(st.integers(0, 4))):
        source, targets = draw(tile), sorted(draw(st.sets(tile, min_size=1)))
        flits, multicast = draw(st.integers(0, 9)), draw(st.booleans())
        loads.add(source, targets, flits, multicast)
        routes = [mesh.route(source, target) for target in targets]
        every = [link for route in routes for link in route]
        for link in set(every) if multicast else every:
            by_link[link] += flits
    assert loads.busiest == max(by_link.values(), default=0)

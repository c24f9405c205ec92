"""What crosses the chip between tiles: spikes to every tile that reads them, partial sums to where they are added.

Tiles lie in a square mesh, row by row; packets are routed along x first, then along y. A packet over ``h`` hops passes
``h`` links and ``h + 1`` routers. A *multicast* packet passes every link of the union of its routes once; *unicast*
sends one packet to each tile.

* Spikes: an element of a layer's input goes once to each tile of each replica that holds a row of its channel and
  handles an output row whose window it lies in. ``aer``: an address (and the value, where it is wider than a bit) for
  each element that is not zero; ``bitmap``: all channels that go the same way, for each position at which any of them
  is not zero.
* Partial sums: the crossbars of one column of a layer (one group and block of outputs) may span tiles. Each tile but
  the first sends the sums of its outputs, at accumulator width, to the first, where the neurons are; for every position
  and timestep.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import ceil, isqrt, log2
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.crossbar.mapping import Placement
from archsim.workload import Layer

Ints = NDArray[np.int64]
Link = tuple[int, int, int, int]


class Mesh(NamedTuple):
    """A square mesh of tiles, numbered row by row."""

    tiles: int

    @property
    def width(self) -> int:
        """Tiles in a row."""
        return max(1, isqrt(self.tiles - 1) + 1) if self.tiles > 1 else 1

    def route(self, source: int, target: int) -> list[Link]:
        """The links from tile to tile: along x, then along y."""
        (y, x), (last_y, last_x) = divmod(source, self.width), divmod(target, self.width)
        links: list[Link] = []
        while x != last_x:
            step = 1 if last_x > x else -1
            links.append((y, x, y, x + step))
            x += step
        while y != last_y:
            step = 1 if last_y > y else -1
            links.append((y, x, y + step, x))
            y += step
        return links

    def hops(self, source: int, target: int) -> int:
        """Links of the route."""
        return len(self.route(source, target))

    def links(self, source: int, targets: Iterable[int], multicast: bool) -> int:
        """Links that one packet to all targets passes: of the tree of routes, or of one route for each target."""
        routes = [self.route(source, target) for target in targets]
        return len({link for route in routes for link in route}) if multicast else sum(map(len, routes))


class Traffic(NamedTuple):
    """Flits that enter the network, and flits times links, per timestep."""

    packets: Ints
    flits: Ints
    flit_hops: Ints


class PartialSums(NamedTuple):
    """Sums that one tile sends to another for each position and timestep."""

    source: int
    target: int
    outputs: int


def replica_rows(layer: Layer, replicas: int) -> list[range]:
    """Output rows that each replica handles: bands of equal height, the last ones smaller (or empty)."""
    height = layer.out_shape[1]
    band = -(-height // replicas)
    return [range(min(n * band, height), min((n + 1) * band, height)) for n in range(replicas)]


def input_rows(layer: Layer, rows: range) -> range:
    """Input rows in the windows of some output rows."""
    if not rows:
        return range(0)
    first = rows.start * layer.stride[0] - layer.padding[0]
    last = (rows.stop - 1) * layer.stride[0] - layer.padding[0] + layer.kernel[0] - 1
    return range(max(0, first), min(layer.in_shape[1], last + 1))


def home_tiles(placed: Placement) -> Ints:
    """Tile at which the outputs of each column of crossbars are completed: that of its first crossbar."""
    return placed.tile[np.unique(placed.column, return_index=True)[1]]


def partial_sums(placed: Placement) -> list[PartialSums]:
    """What crosses tiles for one position, for all replicas' columns (a position is handled by one replica)."""
    found = []
    for column, home in enumerate(home_tiles(placed).tolist()):
        here = placed.column == column
        outputs = int(placed.outputs[here][0])
        found += [PartialSums(tile, home, outputs) for tile in np.unique(placed.tile[here]).tolist() if tile != home]
    return found


def reading_tiles(placed: Placement) -> list[list[tuple[int, ...]]]:
    """Tiles that hold rows of each input channel: [replica][channel]."""
    layer, taps = placed.layer, placed.layer.kernel[0] * placed.layer.kernel[1]
    per_group = layer.in_shape[0] // layer.groups
    replicas = int(placed.replica.max()) + 1
    tiles: list[list[set[int]]] = [[set() for _ in range(layer.in_shape[0])] for _ in range(replicas)]
    first = placed.first // taps
    last = (placed.first + placed.step * (placed.rows - 1)) // taps
    for x, tile in enumerate(placed.tile.tolist()):
        offset = int(placed.group[x]) * per_group
        for channel in range(int(first[x]), int(last[x]) + 1):
            tiles[placed.replica[x]][offset + channel].add(tile)
    return [[tuple(sorted(one)) for one in channels] for channels in tiles]


def spike_traffic(
    values: NDArray[np.integer], sources: Sequence[int], reader: Placement, mesh: Mesh, *,
    flit_bits: int, multicast: bool, bitmap: bool,
) -> Traffic:  # fmt: skip
    """Traffic of a layer's input ``values`` [T, C, H, W]; ``sources`` is the tile that sends each channel."""
    layer, steps = reader.layer, len(values)
    readers = reading_tiles(reader)
    bands = [input_rows(layer, rows) for rows in replica_rows(layer, len(readers))]
    total = np.zeros((3, steps), np.int64)
    active = values != 0
    for rows in _bands_of_equal_readers(layer, bands):
        wanted = [number for number, band in enumerate(bands) if rows.start in band]
        targets = [sorted({tile for number in wanted for tile in readers[number][c]}) for c in range(values.shape[1])]
        part = active[:, :, rows.start : rows.stop]
        for source, away, channels in _same_way(sources, targets):
            sent = part[:, channels]
            if bitmap:
                events, bits = sent.any(axis=1).sum(axis=(1, 2), dtype=np.int64), len(channels) * layer.in_bits
            else:
                events, bits = sent.sum(axis=(1, 2, 3), dtype=np.int64), _address_bits(layer)
            packets, flits = events * (1 if multicast else len(away)), -(-bits // flit_bits)
            total += np.stack([packets, packets * flits, events * flits * mesh.links(source, away, multicast)])
    return Traffic(*total)


def _address_bits(layer: Layer) -> int:
    """Bits of an address event: which element of the map, and its value where it is wider than a bit."""
    channels, height, width = layer.in_shape
    return max(1, ceil(log2(channels * height * width))) + (layer.in_bits if layer.in_bits > 1 else 0)


def _bands_of_equal_readers(layer: Layer, bands: Sequence[range]) -> list[range]:
    """Input rows cut where the set of replicas that read them changes."""
    height = layer.in_shape[1]
    cuts = sorted({0, height, *(band.start for band in bands), *(band.stop for band in bands)})
    return [range(a, b) for a, b in pairwise(cuts)]


def _same_way(sources: Sequence[int], targets: Sequence[Sequence[int]]) -> list[tuple[int, tuple[int, ...], list[int]]]:
    """Channels that leave the same tile for the same other tiles: (source, targets elsewhere, channels)."""
    found: dict[tuple[int, tuple[int, ...]], list[int]] = {}
    for channel, (source, wanted) in enumerate(zip(sources, targets, strict=True)):
        away = tuple(tile for tile in wanted if tile != source)
        if away:
            found.setdefault((source, away), []).append(channel)
    return [(source, away, channels) for (source, away), channels in found.items()]

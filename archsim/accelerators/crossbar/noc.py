"""What crosses the chip between tiles: spikes to every tile that reads them, partial sums to where they are added.

Tiles lie in a square mesh, row by row; packets are routed along x first, then along y. A packet over ``h`` hops passes
``h`` links and ``h + 1`` routers. A *multicast* packet passes every link of the union of its routes once; *unicast*
sends one packet to each tile.

* Spikes: an element of a map goes once to each tile of each replica that holds a row of its channel and handles an
  output row whose window it lies in. ``aer``: an address (and the value, where it is wider than a bit) for each element
  that is not zero; ``bitmap``: all channels that go the same way, for each place at which any of them is not zero.
* Partial sums: the crossbars of one column of a layer (one group and block of outputs) may span tiles. Each tile but
  the first sends the sums of its outputs, at accumulator width, to the first, where the neurons are; for every position
  and timestep at which it has any.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import isqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.crossbar.mapping import Placement
from archsim.workload import Layer

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Link = tuple[int, int, int, int]
Tiles = tuple[int, ...]


class Mesh(NamedTuple):
    """A square mesh of tiles, numbered row by row."""

    tiles: int

    @property
    def width(self) -> int:
        """Tiles in a row."""
        return isqrt(self.tiles - 1) + 1 if self.tiles > 1 else 1

    @property
    def links(self) -> int:
        """Links between neighbouring routers, one for each direction."""
        return 2 * (self.routers - self.routers // self.width + self.routers - self.width)

    @property
    def routers(self) -> int:
        """Routers: one at each tile, and at what is missing of the last row, for routes pass there."""
        return self.width * -(-self.tiles // self.width)

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
        (y, x), (last_y, last_x) = divmod(source, self.width), divmod(target, self.width)
        return abs(last_y - y) + abs(last_x - x)

    def passed(self, source: int, targets: Iterable[int], multicast: bool) -> int:
        """Links that one packet to all targets passes: of the tree of routes, or of one route for each target.

        The tree goes along the row of the source as far as any target's column, and in each such column as far up and
        down as its targets lie.
        """
        y, x = divmod(source, self.width)
        rows, cols = np.divmod(np.fromiter(targets, np.int64), self.width)
        if not multicast:
            return int(np.abs(rows - y).sum()) + int(np.abs(cols - x).sum())
        links: int = max(int(cols.max(initial=x)) - x, 0) + max(x - int(cols.min(initial=x)), 0)
        down, up = (np.zeros(self.width, np.int64) for _ in range(2))
        np.maximum.at(down, cols, rows - y)
        np.maximum.at(up, cols, y - rows)
        return links + int(down.sum()) + int(up.sum())


class Packets(NamedTuple):
    """How a network sends: bits of a flit, one packet for all tiles or one each, one for each spike or each place."""

    flit_bits: int
    multicast: bool
    bitmap: bool


class Traffic(NamedTuple):
    """Of each place of a map, [T, H, W]: packets, flits that enter the network, flits times links, times routers."""

    packets: Ints
    flits: Ints
    flit_hops: Ints
    flit_routers: Ints


class Way(NamedTuple):
    """What leaves one tile for the same other tiles: some channels of some rows, or any elements of the map."""

    source: int
    targets: Tiles
    rows: slice
    channels: Ints | None
    elements: Bools | None

    @property
    def size(self) -> int:
        """Elements that may go this way."""
        if self.channels is not None:
            return len(self.channels) * int(self.rows.stop - self.rows.start)
        assert self.elements is not None
        return int(np.count_nonzero(self.elements))

    def sent(self, active: Bools, bits: int, address_bits: int, packets: Packets) -> tuple[Ints, Ints]:
        """Packets at each place of its rows [T, rows, W], and flits of one packet [rows, W]; one copy."""
        part = active[:, :, self.rows]
        size = np.zeros(part.shape[2:], np.int64)
        if self.channels is not None:
            part = part[:, self.channels]
            size[:] = len(self.channels)
        else:
            assert self.elements is not None
            part = part & self.elements[:, self.rows]
            size[:] = self.elements[:, self.rows].sum(axis=0)
        if packets.bitmap:
            used: Ints = np.any(part, axis=1).astype(np.int64)
            return used, -(-size * bits // packets.flit_bits)
        spikes: Ints = part.sum(axis=1, dtype=np.int64)
        return spikes, np.full(size.shape, -(-address_bits // packets.flit_bits), np.int64)


def replica_rows(layer: Layer, replicas: int) -> list[range]:
    """Output rows that each replica handles: bands of equal height, the last ones smaller (or empty)."""
    height = layer.out_shape[1]
    band = -(-height // replicas)
    return [range(min(n * band, height), min((n + 1) * band, height)) for n in range(replicas)]


def taps(layer: Layer, axis: int, outputs: range) -> Ints:
    """Rows (axis 0) or columns (1) of the input under the kernel at some rows or columns of the output, in order."""
    first = np.array(outputs) * layer.stride[axis] - layer.padding[axis]
    found = np.unique(first[:, None] + np.arange(layer.kernel[axis]) * layer.dilation[axis])
    return found[(found >= 0) & (found < layer.in_shape[1 + axis])]


def input_rows(layer: Layer, rows: range) -> Sequence[int]:
    """Input rows in the windows of some output rows: a band; with dilation the rows at which they have taps."""
    if not rows:
        return range(0)
    if layer.dilation[0] > 1:
        return tuple(taps(layer, 0, rows).tolist())
    first = rows.start * layer.stride[0] - layer.padding[0]
    last = (rows.stop - 1) * layer.stride[0] - layer.padding[0] + layer.kernel[0] - 1
    return range(max(0, first), min(layer.in_shape[1], last + 1))


class Run(NamedTuple):
    """Channels, or elements, that follow each other and are held by the same tiles."""

    start: int
    stop: int
    tiles: Tiles


def reading_tiles(placed: Placement) -> list[list[Run]]:
    """Tiles that hold rows of the input channels, for each replica."""
    layer, taps = placed.layer, placed.layer.kernel[0] * placed.layer.kernel[1]
    per_group = layer.in_shape[0] // layer.groups
    first = placed.group * per_group + placed.first // taps
    last = placed.group * per_group + (placed.first + placed.step * (placed.rows - 1)) // taps
    held = np.unique(np.stack([placed.replica, first, last + 1, placed.chip_tile]), axis=1)
    found = []
    for replica in range(placed.replicas):
        start, stop, tile = held[1:, held[0] == replica]
        cuts = np.unique(np.concatenate([start, stop]))
        runs = []
        for a, b in pairwise(cuts.tolist()):
            tiles = np.unique(tile[(start <= a) & (stop >= b)])
            runs.append(Run(a, b, tuple(tiles.tolist())))
        found.append(runs)
    return found


class Reading(NamedTuple):
    """Where a map [C, H, W] is read: by each replica, its rows, and the tiles that hold its channels or elements."""

    rows: Sequence[Sequence[int]]
    runs: Sequence[Sequence[Run]]
    members: int  # what it tells apart: channels, or elements

    def is_by_element(self, shape: tuple[int, int, int]) -> bool:
        """Whether tiles differ within a channel (the map is read as a vector)."""
        return self.members != shape[0]


def ways(source: Ints, reading: Reading, shape: tuple[int, int, int]) -> list[Way]:
    """Elements of a map that leave the same tile for the same other tiles.

    ``source`` [C, H] is the tile that sends each channel of each row (-1: none).
    """
    if reading.is_by_element(shape):
        found = []
        sending = np.repeat(source, shape[2], axis=1).ravel()
        for (tile, away), members in _same_way(sending, reading.runs[0]).items():
            elements = np.zeros(sending.shape, np.bool_)
            elements[members] = True
            found.append(Way(tile, away, slice(0, shape[1]), None, elements.reshape(shape)))
        return found
    return [
        Way(tile, away, slice(band.start, band.stop), members, None)
        for band, readers in _bands(source, reading.rows, shape[1])
        for (tile, away), members in _same_way(source[:, band.start], _all_runs(reading, readers)).items()
    ]


def _bands(source: Ints, rows: Sequence[Sequence[int]], height: int) -> list[tuple[range, Tiles]]:
    """Rows cut where the replicas that read them, or the tiles that send them, change; and those replicas."""
    readers = [tuple(number for number, band in enumerate(rows) if y in band) for y in range(height)]
    changes = [
        y for y in range(1, height)
        if readers[y] != readers[y - 1] or not np.array_equal(source[:, y], source[:, y - 1])
    ]  # fmt: skip
    return [(range(a, b), readers[a]) for a, b in pairwise([0, *changes, height])]


def _all_runs(reading: Reading, readers: Tiles) -> Sequence[Run]:
    """Runs of channels that are held by the same tiles of all these replicas."""
    if len(readers) == 1:
        return reading.runs[readers[0]]
    every = [run for number in readers for run in reading.runs[number]]
    cuts = sorted({run.start for run in every} | {run.stop for run in every})
    return [
        Run(a, b, tuple(sorted({tile for run in every if run.start <= a and run.stop >= b for tile in run.tiles})))
        for a, b in pairwise(cuts)
    ]


def _same_way(source: Ints, runs: Sequence[Run]) -> dict[tuple[int, Tiles], Ints]:
    """Members (channels, elements) by the tile that they leave and the other tiles to which they go."""
    found: dict[tuple[int, Tiles], list[Ints]] = {}
    for run in runs:
        sending = source[run.start : run.stop]
        for tile in np.unique(sending).tolist():
            away = tuple(other for other in run.tiles if other != tile)
            if away and tile >= 0:
                found.setdefault((tile, away), []).append(run.start + np.flatnonzero(sending == tile))
    return {way: np.concatenate(members) for way, members in found.items()}


class PartialSums(NamedTuple):
    """Sums of one column of crossbars that a tile adds from some of the column's PEs and sends to the column's home."""

    replica: int
    group: int
    source: int
    target: int
    first_pe: int  # of the column's PEs
    last_pe: int
    outputs: int


def partial_sums(placed: Placement) -> list[PartialSums]:
    """What crosses tiles for one position, for all replicas' columns (a position is handled by one replica)."""
    found = []
    starts = np.unique(placed.column, return_index=True)[1].tolist()
    for start, end in pairwise([*starts, placed.crossbars]):
        pe, tile = placed.pe[start:end] - placed.pe[start], placed.tile[start:end]
        if tile[0] == tile[-1]:
            continue
        chip = placed.chip_tile[start:end]
        for away in np.unique(tile)[1:].tolist():
            here = np.flatnonzero(tile == away)
            found.append(
                PartialSums(
                    replica=int(placed.replica[start]), group=int(placed.group[start]), source=int(chip[here[0]]),
                    target=int(chip[0]), first_pe=int(pe[here[0]]), last_pe=int(pe[here[-1]]),
                    outputs=int(placed.outputs[start]),
                )
            )  # fmt: skip
    return found

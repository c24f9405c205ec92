"""One map on its way to one reader: packets through the mesh, lines of the buffers at the tiles that read it.

The buffer of a tile holds, for each place of the map, the values of the channels that the tile's crossbars hold, packed
into lines; a line is written when the values of its place arrive, and read whenever a window that contains the place is
fetched. Places at which nothing is active are not sent, hence not written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.crossbar.links import LinkLoads
from archsim.accelerators.crossbar.mapping import Placement
from archsim.accelerators.crossbar.noc import (
    Mesh,
    Packets,
    Reading,
    Run,
    Traffic,
    Way,
    input_rows,
    reading_tiles,
    replica_rows,
    taps,
    ways,
)
from archsim.workload import Layer

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Shape = tuple[int, int, int]


def reading_of(placed: Placement) -> Reading:
    """How a weighted layer reads its input; a map that was flattened before it is read element by element."""
    bands = replica_rows(placed.layer, placed.replicas)
    return Reading([input_rows(placed.layer, rows) for rows in bands], reading_tiles(placed), placed.layer.in_shape[0])


def reading_as(reading: Reading, shape: Shape) -> Reading:
    """The same for a map of that shape: all of its rows where it is read as a vector."""
    return reading._replace(rows=[range(shape[1])]) if reading.is_by_element(shape) else reading


def in_windows(layer: Layer) -> Bools:
    """Places of a layer's input that lie in a window of it: [H, W] of a convolution, else all: [1, 1]."""
    if layer.kind != "conv2d":
        return np.ones((1, 1), np.bool_)
    axes = [np.zeros(size, np.bool_) for size in layer.in_shape[1:]]
    for number, axis in enumerate(axes):
        axis[taps(layer, number, range(layer.out_shape[1 + number]))] = True
    return axes[0][:, None] & axes[1]


@dataclass(frozen=True)
class Shelf:
    """Buffers of equal content: some channels (or elements) of some rows; so many tiles of a replica have one."""

    replica: int
    rows: Sequence[int]
    members: Ints
    by_element: bool
    tiles: int

    def lines(self, active: Bools, bits: int, line_bits: int, present: Bools | None = None) -> Ints:
        """Lines of one tile at each place at which it holds anything active: [T, H, W].

        ``present`` [C]: only these channels count.
        """
        band, shape = self._band, active.shape[1:]
        found = np.zeros((len(active), *shape[1:]), np.int64)
        if self.by_element:
            chosen = np.zeros(shape, np.bool_)
            chosen.ravel()[self.members] = True
            if present is not None:
                chosen &= present[:, None, None]
            size = chosen.sum(axis=0, dtype=np.int64)[band]
            found[:, band] = (active[:, :, band] & chosen[:, band]).any(axis=1) * -(-size * bits // line_bits)
            return found
        members = self.members if present is None else self.members[present[self.members]]
        found[:, band] = active[:, :, band][:, members].any(axis=1) * -(-len(members) * bits // line_bits)
        return found

    @property
    def _band(self) -> slice | list[int]:
        return slice(self.rows.start, self.rows.stop) if isinstance(self.rows, range) else list(self.rows)

    def row_bits(self, shape: Shape, bits: int) -> int:
        """Bits of one row of the map in one tile, at most."""
        if not self.by_element:
            return len(self.members) * shape[2] * bits
        return int(np.bincount(self.members // shape[2] % shape[1], minlength=shape[1]).max()) * bits


def shelves(reading: Reading, shape: Shape) -> list[Shelf]:
    """The buffers of all tiles that read a map."""
    found, by_element = [], reading.is_by_element(shape)
    for replica, (rows, runs) in enumerate(zip(reading.rows, reading.runs, strict=True)):
        content: dict[int, list[int]] = {}
        for number, run in enumerate(runs):
            for tile in run.tiles:
                content.setdefault(tile, []).append(number)
        alike = Counter(map(tuple, content.values()))
        for numbers, tiles in alike.items():
            members = np.concatenate([np.arange(runs[n].start, runs[n].stop) for n in numbers])
            if rows:
                found.append(Shelf(replica, rows, members, by_element, tiles))
    return found


class Delivery:
    """Active values [T, C, H, W] of a map, from the tiles ``source`` [C, H] (-1: not sent now) to one reader."""

    def __init__(
        self, active: Bools, bits: int, source: Ints, reading: Reading, mesh: Mesh, packets: Packets,
    ) -> None:  # fmt: skip
        self.active, self.bits, self.source, self.mesh, self.packets = active, bits, source, mesh, packets
        self.shape: Shape = active.shape[1], active.shape[2], active.shape[3]
        self.reading = reading_as(reading, self.shape)
        self._ways: Sequence[Way] = ways(source, self.reading, self.shape)

    @cached_property
    def _sent(self) -> list[tuple[Ints, Ints]]:
        """Packets of each way at each place, and flits of one."""
        channels, height, width = self.shape
        address = max(1, (channels * height * width - 1).bit_length()) + (self.bits if self.bits > 1 else 0)
        return [way.sent(self.active, self.bits, address, self.packets) for way in self._ways]

    @cached_property
    def traffic(self) -> Traffic:
        """Packets, flits, flits times links and flits times routers, of each place of the map."""
        found = Traffic(*(np.zeros((len(self.active), *self.shape[1:]), np.int64) for _ in range(4)))
        multicast = self.packets.multicast
        for way, (events, flits) in zip(self._ways, self._sent, strict=True):
            copies, links = 1 if multicast else len(way.targets), self.mesh.passed(way.source, way.targets, multicast)
            found.packets[:, way.rows] += events * copies
            for total, times in ((found.flits, copies), (found.flit_hops, links), (found.flit_routers, links + copies)):
                total[:, way.rows] += events * flits * times
        return found

    def busiest(self, replica: int) -> int | None:
        """Of the tiles of a reader's replica the one to which most is sent; None if nothing comes from elsewhere."""
        load: dict[int, int] = {}
        mine = {tile for run in self.reading.runs[replica] for tile in run.tiles}
        for way in self._ways:
            size = way.size
            for tile in way.targets:
                if tile in mine:
                    load[tile] = load.get(tile, 0) + size
        return max(load, key=lambda tile: (load[tile], -tile)) if load else None

    def arriving(self, tile: int) -> tuple[Ints, int]:
        """Flits that enter a tile, of each place of the map [T, H, W], and the most hops on their way."""
        found, hops = np.zeros((len(self.active), *self.shape[1:]), np.int64), 0
        for way, (events, flits) in zip(self._ways, self._sent, strict=True):
            if tile in way.targets:
                found[:, way.rows] += events * flits
                hops = max(hops, self.mesh.hops(way.source, tile))
        return found, hops

    def leaving(self) -> Ints:
        """Flits that leave the tile that sends most, all copies, of each place of the map: [T, H, W]."""
        load: Counter[int] = Counter()
        copies = [1 if self.packets.multicast else len(way.targets) for way in self._ways]
        for way, times in zip(self._ways, copies, strict=True):
            load[way.source] += way.size * times
        found = np.zeros((len(self.active), *self.shape[1:]), np.int64)
        busiest = max(load, key=lambda tile: (load[tile], -tile), default=None)
        for way, times, (events, flits) in zip(self._ways, copies, self._sent, strict=True):
            if way.source == busiest:
                found[:, way.rows] += events * flits * times
        return found

    def load(self, links: LinkLoads) -> None:
        """Add what is sent to the loads of the links."""
        for way, (events, flits) in zip(self._ways, self._sent, strict=True):
            links.add(way.source, way.targets, int((events * flits).sum()), self.packets.multicast)

    def written(self, line_bits: int) -> Ints:
        """Lines written at all tiles that read the map, of each place: [T, H, W]."""
        present = self.source[:, 0] >= 0
        total = np.zeros((len(self.active), *self.shape[1:]), np.int64)
        for shelf in shelves(self.reading, self.shape):
            total += shelf.lines(self.active, self.bits, line_bits, present) * shelf.tiles
        return total


def runs_of_channels(home: Ints) -> list[list[Run]]:
    """Tiles at which the output channels of each replica are completed."""
    found = []
    for channels in home:
        cuts = [0, *(np.flatnonzero(np.diff(channels)) + 1).tolist(), len(channels)]
        found.append([Run(a, b, (int(channels[a]),) if channels[a] >= 0 else ()) for a, b in pairwise(cuts)])
    return found

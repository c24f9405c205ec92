"""Pieces of a layer's work in raster order, and which piece of a producer each piece of a reader waits for.

A chunk is an output position or an output row of a weighted layer. Every element of a map that leaves a stage is
complete when the last position in its window (through pools and adds) is; a reader's chunk needs the last element of
its own window, and because positions come in raster order that one stands for all that its replica delivers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.crossbar.noc import replica_rows
from archsim.accelerators.stages import Stage
from archsim.workload import Layer, Network

Ints = NDArray[np.int64]
Granularity = Literal["position", "row"]
NOTHING = -1


class Pieces(Protocol):
    """Pieces of a source's work in raster order, and the replica that handles each."""

    @property
    def count(self) -> int:
        """Number of pieces."""

    @property
    def replicas(self) -> int:
        """Number of replicas."""

    @property
    def replica(self) -> Ints:
        """Replica that handles each piece."""


@dataclass(frozen=True)
class Rows:
    """The rows of a map that comes from outside, one piece each."""

    count: int
    replicas: int = 1

    @property
    def replica(self) -> Ints:
        """All by one."""
        return np.zeros(self.count, np.int64)


@dataclass(frozen=True)
class Chunks:
    """The chunks of a stage's weighted layer, numbered in raster order."""

    stage: Stage
    granularity: Granularity
    replicas: int

    @property
    def layer(self) -> Layer:
        """The weighted layer."""
        return self.stage.layer

    @property
    def width(self) -> int:
        """Positions of one chunk."""
        return self.layer.out_shape[2] if self.granularity == "row" else 1

    @property
    def count(self) -> int:
        """Number of chunks."""
        return self.layer.positions // self.width

    @cached_property
    def rows(self) -> Ints:
        """Output row of each chunk."""
        return np.arange(self.count) * self.width // self.layer.out_shape[2]

    @cached_property
    def replica(self) -> Ints:
        """Replica that handles each chunk: a band of output rows each."""
        bands = replica_rows(self.layer, self.replicas)
        return np.searchsorted([band.stop for band in bands], self.rows, side="right")

    def per_chunk(self, per_position: Ints) -> Ints:
        """Sums over the positions of each chunk: [..., positions] -> [..., chunks]."""
        found: Ints = per_position.reshape(*per_position.shape[:-1], self.count, self.width).sum(axis=-1)
        return found

    def completed_by(self, network: Network) -> Mapping[str, Ints]:
        """For each map of the stage, the chunk that completes each of its places: [height, width]."""
        height, width = self.layer.out_shape[1:]
        last = {self.layer.name: np.arange(height * width).reshape(height, width)}
        for name in self.stage.members[1:]:
            layer = network.layer(name)
            inside = [last[source] for source in layer.sources if source in last]
            before = inside[0] if len(inside) == 1 else np.maximum.reduce(inside)
            last[name] = _last_in_window(layer, before)
        return {name: places // self.width for name, places in last.items()}

    def wanted_places(self, height: int, width: int) -> tuple[Ints, Ints, Ints]:
        """First and last row, and last column, of the input places in each chunk's window; of a vector: of the map."""
        layer = self.layer
        if layer.kind == "matmul" and height * width == layer.positions:  # a position needs its own place only
            row, column = np.divmod(np.arange(self.count) * self.width + self.width - 1, width)
            return np.arange(self.count) * self.width // width, row, column
        if layer.kind != "conv2d":
            every = np.zeros(self.count, np.int64)
            return every, every + height - 1, every + width - 1
        (first, last), (_, column) = _taps(layer, 0), _taps(layer, 1)
        of_one_row = column.reshape(-1, self.width).max(axis=1)
        return first[self.rows], last[self.rows], np.tile(of_one_row, layer.out_shape[1])


def _taps(layer: Layer, axis: int) -> tuple[Ints, Ints]:
    """First and last input row (axis 0) or column (1) in the map under the kernel, of each output row or column."""
    step = layer.dilation[axis]
    first = np.arange(layer.out_shape[1 + axis]) * layer.stride[axis] - layer.padding[axis]
    last = first + layer.reach[axis] - 1
    before, beyond = np.maximum(-first, 0), np.maximum(last - layer.in_shape[1 + axis] + 1, 0)
    last = np.maximum(last - (beyond + step - 1) // step * step, 0)
    return np.minimum(first + (before + step - 1) // step * step, last), last


def _last_in_window(layer: Layer, before: Ints) -> Ints:
    """The last place (in raster order) of each output place's window; pools cut at the edge, flatten waits for all."""
    height, width = layer.out_shape[1:]
    if layer.kind == "flatten":
        return np.full((height, width), before.max())
    if not layer.kind.endswith("pool2d"):
        return before
    rows = np.minimum(np.arange(height) * layer.stride[0] - layer.padding[0] + layer.kernel[0], before.shape[0]) - 1
    cols = np.minimum(np.arange(width) * layer.stride[1] - layer.padding[1] + layer.kernel[1], before.shape[1]) - 1
    found: Ints = before[rows[:, None], cols[None, :]]
    return found


def producers(reader: Chunks, completed: Ints, producer: Pieces) -> list[Ints]:
    """The chunks of a producer that each chunk of a reader waits for: one vector for each replica (or NOTHING).

    ``completed`` [height, width] names the producer's chunk that completes each place of the map that is read.
    """
    height, width = completed.shape
    first, last, column = reader.wanted_places(height, width)
    found = [np.full(reader.count, NOTHING, np.int64) for _ in range(producer.replicas)]
    for offset in range(0, int((last - first).max(initial=0)) + 1, reader.layer.dilation[0]):
        row = np.minimum(first + offset, last)
        chunk = completed[np.minimum(row, height - 1), np.minimum(column, width - 1)]
        for number, wanted in enumerate(found):
            mine = producer.replica[chunk] == number
            wanted[mine] = np.maximum(wanted[mine], chunk[mine])
    return found


def beside(reader: Chunks, at: Ints, completed: Ints, producer: Pieces) -> list[Ints]:
    """As :func:`producers`, for an operand that is added in the reader's chunk ``at`` [height, width]."""
    found = [np.full(reader.count, NOTHING, np.int64) for _ in range(producer.replicas)]
    for number, wanted in enumerate(found):
        mine = producer.replica[completed] == number
        np.maximum.at(wanted, at[mine], completed[mine])
    return found


def across_bands(chunks: Chunks, network: Network) -> list[Ints]:
    """The chunks of other replicas that each chunk waits for because a pool's window lies in several bands.

    One vector for each replica (or NOTHING): its last chunk in a window that is completed by a chunk of another one.
    """
    completed = chunks.completed_by(network)
    found = [np.full(chunks.count, NOTHING, np.int64) for _ in range(chunks.replicas)]
    for name in chunks.stage.members[1:]:
        layer = network.layer(name)
        if not layer.kind.endswith("pool2d"):
            continue
        before, after = completed[next(source for source in layer.sources if source in completed)], completed[name]
        cols = np.arange(after.shape[1]) * layer.stride[1] - layer.padding[1] + layer.kernel[1]
        last_col = np.minimum(cols, before.shape[1]) - 1
        for y in range(after.shape[0]):
            top = y * layer.stride[0] - layer.padding[0]
            for row in range(max(0, top), min(top + layer.kernel[0], before.shape[0])):
                other = before[row, last_col]
                crossing = chunks.replica[other] != chunks.replica[after[y]]
                for number, wanted in enumerate(found):
                    mine = crossing & (chunks.replica[other] == number)
                    np.maximum.at(wanted, after[y][mine], other[mine])
    return [wanted for wanted in found if (wanted != NOTHING).any()]

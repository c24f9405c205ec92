"""Where every weight lies: blocks of a layer on crossbars, crossbars in PEs, PEs in tiles.

A layer's weights form, for each group, a matrix of K = C/groups * kh * kw rows (channel outermost) and F columns.

* ``unroll: kernel``: a crossbar holds one kernel position of a block of input channels (rows k, k + kh*kw, ...), as
  SpikeSim does; ``unroll: flat``: any R rows that follow each other (im2col).
* A block of outputs takes ``floor((columns - reference) / columns per output)`` filters.

All crossbars of one group and block of outputs (a *column* of the layer) make partial sums of the same outputs. They
fill PEs that no other column shares, PEs fill tiles, and a layer begins with a tile of its own unless tiles are shared.
A chip with fewer tiles than that is loaded in rounds; no column is cut between two rounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.crossbar.cells import Signed, WeightCells, weight_cells
from archsim.errors import MisfitError, Problem, UnsupportedError
from archsim.workload import Layer

Ints = NDArray[np.int64]
Unroll = Literal["kernel", "flat"]
PER_CROSSBAR = ("replica", "group", "output", "outputs", "first", "rows", "sign", "pe")


@dataclass(frozen=True)
class Hierarchy:
    """Sizes of a crossbar chip as the mapping sees them; ``tiles`` None: as many as needed."""

    rows: int
    cols: int
    cell_bits: int
    signed: Signed
    crossbars_per_pe: int
    pes_per_tile: int
    tiles: int | None = None
    unroll: Unroll = "kernel"
    share_tiles: bool = False
    reload: bool = False


@dataclass(frozen=True)
class Placement:
    """The crossbars of one layer, one entry each: which weights they hold, and where they are.

    The rows of crossbar ``x`` are the reduction indices ``first[x], first[x] + step, ...`` (``rows[x]`` of them), its
    outputs the filters ``output[x] .. output[x] + outputs[x] - 1`` of group ``group[x]``; ``sign`` is +1 or -1 where
    positive and negative parts lie in crossbars of their own, else 0.
    """

    layer: Layer
    cells: WeightCells
    hierarchy: Hierarchy
    step: int
    replica: Ints
    group: Ints
    output: Ints
    outputs: Ints
    first: Ints
    rows: Ints
    sign: Ints
    pe: Ints  # over the whole chip, without end: tile = pe // PEs per tile

    @property
    def crossbars(self) -> int:
        """How many crossbars the layer takes, all replicas."""
        return len(self.group)

    @property
    def tile(self) -> Ints:
        """Tile of each crossbar, counted without end: what is beyond the chip belongs to a later round."""
        return self.pe // self.hierarchy.pes_per_tile

    @property
    def chip_tile(self) -> Ints:
        """Tile of the chip on which each crossbar is, in its round."""
        tiles = self.hierarchy.tiles
        return self.tile if tiles is None else self.tile % tiles

    @property
    def round(self) -> Ints:
        """In which round of loading each crossbar is there."""
        tiles = self.hierarchy.tiles
        return np.zeros_like(self.pe) if tiles is None else self.tile // tiles

    def in_round(self, number: int) -> Placement:
        """The crossbars that are there in one round of loading."""
        here = self.round == number
        if here.all():
            return self
        each = {name: getattr(self, name)[here] for name in PER_CROSSBAR}
        return replace(self, **each)

    @cached_property
    def column(self) -> Ints:
        """Number of each crossbar's (replica, group, block of outputs): those of one make partial sums together."""
        changed = (np.diff(self.replica) != 0) | (np.diff(self.group) != 0) | (np.diff(self.output) != 0)
        return np.concatenate([[0], np.cumsum(changed)])

    @property
    def replicas(self) -> int:
        """How often the layer is placed."""
        return int(self.replica.max()) + 1

    @cached_property
    def home(self) -> Ints:
        """Tile at which each output channel of each replica is completed: [replicas, channels]; -1: not here.

        Sums of one column of crossbars are added, and its neurons updated, at the tile of its first crossbar.
        """
        found = np.full((self.replicas, self.layer.out_shape[0]), -1, np.int64)
        for x in np.unique(self.column, return_index=True)[1]:
            start = self.group[x] * self.layer.filters + self.output[x]
            found[self.replica[x], start : start + self.outputs[x]] = self.chip_tile[x]
        return found

    @property
    def used_cells(self) -> int:
        """Cells that hold weights (reference columns apart)."""
        return int((self.rows * self.outputs).sum()) * self.cells.columns

    @property
    def programmed_cells(self) -> int:
        """Cells that are programmed: those of weights and of reference columns, in the rows that are used."""
        return self.used_cells + int(self.rows.sum()) * self.cells.reference_columns

    @property
    def utilisation(self) -> float:
        """Used cells over the cells of all crossbars in the layer's PEs."""
        pes = len(np.unique(self.pe))
        return self.used_cells / (pes * self.hierarchy.crossbars_per_pe * self.hierarchy.rows * self.hierarchy.cols)


def place(layers: Sequence[Layer], hierarchy: Hierarchy, replicas: Sequence[int] | None = None) -> list[Placement]:
    """Place the layers in their order, each ``replicas`` times. UnsupportedError, MisfitError."""
    copies = [1] * len(layers) if replicas is None else list(replicas)
    problems = list(dict.fromkeys(problem for layer in layers for problem in _problems(layer, hierarchy)))
    if problems:
        raise UnsupportedError(problems)
    placed: list[Placement] = []
    next_pe = 0
    for layer, count in zip(layers, copies, strict=True):
        if not hierarchy.share_tiles:
            next_pe = -(-next_pe // hierarchy.pes_per_tile) * hierarchy.pes_per_tile
        placed.append(_place_layer(layer, hierarchy, count, next_pe))
        next_pe = int(placed[-1].pe[-1]) + 1
    _check_capacity(placed, hierarchy, next_pe)
    return placed


def pes_of(layer: Layer, hierarchy: Hierarchy) -> int:
    """PEs that one replica of a layer takes."""
    return int(_place_layer(layer, hierarchy, 1, 0).pe[-1]) + 1


def _problems(layer: Layer, hierarchy: Hierarchy) -> list[Problem]:
    cells = weight_cells(layer.weight_bits, hierarchy.cell_bits, hierarchy.signed)
    if cells.crossbars > hierarchy.crossbars_per_pe:
        text = "a PE must hold the positive and the negative crossbar of a block (signed: diff)"
        return [Problem(text, key="pe.crossbars", value=hierarchy.crossbars_per_pe, allowed="at least 2")]
    if cells.columns + cells.reference_columns <= hierarchy.cols:
        return []
    text = f"one weight of layer '{layer.name}' takes {cells.columns + cells.reference_columns} columns of a crossbar"
    allowed = f"at least {cells.columns + cells.reference_columns} columns, more bits per cell, or fewer weight bits"
    return [Problem(text, key="crossbar.cols", value=hierarchy.cols, allowed=allowed)]


def _place_layer(layer: Layer, hierarchy: Hierarchy, replicas: int, first_pe: int) -> Placement:
    cells = weight_cells(layer.weight_bits, hierarchy.cell_bits, hierarchy.signed)
    taps = layer.kernel[0] * layer.kernel[1] if hierarchy.unroll == "kernel" else 1
    first, rows = _row_blocks(layer.reduction, taps, hierarchy.rows)
    width = (hierarchy.cols - cells.reference_columns) // cells.columns
    output = np.arange(0, layer.filters, width, dtype=np.int64)
    outputs = np.minimum(layer.filters - output, width)
    signs = np.array([1, -1] if cells.crossbars == 2 else [0], np.int64)
    shape = (replicas, layer.groups, len(output), len(first), len(signs))
    replica, group, column, block, sign = (axis.ravel() for axis in np.indices(shape))
    per_column = len(first) * len(signs)
    per_pe = hierarchy.crossbars_per_pe // len(signs) * len(signs)  # a PE holds both signs of its blocks
    pes_per_column = -(-per_column // per_pe)
    number = (replica * layer.groups + group) * len(output) + column
    within = (block * len(signs) + sign) // per_pe
    return Placement(
        layer=layer, cells=cells, hierarchy=hierarchy, step=taps, replica=replica, group=group, output=output[column],
        outputs=outputs[column], first=first[block], rows=rows[block], sign=signs[sign],
        pe=_first_pe_of(number, pes_per_column, first_pe, layer, hierarchy) + within,
    )  # fmt: skip


def _first_pe_of(number: Ints, pes_each: int, first_pe: int, layer: Layer, hierarchy: Hierarchy) -> Ints:
    """First PE of each column of a layer; a column that would cross the end of a round begins the next one."""
    if hierarchy.tiles is None or not hierarchy.reload:
        return first_pe + number * pes_each
    chip = hierarchy.tiles * hierarchy.pes_per_tile
    if pes_each > chip:
        raise MisfitError(
            f"one block of outputs of layer '{layer.name}', whose partial sums belong together",
            demand=pes_each, capacity=chip, unit="PEs", levers=("more tiles", "more PEs per tile", "larger crossbars"),
        )  # fmt: skip
    this_round, per_round = (chip - first_pe % chip) // pes_each, chip // pes_each
    later = np.maximum(number - this_round, 0)
    next_round = (first_pe // chip + 1 + later // per_round) * chip + later % per_round * pes_each
    return np.where(number < this_round, first_pe + number * pes_each, next_round)


def _row_blocks(reduction: int, taps: int, most: int) -> tuple[Ints, Ints]:
    """First reduction index and rows of each block: blocks of channels outermost, then kernel positions."""
    channels = reduction // taps
    start = np.arange(0, channels, most, dtype=np.int64)
    rows = np.minimum(channels - start, most)
    first = start[:, None] * taps + np.arange(taps)[None, :]
    return first.ravel(), np.repeat(rows, taps)


def _check_capacity(placed: Sequence[Placement], hierarchy: Hierarchy, pes: int) -> None:
    if hierarchy.tiles is None or hierarchy.reload:
        return
    demand = -(-pes // hierarchy.pes_per_tile)
    if demand <= hierarchy.tiles:
        return
    largest = max(placed, key=lambda one: len(np.unique(one.tile))).layer.name
    raise MisfitError(
        f"the network's weights (most of them in '{largest}')",
        demand=demand, capacity=hierarchy.tiles, unit="tiles",
        levers=(
            f"tiles={demand}", "reload=true (with dram, and a cell that can be programmed)", "fewer replicas",
            "share_tiles=true",
            "larger crossbars, more bits per cell, or more PEs per tile",
        ),
    )  # fmt: skip


def useful_replicas(layer: Layer, wanted: int) -> int:
    """So many of the replicas of a layer as have output rows to handle, if all but the last have equally many."""
    rows = layer.out_shape[1]
    return -(-rows // -(-rows // min(wanted, rows)))


def balanced_replicas(layers: Sequence[Layer], hierarchy: Hierarchy, work: Sequence[float]) -> list[int]:
    """Replicas that shorten the slowest layer while tiles are left (``replicate: auto``).

    ``work`` is what a position of each layer takes. A replica handles a band of output rows; the layer whose band takes
    longest gets as many replicas as make it shorter, as long as all fit. MisfitError if one of each does not.
    """
    if hierarchy.tiles is None:
        text = "replicate: auto needs a chip of a stated size"
        raise UnsupportedError(Problem(text, key="tiles", value=None, allowed="a number of tiles"))
    place(layers, hierarchy)
    pes, copies = [pes_of(layer, hierarchy) for layer in layers], [1] * len(layers)

    def time(index: int, count: int) -> float:
        height, width = layers[index].out_shape[1:]
        return work[index] * -(-height // count) * width

    everyone = range(len(layers))
    while True:
        slowest = max(everyone, key=lambda index: time(index, copies[index]))
        height = layers[slowest].out_shape[1]
        band = -(-height // copies[slowest])
        more = [-(-height // (band - 1)) if index == slowest and band > 1 else copies[index] for index in everyone]
        if more == copies or _tiles(pes, more, hierarchy) > hierarchy.tiles:
            break
        copies = more
    pace = max(time(index, copies[index]) for index in everyone)
    return [next(count for count in range(1, copies[i] + 1) if time(i, count) <= pace) for i in everyone]


def _tiles(pes: Sequence[int], copies: Sequence[int], hierarchy: Hierarchy) -> int:
    taken = [each * count for each, count in zip(pes, copies, strict=True)]
    if hierarchy.share_tiles:
        return -(-sum(taken) // hierarchy.pes_per_tile)
    return sum(-(-each // hierarchy.pes_per_tile) for each in taken)

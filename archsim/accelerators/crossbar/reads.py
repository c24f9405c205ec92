"""What the spikes of a layer's input make its crossbars do at each output position and timestep.

An output position drives, for every crossbar that holds weights of its window, the word lines whose input is not zero
(one bit plane after the other where values are wider than a bit). With ``A[b, p]`` the active rows of row block ``b``
at position ``p`` and ``n`` the physical columns of all crossbars that hold ``b`` (slices, signs, reference columns):

* word lines driven: ``A`` for each of these crossbars; cells that conduct: ``A * n``;
* conversions: ``n`` for each block (``adc.share: crossbar``). Where the crossbars of a PE share converters and their
  currents are added first (``analog_sum``), one conversion serves a column of all of them, and its range must hold the
  active rows of them all. A converter whose resolution follows the active rows decides ``adc_bits(A)`` bits.
* Where at most so many word lines are driven at once (``active_rows``), a block is read in passes: its first rows, the
  next as many, and so on. Each pass has its own active rows, conversions and turn; pass ``i`` of all crossbars of a PE
  is added and converted together. A block without so many rows takes no part in it.
* A group of crossbars without an active row has nothing to convert: with ``skip_silent`` it is not converted, reads as
  zero, and sends nothing on.

Counts come from the values themselves, for all timesteps, positions and blocks at once.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators import spikes
from archsim.accelerators.crossbar.cells import WeightCells
from archsim.accelerators.crossbar.mapping import Placement
from archsim.workload import Layer

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Values = NDArray[np.integer[Any]]
Share = Literal["crossbar", "pe"]
MOST_ROWS = 65536  # of any crossbar


@dataclass(frozen=True)
class Converters:
    """Which crossbars share converters, whether their currents are added first, and whether silence is skipped.

    ``bits`` is their resolution, ``levels`` the conductance levels of a cell, ``rows_at_once`` how many word lines of a
    crossbar are driven at once, at most.
    """

    share: Share
    analog_sum: bool
    skip_silent: bool
    bits: int = 16
    levels: int = 2
    rows_at_once: int = MOST_ROWS

    def turns(self, crossbars_read: Ints, signs: int) -> Ints:
        """How many groups of columns the converters of a PE handle one after the other, if so many crossbars are read.

        Each of its crossbars in turn, or after an analog sum the positive and the negative ones; no turns where every
        crossbar has converters of its own.
        """
        if self.share == "crossbar":
            return np.minimum(crossbars_read, 1)
        return np.minimum(crossbars_read, signs) if self.analog_sum else crossbars_read


@dataclass(frozen=True)
class Reads:
    """Events of one layer, [timesteps, positions], over all bit planes and passes; positions row by row."""

    rows_driven: Ints
    row_bits: Ints  # input bits handed to the PEs: all rows of every block that is read
    cells_read: Ints
    products: Ints  # inputs that are not zero, whatever their width, times outputs
    crossbars_read: Ints  # reads of a crossbar in which at least one row is active
    conversions: Ints
    bits_decided: Ints  # of all conversions, if each decides as many as its active rows need
    groups_converted: Ints  # groups of rows that are converted together, for each block of outputs, both signs at once
    results: Ints  # values behind the converters: one for each output and group that is converted
    planes: Ints  # bit planes that are read at all, each as often as it has passes that are
    turns: Ints  # groups of columns converted one after the other, all planes and passes
    pe_results: Ints  # values that leave the PEs, all planes added
    pe_on: Bools  # [T, groups, PEs of a column, positions]: whether the PE has something to send
    most_active_rows: int  # that one conversion sees

    def only_first(self) -> Reads:
        """The events of the first timestep, and none after it."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, values in found.items():
            if isinstance(values, np.ndarray):
                found[name] = np.zeros_like(values)
                found[name][0] = values[0]
        return Reads(**found)


@dataclass(frozen=True)
class _Columns:
    """What holds the same rows, by group of the layer: blocks of outputs, physical columns, outputs; none: absent."""

    blocks: Ints
    physical: Ints
    outputs: Ints


def reads(values: Values, placement: Placement, converters: Converters) -> Reads:
    """Events of the layer's input ``values`` [T, C, H, W]; every position is handled by one replica."""
    steps = len(values)
    if steps > 1 and values.strides[0] == 0:  # the same at every timestep
        return _repeated(reads(values[:1], placement, converters), steps)
    layer, columns = placement.layer, _columns_of(placement)
    pe, rows = _of_first_column(placement, placement.pe), _of_first_column(placement, placement.rows)
    pes = np.flatnonzero(np.diff(pe, prepend=-1))
    shape = (steps, layer.positions)
    sums = {field.name: np.zeros(shape, np.int64) for field in fields(Reads) if field.name not in NOT_SUMMED}
    pe_on = np.zeros((steps, layer.groups, len(pes), layer.positions), np.bool_)
    most = 0
    for plane in range(layer.in_bits):
        bits = (values >> plane & 1).astype(np.uint8)
        is_read = np.zeros((steps, layer.groups, len(pe), layer.positions), np.bool_)
        for blocks, active in active_rows(bits, layer, placement, converters.rows_at_once):
            read = active > 0 if converters.skip_silent else np.ones_like(active, np.bool_)
            is_read[:, :, blocks] |= read
            most = max(most, _add_pass(sums, active, read, pe[blocks], placement.cells, converters, columns))
        sums["row_bits"] += _weighted(is_read * rows[:, None], columns.blocks)
        pe_on |= np.logical_or.reduceat(is_read, pes, axis=2)
    sums["pe_results"] += _weighted(pe_on, columns.outputs)
    inputs = spikes.per_position((values != 0).astype(np.uint8), layer)
    sums["products"] += np.einsum("tgp,g->tp", inputs, columns.outputs)
    return Reads(**sums, pe_on=pe_on, most_active_rows=most)


NOT_SUMMED = ("pe_on", "most_active_rows")


def _add_pass(
    sums: dict[str, Ints], active: Values, read: Bools, pe: Ints, cells: WeightCells, converters: Converters,
    columns: _Columns,
) -> int:  # fmt: skip
    """Add the events of one pass over a bit plane, with the PE of each block; returns the most rows of a conversion."""
    signs, present, pes = cells.crossbars, columns.blocks > 0, np.flatnonzero(np.diff(pe, prepend=-1))
    together = np.add.reduceat(active, pes, axis=2, dtype=np.int32) if converters.analog_sum else active
    converted = together > 0 if converters.skip_silent else np.ones_like(together, np.bool_)
    in_pe = np.add.reduceat(read, pes, axis=2, dtype=np.int64) * signs  # crossbars of each PE that are read
    sums["rows_driven"] += _weighted(active, columns.blocks) * signs
    sums["cells_read"] += _weighted(active, columns.physical)
    sums["crossbars_read"] += _weighted(active > 0, columns.blocks) * signs
    sums["conversions"] += _weighted(converted, columns.physical)
    needed = _bits_by_rows(int(together.max(initial=0)), converters)[together]
    sums["bits_decided"] += _weighted(needed * converted, columns.physical)
    sums["groups_converted"] += _weighted(converted, columns.blocks)
    sums["results"] += _weighted(converted, columns.outputs)
    longest = in_pe[:, present].max(axis=(1, 2)) if present.any() else np.zeros_like(sums["turns"])
    sums["planes"] += longest > 0
    sums["turns"] += converters.turns(longest, signs)
    return int(together[:, present].max(initial=0))


def _bits_by_rows(most: int, converters: Converters) -> Ints:
    """Bits decided by a conversion that sees so many active rows, at most what the converter has."""
    return np.array([min(adc_bits(rows, converters.levels), converters.bits) for rows in range(most + 1)], np.int64)


def _weighted(per_block: NDArray[Any], weight: Ints) -> Ints:
    """Sum over groups and blocks, each group with its weight: [T, groups, blocks, positions] -> [T, positions]."""
    by_group = per_block.sum(axis=2, dtype=np.int64)
    found: Ints = (by_group * weight[None, :, None]).sum(axis=1)
    return found


def _columns_of(placement: Placement) -> _Columns:
    """The columns of one replica, by group."""
    first = np.unique(placement.column, return_index=True)[1]
    first = first[placement.replica[first] == placement.replica.min()]
    group, outputs = placement.group[first], placement.outputs[first]
    cells, groups = placement.cells, placement.layer.groups
    physical = (outputs * cells.columns + cells.reference_columns) * cells.crossbars

    def by_group(weights: Ints) -> Ints:
        return np.bincount(group, weights=weights, minlength=groups).astype(np.int64)

    return _Columns(np.bincount(group, minlength=groups).astype(np.int64), by_group(physical), by_group(outputs))


def _of_first_column(placement: Placement, values: Ints) -> Ints:
    """A vector over crossbars, for the row blocks of one column (one entry for both signs of a block)."""
    found: Ints = values[placement.column == placement.column[0]][:: placement.cells.crossbars]
    return found


def _repeated(once: Reads, steps: int) -> Reads:
    """The same events at every timestep."""
    found = {field.name: getattr(once, field.name) for field in fields(Reads)}
    for name, values in found.items():
        if isinstance(values, np.ndarray):
            found[name] = np.broadcast_to(values, (steps, *values.shape[1:]))
    return Reads(**found)


def active_rows(
    bits: NDArray[np.uint8], layer: Layer, placement: Placement, at_once: int = MOST_ROWS
) -> list[tuple[Ints, Values]]:
    """Active rows of each pass: the blocks that have rows in it, and [T, groups, these blocks, positions].

    Blocks are numbered in placement order; pass ``i`` drives rows ``i * at_once`` and on, ``at_once`` at most.
    """
    first, rows = (_of_first_column(placement, one) for one in (placement.first, placement.rows))
    step = placement.step
    first, rows = first[::step] // step, rows[::step]  # of blocks of channels
    passes = -(-rows // at_once)
    block = np.repeat(np.arange(len(rows)), passes)  # of each piece that one pass drives
    number = np.arange(len(block)) - np.repeat(np.cumsum(passes) - passes, passes)
    start = first[block] + number * at_once
    pieces = _active_pieces(bits, layer, start, np.minimum(rows[block] - number * at_once, at_once), step)

    def of(places: Ints) -> Ints:
        return (places[:, None] * step + np.arange(step)).ravel()  # at every kernel position

    if len(block) == len(rows):
        return [(of(block), pieces)]
    passed = [number == i for i in range(int(passes.max()))]
    return [(of(block[mine]), pieces[:, :, of(np.flatnonzero(mine))]) for mine in passed]


def _active_pieces(bits: NDArray[np.uint8], layer: Layer, start: Ints, size: Ints, step: int) -> Values:
    """Active rows of pieces of ``size`` channels from ``start`` on, at each of ``step`` kernel positions.

    [T, groups, pieces and their kernel positions, positions]; with ``step`` 1 pieces are of reduction indices.
    """
    if step == 1:
        steps = [np.add.reduceat(spikes.windows(one, layer), start, axis=2, dtype=np.int32) for one in bits]
        return np.stack(steps).transpose(0, 1, 3, 2)
    counts = np.uint8 if size.max() < 256 else np.int32
    number, channels, height, width = bits.shape
    grouped = bits.reshape(number, layer.groups, channels // layer.groups, height, width)
    pieces = [
        grouped[:, :, first : first + many].sum(axis=2, dtype=counts) for first, many in zip(start, size, strict=True)
    ]
    summed = spikes.padded_maps(np.stack(pieces, axis=2), layer)
    taps = [summed[..., y, x] for y, x in spikes.window_slices(layer)]
    return np.stack(taps, axis=3).reshape(number, layer.groups, len(start) * step, -1)


def adc_bits(most_active_rows: int, levels: int) -> int:
    """Bits that a conversion needs to be exact: ``ceil(log2(rows * (levels - 1) + 1))``; at least one."""
    return max(1, int(most_active_rows * (levels - 1)).bit_length())

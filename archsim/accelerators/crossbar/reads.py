"""What the spikes of a layer's input make its crossbars do at each output position and timestep.

An output position drives, for every crossbar that holds weights of its window, the word lines whose input is not zero
(one bit plane after the other where values are wider than a bit). With ``A[b, p]`` the active rows of row block ``b``
at position ``p`` and ``n`` the physical columns of all crossbars that hold ``b`` (slices, signs, reference columns):

* word lines driven: ``A`` for each of these crossbars; cells that conduct: ``A * n``;
* conversions: ``n`` for each block (``adc.share: crossbar``). Where the crossbars of a PE share converters and their
  currents are added first (``analog_sum``), one conversion serves a column of all of them, and its range must hold the
  active rows of them all. A converter whose resolution follows the active rows decides ``adc_bits(A)`` bits.
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
from archsim.accelerators.crossbar.mapping import Placement
from archsim.workload import Layer

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Values = NDArray[np.integer[Any]]
Share = Literal["crossbar", "pe"]


@dataclass(frozen=True)
class Converters:
    """Which crossbars share converters, whether their currents are added first, and whether silence is skipped.

    ``bits`` is their resolution, ``levels`` the conductance levels of a cell.
    """

    share: Share
    analog_sum: bool
    skip_silent: bool
    bits: int = 16
    levels: int = 2

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
    """Events of one layer, [timesteps, positions], over all bit planes; positions row by row."""

    rows_driven: Ints
    row_bits: Ints  # input bits handed to the PEs: all rows of every block that is read
    cells_read: Ints
    products: Ints  # inputs that are not zero, whatever their width, times outputs
    crossbars_read: Ints  # reads of a crossbar in which at least one row is active
    conversions: Ints
    bits_decided: Ints  # of all conversions, if each decides as many as its active rows need
    groups_converted: Ints  # groups of rows that are converted together, for each block of outputs, both signs at once
    results: Ints  # values behind the converters: one for each output and group that is converted
    planes: Ints  # bit planes that are read at all
    turns: Ints  # groups of columns converted one after the other, all planes
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
    pe = _of_first_column(placement, placement.pe)
    pes = np.flatnonzero(np.diff(pe, prepend=-1))
    shape = (steps, layer.positions)
    sums = {field.name: np.zeros(shape, np.int64) for field in fields(Reads) if field.name not in NOT_SUMMED}
    pe_on = np.zeros((steps, layer.groups, len(pes), layer.positions), np.bool_)
    most = 0
    for plane in range(layer.in_bits):
        active = active_rows((values >> plane & 1).astype(np.uint8), layer, placement)
        most = max(most, _add_plane(sums, pe_on, active, pes, placement, converters, columns))
    sums["pe_results"] += _weighted(pe_on, columns.outputs)
    inputs = spikes.per_position((values != 0).astype(np.uint8), layer)
    sums["products"] += np.einsum("tgp,g->tp", inputs, columns.outputs)
    return Reads(**sums, pe_on=pe_on, most_active_rows=most)


NOT_SUMMED = ("pe_on", "most_active_rows")


def _add_plane(
    sums: dict[str, Ints], pe_on: Bools, active: Values, pes: Ints, placement: Placement, converters: Converters,
    columns: _Columns,
) -> int:  # fmt: skip
    """Add the events of one bit plane; returns the most active rows that a conversion sees."""
    signs, present = placement.cells.crossbars, columns.blocks > 0
    together = np.add.reduceat(active, pes, axis=2, dtype=np.int32) if converters.analog_sum else active
    read, converted = active > 0, together > 0
    if not converters.skip_silent:
        read, converted = np.ones_like(read), np.ones_like(converted)
    in_pe = np.add.reduceat(read, pes, axis=2, dtype=np.int64) * signs  # crossbars of each PE that are read
    pe_on |= in_pe > 0
    rows = _of_first_column(placement, placement.rows)
    sums["rows_driven"] += _weighted(active, columns.blocks) * signs
    sums["row_bits"] += _weighted(read * rows[:, None], columns.blocks)
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


def active_rows(bits: NDArray[np.uint8], layer: Layer, placement: Placement) -> NDArray[np.integer[Any]]:
    """Active rows of each row block at each position: [T, groups, blocks, positions], blocks in placement order."""
    first, rows = _of_first_column(placement, placement.first), _of_first_column(placement, placement.rows)
    counts = np.uint8 if placement.hierarchy.rows < 256 else np.int32
    if placement.step == 1:
        steps = [np.add.reduceat(spikes.windows(step, layer), first, axis=2, dtype=np.int32) for step in bits]
        return np.stack(steps).transpose(0, 1, 3, 2)
    number, channels, height, width = bits.shape
    grouped = bits.reshape(number, layer.groups, channels // layer.groups, height, width)
    blocks = [
        grouped[:, :, start : start + size].sum(axis=2, dtype=counts)
        for start, size in zip(first[:: placement.step] // placement.step, rows[:: placement.step], strict=True)
    ]
    summed = spikes.padded_maps(np.stack(blocks, axis=2), layer)
    taps = [summed[..., y, x] for y, x in spikes.window_slices(layer)]
    return np.stack(taps, axis=3).reshape(number, layer.groups, len(first), -1)


def adc_bits(most_active_rows: int, levels: int) -> int:
    """Bits that a conversion needs to be exact: ``ceil(log2(rows * (levels - 1) + 1))``; at least one."""
    return max(1, int(most_active_rows * (levels - 1)).bit_length())

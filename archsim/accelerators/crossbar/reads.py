"""What the spikes of a layer's input make its crossbars do at each output position and timestep.

An output position drives, for every crossbar that holds weights of its window, the word lines whose input is not zero
(one bit plane after the other where values are wider than a bit). With ``A[b, p]`` the active rows of row block ``b``
at position ``p`` and ``n`` the physical columns of all crossbars that hold ``b`` (slices, signs, reference columns):

* word lines driven: ``A`` for each of these crossbars; cells that conduct: ``A * n``;
* conversions: ``n`` for each block (``adc_share: crossbar``). Where the crossbars of a PE share converters and their
  currents are added first (``analog_sum``), one conversion serves a column of all of them, and its range must hold the
  active rows of them all.
* A group of crossbars without an active row has nothing to convert: with ``adc_skip`` it is not converted.

Counts come from the values themselves, for all timesteps, positions and blocks at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators import spikes
from archsim.accelerators.crossbar.mapping import Placement
from archsim.workload import Layer

Ints = NDArray[np.int64]
Values = NDArray[np.integer[Any]]
Share = Literal["crossbar", "pe"]


@dataclass(frozen=True)
class Converters:
    """Which crossbars share converters, whether their currents are added first, and whether silence is skipped."""

    share: Share
    analog_sum: bool
    skip_silent: bool


@dataclass(frozen=True)
class Reads:
    """Events of one layer, [timesteps, positions], over all bit planes; positions row by row."""

    rows_driven: Ints
    cells_read: Ints
    conversions: Ints
    crossbars_read: Ints  # reads of a crossbar in which at least one row is active
    most_active_rows: int  # that one conversion sees


def reads(values: Values, placement: Placement, converters: Converters) -> Reads:
    """Events of the layer's input ``values`` [T, C, H, W]; every position is handled by one replica."""
    layer, cells = placement.layer, placement.cells
    one = (placement.replica == 0) & (placement.group == 0)
    per_output_block = placement.outputs[one][np.unique(placement.column[one], return_index=True)[1]]
    crossbars = len(per_output_block) * cells.crossbars  # that hold the same rows
    columns = int((per_output_block * cells.columns + cells.reference_columns).sum()) * cells.crossbars
    groups = _convert_together(placement, converters)
    rows_driven, crossbars_read, conversions = (np.zeros((len(values), layer.positions), np.int64) for _ in range(3))
    most = 0
    for plane in range(layer.in_bits):
        active = active_rows((values >> plane & 1).astype(np.uint8), layer, placement)
        together = active if groups is None else np.add.reduceat(active, groups, axis=2, dtype=np.int32)
        rows_driven += active.sum(axis=(1, 2), dtype=np.int64)
        crossbars_read += (active > 0).sum(axis=(1, 2), dtype=np.int64)
        if converters.skip_silent:
            conversions += (together > 0).sum(axis=(1, 2), dtype=np.int64)
        else:
            conversions += together.shape[1] * together.shape[2]
        most = max(most, int(together.max(initial=0)))
    return Reads(
        rows_driven=rows_driven * crossbars, cells_read=rows_driven * columns, conversions=conversions * columns,
        crossbars_read=crossbars_read * crossbars, most_active_rows=most,
    )  # fmt: skip


def _convert_together(placement: Placement, converters: Converters) -> Ints | None:
    """First row block of each run of blocks whose currents are added before conversion; None: each by itself."""
    if converters.share != "pe" or not converters.analog_sum:
        return None
    pe = _of_first_column(placement, placement.pe)
    return np.flatnonzero(np.diff(pe, prepend=-1))


def _of_first_column(placement: Placement, values: Ints) -> Ints:
    """A vector over crossbars, for the row blocks of the first column (one entry for both signs of a block)."""
    first = (placement.replica == 0) & (placement.group == 0) & (placement.output == 0)
    found: Ints = values[first][:: placement.cells.crossbars]
    return found


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

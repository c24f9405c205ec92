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
    layer, blocks = placement.layer, _RowBlocks(placement, converters)
    total = {name: np.zeros((len(values), layer.positions), np.int64) for name in ("rows", "cells", "adc", "read")}
    most = 0
    for plane in range(layer.in_bits):
        bits = (values >> plane & 1).astype(np.uint8)
        active = active_rows(bits, layer, placement)  # [T, groups, blocks, positions]
        total["rows"] += np.einsum("tgbp,b->tp", active, blocks.crossbars)
        total["cells"] += np.einsum("tgbp,b->tp", active, blocks.columns)
        total["read"] += np.einsum("tgbp,b->tp", active > 0, blocks.crossbars)
        together = np.add.reduceat(active, blocks.group_start, axis=2)
        awake = together > 0 if converters.skip_silent else np.ones(together.shape, bool)
        total["adc"] += np.einsum("tgbp,b->tp", awake, blocks.conversions)
        most = max(most, int(together.max(initial=0)))
    return Reads(total["rows"], total["cells"], total["adc"], total["read"], most)


class _RowBlocks:
    """The row blocks of one group of a layer: how many crossbars and columns hold each, and which convert together."""

    def __init__(self, placement: Placement, converters: Converters) -> None:
        cells, signs = placement.cells, placement.cells.crossbars
        one = (placement.replica == 0) & (placement.group == 0)
        columns = placement.column[one]
        first_column = one.nonzero()[0][columns == 0]
        per_output_block = placement.outputs[one][np.unique(columns, return_index=True)[1]]
        physical = int((per_output_block * cells.columns + cells.reference_columns).sum()) * signs
        blocks = len(first_column) // signs
        self.crossbars = np.full(blocks, len(per_output_block) * signs, np.int64)
        self.columns = np.full(blocks, physical, np.int64)
        together = np.arange(blocks)
        if converters.share == "pe" and converters.analog_sum:
            together = (placement.pe[first_column] - placement.pe[first_column[0]])[::signs]
        self.group_start = np.flatnonzero(np.diff(together, prepend=-1))
        self.conversions = np.full(len(self.group_start), physical, np.int64)


def active_rows(bits: NDArray[np.uint8], layer: Layer, placement: Placement) -> Ints:
    """Active rows of each row block at each position: [T, groups, blocks, positions], blocks in placement order."""
    first = placement.first[(placement.replica == 0) & (placement.group == 0) & (placement.output == 0)]
    first = first[:: placement.cells.crossbars]
    if placement.step == 1:
        steps = [np.add.reduceat(spikes.windows(step, layer), first, axis=2, dtype=np.int64) for step in bits]
        return np.stack(steps).transpose(0, 1, 3, 2)
    steps_, channels, height, width = bits.shape
    grouped = bits.reshape(steps_, layer.groups, channels // layer.groups, height, width)
    starts = first[:: placement.step] // placement.step  # first channel of each block
    summed = spikes.padded_maps(np.add.reduceat(grouped, starts, axis=2, dtype=np.int64), layer)
    taps = [summed[..., rows, cols] for rows, cols in spikes.window_slices(layer)]
    return np.stack(taps, axis=3).reshape(steps_, layer.groups, len(first), -1)


def adc_bits(most_active_rows: int, levels: int) -> int:
    """Bits that a conversion needs to be exact: ``ceil(log2(rows * (levels - 1) + 1))``; at least one."""
    return max(1, int(most_active_rows * (levels - 1)).bit_length())

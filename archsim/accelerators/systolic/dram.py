"""The DRAM channel as a unit: one fifo on which loads and stores of all operands compete."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.systolic.geometry import ceil_div
from archsim.accelerators.systolic.schema import SystolicArchitecture
from archsim.taskgraph import MOST_CYCLES, GraphBuilder, Span

Ints = NDArray[np.int64]


class DramChannel:
    """Makes DRAM tasks for one layer, and counts what transfers move.

    A transfer of ``n`` bits holds the channel for ``ceil(n / bits per cycle)`` cycles and its data is there ``latency``
    cycles later. It opens ``ceil(n / row bits)`` rows. A channel of unlimited bandwidth has no tasks (``timed`` is
    false).
    """

    def __init__(self, builder: GraphBuilder, arch: SystolicArchitecture, layer: int) -> None:
        self._builder, self._layer = builder, layer
        self._rate, self._latency_cycles = arch.dram_bits_per_cycle, arch.dram_latency_cycles
        self._row_bits = int(arch.dram.row) * 8

    @property
    def timed(self) -> bool:
        """Whether transfers take time."""
        return self._rate is not None

    def tasks(self, bits: Ints, timestep: Ints | int) -> Span:
        """One task for each transfer."""
        assert self._rate is not None
        cycles = np.minimum(bits / self._rate, MOST_CYCLES + 1)  # the builder refuses what is longer
        duration = np.maximum(np.ceil(cycles).astype(np.int64), 1)
        return self._builder.block(
            len(bits), layer=self._layer, unit=self._builder.unit("dram", "fifo"), duration=duration,
            latency=self._latency_cycles, timestep=timestep,
        )  # fmt: skip

    def count(self, span: Span, way: str, bits: Ints) -> None:
        """Count the bits that each task of a span reads or writes, and the rows opened for them."""
        self._builder.count("dram", f"{way}_bit", span, bits)
        self._builder.count("dram", "activate", span, self.rows(bits))

    def rows(self, bits: Ints) -> Ints:
        """Rows opened for transfers of so many bits."""
        return ceil_div(bits, self._row_bits)

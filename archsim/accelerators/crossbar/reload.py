"""A network larger than the chip: its weights are loaded in rounds, for every input anew.

A round's weights come from DRAM through the tile in the corner, over the mesh and the wires of their tiles, and are
programmed row by row: the cells of a row at once, the crossbars of a PE one after the other (they share write drivers),
all PEs side by side. Every round waits for the one before.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from archsim.accelerators.crossbar.chip import CORNER, Chip
from archsim.accelerators.crossbar.mapping import Placement
from archsim.accelerators.dram import DramChannel
from archsim.accelerators.stages import Stage
from archsim.taskgraph import DATA, SYNC


class Loader:
    """Tasks of the unit ``program``."""

    def __init__(self, chip: Chip) -> None:
        self.chip = chip
        self._before: int | None = None

    def load(self, parts: Mapping[Stage, Placement]) -> int:
        """Program what is there in a round; returns the task behind which everything is."""
        builder, arch = self.chip.builder, self.chip.arch
        assert arch.dram is not None  # a chip without is not loaded in rounds
        last: list[int] = []
        for stage, part in parts.items():
            layer = stage.layer
            weights = np.bincount(part.chip_tile, weights=part.rows * part.outputs * (part.sign >= 0))
            by_tile = weights.astype(np.int64) * layer.weight_bits
            bits, flits = by_tile.sum(keepdims=True), -(-by_tile // arch.noc.flit_bits)
            span = builder.block(
                1, layer=layer.index, unit=builder.unit("program"), duration=self._cycles(part)
            )  # fmt: skip
            dram = DramChannel(builder, arch.dram, arch.clock_mhz, layer.index)
            if dram.timed:
                fetched = dram.tasks(bits, -1, at_least=int(flits[CORNER + 1 :].sum()))
                if self._before is not None:
                    builder.edge(fetched, self._before, SYNC)
                builder.edge(span, fetched.ids, DATA)
            elif self._before is not None:
                builder.edge(span, self._before, SYNC)
            dram.count(span, "read", bits)
            hops = np.array([self.chip.mesh.hops(CORNER, tile) for tile in range(len(flits))])
            away = hops > 0
            for tile in np.flatnonzero(flits).tolist():
                self.chip.links.add(CORNER, (tile,), int(flits[tile]), multicast=True)
            builder.count("router", "flit", span, int((flits * (hops + 1))[away].sum()))
            builder.count("link", "bit", span, int((flits * hops).sum()) * arch.noc.flit_bits)
            builder.count(arch.tile.wiring, "bit", span, int(bits[0]))
            builder.count("wordline_driver", "drive", span, int(part.rows.sum()))
            builder.count("cells", "program", span, part.programmed_cells)
            last.append(span.last)
        return builder.barrier(next(iter(parts)).layer.index, last)

    def done(self, last: list[int]) -> None:
        """The round has ended: the drivers are busy until then, so that no next input is loaded over it."""
        builder, chip = self.chip.builder, self.chip
        span = builder.block(1, layer=chip.stages[-1].layer.index, unit=builder.unit("program"), duration=0)
        builder.join(span.first, last, SYNC)
        self._before = span.first

    def _cycles(self, part: Placement) -> int:
        arch = self.chip.arch
        row_ns = arch.crossbar.cell.programming_time_ns(arch.crossbar.cols, at_once=arch.crossbar.cols)
        rows = int(np.bincount(part.pe - part.pe.min(), weights=part.rows).max())
        return arch.cycles(rows * row_ns)

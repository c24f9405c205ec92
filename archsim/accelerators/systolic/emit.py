"""Emits the tasks of one stage for some batches of timesteps: loads, passes, way out, with their edges and counts."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.dram import DramChannel
from archsim.accelerators.lowered import LayerFacts
from archsim.accelerators.stages import Stage
from archsim.accelerators.systolic.counts import count_pass, count_tail
from archsim.accelerators.systolic.loads import TileLoader
from archsim.accelerators.systolic.passes import Passes
from archsim.accelerators.systolic.state import StageState
from archsim.accelerators.systolic.wayout import WayOut
from archsim.taskgraph import DATA, NONE, SYNC, GraphBuilder, Span
from archsim.workload import Workload

Ints = NDArray[np.int64]


class StageEmitter:
    """One stage, one run of equal batches."""

    def __init__(
        self, builder: GraphBuilder, workload: Workload, sample: int, stage: Stage, passes: Passes, state: StageState,
    ) -> None:  # fmt: skip
        self.builder, self.workload, self.sample = builder, workload, sample
        self.stage, self.passes, self.state = stage, passes, state
        self.arch, self.geometry = passes.arch, passes.geometry
        self.layer = stage.layer.index
        self.dram = DramChannel(builder, self.arch.dram, self.arch.clock_mhz, self.layer)
        self.tiles = TileLoader(workload.network, stage, passes, state, self.dram)
        self.wayout = WayOut(workload.network, stage, passes, state, self.dram)
        self._last_tasks: list[int] = []

    def emit(self, barrier: int | None) -> None:
        """Add everything to the graph; ``barrier`` is the task behind which this stage's input is there."""
        _ = self.tiles.weight, self.tiles.ifmap  # loads have lower indices than the passes that need them
        array, tails = self._reserve()
        self.tiles.connect(self.builder, array, barrier)
        self.tiles.hold(self.builder, array)
        self._spill_partial_sums(array, barrier)
        self.wayout.connect(self.builder, array, tails, barrier)
        self.wayout.store(self.builder, tails[-1].ids if tails else self.wayout.outputs.of(array.ids))
        count_pass(self, array)
        for span, (_, ops) in zip(tails, self.wayout.chain, strict=True):
            count_tail(self, span, ops)
        self._last_tasks += [array.last, *self.wayout.last_tasks]

    def barrier(self) -> int:
        """The task that everything of this stage has finished before."""
        return self.builder.barrier(self.layer, self._last_tasks)

    def _reserve(self) -> tuple[Span, list[Span]]:
        """Tasks of the array and of each tail step; interleaved pass by pass where every pass completes its outputs."""
        passes, builder, outputs, chain = self.passes, self.builder, self.wayout.outputs, self.wayout.chain
        count, final, steps = passes.count, outputs.count, len(chain)
        if final == count:
            first = builder.reserve(count * (1 + steps), self.layer)
            spans = [Span(first + step, count, 1 + steps) for step in range(1 + steps)]
            array, tails = spans[0], spans[1:]
        else:
            array, first = Span(builder.reserve(count, self.layer), count), builder.reserve(final * steps, self.layer)
            tails = [Span(first + step, final, steps) for step in range(steps)]
        builder.fill(array, unit=builder.unit("array"), duration=passes.cycles, timestep=passes.timestep_of(passes.b))
        for span, (unit, ops) in zip(tails, chain, strict=True):
            builder.fill(
                span, unit=builder.unit(unit), duration=self.wayout.cycles(unit, ops),
                latency=self.arch.neuron.latency_cycles if unit == "neuron" else 0,
                timestep=passes.timestep_of(outputs.b),
            )  # fmt: skip
        return array, tails

    @property
    def partial_sums_spill(self) -> bool:
        """Whether the live partial sums of one column of folds exceed half of the ofmap buffer."""
        if not self.passes.reduction_is_cut:
            return False
        return int(self.passes.partial_sums.max()) * self.arch.pe.accumulator_bits > self.arch.buffers.ofmap.usable_bits

    def _spill_partial_sums(self, array: Span, barrier: int | None) -> None:
        """Partial sums that do not fit half of the ofmap buffer stream through DRAM beside the pass that needs them."""
        if not self.partial_sums_spill or not self.dram.timed:
            return
        passes = self.passes
        bits = (passes.partial_sums_read + passes.partial_sums_written) * self.arch.pe.accumulator_bits
        at = np.flatnonzero(bits > 0)
        span = self.dram.tasks(bits[at], passes.timestep_of(passes.b[at]))
        self.builder.edge(span, np.where(at > 0, array.ids[at - 1], NONE), DATA)
        if barrier is not None:
            self.builder.edge(span, barrier, SYNC)
        before = np.full(array.count, NONE, np.int64)
        inside = at + 1 < array.count
        before[at[inside] + 1] = span.ids[inside]
        self.builder.edge(array, before, DATA)
        self._last_tasks.append(span.last)

    def facts(self, so_far: LayerFacts | None) -> LayerFacts:
        """Facts of the layer after these batches."""
        passes, layer, array = self.passes, self.stage.layer, self.arch.array
        used = int((passes.rows_used * passes.cols_used).sum()) / passes.count / (array.rows * array.cols)
        folds = layer.groups * prod(tiles.count for tiles in self.geometry.tiles.values())
        earlier, utilisation = 0, used
        if so_far is not None:
            earlier, folds = so_far.passes, so_far.folds
            utilisation = (so_far.utilisation * earlier + used * passes.count) / (earlier + passes.count)
        return LayerFacts(
            name=layer.name, kind=layer.kind, folds=folds, passes=earlier + passes.count, utilisation=utilisation,
            dense_products=layer.macs * self.workload.network.timesteps, density=passes.statistics.density,
            in_bits=layer.in_bits, out_shape=layer.out_shape, members=self.stage.members,
        )  # fmt: skip

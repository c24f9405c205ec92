"""The way out of the array: tail tasks, membranes at home in DRAM, residual operands, and stores."""

from __future__ import annotations

from functools import cached_property, reduce

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.dram import DramChannel
from archsim.accelerators.stages import Stage, TailOp, TailUnit
from archsim.accelerators.systolic.checks import current_holders, membrane_home
from archsim.accelerators.systolic.geometry import ceil_div
from archsim.accelerators.systolic.passes import Passes
from archsim.accelerators.systolic.state import StageState
from archsim.accelerators.systolic.tail import (
    MembraneTraffic,
    Outputs,
    membrane_traffic,
    most_restored_bits,
    neuron_cycles,
    tail_tasks,
    visits,
)
from archsim.taskgraph import DATA, NONE, SYNC, GraphBuilder, Span
from archsim.workload import Network

Ints = NDArray[np.int64]
PASSES_PER_STORE = 64  # outputs of up to so many passes are stored by one DMA request


class WayOut:
    """What happens to the outputs of one stage for one run of batches."""

    def __init__(self, network: Network, stage: Stage, passes: Passes, state: StageState, dram: DramChannel) -> None:
        self.network, self.stage, self.passes, self.state, self.dram = network, stage, passes, state, dram
        self.arch, self.geometry = passes.arch, passes.geometry
        self.outputs = Outputs(passes, stage)
        ideal = self.arch.neuron.units == "ideal"
        self.chain = [part for part in tail_tasks(stage.tail) if not ideal or part[0] == "vector"]
        self.last_tasks: list[int] = []

    def cycles(self, unit: TailUnit, ops: list[TailOp]) -> Ints:
        """Duration of one step for each completing pass."""
        values = [self.outputs.spread(op.elements) for op in ops]
        if unit == "vector":
            return ceil_div(reduce(np.add, values), self.arch.vector.lanes)
        cycles: Ints = reduce(np.add, [neuron_cycles(self.arch, self.passes, self.outputs, value) for value in values])
        buffer = self.arch.buffers.membrane
        if buffer is not None and self.arch.buffers.port_limited:
            for op in ops:
                traffic = self.membrane(op)
                for bits in (traffic.bits_read, traffic.bits_written):
                    cycles = np.maximum(cycles, ceil_div(ceil_div(bits, buffer.line_bits), buffer.banks))
        return cycles

    def connect(self, builder: GraphBuilder, array: Span, tails: list[Span], barrier: int | None) -> None:
        """Each step follows the one before it; DRAM tasks of membranes and residual operands beside it."""
        before = self.outputs.of(array.ids)
        for number, (span, (_, ops)) in enumerate(zip(tails, self.chain, strict=True)):
            builder.edge(span, before, DATA)
            if number == 0:
                self._hold_completed(builder, before, span)
            for op in ops:
                if op.unit == "neuron":
                    self._connect_membrane(builder, op, span)
                elif op.skip is not None:
                    self._connect_skip(builder, op, span, barrier)
            before = span.ids
            self.last_tasks.append(span.last)

    def _hold_completed(self, builder: GraphBuilder, array: Ints, first_step: Span) -> None:
        """Completed sums rest until the first step has read them: in the accumulators, or in half of the ofmap buffer.

        Those of one pass pass through even if they are more than that half.
        """
        if self.geometry.flow.stationary == "ofmap":
            builder.holds("accumulators", self.arch.pe.accumulator_sets, array, first_step.ids, 1)
            return
        room = self.arch.buffers.ofmap.usable_bits
        bits = np.minimum(self.outputs.values * self.arch.pe.accumulator_bits, room)
        builder.holds("completed_sums", room, array, first_step.ids, bits)

    @cached_property
    def visits(self) -> int:
        """How often each neuron is visited."""
        return visits(self.arch, self.geometry.flow.stationary, self.network.timesteps)

    def membrane(self, op: TailOp) -> MembraneTraffic:
        """Saves and restores of a neuron layer in these batches."""
        held = op.layer.name in current_holders(self.arch, self.network)
        return membrane_traffic(self.outputs, op, self.visits, self.network.precision.membrane_bits, held)

    def membrane_home(self, op: TailOp) -> str:
        """``register``, ``sram`` or ``dram``: where this layer's membranes really rest."""
        return membrane_home(self.arch, self.network, op)

    def _connect_membrane(self, builder: GraphBuilder, op: TailOp, span: Span) -> None:
        """DRAM tasks that restore and save membranes at home in DRAM."""
        if self.membrane_home(op) != "dram" or not self.dram.timed:
            return
        traffic, b = self.membrane(op), self.outputs.b
        stores = np.full(span.count, NONE, np.int64)
        writes = np.flatnonzero(traffic.bits_written)
        if len(writes):
            saved = self.dram.tasks(traffic.bits_written[writes], self.passes.timestep_of(b[writes]))
            stores[writes] = saved.ids
            builder.edge(saved, span.ids[writes], DATA)
            self.last_tasks.append(saved.last)
        reads = np.flatnonzero(traffic.bits_read)
        if len(reads):
            restored = self.dram.tasks(traffic.bits_read[reads], self.passes.timestep_of(b[reads]))
            self._restore_after_save(builder, op, restored, reads, stores)
            before = np.full(span.count, NONE, np.int64)
            before[reads] = restored.ids
            builder.edge(span, before, DATA)
            room = 2 * most_restored_bits(
                self.geometry, op, self.network.timesteps, self.network.precision.membrane_bits
            )
            name = f"membrane_staging_{self.stage.index}_{op.layer.index}"
            builder.holds(name, room, restored.ids, span.ids[reads], traffic.bits_read[reads])
        self.state.membrane_stores[op.layer.name] = stores[b == self.passes.batches.count - 1]

    def _restore_after_save(
        self, builder: GraphBuilder, op: TailOp, restored: Span, reads: Ints, stores: Ints,
    ) -> None:  # fmt: skip
        """A membrane is restored after it was saved: a batch earlier, or by the fold before if that cut its batch."""
        previous = self.outputs.previous_visit()[reads]
        saved = np.where(previous >= 0, stores[np.maximum(previous, 0)], NONE)
        earlier = self.state.membrane_stores.get(op.layer.name)
        if earlier is not None:  # batches of another size have other folds: they wait for the last save
            folds = self.outputs.count
            same = np.arange(folds)[reads] % len(earlier) if folds % len(earlier) == 0 else -1
            saved = np.where(previous < 0, earlier[same], saved)
        builder.edge(restored, saved, DATA)
        if self.geometry.interleaved:
            cut = self.outputs.fold_before()[reads]
            builder.edge(restored, np.where(cut >= 0, stores[np.maximum(cut, 0)], NONE), DATA)

    def _connect_skip(self, builder: GraphBuilder, op: TailOp, span: Span, barrier: int | None) -> None:
        """The other operand of a residual add comes from DRAM, ahead of the pass that adds it."""
        bits = self.outputs.spread(op.elements) * op.skip_bits
        at = np.flatnonzero(bits)
        if not self.dram.timed or not len(at):
            return
        loads = self.dram.tasks(bits[at], self.passes.timestep_of(self.outputs.b[at]))
        if barrier is not None:
            builder.edge(loads, barrier, SYNC)
        before = np.full(span.count, NONE, np.int64)
        before[at] = loads.ids
        builder.edge(span, before, DATA)
        room = self.state.skip_room.setdefault(op, max(2 * int(bits.max()), self.arch.buffers.ifmap.usable_bits))
        builder.holds(f"skip_staging_{op.layer.index}", room, loads.ids, span.ids[at], bits[at])

    @cached_property
    def stored_bits(self) -> Ints:
        """Bits that each completing pass adds to the stored maps."""
        bits: Ints = reduce(np.add, [self.outputs.spread(part.elements) * part.bits for part in self.stage.stored])
        return bits

    @cached_property
    def _passes_per_store(self) -> int:
        most_bits = max(1, int(self.stored_bits.max()))
        return max(1, min(PASSES_PER_STORE, self.arch.buffers.ofmap.usable_bits // most_bits))

    def rows_opened(self, bits: Ints) -> Ints:
        """DRAM rows opened for values of the completing passes, counted at the first pass of each transfer.

        What the passes of one store group handle of one batch of timesteps lies together.
        """
        count, batches = self.outputs.count, self.passes.batches.count
        transfer = np.arange(count) // self._passes_per_store * batches + self.outputs.b
        total = np.bincount(transfer, weights=bits).astype(np.int64)
        first = np.zeros(len(total), np.int64)
        first[transfer[::-1]] = np.arange(count)[::-1]
        opened = np.zeros(count, np.int64)
        np.add.at(opened, first, self.dram.rows(total))
        return opened

    @cached_property
    def store_groups(self) -> tuple[Ints, Ints, Ints]:
        """First and last completing pass of each group that is stored together, and its bits.

        A group takes at most half of the ofmap buffer.
        """
        count, group = self.outputs.count, self._passes_per_store
        first = np.arange(0, count, group)
        return first, np.minimum(first + group, count) - 1, np.add.reduceat(self.stored_bits, first)

    def store(self, builder: GraphBuilder, source: Ints) -> None:
        """Outputs gather in the ofmap buffer, and each group is stored when its last pass is done."""
        if not self.dram.timed:
            return
        room, kept = self.arch.buffers.ofmap.usable_bits, self.store_groups[2] > 0
        first, last, bits = (column[kept] for column in self.store_groups)
        span = self.dram.tasks(bits, self.passes.timestep_of(self.outputs.b[last]))
        builder.edge(span, source[last], DATA)
        whole = self.geometry.flow.stationary == "ofmap"  # else the other half holds partial sums
        name, capacity = (
            ("ofmap_buffer", self.arch.buffers.ofmap.size_bits) if whole else ("ofmap_buffer_outputs", room)
        )
        builder.holds(name, capacity, source[first], span.ids, np.minimum(bits, room))
        self.last_tasks.append(span.last)

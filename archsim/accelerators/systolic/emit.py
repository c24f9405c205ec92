"""Emitting the tasks of one stage for some batches of timesteps: loads, passes, tail, stores, with their edges and counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.lowered import LayerFacts
from archsim.accelerators.systolic.counts import count_pass, count_tail
from archsim.accelerators.systolic.dataflows import Dimension
from archsim.accelerators.systolic.geometry import ceil_div, stored_weight_bits
from archsim.accelerators.systolic.nest import Loads
from archsim.accelerators.systolic.passes import Passes
from archsim.accelerators.systolic.stages import Stage, TailOp
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
from archsim.workload import Workload

Ints = NDArray[np.int64]
PASSES_PER_STORE = 64  # outputs of up to so many passes are stored by one DMA request


@dataclass
class StageState:
    """What one stage's batches leave for its next ones."""

    weights_stay: bool = False
    image_stays: bool = False  # a direct-coded input that is the same in every batch
    pending_weights: tuple[Ints, Ints] | None = None  # (load tasks, bits) whose release is the last pass of a later batch
    skip_room: dict[TailOp, int] = field(default_factory=dict)  # bits of the buffer that a skip map comes through
    membrane_stores: dict[str, Ints] = field(default_factory=dict)  # per neuron layer, the store of each completing pass


class StageEmitter:
    """One stage, one run of equal batches."""

    def __init__(
        self, builder: GraphBuilder, workload: Workload, sample: int, stage: Stage, passes: Passes, state: StageState,
    ) -> None:  # fmt: skip
        self.builder, self.workload, self.sample = builder, workload, sample
        self.stage, self.passes, self.state = stage, passes, state
        self.arch, self.geometry = passes.arch, passes.geometry
        self.layer = stage.layer.index
        self.outputs = Outputs(passes, stage)
        self.chain = [] if self.arch.neuron.units == "ideal" else tail_tasks(stage.tail)
        if self.arch.neuron.units == "ideal":
            self.chain = [part for part in tail_tasks(stage.tail) if part[0] == "vector"]
        self.rate = self.arch.dram_bits_per_cycle
        self._last_tasks: list[int] = []

    def emit(self, barrier: int | None) -> None:
        """Add everything to the graph; ``barrier`` is the task behind which this stage's input is there."""
        (weight_loads, weight_bits), (ifmap_loads, ifmap_bits) = self.weight_loads, self.ifmap_loads
        weight_span = self._load_tasks("weight", weight_loads, weight_bits, None)
        ifmap_span = self._load_tasks("ifmap", ifmap_loads, ifmap_bits, barrier)
        array, tails = self._reserve()
        self._connect_loads(array, weight_span, weight_loads, ifmap_span, ifmap_loads, barrier)
        self._hold_tiles(array, weight_span, weight_loads, weight_bits, ifmap_span, ifmap_loads, ifmap_bits)
        self._spill_partial_sums(array, barrier)
        self._emit_tail(array, tails, barrier)
        self._emit_stores(array, tails)
        count_pass(self, array)
        self._last_tasks.append(array.last)

    def barrier(self) -> int:
        """The task that everything of this stage has finished before."""
        return self.builder.barrier(self.layer, self._last_tasks)

    # -- tiles from DRAM ---------------------------------------------------------------------------------------------

    @cached_property
    def weight_loads(self) -> tuple[Loads, Ints]:
        """When weight tiles are loaded, and the bits of each."""
        geometry, passes = self.geometry, self.passes
        bits = geometry.weight_bits
        usable = self.arch.buffers.weight.usable_bits
        loads = passes.nest.loads(geometry.weight_depends, geometry.weight_size, usable)
        each = bits[passes.of("reduction")[loads.at], passes.of("filters")[loads.at]]
        return self._needed(loads, each * (not self.state.weights_stay))

    @cached_property
    def ifmap_loads(self) -> tuple[Loads, Ints]:
        """When input tiles are loaded, and the bits of each: whole tiles, or what the tile before lacks."""
        geometry, passes = self.geometry, self.passes
        depends = geometry.ifmap_depends
        loads = passes.nest.loads(depends, geometry.ifmap_size, self.arch.buffers.ifmap.usable_bits)
        rows = self._new_or_all(loads, "positions", geometry.rows)
        channels = self._new_or_all(loads, "reduction", geometry.channels)
        return self._needed(loads, rows * channels * geometry.row_bits * (not self.state.image_stays))

    def _new_or_all(self, loads: Loads, dimension: Dimension, bands: tuple[Ints, Ints]) -> Ints:
        """Extent of a band that each load brings: what the fold before lacks, if that is still in the buffer; else all."""
        (everything, new), nest = bands, self.passes.nest
        fold, var = self.passes.of(dimension)[loads.at], self.geometry.tiles[dimension].var
        lag = nest.keeps_previous(var, self.geometry.ifmap_depends, loads.resident_from) if var is not None else 0
        if lag == 0:
            return everything[fold]
        follows = np.zeros(len(fold), bool)
        follows[lag:] = fold[lag:] == fold[:-lag] + 1
        return np.where(follows, new[fold], everything[fold])

    def _needed(self, loads: Loads, bits: Ints) -> tuple[Loads, Ints]:
        """Drop loads of nothing, and loads for passes that do not compute."""
        keep = bits > 0
        if not isinstance(self.passes.computes, bool):
            keep &= self.passes.computes[loads.at]
        return Loads(loads.at[keep], loads.until[keep], loads.resident_from), bits[keep]

    def _load_tasks(self, operand: str, loads: Loads, bits: Ints, barrier: int | None) -> Span | None:
        """DRAM tasks that bring the tiles; none when DRAM never stalls the array."""
        if self.rate is None or len(bits) == 0:
            return None
        timestep = self._timestep_of(loads.at) if operand == "ifmap" and not self.geometry.width.constant else NONE
        span = self._dram_tasks(bits, timestep)
        if barrier is not None:
            self.builder.edge(span, barrier, SYNC)
        return span

    def _dram_tasks(self, bits: Ints, timestep: Ints | int) -> Span:
        assert self.rate is not None
        duration = np.maximum(np.ceil(bits / self.rate).astype(np.int64), 1)
        return self.builder.block(
            len(bits), layer=self.layer, unit=self.builder.unit("dram", "fifo"), duration=duration,
            latency=self.arch.dram_latency_cycles, timestep=timestep,
        )  # fmt: skip

    def _timestep_of(self, at: Ints) -> Ints | int:
        batches = self.passes.batches
        return batches.first + self.passes.b[at] if batches.size == 1 else NONE

    # -- passes ------------------------------------------------------------------------------------------------------

    def _reserve(self) -> tuple[Span, list[Span]]:
        """Tasks of the array and of each tail step; interleaved pass by pass where every pass completes its outputs."""
        passes, builder = self.passes, self.builder
        count, final, steps = passes.count, self.outputs.count, len(self.chain)
        if final == count:
            segment = builder.segment(count * (1 + steps), self.layer)
            spans = [Span(segment.first + step, count, 1 + steps) for step in range(1 + steps)]
            array, tails = spans[0], spans[1:]
        else:
            segment = builder.segment(count, self.layer)
            array = Span(segment.first, count)
            tail_segment = builder.segment(final * steps, self.layer)
            tails = [Span(tail_segment.first + step, final, steps) for step in range(steps)]
        every = np.arange(passes.count)
        segment.fill(array, unit=builder.unit("array"), duration=passes.cycles, timestep=self._timestep_of(every))
        where = segment if final == count else (tail_segment if steps else segment)
        for span, (unit, ops) in zip(tails, self.chain, strict=True):
            where.fill(
                span, unit=builder.unit(unit), duration=self._tail_cycles(unit, ops), timestep=self._timestep_of(self.outputs.at),
                latency=self.arch.neuron.latency_cycles if unit == "neuron" else 0,
            )  # fmt: skip
        return array, tails

    def _tail_cycles(self, unit: str, ops: list[TailOp]) -> Ints:
        values = [self.outputs.spread(op.elements) for op in ops]
        if unit == "vector":
            return ceil_div(np.add.reduce(values), self.arch.vector.lanes)
        cycles = np.add.reduce([neuron_cycles(self.arch, self.passes, self.outputs, value) for value in values])
        buffer = self.arch.buffers.membrane
        if buffer is not None and self.arch.buffers.port_limited:
            for op in ops:
                traffic = self.membrane(op)
                for bits in (traffic.bits_read, traffic.bits_written):
                    cycles = np.maximum(cycles, ceil_div(ceil_div(bits, buffer.line_bits), buffer.banks))
        return cycles

    def _connect_loads(
        self, array: Span, weight_span: Span | None, weight_loads: Loads, ifmap_span: Span | None, ifmap_loads: Loads,
        barrier: int | None,
    ) -> None:  # fmt: skip
        for span, loads in ((weight_span, weight_loads), (ifmap_span, ifmap_loads)):
            if span is not None:
                before = np.full(array.count, NONE, np.int64)
                before[loads.at] = span.ids
                self.builder.edge(array, before, DATA)
        if ifmap_span is None and barrier is not None:
            before = np.full(array.count, NONE, np.int64)
            before[0] = barrier
            self.builder.edge(array, before, SYNC)

    def _hold_tiles(
        self, array: Span, weight_span: Span | None, weight_loads: Loads, weight_bits: Ints, ifmap_span: Span | None,
        ifmap_loads: Loads, ifmap_bits: Ints,
    ) -> None:  # fmt: skip
        """Places in the weight and ifmap buffers, from the start of a load to the finish of the last pass that needs it."""
        ids = array.ids
        buffers, state = self.arch.buffers, self.state
        if state.pending_weights is not None:
            acquire, amount = state.pending_weights
            self._hold("weight", acquire, np.full(len(acquire), array.last), amount)
            state.pending_weights = None
        if weight_span is not None and not self._all_weights_static:
            amount = np.minimum(weight_bits, buffers.weight.usable_bits)
            if self._more_runs_follow and self._whole_layer_stays:
                state.pending_weights = (weight_span.ids, amount)
            else:
                self._hold("weight", weight_span.ids, ids[weight_loads.until], amount)
        if ifmap_span is not None:
            resident_from = min(ifmap_loads.resident_from, len(self.passes.nest.loops))
            whole = resident_from == 0 or self.passes.nest.loops[resident_from - 1].var in "bg"
            full = self.geometry.ifmap_bits
            position, reduction = self.passes.of("positions")[ifmap_loads.at], self.passes.of("reduction")[ifmap_loads.at]
            amount = ifmap_bits if whole else full[position, reduction]
            self._hold("ifmap", ifmap_span.ids, ids[ifmap_loads.until], np.minimum(amount, buffers.ifmap.usable_bits))

    @property
    def _all_weights_static(self) -> bool:
        return self.arch.timesteps.scope == "network" and self._weights_of_network <= self.arch.buffers.weight.usable_bits

    @property
    def _weights_of_network(self) -> int:
        return sum(stored_weight_bits(self.arch, layer) for layer in self.workload.network.weighted_layers)

    @property
    def _whole_layer_stays(self) -> bool:
        return stored_weight_bits(self.arch, self.stage.layer) <= self.arch.buffers.weight.usable_bits

    @property
    def _more_runs_follow(self) -> bool:
        batches = self.passes.batches
        covered = batches.first + batches.count * batches.size
        return self.arch.timesteps.scope != "network" and covered < self.workload.network.timesteps

    def _hold(self, name: str, acquire: Ints, release: Ints, amount: Ints) -> None:
        buffer = getattr(self.arch.buffers, name)
        levers = (f"buffers.{name}.size of at least {2 * int(amount.max()) // 8:,} bytes",)
        self.builder.holds(f"{name}_buffer", buffer.size_bits, acquire, release, amount, levers)

    def _spill_partial_sums(self, array: Span, barrier: int | None) -> None:
        """Partial sums that do not fit half of the ofmap buffer stream through DRAM beside the pass that needs them."""
        passes = self.passes
        bits = (passes.partial_sums_read + passes.partial_sums_written) * self.arch.pe.accumulator_bits
        if not self.partial_sums_spill or self.rate is None:
            return
        at = np.flatnonzero(bits > 0)
        span = self._dram_tasks(bits[at], self._timestep_of(at))
        ids = array.ids
        self.builder.edge(span, np.where(at > 0, ids[at - 1], NONE), DATA)
        if barrier is not None:
            self.builder.edge(span, barrier, SYNC)
        before = np.full(array.count, NONE, np.int64)
        inside = at + 1 < array.count
        before[at[inside] + 1] = span.ids[inside]
        self.builder.edge(array, before, DATA)
        self._last_tasks.append(span.last)

    @property
    def partial_sums_spill(self) -> bool:
        """Whether the live partial sums of one column of folds exceed half of the ofmap buffer."""
        if self.geometry.flow.stationary == "ofmap":
            return False
        return int(self.passes.partial_sums.max()) * self.arch.pe.accumulator_bits > self.arch.buffers.ofmap.usable_bits

    # -- the way out -------------------------------------------------------------------------------------------------

    def _emit_tail(self, array: Span, tails: list[Span], barrier: int | None) -> None:
        before = array.ids[self.outputs.at]
        for number, (span, (unit, ops)) in enumerate(zip(tails, self.chain, strict=True)):
            self.builder.edge(span, before, DATA)
            if number == 0 and unit == "neuron" and self.geometry.flow.stationary == "ofmap":
                self.builder.holds("accumulators", self.arch.pe.accumulator_sets, array.ids, span.ids, 1)
            for op in ops:
                if op.unit == "neuron":
                    self._membrane_tasks(op, span)
                elif op.skip is not None:
                    self._skip_loads(op, span, barrier)
            count_tail(self, span, ops)
            before = span.ids
            self._last_tasks.append(span.last)

    @cached_property
    def visits(self) -> int:
        """How often each neuron is visited."""
        return visits(self.arch, self.geometry.flow.stationary, self.workload.network.timesteps)

    def membrane(self, op: TailOp) -> MembraneTraffic:
        """Saves and restores of a neuron layer in these batches."""
        held = self.geometry.width.once and op is self.stage.tail[0]
        return membrane_traffic(self.outputs, op, self.visits, self.workload.network.precision.membrane_bits, held)

    def membrane_home(self, op: TailOp) -> str:
        """``register``, ``sram`` or ``dram``: where this layer's membranes really rest."""
        from archsim.accelerators.systolic.checks import membrane_home

        return membrane_home(self.arch, self.workload.network, self.geometry.flow.stationary, op)

    def _membrane_tasks(self, op: TailOp, span: Span) -> None:
        """DRAM tasks that restore and save membranes at home in DRAM."""
        if self.membrane_home(op) != "dram" or self.rate is None:
            return
        traffic = self.membrane(op)
        reads, writes = np.flatnonzero(traffic.bits_read), np.flatnonzero(traffic.bits_written)
        stores = np.full(span.count, NONE, np.int64)
        store_span = self._dram_tasks(traffic.bits_written[writes], self._timestep_of(self.outputs.at[writes])) if len(writes) else None
        if store_span is not None:
            stores[writes] = store_span.ids
            self.builder.edge(store_span, span.ids[writes], DATA)
            self._last_tasks.append(store_span.last)
        if len(reads):
            load_span = self._dram_tasks(traffic.bits_read[reads], self._timestep_of(self.outputs.at[reads]))
            previous = self.outputs.previous_visit()[reads]
            earlier = self.state.membrane_stores.get(op.layer.name)
            saved = np.where(previous >= 0, stores[np.maximum(previous, 0)], NONE)
            if earlier is not None:  # batches of another size have other folds: they wait for the last save
                same_folds = np.arange(span.count)[reads] % len(earlier) if span.count % len(earlier) == 0 else -1
                saved = np.where(previous < 0, earlier[same_folds], saved)
            self.builder.edge(load_span, saved, DATA)
            if self.geometry.interleaved:
                cut = self.outputs.fold_before()[reads]
                self.builder.edge(load_span, np.where(cut >= 0, stores[np.maximum(cut, 0)], NONE), DATA)
            before = np.full(span.count, NONE, np.int64)
            before[reads] = load_span.ids
            self.builder.edge(span, before, DATA)
            timesteps, precision = self.workload.network.timesteps, self.workload.network.precision
            room = 2 * most_restored_bits(self.geometry, op, timesteps, precision.membrane_bits)
            self.builder.holds(f"membrane_staging_{self.stage.index}_{op.layer.index}", room, load_span.ids, span.ids[reads], traffic.bits_read[reads])
        last = self.passes.batches.count - 1
        final = stores[self.outputs.b == last]
        self.state.membrane_stores[op.layer.name] = final

    def _skip_loads(self, op: TailOp, span: Span, barrier: int | None) -> None:
        """The other operand of a residual add comes from DRAM, ahead of the pass that adds it."""
        bits = self.outputs.spread(op.elements) * op.skip_bits
        at = np.flatnonzero(bits)
        if self.rate is None or not len(at):
            return
        loads = self._dram_tasks(bits[at], self._timestep_of(self.outputs.at[at]))
        if barrier is not None:
            self.builder.edge(loads, barrier, SYNC)
        before = np.full(span.count, NONE, np.int64)
        before[at] = loads.ids
        self.builder.edge(span, before, DATA)
        room = self.state.skip_room.setdefault(op, max(2 * int(bits.max()), self.arch.buffers.ifmap.usable_bits))
        self.builder.holds(f"skip_staging_{op.layer.index}", room, loads.ids, span.ids[at], bits[at])

    @cached_property
    def stored_bits(self) -> Ints:
        """Bits that each completing pass adds to the stored maps."""
        return np.add.reduce([self.outputs.spread(stored.elements) * stored.bits for stored in self.stage.stored])

    def _emit_stores(self, array: Span, tails: list[Span]) -> None:
        """Outputs gather in the ofmap buffer and are stored in groups of passes."""
        bits = self.stored_bits
        source = tails[-1].ids if tails else array.ids[self.outputs.at]
        room = self.arch.buffers.ofmap.usable_bits
        group = max(1, min(PASSES_PER_STORE, room // max(1, int(bits.max()))))
        starts = np.arange(0, len(bits), group)
        amounts = np.add.reduceat(bits, starts)
        ends = np.minimum(starts + group, len(bits)) - 1
        self.store_groups = starts
        if self.rate is None:
            return
        kept = amounts > 0
        span = self._dram_tasks(amounts[kept], self._timestep_of(self.outputs.at[ends[kept]]))
        self.builder.edge(span, source[ends[kept]], DATA)
        held = np.minimum(amounts[kept], room)
        capacity = self.arch.buffers.ofmap.size_bits if self.geometry.flow.stationary == "ofmap" else room
        name = "ofmap_buffer" if self.geometry.flow.stationary == "ofmap" else "ofmap_buffer_outputs"
        self.builder.holds(name, capacity, source[starts[kept]], span.ids, held)
        self._last_tasks.append(span.last)

    # -- facts -------------------------------------------------------------------------------------------------------

    def facts(self, so_far: LayerFacts | None) -> LayerFacts:
        """Facts of the layer after these batches."""
        passes, layer = self.passes, self.stage.layer
        array = self.arch.array
        used = float(np.mean(passes.rows_used * passes.cols_used)) / (array.rows * array.cols) if passes.count else 0.0
        folds = layer.groups * prod(tiles.count for tiles in self.geometry.tiles.values()) if so_far is None else so_far.folds
        before = so_far.passes if so_far is not None else 0
        total = before + passes.count
        utilisation = used if so_far is None else (so_far.utilisation * before + used * passes.count) / max(total, 1)
        return LayerFacts(
            name=layer.name, kind=layer.kind, folds=folds, passes=total, utilisation=utilisation,
            dense_products=layer.macs * self.workload.network.timesteps,
            density=passes.statistics.density,
            in_bits=layer.in_bits, out_shape=layer.out_shape, members=self.stage.members,
        )  # fmt: skip

"""Lowering: a workload on a crossbar chip becomes a TaskGraph.

Units: for each layer and replica the crossbars (``LAYER.read.R``) and the neurons with what follows them
(``LAYER.neurons.R``), both in order; one fifo port for each tile to which partial sums or spikes go. A chunk (output
row or position) of a timestep is read, its partial sums from other tiles arrive at the tile of its neurons, they are
updated, and its spikes go to the tile of the layer that reads them. What happens at several tiles in lockstep is one
task, at the busiest of them.

A chunk is read when every producer's last element in its window has arrived (``pipeline: full``), when the producers
have finished its timestep (``layer``), or when they have finished (``none``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.crossbar import timing
from archsim.accelerators.crossbar.chunks import NOTHING, Chunks, Granularity, beside, producers
from archsim.accelerators.crossbar.mapping import Placement, balanced_replicas, place
from archsim.accelerators.crossbar.noc import Mesh, home_tiles, partial_sums
from archsim.accelerators.crossbar.reads import Converters, Reads, reads
from archsim.accelerators.crossbar.schema import CrossbarArchitecture
from archsim.accelerators.stages import Stage, stages_of
from archsim.errors import MisfitError, Problem, UnsupportedError
from archsim.taskgraph import DATA, NONE, SYNC, GraphBuilder, Span, TaskGraph
from archsim.workload import Layer, Network, Workload
from archsim.workload.network import INPUT

Ints = NDArray[np.int64]
MOST_POSITION_TASKS = 500_000  # above, a task is a row of positions


@dataclass(frozen=True)
class Step:
    """Tasks of one step of a layer, [T, chunks]: a span for each replica's chunks, in the order of its unit."""

    ids: Ints
    parts: tuple[tuple[Ints, Span], ...]  # chunks, and their tasks for all timesteps
    together: bool  # the timesteps of a chunk follow each other

    def connect(self, builder: GraphBuilder, before: Ints, kind: int = DATA) -> None:
        """An edge into each task from the task that ``before`` names at its place (NONE: no edge)."""
        sources = np.broadcast_to(before, self.ids.shape)
        for mine, span in self.parts:
            builder.edge(span, self._in_order(sources[:, mine]), kind)

    def _in_order(self, values: Ints) -> Ints:
        return (values.T if self.together else values).ravel()

    def last_of(self, timestep: int) -> list[int]:
        """Last task of a timestep on each replica's unit."""
        return [int(self.ids[timestep, mine].max()) for mine, _ in self.parts]


@dataclass
class _Layer:
    """One stage on the chip: what it read, and when its spikes are where they are needed."""

    chunks: Chunks
    placed: Placement
    events: Reads
    done: Step  # the update of each chunk's neurons
    sent: Step  # the arrival of its spikes at other tiles; the update where nothing leaves the tile


def lower_graph(arch: CrossbarArchitecture, workload: Workload, sample: int = 0) -> TaskGraph:
    """The tasks of one input. UnsupportedError and MisfitError for what the chip cannot execute."""
    return _Lowering(arch, workload, sample).graph()


def replicas_of(arch: CrossbarArchitecture, stages: Sequence[Stage]) -> list[int]:
    """How often each layer is placed: a replica handles at least one output row."""
    layers = [stage.layer for stage in stages]
    if arch.mapping.replicate == "auto":
        return balanced_replicas(layers, arch.hierarchy)
    return [min(arch.mapping.replicate, layer.out_shape[1]) for layer in layers]


def granularity_of(arch: CrossbarArchitecture, network: Network, stages: Sequence[Stage]) -> Granularity:
    """What one task handles: positions while their tasks are few, else rows."""
    if arch.granularity != "auto":
        return arch.granularity
    tasks = 3 * network.timesteps * sum(stage.layer.positions for stage in stages)
    return "position" if tasks <= MOST_POSITION_TASKS else "row"


class _Lowering:
    def __init__(self, arch: CrossbarArchitecture, workload: Workload, sample: int) -> None:
        self.arch, self.workload, self.sample = arch, workload, sample
        self.network = workload.network
        self.stages = stages_of(self.network)
        self.replicas = replicas_of(arch, self.stages)
        if arch.buffer.rows != "all" and max(self.replicas, default=1) > 1:
            text = "replicas read different bands of a map at once"
            allowed = "all, or mapping.replicate: 1"
            raise UnsupportedError(Problem(text, key="buffer.rows", value=arch.buffer.rows, allowed=allowed))
        if arch.buffer.rows != "all" and arch.pipeline != "full":
            text = "a layer that starts after the one before reads whole maps"
            raise UnsupportedError(
                Problem(text, key="buffer.rows", value=arch.buffer.rows, allowed="all, or pipeline: full")
            )
        self.granularity = granularity_of(arch, self.network, self.stages)
        self.placed = place([stage.layer for stage in self.stages], arch.hierarchy, self.replicas)
        self.mesh = Mesh(int(self.placed[-1].tile.max()) + 1)
        self.builder = GraphBuilder([layer.name for layer in self.network.layers], self.network.timesteps)
        self.layers: dict[str, _Layer] = {}  # by the name of every layer of a stage
        self.placement_of = {stage.layer.name: one for stage, one in zip(self.stages, self.placed, strict=True)}

    def graph(self) -> TaskGraph:
        """All layers, in the order of the network."""
        for stage, placed, count in zip(self.stages, self.placed, self.replicas, strict=True):
            self._emit(stage, placed, Chunks(stage, self.granularity, count))
        return self.builder.build()

    def _emit(self, stage: Stage, placed: Placement, chunks: Chunks) -> None:
        values, adc = self.workload.activity.inputs_of(stage.layer, self.sample), self.arch.adc
        events = reads(values, placed, Converters(adc.share, adc.analog_sum, adc.skip_silent))
        read = self._step(chunks, "read", timing.read_cycles(self.arch, placed, events, chunks))
        self._wait_for_inputs(stage, chunks, read)
        arrived = self._partial_sums(placed, chunks, read)
        cycles = np.full(read.ids.shape, timing.tail_cycles(self.arch, chunks))
        done = self._step(chunks, "neurons", cycles, self.arch.neuron.latency_cycles)
        done.connect(self.builder, arrived.ids)
        self._wait_for_operands(stage, chunks, done)
        sent = self._send(stage, placed, chunks, done)
        layer = _Layer(chunks, placed, events, done, sent)
        self.layers |= dict.fromkeys(stage.members, layer)

    def _step(self, chunks: Chunks, step: str, cycles: Ints, latency: int = 0) -> Step:
        """Tasks of one step on the units of the layer's replicas."""
        together = self.arch.timesteps == "together"
        ids, parts = np.zeros(cycles.shape, np.int64), []
        when = np.broadcast_to(np.arange(len(cycles))[:, None], cycles.shape)
        for replica in range(chunks.replicas):
            mine = np.flatnonzero(chunks.replica == replica)
            if not len(mine):
                continue
            part, steps = (values[:, mine].T if together else values[:, mine] for values in (cycles, when))
            span = self.builder.block(
                part.size, layer=chunks.layer.index, unit=self.builder.unit(f"{chunks.layer.name}.{step}.{replica}"),
                duration=part.ravel(), latency=latency, timestep=steps.ravel(),
            )  # fmt: skip
            here = span.ids.reshape(part.shape)
            ids[:, mine] = here.T if together else here
            parts.append((mine, span))
        return Step(ids, tuple(parts), together)

    def _port(self, before: Step, tile: int, cycles: Ints, hops: int, chunks: Chunks) -> Step:
        """Arrivals at the port of a tile, one behind each task of ``before``; of at least one cycle, to say so."""
        steps = np.broadcast_to(np.arange(len(cycles))[:, None], cycles.shape)
        span = self.builder.block(
            cycles.size, layer=chunks.layer.index, unit=self.builder.unit(f"port.{tile}", "fifo"),
            duration=np.maximum(cycles, 1).ravel(), latency=hops * self.arch.noc.router_cycles, timestep=steps.ravel(),
        )  # fmt: skip
        arrived = Step(span.ids.reshape(cycles.shape), ((np.arange(cycles.shape[1]), span),), False)
        arrived.connect(self.builder, before.ids)
        return arrived

    def _partial_sums(self, placed: Placement, chunks: Chunks, read: Step) -> Step:
        """Arrival of partial sums from other tiles at the busiest tile of neurons; the read itself where none come."""
        cross = partial_sums(placed)
        if not cross:
            return read
        homes = set(home_tiles(placed)[: len(np.unique(placed.column[placed.replica == 0]))].tolist())
        of_first = [one for one in cross if one.target in homes]
        flits = {one.target: 0 for one in of_first}
        for one in of_first:
            flits[one.target] += timing.partial_sum_cycles(self.arch, one.outputs, chunks.width)
        busiest = max(flits, key=flits.__getitem__)
        hops = max(self.mesh.hops(one.source, busiest) for one in of_first if one.target == busiest)
        return self._port(read, busiest, np.full(read.ids.shape, flits[busiest]), hops, chunks)

    def _send(self, stage: Stage, placed: Placement, chunks: Chunks, done: Step) -> Step:
        """Spikes on their way to the first tile of the layer that reads them, if that is another one."""
        readers = [
            self.placement_of[reader.name]
            for part in stage.stored
            for reader in self.network.consumers(part.layer.name)
            if reader.name in self.placement_of
        ]
        source = int(home_tiles(placed)[0])
        away = [int(reader.tile.min()) for reader in readers if int(reader.tile.min()) != source]
        if not away:
            return done
        flits = self._flits(stage, chunks)
        hops = max(self.mesh.hops(source, tile) for tile in away)
        return self._port(done, away[0], flits, hops, chunks)

    def _flits(self, stage: Stage, chunks: Chunks) -> Ints:
        """Flits that the spikes of each chunk take, one copy: [T, chunks]."""
        noc, total = self.arch.noc, np.zeros((self.network.timesteps, chunks.count), np.int64)
        completed = chunks.completed_by(self.network)
        for part in stage.stored:
            values = self._sent(part.layer)
            if values is None:
                continue
            at = completed[part.layer.name].ravel()
            if noc.packets == "bitmap":
                flits = values.any(axis=1) * -(-values.shape[1] * part.bits // noc.flit_bits)
            else:
                address = max(1, (values[0].size - 1).bit_length()) + (part.bits if part.bits > 1 else 0)
                flits = values.sum(axis=1) * -(-address // noc.flit_bits)
            for t, row in enumerate(flits.reshape(len(values), -1)):
                total[t] += np.bincount(at, weights=row, minlength=chunks.count).astype(np.int64)
        return total

    def _sent(self, layer: Layer) -> NDArray[np.bool_] | None:
        """Where the map that leaves a layer is not zero, [T, C, H, W], as the first layer that reads it sees it."""
        for reader in self.network.consumers(layer.name):
            values = self.workload.activity.inputs_of(reader, self.sample) != 0
            if reader.kind == "add":  # its operands come side by side
                first = reader.sources.index(layer.name) * layer.out_shape[0]
                values = values[:, first : first + layer.out_shape[0]]
            shaped: NDArray[np.bool_] = values.reshape(len(values), *layer.out_shape)
            return shaped
        return None

    def _wait_for_inputs(self, stage: Stage, chunks: Chunks, read: Step) -> None:
        """Edges from the producers' arrivals, as the pipeline allows."""
        for source in stage.layer.sources:
            if source == INPUT:
                continue
            producer = self.layers[source]
            if self.arch.pipeline != "full":
                self._barriers(chunks, producer, read)
                continue
            completed = producer.chunks.completed_by(self.network)[source]
            for wanted in producers(chunks, completed, producer.chunks):
                self._edges(read, producer.sent, wanted)
            self._hold_rows(chunks, read, producer.done, completed)

    def _hold_rows(self, chunks: Chunks, read: Step, done: Step, completed: Ints) -> None:
        """Rows of the input map wait in the layer's buffer, from the update that completes each to its last read."""
        room, layer = self.arch.buffer.rows, chunks.layer
        if room == "all":
            return
        steps, needed = len(read.ids), layer.kernel[0] if layer.kind == "conv2d" else layer.in_shape[1]
        together = self.arch.timesteps == "together"
        demand = needed * (steps if together else 1)
        if room < demand:
            raise MisfitError(
                f"the window of layer '{layer.name}' in its input buffer",
                demand=demand, capacity=room, unit="rows", levers=(f"buffer.rows={demand}", "buffer.rows=all"),
            )  # fmt: skip
        first = chunks.wanted_places()[0]
        height = completed.shape[0]
        last_reader = np.searchsorted(first, np.arange(height), side="right") - 1
        taken, freed = done.ids[:, completed[:, -1]], read.ids[:, last_reader]
        if together:
            taken, freed = taken.T, freed.T
        self.builder.holds(f"{layer.name}.input_rows", room, taken.ravel(), freed.ravel(), 1)

    def _wait_for_operands(self, stage: Stage, chunks: Chunks, done: Step) -> None:
        """The other operand of a residual add is there when it is added."""
        completed = chunks.completed_by(self.network)
        for op in stage.tail:
            if op.skip is None or op.skip == INPUT:
                continue
            producer = self.layers[op.skip]
            there = producer.chunks.completed_by(self.network)[op.skip]
            for wanted in beside(chunks, completed[op.layer.name], there, producer.chunks):
                self._edges(done, producer.sent, wanted)

    def _edges(self, tasks: Step, before: Step, wanted: Ints) -> None:
        """Edges from the chunks ``wanted`` (NOTHING: none) of the same timestep."""
        if np.all(wanted == NOTHING):
            return
        tasks.connect(self.builder, np.where(wanted == NOTHING, NONE, before.ids[:, np.maximum(wanted, 0)]))

    def _barriers(self, chunks: Chunks, producer: _Layer, read: Step) -> None:
        """One barrier for each timestep (``layer``), or one behind the last (``none``)."""
        steps = len(read.ids)
        last = [producer.sent.last_of(t) for t in range(steps)]
        if self.arch.pipeline == "none":
            every = self.builder.barrier(chunks.layer.index, [task for tasks in last for task in tasks])
            read.connect(self.builder, np.full(read.ids.shape, every), SYNC)
            return
        barriers = [self.builder.barrier(chunks.layer.index, tasks) for tasks in last]
        read.connect(self.builder, np.array(barriers)[:, None], SYNC)

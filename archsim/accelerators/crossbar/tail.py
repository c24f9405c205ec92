"""What follows the sums of a layer at their tiles: neurons with their membranes, pools, adds; by chunk of work.

A neuron is visited B times: at every timestep, or once if all timesteps of a position follow each other. Its S state
words come from the membrane memory in every visit but the first and go back in every visit but the last (and once more
where membranes are cleared): ``reads = writes = S * N * (B - 1)``. The states of a place's channels at a tile lie
together: ``ceil(channels * state bits / line bits)`` lines. An OR takes eight spikes of an output position at once.

Neurons take ``places * ceil(channels / units) * cycles_per_update`` cycles at the tile that completes most channels, or
as long as their lines take; pools and adds ``ceil(values / lanes)``. Where several layers or replicas lie in one tile,
its units and lanes serve them in turn.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.crossbar.chunks import Chunks
from archsim.accelerators.crossbar.mapping import Placement
from archsim.accelerators.crossbar.schema import CrossbarArchitecture
from archsim.accelerators.crossbar.steps import Step
from archsim.accelerators.neurons import state_bits, update_actions, vector_component, vector_ops
from archsim.accelerators.stages import TailOp
from archsim.workload import Network, Neuron, Workload

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def by_chunk(values: Ints, completed: Ints, chunks: int) -> Ints:
    """Sums of [T, H, W] over the places that each chunk completes: [T, chunks]."""
    at = completed.ravel()
    rows = values.reshape(len(values), -1)
    return np.stack([np.bincount(at, weights=row, minlength=chunks).astype(np.int64) for row in rows])


@dataclass(frozen=True)
class Tail:
    """The tail of one stage for the channels that are placed here."""

    arch: CrossbarArchitecture
    workload: Workload
    sample: int
    chunks: Chunks
    placed: Placement
    sharing: int  # layers and replicas that lie in one tile and divide its units
    holds_current: bool = False  # the sums of the layer come once and are kept for every timestep

    @property
    def network(self) -> Network:
        """The network."""
        return self.workload.network

    @cached_property
    def present(self) -> Bools:
        """Output channels whose sums are completed here: [C]."""
        found: Bools = self.placed.home[0] >= 0
        return found

    @cached_property
    def at_tiles(self) -> Ints:
        """Channels at each home tile, of every replica."""
        return np.concatenate([self._at(home) for home in self.placed.home])

    @staticmethod
    def _at(home: Ints) -> list[int]:
        """Channels completed at each tile of one replica."""
        found: list[int] = np.unique(home[home >= 0], return_counts=True)[1].tolist()
        return found

    @property
    def busiest(self) -> int:
        """Most channels that one tile completes."""
        return int(self.at_tiles.max())

    @cached_property
    def completed(self) -> dict[str, Ints]:
        """The chunk that completes each place of each map of the stage: [height, width]."""
        return dict(self.chunks.completed_by(self.network))

    @property
    def visits(self) -> int:
        """How often each neuron is visited."""
        return self.network.timesteps if self.arch.timesteps == "sequential" else 1

    def places(self, name: str) -> Ints:
        """Places of a map that each chunk completes."""
        return np.bincount(self.completed[name].ravel(), minlength=self.chunks.count).astype(np.int64)

    @property
    def unit(self) -> str:
        """What takes longest for a place: ``neurons``, the units, or ``membranes``, the lines of their memory."""
        ops = [op for op in self.chunks.stage.tail if op.unit == "neuron"]
        lines = max((int(np.max(way)) for op in ops for way in self._accessed(op, self.busiest)), default=0)
        slow = -(-lines // self.arch.neuron.membrane.lines_per_cycle) > self.turns * self.arch.neuron.cycles_per_update
        return "membranes" if slow else "neurons"

    def cycles(self) -> Ints:
        """Cycles of each chunk: [T, chunks]."""
        total = np.zeros((self.network.timesteps, self.chunks.count), np.int64)
        for op in self.chunks.stage.tail:
            total += self._neuron_cycles(op) if op.unit == "neuron" else self._vector_cycles(op)
        return total

    def count(self, done: Step) -> None:
        """Let the tasks of the tail count what they do."""
        for op in self.chunks.stage.tail:
            if op.unit == "vector":
                name = vector_component(op.layer.kind, op.layer.in_max)
                handled = self._handled(op) * int(self.present.sum())
                done.count(name, "op", self.chunks.per_chunk(vector_ops(name, handled)))
                continue
            neuron = _neuron_of(op)
            has_bias = op is self.chunks.stage.biased_neurons
            for component, action, counts in update_actions(neuron, self._updates(op), self._fired(op), has_bias):
                done.count(component, action, counts)
            self._count_membrane(op, neuron, done)

    def membrane_macros(self) -> int:
        """Macros that hold the membranes of the neurons completed here."""
        if self.visits == 1:
            return 0
        macros = 0
        for op in self.chunks.stage.tail:
            if op.unit != "neuron":
                continue
            bits = state_bits(_neuron_of(op), self.network.precision.membrane_bits) + self._held_bits(op)
            for replica, home in enumerate(self.placed.home):
                places = int((self.chunks.replica[self.completed[op.layer.name]] == replica).sum())
                macros += sum(self.arch.neuron.membrane.macros(places * channels * bits) for channels in self._at(home))
        return macros

    @property
    def turns(self) -> int:
        """Updates that one unit makes for a place at the tile that completes most channels, and others beside it."""
        neuron = self.arch.neuron
        together = self.busiest * self.sharing if neuron.units != "per_channel" else self.busiest
        return -(-together // neuron.units_for(together))

    @property
    def registers_per_unit(self) -> int:
        """States that a unit holds: one, or of all its channels while a position passes through all timesteps."""
        return self.turns * (1 + self.holds_current) if self.arch.timesteps == "together" else 1

    def units(self) -> int:
        """Neuron units that serve the channels placed here (``units: per_channel``)."""
        return sum(self.arch.neuron.units_for(channels) for channels in self.at_tiles.tolist())

    def _neuron_cycles(self, op: TailOp) -> Ints:
        neuron, places = self.arch.neuron, self.places(op.layer.name)
        each = self.turns * neuron.cycles_per_update
        read, written = (
            -(-lines[:, None] // neuron.membrane.lines_per_cycle) for lines in self._accessed(op, self.busiest)
        )
        return places * np.maximum(each, np.maximum(read, written))

    def _vector_cycles(self, op: TailOp) -> Ints:
        return -(-self.chunks.per_chunk(self._handled(op)) * self.busiest * self.sharing // self.arch.pool_lanes)

    def _handled(self, op: TailOp) -> Ints:
        """Places of a pool's or an add's input that each output position completes, unless silent: [T, positions]."""
        by_position = replace(self.chunks, granularity="position").completed_by(self.network)
        inside = [source for source in op.layer.sources if source in by_position]
        at, count = by_position[op.layer.name if op.layer.kind == "add" else inside[0]], self.chunks.layer.positions
        if op.layer.in_signed or not self.arch.adc.skip_silent:
            return by_chunk(np.ones((1, *at.shape), np.int64), at, count).repeat(self.network.timesteps, axis=0)
        values = self.workload.activity.inputs_of(op.layer, self.sample)
        return by_chunk(np.any(values, axis=1).astype(np.int64), at, count)

    def _updates(self, op: TailOp) -> Ints:
        each = self.places(op.layer.name) * int(self.present.sum())
        return np.broadcast_to(each, (self.network.timesteps, self.chunks.count))

    def _fired(self, op: TailOp) -> Ints:
        """Spikes that leave the neurons, [T, chunks]; several of one neuron in a timestep count as one."""
        if not op.layer.spiking:
            return np.zeros((self.network.timesteps, self.chunks.count), np.int64)
        values = self.workload.activity.outputs_of(op.layer, self.sample)
        fired = (values[:, self.present] != 0).astype(np.int64)
        return by_chunk(
            fired.sum(axis=1).reshape(len(values), *values.shape[2:]), self.completed[op.layer.name], self.chunks.count
        )

    def _accesses(self) -> tuple[Ints, Ints]:
        """Whether membranes are read, and how often they are written, at each timestep."""
        when, last = np.arange(self.network.timesteps), self.network.timesteps - 1
        if self.visits == 1:
            return np.zeros_like(when), np.zeros_like(when)
        return (when > 0).astype(np.int64), ((when < last) | self.arch.neuron.clear_between_inputs).astype(np.int64)

    def _held_bits(self, op: TailOp) -> int:
        """Bits of the sum that is kept beside each membrane."""
        return self.network.precision.membrane_bits if self.holds_current and op is self.chunks.stage.tail[0] else 0

    def _accessed(self, op: TailOp, channels: int) -> tuple[Ints, Ints]:
        """Lines read and written for one place of so many channels at one tile, at each timestep: [T]."""
        line, when = self.arch.neuron.membrane.line_bits, np.arange(self.network.timesteps)
        if self.visits == 1:
            return np.zeros_like(when), np.zeros_like(when)
        state = -(-channels * state_bits(_neuron_of(op), self.network.precision.membrane_bits) // line)
        held = -(-channels * self._held_bits(op) // line)
        read, written = self._accesses()
        return read * (state + held), written * state + (when == 0) * held

    def _count_membrane(self, op: TailOp, neuron: Neuron, done: Step) -> None:
        if self.visits == 1:
            return
        updates, held = self._updates(op), int(self._held_bits(op) > 0)
        first = (np.arange(self.network.timesteps) == 0).astype(np.int64)
        words = [times * neuron.state_words for times in self._accesses()]
        words = [words[0] + (1 - first) * held, words[1] + first * held]
        places, replica = self.places(op.layer.name), self.chunks.replica
        for number, way in enumerate(("read", "write")):
            by_replica = np.array(
                [sum(self._accessed(op, here)[number] for here in self._at(home)) for home in self.placed.home]
            )
            done.count("membrane_buffer", f"element_{way}", updates * words[number][:, None])
            done.count("membrane_buffer", f"line_{way}", places * by_replica[replica].T)


def _neuron_of(op: TailOp) -> Neuron:
    assert op.layer.neuron is not None
    return op.layer.neuron

"""Tasks of one stage (of the part of it that one round of loading holds): from its input buffers to its spikes.

fetch: lines of the input buffers -> read: rows driven until the columns settle -> adc: conversions, sums in PE and tile
-> port: partial sums of other tiles -> neurons: updates, pools, adds -> port: spikes to the tiles that read them.

Between fetch and read there are registers for two chunks, and between the sums and the neurons accumulators for two.
With ``hold`` the lines of a chunk conduct until it is converted, so that one chunk is read at a time; with
``sample_hold`` the next one is read meanwhile.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators import spikes
from archsim.accelerators.crossbar import timing
from archsim.accelerators.crossbar.chip import Chip, Sizes
from archsim.accelerators.crossbar.chunks import NOTHING, across_bands, beside, producers
from archsim.accelerators.crossbar.counts import count_conversions, count_reads
from archsim.accelerators.crossbar.delivery import Shelf, reading_as, reading_of, shelves
from archsim.accelerators.crossbar.inputs import input_name, source_of
from archsim.accelerators.crossbar.mapping import Placement
from archsim.accelerators.crossbar.noc import PartialSums, partial_sums
from archsim.accelerators.crossbar.reads import reads
from archsim.accelerators.crossbar.sources import Source, last_readers
from archsim.accelerators.crossbar.steps import Step, fifo_tasks, step
from archsim.accelerators.crossbar.tail import Tail, by_chunk
from archsim.accelerators.dram import DramChannel
from archsim.accelerators.stages import Stage
from archsim.errors import MisfitError
from archsim.taskgraph import NONE, SYNC
from archsim.workload import Layer

Ints = NDArray[np.int64]
IN_FLIGHT = 2  # chunks in the registers between two steps: one in use, one coming


class StageEmitter:
    """One stage, or the part of it that is on the chip in one round."""

    def __init__(self, chip: Chip, stage: Stage, placed: Placement) -> None:
        self.chip, self.stage, self.placed = chip, stage, placed
        self.arch, self.builder, self.layer = chip.arch, chip.builder, stage.layer
        self.chunks = chip.chunks[stage.layer.name]
        self.together = self.arch.timesteps == "together"
        values = chip.workload.activity.inputs_of(stage.layer, chip.sample)
        self.timesteps = len(values)
        self.once = self.arch.first_layer == "once" and stage.from_input and chip.network.encoding == "direct"
        events = reads(values, placed, self.arch.converters)
        self.events = events.only_first() if self.once else events
        self.tail = Tail(
            self.arch, chip.workload, chip.sample, self.chunks, placed, chip.sharing(placed), holds_current=self.once
        )

    def emit(self, loaded: int | None) -> Step:
        """Add all tasks; returns the last step. ``loaded`` is the task behind which the cells of a round are there."""
        name = input_name(self.layer)
        source = source_of(self.chip, name, self.layer)
        fetch = self._step(timing.fetch_unit(self.arch, self.tail.sharing), self._fetch_cycles())
        if loaded is not None:
            fetch.follow(np.full_like(fetch.ids, loaded), SYNC)
        self._wait_for_input(source, name, fetch)
        read = self._step("read", timing.read_cycles(self.arch, self.events, self.chunks))
        read.follow(fetch.ids)
        cycles = timing.convert_cycles(self.arch, self.placed, self.events, self.chunks, self.tail.sharing)
        adc = self._step("adc", cycles, self.arch.tile.wiring_cycles)
        adc.follow(read.ids)
        done = self._step(self.tail.unit, self.tail.cycles(), self.arch.neuron.latency_cycles)
        done.follow(adc.ids)
        crossing = partial_sums(self.placed)
        for ids in self._partial_sums(crossing, adc):
            done.follow(ids)
        self._wait_for_operands(done)
        if self.chunks.replicas > 1:
            for wanted in across_bands(self.chunks, self.chip.network):
                done.follow(np.where(wanted == NOTHING, NONE, done.ids[:, np.maximum(wanted, 0)]))
        self._registers(fetch, read, adc, done)
        fetch.count("input_buffer", "line_read", self.chunks.per_chunk(self._lines[0]))
        count_reads(self, fetch, read)
        count_conversions(self, adc, crossing)
        self.tail.count(done)
        self._size(len(source.done.ids))
        self._hand_on(done)
        return done

    def _step(self, name: str, cycles: Ints, latency: int = 0) -> Step:
        return step(self.builder, self.chunks, name, cycles, together=self.together, latency=latency)

    @cached_property
    def _shelves(self) -> list[Shelf]:
        """The input buffers of the tiles that hold this part."""
        shape = self.chip.shape_read(self.layer)
        return shelves(reading_as(reading_of(self.placed), shape), shape)

    @cached_property
    def _lines(self) -> tuple[Ints, Ints]:
        """Lines fetched for each position, of all tiles and of the one with most: [T, positions]."""
        active, line = self.chip.active(self.layer), self.arch.buffer.line_bits
        if not self.arch.adc.skip_silent:
            active = np.ones_like(active)
        constant = len(active) > 1 and active.strides[0] == 0
        total, most = (np.zeros((1 if constant else len(active), self.layer.positions), np.int64) for _ in range(2))
        replica = np.repeat(self.chunks.replica, self.chunks.width)
        for shelf in self._shelves:
            lines = shelf.lines(active[:1] if constant else active, self.layer.in_bits, line)
            here = _in_windows(lines, self.layer) * (replica == shelf.replica)
            total += here * shelf.tiles
            most = np.maximum(most, here)
        shape = (self.timesteps, self.layer.positions)
        read = np.arange(self.timesteps)[:, None] == 0 if self.once else np.ones((self.timesteps, 1), np.int64)
        return np.broadcast_to(total, shape) * read, np.broadcast_to(most, shape) * read

    def _fetch_cycles(self) -> Ints:
        return self.chunks.per_chunk(timing.fetch_cycles(self.arch, self._lines[1], self.tail.sharing))

    def _wait_for_input(self, source: Source, name: str, fetch: Step) -> None:
        """Edges from the arrivals of the map that is read, as the pipeline allows; its rows wait in the buffers."""
        if self.arch.pipeline == "none" and name in self.chip.stage_of:
            every = [task for t in range(self.timesteps) for task in source.last_tasks(self.layer.name, t)]
            fetch.follow(np.full_like(fetch.ids, self.builder.barrier(self.layer.index, every)), SYNC)
        elif self.arch.pipeline == "layer" and name in self.chip.stage_of:
            barriers = [
                self.builder.barrier(self.layer.index, source.last_tasks(self.layer.name, t))
                for t in range(self.timesteps)
            ]
            fetch.follow(np.array(barriers)[:, None], SYNC)
        else:
            sent = self.chip.origin(name) if self.layer.sources else name
            for wanted in producers(self.chunks, source.completed[sent], source.pieces):
                for ids in source.edges(self.layer.name, self.chunks.replica, wanted):
                    fetch.follow(ids)
        if source.done.parts and self.chip.rounds == 1:
            self._hold_rows(source, name, fetch)

    def _room(self, rows: int, made: int) -> int:
        """Rows of the input map that the buffers hold."""
        stated = self.arch.buffer.rows
        return rows * made if stated == "all" else min(stated, rows * made)

    def _hold_rows(self, source: Source, name: str, fetch: Step) -> None:
        """Rows of the input map wait in the buffers, from the first of what fills each to the last fetch of it."""
        completed, done = source.completed[name], source.done.ids
        if self.layer.kind == "linear":  # a vector is one row
            completed = np.full((1, 1), completed.max())
        height, made = len(completed), len(done)
        first, last, _ = self.chunks.wanted_places(*completed.shape)
        first = np.minimum.accumulate(first[::-1])[::-1]  # of this chunk and all behind it
        needed = self.layer.reach[0] if self.layer.kind == "conv2d" else int((last - first).max()) + 1
        demand = needed * (made if self.together else 1)
        stated = self.arch.buffer.rows
        if stated != "all" and stated < demand:
            raise MisfitError(
                f"the window of layer '{self.layer.name}' in its input buffer",
                demand=demand, capacity=stated, unit="rows", levers=(f"buffer.rows={demand}", "buffer.rows=all"),
            )  # fmt: skip
        for replica in range(self.chunks.replicas):
            mine = np.flatnonzero(self.chunks.replica == replica)
            if not len(mine):
                continue
            rows = np.arange(min(int(first[mine].min()), height - 1), min(int(last[mine].max()), height - 1) + 1)
            reader = mine[np.maximum(last_readers(first[mine], rows), 0)]
            taken, freed = done[:, completed[rows].min(axis=1)], fetch.ids[-made:, reader]
            if self.together:
                taken, freed = taken.T, freed.T
            room = self._room(len(rows), made)
            self.builder.holds(f"{self.layer.name}.input_rows.{replica}", room, taken.ravel(), freed.ravel(), 1)

    def _registers(self, fetch: Step, read: Step, adc: Step, done: Step) -> None:
        """What a chunk occupies between two steps."""
        lines = 1 if self.arch.crossbar.conducts == "hold" else IN_FLIGHT
        for name, room, taken, freed in (
            ("input_registers", IN_FLIGHT, fetch, read), ("columns", lines, read, adc), ("sums", IN_FLIGHT, adc, done),
        ):  # fmt: skip
            for number, (mine, _) in enumerate(taken.parts):
                acquire, release = taken.in_order(taken.ids, mine), freed.in_order(freed.ids, mine)
                self.builder.holds(f"{self.layer.name}.{name}.{number}", room, acquire, release, 1)

    def _partial_sums(self, crossing: list[PartialSums], adc: Step) -> list[Ints]:
        """Arrivals of other tiles' partial sums at the busiest tile of neurons, for each replica: [T, chunks]."""
        found = []
        for replica in sorted({one.replica for one in crossing}):
            mine = [one for one in crossing if one.replica == replica]
            tile, source = (_most_sums(mine, end) for end in ("target", "source"))
            into, out_of = [one for one in mine if one.target == tile], [one for one in mine if one.source == source]
            arriving, leaving = (self.chunks.per_chunk(self._flits(some)) for some in (into, out_of))
            hops = max(self.chip.mesh.hops(one.source, tile) for one in into)
            cycles = np.where(arriving > 0, np.maximum(arriving, leaving), 0)
            latency = hops * self.arch.noc.router_cycles
            found.append(fifo_tasks(self.builder, self.layer.index, f"port.{tile}", cycles, adc.ids, latency=latency))
        return found

    def _flits(self, some: list[PartialSums]) -> Ints:
        """Flits of all of these for each position: [T, positions]."""
        return sum((self.sent_sums(one)[0] for one in some), np.zeros_like(self.events.planes))

    def sent_sums(self, one: PartialSums) -> tuple[Ints, Ints]:
        """Flits that one tile sends for each position, one copy, and whether it sends any: [T, positions]."""
        on = self.events.pe_on[:, one.group, one.first_pe : one.last_pe + 1].any(axis=1)
        here = on * (np.repeat(self.chunks.replica, self.chunks.width) == one.replica)
        return here * -(-one.outputs * self.arch.accumulator_bits // self.arch.noc.flit_bits), here.astype(np.int64)

    def _wait_for_operands(self, done: Step) -> None:
        """The other operand of a residual add is there when it is added, and then read from the buffer."""
        for op in self.stage.tail:
            if op.skip is None:
                continue
            done.count("input_buffer", "line_read", self._operand_lines(op.layer, op.skip))
            source = source_of(self.chip, op.skip, op.layer)
            there = source.completed[op.skip]
            for wanted in beside(self.chunks, self.tail.completed[op.layer.name], there, source.pieces):
                for ids in source.edges(op.layer.name, self.chunks.replica, wanted):
                    done.follow(ids)
            if source.done.parts and self.chip.rounds == 1:
                taken, freed = source.done.ids[:, there.min(axis=1)], self._last_of_rows(op.layer, done)
                taken, freed = (ids.T if self.together else ids for ids in (taken, freed[-len(taken) :]))
                name = f"{self.layer.name}.{op.layer.name}.{op.skip}.operand_rows"
                self.builder.holds(name, taken.size, taken.ravel(), freed.ravel(), 1)

    def _last_of_rows(self, add: Layer, done: Step) -> Ints:
        """The task that handles the last place of each row of an add: [T, rows]."""
        return done.ids[:, self.tail.completed[add.name].max(axis=1)]

    def _operand_lines(self, add: Layer, name: str) -> Ints:
        """Lines of an operand that each chunk reads, at all tiles at which it is added now: [T, chunks]."""
        active = self.chip.active(add, name)
        if not self.arch.adc.skip_silent:
            active = np.ones_like(active)
        total = np.zeros((self.timesteps, *active.shape[2:]), np.int64)
        for shelf in shelves(self.chip.adding(add, self.placed.home), add.out_shape):
            total += shelf.lines(active, self.chip.bits_of(name), self.arch.buffer.line_bits) * shelf.tiles
        return by_chunk(total, self.tail.completed[add.name], self.chunks.count)

    def _size(self, made: int) -> None:
        """What this part needs of the memories and of the neuron units; its input is made ``made`` times."""
        sizes, shape, round_ = self.chip.sizes, self.chip.shape_read(self.layer), self.chip.round
        for shelf in self._shelves:
            room = self._room(1 if shelf.by_element else len(shelf.rows), made)
            row_bits = shelf.row_bits(shape, self.layer.in_bits)
            bits = room * (row_bits * shape[1] if shelf.by_element else row_bits)
            Sizes.add(sizes.buffer_macros, round_, self.arch.buffer.macros(bits) * shelf.tiles)
        Sizes.add(sizes.membrane_macros, round_, self.tail.membrane_macros())
        Sizes.add(sizes.neuron_units, round_, self.tail.units())
        sizes.registers_per_unit = max(sizes.registers_per_unit, self.tail.registers_per_unit)

    def _hand_on(self, done: Step) -> None:
        """Send what leaves the stage to its readers; what nobody reads leaves the chip."""
        source = Source(self.chunks, self.tail.completed, done, self.placed.home)
        for part in self.stage.stored:
            name = part.layer.name
            self.chip.sources[name] = source
            self.chip.deliver(source, name)
            if not self.chip.network.consumers(name) and self.arch.dram is not None:
                self._store(done, self.chip.origin(name), part.bits)

    def _store(self, done: Step, name: str, bits: int) -> None:
        """Outputs of the network go to DRAM, chunk by chunk; a row of the map lies together."""
        assert self.arch.dram is not None
        place, completed = int(self.tail.present.sum()) * bits, self.tail.completed[name]
        each = self.tail.places(name) * place
        dram = DramChannel(self.builder, self.arch.dram, self.arch.clock_mhz, self.layer.index)
        row = completed.shape[1] * place
        opened = np.bincount(completed[:, -1], minlength=self.chunks.count) * int(dram.rows(np.array(row)))
        done.count("dram", "write_bit", each)
        done.count("dram", "activate", opened.astype(np.int64))
        places, replica = self.tail.places(name), self.chunks.replica
        every = np.bincount(replica, weights=places, minlength=self.chunks.replicas).astype(np.int64) * self.timesteps
        flits, hops, routers = self.chip.way_out(self.placed, bits, every)
        done.count("router", "flit", places * routers[replica])
        done.count("link", "bit", places * hops[replica] * self.arch.noc.flit_bits)
        if dram.timed:
            ids = np.flatnonzero(each)
            for t in range(self.timesteps):
                span = dram.tasks(each[ids], t, at_least=(places * flits[replica])[ids])
                self.builder.edge(span, done.ids[t, ids])


def _in_windows(places: Ints, layer: Layer) -> Ints:
    """Sum of a map [T, H, W] over the window of each output position: [T, positions]; of all of it for a vector."""
    if layer.kind != "conv2d":
        every: Ints = places.reshape(len(places), layer.positions, -1).sum(axis=2)
        return every
    padded = spikes.padded_maps(places, layer)
    sums: Ints = np.sum([padded[:, rows, cols] for rows, cols in spikes.window_slices(layer)], axis=0)
    return sums.reshape(len(places), -1)


def _most_sums(some: list[PartialSums], end: str) -> int:
    """The tile at that end of the way (source or target) with most sums."""
    load: Counter[int] = Counter()
    for one in some:
        load[getattr(one, end)] += one.outputs
    return max(load, key=lambda tile: (load[tile], -tile))

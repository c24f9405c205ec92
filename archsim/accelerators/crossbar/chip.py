"""A network on a crossbar chip while it is lowered: where its layers lie, what has been made, who reads what."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.crossbar.chunks import Chunks
from archsim.accelerators.crossbar.delivery import Delivery, Shape, in_windows, reading_of, runs_of_channels, shelves
from archsim.accelerators.crossbar.links import LinkLoads
from archsim.accelerators.crossbar.mapping import Placement
from archsim.accelerators.crossbar.noc import Mesh, Packets, Reading
from archsim.accelerators.crossbar.schema import CrossbarArchitecture
from archsim.accelerators.crossbar.sources import Arrival, Source
from archsim.accelerators.crossbar.steps import fifo_tasks
from archsim.accelerators.crossbar.tail import by_chunk
from archsim.accelerators.stages import Stage
from archsim.taskgraph import NONE, GraphBuilder
from archsim.workload import Layer, Network, Workload
from archsim.workload.network import INPUT

Ints = NDArray[np.int64]
CORNER = 0  # the tile beside the DRAM channel
Bools = NDArray[np.bool_]


@dataclass
class Sizes:
    """What the network needs of each memory, and how many neuron units its layers have; by round of loading."""

    buffer_macros: dict[int, int] = field(default_factory=dict)
    membrane_macros: dict[int, int] = field(default_factory=dict)
    neuron_units: dict[int, int] = field(default_factory=dict)
    registers_per_unit: int = 1

    @staticmethod
    def add(to: dict[int, int], round_: int, more: int) -> None:
        """More in one round."""
        to[round_] = to.get(round_, 0) + more


@dataclass
class Chip:
    """Everything that the emission of one stage shares with that of the others."""

    arch: CrossbarArchitecture
    workload: Workload
    sample: int
    stages: tuple[Stage, ...]
    placed: dict[str, Placement]  # by the name of the weighted layer
    chunks: dict[str, Chunks]
    builder: GraphBuilder
    sources: dict[str, Source] = field(default_factory=dict)  # by the name of every map that left a stage
    sizes: Sizes = field(default_factory=Sizes)
    round: int = 0

    @property
    def network(self) -> Network:
        """The network."""
        return self.workload.network

    @cached_property
    def tiles(self) -> int:
        """Tiles of the chip: as stated, or as many as are needed."""
        if self.arch.tiles != "as_needed":
            return self.arch.tiles
        return 1 + max(int(one.tile.max()) for one in self.placed.values())

    @cached_property
    def _residents(self) -> Counter[int]:
        """How many layers and replicas lie in each tile (of every round)."""
        every = [np.unique(np.stack([placed.tile, placed.replica]), axis=1)[0] for placed in self.placed.values()]
        return Counter(np.concatenate(every).tolist())

    def sharing(self, placed: Placement) -> int:
        """Layers and replicas in the fullest of a layer's tiles."""
        return max(self._residents[tile] for tile in np.unique(placed.tile).tolist())

    @cached_property
    def rounds(self) -> int:
        """How often the chip is loaded for an input: once, and that before the first, where the network fits."""
        return 1 + max(int(placed.round.max()) for placed in self.placed.values())

    @cached_property
    def mesh(self) -> Mesh:
        """The tiles side by side."""
        return Mesh(self.tiles)

    @cached_property
    def links(self) -> LinkLoads:
        """What the links between the tiles carry."""
        return LinkLoads(self.mesh)

    @cached_property
    def packets(self) -> Packets:
        """How the network between the tiles sends."""
        noc = self.arch.noc
        return Packets(noc.flit_bits, noc.cast == "multicast", noc.packets == "bitmap")

    @cached_property
    def stage_of(self) -> dict[str, Stage]:
        """The stage that executes each layer."""
        return {name: stage for stage in self.stages for name in stage.members}

    def origin(self, name: str) -> str:
        """The map that a flattened one is made of, as it is sent; others are sent as they are."""
        while name != INPUT and self.network.layer(name).kind == "flatten":
            name = self.network.layer(name).sources[0]
        return name

    def shape_read(self, layer: Layer) -> Shape:
        """Shape of the map that a layer reads: as it was sent, but a matmul takes its places one after the other."""
        sent = self.shape_sent(layer)
        return layer.in_shape if layer.kind == "matmul" and sent[0] == layer.in_shape[0] else sent

    def shape_sent(self, layer: Layer) -> Shape:
        """Shape of the map that a layer reads, as it was sent."""
        if not layer.sources:
            return layer.in_shape
        origin = self.origin(layer.sources[0])
        shape = self.network.input_shape if origin == INPUT else self.network.layer(origin).out_shape
        return shape or layer.in_shape

    def active(self, reader: Layer, name: str | None = None) -> Bools:
        """Where what a layer reads (of an add: the operand ``name``) is not zero, in the shape in which it is read.

        Places that lie in no window are read by nobody: nothing is active there. A current is sent whatever it is.
        """
        shape = reader.out_shape if reader.kind == "add" else self.shape_read(reader)
        if name in self.stage_of and self.network.layer(name).out_signed:
            return np.ones((self.network.timesteps, *shape), np.bool_)
        alone = reader if name is None else replace(reader, kind="neuron", sources=(name,))
        values = self.workload.activity.inputs_of(alone, self.sample)
        constant = len(values) > 1 and values.strides[0] == 0
        found = ((values[:1] if constant else values) != 0).reshape(-1, *shape) & in_windows(reader)
        return np.broadcast_to(found, (len(values), *shape))

    def deliver(self, source: Source, name: str) -> None:
        """Send the map ``name`` to each layer of another stage that reads it."""
        for reader in self.network.consumers(name):
            if name != INPUT and self.stage_of[reader.name] is self.stage_of[name]:
                continue
            if reader.kind == "add":
                self._deliver_to_add(source, name, reader)
            else:
                self.send(source, self.origin(name), reader, self.active(reader), reading_of(self.placed[reader.name]))

    def _deliver_to_add(self, source: Source, name: str, reader: Layer) -> None:
        """The other operand of a residual add waits at the tiles where it is added, whole."""
        head = self.stage_of[reader.name].layer.name
        reading = self.adding(reader, self.placed[head].home)
        self.send(source, name, reader, self.active(reader, name), reading)
        bits = self.bits_of(name)
        room = sum(
            self.arch.buffer.macros(shelf.row_bits(reader.out_shape, bits) * len(shelf.rows) * self.network.timesteps)
            * shelf.tiles
            for shelf in shelves(reading, reader.out_shape)
        )
        Sizes.add(self.sizes.buffer_macros, self.round, room)

    def adding(self, add: Layer, home: Ints) -> Reading:
        """Where the other operands of an add wait: at the tiles ``home`` [replicas, channels] of its sums."""
        chunks = self.chunks[self.stage_of[add.name].layer.name]
        replica = chunks.replica[chunks.completed_by(self.network)[add.name][:, -1]]
        rows = [np.flatnonzero(replica == number) for number in range(len(home))]
        bands = [range(int(one[0]), int(one[-1]) + 1) if len(one) else range(0) for one in rows]
        return Reading(bands, runs_of_channels(home), len(home[0]))

    def send(self, source: Source, name: str, reader: Layer, active: Bools, reading: Reading) -> None:
        """Tasks at the ports of the tiles that read the map, and what its way there counts."""
        done, steps = source.done, len(source.done.ids)
        if steps == 1 and active.strides[0] == 0:
            active = active[:1]
        senders = source.senders(name)
        if reader.kind == "matmul":  # a row for each place of the map
            senders = np.repeat(senders, active.shape[2] // senders.shape[1], axis=1)
        sent = Delivery(active, self.bits_of(name, reader), senders, reading, self.mesh, self.packets)

        def of_chunks(places: Ints) -> Ints:
            found = by_chunk(places, source.completed[name], source.pieces.count)
            return found.sum(axis=0, keepdims=True) if steps == 1 else found

        sent.load(self.links)
        done.count("router", "flit", of_chunks(sent.traffic.flit_routers))
        done.count("link", "bit", of_chunks(sent.traffic.flit_hops) * self.arch.noc.flit_bits)
        done.count("input_buffer", "line_write", of_chunks(sent.written(self.arch.buffer.line_bits)))
        layer = reader.index if name == INPUT or name not in self.stage_of else self.network.layer(name).index
        leaving = of_chunks(sent.leaving())
        at: dict[int | None, Arrival] = {None: Arrival(np.full_like(done.ids, NONE), done.ids)}
        for replica in range(len(sent.reading.rows)):
            tile = sent.busiest(replica)
            if tile is not None and tile not in at:  # what enters a tile serves all replicas there
                flits, hops = sent.arriving(tile)
                arriving, latency = of_chunks(flits), hops * self.arch.noc.router_cycles
                cycles = np.where(arriving > 0, np.maximum(arriving, leaving), 0)
                ids = fifo_tasks(self.builder, layer, f"port.{tile}", cycles, done.ids, latency=latency)
                at[tile] = Arrival(done.so_far(ids), np.where(ids == NONE, done.ids, NONE))
            source.arrivals[reader.name, replica] = at[tile]

    def way_out(self, placed: Placement, bits: int, places: Ints) -> tuple[Ints, Ints, Ints]:
        """Flits of one place of the network's output into the corner, times links, times routers, for each replica.

        ``places`` is how many places each replica has, of all timesteps.
        """
        found = np.zeros((3, placed.replicas), np.int64)
        for replica, home in enumerate(placed.home):
            for tile, channels in zip(*np.unique(home[home >= 0], return_counts=True), strict=True):
                if tile == CORNER:
                    continue
                flits, hops = -(-int(channels) * bits // self.arch.noc.flit_bits), self.mesh.hops(int(tile), CORNER)
                found[:, replica] += [flits, flits * hops, flits * (hops + 1)]
                self.links.add(int(tile), (CORNER,), flits * int(places[replica]), multicast=True)
        return found[0], found[1], found[2]

    def bits_of(self, name: str, reader: Layer | None = None) -> int:
        """Bits of one value of a map."""
        if name in self.stage_of:
            return self.network.layer(name).out_bits
        return self.network.input_max.bit_length() if reader is None or name == INPUT else reader.in_bits

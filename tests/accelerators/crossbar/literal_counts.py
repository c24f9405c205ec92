"""Every count of a network on a crossbar chip, spelled out: spike by spike, word line by word line, packet by packet.

Written from what the modules of ``archsim.accelerators.crossbar`` say of themselves; of these only the description of
a chip and the placement of weights are used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from literal_chip import (
    Crossbar,
    Shelf,
    cells_in_a_row,
    crossbars_of,
    homes_of,
    passed,
    places_under,
    replica_of,
    replicas,
    shelves_of,
)
from literal_maps import INPUT, Stage, Values, completed_by, element, inside, sent_as, stages_of

from archsim.accelerators.crossbar.mapping import place
from archsim.accelerators.crossbar.schema import CrossbarArchitecture
from archsim.workload import Layer, Network

Key = tuple[int, int, str, str]  # layer, timestep, component, action
SHARED = -1  # no timestep


def up(amount: int, size: int) -> int:
    """Things of a size that hold an amount."""
    return -(-amount // size)


def bits_for(rows: int, levels: int) -> int:
    """Bits that tell all sums of so many cells apart."""
    bits = 1
    while 2**bits < rows * (levels - 1) + 1:
        bits += 1
    return bits


class Part(NamedTuple):
    """One stage in one round of loading."""

    stage: Stage
    round: int
    crossbars: list[Crossbar]


class Literal:
    """Counts of one input, filled by :meth:`everything` and the functions of ``literal_tail`` and ``literal_sent``."""

    def __init__(self, arch: CrossbarArchitecture, network: Network, values: Values) -> None:
        self.arch, self.network, self.values = arch, network, values
        self.counts: Counter[Key] = Counter()
        self.stages = stages_of(network)
        layers = [stage.layer for stage in self.stages]
        copies = [replicas(int(arch.mapping.replicate), layer.out_shape[1]) for layer in layers]
        self.replicas = {layer.name: number for layer, number in zip(layers, copies, strict=True)}
        placed = place(layers, arch.hierarchy, copies)
        self.crossbars = {one.layer.name: crossbars_of(one, arch) for one in placed}
        self.homes = {name: homes_of(crossbars) for name, crossbars in self.crossbars.items()}
        self.completed = {name: found for stage in self.stages for name, found in completed_by(stage).items()}
        everywhere = [one for crossbars in self.crossbars.values() for one in crossbars]
        self.rounds = 1 + max(one.round for one in everywhere)
        self.tiles = 1 + max(one.tile for one in everywhere) if arch.tiles == "as_needed" else int(arch.tiles)

    def add(self, layer: Layer, t: int, component: str, action: str, count: int = 1) -> None:
        self.counts[layer.index, t, component, action] += count

    def parts(self) -> list[Part]:
        """All stages round by round."""
        found = []
        for number in range(self.rounds):
            for stage in self.stages:
                here = [one for one in self.crossbars[stage.layer.name] if one.round == number]
                if here:
                    found.append(Part(stage, number, here))
        return found

    def replica_at(self, layer: Layer, position: int) -> int:
        return replica_of(layer, self.replicas[layer.name], position)

    def map_read(self, layer: Layer) -> tuple[str, tuple[int, int, int]]:
        """Name and shape, as it was sent, of the map that a weighted layer reads."""
        if not layer.sources:
            return f"input of {layer.name}", layer.in_shape
        name = sent_as(self.network, layer.sources[0])
        shape = self.network.input_shape if name == INPUT else self.network.layer(name).out_shape
        assert shape is not None
        return name, shape

    def value(self, name: str, t: int, c: int, y: int, x: int) -> int:
        known = self.values[name]
        assert known is not None
        return known[t][c][y][x]

    def arrays(self, part: Part) -> None:
        """Everything from the input buffers to the sums, for each timestep and output position."""
        layer = part.stage.layer
        _, shape = self.map_read(layer)
        shelves = shelves_of(layer, shape, part.crossbars)
        for t in range(self.network.timesteps):
            for position in range(layer.positions):
                replica = self.replica_at(layer, position)
                self._fetch(layer, t, position, [one for one in shelves if one.replica == replica])
                here = [one for one in part.crossbars if one.replica == replica]
                self._position(part, t, here, self._inputs(layer, t, position))
        self._bias(part)

    def _inputs(self, layer: Layer, t: int, position: int) -> Callable[[int, int], int]:
        name, shape = self.map_read(layer)

        def at(group: int, k: int) -> int:
            c, y, x = element(layer, shape, group, k, position)
            return self.value(name, t, c, y, x) if inside(shape, y, x) else 0

        return at

    def _fetch(self, layer: Layer, t: int, position: int, shelves: list[Shelf]) -> None:
        """Lines of every place of the window at which the tile holds anything that is not zero."""
        name, shape = self.map_read(layer)
        for y, x in places_under(layer, shape, position):
            for shelf in shelves:
                held = shelf.at.get((y, x), [])
                if not self.arch.adc.skip_silent or any(self.value(name, t, c, y, x) for c in held):
                    lines = up(len(held) * layer.in_bits, self.arch.buffer.line_bits)
                    self.add(layer, t, "input_buffer", "line_read", lines)

    def _position(self, part: Part, t: int, here: list[Crossbar], at: Callable[[int, int], int]) -> None:
        layer, wires = part.stage.layer, self.arch.tile.wiring
        on: set[tuple[tuple[int, int, int], int]] = set()  # columns and PEs with a result
        for plane in range(layer.in_bits):
            got: set[Crossbar] = set()
            for rows_driven in self._passes(here):
                there = [one for one in here if rows_driven(one)]
                active = [sum(at(one.group, k) >> plane & 1 for k in rows_driven(one)) for one in there]
                for one, rows in zip(there, active, strict=True):
                    self._drive(part, t, one, rows)
                    if rows or not self.arch.adc.skip_silent:
                        got.add(one)
                self._convert(layer, t, there, active)
            for one in got:
                on.add((one.column, one.pe))
                if one.sign >= 0:  # both signs of a block get the same bits, those of all its rows at once
                    self.add(layer, t, wires, "bit", len(one.rows))
        for one in here:
            if one.sign >= 0:
                nonzero = sum(at(one.group, k) != 0 for k in one.rows)
                self.add(layer, t, "cells", "sop", nonzero * len(one.outputs))
        outputs = {one.column: len(one.outputs) for one in here}
        for column, _ in on:
            self.add(layer, t, wires, "bit", outputs[column] * self.arch.accumulator_bits)
            self.add(layer, t, "tile_accumulator", "op", outputs[column])
        for column, size in outputs.items():
            self._cross(layer, t, [one for one in here if one.column == column], on, size)

    def _passes(self, here: list[Crossbar]) -> list[Callable[[Crossbar], tuple[int, ...]]]:
        """For each pass, the rows of a crossbar that it drives: none where there are no more."""
        stated = self.arch.crossbar.active_rows
        each = max(len(one.rows) for one in here) if stated == "all" else stated
        starts = range(0, max(len(one.rows) for one in here), each)
        return [lambda one, start=start: one.rows[start : start + each] for start in starts]  # type: ignore[misc]

    def _drive(self, part: Part, t: int, crossbar: Crossbar, rows: int) -> None:
        layer = part.stage.layer
        self.add(layer, t, "wordline_driver", "drive", rows)
        self.add(layer, t, "cells", "read", rows * crossbar.columns)
        if self.arch.crossbar.conducts == "hold":  # until the widest crossbar of the layer is converted
            phases = min(self.arch.crossbar.column_mux, max(one.columns for one in part.crossbars))
            self.add(layer, t, "cells", "hold", rows * crossbar.columns * phases)

    def _convert(self, layer: Layer, t: int, here: list[Crossbar], active: list[int]) -> None:
        """Conversions of one bit plane, group by group, and what is made of each in its PE."""
        adc, slices = self.arch.adc, cells_in_a_row(layer.weight_bits, self.arch)[0]
        groups: dict[object, list[int]] = {}
        for number, one in enumerate(here):
            key = (one.column, one.pe, one.sign) if adc.analog_sum else number
            groups.setdefault(key, []).append(number)
        for members in groups.values():
            first, rows = here[members[0]], sum(active[number] for number in members)
            if adc.skip_silent and not rows:
                continue
            self.add(layer, t, "column_mux", "select", first.columns)
            if adc.resolution == "full":
                self.add(layer, t, "adc", "convert", first.columns)
            else:
                bits = min(adc.bits, bits_for(rows, 2**self.arch.crossbar.cell_bits))
                self.add(layer, t, "adc", "decide", first.columns * bits)
                self.add(layer, t, "popcount", "op", int(first.sign >= 0))  # both signs have the same rows
            if slices > 1 or layer.in_bits > 1:
                self.add(layer, t, "shift_add", "op", first.columns)
            if first.sign >= 0:  # negative crossbars are subtracted from positive ones: one result of both
                self.add(layer, t, "subtractor", "op", len(first.outputs))
                self.add(layer, t, "pe_accumulator", "op", len(first.outputs))

    def _cross(
        self, layer: Layer, t: int, column: list[Crossbar], on: set[tuple[tuple[int, int, int], int]], size: int
    ) -> None:
        """Sums that tiles other than the first send to it."""
        home = column[0]
        flits = up(size * self.arch.accumulator_bits, self.arch.noc.flit_bits)
        for tile in sorted({one.tile for one in column} - {home.tile}):
            there = [one for one in column if one.tile == tile]
            if any((one.column, one.pe) in on for one in there):
                links, routers = passed(there[0].chip_tile, frozenset([home.chip_tile]), self.tiles, True)
                self.add(layer, t, "router", "flit", flits * routers)
                self.add(layer, t, "link", "bit", flits * links * self.arch.noc.flit_bits)
                self.add(layer, t, "tile_accumulator", "op", size)

    def _bias(self, part: Part) -> None:
        """Added to the sums where no neurons add it."""
        layer = part.stage.layer
        if layer.bias and not any(member.neuron for member in part.stage.members):
            channels = {c for one in part.crossbars if one.replica == 0 for c in one.outputs}
            for t in range(self.network.timesteps):
                self.add(layer, t, "tile_accumulator", "op", layer.positions * len(channels))

    def programmed(self, part: Part) -> None:
        """Weights of a part that is loaded in its round: from DRAM into the cells."""
        layer, dram = part.stage.layer, self.arch.dram
        if self.rounds == 1:
            return
        assert dram is not None
        weights = sum(len(one.rows) * len(one.outputs) for one in part.crossbars if one.sign >= 0)
        self.add(layer, SHARED, "dram", "read_bit", weights * layer.weight_bits)
        self.add(layer, SHARED, "dram", "activate", up(weights * layer.weight_bits, int(dram.row) * 8))
        self.add(layer, SHARED, self.arch.tile.wiring, "bit", weights * layer.weight_bits)
        for tile in {one.chip_tile for one in part.crossbars} - {0}:
            here = [one for one in part.crossbars if one.chip_tile == tile and one.sign >= 0]
            bits = sum(len(one.rows) * len(one.outputs) for one in here) * layer.weight_bits
            links, routers = passed(0, frozenset({tile}), self.tiles, True)
            self.add(layer, SHARED, "router", "flit", up(bits, self.arch.noc.flit_bits) * routers)
            self.add(layer, SHARED, "link", "bit", up(bits, self.arch.noc.flit_bits) * links * self.arch.noc.flit_bits)
        for one in part.crossbars:
            self.add(layer, SHARED, "wordline_driver", "drive", len(one.rows))
            self.add(layer, SHARED, "cells", "program", len(one.rows) * one.columns)

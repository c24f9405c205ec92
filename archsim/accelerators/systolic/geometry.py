"""How one stage lies on the array: dimensions, folds, operand tiles in bits, and the order of its passes.

A batch of ``n`` timesteps is handled together. Where positions lie in space they are the pairs (position, t) with t
innermost (``placement: rows``), or the positions alone with n accumulators in each PE (``placement: in_pe``). A
position's input window is a band of rows of the map; a range of reduction indices (channel outermost) is a band of
channels. Of two neighbouring tiles only the new rows (or channels) are loaded when the previous tile is still in the
buffer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.systolic.dataflows import Dataflow, Dimension
from archsim.accelerators.systolic.nest import Loop, Nest, OperandBits
from archsim.accelerators.systolic.schema import SystolicArchitecture
from archsim.accelerators.systolic.stages import Stage
from archsim.workload import Layer, Network

Ints = NDArray[np.int64]


def ceil_div(value: Ints, by: int | Ints) -> Ints:
    """Elementwise ceiling of a quotient of non-negative integers."""
    return -(-value // by)


@dataclass(frozen=True)
class Tiles:
    """A dimension cut along the array: where each fold starts and how much of it is used; one fold if it streams."""

    starts: Ints
    used: Ints
    var: str | None  # "i" along the rows, "j" along the columns, None if the dimension streams

    @property
    def count(self) -> int:
        """Number of folds."""
        return len(self.starts)

    @property
    def most(self) -> int:
        """Used extent of the largest fold."""
        return int(self.used[0])


@dataclass(frozen=True)
class ValueWidth:
    """How the values of an input edge are held and multiplied."""

    bits: int  # on the edge
    load_bits: int  # fetched from DRAM for each value (a rate-coded input is fetched as pixels and encoded)
    cycles: int  # array cycles for each streamed value: bit planes, or one on a multiplier
    on_multiplier: bool
    constant: bool  # a direct-coded image: the same at every t
    once: bool  # its current is computed at the first t only, and held


def value_width(arch: SystolicArchitecture, network: Network, stage: Stage) -> ValueWidth:
    """Value width of a stage's input; the caller has checked that the chip can execute it."""
    layer = stage.layer
    bits = layer.in_bits
    multiplied = bits > 1 and arch.pe.wide_values == "multiplier"
    constant = stage.from_input and network.encoding == "direct"
    rate = stage.from_input and network.encoding == "rate"
    return ValueWidth(
        bits=bits,
        load_bits=network.precision.input_bits if rate else bits,
        cycles=1 if multiplied else bits,
        on_multiplier=multiplied,
        constant=constant,
        once=constant and arch.first_layer == "once",
    )


@dataclass(frozen=True)
class Geometry:
    """One stage on one chip, for batches of ``batch`` timesteps."""

    arch: SystolicArchitecture
    flow: Dataflow
    stage: Stage
    width: ValueWidth
    batch: int

    @cached_property
    def interleaved(self) -> bool:
        """Whether the batch's timesteps share a spatial dimension with the positions."""
        return (
            self.batch > 1
            and self.flow.stream != "positions"
            and self.arch.timesteps.placement == "rows"
            and not self.width.once
        )

    @cached_property
    def stream_batch(self) -> int:
        """Timesteps that stream one after the other in a pass (weight-stationary dataflows)."""
        return self.batch if self.flow.stream == "positions" and not self.width.once else 1

    @cached_property
    def tiles(self) -> Mapping[Dimension, Tiles]:
        """The folds of every dimension."""
        layer, array = self.stage.layer, self.arch.array
        sizes: dict[Dimension, int] = {
            "positions": layer.positions * (self.batch if self.interleaved else self.stream_batch),
            "reduction": layer.reduction,
            "filters": layer.filters,
        }
        found: dict[Dimension, Tiles] = {}
        for dimension, size in sizes.items():
            spatial = {self.flow.rows: ("i", array.rows), self.flow.cols: ("j", array.cols)}.get(dimension)
            var, extent = spatial if spatial is not None else (None, size)
            starts = np.arange(0, size, extent, dtype=np.int64)
            found[dimension] = Tiles(starts, np.minimum(size - starts, extent), var)
        return found

    @property
    def folds(self) -> int:
        """Folds of one batch, all groups."""
        return self.stage.layer.groups * prod(tiles.count for tiles in self.tiles.values())

    @cached_property
    def weights_held(self) -> bool:
        """Whether a tile's weights stay in the PEs' scratchpads for all T: t innermost, and a PE's K weights fit."""
        layer = self.stage.layer
        fit = layer.reduction * layer.weight_bits <= int(self.arch.pe.scratchpad.weight) * 8
        return fit and self.flow.stream == "reduction" and self.arch.timesteps.scope == "tile"

    @cached_property
    def folds_together(self) -> int:
        """Neighbouring folds of positions that use the weights held: n timesteps side by side make it n, not one."""
        return self.batch if self.interleaved and self.weights_held else 1

    def vars_of(self, *dimensions: Dimension) -> frozenset[str]:
        """The loop variables on which tiles of these dimensions depend."""
        return frozenset(var for d in dimensions if (var := self.tiles[d].var) is not None)

    @cached_property
    def ifmap_depends(self) -> frozenset[str]:
        """Loop variables of the input tiles; a direct-coded image is the same for every batch."""
        own = self.vars_of("positions", "reduction") | {"g"}
        return own if self.width.constant else own | {"b"}

    @cached_property
    def weight_depends(self) -> frozenset[str]:
        """Loop variables of the weight tiles."""
        return self.vars_of("reduction", "filters") | {"g"}

    @cached_property
    def row_band(self) -> tuple[Ints, Ints]:
        """First and last input row that each fold of positions needs."""
        layer, tiles = self.stage.layer, self.tiles["positions"]
        per_position = self.batch if self.interleaved else self.stream_batch
        first, last = tiles.starts // per_position, (tiles.starts + tiles.used - 1) // per_position
        if tiles.var is None:
            first, last = np.zeros(1, np.int64), np.full(1, layer.positions - 1)
        width_out = layer.out_shape[2]
        low = (first // width_out) * layer.stride[0] - layer.padding[0]
        high = (last // width_out) * layer.stride[0] - layer.padding[0] + layer.kernel[0] - 1
        return np.maximum(low, 0), np.minimum(high, layer.in_shape[1] - 1)

    @cached_property
    def channel_band(self) -> tuple[Ints, Ints]:
        """First and last input channel (of a group) that each fold of the reduction needs."""
        tiles = self.tiles["reduction"]
        taps = self.stage.layer.kernel[0] * self.stage.layer.kernel[1]
        return tiles.starts // taps, (tiles.starts + tiles.used - 1) // taps

    @property
    def steps_per_tile(self) -> int:
        """Timesteps whose values an input tile holds."""
        return 1 if self.width.constant else self.batch

    @cached_property
    def rows(self) -> tuple[Ints, Ints]:
        """Input rows of each fold of positions: all that it needs, and those that the fold before lacks."""
        return _band_size(self.row_band, False), _band_size(self.row_band, True)

    @cached_property
    def channels(self) -> tuple[Ints, Ints]:
        """Input channels of each fold of the reduction: all that it needs, and those that the fold before lacks."""
        return _band_size(self.channel_band, False), _band_size(self.channel_band, True)

    @property
    def row_bits(self) -> int:
        """Bits of one row of one input channel, all timesteps of a tile included."""
        return self.stage.layer.in_shape[2] * self.width.load_bits * self.steps_per_tile

    @cached_property
    def ifmap_bits(self) -> Ints:
        """Bits of each input tile, [folds of positions, folds of the reduction]."""
        return self.rows[0][:, None] * self.channels[0][None, :] * self.row_bits

    @cached_property
    def ifmap_size(self) -> OperandBits:
        """Bits of the largest input tile, and of what all tiles of one batch and group cover."""
        (rows, new_rows), (channels, new_channels) = self.rows, self.channels
        whole = int(new_rows.sum()) * int(new_channels.sum())
        return OperandBits(int(rows.max()) * int(channels.max()) * self.row_bits, whole * self.row_bits)

    @cached_property
    def weight_size(self) -> OperandBits:
        """Bits of the largest weight tile, and of all of one group."""
        return OperandBits(int(self.weight_bits.max()), int(self.weight_bits.sum()))

    @cached_property
    def weight_bits(self) -> Ints:
        """Bits of each weight tile, [folds of the reduction, folds of the filters], biases included."""
        layer = self.stage.layer
        bits = self.tiles["reduction"].used[:, None] * self.tiles["filters"].used[None, :] * layer.weight_bits
        if layer.bias:
            bits = bits + self.tiles["filters"].used[None, :] * self.arch.pe.accumulator_bits * (
                np.arange(len(bits))[:, None] == 0
            )
        return bits

    def nest(self, batches: int) -> Nest:
        """The order of passes with the least DRAM traffic that the buffers allow."""
        sizes = {"b": batches, "g": self.stage.layer.groups}
        sizes |= {tiles.var: tiles.count for tiles in self.tiles.values() if tiles.var is not None}
        limit = dict(sizes)
        b, g = Loop("b", batches), Loop("g", sizes["g"])
        tile_scope = self.arch.timesteps.scope == "tile"
        if self.flow.stream != "reduction":
            inner = self.tiles["reduction"].var or "i"
            outer = "j" if inner == "i" else "i"
            middle = (g, Loop(outer, sizes[outer]), b) if tile_scope else (b, g, Loop(outer, sizes[outer]))
            return Nest((*middle, Loop(inner, sizes[inner])), limit)
        candidates = [
            Nest((g, *loops, b) if tile_scope else (b, g, *loops), limit)
            for loops in self._blocked(sizes, batches if tile_scope else 1)
        ]
        return min(candidates, key=self._traffic_bits)

    def _blocked(self, sizes: Mapping[str, int], inner_batches: int) -> list[tuple[Loop, ...]]:
        """Loop orders by blocks.

        Weights of a block of filters stay while all positions pass, or inputs of a block of positions while all
        filters do.
        """
        position, filters = self.tiles["positions"].var or "i", self.tiles["filters"].var or "j"
        weight_tile, ifmap_tile = self.weight_size.tile, self.ifmap_size.tile
        if not self.width.constant:
            ifmap_tile *= inner_batches
        together = self.folds_together

        def block(var: str, usable: int, tile: int, multiple: int) -> tuple[Loop, Loop]:
            size = min(-(-sizes[var] // multiple), max(1, usable // tile // multiple)) * multiple
            return Loop(var, -(-sizes[var] // size), size), Loop(var, size)

        outside, inside = block(filters, self.arch.buffers.weight.usable_bits, weight_tile, 1)
        across = (Loop(position, -(-sizes[position] // together), together), inside, Loop(position, together))
        first = (outside, *(across if together > 1 else (Loop(position, sizes[position]), inside)))
        outside, inside = block(position, self.arch.buffers.ifmap.usable_bits, ifmap_tile, together)
        return [first, (outside, Loop(filters, sizes[filters]), inside)]

    @cached_property
    def _mean_ifmap_bits(self) -> int:
        new_rows, new_channels = self.rows[1], self.channels[1]
        return int(new_rows.sum() // len(new_rows)) * int(new_channels.sum()) * self.row_bits + 1

    def _traffic_bits(self, nest: Nest) -> int:
        buffers = self.arch.buffers
        weights = nest.loads_of_operand(self.weight_depends, self.weight_size, buffers.weight.usable_bits)
        inputs = nest.loads_of_operand(self.ifmap_depends, self.ifmap_size, buffers.ifmap.usable_bits)
        return self.weight_size.tile * weights + self._mean_ifmap_bits * inputs


def stored_weight_bits(arch: SystolicArchitecture, layer: Layer) -> int:
    """Bits of a layer's weights and biases."""
    biases = layer.groups * layer.filters * arch.pe.accumulator_bits if layer.bias else 0
    return layer.weights * layer.weight_bits + biases


def _band_size(band: tuple[Ints, Ints], new: bool) -> Ints:
    low, high = band
    size = high - low + 1
    if new:
        size[1:] = high[1:] - np.maximum(high[:-1], low[1:] - 1)
    found: Ints = np.maximum(size, 0)
    return found

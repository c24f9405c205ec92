"""How one stage lies on the array: dimensions, folds, operand tiles in bits, and the order of its passes.

A batch of ``n`` timesteps is handled together. Where positions lie in space they are the pairs (position, t) with t
innermost (``placement: rows``), or the positions alone with n accumulators in each PE (``placement: in_pe``). A
position's input window is a band of rows of the map (with dilation those between its taps, too); a range of reduction
indices (channel outermost) is a band of channels. Of two neighbouring tiles only the new rows (or channels) are loaded
when the previous tile is still in the buffer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.stages import Stage
from archsim.accelerators.systolic.dataflows import DIMENSIONS, Dataflow, Dimension
from archsim.accelerators.systolic.nest import Loop, Nest, OperandBits
from archsim.accelerators.systolic.schema import SystolicArchitecture
from archsim.workload import Layer, Network

Ints = NDArray[np.int64]


def ceil_div(value: Ints, by: int | Ints) -> Ints:
    """Elementwise ceiling of a quotient of non-negative integers."""
    return (value + (by - 1)) // by


@dataclass(frozen=True)
class Tiles:
    """A dimension cut along the array: where each fold starts and how much of it is used; one fold if it streams."""

    starts: Ints
    used: Ints
    var: str  # "i" along the rows, "j" along the columns, "" if the dimension streams

    @property
    def count(self) -> int:
        """Number of folds."""
        return len(self.starts)

    @property
    def ends(self) -> Ints:
        """One past the last index of each fold."""
        return self.starts + self.used

    @property
    def most(self) -> int:
        """Used extent of the largest fold."""
        return int(self.used[0])


class ValueWidth(NamedTuple):
    """How the values of an input edge are held and multiplied."""

    bits: int  # on the edge
    pixel_bits: int  # fetched from DRAM for each value of an input that is encoded on its way in, for all t; else 0
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
    encoded = stage.from_input and network.encoding in ("rate", "ttfs")
    return ValueWidth(
        bits=bits,
        pixel_bits=network.precision.input_bits if encoded else 0,
        cycles=1 if multiplied else bits,
        on_multiplier=multiplied,
        constant=constant,
        once=constant and arch.first_layer == "once",
    )


class Geometry:
    """One stage on one chip, for batches of ``batch`` timesteps.

    ``interleaved``: the batch's timesteps share a spatial dimension with the positions; ``stream_batch``: how many of
    them stream one after the other in a pass (weight-stationary dataflows).
    ``weights_held``: a tile's weights stay in the PEs' scratchpads for all T (t innermost, and a PE's K weights fit);
    then ``folds_together`` neighbouring folds of positions use them: n timesteps side by side make it n, not one.
    ``ifmap_depends``, ``weight_depends``: the loop variables on which an operand's tiles depend; a direct-coded image
    is the same for every batch.
    ``rows``, ``channels``: input rows of each fold of positions and input channels of each fold of the reduction: all
    that it needs, and those that the fold before lacks.
    """

    def __init__(self, arch: SystolicArchitecture, flow: Dataflow, stage: Stage, width: ValueWidth, batch: int) -> None:
        self.arch, self.flow, self.stage, self.width, self.batch = arch, flow, stage, width, batch
        layer, in_space = stage.layer, flow.stream != "positions"
        self.interleaved = batch > 1 and in_space and arch.timesteps.placement == "rows" and not width.once
        self.stream_batch = 1 if in_space or width.once else batch
        self.tiles: Mapping[Dimension, Tiles] = {
            "positions": self._cut("positions", layer.positions * (batch if self.interleaved else self.stream_batch)),
            "reduction": self._cut("reduction", layer.reduction),
            "filters": self._cut("filters", layer.filters),
        }
        fit = layer.reduction * layer.weight_bits <= int(arch.pe.scratchpad.weight) * 8
        self.weights_held = fit and flow.stream == "reduction" and arch.timesteps.scope == "tile"
        self.folds_together = batch if self.interleaved and self.weights_held else 1
        position, reduction, filters = (self.tiles[dimension].var for dimension in DIMENSIONS)
        self.ifmap_depends = frozenset((position, reduction, "g", "" if width.constant else "b"))
        self.weight_depends = frozenset((reduction, filters, "g"))
        self.rows, self.channels = self._rows(), self._channels()
        steps = 1 if width.constant else batch  # whose values an input tile holds
        self.row_bits = layer.in_shape[2] * width.bits * steps  # of one channel, in the buffer
        self.row_bits_loaded = layer.in_shape[2] * width.pixel_bits or self.row_bits
        self.ifmap_size, self.mean_ifmap_bits = self._ifmap_sizes()

    def _cut(self, dimension: Dimension, size: int) -> Tiles:
        """The folds of a dimension."""
        var, extent = "", size
        if dimension == self.flow.rows:
            var, extent = "i", self.arch.array.rows
        elif dimension == self.flow.cols:
            var, extent = "j", self.arch.array.cols
        starts = np.arange(0, size, extent, dtype=np.int64)
        return Tiles(starts, np.minimum(size - starts, extent), var)

    @property
    def folds(self) -> int:
        """Folds of one batch, all groups."""
        return self.stage.layer.groups * prod(tiles.count for tiles in self.tiles.values())

    def _rows(self) -> tuple[Ints, Ints]:
        layer, tiles = self.stage.layer, self.tiles["positions"]
        per_row = (self.batch if self.interleaved else self.stream_batch) * layer.out_shape[2]
        low = (tiles.starts // per_row) * layer.stride[0] - layer.padding[0]
        high = (tiles.ends - 1) // per_row * layer.stride[0] - layer.padding[0] + layer.reach[0] - 1
        return _extents(np.maximum(low, 0), np.minimum(high, layer.in_shape[1] - 1))

    def _channels(self) -> tuple[Ints, Ints]:
        tiles = self.tiles["reduction"]
        taps = self.stage.layer.kernel[0] * self.stage.layer.kernel[1]
        return _extents(tiles.starts // taps, (tiles.ends - 1) // taps)

    @cached_property
    def ifmap_bits(self) -> Ints:
        """Bits of each input tile, [folds of positions, folds of the reduction]."""
        return self.rows[0][:, None] * self.channels[0][None, :] * self.row_bits

    def _ifmap_sizes(self) -> tuple[OperandBits, int]:
        """Bits of the largest input tile, and of what all tiles of one batch and group cover; of a load on average."""
        (rows, new_rows), (channels, new_channels) = self.rows, self.channels
        all_rows, all_channels = int(new_rows.sum()), int(new_channels.sum())
        largest = int(rows.max()) * int(channels.max()) * self.row_bits
        mean = all_rows // len(rows) * all_channels * self.row_bits_loaded + 1
        return OperandBits(largest, all_rows * all_channels * self.row_bits), mean

    @cached_property
    def weight_size(self) -> OperandBits:
        """Bits of the largest weight tile, and of all of one group; biases come with the first fold of a reduction."""
        layer, most = self.stage.layer, self.tiles["filters"].most
        bias = self.arch.pe.accumulator_bits if layer.bias else 0
        tile = self.tiles["reduction"].most * layer.weight_bits + bias
        return OperandBits(tile * most, (layer.reduction * layer.weight_bits + bias) * layer.filters)

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
        sizes |= {tiles.var: tiles.count for tiles in self.tiles.values() if tiles.var}
        b, g = Loop("b", batches), Loop("g", sizes["g"])
        tile_scope = self.arch.timesteps.scope == "tile"
        if self.flow.stream != "reduction":
            inner = self.tiles["reduction"].var or "i"
            outer = "j" if inner == "i" else "i"
            middle = (g, Loop(outer, sizes[outer]), b) if tile_scope else (b, g, Loop(outer, sizes[outer]))
            return Nest((*middle, Loop(inner, sizes[inner])), sizes)
        candidates = [
            Nest((g, *loops, b) if tile_scope else (b, g, *loops), sizes)
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

    def _traffic_bits(self, nest: Nest) -> int:
        buffers = self.arch.buffers
        weights = nest.loads_of_operand(self.weight_depends, self.weight_size, buffers.weight.room)
        inputs = nest.loads_of_operand(self.ifmap_depends, self.ifmap_size, buffers.ifmap.room)
        return self.weight_size.tile * weights + self.mean_ifmap_bits * inputs


def all_weights_fit(arch: SystolicArchitecture, network: Network) -> bool:
    """Whether the weights of all layers fit their buffer together: then they are loaded once for all timesteps."""
    demand = sum(stored_weight_bits(arch, layer) for layer in network.weighted_layers)
    return demand <= arch.buffers.weight.size_bits


def stored_weight_bits(arch: SystolicArchitecture, layer: Layer) -> int:
    """Bits of a layer's weights and biases."""
    biases = layer.groups * layer.filters * arch.pe.accumulator_bits if layer.bias else 0
    return layer.weights * layer.weight_bits + biases


def _extents(low: Ints, high: Ints) -> tuple[Ints, Ints]:
    """Sizes of the bands ``low .. high``, and what each has that the one before lacks."""
    sizes = np.maximum(high - low + 1, 0)
    if len(sizes) == 1:
        return sizes, sizes
    new = sizes.copy()
    new[1:] = np.maximum(high[1:] - np.maximum(high[:-1], low[1:] - 1), 0)
    return sizes, new

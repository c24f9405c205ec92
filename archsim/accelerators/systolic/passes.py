"""What every tile pass of a stage streams, computes and moves: the model of the PE array, in closed form per pass.

With ``r, c`` the used rows and columns of a pass, ``S`` the streamed length, ``w`` the cycles per value (bit planes):

* cycles = fold_cycles(S * w, R, C), plus the load of a stationary operand; at least the busiest buffer port's lines.
* product slots = r * c * S * w; of these *active* are those whose spike (or bit, or value on a multiplier) is not zero.
  ``gate``: only active slots switch the adder and write the accumulator; all spikes and weights are fetched, forwarded.
* ``skip``: ``S`` is what is left to stream (activity_per_tile). ``skip: row`` has every row fetch its own weights
  through a FIFO. Both kinds read the spike map once more as a bitmask, or as an index per spike.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.systolic import activity_per_tile
from archsim.accelerators.systolic.dataflows import Dimension
from archsim.accelerators.systolic.geometry import Geometry, ceil_div
from archsim.accelerators.systolic.nest import Nest
from archsim.accelerators.systolic.statistics import SpikeStatistics
from archsim.taskgraph import NONE

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Batches:
    """Consecutive batches of equal size: timesteps ``first + b * size ...``; ``visit0`` numbers the first of them."""

    first: int
    count: int
    size: int
    visit0: int

    def timesteps(self) -> slice:
        """The timesteps covered."""
        return slice(self.first, self.first + self.count * self.size)


class Passes:
    """All passes of one stage for some batches, as vectors in issue order.

    ``accumulators``: how many timesteps each PE accumulates side by side (``placement: in_pe``).
    ``reduction_is_cut``: outputs are completed over several passes, so that partial sums leave the array.
    """

    def __init__(self, geometry: Geometry, statistics: SpikeStatistics, batches: Batches) -> None:
        self.geometry, self.statistics, self.batches = geometry, statistics, batches
        self.arch, self.flow = geometry.arch, geometry.flow
        self.nest: Nest = geometry.nest(batches.count)
        self.count = self.nest.passes
        self.b, self.g = self.nest.index("b"), self.nest.index("g")
        self.fold = {"i": self.nest.index("i"), "j": self.nest.index("j")}
        self._used: dict[Dimension, Ints] = {}
        self.rows_used, self.cols_used = self.used(self.flow.rows), self.used(self.flow.cols)
        in_pe = self.arch.timesteps.placement == "in_pe" and not geometry.width.once
        self.accumulators = batches.size if in_pe else 1
        self.reduction_is_cut = geometry.tiles["reduction"].count > 1

    def of(self, dimension: Dimension) -> Ints:
        """Fold number of a dimension at each pass (0 where it streams)."""
        var = self.geometry.tiles[dimension].var
        return self.fold[var] if var else np.zeros(self.count, np.int64)

    def used(self, dimension: Dimension) -> Ints:
        """Used extent of a dimension at each pass."""
        if dimension not in self._used:
            self._used[dimension] = np.take(self.geometry.tiles[dimension].used, self.of(dimension))
        return self._used[dimension]

    def timestep_of(self, b: Ints) -> Ints | int:
        """Timesteps of passes of batches ``b``; NONE where a pass handles several."""
        return self.batches.first + b if self.batches.size == 1 else NONE

    @cached_property
    def computes(self) -> NDArray[np.bool_] | bool:
        """Whether the array computes in a pass; a first layer whose current is held does so at its first visit only."""
        if not self.geometry.width.once:
            return True
        first: NDArray[np.bool_] = self.b + self.batches.visit0 == 0
        return first

    @cached_property
    def last_of_reduction(self) -> NDArray[np.bool_]:
        """Whether a pass completes its outputs."""
        if not self.reduction_is_cut:
            return np.ones(self.count, bool)
        last: NDArray[np.bool_] = self.of("reduction") == self.geometry.tiles["reduction"].count - 1
        return last

    @cached_property
    def outputs(self) -> Ints:
        """Output (or partial-sum) values that a pass updates, all its timesteps included."""
        factor = 1 if self.geometry.interleaved or self.geometry.stream_batch > 1 else self.batches.size
        if self.geometry.width.once:
            factor = self.batches.size
        return self.used("positions") * self.used("filters") * factor

    @cached_property
    def _tile_activity(self) -> tuple[Ints, Ints, Ints]:
        """Per (batch, group, fold): active products, non-zero values, and the streamed indices (0s where unused)."""
        return activity_per_tile.per_tile(self.geometry, self.statistics, self.batches, self.accumulators > 1)

    @cached_property
    def active(self) -> Ints:
        """Active product slots of each pass."""
        return self._where_computing(self._of_tile(0) * self.used("filters"))

    @cached_property
    def synaptic(self) -> Ints:
        """Synaptic operations: a value that is not zero meets a weight, however many cycles the product takes."""
        if self.geometry.width.cycles == 1:
            return self.active
        table = activity_per_tile.per_tile(
            self.geometry, self.statistics.of_values(), self.batches, self.accumulators > 1
        )
        return self._where_computing(self._at_tile(table[0]) * self.used("filters"))

    def spikes_at_positions(self) -> Ints:
        """Active products with one filter at each output position: [batches, groups, positions, timesteps]."""
        per_step = self.statistics.active_per_position[self.batches.timesteps()]
        return per_step.reshape(self.batches.count, self.batches.size, *per_step.shape[1:]).transpose(0, 2, 3, 1)

    @cached_property
    def fetched_rows(self) -> Ints:
        """(row, index) pairs for which a row-skipping array fetches weights."""
        return self._where_computing(self._of_tile(1))

    def _of_tile(self, statistic: int) -> Ints:
        """One statistic of the tile that each pass works on."""
        return self._at_tile(self._tile_activity[statistic])

    def _at_tile(self, table: Ints) -> Ints:
        index = (self.b * table.shape[1] + self.g) * table.shape[2] + self._activity_fold
        found: Ints = np.take(table.ravel(), index)
        return found

    def _where_computing(self, values: Ints) -> Ints:
        return values if self.computes is True else np.where(self.computes, values, 0)

    @cached_property
    def _activity_fold(self) -> Ints:
        """Fold of the dimension along which a pass's spikes differ."""
        if self.flow.stationary == "ifmap":
            return self.of("positions") * self.geometry.tiles["reduction"].count + self.of("reduction")
        return self.of("positions") if self.flow.stream == "reduction" else self.of("reduction")

    @cached_property
    def stream(self) -> Ints:
        """Values streamed through each row of the array in each pass."""
        full = self.used(self.flow.stream)
        if self.arch.sparsity.startswith("skip"):
            full = self._of_tile(2)
        return self._where_computing(full)

    @cached_property
    def loads_stationary(self) -> NDArray[np.bool_]:
        """Whether the pass places a new stationary operand."""
        if self.flow.stationary == "ofmap":
            return np.zeros(self.count, bool)
        parts = [self.g, self.fold["i"], self.fold["j"]] + ([self.b] if self.flow.stationary == "ifmap" else [])
        changed = np.ones(self.count, bool)
        changed[1:] = np.logical_or.reduce([part[1:] != part[:-1] for part in parts])
        if self.flow.stationary == "weight" and self.batches.visit0 > 0 and self.arch.timesteps.scope != "network":
            changed[0] = self.geometry.folds > 1  # the only fold of a layer is still in place from the batches before
        changed &= self.computes
        return changed

    @cached_property
    def cycles(self) -> Ints:
        """Array cycles of each pass, buffer ports included.

        The scanners of a skipping array look one pass ahead, so that a silent tile takes no time; else a pass lasts at
        least as long as the scan of its map.
        """
        array, width = self.arch.array, self.geometry.width
        stream = self.stream * width.cycles
        if self.arch.sparsity.startswith("skip") and self.arch.spike_format == "bitmap":
            scan = ceil_div(self.used(self.flow.stream), self.arch.scan_bits)
            stream = np.where(stream > 0, np.maximum(stream, scan), 0)
        cycles = self.flow.fold_cycles(stream, array.rows, array.cols)
        if self.flow.stationary != "ofmap":
            cycles = cycles + self.loads_stationary * self.flow.loads_before_fold(array.rows, array.cols)
        if not self.arch.buffers.port_limited:
            return cycles
        buffers = self.arch.buffers
        ports = [(self.ifmap_lines, buffers.ifmap), (self.weight_lines, buffers.weight)]
        if self.reduction_is_cut:
            ports += [(self.partial_sum_lines_read, buffers.ofmap), (self.partial_sum_lines_written, buffers.ofmap)]
        for lines, buffer in ports:
            cycles = np.maximum(cycles, ceil_div(lines, buffer.banks))
        return cycles

    @cached_property
    def slots(self) -> Ints:
        """Product slots: PEs in use times streamed values times cycles per value."""
        each = self.geometry.width.cycles * self.accumulators
        return self.weight_uses * each if each > 1 else self.weight_uses

    @cached_property
    def weight_uses(self) -> Ints:
        """Times that a PE takes a weight: once per value streamed past it, for all timesteps of its accumulators."""
        if self.arch.sparsity == "skip_row":
            return self.fetched_rows * self.used("filters")
        return self.rows_used * self.cols_used * self.stream

    @cached_property
    def ifmap_elements(self) -> Ints:
        """Input values read from the ifmap buffer (padding included, as SCALE-Sim counts)."""
        if self.flow.stationary == "ifmap":
            return np.where(self.loads_stationary, self.rows_used * self.cols_used, 0)
        lanes = self.used("positions") if self.flow.stream == "reduction" else self.used("reduction")
        values = self.fetched_rows if self.arch.sparsity == "skip_row" else lanes * self.stream
        return values * self.accumulators

    @cached_property
    def ifmap_lines(self) -> Ints:
        """Lines read from the ifmap buffer; bitmasks or spike indices included when the array skips."""
        line, layer, width = self.arch.buffers.ifmap.line_bits, self.geometry.stage.layer, self.geometry.width
        if self.flow.stationary == "ifmap":
            return np.where(self.loads_stationary, self.rows_used * ceil_div(self.cols_used * width.bits, line), 0)
        if self.flow.stream != "reduction":
            dense = self.used("reduction") * ceil_div(np.full(1, self.used("positions")[0] * width.bits), line)
            return self._where_computing(dense)
        channels = layer.in_shape[0] // layer.groups
        lanes = self.used("positions") * self.accumulators

        def segments(bits: int) -> int:
            whole = -(-layer.reach[1] * channels * bits // line)  # one tap beside the other
            apart = layer.kernel[1] * -(-channels * bits // line)
            return layer.kernel[0] * (whole if layer.dilation[1] == 1 else min(whole, apart))

        if not self.arch.sparsity.startswith("skip"):
            return self._where_computing(lanes * segments(width.bits))
        mask = lanes * segments(1)
        if self.arch.spike_format == "index":
            mask = ceil_div(self.fetched_rows * max(1, (layer.reduction - 1).bit_length()), line)
        values = ceil_div(self.fetched_rows * width.bits, line) if width.bits > 1 else np.zeros(1, np.int64)
        return self._where_computing(mask + values)

    @cached_property
    def scanned_bits(self) -> Ints:
        """Bits of spike metadata that a skipping array looks at."""
        if not self.arch.sparsity.startswith("skip"):
            return np.zeros(self.count, np.int64)
        layer = self.geometry.stage.layer
        if self.arch.spike_format == "index":
            bits = self.fetched_rows * max(1, (layer.reduction - 1).bit_length())
        else:
            bits = self.used("positions") * self.used("reduction") * self.accumulators
        return self._where_computing(bits)

    @cached_property
    def holds_weights(self) -> NDArray[np.bool_] | bool:
        """Whether the weights are in the PEs' scratchpads since the timesteps before (see Geometry.weights_held)."""
        if not self.geometry.weights_held:
            return False
        return (self.b > 0) | (self.of("positions") % self.geometry.folds_together > 0)

    @cached_property
    def _weight_rows(self) -> Ints:
        """Rows of the weight tile that each pass fetches: all at once where they are held, else what is streamed."""
        if self.geometry.weights_held:
            return np.where(self.holds_weights, 0, self._where_computing(self.used("reduction")))
        return self.fetched_rows if self.arch.sparsity == "skip_row" else self.stream

    @cached_property
    def weight_elements(self) -> Ints:
        """Weights read from the weight buffer."""
        if self.flow.stationary == "weight":
            return np.where(self.loads_stationary, self.rows_used * self.cols_used, 0)
        if self.flow.stationary == "ifmap":
            return self._where_computing(self.used("reduction") * self.used("filters"))
        return self._weight_rows * self.used("filters")

    @cached_property
    def weight_lines(self) -> Ints:
        """Lines read from the weight buffer; a dense tile is contiguous, skipped indices are not."""
        line, bits = self.arch.buffers.weight.line_bits, self.geometry.stage.layer.weight_bits
        if self.arch.sparsity.startswith("skip") and self.flow.stationary == "ofmap":
            return self._weight_rows * ceil_div(self.used("filters") * bits, line)
        return ceil_div(self.weight_elements * bits, line)

    @cached_property
    def partial_sums(self) -> Ints:
        """Partial sums that a pass updates: its outputs; those of a held current once, whatever the timesteps."""
        once = self.geometry.width.once
        return self._where_computing(self.outputs // self.batches.size) if once else self.outputs

    @cached_property
    def partial_sums_read(self) -> Ints:
        """Partial sums read back from the ofmap buffer: all but the first fold of the reduction."""
        return np.where(self.of("reduction") > 0, self.partial_sums, 0)

    @cached_property
    def partial_sums_written(self) -> Ints:
        """Partial sums written to the ofmap buffer: all but the last fold of the reduction."""
        return np.where(self.last_of_reduction, 0, self.partial_sums)

    @cached_property
    def partial_sum_lines_read(self) -> Ints:
        """Lines of partial sums read."""
        return ceil_div(self.partial_sums_read * self.arch.pe.accumulator_bits, self.arch.buffers.ofmap.line_bits)

    @cached_property
    def partial_sum_lines_written(self) -> Ints:
        """Lines of partial sums written."""
        return ceil_div(self.partial_sums_written * self.arch.pe.accumulator_bits, self.arch.buffers.ofmap.line_bits)

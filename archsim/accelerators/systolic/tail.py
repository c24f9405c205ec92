"""What happens to outputs on their way out of the array: neuron updates, pools, adds, the membrane's way home and back.

Of a neuron that is visited ``B`` times, the ``S`` state words are saved and restored ``B - 1`` times:
``reads = writes = S * N * (B - 1)``, plus ``S * N`` writes where membranes that outlive a visit are cleared for the
next input. Everything of a neuron happens in one visit when the timestep loop is innermost and outputs stay in the PE.

A stage's later steps may handle fewer values than the array puts out (a pool in between); they are spread over the
passes in proportion, by cumulative rounding, so that every timestep's total is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.neurons import state_bits
from archsim.accelerators.stages import Stage, TailOp, TailUnit
from archsim.accelerators.systolic.geometry import Geometry, ceil_div
from archsim.accelerators.systolic.passes import Passes
from archsim.accelerators.systolic.schema import SystolicArchitecture

Ints = NDArray[np.int64]


class Outputs:
    """The completing passes of a stage, and how its maps are spread over them."""

    def __init__(self, passes: Passes, stage: Stage) -> None:
        self.passes, self.stage = passes, stage
        self.all_passes = not passes.reduction_is_cut
        self.at = np.arange(passes.count) if self.all_passes else np.flatnonzero(passes.last_of_reduction)
        self.values, self.b = self.of(passes.outputs), self.of(passes.b)
        layer = stage.layer
        self.per_step = layer.out_shape[0] * layer.positions

    @property
    def count(self) -> int:
        """Number of completing passes."""
        return len(self.at)

    def of(self, per_pass: Ints) -> Ints:
        """The completing passes' part of a vector over all passes."""
        return per_pass if self.all_passes else per_pass[self.at]

    def per_pass(self, values: Ints) -> Ints:
        """A vector over all passes: the completing ones' values, and 0."""
        if self.all_passes:
            return values
        found = np.zeros(self.passes.count, np.int64)
        found[self.at] = values
        return found

    @cached_property
    def _by_batch(self) -> Ints:
        """The completing passes, batch by batch."""
        return np.argsort(self.b, kind="stable")

    def spread(self, per_timestep: int) -> Ints:
        """``per_timestep`` values of each timestep, spread over the completing passes of that timestep's batch."""
        if per_timestep == self.per_step:
            return self.values
        return self._shares(self._so_far * per_timestep // self.per_step)

    def spread_totals(self, per_batch: Ints) -> Ints:
        """Given totals of each batch, spread over its completing passes."""
        return self._shares(self._so_far * per_batch[:, None] // self._so_far[:, -1:])

    @cached_property
    def _so_far(self) -> Ints:
        """Values up to and including each completing pass of a batch: [batches, passes]."""
        return self.values[self._by_batch].reshape(self.passes.batches.count, -1).cumsum(axis=1)

    def _shares(self, so_far: Ints) -> Ints:
        """What each completing pass adds to a total that grows along each batch; ``so_far`` is used up."""
        so_far[:, 1:] -= so_far[:, :-1]
        result = np.empty_like(self.values)
        result[self._by_batch] = so_far.ravel()
        return result

    def untouched_if_silent(self, op: TailOp) -> bool:
        """Whether neurons without input are left alone: no bias, pool, residual sum or held current feeds them.

        A potential that leaves, drifts to a rest or is never reset is needed at every timestep.
        """
        event, neuron = self.passes.arch.neuron.update == "event" and op is self.stage.tail[0], op.layer.neuron
        silent = neuron is not None and neuron.spiking and neuron.rest == 0.0 and neuron.reset != "none"
        return event and silent and not self.stage.layer.bias and not self.passes.geometry.width.once

    def previous_visit(self) -> Ints:
        """For each completing pass the one that visited the same neurons a batch earlier; -1 in the first batch."""
        order = self._by_batch.reshape(self.passes.batches.count, -1)
        previous = np.full(self.count, -1, np.int64)
        previous[order[1:].ravel()] = order[:-1].ravel()
        return previous

    def fold_before(self) -> Ints:
        """For each completing pass the one that began the batch of timesteps that its fold cuts; -1 if none is cut."""
        passes = self.passes
        tiles, filters = passes.geometry.tiles["positions"], passes.geometry.tiles["filters"].count
        fold = self.of(passes.of("positions"))
        groups = self.b * passes.geometry.stage.layer.groups + self.of(passes.g)
        key = (groups * tiles.count + fold) * filters + self.of(passes.of("filters"))
        order = np.argsort(key)
        before = order[np.maximum(np.searchsorted(key[order], key - filters), 0)]
        return np.where(tiles.starts[fold] % passes.batches.size != 0, before, -1)


@dataclass(frozen=True)
class MembraneTraffic:
    """State words restored and saved per completing pass, between the neuron units and the membrane's home."""

    words_read: Ints
    words_written: Ints
    bits_read: Ints
    bits_written: Ints


def visits(arch: SystolicArchitecture, stationary: str, timesteps: int) -> int:
    """B: how often a neuron is visited; once if the timestep loop is innermost and outputs stay in the PE."""
    if arch.timesteps.scope == "tile" and stationary == "ofmap":
        return 1
    return -(-timesteps // arch.timesteps.batch(timesteps))


@dataclass(frozen=True)
class Visited:
    """Neurons of each completing pass whose batch of timesteps begins or ends there, and those that a fold cuts.

    With ``placement: rows`` a fold may cut the batch of a neuron: it is resumed in the next fold.
    """

    begun: Ints
    ended: Ints
    resumed: Ints
    cut: Ints


def membrane_traffic(
    outputs: Outputs, op: TailOp, total_visits: int, membrane_bits: int, held_current: bool
) -> MembraneTraffic:
    """Saves and restores of one neuron layer; a held current (``first_layer: once``) is one more word per neuron.

    A visit restores the state unless it is the first, and saves it unless it is the last, which writes it once more to
    clear it. Under ``update: event`` a neuron that hears nothing in a visit is neither restored nor saved.
    """
    passes, neuron = outputs.passes, op.layer.neuron
    assert neuron is not None
    words, bits_each = neuron.state_words, state_bits(neuron, membrane_bits)
    every = _visited(outputs, op)
    heard = _heard(outputs) if outputs.untouched_if_silent(op) else every
    visit = np.zeros_like(outputs.b) if total_visits == 1 else outputs.b + passes.batches.visit0
    last = visit == total_visits - 1
    clears = passes.arch.neuron.clear_between_inputs and total_visits > 1
    read = heard.begun * (visit > 0) + heard.resumed
    written = np.where(last, every.ended * clears, heard.ended) + heard.cut
    held = every.begun * held_current
    extra_read, extra_written = held * (visit > 0), held * (visit == 0) * (total_visits > 1)
    return MembraneTraffic(
        words_read=words * read + extra_read,
        words_written=words * written + extra_written,
        bits_read=bits_each * read + membrane_bits * extra_read,
        bits_written=bits_each * written + membrane_bits * extra_written,
    )


def most_restored_bits(geometry: Geometry, op: TailOp, timesteps: int, membrane_bits: int) -> int:
    """Most bits that one completing pass of a layer can restore, in any batch: what a staging buffer must hold."""
    layer, array, flow = geometry.stage.layer, geometry.arch.array, geometry.flow
    extents = {flow.rows: array.rows, flow.cols: array.cols}
    positions = min(layer.positions, extents.get("positions", layer.positions))
    smallest = timesteps % geometry.arch.timesteps.batch(timesteps) or geometry.arch.timesteps.batch(timesteps)
    if geometry.arch.timesteps.placement == "rows" and "positions" in extents and smallest > 1:
        positions = min(positions, extents["positions"] // smallest + 2)  # and one cut at either end
    filters = min(layer.filters, extents.get("filters", layer.filters))
    assert op.layer.neuron is not None
    whole = layer.out_shape[0] * layer.positions
    values = -(-positions * filters * op.elements // whole)
    return values * (state_bits(op.layer.neuron, membrane_bits) + membrane_bits * geometry.width.once)


def _visited(outputs: Outputs, op: TailOp) -> Visited:
    """All neurons of a layer; behind a pool or a residual sum of several passes, spread over the passes."""
    passes, size = outputs.passes, outputs.passes.batches.size
    none = np.zeros(outputs.count, np.int64)
    if op.elements != outputs.per_step:
        spread = outputs.spread_totals(np.full(passes.batches.count, op.elements, np.int64))
        return Visited(spread, spread, none, none)
    if not passes.geometry.interleaved:
        neurons = outputs.values // size
        return Visited(neurons, neurons, none, none)
    tiles, fold = passes.geometry.tiles["positions"], outputs.of(passes.of("positions"))
    start, end, filters = tiles.starts[fold], tiles.ends[fold], outputs.of(passes.used("filters"))
    return Visited(
        begun=(ceil_div(end, size) - ceil_div(start, size)) * filters,
        ended=(end // size - start // size) * filters,
        resumed=np.where(start % size != 0, filters, 0),
        cut=np.where(end % size != 0, filters, 0),
    )


def _heard(outputs: Outputs) -> Visited:
    """The neurons of a weighted layer that hear at least one spike in a visit."""
    passes, size = outputs.passes, outputs.passes.batches.size
    starts = passes.geometry.tiles["positions"].starts
    lanes = passes.spikes_at_positions() > 0  # [batches, groups, positions, timesteps]
    if passes.geometry.interleaved:
        heard = lanes.reshape(*lanes.shape[:2], -1)
    else:
        heard, starts, size = np.any(lanes, axis=3), starts // passes.geometry.stream_batch, 1
    cuts = np.union1d(starts, np.arange(0, heard.shape[2], size))
    after = np.append(cuts[1:], heard.shape[2])
    visits = np.logical_or.reduceat(heard, cuts, axis=2)
    first_of_fold = np.searchsorted(cuts, starts)
    where = passes.b, passes.g, passes.of("positions")

    def per_pass(chosen: NDArray[np.bool_]) -> Ints:
        folds = np.add.reduceat(visits & chosen, first_of_fold, axis=2, dtype=np.int64)
        return outputs.of(folds[where] * passes.used("filters"))

    return Visited(
        begun=per_pass(cuts % size == 0), ended=per_pass(after % size == 0),
        resumed=per_pass(cuts % size != 0), cut=per_pass(after % size != 0),
    )  # fmt: skip


def neuron_cycles(arch: SystolicArchitecture, passes: Passes, outputs: Outputs, updates: Ints) -> Ints:
    """Cycles to update the neurons of each completing pass; serial in t.

    ``ceil(neurons / units) * timesteps * cycles_per_update``, with one unit per PE, per used column, or per group of
    columns.
    """
    size = passes.batches.size
    units: int | Ints = arch.array.rows * arch.array.cols
    if arch.neuron.units != "per_pe":
        units = outputs.of(passes.cols_used)
        if arch.neuron.units != "per_column":
            units = ceil_div(units, arch.neuron.columns_per_unit)
    return ceil_div(ceil_div(updates, size), units) * (size * arch.neuron.cycles_per_update)


def neuron_unit_count(arch: SystolicArchitecture) -> int:
    """Neuron units on the chip."""
    return {
        "per_pe": arch.array.rows * arch.array.cols,
        "per_column": arch.array.cols,
        "shared": -(-arch.array.cols // arch.neuron.columns_per_unit),
        "ideal": 0,
    }[arch.neuron.units]


def tail_tasks(ops: Sequence[TailOp]) -> list[tuple[TailUnit, list[TailOp]]]:
    """Neighbouring steps on the same unit are one task."""
    merged: list[tuple[TailUnit, list[TailOp]]] = []
    for op in ops:
        if merged and merged[-1][0] == op.unit:
            merged[-1][1].append(op)
        else:
            merged.append((op.unit, [op]))
    return merged

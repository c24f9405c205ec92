"""What the spikes leave to do in each tile of a stage: active products, non-zero values, indices still to stream.

Every statistic is an array [batches, groups, folds], with a fold for each tile of the dimensions that tell the spikes
of passes apart: positions where the reduction streams, reduction where positions stream, and both (positions outermost)
where the inputs stay in the array.

``skip: union`` streams only the indices at which some row of the tile is active; ``skip: row`` lasts as long as its
busiest row. A first layer whose current is held (``first_layer: once``) counts the first timestep of a batch only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators import spikes
from archsim.accelerators.systolic.geometry import Geometry
from archsim.accelerators.systolic.statistics import SpikeStatistics

if TYPE_CHECKING:
    from archsim.accelerators.systolic.passes import Batches

Ints = NDArray[np.int64]


def per_tile(
    geometry: Geometry, statistics: SpikeStatistics, batches: Batches, several_accumulators: bool
) -> tuple[Ints, Ints, Ints]:
    """Active products, non-zero values (row skipping: rows fetched), streamed indices: each [batches, groups, folds].

    Active products are per filter. Where nothing skips, the second and the third have no meaning and repeat the first.
    ``several_accumulators``: each PE accumulates the timesteps of a batch side by side (``placement: in_pe``).
    """
    if geometry.flow.stationary == "weight":
        return per_reduction_fold(geometry, statistics, batches)
    if geometry.flow.stationary == "ifmap":
        return per_position_and_reduction_fold(geometry, statistics, batches)
    sparsity, starts = geometry.arch.sparsity, geometry.tiles["positions"].starts
    active = fold_positions(statistics.active_per_position, geometry, batches, np.add)
    if not sparsity.startswith("skip"):
        return active, active, active
    window, size = statistics.nonzero()[batches.timesteps()], batches.size
    if geometry.width.once:
        window, size = window[::size], 1
    if sparsity == "skip_row" and several_accumulators:
        each = np.arange(statistics.layer.positions, dtype=np.int64)
        rows = spikes.union_per_tile(window, statistics.layer, each, size, False)
        return active, np.add.reduceat(rows, starts, axis=2), np.maximum.reduceat(rows, starts, axis=2)
    nonzero = fold_positions(statistics.nonzero_per_position, geometry, batches, np.add)
    if sparsity == "skip_row":
        return active, nonzero, fold_positions(statistics.nonzero_per_position, geometry, batches, np.maximum)
    return active, nonzero, spikes.union_per_tile(window, statistics.layer, starts, size, geometry.interleaved)


def fold_positions(per_position: Ints, geometry: Geometry, batches: Batches, reduce: np.ufunc) -> Ints:
    """Reduce [T, groups, positions] over the rows of each fold of positions: [batches, groups, folds]."""
    part = per_position[batches.timesteps()].reshape(batches.count, batches.size, *per_position.shape[1:])
    if geometry.width.once:
        part = part[:, 0]
    elif geometry.interleaved:
        part = part.transpose(0, 2, 3, 1).reshape(batches.count, per_position.shape[1], -1)
    else:
        part = reduce.reduce(part, axis=1) if batches.size > 1 else part[:, 0]
    return reduce.reduceat(part, geometry.tiles["positions"].starts, axis=2)


def per_reduction_fold(geometry: Geometry, statistics: SpikeStatistics, batches: Batches) -> tuple[Ints, Ints, Ints]:
    """As :func:`per_tile`, for stationary weights: positions stream past each fold of the reduction."""
    starts = geometry.tiles["reduction"].starts
    per_index = statistics.active_per_index[batches.timesteps()]
    part = per_index.reshape(batches.count, batches.size, *per_index.shape[1:])
    part = part[:, 0] if geometry.width.once else part.sum(axis=1)
    active = np.add.reduceat(part, starts, axis=2)
    if geometry.arch.sparsity != "skip_union":
        return active, active, active
    streamed = np.zeros_like(active)
    for step, values in enumerate(statistics.nonzero()[batches.timesteps()]):
        if geometry.width.once and step % batches.size:
            continue
        rows = np.maximum.reduceat(spikes.windows(values, statistics.layer), starts, axis=2)
        streamed[step // batches.size] += rows.sum(axis=1, dtype=np.int64)
    return active, active, streamed


def per_position_and_reduction_fold(
    geometry: Geometry, statistics: SpikeStatistics, batches: Batches
) -> tuple[Ints, Ints, Ints]:
    """As :func:`per_tile`, for stationary inputs: a fold for each tile of positions and reduction."""
    reduction, position, layer = geometry.tiles["reduction"], geometry.tiles["positions"], statistics.layer
    active = np.zeros((batches.count, layer.groups, position.count * reduction.count), np.int64)
    weights = statistics.weights()
    for b in range(batches.count):
        first = batches.first + b * batches.size
        steps = range(first, first + (1 if geometry.width.once else batches.size))
        per_step = [
            np.add.reduceat(spikes.windows(weights[t], layer), reduction.starts, axis=2, dtype=np.int64) for t in steps
        ]
        rows = np.stack(per_step, axis=2).reshape(layer.groups, -1, reduction.count)
        active[b] = np.add.reduceat(rows, position.starts, axis=1).reshape(layer.groups, -1)
    return active, active, active

"""Tile loads: which weight and input tiles come from DRAM when, their tasks, and the places they take in buffers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.dram import DramChannel
from archsim.accelerators.stages import Stage
from archsim.accelerators.systolic.dataflows import Dimension
from archsim.accelerators.systolic.geometry import all_weights_fit, stored_weight_bits
from archsim.accelerators.systolic.nest import Loads
from archsim.accelerators.systolic.passes import Passes
from archsim.accelerators.systolic.state import StageState
from archsim.taskgraph import DATA, NONE, SYNC, GraphBuilder, Span
from archsim.workload import Network

Ints = NDArray[np.int64]
Operand = Literal["weight", "ifmap"]


@dataclass(frozen=True)
class TileLoads:
    """The loads of one operand: the pass that first needs each, the bits it brings, and its DRAM task if timed."""

    loads: Loads
    bits: Ints
    span: Span | None


class TileLoader:
    """Loads of one stage for one run of batches."""

    def __init__(self, network: Network, stage: Stage, passes: Passes, state: StageState, dram: DramChannel) -> None:
        self.network, self.stage, self.passes, self.state, self.dram = network, stage, passes, state, dram
        self.arch, self.geometry = passes.arch, passes.geometry

    @cached_property
    def weight(self) -> TileLoads:
        """When weight tiles are loaded; they are shared by all timesteps of their batch."""
        geometry, passes = self.geometry, self.passes
        loads = passes.nest.loads(geometry.weight_depends, geometry.weight_size, self.arch.buffers.weight.room)
        each = geometry.weight_bits[passes.of("reduction")[loads.at], passes.of("filters")[loads.at]]
        loads, bits = self._needed(loads, each * (not self.state.weights_stay))
        return TileLoads(loads, bits, self.dram.tasks(bits, NONE) if self.dram.timed and len(bits) else None)

    @cached_property
    def ifmap(self) -> TileLoads:
        """When input tiles are loaded: whole tiles, or what the tile before lacks."""
        geometry, passes = self.geometry, self.passes
        loads = passes.nest.loads(geometry.ifmap_depends, geometry.ifmap_size, self.arch.buffers.ifmap.room)
        rows = self._new_or_all(loads, "positions", geometry.rows)
        channels = self._new_or_all(loads, "reduction", geometry.channels)
        loads, bits = self._needed(loads, rows * channels * geometry.row_bits_loaded * (not self.state.image_stays))
        timestep = NONE if geometry.width.constant else passes.timestep_of(passes.b[loads.at])
        return TileLoads(loads, bits, self.dram.tasks(bits, timestep) if self.dram.timed and len(bits) else None)

    def _new_or_all(self, loads: Loads, dimension: Dimension, bands: tuple[Ints, Ints]) -> Ints:
        """Extent of a band that each load brings: what the fold before lacks if that is in the buffer still, or all."""
        (everything, new), nest = bands, self.passes.nest
        fold, var = self.passes.of(dimension)[loads.at], self.geometry.tiles[dimension].var
        lag = nest.keeps_previous(var, self.geometry.ifmap_depends, loads.resident_from) if var else 0
        if lag == 0:
            return everything[fold]
        follows = np.zeros(len(fold), bool)
        follows[lag:] = fold[lag:] == fold[:-lag] + 1
        return np.where(follows, new[fold], everything[fold])

    def _needed(self, loads: Loads, bits: Ints) -> tuple[Loads, Ints]:
        """Drop loads of nothing, and loads for passes that do not compute."""
        keep = bits > 0
        if not isinstance(self.passes.computes, bool):
            keep &= self.passes.computes[loads.at]
        if keep.all():
            return loads, bits
        return Loads(loads.at[keep], loads.until[keep], loads.resident_from), bits[keep]

    def connect(self, builder: GraphBuilder, array: Span, barrier: int | None) -> None:
        """Input tiles come after the barrier; a pass waits for its tiles, or for the barrier if it needs none."""
        if self.ifmap.span is not None and barrier is not None:
            builder.edge(self.ifmap.span, barrier, SYNC)
        for tiles in (self.weight, self.ifmap):
            if tiles.span is not None:
                before = np.full(array.count, NONE, np.int64)
                before[tiles.loads.at] = tiles.span.ids
                builder.edge(array, before, DATA)
        if self.ifmap.span is None and barrier is not None:
            before = np.full(array.count, NONE, np.int64)
            before[0] = barrier
            builder.edge(array, before, SYNC)

    def hold(self, builder: GraphBuilder, array: Span) -> None:
        """Places in the buffers, from the start of a load to the finish of the last pass that needs it."""
        self._hold_weights(builder, array)
        if self.ifmap.span is None:
            return
        loads, passes = self.ifmap.loads, self.passes
        resident_from = min(loads.resident_from, len(passes.nest.loops))
        whole = resident_from == 0 or passes.nest.loops[resident_from - 1].var in "bg"
        full = self.geometry.ifmap_bits[passes.of("positions")[loads.at], passes.of("reduction")[loads.at]]
        new = self.ifmap.bits // self.geometry.row_bits_loaded * self.geometry.row_bits
        self._hold(builder, "ifmap", self.ifmap.span.ids, array.ids[loads.until], new if whole else full)

    def _hold_weights(self, builder: GraphBuilder, array: Span) -> None:
        state = self.state
        if state.pending_weights is not None:
            acquire, amount = state.pending_weights
            self._hold(builder, "weight", acquire, np.full(len(acquire), array.last), amount)
            state.pending_weights = None
        if self.weight.span is None or self._all_weights_static:
            return
        loaded, stored = self.weight.span.ids, stored_weight_bits(self.arch, self.stage.layer)
        if self._more_runs_follow and stored <= self.arch.buffers.weight.size_bits:
            state.pending_weights = (loaded, self.weight.bits)
        else:
            self._hold(builder, "weight", loaded, array.ids[self.weight.loads.until], self.weight.bits)

    @property
    def _all_weights_static(self) -> bool:
        """Whether the whole network's weights stay in their buffer over all timesteps."""
        return self.arch.timesteps.scope == "network" and all_weights_fit(self.arch, self.network)

    @property
    def _more_runs_follow(self) -> bool:
        batches = self.passes.batches
        covered = batches.first + batches.count * batches.size
        return self.arch.timesteps.scope != "network" and covered < self.network.timesteps

    def _hold(self, builder: GraphBuilder, operand: Operand, acquire: Ints, release: Ints, bits: Ints) -> None:
        buffer = getattr(self.arch.buffers, operand)
        together = int(bits.sum()) <= buffer.size_bits
        amount = np.minimum(bits, buffer.size_bits if together else buffer.usable_bits)
        levers = (f"buffers.{operand}.size of at least {2 * int(amount.max()) // 8:,} bytes",)
        builder.holds(f"{operand}_buffer", buffer.size_bits, acquire, release, amount, levers)

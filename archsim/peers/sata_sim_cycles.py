"""SATA_Sim's cycle-stat.yaml: an output-stationary run for activations mixed with a weight-stationary one for weights.

With P output positions (no padding, rounded up), reduction K, M filters, array R x C: output stationary has
ceil(P/R) ceil(M/C) folds of K + R + C - 2 cycles; weight stationary ceil(K/R) ceil(M/C) folds of P + 2R + C - 2.
Cycle fields are spans between the first and the last access in SCALE-Sim's traces.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from archsim.peers import demand
from archsim.peers.layers import PeerLayer
from archsim.peers.sata_sim_config import SataSimConfig
from archsim.peers.scalesim import Mapping, mapping_of, whole_kib


@dataclass(frozen=True)
class LayerStat:
    """One layer of cycle-stat.yaml for one timestep; reads and writes are elements."""

    name: str
    dram_filter_reads: int
    dram_ifmap_reads: int
    dram_ofmap_writes: int
    sram_filter_cycles: int
    sram_filter_reads: int
    sram_ifmap_cycles: int
    sram_ifmap_reads: int
    sram_ofmap_cycles: int
    sram_ofmap_start_cycle: int
    sram_ofmap_writes: int
    row_folds: int
    weight_load_cycles: int  # ceil(K/R) ceil(M/C) R: what loading the weights would really take

    def as_yaml_row(self) -> dict[str, int]:
        """The fields under the names that SATA_Sim's file uses."""
        return {
            "DRAM Filter Reads": self.dram_filter_reads,
            "DRAM IFMAP Reads": self.dram_ifmap_reads,
            "DRAM OFMAP Writes": self.dram_ofmap_writes,
            "SRAM Filter Cycles": self.sram_filter_cycles,
            "SRAM Filter Reads": self.sram_filter_reads,
            "SRAM IFMAP Cycles": self.sram_ifmap_cycles,
            "SRAM IFMAP Reads": self.sram_ifmap_reads,
            "SRAM OFMAP Cycles": self.sram_ofmap_cycles,
            "SRAM OFMAP Start Cycle": self.sram_ofmap_start_cycle,
            "SRAM OFMAP Writes": self.sram_ofmap_writes,
        }


def layer_stat(layer: PeerLayer, config: SataSimConfig) -> LayerStat:
    """The cycle statistics of one layer under the configuration's conventions."""
    rules = config.conventions
    shape = layer.padded() if rules.true_padding else layer
    shape = replace(shape, name="", limits=(), padding=(0, 0), kind="conv")
    os, ws = (mapping_of(shape, config.rows, config.cols, flow) for flow in ("os", "ws"))
    outputs = shape.positions * shape.filters
    ifmap_bytes = whole_kib(config.ifmap.size_bytes)
    capacity = ifmap_bytes * 8 // config.act_bits if rules.packed_spikes else ifmap_bytes
    words = demand.epoch_words(capacity, 100 if rules.full_capacity else 50)
    drained = demand.drained_writes(outputs, config.cols, whole_kib(config.ofmap.size_bytes))
    start, stop = _output_span(os, config)
    return LayerStat(
        name=layer.name,
        dram_filter_reads=shape.reduction * shape.filters,
        dram_ifmap_reads=_input_dram_reads(shape, config.rows, os.col_folds, words),
        dram_ofmap_writes=outputs if rules.no_line_padding else drained,
        sram_filter_cycles=_weight_span(ws, config),
        sram_filter_reads=shape.reduction * shape.filters,
        sram_ifmap_cycles=_input_span(shape, config.rows, os),
        sram_ifmap_reads=shape.positions * shape.reduction * os.col_folds,
        sram_ofmap_cycles=stop - start,
        sram_ofmap_start_cycle=start,
        sram_ofmap_writes=outputs + (0 if rules.no_fold_surplus else os.folds * (config.rows + config.cols)),
        row_folds=os.row_folds,
        weight_load_cycles=ws.folds * config.rows,
    )


def _output_span(os: Mapping, config: SataSimConfig) -> tuple[int, int]:
    """First and last cycle with an output: outputs leave from the last row up, one column later per column."""
    unused_rows = config.rows - min(config.rows, os.space_rows)
    last_columns = os.space_cols - (os.col_folds - 1) * config.cols
    start = os.stream - 1 + unused_rows
    stop = (os.folds - 1) * os.fold_cycles + os.stream + config.rows + last_columns - 3
    return start, stop


def _weight_span(ws: Mapping, config: SataSimConfig) -> int:
    """From the first weight of the first weight-stationary fold to the last one of the last fold."""
    unused_rows = config.rows - min(config.rows, ws.space_rows)
    return (ws.folds - 1) * ws.fold_cycles + config.rows - 1 - unused_rows


@lru_cache(maxsize=256)
def _input_span(layer: PeerLayer, rows: int, os: Mapping) -> int:
    """From the first input read to the last one: windows that hang over the map ask for less and stop earlier."""
    _, _, inside = demand.window_addresses(layer)
    first_of_last_column = (os.folds - os.row_folds) * os.fold_cycles
    position = np.arange(layer.positions)
    last_step = np.full(layer.positions, layer.reduction - 1)
    if inside is not None:
        last_step = np.where(inside.any(axis=1), layer.reduction - 1 - inside[:, ::-1].argmax(axis=1), -layer.reduction)
        position, last_step = position[last_step >= 0], last_step[last_step >= 0]
    return first_of_last_column + int((position // rows * os.fold_cycles + position % rows + last_step).max())


@lru_cache(maxsize=256)
def _input_dram_reads(layer: PeerLayer, rows: int, col_folds: int, words: int) -> int:
    return demand.flushing_reads(demand.os_input_stream(layer, rows), col_folds, words)

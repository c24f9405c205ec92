"""What SCALE-Sim (v2 and v3, CALC mode) would report for a layer: closed forms plus its DRAM buffers replayed.

With P output positions, reduction K and F filters, an array of R x C, Sr x Sc the mapped and T the streamed extent:
output stationary (P, F, K), weight stationary (K, F, P), input stationary (K, P, F); folds = ceil(Sr/R) ceil(Sc/C).
Defects kept: the reported total is the index of the last cycle (one less than the number of cycles), output-stationary
writes carry R + C extra per fold, read buffers are emptied when half full, drained lines count their padding.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from archsim.errors import Problem, UnsupportedError
from archsim.peers import demand
from archsim.peers.layers import PeerLayer, stated_limits

Dataflow = Literal["os", "ws", "is"]

LIMITS = (
    "dense values of one byte, batch 1, one timestep; no padding, groups, pooling, neurons or residual adds",
    "memory never stalls the array (CALC mode); user-given bandwidth (USER mode) is not reproduced",
    "folds are drained before the next starts; partial sums are written and never read back",
)


@dataclass(frozen=True)
class ScaleSimConfig:
    """SCALE-Sim's configuration file: array, dataflow and the three scratchpads (the peer keeps whole KiB of them)."""

    rows: int
    cols: int
    dataflow: Dataflow = "os"
    ifmap_bytes: int = 65536
    weight_bytes: int = 65536
    ofmap_bytes: int = 65536

    def __post_init__(self) -> None:
        problems = [
            Problem("must be at least 1", key=name, value=getattr(self, name))
            for name in ("rows", "cols")
            if getattr(self, name) < 1
        ]
        problems += [
            Problem("SCALE-Sim counts its scratchpads in KiB and fails below one", key=name, value=getattr(self, name))
            for name in ("ifmap_bytes", "weight_bytes", "ofmap_bytes")
            if getattr(self, name) < 1024
        ]
        if self.dataflow not in ("os", "ws", "is"):
            problems.append(Problem("unknown dataflow", key="dataflow", value=self.dataflow, allowed="os, ws, is"))
        if problems:
            raise UnsupportedError(problems)


@dataclass(frozen=True)
class ScaleSimLayer:
    """One row of SCALE-Sim's COMPUTE and DETAILED_ACCESS reports; counts are element counts, utilisations per cent."""

    name: str
    total_cycles: int
    mapping_efficiency: float
    overall_utilisation: float
    compute_utilisation: float
    sram_ifmap_reads: int
    sram_filter_reads: int
    sram_ofmap_writes: int
    dram_ifmap_reads: int
    dram_filter_reads: int
    dram_ofmap_writes: int

    @property
    def cycles(self) -> int:
        """The number of cycles: the peer reports the index of the last one."""
        return self.total_cycles + 1


@dataclass(frozen=True)
class ScaleSimAnswer:
    """SCALE-Sim's rows for all layers and what its description leaves out."""

    config: ScaleSimConfig
    layers: tuple[ScaleSimLayer, ...]
    limits: tuple[str, ...]

    @property
    def total_cycles(self) -> int:
        """Sum over the layers of the reported cycles (SCALE-Sim runs layers one after the other)."""
        return sum(layer.total_cycles for layer in self.layers)


def answer(layers: Iterable[PeerLayer], config: ScaleSimConfig) -> ScaleSimAnswer:
    """What SCALE-Sim reports for these layers; ``UnsupportedError`` names every layer that it would refuse."""
    entries = tuple(layers)
    refuse_impossible(entries)
    rows = tuple(_layer(entry, config) for entry in entries)
    return ScaleSimAnswer(config, rows, LIMITS + stated_limits(entries))


def refuse_impossible(layers: Iterable[PeerLayer]) -> None:
    """Raise ``UnsupportedError`` for kernels larger than the unpadded input: SCALE-Sim stops with an assertion."""
    problems = [
        Problem(
            f"layer '{layer.name}': SCALE-Sim knows no padding and stops at a kernel larger than its input; "
            "with the padding written into the map (PeerLayer.padded, SATA_Sim's convention true_padding) it would run",
            value=(layer.kernel_h, layer.kernel_w),
            allowed=f"at most {layer.height} x {layer.width}",
        )
        for layer in layers
        if layer.kernel_h > layer.height or layer.kernel_w > layer.width
    ]
    if problems:
        raise UnsupportedError(problems)


@dataclass(frozen=True)
class Mapping:
    """How a layer is folded onto the array: extents, folds along rows and columns, cycles of one fold."""

    space_rows: int
    space_cols: int
    stream: int
    row_folds: int
    col_folds: int
    fold_cycles: int

    @property
    def folds(self) -> int:
        """Number of folds."""
        return self.row_folds * self.col_folds


def mapping_of(layer: PeerLayer, rows: int, cols: int, dataflow: Dataflow) -> Mapping:
    """Fold a layer: T + R + C - 2 cycles per fold output stationary, R more for loading the stationary operand."""
    space_rows, space_cols, stream = {
        "os": (layer.positions, layer.filters, layer.reduction),
        "ws": (layer.reduction, layer.filters, layer.positions),
        "is": (layer.reduction, layer.positions, layer.filters),
    }[dataflow]
    load = 0 if dataflow == "os" else rows
    return Mapping(
        space_rows, space_cols, stream, -(-space_rows // rows), -(-space_cols // cols), stream + load + rows + cols - 2
    )


def _layer(layer: PeerLayer, config: ScaleSimConfig) -> ScaleSimLayer:
    rows, cols = config.rows, config.cols
    mapping = mapping_of(layer, rows, cols, config.dataflow)
    total_cycles = mapping.folds * mapping.fold_cycles - 1
    positions, reduction, filters = layer.positions, layer.reduction, layer.filters
    used = mapping.space_rows * mapping.space_cols / (mapping.folds * rows * cols)
    # outside the output-stationary case the peer takes the length of a fold after the columns' skew twice
    util_cycles = mapping.fold_cycles + (0 if config.dataflow == "os" else cols - 1)
    sram_ifmap, sram_filter = positions * reduction, reduction * filters
    if config.dataflow == "os":
        sram_ifmap, sram_filter = sram_ifmap * mapping.col_folds, sram_filter * mapping.row_folds
        outputs = positions * filters
        surplus = mapping.folds * (rows + cols)
    else:
        sram_ifmap *= mapping.col_folds if config.dataflow == "ws" else 1
        sram_filter *= mapping.col_folds if config.dataflow == "is" else 1
        outputs = positions * filters * mapping.row_folds
        surplus = 0
    dram_ifmap, dram_filter = _dram_reads(_geometry(layer), config)
    return ScaleSimLayer(
        name=layer.name,
        total_cycles=total_cycles,
        mapping_efficiency=100 * used,
        overall_utilisation=100
        * positions
        * reduction
        * filters
        / (max(1, total_cycles) * rows * cols),  # the peer fails at 0
        compute_utilisation=100 * used * mapping.stream / util_cycles,
        sram_ifmap_reads=sram_ifmap,
        sram_filter_reads=sram_filter,
        sram_ofmap_writes=outputs + surplus,
        dram_ifmap_reads=dram_ifmap,
        dram_filter_reads=dram_filter,
        dram_ofmap_writes=demand.drained_writes(outputs, cols, whole_kib(config.ofmap_bytes)),
    )


def whole_kib(size_bytes: int) -> int:
    """A scratchpad's size as SCALE-Sim keeps it: whole KiB, rounded down."""
    return size_bytes // 1024 * 1024


def _geometry(layer: PeerLayer) -> PeerLayer:
    """The layer without its name and notes, so that equal layers share one replay."""
    return PeerLayer(
        "", layer.height, layer.width, layer.kernel_h, layer.kernel_w, layer.channels, layer.filters, layer.stride
    )


@lru_cache(maxsize=256)
def _dram_reads(layer: PeerLayer, config: ScaleSimConfig) -> tuple[int, int]:
    """DRAM reads of inputs and weights through the flushing buffers."""
    rows, cols = config.rows, config.cols
    mapping = mapping_of(layer, rows, cols, config.dataflow)
    ifmap_words = demand.epoch_words(whole_kib(config.ifmap_bytes))
    weight_words = demand.epoch_words(whole_kib(config.weight_bytes))
    weights = layer.reduction * layer.filters
    if config.dataflow == "os":
        stream = demand.os_input_stream(layer, rows)
        tiles = tuple(min(cols, layer.filters - left) * layer.reduction for left in range(0, layer.filters, cols))
        return (
            demand.flushing_reads(stream, mapping.col_folds, ifmap_words),
            demand.repeated_tile_reads(tiles, mapping.row_folds, weight_words),
        )
    if config.dataflow == "ws":
        stream = demand.ws_input_stream(layer, rows)
        return demand.flushing_reads(stream, mapping.col_folds, ifmap_words), weights
    stream = demand.is_input_stream(layer, rows, cols)
    return (
        demand.flushing_reads(stream, 1, ifmap_words),
        demand.repeated_tile_reads((weights,), mapping.col_folds, weight_words),
    )

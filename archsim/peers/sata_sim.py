"""What SATA_Sim's inference flow would answer: cycles, traffic and energy of a network of T timesteps at one sparsity.

Formulas (research notes of the flow at d447058; cyc = 1 / clock):

* total cycles = sum over layers of (output start + output span) T + span of a weight-stationary run;
* MACs = sum M E F K T (1 - s), updates = sum M E F T, with output E x F at padding 1 (fully connected: M K T, M T);
* compute energy per tag = gated power x operations x cyc + (ungated + leakage power) x cycles x cyc x PEs;
* DRAM = energy x bits / 8 x accesses; SRAM = energy x bits / 8 x accesses + leakage x cycles x cyc.

Every convention is a switch of :class:`~archsim.peers.sata_sim_config.Conventions`; ``STEPS`` turns them one by one.
"""

from __future__ import annotations

from collections.abc import Iterable

from archsim.errors import Problem, UnsupportedError
from archsim.peers.layers import PeerLayer, stated_limits
from archsim.peers.sata_sim_answer import ComputeEnergy, MemoryEnergy, SataSimAnswer
from archsim.peers.sata_sim_config import (
    CURRENT,
    EYERISS,
    EYERISS_T4,
    SATA,
    SHIPPED,
    Accounting,
    Conventions,
    SataSimConfig,
)
from archsim.peers.sata_sim_cycles import LayerStat, layer_stat
from archsim.peers.sata_sim_kernels import Glb, PeUnit, Scratchpad, glb, tag_powers
from archsim.peers.sata_sim_steps import SHIPPED_STEPS, STEPS
from archsim.peers.scalesim import refuse_impossible

__all__ = [
    "CURRENT",
    "EYERISS",
    "EYERISS_T4",
    "LIMITS",
    "SATA",
    "SHIPPED",
    "SHIPPED_STEPS",
    "STEPS",
    "Accounting",
    "ComputeEnergy",
    "Conventions",
    "Glb",
    "LayerStat",
    "MemoryEnergy",
    "PeUnit",
    "SataSimAnswer",
    "SataSimConfig",
    "Scratchpad",
    "answer",
    "glb",
    "sparsity_of",
]

LIMITS = (
    "one sparsity for all layers and timesteps (also for a real-valued first layer); it saves operations only, never "
    "a cycle or an access",
    "no membrane traffic, leak, bias, batch norm, pooling, residual adds, interconnect or input/output",
    "no DRAM stall, activation, precharge or background power; layers run one after the other, batch 1",
    "energy per operation is a fixed power divided by the clock",
)
_NJ_PER_MJ = 1e6  # mW x s = mJ


def sparsity_of(density: float) -> float:
    """One minus the density, free of the binary rounding that would move a truncated operation count by one."""
    return round(1 - density, 12)


def answer(layers: Iterable[PeerLayer], timesteps: int, sparsity: float, config: SataSimConfig = SATA) -> SataSimAnswer:
    """What SATA_Sim reports; ``UnsupportedError`` names every layer, size or number that it cannot take."""
    entries = tuple(layers)
    _check(entries, timesteps, sparsity)
    rules = config.conventions
    refuse_impossible(entry.padded() if rules.true_padding else entry for entry in entries)
    stats = tuple(layer_stat(entry, config) for entry in entries)
    load = sum(stat.weight_load_cycles if rules.true_weight_load else stat.sram_filter_cycles for stat in stats)
    cycles = load + timesteps * sum(stat.sram_ofmap_start_cycle + stat.sram_ofmap_cycles for stat in stats)
    macs, updates = _operations(entries, timesteps, sparsity, config)
    dense_macs, _ = _operations(entries, timesteps, 0.0, config)
    return SataSimAnswer(
        config=config,
        timesteps=timesteps,
        sparsity=sparsity,
        layers=stats,
        total_cycles=cycles,
        weight_load_cycles=load,
        mac_ops=macs,
        lif_ops=updates,
        compute=_compute(config, cycles, macs, dense_macs, updates),
        memory=_memory(config, stats, timesteps, cycles),
        limits=LIMITS + stated_limits(entries, counted_padding=(1, 1)),
    )


def _check(layers: tuple[PeerLayer, ...], timesteps: int, sparsity: float) -> None:
    problems = []
    if not layers:
        problems.append(Problem("SATA_Sim has nothing to run: no weighted layer"))
    if timesteps < 1:
        problems.append(Problem("must be at least 1", key="timesteps", value=timesteps))
    if not 0 <= sparsity <= 1:
        problems.append(Problem("outside [0, 1]", key="sparsity", value=sparsity))
    if problems:
        raise UnsupportedError(problems)


def _operations(
    layers: tuple[PeerLayer, ...], timesteps: int, sparsity: float, config: SataSimConfig
) -> tuple[int, int]:
    """MACs and neuron updates; summed as the peer does, in floating point and truncated once."""
    macs, updates = 0.0, 0
    for layer in layers:
        rows, columns = _counted_outputs(layer, config)
        updates += layer.filters * rows * columns * timesteps
        macs += layer.filters * (rows * columns) * layer.reduction * timesteps * (1 - sparsity)
    return int(macs), updates


def _counted_outputs(layer: PeerLayer, config: SataSimConfig) -> tuple[int, int]:
    rules = config.conventions
    if layer.kind == "fc" and not rules.fc_as_padded_conv:
        return 1, 1
    if rules.true_padding and layer.kind == "conv":
        return layer.true_out_shape()
    return (
        (layer.height + 2 - layer.kernel_h) // layer.stride + 1,
        (layer.width + 2 - layer.kernel_w) // layer.stride + 1,
    )


def _compute(config: SataSimConfig, cycles: int, macs: int, dense_macs: int, updates: int) -> dict[str, ComputeEnergy]:
    scale = config.cycle_s * _NJ_PER_MJ
    found = {}
    for tag, power in tag_powers(config.pe, config.scratchpads).items():
        spiking = "lif" in tag
        switched = cycles * config.pes
        if config.conventions.ungated_per_operation:
            switched = updates if spiking else dense_macs
        found[tag] = ComputeEnergy(
            operation_nj=power.gated_mw * (updates if spiking else macs) * scale,
            ungated_nj=power.ungated_mw * switched * scale,
            leakage_nj=power.leakage_mw * cycles * config.pes * scale,
        )
    return found


def _memory(config: SataSimConfig, stats: tuple[LayerStat, ...], timesteps: int, cycles: int) -> MemoryEnergy:
    rules = config.conventions
    bits = {"ifmap": config.act_bits, "weight": config.weight_bits, "ofmap": config.output_bits}
    words = {key: 1.0 if rules.words_billed_as_bytes else value / 8 for key, value in bits.items()}
    buffers = {"ifmap": config.ifmap, "weight": config.weight, "ofmap": config.ofmap}
    per_access = {"ifmap": config.ifmap.read_nj, "weight": config.weight.read_nj, "ofmap": config.ofmap.write_nj}
    dram, sram = _traffic(rules, stats, timesteps)
    burst_bytes = 4 if rules.dram_per_burst else 1
    return MemoryEnergy(
        dram_nj={key: config.dram_nj * words[key] / burst_bytes * dram[key] for key in dram},
        sram_dynamic_nj={
            key: per_access[key] * words[key] / (buffers[key].block_bytes if rules.sram_per_block else 1) * sram[key]
            for key in sram
        },
        sram_leakage_nj={
            key: glb_.leakage_mw
            * (glb_.banks if rules.leakage_of_all_banks else 1)
            * cycles
            * config.cycle_s
            * _NJ_PER_MJ
            for key, glb_ in buffers.items()
        },
    )


def _traffic(rules: Conventions, stats: tuple[LayerStat, ...], timesteps: int) -> tuple[dict[str, int], dict[str, int]]:
    """Accesses of the whole run to DRAM and to the buffers, in words."""
    dram = {
        "ifmap": sum(stat.dram_ifmap_reads for stat in stats) * (timesteps if rules.input_dram_per_timestep else 1),
        "weight": sum(stat.dram_filter_reads for stat in stats),
        "ofmap": sum(stat.dram_ofmap_writes for stat in stats) * (timesteps if rules.output_dram_per_timestep else 1),
    }
    streamed = sum(stat.sram_filter_reads * stat.row_folds for stat in stats) * timesteps
    sram = {
        "ifmap": sum(stat.sram_ifmap_reads for stat in stats) * (timesteps if rules.input_sram_per_timestep else 1),
        "weight": streamed if rules.weights_restreamed else sum(stat.sram_filter_reads for stat in stats),
        "ofmap": sum(stat.sram_ofmap_writes for stat in stats) * (1 if rules.output_writes_once else timesteps),
    }
    return dram, sram

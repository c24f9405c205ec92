"""What SpikeSim's energy-latency-area tool would answer for a list of layers.

Formulas of ela_spikesim.py at c2627bc, for crossbars of X x X and T timesteps (E energy, A area of a part):

* PEs of a layer n = ceil(Cin / X) ceil(Cout / X); tiles = ceil(sum n / PEs per tile);
* energy of a layer = n P T (E_htree + E_fetch + E_neuron + E_tile + X/8 (16 E_sub + E_temp + E_pe)), P = output
  positions, E_pe = k^2 E_xbar + X/8 (E_adc + E_mux);
* area = tiles (X/8 A_sub + A_temp + A_tile + A_htree + PEs per tile (k^2 A_xbar + X/8 (A_adc + A_mux)))
  + 22 bits x A_bit (sum Cin Hin^2 + sum over the first five layers of Cout Hout^2);
* latency = T x PE cycle x (sum over all layers but the last of floor(0.75 P Cout) + P Cout of the last).

Every convention and every limit is a switch of :class:`~archsim.peers.spikesim_config.Conventions`; the step lists
turn them one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from archsim.errors import Problem
from archsim.peers.spikesim_answer import (
    Area,
    Energy,
    Latency,
    LayerEnergy,
    LayerTime,
    Quantity,
    SpikeSimAnswer,
    Tiles,
)
from archsim.peers.spikesim_config import (
    RRAM,
    SPIKESIM,
    SRAM,
    Cell,
    Constants,
    Conventions,
    LatencyUnit,
    SpikeSimConfig,
    sources_of,
)
from archsim.peers.spikesim_layers import SpikeSimLayer, layers_of, listed, losses
from archsim.peers.spikesim_refusals import (
    cell_of,
    cell_problems,
    latency_problems,
    refuse,
    tiles_problems,
    timesteps_problems,
)
from archsim.peers.spikesim_steps import AREA_STEPS, ENERGY_STEPS, LATENCY_STEPS

__all__ = [
    "AREA_STEPS",
    "ENERGY_STEPS",
    "LATENCY_STEPS",
    "LIMITS",
    "RRAM",
    "SPIKESIM",
    "SRAM",
    "Area",
    "Cell",
    "Constants",
    "Conventions",
    "Energy",
    "Latency",
    "LatencyUnit",
    "LayerEnergy",
    "LayerTime",
    "Quantity",
    "SpikeSimAnswer",
    "SpikeSimConfig",
    "SpikeSimLayer",
    "Tiles",
    "answer",
    "area",
    "energy",
    "latency",
    "layers_of",
    "pe_cycle_energy",
    "refusals",
    "sources_of",
    "tiles",
]

LIMITS = (
    "layers form one chain of convolutions; stride, padding, residual adds and pools show only in the sizes",
    "energy and latency do not follow the spikes: every PE works in every cycle",
    "no NoC, global buffer, leakage, DRAM or weight programming; no bit-slicing, ADC resolution or weight precision",
    "H-tree, buffers and PE cycle are the same for every crossbar size",
)


def tiles(layers: Iterable[SpikeSimLayer], config: SpikeSimConfig = SPIKESIM) -> Tiles:
    """PEs and tiles; layers are packed into shared tiles unless ``own_tiles``.

    ``UnsupportedError`` where the tool prints "Check layer order" (``any_order`` lifts it).
    """
    entries = listed(layers, config)
    refuse(tiles_problems(entries, config))
    return _tiles(entries, config)


def energy(layers: Iterable[SpikeSimLayer], timesteps: int, config: SpikeSimConfig = SPIKESIM) -> Energy:
    """Energy of ``timesteps`` by layer and component, pJ; ``UnsupportedError`` for a device without a cell."""
    entries = listed(layers, config)
    refuse(timesteps_problems(timesteps) + cell_problems(config, priced=True))
    return Energy(tuple(_layer_energy(layer, timesteps, config) for layer in entries))


def area(layers: Iterable[SpikeSimLayer], config: SpikeSimConfig = SPIKESIM) -> Area:
    """Area by component, um^2; ``UnsupportedError`` for a device without a cell and where :func:`tiles` refuses."""
    entries = listed(layers, config)
    refuse(tiles_problems(entries, config) + cell_problems(config))
    return _area(entries, config)


def latency(layers: Iterable[SpikeSimLayer], timesteps: int, config: SpikeSimConfig = SPIKESIM) -> Latency:
    """Start and finish of every layer, ns.

    ``UnsupportedError`` where the tool prints "Check layer order", never ends or stops with an IndexError
    (``any_order``, ``any_size`` and ``any_depth`` lift these).
    """
    entries = listed(layers, config)
    refuse(timesteps_problems(timesteps) + latency_problems(entries, config))
    return _latency(entries, timesteps, config)


def refusals(layers: Iterable[SpikeSimLayer], config: SpikeSimConfig = SPIKESIM) -> dict[Quantity, tuple[Problem, ...]]:
    """What SpikeSim does not answer for these layers, and why."""
    entries = listed(layers, config)
    found: dict[Quantity, list[Problem]] = {
        "tiles": tiles_problems(entries, config),
        "energy": cell_problems(config, priced=True),
        "area": tiles_problems(entries, config) + cell_problems(config),
        "latency": latency_problems(entries, config),
    }
    return {quantity: tuple(problems) for quantity, problems in found.items() if problems}


def answer(layers: Iterable[SpikeSimLayer], timesteps: int, config: SpikeSimConfig = SPIKESIM) -> SpikeSimAnswer:
    """Everything that SpikeSim answers; a quantity that it refuses is None and has its reasons in ``refusals``.

    ``UnsupportedError`` only for what it cannot be asked: no layer, maps that are not square, no timestep.
    """
    every = tuple(layers)
    entries = listed(every, config)
    refuse(timesteps_problems(timesteps))
    refused = refusals(every, config)
    return SpikeSimAnswer(
        config=config,
        timesteps=timesteps,
        layers=entries,
        tiles=None if "tiles" in refused else _tiles(entries, config),
        energy=None if "energy" in refused else energy(every, timesteps, config),
        area=None if "area" in refused else _area(entries, config),
        latency=None if "latency" in refused else _latency(entries, timesteps, config),
        refusals=refused,
        limits=LIMITS + losses(every, config),
    )


def pe_cycle_energy(config: SpikeSimConfig, kernel_area: int | None = None, density: float = 1.0) -> dict[str, float]:
    """Energy of one PE cycle by component, pJ; ``kernel_area`` crossbars per PE (the chip's k^2 unless stated).

    ``density`` scales the crossbars under ``cells_by_density``.
    """
    constants, phases, adcs = config.constants, config.phases, config.adcs
    crossbars = config.kernel**2 if kernel_area is None else kernel_area
    active = density if config.conventions.cells_by_density else 1.0
    return {
        "tile_buffer": constants.tile_buffer_pj,
        "htree": constants.htree_pj,
        "crossbar": phases * crossbars * cell_of(config).energy_pj * config.crossbar_scale * active,
        "adc": phases * adcs * constants.adc_pj,
        "mux": phases * adcs * constants.mux_pj,
        "temp_buffer": adcs * constants.temp_buffer_pj,
        "sub": adcs * constants.subtractor_operations * constants.subtractor_pj,
        "mem_fetch": constants.fetch_pj,
        "neuron": constants.neuron_pj,
    }


def _layer_energy(layer: SpikeSimLayer, timesteps: int, config: SpikeSimConfig) -> LayerEnergy:
    cycles = layer.pes(config.crossbar) * layer.positions(config.conventions)
    parts = pe_cycle_energy(config, _kernel_area(layer, config), layer.density)
    return LayerEnergy(layer.name, cycles, {name: cycles * value * timesteps for name, value in parts.items()})


def _tiles(entries: Sequence[SpikeSimLayer], config: SpikeSimConfig) -> Tiles:
    pes = tuple(layer.pes(config.crossbar) for layer in entries)
    groups = pes if config.conventions.own_tiles else (sum(pes),)
    return Tiles(pes, sum(-(-group // config.pes_per_tile) for group in groups))


def _area(entries: Sequence[SpikeSimLayer], config: SpikeSimConfig) -> Area:
    constants, rules = config.constants, config.conventions
    mapped = _tiles(entries, config)
    slots = mapped.tiles * config.pes_per_tile
    used = sum(n * _kernel_area(one, config) for n, one in zip(mapped.pes_per_layer, entries, strict=True))
    crossbars = used + (slots - mapped.pes) * config.kernel**2  # PEs without a layer are built for the chip's kernel
    input_bits = sum(one.inputs * (one.in_bits if rules.true_input_bits else constants.input_bits) for one in entries)
    stored = entries if rules.all_membranes else entries[: constants.membrane_layers]
    neurons = sum(one.out_channels * one.positions(rules) for one in stored)
    parts = {
        "sub": mapped.tiles * config.adcs * constants.subtractor_um2,
        "temp_buffer": mapped.tiles * constants.temp_buffer_um2,
        "tile_buffer": mapped.tiles * constants.tile_buffer_bits * constants.sram_bit_um2,
        "crossbar": crossbars * cell_of(config).area_um2 * config.crossbar_scale,
        "adc": slots * config.adcs * constants.adc_um2,
        "mux": slots * config.adcs * constants.mux_um2,
        "htree": mapped.tiles * constants.htree_um2,
        "input_memory": input_bits * constants.sram_bit_um2,
        "neuron_memory": neurons * constants.membrane_bits * constants.sram_bit_um2,
    }
    pes = parts["crossbar"] + parts["adc"] + parts["mux"]
    moved = parts["htree"] if rules.disjoint_areas else pes
    return Area(parts, pes + parts["sub"], parts["temp_buffer"] + parts["tile_buffer"] + moved + parts["input_memory"])


def _latency(entries: Sequence[SpikeSimLayer], timesteps: int, config: SpikeSimConfig) -> Latency:
    """Layer i + 1 starts when floor(0.75 c_i) of layer i's c_i PE cycles are over, in all timesteps together."""
    overlap = 1.0 if config.conventions.layers_in_sequence else config.constants.overlap
    found, start = [], 0
    for layer in entries:
        cycles = _timed_cycles(layer, config)
        finish = start + cycles * timesteps
        found.append(LayerTime(layer.name, cycles, start * config.pe_cycle_ns, finish * config.pe_cycle_ns))
        start += int(overlap * cycles) * timesteps
    ends = [one.finish_ns for one in found]
    return Latency(tuple(found), max(ends) if config.conventions.until_all_finish else ends[-1])


def _timed_cycles(layer: SpikeSimLayer, config: SpikeSimConfig) -> int:
    factor = {
        "output neuron": layer.out_channels,
        "position and PE": layer.pes(config.crossbar),
        "position": 1,
    }[config.conventions.latency_unit]
    return layer.positions(config.conventions) * factor


def _kernel_area(layer: SpikeSimLayer, config: SpikeSimConfig) -> int:
    return layer.kernel[0] * layer.kernel[1] if config.conventions.own_kernels else config.kernel**2

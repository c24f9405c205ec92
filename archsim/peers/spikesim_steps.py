"""SpikeSim's conventions in the order in which a waterfall turns them, each with what is wrong about it.

One list per quantity; the steps start from a chip whose limits are lifted (:meth:`SpikeSimConfig.lifted`).
``refuse_sram_energy`` is in none of them, since it ends in a refusal, nor is ``disjoint_areas``, which moves no total.
"""

from __future__ import annotations

from collections.abc import Callable

from archsim.peers.spikesim_config import LatencyUnit, SpikeSimConfig
from archsim.peers.waterfall import Step


def _turn(switch: str, value: bool | LatencyUnit) -> Callable[[SpikeSimConfig], SpikeSimConfig]:
    def change(config: SpikeSimConfig) -> SpikeSimConfig:
        return config.turned(**{switch: value})

    return change


def _step(name: str, explanation: str, switch: str, value: bool | LatencyUnit = True) -> Step[SpikeSimConfig]:
    return Step(name, explanation, _turn(switch, value))


_SIZES = _step(
    "sizes are the convolutions' own",
    "the peer's shipped list has the sizes behind the pools, although convolution and neurons work before them",
    "conv_output_sizes",
)
_FC = _step(
    "fully connected layers exist",
    "the peer lists convolutions only, so that the weights of linear layers have no place and no time",
    "fc_layers",
)
_KERNELS = _step(
    "every layer has its own kernel",
    "the peer gives every PE the crossbars of one kernel size, fully connected layers included",
    "own_kernels",
)
_SCALE = _step(
    "crossbars scale with their cells",
    "the peer's crossbar is that of 64 x 64 cells for every size",
    "crossbars_scale",
)

ENERGY_STEPS: tuple[Step[SpikeSimConfig], ...] = (
    _SIZES,
    _FC,
    _KERNELS,
    _step(
        "mux phases are the columns per ADC",
        "the peer takes the number of ADCs, X / 8, as the number of phases too; equal for X = 64 only",
        "eight_mux_phases",
    ),
    _SCALE,
    _step(
        "silent rows do not conduct",
        "the peer's crossbars draw the same energy whatever the spikes are",
        "cells_by_density",
    ),
)

AREA_STEPS: tuple[Step[SpikeSimConfig], ...] = (
    _SIZES,
    _FC,
    _step(
        "every layer's membranes have a memory",
        "the peer sizes the membrane memory for the first five layers",
        "all_membranes",
    ),
    _step(
        "an input takes its own bits",
        "the peer stores every input, binary spikes included, in 22 bits",
        "true_input_bits",
    ),
    _step(
        "a tile serves one layer",
        "the peer packs the PEs of several layers into a tile, against its paper",
        "own_tiles",
    ),
    _KERNELS,
    _SCALE,
)

LATENCY_STEPS: tuple[Step[SpikeSimConfig], ...] = (
    _SIZES,
    _FC,
    _step(
        "a PE cycle per position and PE",
        "the peer's latency counts one per output neuron, its energy one per position and PE",
        "latency_unit",
        "position and PE",
    ),
    _step(
        "the PEs of a layer work at the same time",
        "what the energy counts as PE cycles is spread over the layer's PEs",
        "latency_unit",
        "position",
    ),
    _step(
        "the inference ends when every layer has ended",
        "the peer takes the end of the last layer of the list, which a longer one before it may outlast",
        "until_all_finish",
    ),
    _step(
        "a layer waits for the one before",
        "the peer starts every layer when 75 % of the one before is done, whatever it needs of it",
        "layers_in_sequence",
    ),
)

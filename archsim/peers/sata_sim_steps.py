"""SATA_Sim's conventions in the order in which a waterfall turns them, each with what is wrong about it."""

from __future__ import annotations

from collections.abc import Callable

from archsim.peers.sata_sim_config import SataSimConfig
from archsim.peers.waterfall import Step


def _turn(switch: str, value: bool) -> Callable[[SataSimConfig], SataSimConfig]:
    def change(config: SataSimConfig) -> SataSimConfig:
        return config.turned(**{switch: value})

    return change


def _step(name: str, explanation: str, switch: str, value: bool = True) -> Step[SataSimConfig]:
    return Step(name, explanation, _turn(switch, value))


SHIPPED_STEPS: tuple[Step[SataSimConfig], ...] = (
    _step(
        "fully connected layers have one output position",
        "the published results give them 3 x 3 (padding 1): 9 times the MACs and neuron updates",
        "fc_as_padded_conv",
        False,
    ),
    _step(
        "spikes are billed by their bits",
        "the published results bill every spike as a byte in SRAM and DRAM",
        "words_billed_as_bytes",
        False,
    ),
    _step(
        "outputs are written in every timestep",
        "the published results write the output buffer once for all timesteps",
        "output_writes_once",
        False,
    ),
)

STEPS: tuple[Step[SataSimConfig], ...] = (
    _step(
        "weight loading takes R cycles per fold",
        "the peer adds the length of a whole weight-stationary run, inputs streaming included",
        "true_weight_load",
    ),
    _step(
        "spikes come from DRAM in every timestep",
        "the peer reads the input spikes of one timestep only",
        "input_dram_per_timestep",
    ),
    _step(
        "spikes are read from the buffer in every timestep",
        "the peer reads the input spikes of one timestep only",
        "input_sram_per_timestep",
    ),
    _step(
        "output spikes go to DRAM in every timestep",
        "the peer writes the output spikes of one timestep only",
        "output_dram_per_timestep",
    ),
    _step(
        "DRAM energy is per 32-bit burst",
        "the peer multiplies CACTI's energy of a 32-bit burst by the number of bytes",
        "dram_per_burst",
    ),
    _step(
        "SRAM energy is per 32-byte block",
        "the peer multiplies CACTI's energy of a 32-byte block by the number of bytes",
        "sram_per_block",
    ),
    _step(
        "every bank leaks",
        "the peer takes CACTI's leakage of one bank for the whole buffer",
        "leakage_of_all_banks",
    ),
    _step(
        "weights are streamed again per row fold and timestep",
        "the peer takes weight reads from a weight-stationary run, cycles from an output-stationary one",
        "weights_restreamed",
    ),
    _step(
        "padding is the network's",
        "the peer has no padding in cycles and accesses, and padding 1 in operation counts",
        "true_padding",
    ),
    _step(
        "a byte of the input buffer holds several spikes",
        "the peer's SCALE-Sim stores one word per byte",
        "packed_spikes",
    ),
    _step(
        "the whole input buffer is used",
        "the peer's SCALE-Sim empties it whenever it is half full",
        "full_capacity",
    ),
    _step(
        "an output is written once",
        "the peer's SCALE-Sim adds rows + columns writes per fold",
        "no_fold_surplus",
    ),
    _step(
        "line padding does not go to DRAM",
        "the peer's SCALE-Sim counts the unused words of lines closed by a drain",
        "no_line_padding",
    ),
    _step(
        "ungated units cost per operation",
        "the peer charges comparators, adders and scratchpads in every cycle to every PE, idle or not",
        "ungated_per_operation",
    ),
)

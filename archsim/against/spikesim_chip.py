"""An archsim crossbar chip as SpikeSim's parameters: what it can take over, what it refuses, what it leaves out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from archsim.accelerators.crossbar.cells import weight_cells
from archsim.accelerators.crossbar.schema import CrossbarArchitecture
from archsim.against.settings import Settings
from archsim.analog import load_device
from archsim.errors import Problem, UnsupportedError
from archsim.peers.spikesim import RRAM, SPIKESIM, SRAM, SpikeSimConfig, SpikeSimLayer
from archsim.peers.spikesim_layers import listed

if TYPE_CHECKING:
    from archsim.accelerators import Architecture
    from archsim.workload import Network

DEVICES = (RRAM.name, SRAM.name)
NODE_NM = 65
COLUMNS_PER_ADC = SPIKESIM.constants.columns_per_adc
HINT = "--against spikesim"


def config_of(
    architecture: Architecture, layers: Sequence[SpikeSimLayer], settings: Settings = MappingProxyType({})
) -> SpikeSimConfig:
    """The chip as SpikeSim's parameters; one UnsupportedError with everything that SpikeSim cannot express."""
    chip = architecture.chip
    if not isinstance(chip, CrossbarArchitecture):
        text = "SpikeSim knows crossbar chips only"
        raise UnsupportedError(Problem(text, key="family", value=chip.family, allowed="crossbar"))
    problems = [*_size_problems(chip), *_layer_problems(layers)]
    device, faults = _device(chip, settings)
    kernel, more_faults = _kernel(layers, settings)
    problems += [*faults, *more_faults]
    if problems:
        raise UnsupportedError(problems)
    return SpikeSimConfig(chip.crossbar.rows, chip.tile.pes, device, kernel, chip.clock_mhz)


def _size_problems(chip: CrossbarArchitecture) -> list[Problem]:
    rows, cols, found = chip.crossbar.rows, chip.crossbar.cols, []
    if rows != cols:
        found.append(Problem("SpikeSim's crossbars are square", key="crossbar.cols", value=cols, allowed=str(rows)))
    if rows % COLUMNS_PER_ADC:
        text = f"SpikeSim has an ADC for every {COLUMNS_PER_ADC} columns of a crossbar"
        found.append(Problem(text, key="crossbar.rows", value=rows, allowed=f"multiples of {COLUMNS_PER_ADC}"))
    return found


def _layer_problems(layers: Sequence[SpikeSimLayer]) -> Iterable[Problem]:
    try:
        listed(layers, SPIKESIM)
    except UnsupportedError as error:
        return error.problems
    return ()


def _device(chip: CrossbarArchitecture, settings: Settings) -> tuple[str, list[Problem]]:
    """The device that the user states, or the kind of the chip's."""
    kind = settings.get("device") or load_device(chip.crossbar.device).kind
    if kind in DEVICES:
        return kind, []
    allowed = f"{' or '.join(DEVICES)}; or ask again with {HINT}:device={DEVICES[0]}"
    text = f"SpikeSim has no constants for a device of this kind ({chip.crossbar.device})"
    return kind, [Problem(text, key="crossbar.device", value=kind, allowed=allowed)]


def _kernel(layers: Sequence[SpikeSimLayer], settings: Settings) -> tuple[int, list[Problem]]:
    """The kernel that the user states, or the one that all convolutions have."""
    if "kernel" in settings:
        return int(settings["kernel"]), []
    kernels: dict[tuple[int, int], list[str]] = {}
    for layer in layers:
        if layer.kind == "conv":
            kernels.setdefault(layer.kernel, []).append(layer.name)
    if not kernels:
        return SPIKESIM.kernel, []
    height, width = next(iter(kernels))
    if len(kernels) == 1 and height == width:
        return height, []
    text = "SpikeSim has one square kernel for all convolutions"
    value = ", ".join(f"{size[0]} x {size[1]}: {_few(names)}" for size, names in kernels.items())
    allowed = f"one n x n; or ask again with {HINT}:kernel=n"
    return height, [Problem(text, key="kernel", value=value, allowed=allowed)]


def _few(names: Sequence[str], most: int = 3) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def notes(chip: CrossbarArchitecture, network: Network, config: SpikeSimConfig) -> tuple[str, ...]:
    """What SpikeSim's parameters leave out of this chip."""
    return (*_cell_notes(chip, network, config), *_converter_notes(chip), *_mapping_notes(chip, config))


def _cell_notes(chip: CrossbarArchitecture, network: Network, config: SpikeSimConfig) -> list[str]:
    found = []
    for bits in sorted({layer.weight_bits for layer in network.weighted_layers}):
        cells = weight_cells(bits, chip.crossbar.cell_bits, chip.crossbar.signed).cells
        if cells > 1:
            found.append(f"a weight is one cell for it, whatever its bits; the chip's {bits}-bit weights take {cells}")
    if chip.crossbar.signed == "offset":
        found.append("it has no reference columns")
    if config.device == SRAM.name:
        found.append("its energy of an SRAM crossbar (671.089 pJ) is the number of its area (671.089 um2)")
    if chip.node_nm != NODE_NM:
        found.append(f"its figures are for {NODE_NM} nm; the chip is at {chip.node_nm:g} nm")
    return found


def _converter_notes(chip: CrossbarArchitecture) -> list[str]:
    found = []
    if chip.crossbar.column_mux != COLUMNS_PER_ADC:
        found.append(f"{COLUMNS_PER_ADC} columns share an ADC for it; the chip's mux has {chip.crossbar.column_mux}")
    if chip.adc.share != "pe" or not chip.adc.analog_sum:
        found.append("all crossbars of a PE share its ADCs and are converted at once; the chip converts each")
    if chip.crossbar.conducts != "hold":
        found.append("its crossbars conduct through all mux phases; the chip's are read once and held")
    return found


def _mapping_notes(chip: CrossbarArchitecture, config: SpikeSimConfig) -> list[str]:
    found = []
    if chip.pe.crossbars != config.kernel**2:
        found.append(f"its PE has {config.kernel**2} crossbars, one for each kernel position; the chip's has"
                     f" {chip.pe.crossbars}")  # fmt: skip
    if chip.mapping.unroll != "kernel":
        found.append("a crossbar holds one kernel position for it; the chip's hold any rows of the kernel matrix")
    if chip.tile.wiring != "htree":
        found.append(f"it has H-trees; the PEs of the chip's tiles share a {chip.tile.wiring}")
    if chip.mapping.replicate != 1:
        found.append(f"it places every layer once; the chip replicates ({chip.mapping.replicate})")
    if chip.tiles != "as_needed":
        found.append(f"it has as many tiles as it needs; the chip has {chip.tiles}")
    return found

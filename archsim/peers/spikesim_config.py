"""SpikeSim's description of a chip, its constants with their sources, and its conventions as switches.

Source of every figure: ela_spikesim.py, the energy-latency-area tool of SpikeSim at c2627bc
(github.com/Intelligent-Computing-Lab-Panda/SpikeSim); the function that holds the figure is named with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from archsim.errors import Problem, UnsupportedError

LatencyUnit = Literal["output neuron", "position and PE", "position"]
LATENCY_UNITS: tuple[LatencyUnit, ...] = ("output neuron", "position and PE", "position")
_TOOL = "SpikeSim ela_spikesim.py at c2627bc"


def _figure(value: float, unit: str, source: str, note: str = "") -> Any:
    return field(default=value, metadata={"unit": unit, "source": f"{_TOOL}, {source}", "note": note})


@dataclass(frozen=True)
class Cell:
    """One device: read energy of a crossbar per mux phase, and area of a crossbar, both of 64 x 64 cells."""

    name: str
    energy_pj: float
    area_um2: float
    source: str
    energy_is_area: bool = False  # the energy is a copy of the area's number

    def __post_init__(self) -> None:
        problems = [
            Problem(f"device '{self.name}': must not be negative", key=key, value=getattr(self, key))
            for key in ("energy_pj", "area_um2")
            if getattr(self, key) < 0
        ]
        if problems:
            raise UnsupportedError(problems)


RRAM = Cell("rram", 1.76423, 26.2144, f"{_TOOL}, compute_energy and compute_area: 4096 cells of 4 F^2 at F = 40 nm")
SRAM = Cell(
    "sram", 671.089, 671.089, f"{_TOOL}, compute_energy and compute_area: 4096 cells of 160 F^2, F = 32 nm", True
)


@dataclass(frozen=True)
class Constants:
    """SpikeSim's constants; ``sources_of`` gives unit, source and remark of each."""

    adc_pj: float = _figure(2.03084, "pJ per ADC and mux phase", "compute_energy", "no resolution behind it")
    mux_pj: float = _figure(0.094245, "pJ per mux and mux phase", "compute_energy")
    subtractor_pj: float = _figure(
        1.15e-6, "pJ per operation", "compute_energy", "1.15 aJ for a block of 13411 um^2; the unit is doubtful"
    )
    subtractor_operations: int = _figure(16, "operations per subtractor and PE cycle", "compute_energy")
    temp_buffer_pj: float = _figure(0.2, "pJ per mux phase", "compute_energy")
    tile_buffer_pj: float = _figure(
        397.0, "pJ per PE cycle", "compute_energy", "whatever is moved: 48 % of the shipped run"
    )
    htree_pj: float = _figure(19.64 * 8, "pJ per PE cycle", "compute_energy", "for any number of PEs")
    fetch_pj: float = _figure(4.64, "pJ per PE cycle", "compute_energy")
    neuron_pj: float = _figure(
        1.274 * 4, "pJ per PE cycle", "compute_energy", "also for PEs that yield partial sums only"
    )
    adc_um2: float = _figure(693.633, "um^2 per ADC", "compute_area")
    mux_um2: float = _figure(45.9, "um^2 per mux", "compute_area")
    subtractor_um2: float = _figure(13411.41498, "um^2 per subtractor", "compute_area")
    temp_buffer_um2: float = _figure(484.643999, "um^2 per tile", "compute_area")
    sram_bit_um2: float = _figure(0.7391, "um^2 per bit", "compute_area")
    tile_buffer_bits: int = _figure(64 * 128, "bits per tile", "compute_area")
    htree_um2: float = _figure(216830.0 * 2, "um^2 per tile", "compute_area")
    input_bits: int = _figure(22, "bits per input", "compute_area", "also for binary spikes")
    membrane_bits: int = _figure(22, "bits per neuron", "compute_area")
    membrane_layers: int = _figure(5, "layers whose membranes have a memory", "compute_area")
    columns_per_adc: int = _figure(8, "columns per ADC, mux and subtractor", "compute_energy and compute_area")
    crossbar_size: int = _figure(64, "rows and columns behind the cells' constants", "compute_energy and compute_area")
    pe_cycle_clocks: int = _figure(26, "clocks per PE cycle", "script", "for any crossbar, mux ratio and ADC")
    overlap: float = _figure(0.75, "fraction of a layer after which the next one starts", "latency_gen")
    overlap_layers: int = _figure(12, "layers that have such a fraction", "latency_gen")


def sources_of(constants: Constants) -> tuple[tuple[str, float, str, str, str], ...]:
    """Name, value, unit, source and remark of every constant."""
    return tuple(
        (
            one.name,
            getattr(constants, one.name),
            one.metadata["unit"],
            one.metadata["source"] if getattr(constants, one.name) == one.default else "stated by the caller",
            one.metadata["note"],
        )
        for one in fields(constants)
    )


@dataclass(frozen=True)
class Conventions:
    """How SpikeSim counts. The defaults are as shipped; each field turned on its own is one named change.

    The last four lift a limit where the tool refuses, crashes or hangs although its formula is defined.
    """

    conv_output_sizes: bool = False  # positions and neurons are the convolution's, not those behind its pool
    fc_layers: bool = False  # fully connected layers exist
    own_kernels: bool = False  # a layer's PE has a crossbar per position of its own kernel, not of the chip's one
    all_membranes: bool = False  # every layer's membranes have a memory, not those of the first five
    true_input_bits: bool = False  # an input takes its own bits (a spike 1), not 22
    eight_mux_phases: bool = False  # a PE cycle has as many phases as columns share an ADC, not X / 8
    crossbars_scale: bool = False  # energy and area of a crossbar grow with its cells, not 64 x 64 for any X
    cells_by_density: bool = False  # crossbars conduct for the active rows only (ADCs stay dense)
    refuse_sram_energy: bool = False  # an energy that is the area's number is refused
    own_tiles: bool = False  # a tile serves one layer only
    disjoint_areas: bool = False  # PEs are analog only and H-trees digital, so that the tuple's parts sum to its total
    latency_unit: LatencyUnit = "output neuron"  # what takes one PE cycle
    until_all_finish: bool = False  # the inference ends with the layer that ends last, not with the last of the list
    layers_in_sequence: bool = False  # a layer starts when the one before has ended, not after 75 % of it
    any_order: bool = False  # PEs per layer may decrease
    any_depth: bool = False  # latency of more than 12 layers
    any_size: bool = False  # latency of networks whose layers are all smaller than one crossbar
    any_shape: bool = False  # maps that are not square

    def __post_init__(self) -> None:
        if self.latency_unit not in LATENCY_UNITS:
            allowed = ", ".join(LATENCY_UNITS)
            raise UnsupportedError(
                Problem("unknown unit of latency", key="latency_unit", value=self.latency_unit, allowed=allowed)
            )


@dataclass(frozen=True)
class SpikeSimConfig:
    """One chip for SpikeSim: X x X crossbars, PEs per tile, device, kernel of all layers, clock.

    A device that SpikeSim does not know is answered for once its cell is among ``cells``.
    """

    crossbar: int = 64
    pes_per_tile: int = 8
    device: str = "rram"
    kernel: int = 3
    clock_mhz: float = 250.0
    cells: tuple[Cell, ...] = (RRAM, SRAM)
    constants: Constants = Constants()
    conventions: Conventions = Conventions()

    def __post_init__(self) -> None:
        positive = ("crossbar", "pes_per_tile", "kernel", "clock_mhz")
        problems = [
            Problem("must be positive", key=key, value=getattr(self, key))
            for key in positive
            if not getattr(self, key) > 0
        ]
        if problems:
            raise UnsupportedError(problems)

    def turned(self, **switches: bool | LatencyUnit) -> SpikeSimConfig:
        """The same chip with some conventions switched."""
        return replace(self, conventions=replace(self.conventions, **switches))  # type: ignore[arg-type]

    def lifted(self) -> SpikeSimConfig:
        """The same chip without the limits: every formula answers wherever it is defined."""
        return self.turned(any_order=True, any_depth=True, any_size=True, any_shape=True)

    @property
    def adcs(self) -> float:
        """ADCs (and muxes) of a PE: X / 8; the tool does not round."""
        return self.crossbar / self.constants.columns_per_adc

    @property
    def phases(self) -> float:
        """Mux phases of a PE cycle: X / 8 as shipped, 8 as the ADC sharing says (equal for X = 64 only)."""
        return float(self.constants.columns_per_adc) if self.conventions.eight_mux_phases else self.adcs

    @property
    def crossbar_scale(self) -> float:
        """Factor on a crossbar's energy and area: 1 as shipped, (X / 64)^2 when they scale."""
        return (self.crossbar / self.constants.crossbar_size) ** 2 if self.conventions.crossbars_scale else 1.0

    @property
    def pe_cycle_ns(self) -> float:
        """Length of a PE cycle: 26 clocks."""
        return self.constants.pe_cycle_clocks * (1000 / self.clock_mhz)


SPIKESIM = SpikeSimConfig()

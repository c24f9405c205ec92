"""SpikeSim's answer: tiles, energies by layer and component, areas by component, start and finish of every layer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from archsim.errors import Problem
from archsim.peers.spikesim_config import SpikeSimConfig
from archsim.peers.spikesim_layers import SpikeSimLayer

Quantity = Literal["tiles", "energy", "area", "latency"]


@dataclass(frozen=True)
class Tiles:
    """PEs of every layer and the tiles that hold them."""

    pes_per_layer: tuple[int, ...]
    tiles: int

    @property
    def pes(self) -> int:
        """PEs of all layers."""
        return sum(self.pes_per_layer)


@dataclass(frozen=True)
class LayerEnergy:
    """Energy of one layer over all timesteps, pJ by component; its PE cycles are of one timestep."""

    name: str
    pe_cycles: int
    components_pj: dict[str, float]

    @property
    def total_pj(self) -> float:
        """Energy of the layer."""
        return math.fsum(self.components_pj.values())


@dataclass(frozen=True)
class Energy:
    """Energy of the inference."""

    layers: tuple[LayerEnergy, ...]

    @property
    def total_pj(self) -> float:
        """Sum over the layers."""
        return math.fsum(layer.total_pj for layer in self.layers)

    def components_pj(self) -> dict[str, float]:
        """The total by component."""
        return {
            name: math.fsum(layer.components_pj[name] for layer in self.layers) for name in self.layers[0].components_pj
        }


@dataclass(frozen=True)
class Area:
    """Area by component, um^2, and the two parts of SpikeSim's tuple that overlap each other as shipped."""

    components_um2: dict[str, float]
    analog_um2: float
    digital_um2: float

    @property
    def neuron_memory_um2(self) -> float:
        """The membranes' memory."""
        return self.components_um2["neuron_memory"]

    @property
    def total_um2(self) -> float:
        """Sum over the components."""
        return math.fsum(self.components_um2.values())

    def as_tuple(self) -> tuple[float, float, float, float]:
        """What compute_area returns: neuron memory, analog, digital, total."""
        return self.neuron_memory_um2, self.analog_um2, self.digital_um2, self.total_um2


@dataclass(frozen=True)
class LayerTime:
    """When a layer runs, counted from the start of the inference."""

    name: str
    pe_cycles: int
    start_ns: float
    finish_ns: float


@dataclass(frozen=True)
class Latency:
    """Start and finish of every layer, and the end: the last layer's finish, even if an earlier one runs longer."""

    layers: tuple[LayerTime, ...]
    total_ns: float


@dataclass(frozen=True)
class SpikeSimAnswer:
    """All that SpikeSim answers. What it does not answer is None, and ``refusals`` says why."""

    config: SpikeSimConfig
    timesteps: int
    layers: tuple[SpikeSimLayer, ...]
    tiles: Tiles | None
    energy: Energy | None
    area: Area | None
    latency: Latency | None
    refusals: dict[Quantity, tuple[Problem, ...]]
    limits: tuple[str, ...]

"""SATA_Sim's answer: totals, energies by part, per-layer cycle statistics."""

from __future__ import annotations

from dataclasses import dataclass

from archsim.peers.sata_sim_config import SataSimConfig
from archsim.peers.sata_sim_cycles import LayerStat


@dataclass(frozen=True)
class ComputeEnergy:
    """Energy of one tag over the whole array, nJ."""

    operation_nj: float
    ungated_nj: float
    leakage_nj: float

    @property
    def total_nj(self) -> float:
        """Sum of the three parts."""
        return self.operation_nj + self.ungated_nj + self.leakage_nj


@dataclass(frozen=True)
class MemoryEnergy:
    """DRAM energy per operand and SRAM energy per buffer, nJ; keys are ifmap, weight and ofmap."""

    dram_nj: dict[str, float]
    sram_dynamic_nj: dict[str, float]
    sram_leakage_nj: dict[str, float]


@dataclass(frozen=True)
class SataSimAnswer:
    """SATA_Sim's totals, its energies and its per-layer cycle statistics."""

    config: SataSimConfig
    timesteps: int
    sparsity: float
    layers: tuple[LayerStat, ...]
    total_cycles: int
    weight_load_cycles: int
    mac_ops: int
    lif_ops: int
    compute: dict[str, ComputeEnergy]
    memory: MemoryEnergy
    limits: tuple[str, ...]

    @property
    def compute_nj(self) -> float:
        """Energy of all PEs: units and scratchpads."""
        return sum(part.total_nj for part in self.compute.values())

    @property
    def dram_nj(self) -> float:
        """DRAM energy."""
        return sum(self.memory.dram_nj.values())

    @property
    def sram_leakage_nj(self) -> float:
        """Leakage of the three buffers."""
        return sum(self.memory.sram_leakage_nj.values())

    @property
    def sram_nj(self) -> float:
        """Energy of the three buffers, leakage included."""
        return sum(self.memory.sram_dynamic_nj.values()) + self.sram_leakage_nj

    @property
    def total_nj(self) -> float:
        """Energy of the inference."""
        return self.compute_nj + self.dram_nj + self.sram_nj

    @property
    def latency_s(self) -> float:
        """Total cycles over the clock."""
        return self.total_cycles * self.config.cycle_s

    def components_nj(self) -> dict[str, float]:
        """The total split as a chip's components: PE tags, buffers (dynamic and leakage), DRAM by operand."""
        parts = {f"{tag} {kind}": value for tag, energy in self.compute.items() for kind, value in _parts(energy)}
        parts.update({f"DRAM {operand}": value for operand, value in self.memory.dram_nj.items()})
        parts.update({f"GLB {operand} dynamic": value for operand, value in self.memory.sram_dynamic_nj.items()})
        parts.update({f"GLB {operand} leakage": value for operand, value in self.memory.sram_leakage_nj.items()})
        return parts

    def summary(self) -> dict[str, float]:
        """The numbers of one row of the reference summary, under its column names."""
        row = {
            "timestep": self.timesteps,
            "sparsity": self.sparsity,
            "layers": len(self.layers),
            "total_cycles": self.total_cycles,
            "cycles_weight_load_part": self.weight_load_cycles,
            f"latency_s_at_{self.config.clock_mhz:g}MHz": self.latency_s,
            "total_mac_ops": self.mac_ops,
            "total_lif_ops": self.lif_ops,
            "comp_total_nJ": self.compute_nj,
            "mem_total_nJ": self.dram_nj + self.sram_nj,
            "dram_total_nJ": self.dram_nj,
            "sram_total_nJ": self.sram_nj,
            "sram_leak_nJ": self.sram_leakage_nj,
            "total_nJ": self.total_nj,
        }
        row.update({f"comp_{tag}_nJ": energy.total_nj for tag, energy in self.compute.items()})
        return row


def _parts(energy: ComputeEnergy) -> tuple[tuple[str, float], ...]:
    return ("operation", energy.operation_nj), ("ungated", energy.ungated_nj), ("leakage", energy.leakage_nj)

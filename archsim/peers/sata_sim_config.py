"""SATA_Sim's description of a chip, and its conventions as switches.

``SATA`` and ``EYERISS`` are sata-config.yaml and eyeriss-config.yaml of its inference flow
(github.com/RuokaiYin/SATA_Sim at d447058).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from archsim.errors import Problem, UnsupportedError
from archsim.peers.sata_sim_kernels import DRAM_READ_NJ, Glb, PeUnit, Scratchpad, glb

Accounting = Literal["current", "shipped"]


@dataclass(frozen=True)
class Conventions:
    """How SATA_Sim counts. The defaults are its current script; each field turned on its own is one named change.

    The first three describe the older script behind the published results; the rest correct the current one.
    """

    fc_as_padded_conv: bool = False  # a fully connected layer has 3 x 3 outputs (padding 1): MACs and updates x 9
    words_billed_as_bytes: bool = False  # spikes and outputs cost a whole byte in SRAM and DRAM
    output_writes_once: bool = False  # output SRAM writes are not multiplied by the timesteps
    true_weight_load: bool = False  # loading weights takes R cycles per fold, not a whole weight-stationary run
    input_dram_per_timestep: bool = False  # spikes come from DRAM in every timestep
    input_sram_per_timestep: bool = False  # spikes are read from the buffer in every timestep
    output_dram_per_timestep: bool = False  # output spikes go to DRAM in every timestep
    dram_per_burst: bool = False  # the DRAM energy buys a burst of 32 bits, not one byte
    sram_per_block: bool = False  # the SRAM energy buys a whole block, not one byte
    leakage_of_all_banks: bool = False  # every bank leaks, not one per buffer
    weights_restreamed: bool = False  # output stationary: weights are read again per row fold and timestep
    true_padding: bool = False  # cycles, traffic and MACs use the network's padding, not 0 and 1
    no_fold_surplus: bool = False  # no rows + columns of extra output writes per fold
    no_line_padding: bool = False  # the padding of half-filled lines is not written to DRAM
    packed_spikes: bool = False  # the input buffer holds 8 / bits spikes per byte, not one
    full_capacity: bool = False  # the input buffer is emptied when it is full, not when half full
    ungated_per_operation: bool = False  # ungated units cost per (dense) operation, not per cycle in every PE


CURRENT = Conventions()
SHIPPED = Conventions(fc_as_padded_conv=True, words_billed_as_bytes=True, output_writes_once=True)
ACCOUNTINGS: dict[str, Conventions] = {"current": CURRENT, "shipped": SHIPPED}

_SPIKE_MAC = (
    PeUnit("spike-mac", "andgate", 8, gated=False),
    PeUnit("spike-mac", "adder", 8, gated=False),
    PeUnit("spike-mac", "register", 16, gated=True),
    PeUnit("lif", "comparator", 16, gated=False),
    PeUnit("lif", "subtractor", 16, gated=False),
    PeUnit("lif", "register", 4, gated=True),
    PeUnit("lif", "register", 8, gated=True),
)
_DENSE_MAC = (
    PeUnit("mac", "multiplier", 8, gated=True),
    PeUnit("mac", "register", 8, gated=False, count=2),
    PeUnit("mac", "register", 16, gated=False),
    PeUnit("mac", "adder", 8, gated=False),
    PeUnit("mac", "register", 16, gated=True),
    PeUnit("relu", "comparator", 16, gated=False),
)


@dataclass(frozen=True)
class SataSimConfig:
    """One chip for SATA_Sim: array, clock, value widths, the units of one PE, three buffers and a DRAM energy."""

    name: str = "sata-config"
    rows: int = 16
    cols: int = 8
    clock_mhz: float = 400.0
    act_bits: int = 1
    weight_bits: int = 8
    output_bits: int = 1
    pe: tuple[PeUnit, ...] = _SPIKE_MAC
    scratchpads: tuple[Scratchpad, ...] = (Scratchpad(9, False), Scratchpad(9, True), Scratchpad(8, False))
    ifmap: Glb = field(default_factory=lambda: glb(32768))
    weight: Glb = field(default_factory=lambda: glb(147456))
    ofmap: Glb = field(default_factory=lambda: glb(32768))
    dram_nj: float = DRAM_READ_NJ
    conventions: Conventions = CURRENT

    def __post_init__(self) -> None:
        positive = ("rows", "cols", "clock_mhz", "act_bits", "weight_bits", "output_bits")
        problems = [
            Problem("must be positive", key=key, value=getattr(self, key))
            for key in positive
            if getattr(self, key) <= 0
        ]
        problems += [
            Problem("SATA_Sim's SCALE-Sim counts buffers in KiB and fails below one", key=key, value=size)
            for key, size in (("ifmap", self.ifmap.size_bytes), ("ofmap", self.ofmap.size_bytes))
            if size < 1024
        ]
        if problems:
            raise UnsupportedError(problems)

    def under(self, accounting: Accounting) -> SataSimConfig:
        """The same chip under the ``current`` script or the ``shipped`` results' older one."""
        return replace(self, conventions=ACCOUNTINGS[accounting])

    def turned(self, **switches: bool) -> SataSimConfig:
        """The same chip with some conventions switched."""
        return replace(self, conventions=replace(self.conventions, **switches))

    @property
    def pes(self) -> int:
        """Number of PEs."""
        return self.rows * self.cols

    @property
    def cycle_s(self) -> float:
        """Length of a cycle in seconds."""
        return 1 / (self.clock_mhz * 1e6)


SATA = SataSimConfig()
EYERISS = SataSimConfig(
    name="eyeriss-config",
    act_bits=8,
    output_bits=8,
    pe=_DENSE_MAC,
    scratchpads=(Scratchpad(72, False), Scratchpad(288, True), Scratchpad(64, False)),
)
EYERISS_T4 = SataSimConfig(
    name="eyeriss-T4",
    act_bits=4,
    output_bits=8,
    scratchpads=(Scratchpad(9, False), Scratchpad(288, True), Scratchpad(64, False)),
    ifmap=glb(8192),
)

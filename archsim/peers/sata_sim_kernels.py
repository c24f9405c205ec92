"""SATA_Sim's hardware kernels and memories: its power table per gate, and the CACTI results its flow produced.

Source: github.com/RuokaiYin/SATA_Sim at d447058, inference-energy-cal/hw_kernels.py (synthesis results, node and clock
not stated) and mem-stat.yaml of its flow with CACTI 7 (28 nm itrs-lop SRAM at 360 K, 2 banks, 32-byte blocks; DRAM as
shipped). Transcribed figures; dynamic powers are internal plus switching at the characterisation clock.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from archsim.errors import Problem, UnsupportedError, nearest

# kernel -> width -> (area um2, dynamic mW, leakage uW)
KERNELS: Mapping[str, Mapping[int, tuple[float, float, float]]] = {
    "register": {
        2: (9.24, 0.003191, 0.00542),
        4: (17.47, 0.00637, 0.0102),
        8: (34.27, 0.01249, 0.0201),
        16: (68.04, 0.02511, 0.0402),
        32: (135.07, 0.04975, 0.0802),
    },
    "comparator": {
        2: (2.856, 0.001323, 0.00156),
        4: (7.056, 0.00364, 0.00398),
        8: (15.456, 0.00908, 0.00876),
        16: (32.424, 0.01955, 0.0182),
        32: (66.36, 0.0425, 0.0371),
    },
    "adder": {
        2: (4.704, 0.00247, 0.00307),
        4: (13.776, 0.00873, 0.0086),
        8: (22.176, 0.01689, 0.017),
        16: (45.024, 0.0367, 0.035),
        32: (90.72, 0.0758, 0.0708),
    },
    "andgate": {
        2: (1.68, 0.000597, 0.0012),
        4: (3.36, 0.001181, 0.00241),
        8: (6.72, 0.00235, 0.00481),
        16: (13.44, 0.00474, 0.00962),
        32: (26.88, 0.00949, 0.0192),
    },
    "multiplier": {
        2: (3.528, 0.001551, 0.00196),
        4: (23.016, 0.01218, 0.0129),
        8: (101.472, 0.0821, 0.0613),
        16: (441.504, 0.511, 0.279),
        32: (1797.264, 2.786, 1.166),
    },
    "lfsr_rng": {
        32: (89.88, 0.0352, 0.0512),
    },
}
ALIASES = {"subtractor": "adder"}

# total bytes of a 2-bank buffer -> (read nJ per 32-byte block, write nJ per block, leakage mW of one bank)
CACTI_POINTS: Mapping[int, tuple[float, float, float]] = {
    8192: (0.00665794, 0.00703328, 1.81265),
    32768: (0.0110295, 0.012772, 6.25862),
    147456: (0.0286315, 0.0282197, 24.9086),
}
DRAM_READ_NJ = 0.468762


@dataclass(frozen=True)
class PeUnit:
    """``count`` instances of a kernel in every PE, charged under ``tag``; ``gated`` units cost per operation only."""

    tag: str
    kernel: str
    width: int
    gated: bool
    count: int = 1


@dataclass(frozen=True)
class Scratchpad:
    """A register file of ``size_bytes`` in every PE: as many 8-bit registers, all switching at once."""

    size_bytes: int
    gated: bool


@dataclass(frozen=True)
class TagPower:
    """Power of all units under one tag in one PE, rounded to 1e-6 as the peer stores it: area mm2, powers mW."""

    area_mm2: float
    gated_mw: float
    ungated_mw: float
    leakage_mw: float


@dataclass(frozen=True)
class Glb:
    """A global buffer: energy per access of one ``block_bytes`` block, leakage per bank as CACTI reports it."""

    size_bytes: int
    read_nj: float
    write_nj: float
    leakage_mw: float
    banks: int = 2
    block_bytes: int = 32


def glb(size_bytes: int) -> Glb:
    """A 2-bank, 32-byte-block buffer with the energies that CACTI gave SATA_Sim, log-log between the known sizes.

    ``UnsupportedError`` outside 8 to 144 KiB: the peer would run CACTI again; state the energies with ``Glb`` then.
    """
    sizes = sorted(CACTI_POINTS)
    if not sizes[0] <= size_bytes <= sizes[-1]:
        raise UnsupportedError(
            Problem(
                "SATA_Sim would run CACTI for this buffer size, which is not done here; state its energies explicitly: "
                "Glb(size_bytes, read_nj, write_nj, leakage_mw)",
                value=size_bytes,
                allowed=f"{sizes[0]} to {sizes[-1]} bytes",
            )
        )
    if size_bytes in CACTI_POINTS:
        return Glb(size_bytes, *CACTI_POINTS[size_bytes])
    upper = next(size for size in sizes if size > size_bytes)
    lower = sizes[sizes.index(upper) - 1]
    part = math.log(size_bytes / lower) / math.log(upper / lower)
    read, write, leakage = (
        math.exp((1 - part) * math.log(low) + part * math.log(high))
        for low, high in zip(CACTI_POINTS[lower], CACTI_POINTS[upper], strict=True)
    )
    return Glb(size_bytes, read, write, leakage)


def tag_powers(units: tuple[PeUnit, ...], scratchpads: tuple[Scratchpad, ...]) -> dict[str, TagPower]:
    """Sum the kernels of one PE by tag (``spad`` for the register files); unknown kernels or widths are all named."""
    problems = [_unknown(unit) for unit in units if unit.width not in KERNELS.get(_table(unit.kernel), {})]
    if problems:
        raise UnsupportedError(problems)
    parts = [(unit.tag, unit.gated, unit.count, KERNELS[_table(unit.kernel)][unit.width]) for unit in units]
    parts += [("spad", pad.gated, pad.size_bytes, KERNELS["register"][8]) for pad in scratchpads]
    sums: dict[str, list[float]] = {}
    for tag, gated, count, (area, dynamic, leakage) in parts:
        total = sums.setdefault(tag, [0.0, 0.0, 0.0, 0.0])
        total[0] += count * area / 1e6
        total[1 if gated else 2] += count * dynamic
        total[3] += count * leakage / 1000
    return {tag: TagPower(*(round(value, 6) for value in total)) for tag, total in sums.items()}


def _table(kernel: str) -> str:
    return ALIASES.get(kernel, kernel)


def _unknown(unit: PeUnit) -> Problem:
    known = KERNELS.get(_table(unit.kernel))
    if known is None:
        names = [*KERNELS, *ALIASES]
        return Problem(
            "no such kernel in SATA_Sim's table",
            key=unit.tag,
            value=unit.kernel,
            allowed=", ".join(names),
            nearest=nearest(unit.kernel, names),
        )
    return Problem(
        f"SATA_Sim characterised {unit.kernel} at other widths only",
        key=unit.tag,
        value=unit.width,
        allowed=", ".join(str(width) for width in known),
    )

"""What is not like for like about the chips: where weights rest, which memories count, how large the chips are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from archsim.comparison.memories import Memories, memories
from archsim.comparison.sides import Difference, Side, alike, by_value, listed
from archsim.pricing_check import readable_bytes
from archsim.result import Result

Sides = Sequence[Side]
SAME_SIZE = 1.05
"""Chips whose areas differ by less than this factor are of one size."""
SAME_COUNT = 1e-9
UM2_PER_MM2 = 1e6


def weights(sides: Sides) -> Iterator[Difference]:
    """Weights that are fetched for every input against weights that are there before the first."""
    found = [memories(side.result) for side in sides]
    homes = tuple(one.weights_in for one in found)
    if alike(homes):
        return
    said = [_weights(side, one) for side, one in zip(sides, found, strict=True)]
    yield Difference("weights", f"Weights rest in different places. {' '.join(said)}", homes)


def _weights(side: Side, found: Memories) -> str:
    if found.weights_in == "cells":
        if found.programmed_cells:
            how = f"of which {found.programmed_cells:,.0f} are programmed in this run, and charged"
        else:
            how = "programmed before the first input: no charge for that, and none for fetching weights"
        return f"{side.label} holds them in {found.cells:,} crossbar cells, {how}."
    if found.weights_in == "dram":
        share = percent(found.dram_pj, side.result.energy_pj)
        traffic = f"{readable_bytes(found.dram_read_bytes)} are read from DRAM, inputs among them"
        return f"{side.label} moves them from DRAM through its SRAM for every input ({traffic}; DRAM is {share})."
    return f"{side.label} holds them on the chip, and nothing is charged for bringing them there."


def dram(sides: Sides) -> Iterator[Difference]:
    """DRAM that is part of some results only."""
    found = [memories(side.result) for side in sides]
    there = tuple(one.has_dram for one in found)
    if alike(there):
        return
    pairs = list(zip(sides, found, strict=True))
    having = [f"{side.label} ({percent(one.dram_pj, side.result.energy_pj)})" for side, one in pairs if one.has_dram]
    lacking = [side.label for side, one in pairs if not one.has_dram]
    text = f"DRAM is part of {listed(having)} and not of {listed(lacking)}; energy on chip is stated without it."
    yield Difference("DRAM", text, there)


def on_chip_memory(sides: Sides) -> Iterator[Difference]:
    """What memories the chips have, and how much of the area they take."""
    found = [memories(side.result) for side in sides]
    sizes = tuple((one.sram_bytes, one.register_bytes, one.cells) for one in found)
    if alike(sizes):
        return
    shown = by_value(sides, (_holdings(one, side.result) for side, one in zip(sides, found, strict=True)), "; ")
    text = f"The memories that are part of the area differ: {shown}. DRAM is never part of it."
    yield Difference("on-chip memory", text, sizes)


def _holdings(found: Memories, result: Result) -> str:
    kinds = (
        (found.sram_bytes, f"{readable_bytes(found.sram_bytes)} of SRAM"),
        (found.register_bytes, f"{readable_bytes(found.register_bytes)} of register files"),
        (found.cells, f"{found.cells:,} crossbar cells"),
    )
    there = [text for size, text in kinds if size]
    if not there:
        return "no memory"
    area = f"{found.memory_area_um2 / UM2_PER_MM2:.3g} of {result.area_um2 / UM2_PER_MM2:.3g} mm2"
    return f"{listed(there)}, {area}"


def sram_cells(sides: Sides) -> Iterator[Difference]:
    """SRAM of other transistors: leakage differs by far more than the chips do."""
    cells = tuple(memories(side.result).sram_cells for side in sides)
    if alike([one for one in cells if one]):
        return
    shown = by_value(sides, (" and ".join(one) or "no SRAM" for one in cells))
    yield Difference("SRAM cells", f"The SRAM has cells of different types: {shown}; their leakage differs.", cells)


def area(sides: Sides) -> Iterator[Difference]:
    """Chips of different sizes."""
    areas = tuple(side.result.area_um2 for side in sides)
    if max(areas) <= SAME_SIZE * min(areas):
        return
    shown = by_value(sides, (f"{value / UM2_PER_MM2:.3g} mm2" for value in areas))
    factor = f", a factor of {max(areas) / min(areas):.3g}" if min(areas) else ""
    text = f"The chips are not of one size: {shown}{factor}; a larger chip may buy its speed with area."
    yield Difference("area", text, areas)


def operations(sides: Sides) -> Iterator[Difference]:
    """Different numbers of synaptic operations for the same inputs: they are counted, or executed, differently."""
    counted = tuple(side.result.synaptic_operations for side in sides)
    asked = [(side.result.hashes.get("workload"), side.result.samples) for side in sides]
    if not alike(asked) or max(counted) - min(counted) <= SAME_COUNT * max(counted):
        return
    shown = by_value(sides, (f"{value:,.0f}" for value in counted))
    text = (
        f"The same spikes give other numbers of synaptic operations: {shown}; compare energy, not energy per operation."
    )
    yield Difference("operations", text, counted)


def accuracy(sides: Sides) -> Iterator[Difference]:
    """Accuracies that differ, or are known of some only; analog cells beside exact arithmetic."""
    known = [side.result.accuracy for side in sides]
    fractions = tuple(None if one is None else one.fraction for one in known)
    if any(one is not None for one in known) and not alike(fractions):
        told = by_value(sides, ("not known" if one is None else f"{100 * one:.4g} %" for one in fractions))
        yield Difference("accuracy", f"The networks are not equally often right: {told}.", fractions)
    analog = tuple(bool(memories(side.result).cells) for side in sides)
    if alike(analog):
        return
    executed = [side.label for side, one in zip(sides, known, strict=True) if one is not None and one.chip]
    members = [side.label for side, is_analog in zip(sides, analog, strict=True) if is_analog]
    if set(members) <= set(executed):
        return
    text = (
        f"Only {listed(members)} computes with analog cells, whose noise and converters cost accuracy;"
        " that is not part of the accuracies here."
    )
    yield Difference("accuracy", text, analog)


CHECKS: tuple[Callable[[Sides], Iterator[Difference]], ...] = (
    weights, dram, on_chip_memory, sram_cells, area, operations, accuracy,
)  # fmt: skip


def percent(part: float, whole: float) -> str:
    """A share of the energy in words."""
    return f"{100 * part / whole:.3g} % of its energy" if whole else "none of its energy"

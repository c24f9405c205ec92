"""What a run on crossbars takes for granted, and where its numbers have limits: sentences for people."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from archsim.accelerators.crossbar.chip import Chip
from archsim.accelerators.crossbar.reads import adc_bits
from archsim.accelerators.crossbar.schema import CrossbarArchitecture
from archsim.accelerators.lowered import OF_EVERY_FAMILY
from archsim.accelerators.neuron_assumptions import neuron_assumptions
from archsim.workload import Layer

VISIBLE = 0.01  # of a time that is rounded to whole cycles
NO_LEAKAGE = "its source states no leakage of them"


def assumptions(chip: Chip, most_rows: Mapping[str, int]) -> tuple[str, ...]:
    """All of them; ``most_rows`` are the most active rows that a conversion of each layer sees."""
    arch, size = chip.arch, next(iter(chip.chunks.values())).granularity
    notes = [
        f"activity: {chip.workload.activity.describe()}",
        f"one task handles an output {size} and timestep (granularity: {arch.granularity})",
        *_cells(arch), *_widths(chip, most_rows), *_converters(arch), *_rounded(arch), *_replicas(chip), *_input(chip),
        *neuron_assumptions(chip.workload),
    ]  # fmt: skip
    if arch.tiles == "as_needed":
        notes.append(f"the chip is as large as this network needs: {chip.tiles} tiles (tiles: as_needed)")
    if arch.adc.skip_silent:
        notes.append("that a place or crossbar is silent is known without cost; skipping costs no time either")
    if chip.rounds > 1:
        last = {name: int(placed.round.max()) for name, placed in chip.placed.items()}
        loads = "; ".join(f"{n + 1}: {', '.join(name for name in last if last[name] == n)}" for n in range(chip.rounds))
        notes.append(f"the chip is loaded in {chip.rounds} rounds for every input; layers that end in each: {loads}")
    else:
        notes.append("weights are programmed before the first input; that is not part of an inference")
    if chip.links.busiest:
        load = f"{chip.links.busiest:,} flits per input, one per cycle"
        notes.append(f"the busiest link between two tiles carries {load}; flits wait at ports, not at links")
    return *notes, *OF_EVERY_FAMILY, "cells in unused rows and columns cost area only"


def _cells(arch: CrossbarArchitecture) -> list[str]:
    device, states = arch.crossbar.cell, np.array(arch.crossbar.states_us)
    mean = f"{arch.crossbar.mean_us:.4g} uS"
    notes = [f"weights are unknown: cells ({device.name}) conduct what their levels do on average, {mean}"]
    steps = np.diff(states)
    if len(steps) > 1 and not np.allclose(steps, steps.mean(), rtol=0.05):
        levels = ", ".join(f"{state:.4g}" for state in states)
        notes.append(f"the levels of a cell ({levels} uS) are not evenly spaced: equal steps of a weight are not equal")
    return notes


def _widths(chip: Chip, most_rows: Mapping[str, int]) -> list[str]:
    """Converters and accumulators that are narrower than what may come."""
    adc, levels, sums = chip.arch.adc.bits, chip.arch.crossbar.levels, chip.arch.accumulator_bits
    clipped = {name: bits for name, rows in most_rows.items() if (bits := adc_bits(rows, levels)) > adc}
    notes = []
    if clipped:
        notes.append(f"conversions are clipped: the converters have {adc} bits, and {_each(clipped)}")
    wide = {layer.name: bits for layer in chip.network.weighted_layers if (bits := sum_bits(layer)) > sums}
    if wide:
        notes.append(f"sums of full range overflow: accumulators have {sums} bits, and {_each(wide)}")
    return notes


def sum_bits(layer: Layer) -> int:
    """Bits that hold every sum of a layer: K products of an input and a weight of w - 1 bits, and a sign."""
    largest = layer.reduction * layer.in_max * ((1 << max(layer.weight_bits - 1, 1)) - 1)
    return largest.bit_length() + 1


def _each(bits: Mapping[str, int]) -> str:
    return ", ".join(f"'{name}' needs {need} bits" for name, need in bits.items())


def _converters(arch: CrossbarArchitecture) -> list[str]:
    """What the chosen source of the converters' costs leaves open."""
    leaks = {"survey": "they leak a fifth of their power", "mlsa": "they leak next to nothing"}
    notes = [f"converters are priced by adc.model: {arch.adc.model}; {leaks.get(arch.adc.model, NO_LEAKAGE)}"]
    if arch.adc.model == "spikesim":
        notes.append("SpikeSim states no resolution of its converter: its price is the same for any adc.bits")
    return notes


def _input(chip: Chip) -> list[str]:
    """How the input comes to the chip."""
    notes, encoding = [], chip.network.encoding
    if chip.arch.dram is None:
        made = ", encoded" if encoding in ("rate", "ttfs") else ""
        notes.append(
            f"the network's input is on the chip at the start{made}; transfers from and to it are not modelled"
        )
    elif encoding in ("rate", "ttfs"):
        notes.append("encoding the input takes energy, no time")
    if chip.arch.first_layer == "once" and encoding != "direct":
        notes.append("first_layer: once changes nothing, for the input is not an image that stays the same")
    return notes


def _rounded(arch: CrossbarArchitecture) -> list[str]:
    """Times that are noticeably shorter than the whole cycles that they take."""
    period = 1000.0 / arch.clock_mhz
    stated = {"adc.conversion": float(arch.adc.conversion), "crossbar.read": arch.crossbar.read_ns}
    return [
        f"{key} of {ns:.4g} ns takes whole cycles, {arch.cycles(ns) * period:.4g} ns"
        for key, ns in stated.items()
        if arch.cycles(ns) * period > (1 + VISIBLE) * ns
    ]


def _replicas(chip: Chip) -> list[str]:
    """Layers that have fewer replicas than stated, because more would have no output row to handle."""
    stated = chip.arch.mapping.replicate
    if stated == "auto":
        return []
    wanted = {name: stated if isinstance(stated, int) else stated.get(name, 1) for name in chip.placed}
    fewer = {name: one.replicas for name, one in chip.placed.items() if one.replicas < wanted[name]}
    if not fewer:
        return []
    placed = ", ".join(f"'{name}' {count}" for name, count in fewer.items())
    return [f"more replicas would have no output row to handle: {placed} times"]

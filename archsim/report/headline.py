"""The first lines of a result: what was run, and the figures that people ask for first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from archsim.op_count import AC, MAC
from archsim.report.look import HEADING, WARNING
from archsim.report.units import (
    AREA,
    EDP,
    ENERGY,
    POWER,
    TIME,
    Ladder,
    percent,
    readable,
    scale_for,
    significant,
    whole,
)

if TYPE_CHECKING:
    from archsim.result import Result
    from archsim.result.rows import Accuracy


def title(result: Result) -> RenderableType:
    """Chip, network, samples and engine; and that the activity is synthetic, if it is."""
    steps = f"{result.timesteps} timestep" + ("" if result.timesteps == 1 else "s")
    lines = [
        Text.assemble(
            (f"{result.arch} x {result.workload}", HEADING),
            f": {samples(result)}, {steps}, {result.clock_mhz:g} MHz, {result.node_nm:g} nm,"
            f" engine {result.engine} ({whole(result.tasks)} tasks)",
        )
    ]
    if result.synthetic:
        described = next((note for note in result.assumptions if note.startswith("activity: ")), "activity: synthetic")
        text = described.removeprefix("activity: ").removeprefix("synthetic: ")
        lines.append(Text(f"synthetic activity, not recorded spikes: {text}", style=WARNING))
    return Group(*lines)


def headline(result: Result) -> Table:
    """Energy, latency, throughput, area, power, energy-delay product, energy per synaptic operation."""
    table = Table(box=None, show_header=False, padding=(0, 3, 0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, style="bold")
    table.add_column()
    for row in figures(result):
        table.add_row(*row)
    return table


def figures(result: Result) -> Iterator[tuple[str, str, str]]:
    """Name, value and remark of each figure."""
    dynamic, static = readable(result.dynamic_pj, ENERGY), readable(result.static_pj, ENERGY)
    yield "energy", _value(result, "energy_pj", ENERGY), f"{dynamic} dynamic, {static} static"
    yield "latency", _value(result, "latency_ns", TIME), f"{_cycles(result)} at {result.clock_mhz:g} MHz"
    yield _throughput(result)
    yield "area", readable(result.area_um2, AREA), "on chip, DRAM apart"
    peak = readable(result.peak_power_mw, POWER)
    yield "mean power", readable(result.power_mw, POWER), f"energy / latency; peak {peak}"
    yield "energy x delay", _value(result, "edp_pj_ns", EDP), ""
    if result.synaptic_operations:
        each = result.energy_pj / result.synaptic_operations
        products = f"{whole(result.synaptic_operations)} synaptic operations"
        yield "per synaptic operation", readable(each, ENERGY), products
        yield _estimated(result)
    if result.accuracy is not None:
        yield _accuracy(result.accuracy)


def _throughput(result: Result) -> tuple[str, str, str]:
    if result.throughput_per_s is None or result.interval_cycles is None:
        return "throughput", "not known", result.throughput_note
    steady = result.steady_energy_pj or 0.0
    note = f"one input every {whole(result.interval_cycles)} cycles, {readable(steady, ENERGY)} each"
    said = f"; {result.throughput_note}" if result.throughput_note else ""
    return "throughput", f"{significant(result.throughput_per_s)} inferences/s", note + said


def _estimated(result: Result) -> tuple[str, str, str]:
    """The op-count energy that is commonly quoted, and how often it fits into what the chip executed."""
    count = result.op_count
    estimate, actual = readable(count.estimated_pj, ENERGY), readable(result.energy_pj, ENERGY)
    of = ((AC, count.acs), (MAC, count.macs))
    terms = [f"{whole(number)} {one.name}s of {one.value_pj:g} pJ" for one, number in of]
    note = f"x {significant(result.energy_pj / count.estimated_pj)}: {', '.join(terms)} ({AC.node_nm:g} nm)"
    return "estimated versus actual", f"{estimate} / {actual}", note


def _accuracy(found: Accuracy) -> tuple[str, str, str]:
    """At the stated precision, or that of a chip; what the weights as they were trained would reach goes with it."""
    bits = "/".join(map(str, found.weight_bits))
    stated = f"; at the stated bits {percent(found.stated_fraction, 1)}" if found.chip else ""
    where = f" on {found.chip}" if found.chip else ""
    remark = (
        f"{found.correct} of {len(found.labels)} of {found.inputs}{where}, {bits}-bit weights,"
        f" {found.membrane_bits}-bit membranes{stated}; as trained {percent(found.float_fraction, 1)}"
    )
    return "accuracy", percent(found.fraction, 1), remark + ("; EMULATED events" if found.emulated else "")


def _value(result: Result, name: str, ladder: Ladder) -> str:
    """A figure, with its standard deviation over the samples if there are several."""
    value = float(getattr(result, name))
    if name not in result.spread:
        return readable(value, ladder)
    scale = scale_for((value,), ladder)
    deviation = result.spread[name]["std"]
    return f"{significant(scale(value))} ± {significant(scale(deviation))} {scale.unit}"


def _cycles(result: Result) -> str:
    if "cycles" not in result.spread:
        return f"{whole(result.cycles)} cycles"
    spread = result.spread["cycles"]
    return f"{whole(result.cycles)} cycles (from {whole(spread['min'])} to {whole(spread['max'])})"


def samples(result: Result) -> str:
    """Which samples the figures are of."""
    numbers = result.samples
    if len(numbers) == 1:
        return f"sample {numbers[0]}"
    run = numbers == tuple(range(numbers[0], numbers[-1] + 1))
    named = f"{numbers[0]}..{numbers[-1]}" if run else ", ".join(str(number) for number in numbers)
    return f"mean ± standard deviation of {len(numbers)} samples ({named})"

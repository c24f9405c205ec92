"""A break-even as tables for people: who wins where at each T, where the energy goes, what was assumed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from archsim.report.look import HEADING, WARNING, console_for_people, grid_table, titled
from archsim.report.units import ENERGY, scale_for, significant

if TYPE_CHECKING:
    from archsim.crossover import Breakeven, Cost, Curve, Verdict

SHOWN = {"energy": "energy", "edp": "energy x delay", "dynamic": "dynamic energy"}


def print_breakeven(answer: Breakeven, console: Console | None = None) -> None:
    """Everything that a break-even says, on stdout or on the given console."""
    console = console or console_for_people()
    for part in _parts(answer):
        console.print(part)
        console.print()
    for sentence in answer.sentences:
        console.print(Text(sentence, style="bold"))


def _parts(answer: Breakeven) -> Iterable[RenderableType]:
    yield _title(answer)
    rate = f"{100 * answer.own.rate:.3g} %"
    yield titled(f"At the workload's own spike rate, {rate}: SNN over ANN (below 1: the SNN wins)", _ratios(answer))
    yield titled("Spike rate below which the SNN wins", _rates(answer))
    yield titled(f"Where the energy goes at T = {answer.own.timesteps}", _levels(answer))
    yield titled("What is compared", Text("\n".join(f"* {note}" for note in answer.notes)))


def _title(answer: Breakeven) -> RenderableType:
    samples = ", ".join(map(str, answer.samples[:6])) + (", ..." if len(answer.samples) > 6 else "")
    head = Text.assemble(
        (f"{answer.arch} x {answer.workload}, SNN against quantised ANN", HEADING),
        f": sample{'s' if len(answer.samples) > 1 else ''} {samples}, {answer.clock_mhz:g} MHz, {answer.node_nm:g} nm",
    )
    return Group(head, Text("spike rates other than the workload's own are drawn, not recorded", style=WARNING))


def _ratios(answer: Breakeven) -> Table:
    """A row for each T: energies, and the ratios by each metric."""
    density = answer.ann_density
    scale = scale_for(
        [cost.energy_pj for curve in answer.curves for cost in (curve.own.snn, curve.ann[density])], ENERGY
    )
    table = grid_table("T", "bits", f"SNN {scale.unit}", f"ANN {scale.unit}", *SHOWN.values(), "", texts=0)
    table.columns[-1].justify = "left"
    for curve in answer.curves:
        ratios = [significant(curve.ratio(curve.own, metric, density)) for metric in SHOWN]
        table.add_row(
            str(curve.timesteps), str(curve.bits), significant(scale(curve.own.snn.energy_pj)),
            significant(scale(curve.ann[density].energy_pj)), *ratios, _mark(answer, curve),
        )  # fmt: skip
    if answer.own.recorded:
        own = answer.own_curve
        table.add_section()
        table.add_row(
            str(own.timesteps), str(own.bits), significant(scale(answer.own.snn.energy_pj)),
            significant(scale(own.ann[density].energy_pj)),
            *(significant(answer.own_ratio(metric)) for metric in SHOWN), "own spikes, not drawn",
        )  # fmt: skip
    return table


def _mark(answer: Breakeven, curve: Curve) -> str:
    return "own T" if curve.timesteps == answer.own.timesteps else ""


def _rates(answer: Breakeven) -> Table:
    """A row for each T: the break-even by each metric, against the ANN at each density."""
    columns = [(metric, density) for density in answer.ann_densities for metric in SHOWN]
    heads = [f"{SHOWN[metric]}\nANN {density:g}" for metric, density in columns]
    table = grid_table("T", "bits", *heads, "", texts=0)
    table.columns[-1].justify = "left"
    for curve in answer.curves:
        cells = [told(curve.verdict(metric, density)) for metric, density in columns]
        table.add_row(str(curve.timesteps), str(curve.bits), *cells, _mark(answer, curve))
    return table


def told(verdict: Verdict) -> str:
    """A break-even in a cell: a rate, or that the SNN never or always wins."""
    if verdict.outcome in ("never", "always"):
        return verdict.outcome
    if verdict.rate is None:
        return "only above"
    return f"{100 * verdict.rate:.3g} %" + (" (first)" if verdict.outcome == "mixed" else "")


def _levels(answer: Breakeven) -> Table:
    """Energy by level: the SNN without a spike, where it breaks even, and as it is; the ANN at each density."""
    curve = answer.own_curve
    low = curve.verdict("energy", answer.ann_density).low
    even = [(f"SNN at {100 * point.rate:.3g} %", point.snn) for point in curve.points if point.rate == low]
    columns: list[tuple[str, Cost]] = [
        ("SNN, no spike", curve.points[0].snn), *even, ("SNN, own spikes", answer.own.snn),
        *((f"ANN, {density:g} non-zero", cost) for density, cost in curve.ann.items()),
    ]  # fmt: skip
    scale = scale_for([cost.energy_pj for _, cost in columns], ENERGY)
    table = grid_table(f"level ({scale.unit})", *(name for name, _ in columns))
    names = dict.fromkeys(level for _, cost in columns for level in cost.levels)
    for level in sorted(names, key=lambda name: -answer.own.snn.levels.get(name, 0.0)):
        table.add_row(level, *(significant(scale(cost.levels.get(level, 0.0))) for _, cost in columns))
    table.add_section()
    table.add_row("all", *(significant(scale(cost.energy_pj)) for _, cost in columns))
    table.add_row("of it leakage", *(significant(scale(cost.static_pj)) for _, cost in columns))
    table.add_row("latency (us)", *(significant(cost.latency_ns / 1e3) for _, cost in columns))
    return table

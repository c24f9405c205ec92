"""Early ends of inputs as a table for people and as a figure: accuracy against energy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from archsim.report.look import HEADING, WARNING, console_for_people, grid_table
from archsim.report.saving import save_figure
from archsim.report.style import GREY, TITLE_LETTERS, TOTAL, shortened
from archsim.report.units import EDP, ENERGY, TIME, percent, scale_for, significant

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from archsim.ending import EarlyExit, ExitRow


def print_early_exit(found: EarlyExit, console: Console | None = None) -> None:
    """A row per threshold, the highest first; marks for those that no other one beats."""
    console = console or console_for_people()
    console.print(Text(f"{found.arch} x {found.workload}: early end of {found.inputs}", style=HEADING))
    console.print(f"{found.samples} inputs of up to {found.timesteps} timesteps; confidence: {found.confidence}\n")
    energy, latency, product = (
        scale_for([getattr(row, name) for row in found.rows], ladder)
        for name, ladder in (("energy_pj", ENERGY), ("latency_ns", TIME), ("edp_pj_ns", EDP))
    )
    table = grid_table(
        "ends at", "timesteps", "ended early", "accuracy", f"energy {energy.unit}", "of all steps",
        f"latency {latency.unit}", f"energy x delay {product.unit}", "front",
    )  # fmt: skip
    whole = found.rows[0]
    for row, best in zip(found.rows, found.front, strict=True):
        table.add_row(
            _threshold(row), f"{row.timesteps:.2f}",
            percent(row.ended_early, 1), "-" if row.accuracy is None else percent(row.accuracy, 1),
            significant(energy(row.energy_pj)), percent(row.energy_pj, whole.energy_pj),
            significant(latency(row.latency_ns)), significant(product(row.edp_pj_ns)), "*" if best else "",
        )  # fmt: skip
    console.print(table)
    told = "front: no other row has less energy without losing accuracy; " if any(found.front) else ""
    console.print(Text(f"{told}means over the inputs", "dim"))
    if found.note:
        console.print(Text(found.note, style=WARNING))


def draw_early_exit(found: EarlyExit, file: str | Path) -> Path:
    """Accuracy against mean energy, the front joined, into a .png, .svg or .pdf; written whole or not at all."""
    return save_figure(lambda: early_exit_figure(found), file)


def early_exit_figure(found: EarlyExit) -> Figure:
    """Left, accuracy (without labels: timesteps) against energy, the front named; right, what each threshold saves."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.2, 3.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    _front(left, found)
    _savings(right, found)
    what = f"{shortened(found.arch, TITLE_LETTERS)} × {shortened(found.workload, TITLE_LETTERS)}, {found.inputs}"
    figure.suptitle(f"Early end of inputs: {what}", x=0.01, ha="left", fontsize=10, weight="bold")
    return figure


def _front(axes: Axes, found: EarlyExit) -> None:
    energy = scale_for([row.energy_pj for row in found.rows], ENERGY)
    known = all(row.accuracy is not None for row in found.rows)
    points = [(energy(row.energy_pj), 100 * (row.accuracy or 0.0) if known else row.timesteps) for row in found.rows]
    best = sorted(point for point, front in zip(points, found.front, strict=True) if front)
    if best:
        axes.plot(*zip(*best, strict=True), color=TOTAL, linewidth=1.2, zorder=1)
    colours = [TOTAL if front else GREY for front in found.front]
    across, up = zip(*points, strict=True)
    axes.scatter(across, up, c=colours, s=36, zorder=2, edgecolors="white", linewidths=0.8)
    named: dict[tuple[float, float], list[str]] = {}
    for row, front, point in zip(found.rows, found.front, points, strict=True):
        if front or row.threshold is None or not known:
            named.setdefault(point, []).append(_threshold(row))
    for point, names in named.items():
        last = "" if len(names) == 1 else f" to {names[0]}"
        axes.annotate(names[-1] + last, point, (0, 8), textcoords="offset points", ha="center", fontsize=8,
                      bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none"})  # fmt: skip
    axes.margins(y=0.2)
    axes.set_xlim(0, 1.25 * max(across))
    axes.grid(True)
    axes.set_xlabel(f"mean energy per input, {energy.unit.replace('u', 'µ', 1)}")
    axes.set_ylabel("accuracy, %" if known else "mean timesteps")
    told = "threshold of the confidence" + ("; blue: the front" if best else "")
    axes.set_title(told, loc="left", fontsize=8.5, weight="normal")


def _savings(axes: Axes, found: EarlyExit) -> None:
    """Bars of the energy in per cent of that of all timesteps, with the mean number of timesteps."""
    rows = sorted(found.rows, key=lambda row: (row.threshold is None, row.threshold or 0.0))
    share = [100 * row.energy_pj / found.rows[0].energy_pj for row in rows]
    bars = axes.bar(range(len(rows)), share, color=TOTAL, width=0.7)
    axes.bar_label(bars, [f"{row.timesteps:.1f}" for row in rows], fontsize=8, padding=2)
    axes.set_xticks(range(len(rows)), [_threshold(row) for row in rows], fontsize=8)
    axes.set_ylim(0, 112)
    axes.grid(axis="y")
    axes.set_xlabel("threshold")
    axes.set_ylabel("energy, % of that of all timesteps")
    axes.set_title("above the bars: mean timesteps", loc="left", fontsize=8.5, weight="normal")


def _threshold(row: ExitRow) -> str:
    return "never" if row.threshold is None else f"{row.threshold:g}"

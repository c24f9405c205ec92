"""The figure of a break-even: SNN over ANN against the spike rate, a curve for each T, and where each meets 1."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from archsim.report.style import (
    LETTERS_PER_INCH,
    LINE_INCHES,
    MARGIN_INCHES,
    TITLE_INCHES,
    TITLE_LETTERS,
    legend_beside,
    shortened,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from archsim.crossover import Breakeven, Curve

PANELS = {"energy": "energy, SNN / ANN", "edp": "energy × delay, SNN / ANN"}
WIDTH, HEIGHT = 8.6, 3.7
WON = "#009E73"
COLOURS = (0.08, 0.88)  # the part of the colour map that shows on white
LINEAR_RATES = 0.05  # up to here the axis of the rates is linear
LEGEND_ROWS = 18
OWN_SIZE, CROSSING_SIZE = 9.0, 6.0


def over_rates(answer: Breakeven) -> Figure:
    """Two panels, energy and energy × delay; the SNN wins in the shaded half."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    panels: list[Axes] = list(figure.subplots(1, len(PANELS)))
    for axes, (metric, name) in zip(panels, PANELS.items(), strict=True):
        _draw(axes, answer, metric)
        axes.set_ylabel(f"{name} (log)")
        axes.set_xlabel("spike rate (per cent; linear up to 5)")
    _legend(panels[-1], answer)
    _name(figure, answer)
    return figure


def _draw(axes: Axes, answer: Breakeven, metric: str) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    for curve in answer.curves:
        ratios = [curve.ratio(point, metric, answer.ann_density) for point in curve.points]
        rates = [100 * point.rate for point in curve.points]
        colour = colour_of(answer, curve)
        own = curve.timesteps == answer.own.timesteps
        axes.plot(rates, ratios, color=colour, linewidth=2.2 if own else 1.3, marker=".", markersize=3.5)
        verdict = curve.verdict(metric, answer.ann_density)
        if verdict.rate is not None:
            axes.plot(
                [100 * verdict.rate], [1.0], "D", color=colour, markersize=CROSSING_SIZE, markeredgecolor="black",
                clip_on=False, zorder=4,
            )  # fmt: skip
    axes.plot(
        [100 * answer.own.rate], [answer.own_ratio(metric)], "*", color=colour_of(answer, answer.own_curve),
        markersize=OWN_SIZE * 1.4, markeredgecolor="black", zorder=5,
    )  # fmt: skip
    axes.set_yscale("log")
    axes.set_xscale("symlog", linthresh=100 * LINEAR_RATES, linscale=0.8)
    most = 100 * answer.most_rate
    axes.set_xlim(0, most)
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, 0.8), max(high, 1.25))
    axes.axhspan(axes.get_ylim()[0], 1.0, color=WON, alpha=0.10, linewidth=0)
    axes.axhline(1.0, color="#444444", linewidth=0.9)
    axes.annotate(
        "SNN wins", (0.99, 0.0), xycoords="axes fraction", xytext=(0, 3), textcoords="offset points", ha="right",
        va="bottom", fontsize=8, color=WON,
    )  # fmt: skip
    ticks = [tick for tick in (0, 1, 2, 5, 10, 20, 50, 100) if tick <= most]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_major_locator(FixedLocator(_ticks(*axes.get_ylim())))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.grid(which="major")


def _ticks(low: float, high: float) -> list[float]:
    """Fine steps where little is shown, 1, 2, 5 of each of a few decades, the decades alone where there are many."""
    few, some = (0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0), (1.0, 2.0, 5.0)
    if high / low < 5:
        return [tick for tick in few if low <= tick <= high]
    steps = some if high / low < 2e3 else (1.0,)
    found = [step * 10.0**decade for decade in range(-6, 9) for step in steps]
    return [tick for tick in found if low <= tick <= high]


def colour_of(answer: Breakeven, curve: Curve) -> Any:
    """From dark to bright with T; readable without colours, too, because the curves lie in that order."""
    from matplotlib import colormaps

    order = [one.timesteps for one in answer.curves]
    low, high = COLOURS
    place = order.index(curve.timesteps) / max(len(order) - 1, 1)
    return colormaps["viridis"](low + (high - low) * place)


def _legend(axes: Axes, answer: Breakeven) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [], [], color=colour_of(answer, curve), linewidth=2.2 if curve.timesteps == answer.own.timesteps else 1.3,
            label=f"T = {curve.timesteps}, {curve.bits} bit{'s' if curve.bits > 1 else ''}",
        )
        for curve in reversed(answer.curves)
    ]  # fmt: skip
    mark: dict[str, Any] = {"linestyle": "none", "color": "white", "markeredgecolor": "black"}
    crossings = [curve.verdict(metric, answer.ann_density).rate for curve in answer.curves for metric in PANELS]
    if any(rate is not None for rate in crossings):
        handles.append(Line2D([], [], marker="D", markersize=CROSSING_SIZE, label="break-even", **mark))
    handles.append(Line2D([], [], marker="*", markersize=OWN_SIZE * 1.2, label="the workload", **mark))
    legend_beside(axes, handles, columns=-(-len(handles) // LEGEND_ROWS))


def _name(figure: Any, answer: Breakeven) -> None:
    """Two lines above the panels: what is shown, of which chip and network, and against which ANN."""
    spikes = "drawn spikes (star: its own)" if answer.own.recorded else "synthetic activity"
    changed = f"; ANN's chip: {', '.join(answer.ann_overrides)}" if answer.ann_overrides else ""
    text = (
        f"{shortened(answer.arch, TITLE_LETTERS)} × {shortened(answer.workload, TITLE_LETTERS)}, {spikes}; "
        f"{answer.ann_density:g} of the ANN's activations non-zero{changed}"
    )
    width, height = figure.get_size_inches()
    lines = textwrap.wrap(text, int((width - 2 * MARGIN_INCHES) * LETTERS_PER_INCH))
    taken = MARGIN_INCHES + TITLE_INCHES + LINE_INCHES * len(lines)
    height += taken
    figure.set_size_inches(width, height)
    figure.get_layout_engine().set(rect=(0, 0, 1, 1 - taken / height))
    left, top = MARGIN_INCHES / width, 1 - MARGIN_INCHES / height
    figure.text(left, top, "Spiking network against quantised ANN", va="top", fontsize=10, weight="bold")
    under = top - TITLE_INCHES / height
    figure.text(left, under, "\n".join(lines), va="top", fontsize=8.5, color="#444444", linespacing=1.25)

"""The figure of a comparison: energy by level, latency and area of every side, readable at a glance."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from archsim.report.style import (
    GREY,
    LABEL_LETTERS,
    LETTERS_PER_INCH,
    LEVEL_COLOURS,
    LINE_INCHES,
    MARGIN_INCHES,
    TITLE_INCHES,
    TITLE_LETTERS,
    leaking,
    level_legend,
    shortened,
)
from archsim.report.units import AREA, ENERGY, TIME, Ladder, Scale, printed, scale_for

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from archsim.comparison import Comparison

LINEAR_REACH = 8.0
"""Up to this ratio of the largest to the smallest, the smallest still shows on a linear axis."""
ROW_INCHES, LEAST_INCHES, AXIS_INCHES = 0.42, 2.0, 0.5
PANEL_INCHES, STACK_INCHES, NAMES_INCHES = 2.0, 3.4, 2.9
BAR: dict[str, Any] = {"height": 0.66}
LABEL: dict[str, Any] = {"textcoords": "offset points", "xytext": (6, 0), "va": "center", "fontsize": 8}
MARK = "#444444"
ROOM = 1.55  # for the figures behind the bars
GAP = 0.05  # between panels, of their width
FEW_SETTINGS = 4
DECADES = 0.7  # of a logarithmic axis, for the same


def compared(comparison: Comparison) -> Figure:
    """Lying bars, a row per side: energy by level (leakage hatched), latency, area by level; figures stand at the bars.

    Where energies lie so far apart that the smallest bar would vanish, the stacks show shares of each side's energy,
    and the energies stand beside them on a logarithmic axis; latency and area become logarithmic likewise.
    """
    energy = [side.result.energy_pj for side in comparison.sides]
    apart = not _linear(energy)
    figure, panels = _panels(comparison, 4 if apart else 3)
    _stack(panels[0], comparison, energy, shares=apart)
    if apart:
        _figures(panels[1], energy, ENERGY, "energy")
    latency = [side.result.latency_ns for side in comparison.sides]
    _figures(panels[-2], latency, TIME, "latency", lambda axes, scale: _bars(axes, scale, [(latency, GREY)]))
    levels = [(pair.area_um2, LEVEL_COLOURS.get(pair.level, GREY)) for pair in comparison.levels]
    area = [side.result.area_um2 for side in comparison.sides]
    _figures(panels[-1], area, AREA, "area on chip", lambda axes, scale: _bars(axes, scale, levels))
    level_legend(panels[-1], [pair.level for pair in comparison.levels], leakage=True)
    name_comparison(figure, "Energy, latency and area", comparison)
    return figure


def short_labels(comparison: Comparison, letters: int) -> list[str]:
    """The sides' labels in so many letters; numbered where they could not be told apart otherwise."""
    labels = [shortened(side.label, letters) for side in comparison.sides]
    if len(set(labels)) == len(labels):
        return labels
    numbers = [f"{number}: " for number, _ in enumerate(labels, 1)]
    pairs = zip(numbers, comparison.sides, strict=True)
    return [number + shortened(side.label, letters - len(number)) for number, side in pairs]


def _linear(values: Sequence[float]) -> bool:
    """Whether all values show on a linear axis."""
    there = [value for value in values if value > 0]
    return not there or max(there) <= LINEAR_REACH * min(there)


def _panels(comparison: Comparison, count: int) -> tuple[Figure, list[Axes]]:
    """Axes beside each other with a row for each side, the first on top; names stand at the left ones only."""
    from matplotlib.figure import Figure

    rows = len(comparison.sides)
    height = max(ROW_INCHES * rows, LEAST_INCHES) + AXIS_INCHES
    widths = [STACK_INCHES, *([PANEL_INCHES] * (count - 1))]
    figure = Figure(figsize=(sum(widths) + NAMES_INCHES, height), layout="constrained")
    layout: Any = figure.get_layout_engine()
    layout.set(wspace=GAP)
    panels: list[Axes] = list(figure.subplots(1, count, width_ratios=widths))
    for axes in panels:
        axes.set_yticks(range(rows), [""] * rows)
        axes.set_ylim(rows - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
    panels[0].set_yticklabels(short_labels(comparison, LABEL_LETTERS))
    return figure, panels


def _stack(axes: Axes, comparison: Comparison, energy: Sequence[float], *, shares: bool) -> None:
    """Dynamic energy and leakage of each level, on end; the total behind each bar."""
    scale = scale_for(energy, ENERGY)
    for at, total in enumerate(energy):
        factor = 100.0 / (total or 1.0) if shares else 1.0 / scale.factor
        left = 0.0
        for pair in comparison.levels:
            colour = LEVEL_COLOURS.get(pair.level, GREY)
            for value, look in ((pair.dynamic_pj[at], {"color": colour}), (pair.static_pj[at], leaking(colour))):
                width = (value or 0.0) * factor
                axes.barh(at, width, left=left, **BAR, **look)
                left += width
        axes.annotate(printed(total, ENERGY), (left, at), **LABEL, fontweight="bold")
    longest = 100.0 if shares else scale(max(energy))
    axes.set_xlim(0, longest * 1.28 or 1.0)
    if shares:
        axes.set_xticks([0, 25, 50, 75, 100])
    axes.set_xlabel("share of the energy (per cent)" if shares else f"energy ({scale.printed_unit})")


def _figures(
    axes: Axes, values: Sequence[float], ladder: Ladder, what: str, draw: Callable[[Axes, Scale], None] | None = None
) -> None:
    """Bars on a linear axis, or marks on a logarithmic one (always, where nothing draws bars); values behind each."""
    from matplotlib.ticker import MaxNLocator

    scale = scale_for(values, ladder)
    if draw is not None and _linear(values):
        draw(axes, scale)
        axes.set_xlim(0, scale(max(values)) * ROOM or 1.0)
        axes.xaxis.set_major_locator(MaxNLocator(3))
        axes.set_xlabel(f"{what} ({scale.printed_unit})")
    else:
        _marks(axes, values, scale)
        axes.set_xlabel(f"{what} ({scale.printed_unit}, log)")
    for at, value in enumerate(values):
        axes.annotate(printed(value, ladder), (max(scale(value), axes.get_xlim()[0]), at), **LABEL)


def _bars(axes: Axes, scale: Scale, pieces: Sequence[tuple[Sequence[float | None], str]]) -> None:
    """Stacked bars: for each piece its value by side, and its colour."""
    ends = [0.0] * len(axes.get_yticks())
    for values, colour in pieces:
        widths = [scale(value or 0.0) for value in values]
        axes.barh(range(len(ends)), widths, left=ends, color=colour, **BAR)
        ends = [end + width for end, width in zip(ends, widths, strict=True)]


def _marks(axes: Axes, values: Sequence[float], scale: Scale) -> None:
    """Marks: a bar's length would mean nothing on a logarithmic axis."""
    from matplotlib.ticker import LogLocator, NullFormatter

    there = [scale(value) for value in values if value > 0]
    low, high = min(there), max(there)
    axes.set_xscale("log")
    axes.set_xlim(low * (low / high) ** 0.15, high * (high / low) ** DECADES)
    axes.xaxis.set_major_locator(LogLocator(numticks=4))
    axes.xaxis.set_minor_formatter(NullFormatter())
    places = [max(scale(value), axes.get_xlim()[0]) for value in values]
    axes.plot(places, range(len(values)), "o", color=MARK, markersize=6)


def _settings(comparison: Comparison) -> str:
    """Which settings differ between chips of one family; how many, where they are many."""
    keys = [setting.key for setting in comparison.settings]
    return "" if not keys else f"settings: {', '.join(keys) if len(keys) <= FEW_SETTINGS else len(keys)}"


def name_comparison(figure: Any, title: str, comparison: Comparison, *marks: str) -> None:
    """A line of what is shown; then networks, whether activity is synthetic, marks, and what is not like for like.

    The figure grows by the height that this takes.
    """
    results = [side.result for side in comparison.sides]
    networks = dict.fromkeys(shortened(result.workload, TITLE_LETTERS) for result in results)
    parts = [" and ".join(networks)]
    if any(result.synthetic for result in results):
        parts.append("synthetic activity")
    topics = list(dict.fromkeys(difference.topic for difference in comparison.differences))
    settings = _settings(comparison)
    marks = (*marks, settings) if settings else marks
    notes = [*marks, f"not like for like: {', '.join(topics)}"] if topics else [*marks, "like for like"]
    width, height = figure.get_size_inches()
    lines = textwrap.wrap("; ".join([", ".join(parts), *notes]), int((width - 2 * MARGIN_INCHES) * LETTERS_PER_INCH))
    taken = MARGIN_INCHES + TITLE_INCHES + LINE_INCHES * len(lines)
    height += taken
    figure.set_size_inches(width, height)
    figure.get_layout_engine().set(rect=(0, 0, 1, 1 - taken / height))
    left, top = MARGIN_INCHES / width, 1 - MARGIN_INCHES / height
    figure.text(left, top, title, va="top", fontsize=10, weight="bold")
    under = top - TITLE_INCHES / height
    figure.text(left, under, "\n".join(lines), va="top", fontsize=8.5, color="#444444", linespacing=1.25)

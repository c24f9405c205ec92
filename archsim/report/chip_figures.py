"""Figures of the chip at work: utilisation, area, where the time of its units goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from archsim.report.style import (
    GREY,
    LEVEL_COLOURS,
    TIME_COLOURS,
    bar_chart,
    legend_beside,
    level_legend,
    name_figure,
    side_chart,
)
from archsim.report.units import AREA, percent, scale_for

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from archsim.result import Result

USED, DENSE, SPENT = "#9CC9E6", "#E69F00", "#009E73"
MOST_UNITS = 48  # that are drawn: the busiest


def by_utilisation(result: Result) -> Figure:
    """Bars per layer of the hardware used; marks for the non-zero inputs and the share of the time, in per cent."""
    names = [row.name for row in result.layers]
    figure, axes = bar_chart(names)
    at = np.arange(len(names))
    cycles = result.cycles or 1.0
    used, density, spent = (
        [100 * value for value in values]
        for values in (
            [row.utilisation for row in result.layers],
            [row.density for row in result.layers],
            [row.cycles / cycles for row in result.layers],
        )
    )
    bars = axes.bar(at, used, width=0.72, color=USED, label="hardware used")
    marks: dict[str, Any] = {
        "linestyle": "none",
        "markersize": 6,
        "markeredgecolor": "white",
        "markeredgewidth": 0.8,
        "clip_on": False,
    }
    dense = axes.plot(at, density, marker="D", color=DENSE, label="non-zero inputs", **marks)
    shares = axes.plot(at, spent, marker="o", color=SPENT, label="share of the time", **marks)
    axes.set_ylim(0, 100)
    axes.set_ylabel("per cent")
    name_figure(axes, result, "Utilisation by layer")
    legend_beside(axes, [bars, *dense, *shares])
    return figure


def by_area(result: Result) -> Figure:
    """Lying bars: area of each component on the chip, largest first, with its share."""
    rows = sorted((part for part in result.components if part.area_um2), key=lambda part: -part.area_um2)
    scale = scale_for([part.area_um2 for part in rows], AREA)
    figure, axes = side_chart(
        [f"{part.name} (×{part.instances})" if part.instances > 1 else part.name for part in rows], most=32
    )
    longest = max((part.area_um2 for part in rows), default=0.0)
    for at, part in enumerate(rows):
        axes.barh(at, scale(part.area_um2), height=0.72, color=LEVEL_COLOURS.get(part.level, GREY))
        share = percent(part.area_um2, result.area_um2)
        axes.text(scale(part.area_um2 + 0.012 * longest), at, share, va="center", fontsize=8)
    axes.set_xlim(0, scale(longest) * 1.18 or 1.0)
    axes.set_xlabel(f"area ({scale.printed_unit}), {scale(result.area_um2):.3g} {scale.printed_unit} in all")
    name_figure(axes, result, "Area by component", f"{result.node_nm:g} nm")
    present = {part.level for part in rows}
    level_legend(axes, [level for level in result.levels() if level in present], leakage=False)
    return figure


def by_time(result: Result) -> Figure:
    """Lying stacked bars, one per unit: busy, starved, blocked, queueing and idle, in per cent of the run."""
    every = [row for row in result.units if row.unit != "sync"]
    busy = sorted((row.busy for row in every), reverse=True)
    least = busy[MOST_UNITS] if len(busy) > MOST_UNITS else -1
    rows = [row for row in every if row.busy > least]
    figure, axes = side_chart([row.unit for row in rows])
    left = np.zeros(len(rows))
    for piece, colour in TIME_COLOURS.items():
        values = (getattr(row, piece) for row in rows)
        cycles = np.array([value if isinstance(value, int | float) else sum(value.values()) for value in values], float)
        shares = 100 * cycles / (result.cycles or 1.0)
        axes.barh(range(len(rows)), shares, left=left, height=0.72, color=colour, label=piece)
        left += shares
    axes.set_xlim(0, 100)
    left_out = f"; {len(every) - len(rows)} units with less work are not drawn" if len(rows) < len(every) else ""
    axes.set_xlabel(f"per cent of the run{left_out}")
    name_figure(axes, result, "Where the units' time goes")
    legend_beside(axes)
    return figure

"""Figures of a profile: what would shorten the run and what would save energy as lying bars, and the roofline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from archsim.advice import WHAT, name_of
from archsim.report.style import (
    DOWN,
    GREY,
    LEVEL_COLOURS,
    TOTAL,
    UP,
    legend_beside,
    name_figure,
    new_figure,
    side_chart,
)  # fmt: skip

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from archsim.profiling import Profile

MOST_BARS = 14
LONGEST_LABEL = 52
MARKERS = "osD^vPX<>h"


def by_gain(profile: Profile) -> Figure:
    """Cycles gained by every change that matters, anomalies in another colour."""
    shown = [one for one in profile.time if one.gain > 0][:MOST_BARS]
    shown += list(profile.anomalies)[-MOST_BARS:]
    labels = [f"{name_of(one)}: {WHAT[one.change]}" for one in shown]
    shares = [100.0 * one.gain / profile.result.cycles for one in shown]
    figure, axes = side_chart(labels or ["no change"], width=7.6, most=LONGEST_LABEL)
    colours = [UP if one.anomaly else TOTAL for one in shown]
    bars = axes.barh(range(len(shown)), shares, color=colours, height=0.68)
    axes.bar_label(bars, [f"{one.gain:+,}" for one in shown], padding=3, fontsize=8)
    axes.set_xlabel("shorter run, % of all cycles (numbers: cycles)")
    axes.axvline(0.0, color="#555555", linewidth=0.8)
    _room(axes, shares)
    name_figure(axes, profile.result, "What would shorten the run", "each change alone, timed on the same graph")
    return figure


def by_saving(profile: Profile) -> Figure:
    """Energy saved by every change of prices."""
    total = profile.result.energy_pj or 1.0
    shown = [one for one in profile.energy if one.gain_pj > 0][:MOST_BARS]
    labels = [f"{one.subject}: {one.change}" if one.subject != "all" else one.change for one in shown]
    shares = [100.0 * one.gain_pj / total for one in shown]
    figure, axes = side_chart(labels or ["no change"], width=7.6, most=LONGEST_LABEL)
    colours = [GREY if one.subject == "all" else DOWN for one in shown]
    bars = axes.barh(range(len(shown)), shares, color=colours, height=0.68)
    axes.bar_label(bars, [f"{share:.2g} %" for share in shares], padding=3, fontsize=8)
    axes.set_xlabel("less energy, % of all")
    _room(axes, shares)
    name_figure(axes, profile.result, "What would save energy", "each change alone, the same run priced again")
    return figure


def by_roofline(profile: Profile) -> Figure:
    """Log-log: each memory's slope up to the roof, its point at what it allows, and what is achieved."""
    roof = profile.roofline
    figure, axes = new_figure(7.2, 3.8)
    meets = [roof.roof_per_s / one.bytes_per_s for one in roof.memories]
    places = [one.intensity for one in roof.memories] + meets
    low, high = min(places, default=1.0) / 4, max(places, default=1.0) * 4
    axes.axhline(roof.roof_per_s / 1e9, color="#555555", linewidth=1.4, label="busiest stage, never waiting")
    axes.axhline(roof.achieved_per_s / 1e9, color="#555555", linewidth=1.0, linestyle=":", label="achieved")
    for number, one in enumerate(roof.memories):
        colour = LEVEL_COLOURS.get(one.level, GREY)
        x = np.array([low, roof.roof_per_s / one.bytes_per_s, high])
        y = np.minimum(x * one.bytes_per_s, roof.roof_per_s) / 1e9
        axes.plot(x, y, color=colour, linewidth=1.2, alpha=0.8)
        axes.plot(
            [one.intensity], [one.attainable_per_s / 1e9], MARKERS[number % len(MARKERS)], color=colour,
            markeredgecolor="black", markersize=7, label=f"{one.component} allows", linestyle="none",
        )  # fmt: skip
        axes.plot([one.intensity], [roof.achieved_per_s / 1e9], "|", color=colour, markersize=9)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(low, high)
    axes.set_xlabel("synaptic operations per byte moved")
    axes.set_ylabel("Gop/s")
    axes.grid(which="major")
    legend_beside(axes)
    name_figure(axes, profile.result, "Roofline", "sparsity of this input included")
    return figure


def _room(axes: Axes, shares: list[float]) -> None:
    """Room for the numbers at the ends of the bars."""
    most, least = max([*shares, 1e-9]), min([*shares, 0.0])
    span = most - least
    axes.set_xlim(least - 0.25 * span if least else 0.0, most + 0.25 * span)

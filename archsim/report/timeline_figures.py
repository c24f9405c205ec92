"""Figures of a run over time: what its units do when, and what the chip draws."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from archsim.report.style import GREY, legend_beside, name_figure, new_figure, shortened, side_chart
from archsim.report.units import POWER, TIME, Scale, percent, printed, scale_for

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from archsim.analysis.timeline import Floats, Steps, Timeline
    from archsim.taskgraph import Ints

MOST_UNITS = 48  # lanes that are drawn: the busiest
DOTS = 1200  # across a figure; what is narrower is merged
LEAST_TINT = 0.35  # of a dot in which anything runs at all
WIDTH = 9.0
LEGEND_ROWS, LEGEND_INCHES, COLUMN_INCHES = 24, 0.175, 1.2
HUES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
SHADES = (1.0, 0.62, 0.38)  # once the hues are used up
DYNAMIC, RANGE, MEAN = "#0072B2", "#A6CBE3", "#D55E00"


def gantt(timeline: Timeline) -> Figure:
    """A lane per unit, coloured by layer. A dot that a unit works in for part of its time is paler by that part."""
    from matplotlib.patches import Patch

    every, lanes, shares = _busiest(timeline)
    names = timeline.execution.graph.units
    labels = [
        f"{shortened(names[u].name)}  {percent(share, 1.0)}" for u, share in zip(lanes.tolist(), shares, strict=True)
    ]
    figure, axes = side_chart(labels, WIDTH, most=40)
    picture, layers = _picture(timeline, lanes)
    columns = math.ceil(len(layers) / LEGEND_ROWS)
    rows = math.ceil(len(layers) / max(columns, 1))
    width = WIDTH + COLUMN_INCHES * max(columns - 1, 0)
    figure.set_size_inches(width, max(figure.get_size_inches()[1], 0.7 + LEGEND_INCHES * rows))
    scale = scale_for((timeline.latency_ns,), TIME)
    end = scale(timeline.latency_ns) or 1.0
    if len(lanes):
        extent = (0.0, end, len(lanes) - 0.5, -0.5)
        axes.imshow(picture, extent=extent, aspect="auto", interpolation="nearest", zorder=2)
        axes.hlines(np.arange(len(lanes) + 1) - 0.5, 0, end, colors="white", linewidth=2.5, zorder=3)
    axes.set_xlim(0, end)
    axes.set_ylim(max(len(lanes), 1) - 0.4, -0.6)
    axes.grid(visible=False)
    left_out = f"; {every - len(lanes)} units with less work are not drawn" if every > len(lanes) else ""
    axes.set_xlabel(_time_label(timeline, scale) + left_out)
    name_figure(
        axes, timeline, "What the units do when", f"input {timeline.samples[0]}",
        "beside each unit its busy share of the run", "paler where it works for part of a dot's time",
    )  # fmt: skip
    handles = [
        Patch(facecolor=_colour(at), label=shortened(timeline.execution.graph.layers[layer]))
        for at, layer in enumerate(layers)
    ]
    legend_beside(axes, handles, columns)
    return figure


def power(timeline: Timeline) -> Figure:
    """Power of the chip over time: leakage below, the running tasks above it; the mean marked."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    curve = timeline.power_mw
    in_ns = 1000.0 / timeline.clock_mhz
    peak = float(curve.value.max(initial=0.0))
    mean = curve.integral * in_ns / timeline.latency_ns if timeline.latency_ns else 0.0
    scale, time = scale_for((peak,), POWER), scale_for((timeline.latency_ns,), TIME)
    figure, axes = new_figure(WIDTH, 3.4)
    handles: list[Any] = []
    merged = len(curve.at) > DOTS
    if len(curve.at) > 1:
        edges, low, middle, high = dots(curve)
        at = time.all(edges * in_ns)
        below = np.minimum(scale(timeline.leakage_mw), scale.all(low))
        if merged:
            axes.stairs(scale.all(high), at, baseline=scale.all(low), fill=True, color=RANGE)
            handles.append(Patch(facecolor=RANGE, label="least to most within a dot"))
        axes.stairs(scale.all(middle), at, baseline=below, fill=True, color=DYNAMIC)
        axes.stairs(below, at, fill=True, facecolor="#EDEDED", edgecolor=GREY, hatch="////", linewidth=0.0)
        handles.append(Patch(facecolor=DYNAMIC, label=f"running tasks{', mean of a dot' if merged else ''}"))
        handles.append(Patch(facecolor="#EDEDED", edgecolor=GREY, hatch="////", label="leakage"))
    axes.axhline(scale(mean), color=MEAN, linestyle="--", linewidth=1.0)
    handles.insert(0, Line2D([], [], color=MEAN, linestyle="--", label=f"mean {printed(mean, POWER)}"))
    axes.set_xlim(0, time(timeline.latency_ns) or 1.0)
    axes.set_ylim(0, scale(peak) * 1.05 or 1.0)
    axes.grid(axis="y")
    axes.set_xlabel(_time_label(timeline, time, merged))
    axes.set_ylabel(f"power ({scale.printed_unit})")
    name_figure(axes, timeline, "Power over time", f"input {timeline.samples[0]}", f"peak {printed(peak, POWER)}")
    legend_beside(axes, handles)
    return figure


def dots(curve: Steps) -> tuple[Floats, Floats, Floats, Floats]:
    """At most ``DOTS`` intervals of a curve: their edges (in cycles), and the least, mean and largest value in each."""
    at, value = curve.at, np.asarray(curve.value, np.float64)
    if len(at) <= DOTS:
        return at.astype(np.float64), value[:-1], value[:-1], value[:-1]
    edges = np.linspace(at[0], at[-1], DOTS + 1)
    energy = np.concatenate([[0.0], np.cumsum(value[:-1] * np.diff(at))])
    mean = np.diff(np.interp(edges, at, energy)) / np.diff(edges)
    first = np.searchsorted(at, edges[:-1], side="right") - 1
    last = np.maximum(np.searchsorted(at, edges[1:], side="left"), first + 1)
    bounds = np.column_stack([first, last]).ravel()
    return edges, np.minimum.reduceat(value, bounds)[::2], mean, np.maximum.reduceat(value, bounds)[::2]


def _time_label(timeline: Timeline, scale: Scale, merged: bool = True) -> str:
    dot = f", a dot is {printed(timeline.latency_ns / DOTS, TIME)}" if merged and timeline.latency_ns else ""
    return f"time ({scale.printed_unit}){dot}"


def _busiest(timeline: Timeline) -> tuple[int, Ints, list[float]]:
    """How many units work at all; those that are drawn, in the chip's order; their busy shares of the run."""
    slices, units = timeline.slices, len(timeline.execution.graph.units)
    busy = np.bincount(slices.unit, slices.finish - slices.start, units)
    working = np.flatnonzero(busy)
    chosen = np.sort(working[np.argsort(-busy[working], kind="stable")][:MOST_UNITS])
    return len(working), chosen, (busy[chosen] / max(timeline.execution.cycles, 1)).tolist()


def _picture(timeline: Timeline, lanes: Ints) -> tuple[Floats, list[int]]:
    """[lanes, DOTS, 3] colours, and the layers that they stand for.

    Per lane and layer, the cycles worked until t are linear between starts and finishes; their differences over the
    dots are the shares of each dot.
    """
    slices, cycles = timeline.slices, max(timeline.execution.cycles, 1)
    drawn = np.flatnonzero(np.isin(slices.unit, lanes))
    layers = np.unique(slices.layer[drawn]).tolist()
    edges = np.linspace(0, cycles, DOTS + 1)
    dark = np.zeros((len(lanes), DOTS, 3))  # what each layer takes from white, times its share
    worked = np.zeros((len(lanes), DOTS))
    key = slices.unit[drawn] * len(timeline.execution.graph.layers) + slices.layer[drawn]
    order = np.argsort(key, kind="stable")  # within a unit they stand by start
    parts = np.split(drawn[order], np.flatnonzero(np.diff(key[order])) + 1)
    for part in parts if len(drawn) else ():
        knots = np.column_stack([slices.start[part], slices.finish[part]]).ravel()
        spent = np.cumsum(slices.finish[part] - slices.start[part])
        until = np.column_stack([np.concatenate([[0], spent[:-1]]), spent]).ravel()
        share = np.diff(np.interp(edges, knots, until)) * (DOTS / cycles)
        lane = int(np.searchsorted(lanes, slices.unit[part[0]]))
        worked[lane] += share
        dark[lane] += share[:, None] * (1.0 - np.array(_colour(layers.index(int(slices.layer[part[0]])))))
    worked = np.minimum(worked, 1.0)  # but for rounding
    tint = np.where(worked > 0, LEAST_TINT + (1.0 - LEAST_TINT) * worked, 0.0) / np.where(worked > 0, worked, 1.0)
    return np.clip(1.0 - dark * tint[:, :, None], 0.0, 1.0), layers


def _colour(number: int) -> tuple[float, float, float]:
    """Neighbours differ in hue; the hues come back darker."""
    from matplotlib.colors import to_rgb

    shade = SHADES[number // len(HUES) % len(SHADES)]
    red, green, blue = to_rgb(HUES[number % len(HUES)])
    return red * shade, green * shade, blue * shade

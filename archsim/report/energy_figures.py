"""Figures of where the energy goes: by layer, by timestep, by level, by component."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from archsim.report.style import GREY, LEVEL_COLOURS, bar_chart, leaking, level_legend, name_figure, side_chart
from archsim.report.units import ENERGY, percent, printed, scale_for

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from archsim.result import Result

SHARED = "shared"
SMALLEST_SHARE = 0.0005
MOST_TICKS = 25


def by_layer(result: Result) -> Figure:
    """Stacked bars, one per layer: dynamic energy and leakage of each level; what leaked while idle is stated."""
    levels = tuple(result.levels())
    names = [row.name for row in result.layers]
    dynamic = _dynamic_by_layer(result, levels)
    static = {level: np.array([row.static_by_level.get(level, 0.0) for row in result.layers]) for level in levels}
    totals = np.add.reduce([np.zeros(len(names)), *dynamic.values(), *static.values()])
    scale = scale_for(totals.tolist(), ENERGY)
    figure, axes = bar_chart(names)
    at, bottom = np.arange(len(names)), np.zeros(len(names))
    for level in levels:
        colour = LEVEL_COLOURS.get(level, GREY)
        axes.bar(at, scale.all(dynamic[level]), bottom=bottom, width=0.75, color=colour)
        bottom += scale.all(dynamic[level])
        axes.bar(at, scale.all(static[level]), bottom=bottom, width=0.75, **leaking(colour))
        bottom += scale.all(static[level])
    axes.set_ylim(bottom=0)
    axes.set_ylabel(f"energy ({scale.printed_unit})")
    idle = max(result.energy_pj - float(totals.sum()), 0.0)
    name_figure(axes, result, "Energy by layer", f"without {printed(idle, ENERGY)} of leakage while units idle")
    level_legend(axes, levels, leakage=True)
    return figure


def _dynamic_by_layer(result: Result, levels: tuple[str, ...]) -> dict[str, np.ndarray]:
    """[mapped layers] of each level; a layer that is executed on another's way out counts with that one."""
    owner = {name: number for number, row in enumerate(result.layers) for name in (row.members or (row.name,))}
    sums = {level: np.zeros(len(result.layers)) for level in levels}
    for (layer, level), energy in result.energy_by("layer", "level").items():
        if layer in owner:
            sums[level][owner[layer]] += energy
    return sums


def by_timestep(result: Result) -> Figure:
    """Stacked bars, one per timestep: dynamic energy of each level; what several timesteps share stands apart."""
    levels = tuple(result.levels())
    sums = result.energy_by("timestep", "level")
    steps = sorted({step for step, _ in sums if step >= 0})
    shared = any(step < 0 for step, _ in sums)
    labels = [str(step) for step in steps] + ([SHARED] if shared else [])
    every = [*steps, *([-1] if shared else [])]
    heights = {level: np.array([sums.get((step, level), 0.0) for step in every]) for level in levels}
    scale = scale_for(sum(heights.values(), np.zeros(len(every))).tolist(), ENERGY)
    every_nth = -(-len(labels) // MOST_TICKS)
    figure, axes = bar_chart(
        [label if at % every_nth == 0 or label == SHARED else "" for at, label in enumerate(labels)]
    )
    bottom = np.zeros(len(every))
    for level in levels:
        axes.bar(
            range(len(every)),
            scale.all(heights[level]),
            bottom=bottom,
            width=0.75,
            color=LEVEL_COLOURS.get(level, GREY),
        )
        bottom += scale.all(heights[level])
    axes.set_xlabel("timestep")
    axes.set_ylim(bottom=0)
    axes.set_ylabel(f"dynamic energy ({scale.printed_unit})")
    name_figure(axes, result, "Dynamic energy over timesteps")
    level_legend(axes, levels, leakage=False)
    return figure


def by_level(result: Result) -> Figure:
    """Lying bars: dynamic and static energy of each level, with its share."""
    rows = [(level, LEVEL_COLOURS.get(level, GREY), *pair) for level, pair in result.levels().items()]
    return _lying(result, rows, "Energy by level", legend=False)


def by_component(result: Result) -> Figure:
    """Lying bars: dynamic and static energy of each component, largest first, with its share."""
    ranked = sorted(result.components, key=lambda part: -part.energy_pj)
    shown = [part for part in ranked if part.energy_pj >= SMALLEST_SHARE * result.energy_pj]
    rows = [(part.name, LEVEL_COLOURS.get(part.level, GREY), part.dynamic_pj, part.static_pj) for part in shown]
    rest = ranked[len(shown) :]
    if rest:
        sums = sum(part.dynamic_pj for part in rest), sum(part.static_pj for part in rest)
        rows.append((f"{len(rest)} smaller ones", GREY, *sums))
    return _lying(result, rows, "Energy by component", legend=True)


def _lying(result: Result, rows: list[tuple[str, str, float, float]], what: str, *, legend: bool) -> Figure:
    scale = scale_for([dynamic + static for _, _, dynamic, static in rows], ENERGY)
    figure, axes = side_chart([name for name, *_ in rows])
    longest = max((dynamic + static for _, _, dynamic, static in rows), default=0.0)
    for at, (_, colour, dynamic, static) in enumerate(rows):
        axes.barh(at, scale(dynamic), height=0.72, color=colour)
        axes.barh(at, scale(static), left=scale(dynamic), height=0.72, **leaking(colour))
        share = percent(dynamic + static, result.energy_pj)
        axes.text(scale(dynamic + static + 0.012 * longest), at, share, va="center", fontsize=8)
    axes.set_xlim(0, scale(longest) * 1.18 or 1.0)
    axes.set_xlabel(f"energy ({scale.printed_unit})")
    name_figure(axes, result, what)
    levels = tuple(result.levels()) if legend else ()
    level_legend(axes, levels, leakage=True)
    return figure

"""The way from one run to another as a waterfall: energy by component, latency by layer, or area by component."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archsim.comparison.parts import ROUNDING
from archsim.report.compare_changes import LADDERS
from archsim.report.compare_figure import name_comparison, short_labels
from archsim.report.style import LABEL_LETTERS
from archsim.report.units import Ladder, Scale, printed, scale_for, significant
from archsim.report.waterfall_bars import Bar, Totals, draw_bars, name_bars, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from archsim.comparison import Change, Comparison
    from archsim.comparison.parts import Quantity
    from archsim.result import Result

TITLES: dict[Quantity, str] = {
    "energy": "energy by component, dynamic and leakage",
    "latency": "latency by layer (shares of the critical path)",
    "area": "area by component",
}
WIDTH, NAME_LETTERS, LINE_LETTERS, MOST_LINES = 8.8, 40, 150, 5
MOST_BARS = 20
LEAST_SHARE = 0.01
"""Bars below this share of all differences, without their signs, are merged."""
NAME_INCHES, EDGE_INCHES, LEAST_INCHES = 0.08, 0.3, 2.5
TOO_MUCH, TOO_LITTLE = 1000.0, 0.001
"""Shares in per cent that nobody reads as such."""
NEW, GONE = " (new)", " (gone)"
EQUAL = "equal: nothing differs"


@dataclass(frozen=True)
class Step:
    """A difference that is drawn: its name, and the names of what it stands for where small ones are merged."""

    name: str
    difference: float
    merged: tuple[str, ...] = ()


def waterfall(comparison: Comparison, quantity: Quantity) -> Figure:
    """A panel for every further run: from the first run's total to its own, the largest difference first.

    Small differences are merged by sign into one bar with their number; their names stand under the axis.
    """
    ways = [merged_steps(list(_steps(change, quantity))) for change in comparison.changes]
    notes = [_notes(way) for way in ways]
    figure, axes = panels([len(way) + 2 for way in ways], WIDTH, notes)
    labels = short_labels(comparison, LABEL_LETTERS)
    for panel, change, way, label in zip(axes, comparison.changes, ways, labels[1:], strict=True):
        _draw(panel, change, quantity, way, (labels[0], label))
    target = labels[1] if len(ways) == 1 else "each of the others"
    name_comparison(figure, f"From {labels[0]} to {target}: {TITLES[quantity]}", comparison, *_marks(ways))
    return figure


def merged_steps(steps: Sequence[Step]) -> list[Step]:
    """At most ``MOST_BARS`` large differences, the largest first; then the rest, what grows and what shrinks apart."""
    ranked = sorted(steps, key=lambda step: -abs(step.difference))
    least = LEAST_SHARE * sum(abs(step.difference) for step in ranked)
    shown = [step for step in ranked[:MOST_BARS] if abs(step.difference) >= least]
    rest = ranked[len(shown) :]
    for word, members in (("increases", [step for step in rest if step.difference > 0]),
                          ("decreases", [step for step in rest if step.difference < 0])):  # fmt: skip
        if len(members) == 1:
            shown += members
        elif members:
            total = sum(step.difference for step in members)
            shown.append(Step(f"{len(members)} smaller {word}", total, tuple(step.name for step in members)))
    return shown


def _steps(change: Change, quantity: Quantity) -> Iterator[Step]:
    """What differs by more than rounding."""
    least = ROUNDING * max(_totals(change, quantity))
    return (Step(name, difference) for name, difference in _differences(change, quantity) if abs(difference) > least)


def _differences(change: Change, quantity: Quantity) -> Iterator[tuple[str, float]]:
    one, two = change.first.result, change.other.result
    if quantity == "energy":
        for part in change.energy_by_component.parts:
            name = part.names[0]
            mark = _mark(name, _components(one), _components(two))
            yield name + mark, part.dynamic[1] - part.dynamic[0]
            yield f"{name} leakage{mark}", part.static[1] - part.static[0]
    elif quantity == "latency":
        for layer in change.latency_by_layer.parts:
            yield layer.names[0] + _mark(layer.names[0], _layers(one), _layers(two)), layer.difference
    else:
        for component in change.area_by_component.parts:
            name = component.names[0]
            yield name + _mark(name, _components(one), _components(two)), component.difference


def _mark(name: str, first: set[str], other: set[str]) -> str:
    """Behind a name: whether only one side has what it names."""
    return NEW if name not in first else GONE if name not in other else ""


def _components(result: Result) -> set[str]:
    return {row.name for row in result.components}


def _layers(result: Result) -> set[str]:
    return {row.name for row in result.layers}


def _marks(ways: Sequence[Sequence[Step]]) -> list[str]:
    """What the marks behind names mean, where there are any."""
    names = " ".join(step.name for way in ways for step in way)
    told = ((NEW, "new: the first has none"), (GONE, "gone: only the first has it"))
    return [text for mark, text in told if mark in names]


def _totals(change: Change, quantity: Quantity) -> tuple[float, float]:
    return next(table.totals for table in change.main_tables if table.quantity == quantity)


def _notes(way: Sequence[Step]) -> list[str]:
    """Lines that name what is merged, the largest first."""
    lines: list[str] = []
    for step in way:
        if step.merged:
            names = ", ".join(name.removesuffix(NEW).removesuffix(GONE) for name in step.merged)
            text = textwrap.wrap(f"{step.name}: {names}", LINE_LETTERS, break_on_hyphens=False)
            lines += text if len(text) <= MOST_LINES else [*text[: MOST_LINES - 1], "... (all in the tables)"]
    return lines


def _draw(axes: Axes, change: Change, quantity: Quantity, way: Sequence[Step], ends: tuple[str, str]) -> None:
    values, ladder = _totals(change, quantity), LADDERS[quantity]
    scale = scale_for(values, ladder)
    bars: list[Bar] = []
    before = values[0]
    for step in way:
        bars.append(Bar(before, before + step.difference, _change(step.difference, values[0], ladder)))
        before += step.difference
    names = [ends[0], *(step.name for step in way), ends[1]]
    name_bars(axes, names, NAME_LETTERS)
    one, two = _told_apart(values, scale)
    two += f" ({EQUAL})" if not way else _percent(values[1] - values[0], values[0])
    begin = draw_bars(axes, Totals(values, (one, two)), bars, scale, zoom=True, inches=_inches(names))
    note = "; the axis does not begin at 0" if begin else ""
    axes.set_xlabel(f"{quantity} ({scale.printed_unit}){note}")


def _inches(names: Sequence[str]) -> float:
    """How wide the axis is beside its names."""
    return max(WIDTH - EDGE_INCHES - NAME_INCHES * min(max(map(len, names)), NAME_LETTERS), LEAST_INCHES)


def _told_apart(values: tuple[float, float], scale: Scale) -> tuple[str, str]:
    """Both values with three digits, or with as many more as it takes to see their difference."""
    one, two = (scale(value) for value in values)
    if significant(one) != significant(two) or math.isclose(one, two, rel_tol=ROUNDING):
        return f"{significant(one)} {scale.printed_unit}", f"{significant(two)} {scale.printed_unit}"
    digits = 1 - math.floor(math.log10(abs(two - one)))
    return f"{one:,.{digits}f} {scale.printed_unit}", f"{two:,.{digits}f} {scale.printed_unit}"


def _change(difference: float, whole: float, ladder: Ladder) -> str:
    """``+1.2 mJ (+34 %)``."""
    return f"{'+' if difference > 0 else ''}{printed(difference, ladder)}{_percent(difference, whole)}"


def _percent(part: float, whole: float) -> str:
    """`` (+34 %)`` of the first total; nothing where that says nothing."""
    share = 100 * part / whole if whole else TOO_MUCH
    if abs(share) >= TOO_MUCH:
        return ""
    if abs(share) < TOO_LITTLE:
        return f" (< {TOO_LITTLE:g} %)"
    return f" ({share:+,.0f} %)" if abs(share) >= 10 else f" ({share:+.2g} %)"

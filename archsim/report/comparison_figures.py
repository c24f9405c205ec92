"""Figures of comparisons: the way from a peer's energy to archsim's, and the constants that the energy hangs on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from archsim.report.style import DOWN, UP, legend_beside, name_figure, side_chart
from archsim.report.units import ENERGY, printed, quantity, scale_for, signed, significant
from archsim.report.waterfall_bars import Bar, Totals, draw_bars, name_bars, panels
from archsim.report.waterfalls import PeerWaterfall, waterfalls_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from archsim.result import Result

NEGLIGIBLE = 0.001
MOST_LABEL = 52


def waterfall(result: Result, key: str, found: Mapping[str, Any]) -> Figure:
    """Lying bars from the peer's energy over every convention to archsim's; under them area and latency, if it has any.

    ``found`` is the way of the energy.
    """
    more = waterfalls_of(result.against.get(key, {}))[1:]
    ways = [PeerWaterfall("energy", ENERGY, found), *more]
    labels = [[key, *(row["name"] for row in _shown(way)), "archsim"] for way in ways]
    figure, charts = panels([len(names) for names in labels], width=8.8)
    for axes, way, names in zip(charts, ways, labels, strict=True):
        name_bars(axes, names, MOST_LABEL)
        _draw_way(axes, way)
    name_figure(charts[0], result, f"From {key} to archsim")
    return figure


def _shown(way: PeerWaterfall) -> list[Mapping[str, Any]]:
    return [row for row in way.found["rows"] if abs(row["difference"]) >= NEGLIGIBLE * way.found["end"]]


def _draw_way(axes: Axes, way: PeerWaterfall) -> None:
    """Two totals and the bars between them, each with its figure behind it."""
    found, shown = way.found, _shown(way)
    scale = scale_for([found["start"], found["end"]], way.ladder)
    bars = [Bar(row["after"] - row["difference"], row["after"], signed(scale(row["difference"]))) for row in shown]
    values = (found["start"], found["end"])
    labels = (significant(scale(values[0])), significant(scale(values[1])))
    draw_bars(axes, Totals(values, labels), bars, scale)
    left_out = len(found["rows"]) - len(shown)
    note = f"; {left_out} steps below {NEGLIGIBLE:.1%} are not drawn" if left_out else ""
    axes.set_xlabel(f"{way.quantity} ({scale.printed_unit}){note}")


def tornado(result: Result) -> Figure:
    """Lying bars: change of the energy with one constant at its lowest and its highest, widest first.

    The figure at the end of a bar is the constant's: a clock that a power is divided by saves energy when it is high.
    """
    from matplotlib.patches import Patch

    nominal = result.vary_costs[0]["nominal_pj"]
    shown = [row for row in result.vary_costs if row["swing_pj"] >= NEGLIGIBLE * nominal] or result.vary_costs[:1]
    changes = [(row, end, row[f"at_{end}_pj"] - nominal) for row in shown for end in ("low", "high")]
    scale = scale_for([change for *_, change in changes], ENERGY)
    figure, axes = side_chart([row["constant"] for row in shown], width=8.2, most=32)
    for at, (row, end, change) in enumerate(changes):
        colour = DOWN if end == "low" else UP
        axes.barh(at // 2, scale(change), height=0.72, color=colour)
        if change:
            side = "left" if change > 0 else "right"
            said = "" if row[end] is None else f" {quantity(row[end], row['unit'])} "
            axes.text(scale(change), at // 2, said, va="center", ha=side, fontsize=7.5)
    reach = 1.35 * max(abs(scale(change)) for *_, change in changes)
    axes.set_xlim(-reach, reach)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xlabel(f"change of the energy ({scale.printed_unit}) from {printed(nominal, ENERGY)}")
    left_out = len(result.vary_costs) - len(shown)
    notes = [f"{left_out} below {NEGLIGIBLE:.1%} are not drawn"] if left_out else []
    name_figure(axes, result, "Which constants the energy hangs on: one at a time at its ends", *notes)
    legend_beside(axes, [Patch(color=DOWN, label="constant at lowest"), Patch(color=UP, label="constant at highest")])
    return figure

"""Figures of comparisons: the way from a peer's energy to archsim's, and the constants that the energy hangs on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from archsim.report.style import DOWN, TOTAL, UP, name_figure, side_chart
from archsim.report.units import ENERGY, scale_for, signed, significant

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from archsim.result import Result

NEGLIGIBLE = 0.001


def waterfall(result: Result, key: str, found: Mapping[str, Any]) -> Figure:
    """Lying bars from the peer's energy over every convention to archsim's."""
    scale = scale_for([found["start"], found["end"]], ENERGY)
    shown = [row for row in found["rows"] if abs(row["difference"]) >= NEGLIGIBLE * found["end"]]
    figure, axes = side_chart([key, *(row["name"] for row in shown), "archsim"], width=8.2)
    axes.barh(0, scale(found["start"]), height=0.72, color=TOTAL)
    for at, row in enumerate(shown, start=1):
        before = row["after"] - row["difference"]
        axes.barh(
            at, scale(row["difference"]), left=scale(before), height=0.72, color=UP if row["difference"] > 0 else DOWN
        )
        axes.text(scale(max(before, row["after"])), at, f" {signed(scale(row['difference']))}", va="center", fontsize=8)
    axes.barh(len(shown) + 1, scale(found["end"]), height=0.72, color=TOTAL)
    for at, name in ((0, "start"), (len(shown) + 1, "end")):
        axes.text(scale(found[name]), at, f" {significant(scale(found[name]))}", va="center", fontsize=8, weight="bold")
    axes.set_xlim(0, 1.12 * max(axes.get_xlim()[1], 1e-12))
    left_out = len(found["rows"]) - len(shown)
    note = f"; {left_out} steps below {NEGLIGIBLE:.1%} are not drawn" if left_out else ""
    axes.set_xlabel(f"energy ({scale.printed_unit}){note}")
    name_figure(axes, result, f"From {key} to archsim")
    return figure


def tornado(result: Result) -> Figure:
    """Lying bars: total energy with one constant at its low and high end, widest first."""
    rows = result.vary_costs
    nominal = rows[0]["nominal_pj"]
    scale = scale_for([row["at_high_pj"] for row in rows], ENERGY)
    figure, axes = side_chart([row["constant"] for row in rows])
    for at, row in enumerate(rows):
        for end, colour in (("at_low_pj", DOWN), ("at_high_pj", UP)):
            axes.barh(at, scale(row[end] - nominal), left=scale(nominal), height=0.72, color=colour)
    axes.axvline(scale(nominal), color="black", linewidth=0.8)
    axes.set_xlabel(f"energy ({scale.printed_unit}); green: constant at its low end, red: at its high end")
    name_figure(axes, result, "Which constants the energy hangs on")
    return figure

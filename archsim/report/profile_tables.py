"""A profile as tables for people: units, critical path, roofline, what-ifs, and three sentences at the end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from archsim.advice import WHAT, name_of
from archsim.report.headline import headline, title
from archsim.report.look import WARNING, console_for_people, grid_table, titled
from archsim.report.units import ENERGY, percent, scale_for, significant, whole

if TYPE_CHECKING:
    from archsim.profiling import Profile
    from archsim.result import UnitRow

ROWS = 12
RATE = 1e9


def print_profile(profile: Profile, console: Console | None = None) -> None:
    """Everything that a profile says, on stdout or on the given console."""
    console = console or console_for_people()
    for part in _parts(profile):
        console.print(part)
        console.print()
    for sentence in profile.sentences:
        console.print(Text(sentence, style="bold"))


def _parts(profile: Profile) -> Iterable[RenderableType]:
    yield title(profile.result)
    yield headline(profile.result)
    yield titled("Where each unit's time goes", _units(profile))
    yield titled("Critical path: (unit, layer) shares of all cycles", _path(profile))
    yield titled("Roofline", _roofline(profile))
    yield titled("What would shorten the run", _time(profile))
    yield titled("What would save energy", _energy(profile))


def _units(profile: Profile) -> Table:
    """Units by their busy time; every unit's parts sum to all cycles."""
    table = grid_table("unit", "busy", "starved", "blocked", "arbitration", "idle", "waits most for")
    table.columns[-1].justify = "left"
    rows = sorted((row for row in profile.result.units if row.busy), key=lambda row: -row.busy)
    for row in rows[:ROWS]:
        table.add_row(row.unit, *_shares(row, profile.result.cycles), cause(row))
    _more(table, len(rows) - ROWS)
    return table


def _shares(row: UnitRow, cycles: float) -> tuple[str, ...]:
    waits = (sum(row.starved.values()), sum(row.blocked.values()), sum(row.arbitration.values()))
    return tuple(percent(piece, cycles) for piece in (row.busy, *waits, row.idle))


def cause(row: UnitRow) -> str:
    """What a unit waits for most: the unit that feeds it, the buffer that is full, or the unit that it shares."""
    causes = [
        (cycles, f"{name} ({why})")
        for why, pieces in (("data", row.starved), ("full", row.blocked), ("shared", row.arbitration))
        for name, cycles in pieces.items()
    ]
    return max(causes)[1] if causes else "-"


def _path(profile: Profile) -> Table:
    table = grid_table("unit", "layer", "what", "cycles", "of time", texts=3)
    rows, cycles = profile.result.critical_path, profile.result.cycles
    for row in rows[:ROWS]:
        table.add_row(row.unit, row.layer, row.what, whole(row.cycles), percent(row.cycles, cycles))
    rest = rows[ROWS:]
    if rest:
        others = sum(row.cycles for row in rest)
        table.add_row(f"{len(rest)} smaller shares", "", "", whole(others), percent(others, cycles))
    table.add_section()
    table.add_row("all", "", "", whole(sum(row.cycles for row in rows)), percent(1, 1))
    return table


def _roofline(profile: Profile) -> RenderableType:
    roof = profile.roofline
    table = grid_table("memory", "level", "bytes", "op/byte", "GB/s", "allows Gop/s", "limit", texts=2)
    table.columns[-1].justify = "left"
    for one in roof.memories:
        table.add_row(
            one.component, one.level, significant(one.bytes_moved), significant(one.intensity),
            significant(one.bytes_per_s / RATE), significant(one.attainable_per_s / RATE),
            "memory" if one.memory_bound else "compute",
        )  # fmt: skip
    text = (
        f"{roof.operations:,} synaptic operations; achieved {significant(roof.achieved_per_s / RATE)} Gop/s, "
        f"{significant(roof.roof_per_s / RATE)} Gop/s if the busiest stage ({roof.stage or 'none'}) never waited"
    )
    return Group(table, Text(f"\n{text}", style="dim"))


def _time(profile: Profile) -> RenderableType:
    table = grid_table("change", "of", "cycles then", "gain", "of time", texts=2)
    telling = [one for one in profile.time if one.gain > 0][:ROWS]
    for one in (*telling, *profile.anomalies):
        several = f" (all {len(one.members)})" if one.of_kind and not one.pair_of else ""
        share = ("-" if one.anomaly else "") + percent(abs(one.gain), profile.result.cycles)
        table.add_row(
            WHAT[one.change], name_of(one) + several, whole(one.cycles), f"{one.gain:+,}", share,
            style=WARNING if one.anomaly else "",
        )  # fmt: skip
    none = sum(one.gain == 0 for one in profile.time)
    notes = [f"{none} other changes gain nothing"] if none else []
    if profile.anomalies:
        notes.append("negative: a scheduling anomaly, requests overtake each other")
    if profile.left_out:
        notes.append(f"{profile.left_out:,} single units and buffers were not tried: the graph is large")
    return Group(table, Text("\n" + "; ".join(notes), style="dim")) if notes else table


def _energy(profile: Profile) -> Table:
    scale = scale_for((profile.result.energy_pj,), ENERGY)
    table = grid_table("change", "of", f"energy then {scale.unit}", f"gain {scale.unit}", "of energy", texts=2)
    for one in [saving for saving in profile.energy if saving.gain_pj > 0][:ROWS]:
        table.add_row(
            one.change, one.subject, significant(scale(one.energy_pj)), significant(scale(one.gain_pj)),
            percent(one.gain_pj, profile.result.energy_pj),
        )  # fmt: skip
    return table


def _more(table: Table, rest: int) -> None:
    if rest > 0:
        table.add_row(f"{rest} less busy ones", style="dim")

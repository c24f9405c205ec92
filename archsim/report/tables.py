"""A result as tables for people, in a fixed order: headline first, verdict last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from archsim.report.comparison import comparison_parts
from archsim.report.headline import headline, title
from archsim.report.look import HEADING, WARNING, console_for_people, grid_table, titled
from archsim.report.units import ENERGY, percent, scale_for, significant, whole

CYCLES = "cycles: the layer's share of the critical path; a layer that others hide has few"

if TYPE_CHECKING:
    from archsim.catalog import Entry
    from archsim.result import Result, UnitRow

TOP_COMPONENTS = 8


def print_result(result: Result, console: Console | None = None) -> None:
    """Everything that a run says, on stdout or on the given console."""
    console = console or console_for_people()
    for part in _parts(result):
        console.print(part)
        console.print()
    console.print(Text(f"verdict: {result.verdict}", style="bold"))


def print_entries(topic: str, entries: Sequence[Entry], console: Console | None = None) -> None:
    """Names and descriptions of one topic."""
    console = console or console_for_people()
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    table.add_column(no_wrap=True, style="cyan")
    table.add_column()
    for entry in entries:
        table.add_row(entry.name, entry.description)
    console.print(Text(topic, style=HEADING))
    console.print(table)
    console.print()


def _parts(result: Result) -> Iterable[RenderableType]:
    yield title(result)
    yield headline(result)
    yield titled("Energy by level", _levels(result))
    yield titled("Largest components", _components(result))
    yield Group(titled("Layers", _layers(result)), Text(f"\n{CYCLES}", style="dim"))
    yield titled("Where the units' time goes", _units(result))
    yield from comparison_parts(result)
    yield titled("Assumed", _assumptions(result))


def _levels(result: Result) -> Table:
    levels = result.levels()
    scale = scale_for((result.energy_pj,), ENERGY)
    table = grid_table("level", f"dynamic {scale.unit}", f"static {scale.unit}", f"total {scale.unit}", "share")
    for level, (dynamic, static) in levels.items():
        table.add_row(level, *_energies(scale, dynamic, static), percent(dynamic + static, result.energy_pj))
    table.add_section()
    table.add_row("all", *_energies(scale, result.dynamic_pj, result.static_pj), percent(1, 1))
    return table


def _energies(scale: Any, dynamic_pj: float, static_pj: float) -> tuple[str, str, str]:
    return tuple(significant(scale(value)) for value in (dynamic_pj, static_pj, dynamic_pj + static_pj))  # type: ignore[return-value]


def _components(result: Result) -> Table:
    ranked = sorted(result.components, key=lambda part: -part.energy_pj)
    shown, rest = ranked[:TOP_COMPONENTS], ranked[TOP_COMPONENTS:]
    scale = scale_for((result.energy_pj,), ENERGY)
    table = grid_table(
        "component", "level", f"dynamic {scale.unit}", f"static {scale.unit}", f"total {scale.unit}", "share", texts=2
    )
    for part in shown:
        energies = _energies(scale, part.dynamic_pj, part.static_pj)
        table.add_row(part.name, part.level, *energies, percent(part.energy_pj, result.energy_pj))
    if rest:
        dynamic, static = sum(part.dynamic_pj for part in rest), sum(part.static_pj for part in rest)
        name = f"{len(rest)} smaller one{'s' * (len(rest) > 1)}"
        table.add_row(name, "", *_energies(scale, dynamic, static), percent(dynamic + static, result.energy_pj))
    return table


def _layers(result: Result) -> Table:
    scale = scale_for((result.energy_pj,), ENERGY)
    table = grid_table(
        "layer", "kind", "cycles", "of time", "used", "density", f"energy {scale.unit}", "of energy", texts=2
    )
    for row in result.layers:
        table.add_row(
            row.name, row.kind, whole(row.cycles), percent(row.cycles, result.cycles), percent(row.utilisation, 1),
            percent(row.density, 1), significant(scale(row.energy_pj)), percent(row.energy_pj, result.energy_pj),
        )  # fmt: skip
    idle_pj = result.energy_pj - sum(row.energy_pj for row in result.layers)
    table.add_row(
        "idle", "static", "", "", "", "", significant(scale(idle_pj)), percent(idle_pj, result.energy_pj), style="dim"
    )
    return table


def _units(result: Result) -> Table:
    table = grid_table("unit", "busy", "starved", "blocked", "arbitration", "idle", "waits most for")
    table.columns[-1].justify = "left"
    for row in result.units:
        pieces = (row.busy, _sum(row.starved), _sum(row.blocked), _sum(row.arbitration), row.idle)
        if not sum(pieces) or row.unit == "sync":
            continue
        table.add_row(row.unit, *(percent(piece, sum(pieces)) for piece in pieces), _waits_for(row))
    return table


def _sum(piece: Any) -> float:
    return float(sum(piece.values()))


def _waits_for(row: UnitRow) -> str:
    """The unit that it starves for, or the buffer that it is blocked by, whichever costs most."""
    causes = [(cycles, f"{name} (data)") for name, cycles in row.starved.items()]
    causes += [(cycles, f"{name} (full)") for name, cycles in row.blocked.items()]
    causes += [(cycles, f"{name} (shared)") for name, cycles in row.arbitration.items()]
    return max(causes)[1] if causes else "-"


def _assumptions(result: Result) -> RenderableType:
    notes = [f"- {note}" for note in result.assumptions]
    return Text("\n".join(notes), style=WARNING if result.synthetic and not notes else "")

"""A sweep and its Pareto front as tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from archsim.report.look import HEADING, WARNING, console_for_people
from archsim.report.sweep_notes import notes
from archsim.report.sweep_units import named, plain
from archsim.sweeps.front import LARGER_IS_BETTER

if TYPE_CHECKING:
    from archsim.sweeps import Front, Sweep
    from archsim.sweeps.table import Row

BEST = ("energy_pj", "latency_ns", "area_um2", "edp_pj_ns", "throughput_per_s", "accuracy", "chip_accuracy")
MOST_FAILURES = 5
MOST_OF_FRONT = 20
MOST_NETWORKS = 6


def print_sweep(sweep: Sweep, console: Console | None = None) -> None:
    """How many points there are, what failed and why, each network's best points, and of a search the front."""
    console = console or console_for_people()
    fine, broken, failed = (sweep.of(status) for status in ("ok", "constraint", "failed"))
    heading = f"{sweep.name}: {len(sweep.rows):,} points, {len(fine):,} executed and within the constraints"
    console.print(Text(heading, style=HEADING))
    if broken:
        console.print(Text(f"{len(broken):,} break a constraint (they stay in the table)"))
    if not fine and broken:
        console.print(Text("no point meets all constraints", style=WARNING))
    if failed:
        console.print(Text(f"{len(failed):,} failed:", style=WARNING))
        _print_reasons(failed, console)
    if fine:
        console.print()
        _print_best(sweep, fine, console)
    _print_notes(sweep, console)
    if sweep.objectives and any(all(row[name] is not None for name in sweep.objectives) for row in fine):
        from archsim.sweeps import pareto

        console.print()
        print_front(pareto(sweep, *sweep.objectives), console, MOST_OF_FRONT)


def print_front(front: Front, console: Console | None = None, most: int | None = None) -> None:
    """The points of the front, in ascending order of the first objective; the first ``most`` of them."""
    console = console or console_for_people()
    said = " × ".join(front.objectives)
    text = f"{front.sweep.name}: {len(front.rows)} of {len(front.candidates):,} points on the front of {said}"
    console.print(Text(text, style=HEADING))
    console.print()
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    names = ["id", *_varied(front.sweep, front.rows)]
    for name in names:
        table.add_column(name, overflow="fold")
    for name in front.objectives:
        table.add_column(named(name), justify="right", no_wrap=True)
    for row in front.rows[:most]:
        figures = (plain(name, row[name]) for name in front.objectives)
        table.add_row(row["id"], *(Text(_cell(row[name])) for name in names[1:]), *figures)
    console.print(table)
    if most is None:
        _print_notes(front.sweep, console)
    elif len(front.rows) > most:
        console.print(Text(f"and {len(front.rows) - most} others, which 'archsim pareto' shows"))


def _print_best(sweep: Sweep, fine: Sequence[Row], console: Console) -> None:
    """For each network, as they do not compete, the best point for each number."""
    networks = list(dict.fromkeys(row["workload"] for row in fine))
    best = []
    for network in networks[:MOST_NETWORKS]:
        own = [row for row in fine if row["workload"] == network]
        best += [(name, row) for name in BEST if (row := _best(own, name)) is not None]
    console.print(_points(sweep.keys, best))
    if len(networks) > MOST_NETWORKS:
        console.print(Text(f"and {len(networks) - MOST_NETWORKS} more networks, in results.csv"))


def _print_notes(sweep: Sweep, console: Console) -> None:
    for note in notes(sweep):
        console.print()
        console.print(Text(f"note: {note}", style=WARNING))


def _varied(sweep: Sweep, rows: Sequence[Row]) -> list[str]:
    """The columns that tell the rows apart: chip and network only where there are several."""
    several = [name for name in ("arch", "workload") if len({row[name] for row in sweep.rows}) > 1]
    return [*several, *sweep.keys]


def _points(keys: Sequence[str], rows: Sequence[tuple[str, Row]]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("best", "value", "id", "chip", "network", *keys):
        table.add_column(name, overflow="fold")
    for name, row in rows:
        found = (named(name), plain(name, row[name]), row["id"], row["arch"], row["workload"])
        table.add_row(*(Text(text) for text in (*found, *(_cell(row[key]) for key in keys))))
    return table


def _cell(value: object) -> str:
    """As written; of drawn numbers four digits."""
    if isinstance(value, str):
        try:
            return value if len(value) < 8 else f"{float(value):.4g}"
        except ValueError:
            return value
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def _best(rows: Sequence[Row], name: str) -> Row | None:
    having = [row for row in rows if row[name] is not None]
    pick = max if name in LARGER_IS_BETTER else min
    return pick(having, key=lambda row: row[name]) if having else None


def _print_reasons(failed: Sequence[Row], console: Console) -> None:
    """Messages, those of most points first."""
    counts: dict[str, int] = {}
    for row in failed:
        counts[row["message"]] = counts.get(row["message"], 0) + 1
    ranked = sorted(counts.items(), key=lambda item: -item[1])
    for message, number in ranked[:MOST_FAILURES]:
        console.print(Text(f"  {number:,} × {message}"))
    if len(ranked) > MOST_FAILURES:
        console.print(Text(f"  and {len(ranked) - MOST_FAILURES} other messages, in results.csv"))

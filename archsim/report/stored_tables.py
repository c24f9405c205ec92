"""Stored runs as a table for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.segment import Segments
from rich.text import Text

from archsim.report.look import console_for_people, grid_table
from archsim.report.style import shortened
from archsim.report.units import AREA, ENERGY, TIME, readable, significant

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from archsim.store import StoredRun

HEADERS = ("id", "chip", "workload", "when (UTC)", "energy", "latency", "area", "s")
HEADER_LINES, INDENT, MOST_LETTERS, WIDEST = 2, 13, 32, 400


def print_runs(runs: Sequence[StoredRun], place: str, console: Console | None = None) -> None:
    """A line per run, the oldest first, and under it what it was asked with; and where they are."""
    console = console or console_for_people()
    if runs:
        head, lines = _lines(_table(runs), console)
        console.print(*head, sep="", end="", crop=False)
        for run, line in zip(runs, lines, strict=True):
            console.print(line, end="", crop=False)
            if words := run.asked.words():
                console.print(Padding(Text(" ".join(words), overflow="fold"), (0, 0, 0, INDENT), expand=False))
    count = f"{len(runs)} run" + ("" if len(runs) == 1 else "s")
    console.print(Text(f"{count} in {place}", style="dim"), soft_wrap=True)


def _lines(table: Table, console: Console) -> tuple[list[Segments], list[Segments]]:
    """Those of the header, and one for each row; in a narrow terminal they go on below, and nothing is cut."""
    options = console.options.update(width=console.measure(table, options=console.options.update(width=WIDEST)).maximum)
    lines = [Segments(line, new_lines=False) for line in console.render_lines(table, options, new_lines=True)]
    return lines[:HEADER_LINES], lines[HEADER_LINES:]


def _table(runs: Sequence[StoredRun]) -> Table:
    """One line for each run; long names are shortened."""
    table = grid_table(*HEADERS, texts=4)
    for column in table.columns:
        column.no_wrap = True
    for run in runs:
        when = run.when.replace("T", " ").removesuffix("Z")
        figures = (readable(run.energy_pj, ENERGY), readable(run.latency_ns, TIME), readable(run.area_um2, AREA))
        names = [Text(shortened(text, MOST_LETTERS)) for text in (run.id, run.arch, run.workload, when)]
        table.add_row(*names, *figures, significant(run.seconds))
    return table

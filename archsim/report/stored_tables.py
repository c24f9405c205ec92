"""Stored runs as a table for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from archsim.report.look import grid_table
from archsim.report.tables import console_for_people
from archsim.report.units import AREA, ENERGY, TIME, readable, significant

if TYPE_CHECKING:
    from rich.console import Console

    from archsim.store import StoredRun


def print_runs(runs: Sequence[StoredRun], place: str, console: Console | None = None) -> None:
    """One line per run, the oldest first, and where they are."""
    console = console or console_for_people()
    if runs:
        headers = ("id", "chip", "workload", "overrides", "when (UTC)", "energy", "latency", "area", "s")
        table = grid_table(*headers, texts=5)
        for column in table.columns[:1] + table.columns[4:5]:
            column.no_wrap = True
        for run in runs:
            when = run.when.replace("T", " ").removesuffix("Z")
            figures = (readable(run.energy_pj, ENERGY), readable(run.latency_ns, TIME), readable(run.area_um2, AREA))
            names = [Text(text) for text in (run.id, run.arch, run.workload, " ".join(run.overrides), when)]
            table.add_row(*names, *figures, significant(run.seconds))
        console.print(table)
    count = f"{len(runs)} run" + ("" if len(runs) == 1 else "s")
    console.print(Text(f"{count} in {place}", style="dim"), soft_wrap=True)

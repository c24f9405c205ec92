"""The tables of a sweep: best points, the front, ranges, every point, failures, constraints, what was varied."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from archsim.report.html.parts import Cell, Table, count, name, number, share
from archsim.report.html.sweep.axes import better
from archsim.report.html.sweep.study import Group, Study
from archsim.report.html.sweep.values import short, values_of
from archsim.report.style import shortened
from archsim.report.sweep_units import ladder_of, named
from archsim.report.units import Scale, scale_for, significant
from archsim.sweeps.front import LARGER_IS_BETTER
from archsim.sweeps.table import BROKEN, FAILED, METRICS, OK, Row

EVERYWHERE = ("energy_pj", "latency_ns", "area_um2", "power_mw", "throughput_per_s")
LEAST_ROWS, MOST_MESSAGES, MOST_LETTERS = 20, 40, 400
RANKS = {OK: 0, BROKEN: 1, FAILED: 2}
NONE = Cell("-")
REST = "results.csv in the sweep's folder has them all"


def best(study: Study, group: Group, key: str) -> Table:
    """A row per objective: the point that is best in it, and how much worse it is in the others than their best."""
    scales, told = _scales(group.executed, study.objectives), _told_apart(study)
    columns = ["best", "id", *told.values(), *_titles(scales)]
    columns += [f"{named(metric)} against its best" for metric in study.objectives]
    rows = []
    for objective in study.objectives:
        row = group.best(objective)
        if row is None:
            continue
        cells = [Cell(named(objective)), *_identity(told, row), *_figures(scales, row)]
        rows.append((*cells, *(_against(group, metric, row) for metric in study.objectives)))
    caption = f"Best points{study.suffix(group)}, and what they cost elsewhere"
    return Table(key, caption, tuple(columns), tuple(rows), texts=2 + len(told), sortable=False)


def front(study: Study, group: Group, key: str, most_cells: int) -> Table:
    """The points of the front, in the order of the first objective."""
    scales, told = _scales(group.executed, _metrics(study)), _told_apart(study)
    columns = ("id", *told.values(), *_titles(scales))
    there = group.front.rows if group.front else ()
    rows, note = _first(there, most_cells, len(columns))
    said = ", ".join(f"{named(metric)} ({better(metric)})" for metric in study.objectives)
    cells = tuple((*_identity(told, row), *_figures(scales, row)) for row in rows)
    caption = f"The front{study.suffix(group)}: {len(there):,} points"
    note = "; ".join(filter(None, [f"front of {said}", note]))
    return Table(key, caption, columns, cells, texts=1 + len(told), note=note)


def everything(study: Study, most_cells: int) -> Table:
    """Every point, or as many as fit: those within the constraints first, the best in the first objective on top."""
    first = study.objectives[0]
    scales = _scales(study.sweep.rows, _metrics(study))
    sign = -1.0 if first in LARGER_IS_BETTER else 1.0
    ranked = sorted(
        study.sweep.rows,
        key=lambda row: (RANKS.get(row["status"], 3), row[first] is None, sign * (row[first] or 0.0)),
    )
    told = _told_apart(study) | ({"workload": "network"} if study.several else {})
    columns = ("id", *told.values(), "status", *_titles(scales))
    rows, note = _first(ranked, most_cells, len(columns))
    cells = tuple((*_identity(told, row), Cell(row["status"]), *_figures(scales, row)) for row in rows)
    order = f"within the constraints first, then by {named(first)}"
    return Table("all-points", f"Points of the sweep: {len(rows):,} of {len(ranked):,}", columns, cells,
                 texts=2 + len(told), note="; ".join(filter(None, [order, note])))  # fmt: skip


def ranges(study: Study) -> Table:
    """Least, median and largest of every number, over the points within the constraints."""
    rows = []
    for group in study.groups:
        met = [row for row in group.rows if row["status"] == OK]
        for metric in METRICS:
            values = [float(row[metric]) for row in met if row[metric] is not None]
            if not values:
                continue
            scale = scale_for(values, ladder_of(metric))
            low, middle, high = min(values), float(np.median(values)), max(values)
            times = NONE if low <= 0 else Cell(f"{significant(high / low)} ×", high / low)
            what = _title(metric, scale)
            network = [name(group.workload)] if study.several else []
            cells = (Cell(f"{significant(scale(value))}", value) for value in (low, middle, high))
            rows.append((*network, Cell(what), count(len(values)), *cells, times))
    columns = (*(["network"] if study.several else []), "number", "points", "least", "median", "largest",
               "largest / least")  # fmt: skip
    caption = "Ranges of the numbers, over the points within the constraints"
    return Table("ranges", caption, columns, tuple(rows), texts=2 if study.several else 1, sortable=False)


def failures(study: Study) -> Table | None:
    """Messages that differ in numbers only are one row. None: nothing failed."""
    failed = study.sweep.of(FAILED)
    if not failed:
        return None
    found: dict[str, list[Row]] = {}
    for row in failed:
        found.setdefault(re.sub(r"\d+(?:[.,]\d+)*", "#", str(row["message"])), []).append(row)
    ranked = sorted(found.values(), key=len, reverse=True)
    rows = tuple(
        (count(len(each)), share(len(each), len(study.sweep.rows)), count(len({row["message"] for row in each})),
         name(str(each[0]["id"])), Cell(shortened(str(each[0]["message"]), MOST_LETTERS)))
        for each in ranked[:MOST_MESSAGES]
    )  # fmt: skip
    left = len(ranked) - MOST_MESSAGES
    note = "messages that differ in numbers only are counted together" + (
        f"; {left:,} other messages are in results.csv" if left > 0 else ""
    )
    columns = ("points", "of all", "wordings", "first such point", "message of the first")
    return Table("failures", f"Why {len(failed):,} points failed", columns, rows, texts=0, words=3, note=note)


def constraints(study: Study) -> Table | None:
    """What breaks each constraint. None: no point breaks any."""
    broken = study.sweep.of(BROKEN)
    counts: dict[str, int] = {}
    for row in broken:
        for text in str(row["message"]).split("; "):
            what = text.removeprefix("not ")
            counts[what] = counts.get(what, 0) + 1
    if not counts:
        return None
    executed = len(study.sweep.rows) - study.count(FAILED)
    rows = tuple(
        (name(text), count(many), share(many, executed)) for text, many in sorted(counts.items())
    )
    caption = "Constraints that points break"
    note = "such points stay in the table and do not compete for the front"
    return Table("constraints", caption, ("constraint", "points that break it", "of the executed"), rows, note=note)


def varied(study: Study) -> Table:
    """The keys, how many values each has, and which."""
    rows = []
    for key in study.sweep.keys:
        values = values_of(study.texts(key))
        shown = values.texts if len(values.texts) <= 12 else (*values.texts[:3], "…", *values.texts[-3:])
        rows.append((name(key), count(len(values.texts)), Cell(shortened(", ".join(shown), MOST_LETTERS))))
    return Table("varied", "What was varied", ("key", "values", "which"), tuple(rows), words=2, sortable=False)


def networks(study: Study) -> Table | None:
    """A row per network: its points and its front. None: there is one only."""
    if not study.several:
        return None
    rows = []
    for group in study.groups:
        many = [sum(row["status"] == status for row in group.rows) for status in (OK, BROKEN, FAILED)]
        on_front = len(group.front.rows) if group.front else 0
        rows.append((name(group.workload), *map(count, (len(group.rows), *many, on_front))))
    columns = ("network", "points", "within the constraints", "break one", "failed", "on the front")
    return Table("networks", "Networks, each with its own front", columns, tuple(rows))


def _metrics(study: Study) -> tuple[str, ...]:
    """The objectives, then the numbers that everybody asks for."""
    return tuple(dict.fromkeys((*study.objectives, *EVERYWHERE)))


def _told_apart(study: Study) -> dict[str, str]:
    """Columns that tell the points of a network apart, and their titles: chip if there are several, and the keys."""
    return ({"arch": "chip"} if len(study.chips) > 1 else {}) | {key: key for key in study.keys}


def _identity(columns: Iterable[str], row: Row) -> tuple[Cell, ...]:
    return (name(str(row["id"])), *(name(short(row[column])) for column in columns))


def _scales(rows: Sequence[Row], metrics: Sequence[str]) -> dict[str, Scale]:
    """The unit of each number that suits the largest of the rows."""
    return {
        metric: scale_for([float(row[metric]) for row in rows if row[metric] is not None], ladder_of(metric))
        for metric in metrics
    }


def _titles(scales: Mapping[str, Scale]) -> list[str]:
    return [_title(metric, scale) for metric, scale in scales.items()]


def _title(metric: str, scale: Scale) -> str:
    """``energy µJ``, ``k cycles``."""
    unit = scale.printed_unit
    return unit if named(metric) in unit else f"{named(metric)} {unit}".strip()


def _figures(scales: Mapping[str, Scale], row: Row) -> tuple[Cell, ...]:
    return tuple(
        NONE if row[metric] is None else number(scale(float(row[metric]))) for metric, scale in scales.items()
    )


def _against(group: Group, metric: str, row: Row) -> Cell:
    chosen = group.best(metric)
    assert chosen is not None
    if row[metric] == chosen[metric]:
        return Cell("best", 1.0)
    times = float(row[metric]) / float(chosen[metric]) if chosen[metric] else float("inf")
    return Cell(f"{significant(times)} ×", times)


def _first(rows: Sequence[Row], most_cells: int, columns: int) -> tuple[Sequence[Row], str]:
    """As many rows as fit, and what is left out."""
    most = max(most_cells // columns, LEAST_ROWS)
    left = len(rows) - most
    return rows[:most], f"{left:,} more are left out; {REST}" if left > 0 else ""


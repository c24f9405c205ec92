"""A sweep as its page needs it: its networks with their points and fronts, its keys, and what lies in its folder."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from archsim.errors import ArchsimError, ConfigError, Problem
from archsim.report.html.parts import name as named_cell
from archsim.report.html.sweep.beside import MadeWith, beside, searched_for
from archsim.report.html.sweep.effects import CHIP, Grouping, Influence, groupings, influences
from archsim.report.html.sweep.values import text_of
from archsim.sweeps import Front, Sweep, load_sweep, pareto
from archsim.sweeps.front import LARGER_IS_BETTER
from archsim.sweeps.table import BROKEN, FAILED, METRICS, OK, Row, known_metric

DEFAULT_OBJECTIVES = ("energy_pj", "latency_ns", "area_um2")
FEWEST, MOST = 2, 4
MOST_PROBLEMS = 20
BOOKKEEPING = frozenset({"trial"})  # columns that number the points; nobody varied them


@dataclass(frozen=True)
class Group:
    """The points of one network: fronts across networks would compare what nobody can choose between."""

    workload: str
    rows: tuple[Row, ...]
    objectives: tuple[str, ...]
    keys: tuple[str, ...]  # columns that vary in the sweep, the chip among them
    front: Front | None  # None: no point has all objectives and meets the constraints

    @cached_property
    def executed(self) -> tuple[Row, ...]:
        """Rows that have numbers, whether they meet the constraints or not."""
        return tuple(row for row in self.rows if row["status"] != FAILED)

    @cached_property
    def beaten(self) -> tuple[Row, ...]:
        """Rows that competed and are not on the front."""
        if self.front is None:
            return ()
        chosen = {id(row) for row in self.front.rows}
        return tuple(row for row in self.front.candidates if id(row) not in chosen)

    def broken(self, names: Sequence[str]) -> tuple[Row, ...]:
        """Rows that break a constraint and have these numbers."""
        return tuple(row for row in self.executed if row["status"] == BROKEN and has(row, names))

    @cached_property
    def groupings(self) -> Mapping[str, Grouping]:
        """The points by the value of each column that varies here."""
        return {one.key: one for one in groupings(self.keys, self.rows)}

    @cached_property
    def influences(self) -> Mapping[str, Mapping[str, Influence]]:
        """What each column does to each objective, by column and objective; the one that does most first."""
        return influences(tuple(self.groupings.values()), self.objectives, self.executed)

    def best(self, objective: str) -> Row | None:
        """The row of the front that is best in one objective, the first of equals. None: there is no front."""
        if self.front is None:
            return None
        sign = -1.0 if objective in LARGER_IS_BETTER else 1.0
        return min(self.front.rows, key=lambda row: sign * float(row[objective]))


@dataclass(frozen=True)
class Study:
    """A sweep, the numbers that its fronts are of, and the files beside its table: its own file, versions, hashes.

    The varied values of its rows are text.
    """

    sweep: Sweep
    objectives: tuple[str, ...]
    groups: tuple[Group, ...]
    spec: str | None = None
    made_with: MadeWith | None = None
    sought: tuple[str, ...] = ()  # the objectives of a search

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Keys with more than one value."""
        return varied(self.sweep)

    @cached_property
    def chips(self) -> tuple[str, ...]:
        """Chips in the order of the table."""
        return tuple(dict.fromkeys(row[CHIP] for row in self.sweep.rows))

    @property
    def several(self) -> bool:
        """Whether there are several networks."""
        return len(self.groups) > 1

    def suffix(self, group: Group) -> str:
        """What a title says of the group's network: nothing where there is one only."""
        return f", {named_cell(group.workload).text}" if self.several else ""

    def texts(self, key: str) -> tuple[str, ...]:
        """The different values of a key, as text, in the order of the table."""
        return tuple(dict.fromkeys(row[key] for row in self.sweep.rows))

    def count(self, status: str) -> int:
        """How many points ended so."""
        return len(self.sweep.of(status))


def varied(sweep: Sweep) -> tuple[str, ...]:
    """Keys with more than one value."""
    keys = [key for key in sweep.keys if key not in BOOKKEEPING]
    return tuple(key for key in keys if len({row[key] for row in sweep.rows}) > 1)


def has(row: Row, metrics: Sequence[str]) -> bool:
    """Whether the row has all these numbers."""
    return all(row[name] is not None for name in metrics)


def check_objectives(objectives: Sequence[str]) -> list[Problem]:
    """What is wrong with them: names that no result has, too few, too many, or one twice."""
    problems = []
    for name in objectives:
        try:
            known_metric(name)
        except ArchsimError as error:
            problems += [Problem(one.message, None, None, "objectives", one.value, one.allowed, one.nearest)
                         for one in error.problems]  # fmt: skip
    if len(set(objectives)) != len(objectives) or not FEWEST <= len(objectives) <= MOST:
        allowed = f"{FEWEST} to {MOST} of {', '.join(METRICS)}, each once"
        text = "not the objectives of a page"
        problems.append(Problem(text, key="objectives", value=",".join(objectives), allowed=allowed))
    return problems


def study_of(sweep: Sweep | str | Path, objectives: Sequence[str] | None = None) -> Study:
    """A sweep, or the folder of one, ready for its page. ArchsimError: everything that is wrong with either."""
    problems = [] if objectives is None else check_objectives(objectives)
    try:
        table = sweep if isinstance(sweep, Sweep) else load_sweep(sweep)
    except ArchsimError as error:
        raise ConfigError([*problems, *error.problems]) from None
    if problems:
        raise ConfigError(problems)
    spec, made_with = (None, None) if isinstance(sweep, Sweep) else beside(Path(sweep))
    sought = tuple(name for name in dict.fromkeys(table.objectives or searched_for(spec)) if name in METRICS)
    chosen = _objectives(sought) if objectives is None else tuple(objectives)
    _check_finite(table)
    told = [*table.keys, CHIP, "workload"]
    rows = tuple({**row, **{key: text_of(row.get(key)) for key in told}} for row in table.rows)
    table = replace(table, rows=rows)
    networks = dict.fromkeys(row["workload"] for row in rows)
    return Study(table, chosen, tuple(_group(table, name, chosen) for name in networks), spec, made_with, sought[:MOST])


def _check_finite(table: Sweep) -> None:
    """ArchsimError for numbers that no axis has a place for: the table was damaged by hand."""
    strange = [
        Problem("not a finite number", table.name, key=metric, value=row[metric])
        for row in table.rows
        for metric in METRICS
        if row[metric] is not None and not math.isfinite(row[metric])
    ]
    if strange:
        raise ArchsimError(strange[:MOST_PROBLEMS])


def _objectives(sought: tuple[str, ...]) -> tuple[str, ...]:
    """Those of a search (the first of many; a single one with the usual ones), or else the usual ones."""
    return sought[:MOST] if len(sought) >= FEWEST else tuple(dict.fromkeys((*sought, *DEFAULT_OBJECTIVES)))


def _group(table: Sweep, workload: str, objectives: tuple[str, ...]) -> Group:
    rows = tuple(row for row in table.rows if row["workload"] == workload)
    complete = any(row["status"] == OK and has(row, objectives) for row in rows)
    front = pareto(Sweep(table.name, table.keys, rows), *objectives) if complete else None
    several = len({row[CHIP] for row in table.rows}) > 1
    return Group(workload, rows, objectives, (*((CHIP,) if several else ()), *varied(table)), front)

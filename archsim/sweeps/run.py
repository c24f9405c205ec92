"""A sweep from its file to its table: prepared as a whole, executed point by point, resumed from what is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from archsim.errors import ArchsimError, ConfigError, Problem
from archsim.request import WORKLOAD_PREFIX
from archsim.sweeps.checks import Checked, check_spec
from archsim.sweeps.constraints import Constraint
from archsim.sweeps.executors import Perform, check_executor, performing
from archsim.sweeps.given import given
from archsim.sweeps.journal import Journal, place_for_sweep
from archsim.sweeps.points import DesignPoint, lay_out, varied_keys
from archsim.sweeps.search import number_of_trials, searched
from archsim.sweeps.table import BROKEN, FAILED, METRICS, OK, Row, Sweep
from archsim.sweeps.work import Outcome, Task

MANY = 100  # tasks of one process from which on compiling the engine pays
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class SweepRequest:
    """A sweep that can be executed: its points and their executions (of a search none before it starts), where its
    table goes, the file of the store that is asked and added to, and what is kept beside the table."""

    checked: Checked
    points: tuple[DesignPoint, ...]
    tasks: tuple[Task, ...]
    folder: Path
    jobs: int
    on: str | None
    store: str | None
    beside: Mapping[str, bytes]


def sweep(
    spec: str | Path,
    *,
    jobs: int = 1,
    on: str | None = None,
    output: str | Path | None = None,
    store: str | Path | None = None,
    progress: Progress | None = None,
) -> Sweep:
    """Execute every point of a sweep's file, and write and return the table.

    ``jobs`` processes share the work (start it under ``if __name__ == "__main__"`` then), or the Dask cluster at ``on``
    (``dask:tcp://HOST:PORT``). The table goes to ``output``, by default a folder named after the file; a sweep that
    was interrupted goes on there. ``store`` is a file of results (see :class:`archsim.store.Store`) that points are
    looked up in and added to. Raises ArchsimError with everything that is wrong with the file.
    """
    return fulfil_sweep(prepare_sweep(spec, jobs=jobs, on=on, output=output, store=store), progress)


def prepare_sweep(
    spec: str | Path,
    *,
    jobs: int = 1,
    on: str | None = None,
    output: str | Path | None = None,
    store: str | Path | None = None,
) -> SweepRequest:
    """Read and check all that a sweep needs; nothing is executed or written."""
    problems: list[Problem] = []
    folder = Path(output) if output is not None else Path(f"{Path(spec).stem}-sweep")
    checked: Checked | None = None
    for step in (partial(check_executor, jobs, on), partial(place_for_sweep, folder), partial(_check_store, store, on)):
        try:
            step()
        except ArchsimError as error:
            problems += error.problems
    try:
        checked = check_spec(spec)
    except ArchsimError as error:
        problems += error.problems
    if problems or checked is None:
        raise ConfigError(problems)
    points, tasks = lay_out(checked) if checked.file.search is None else ((), ())
    return SweepRequest(checked, points, tasks, folder, jobs, on, _place_of(store), given(spec, checked))


def _place_of(store: str | Path | None) -> str | None:
    return None if store is None else str(Path(store).resolve())


def _check_store(store: str | Path | None, on: str | None) -> None:
    """ArchsimError for a store that nothing can be put into, and for one that a cluster would have to reach."""
    if store is None:
        return
    if on is not None:
        raise ConfigError(Problem("a cluster has no store; its answers are kept in the sweep's folder", key="store"))
    from archsim.store import opened

    opened(store)


def fulfil_sweep(request: SweepRequest, progress: Progress | None = None) -> Sweep:
    """Execute what is not answered yet, and write the table; interrupted, everything answered is kept."""
    search = request.checked.file.search
    with Journal(request.folder) as journal, performing(request.jobs, request.on) as perform:
        answers = _Answers(request, journal, perform, progress)
        if search is None:
            points = request.points
            answers.to(request.tasks)
        else:
            points = searched(request.checked, search, answers.to)
        table = _table(request, points, journal.outcomes)
        journal.write_table(table.to_csv(), request.beside)
    return table


class _Answers:
    """The journal's answers, and executions for what it does not answer yet."""

    def __init__(self, request: SweepRequest, journal: Journal, perform: Perform, progress: Progress | None) -> None:
        self._request, self._journal, self._perform, self._progress = request, journal, perform, progress
        search = request.checked.file.search
        self._trials = 0 if search is None else number_of_trials(request.checked.file, search)
        self._total = self._trials or len({key for task in request.tasks for key in task.keys})
        self._done = 0

    def to(self, tasks: Sequence[Task]) -> Mapping[str, Outcome]:
        """All answers there are, those to ``tasks`` among them."""
        wanted = _unanswered(tasks, self._journal.outcomes)
        self._count(len({key for task in tasks for key in task.keys}) - sum(len(task.keys) for task in wanted), wanted)
        many = max(len(wanted), self._trials - self._done) >= MANY * self._request.jobs
        for outcomes in self._perform([replace(task, many=many, store=self._request.store) for task in wanted]):
            _check_saved(outcomes)
            self._journal.add(outcomes)
            self._count(len(outcomes), outcomes)
        return self._journal.outcomes

    def _count(self, answered: int, shown: object) -> None:
        """Count answers; the bar is not shown where nothing has to be executed."""
        self._done += answered
        if self._progress is not None and shown:
            self._progress(self._done, self._total)


def _check_saved(outcomes: Sequence[Outcome]) -> None:
    """ArchsimError where the store does not take an answer: what the journal has is in the store, too."""
    for outcome in outcomes:
        if outcome.unsaved:
            raise ArchsimError(f"{outcome.unsaved}; what was written is kept, and the same command goes on")


def _unanswered(tasks: Sequence[Task], answered: dict[str, Outcome]) -> list[Task]:
    """Tasks, each key once, without the prices that are known; those that share a workload stand together."""
    seen = set(answered)
    wanted = []
    for task in tasks:
        left = [number for number, key in enumerate(task.keys) if key not in seen]
        seen.update(task.keys)
        if left:
            keys, prices = tuple(task.keys[at] for at in left), tuple(task.prices[at] for at in left)
            wanted.append(replace(task, keys=keys, prices=prices))
    return sorted(wanted, key=_network_of)


def _network_of(task: Task) -> tuple[str, list[str]]:
    return task.workload, [text for text in task.overrides if text.startswith(WORKLOAD_PREFIX)]


def _table(request: SweepRequest, points: Sequence[DesignPoint], outcomes: Mapping[str, Outcome]) -> Sweep:
    keys, search = varied_keys(points), request.checked.file.search
    constraints = request.checked.constraints
    rows = tuple(_row(point, keys, outcomes[point.key], constraints) for point in points)
    return Sweep(request.folder.resolve().name, keys, rows, () if search is None else tuple(search.objectives))


def _row(point: DesignPoint, keys: Sequence[str], outcome: Outcome, constraints: Sequence[Constraint]) -> Row:
    numbers = outcome.numbers
    row: dict[str, Any] = {"id": point.id, "arch": point.arch, "workload": point.workload}
    row |= {key: point.values.get(key) for key in keys}
    row |= {name: None if numbers is None else numbers.get(name) for name in METRICS}
    if numbers is None:
        return row | {"status": FAILED, "message": outcome.message}
    unmet = [constraint.text for constraint in constraints if not constraint.is_met(numbers)]
    return row | {"status": BROKEN if unmet else OK, "message": "".join(f"not {text}; " for text in unmet)[:-2]}

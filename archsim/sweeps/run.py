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
from archsim.sweeps.executors import check_executor, performed
from archsim.sweeps.given import given
from archsim.sweeps.journal import Journal, place_for_sweep
from archsim.sweeps.points import DesignPoint, lay_out, varied_keys
from archsim.sweeps.table import BROKEN, FAILED, METRICS, OK, Row, Sweep
from archsim.sweeps.work import Outcome, Task

MANY = 100  # tasks of one process from which on compiling the engine pays
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class SweepRequest:
    """A sweep that can be executed: its points, their executions, where its table goes, and what is kept beside it."""

    checked: Checked
    points: tuple[DesignPoint, ...]
    tasks: tuple[Task, ...]
    folder: Path
    jobs: int
    on: str | None
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
    points, tasks = lay_out(checked)
    tasks = tuple(replace(task, store=_place_of(store)) for task in tasks)
    return SweepRequest(checked, points, tasks, folder, jobs, on, given(spec, checked))


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
    with Journal(request.folder) as journal:
        total = len({key for task in request.tasks for key in task.keys})
        wanted = _unanswered(request.tasks, journal.outcomes)
        done = total - sum(len(task.keys) for task in wanted)
        if progress is not None and wanted:
            progress(done, total)
        many = len(wanted) >= MANY * request.jobs
        wanted = [replace(task, many=many) for task in wanted]
        for outcomes in performed(wanted, request.jobs, request.on):
            journal.add(outcomes)
            done += len(outcomes)
            if progress is not None:
                progress(done, total)
        result = _table(request, journal.outcomes)
        journal.write_table(result.to_csv(), request.beside)
    return result


def _unanswered(tasks: Sequence[Task], answered: dict[str, Outcome]) -> list[Task]:
    """Tasks, each key once, without the prices that are known; those that share a workload stand together."""
    seen = set(answered)
    wanted = []
    for task in tasks:
        left = [number for number, key in enumerate(task.keys) if key not in seen]
        seen.update(task.keys)
        if left:
            costs, keys = (tuple(part[number] for number in left) for part in (task.costs, task.keys))
            wanted.append(replace(task, costs=costs, keys=keys))  # type: ignore[arg-type]
    return sorted(wanted, key=_network_of)


def _network_of(task: Task) -> tuple[str, list[str]]:
    return task.workload, [text for text in task.overrides if text.startswith(WORKLOAD_PREFIX)]


def _table(request: SweepRequest, outcomes: dict[str, Outcome]) -> Sweep:
    keys = varied_keys(request.points)
    constraints = request.checked.constraints
    rows = tuple(_row(point, keys, outcomes[point.key], constraints) for point in request.points)
    return Sweep(request.folder.resolve().name, keys, rows)


def _row(point: DesignPoint, keys: Sequence[str], outcome: Outcome, constraints: Sequence[Constraint]) -> Row:
    numbers = outcome.numbers
    row: dict[str, Any] = {"id": point.id, "arch": point.arch, "workload": point.workload}
    row |= {key: point.values.get(key) for key in keys}
    row |= {name: None if numbers is None else numbers.get(name) for name in METRICS}
    if numbers is None:
        return row | {"status": FAILED, "message": outcome.message}
    unmet = [constraint.text for constraint in constraints if not constraint.is_met(numbers)]
    return row | {"status": BROKEN if unmet else OK, "message": "".join(f"not {text}; " for text in unmet)[:-2]}

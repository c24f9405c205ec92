"""What one process does for a sweep: one execution, priced with every cost overlay that is asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from archsim.accelerators import Architecture
from archsim.cost.table import CostTable, load_costs
from archsim.engine import EngineName, expect_many_executions
from archsim.errors import ArchsimError
from archsim.request import WORKLOAD_PREFIX, Request, prepare
from archsim.result import Result
from archsim.simulation import Once, Run, fulfil, prices_of, run_once
from archsim.sweeps.table import numbers_of
from archsim.workload import Workload, load_workload

if TYPE_CHECKING:
    from archsim.store import Store

WORKLOADS_KEPT, TABLES_KEPT = 4, 64


@dataclass(frozen=True)
class Task:
    """Points that share one execution: they differ in their ``costs`` only, and ``keys`` are theirs."""

    arch: str
    workload: str
    overrides: tuple[str, ...]
    costs: tuple[tuple[str, ...], ...]
    keys: tuple[str, ...]
    samples: int | str
    engine: EngineName
    plugins: tuple[str, ...]
    content: str  # a hash of the files that the sweep names: what is kept between tasks is of this content
    many: bool = False  # whether the process that performs it performs many
    store: str | None = None  # the file of the store that answers are looked up in and added to


@dataclass(frozen=True)
class Outcome:
    """What came of one point: the numbers of its result, or why there are none."""

    key: str
    numbers: Mapping[str, float | None] | None
    message: str = ""


def perform(task: Task) -> tuple[Outcome, ...]:
    """Execute once and price for every point; what goes wrong becomes the point's message."""
    if task.many:
        expect_many_executions()
    once = _Kept()
    outcomes = []
    for key, costs in zip(task.keys, task.costs, strict=True):
        try:
            outcomes.append(Outcome(key, numbers_of(_answered(_request(task, costs), once, task.store))))
        except ArchsimError as error:
            outcomes.append(Outcome(key, None, "; ".join(str(problem) for problem in error.problems)))
        except Exception as error:
            outcomes.append(Outcome(key, None, f"{type(error).__name__}: {error}"))
    return tuple(outcomes)


def _answered(request: Request, once: Once, place: str | None) -> Result:
    if place is None:
        return fulfil(request, once=once)
    from archsim.store import answer

    return answer(request, _store(place), lambda: fulfil(request, once=once)).result


@lru_cache(maxsize=1)
def _store(place: str) -> Store:
    from archsim.store import Store

    return Store(place)


def _request(task: Task, costs: tuple[str, ...]) -> Request:
    """The point, prepared; what was loaded before is taken again: cost tables, and workloads with their spikes."""
    of_workload = tuple(text.removeprefix(WORKLOAD_PREFIX) for text in task.overrides if _is_of_workload(text))
    request = prepare(
        task.arch, _workload(task.workload, of_workload, task.content),
        overrides=[text for text in task.overrides if not _is_of_workload(text)],
        costs=costs, engine=task.engine, samples=task.samples, plugins=task.plugins,
        table=_table(costs, task.content),
    )  # fmt: skip
    return replace(request, overrides=task.overrides)


def override(key: str, value: Any) -> str:
    """``KEY=VALUE`` as an override; JSON is YAML, so that text stays text and a mapping stays one."""
    return f"{key}={json.dumps(value)}"


def _is_of_workload(override: str) -> bool:
    return override.startswith(WORKLOAD_PREFIX)


@lru_cache(maxsize=WORKLOADS_KEPT)
def _workload(name_or_path: str, overrides: tuple[str, ...], content: str) -> Workload:
    return load_workload(name_or_path, overrides)


@lru_cache(maxsize=TABLES_KEPT)
def _table(costs: tuple[str, ...], content: str) -> CostTable:
    return load_costs(overlays=costs)


class _Kept:
    """Executions of one task by sample: the first price pays for them, the others re-price them."""

    def __init__(self) -> None:
        self._runs: dict[int, Run] = {}

    def __call__(
        self, architecture: Architecture, workload: Workload, table: CostTable, sample: int, engine: EngineName
    ) -> Run:
        kept = self._runs.get(sample)
        if kept is None:
            kept = run_once(architecture, workload, table, sample, engine)
            self._runs[sample] = kept
            return kept
        return replace(kept, prices=prices_of(architecture, kept.lowered, kept.execution, table))

"""What one process does for a sweep: one execution, priced in every way that is asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from archsim.accelerators import Architecture, load_architecture, load_plugin
from archsim.cost.overrides import with_overrides
from archsim.cost.table import CostTable, load_costs
from archsim.engine import EngineName, expect_many_executions
from archsim.errors import ArchsimError
from archsim.request import WORKLOAD_PREFIX, Request, prepare, split_overrides
from archsim.simulation import Run, Unpriced, execute_once, fulfil, priced
from archsim.sweeps.numbers import Numbers
from archsim.sweeps.table import numbers_of
from archsim.workload import Workload, load_workload

if TYPE_CHECKING:
    from archsim.store import Store

WORKLOADS_KEPT, TABLES_KEPT, CHIPS_KEPT = 4, 64, 256


@dataclass(frozen=True)
class Price:
    """What an execution is priced with: cost overlays, and overrides that change nothing but prices."""

    costs: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """Points that share one execution: they differ in their ``prices`` only, and ``keys`` are theirs."""

    arch: str
    workload: str
    overrides: tuple[str, ...]
    prices: tuple[Price, ...]
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
    shared = _shared(replace(task, prices=(), keys=(), many=False))
    return tuple(_outcome(task, price, key, shared) for price, key in zip(task.prices, task.keys, strict=True))


def _outcome(task: Task, price: Price, key: str, shared: _Shared) -> Outcome:
    try:
        request = _request(task, price)
        if task.store is None:
            return Outcome(key, shared.numbers(request))
        from archsim.store import answer

        found = answer(request, _store(task.store), lambda: fulfil(request, once=shared.once))
        return Outcome(key, numbers_of(found.result))
    except ArchsimError as error:
        return Outcome(key, None, "; ".join(str(problem) for problem in error.problems))
    except Exception as error:
        return Outcome(key, None, f"{type(error).__name__}: {error}")


class _Shared:
    """Executions of what the points of a task share: the first price pays for them, the others re-price them."""

    def __init__(self) -> None:
        self._done: dict[int, Unpriced] = {}
        self._numbers: Numbers | None = None
        self._refused: Exception | None = None

    def numbers(self, request: Request) -> dict[str, float | None]:
        """A row's numbers."""
        if self._numbers is None:
            self._numbers = Numbers([self._executed(request, sample) for sample in request.samples])
        return self._numbers.at(request.table, request.architecture.chip.node_nm)

    def once(self, request: Request, sample: int) -> Run:
        """The run of a sample, for a whole result."""
        return priced(replace(self._executed(request, sample), architecture=request.architecture), request.table)

    def _executed(self, request: Request, sample: int) -> Unpriced:
        """One sample's execution; what cannot be executed is tried once."""
        if self._refused is not None:
            raise self._refused
        if sample not in self._done:
            try:
                self._done[sample] = execute_once(request.architecture, request.workload, sample, request.engine)
            except Exception as error:
                self._refused = error
                raise
        return self._done[sample]


@lru_cache(maxsize=1)
def _shared(task: Task) -> _Shared:
    return _Shared()


@lru_cache(maxsize=1)
def _store(place: str) -> Store:
    from archsim.store import Store

    return Store(place)


def _request(task: Task, price: Price) -> Request:
    """The point, prepared; what was loaded before is taken again: chips, cost tables, workloads with their spikes."""
    overrides = (*task.overrides, *price.overrides)
    of_costs, others = split_overrides(overrides)
    of_workload = tuple(text.removeprefix(WORKLOAD_PREFIX) for text in others if _is_of_workload(text))
    of_chip = tuple(text for text in others if not _is_of_workload(text))
    workload = _workload(task.workload, of_workload, task.content)
    asked: dict[str, Any] = {"engine": task.engine, "samples": task.samples}
    try:
        chip = _chip(task.arch, of_chip, task.plugins, task.content)
        table = with_overrides(_table(price.costs, task.content), of_costs)
    except ArchsimError:  # said with all else that is wrong
        return prepare(task.arch, workload, overrides=(*of_chip, *of_costs), costs=price.costs, plugins=task.plugins,
                       **asked)  # fmt: skip
    request = prepare(chip, workload, table=table, **asked)
    return replace(request, overrides=overrides, costs=price.costs, plugins=task.plugins)


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


@lru_cache(maxsize=CHIPS_KEPT)
def _chip(name_or_path: str, overrides: tuple[str, ...], plugins: tuple[str, ...], content: str) -> Architecture:
    for plugin in plugins:
        load_plugin(plugin)
    return load_architecture(name_or_path, overrides)

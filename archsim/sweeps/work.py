"""What one process does for a sweep: one execution, priced in every way that is asked for."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from archsim.accelerators import Architecture, load_architecture
from archsim.config.presets import is_preset
from archsim.config.reading import watch
from archsim.cost.overrides import with_overrides
from archsim.cost.table import CostTable, load_costs
from archsim.engine import EngineName, expect_many_executions
from archsim.errors import ArchsimError, Problem
from archsim.inputs import load_workload
from archsim.request import WORKLOAD_PREFIX, Request, prepare, split_overrides
from archsim.result import OnChips, Result
from archsim.run import Run, Unpriced, execute_once, priced
from archsim.simulation import fulfil
from archsim.sweeps.numbers import Numbers
from archsim.sweeps.on_chips import AskedOfChips
from archsim.sweeps.table import numbers_of, of_chips
from archsim.workload import Workload

if TYPE_CHECKING:
    from archsim.store import Store

PASSING = (MemoryError, OSError)  # what the machine refuses today it may grant tomorrow
WORKLOADS_KEPT, TABLES_KEPT, CHIPS_KEPT = 4, 64, 256


@dataclass(frozen=True)
class Price:
    """What an execution is priced with: cost overlays, and overrides that change nothing but prices."""

    costs: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    table: str = ""  # the hash of the cost table with its overlays


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
    chip: str = ""  # hashes of the content of chip and network, and of what answers beside them:
    network: str = ""  # what is kept between tasks is of these contents
    common: str = ""
    on_chips: AskedOfChips | None = None  # what is asked of the design as a chip
    read: tuple[tuple[str, str], ...] = ()  # files that the sweep was prepared from, and their SHA-256
    many: bool = False  # whether the process that performs it performs many
    store: str | None = None  # the file of the store that answers are looked up in and added to


@dataclass(frozen=True)
class Outcome:
    """What came of one point: the numbers of its result, or why there are none (``passing``: there may be, another
    time); and why the store does not have it."""

    key: str
    numbers: Mapping[str, float | None] | None
    message: str = ""
    passing: bool = False
    unsaved: str = ""


def perform(task: Task) -> tuple[Outcome, ...]:
    """Execute once and price for every point; what goes wrong becomes the point's message."""
    if task.many:
        expect_many_executions()
    shared = _shared(replace(task, prices=(), keys=(), many=False))
    with watch() as read:
        outcomes = tuple(_outcome(task, price, key, shared) for price, key in zip(task.prices, task.keys, strict=True))
    _check_unchanged(task, read, any(outcome.numbers is None for outcome in outcomes))
    return outcomes


def _check_unchanged(task: Task, read: Mapping[str, str], is_some_failed: bool) -> None:
    """ArchsimError where a file is no longer what the points' keys were made of: their answers are not kept."""
    known = dict(task.read)
    changed = [path for path, sha in read.items() if known.get(path, sha) != sha]
    if is_some_failed:
        changed += [path for path, _ in task.read if not is_preset(path) and not os.path.exists(path)]
    if changed:
        for kept in (_shared, _workload, _table, _chip):
            kept.cache_clear()
        text = "has changed while the sweep was executed; what was answered is kept, and the same command goes on"
        raise ArchsimError([Problem(text, file=path) for path in changed])


def _outcome(task: Task, price: Price, key: str, shared: _Shared) -> Outcome:
    try:
        if task.store is not None:
            return _stored(task, price, key, shared)
        return Outcome(key, _numbers(task, price, shared))
    except ArchsimError as error:
        return Outcome(key, None, "; ".join(str(problem) for problem in error.problems))
    except Exception as error:
        return Outcome(key, None, f"{type(error).__name__}: {error}", passing=isinstance(error, PASSING))


def _numbers(task: Task, price: Price, shared: _Shared) -> Mapping[str, float | None]:
    try:
        if shared.request is None:
            shared.request = _request(task, price)
        chip, table = _chip_and_table(task, price)
        return {**shared.numbers(chip, table), **of_chips(shared.on_chips(task))}
    except ArchsimError:
        _request(task, price)  # says all that is wrong, in the words of the user's files
        raise


def _stored(task: Task, price: Price, key: str, shared: _Shared) -> Outcome:
    from archsim.store import answer

    request = _request(task, price)
    if task.on_chips is not None:
        request = replace(request, on_chips=asdict(task.on_chips))

    def execute() -> Result:
        return replace(fulfil(request, once=shared.once), on_chips=shared.on_chips(task))

    found = answer(request, _store(str(task.store)), execute)
    return Outcome(key, numbers_of(found.result), unsaved="" if found.unsaved is None else str(found.unsaved))


class _Shared:
    """Executions of what the points of a task share: the first price pays for them, the others re-price them."""

    def __init__(self) -> None:
        self.request: Request | None = None  # of the first point that could be prepared
        self._done: dict[int, Unpriced] = {}
        self._numbers: Numbers | None = None
        self._on_chips: OnChips | None = None
        self._refused: Exception | None = None

    def numbers(self, chip: Architecture, table: CostTable) -> Mapping[str, float | None]:
        """A row's numbers at the prices of the table and the chip's node."""
        if self._numbers is None:
            assert self.request is not None
            request = self.request
            self._numbers = Numbers([self._executed(request, sample) for sample in request.samples])
        return self._numbers.at(table, chip.chip.node_nm)

    def once(self, request: Request, sample: int) -> Run:
        """The run of a sample, for a whole result."""
        return priced(replace(self._executed(request, sample), architecture=request.architecture), request.table)

    def on_chips(self, task: Task) -> OnChips | None:
        """The accuracy of the design on chips, which no price changes; None where that is not asked for."""
        if self._on_chips is None and task.on_chips is not None:
            self._on_chips = task.on_chips.of(task.arch, task.workload, task.overrides, task.plugins)
        return self._on_chips

    def _executed(self, request: Request, sample: int) -> Unpriced:
        """One sample's execution; what cannot be executed is tried once."""
        if self._refused is not None:
            raise self._refused
        if sample not in self._done:
            try:
                self._done[sample] = execute_once(request.architecture, request.workload, sample, request.engine)
            except Exception as error:
                self._refused = None if isinstance(error, PASSING) else error
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
    """The point, prepared and checked as a whole; workloads with their spikes are loaded once."""
    of_workload, others = _of_workload(task.overrides)
    asked: dict[str, Any] = {"engine": task.engine, "samples": task.samples, "costs": price.costs}
    workload = _workload(task.workload, of_workload, task.network)
    request = prepare(task.arch, workload, overrides=(*others, *price.overrides), plugins=task.plugins, **asked)
    return replace(request, overrides=(*task.overrides, *price.overrides))


def _chip_and_table(task: Task, price: Price) -> tuple[Architecture, CostTable]:
    """What a price depends on; what was loaded before is taken again."""
    of_costs, of_chip = split_overrides(price.overrides)
    chip = _chip(task.arch, _of_workload(task.overrides)[1], task.chip).with_overrides(of_chip)
    return chip, with_overrides(_table(price.costs, price.table), of_costs)


def _of_workload(overrides: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Overrides of the workload, without their prefix, and the others."""
    ours = tuple(text.removeprefix(WORKLOAD_PREFIX) for text in overrides if text.startswith(WORKLOAD_PREFIX))
    return ours, tuple(text for text in overrides if not text.startswith(WORKLOAD_PREFIX))


def override(key: str, value: Any) -> str:
    """``KEY=VALUE`` as an override; JSON is YAML, so that text stays text and a mapping stays one."""
    return f"{key}={json.dumps(value)}"


@lru_cache(maxsize=WORKLOADS_KEPT)
def _workload(name_or_path: str, overrides: tuple[str, ...], content: str) -> Workload:
    return load_workload(name_or_path, overrides)


@lru_cache(maxsize=TABLES_KEPT)
def _table(costs: tuple[str, ...], content: str) -> CostTable:
    return load_costs(overlays=costs)


@lru_cache(maxsize=CHIPS_KEPT)
def _chip(name_or_path: str, overrides: tuple[str, ...], content: str) -> Architecture:
    return load_architecture(name_or_path, overrides)

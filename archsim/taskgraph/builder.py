"""The builder: runs of tasks, edges, holds and actions; a finished graph keeps the invariants checked here."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archsim.errors import ArchsimError
from archsim.taskgraph.graph import TaskGraph
from archsim.taskgraph.parts import (
    DATA,
    MOST_CYCLES,
    NONE,
    SLOTS,
    SPACE,
    SYNC,
    Action,
    Buffer,
    Discipline,
    Ints,
    Span,
    Unit,
)
from archsim.taskgraph.space import as_extra, once, with_space_edges

FIRST_ROOM = 32_768  # tasks; it doubles
COUNTS = np.dtype(np.int64)
COLUMNS: dict[str, tuple[type, int, int]] = {  # name: type, what an entry is before it is filled in, width
    "unit": (np.int32, NONE, 1), "duration": (np.int64, 0, 1), "latency": (np.int64, 0, 1),
    "layer": (np.int32, NONE, 1), "timestep": (np.int32, NONE, 1), "pred": (np.int32, NONE, SLOTS),
    "kind": (np.uint8, 0, SLOTS),
}  # fmt: skip


class GraphBuilder:
    """Collects runs of tasks, edges, holds and actions, and checks the invariants when it builds the graph."""

    def __init__(self, layers: Sequence[str], timesteps: int) -> None:
        self._layers, self._timesteps = tuple(layers), timesteps
        self._units: dict[str, tuple[int, Unit]] = {}
        self._ends: list[int] = []  # of the reserved runs of tasks, ascending
        self._tasks = 0
        self._checked: Span | None = None  # the span of the last check: most are looked at many times in a row
        self._columns: dict[str, NDArray[Any]] = {name: _column(name, FIRST_ROOM) for name in COLUMNS}
        self._extra: list[Ints] = []
        self._holds: dict[str, tuple[int, list[tuple[Ints, Ints, Ints]], tuple[str, ...]]] = {}
        self._actions: list[Action] = []

    def unit(self, name: str, discipline: Discipline = "in_order") -> int:
        """The index of the unit called ``name``, made on first use."""
        if name not in self._units:
            self._units[name] = (len(self._units), Unit(name, discipline))
        index, known = self._units[name]
        if known.discipline != discipline:
            raise ValueError(f"unit {name} is {known.discipline}, asked for as {discipline}")
        return index

    @property
    def tasks(self) -> int:
        """Number of tasks so far: the index of the next one."""
        return self._tasks

    def reserve(self, count: int, layer: int) -> int:
        """Room for ``count`` tasks of one layer, to be filled span by span; returns the index of the first."""
        first = self._tasks
        self._tasks += count
        self._ends.append(self._tasks)
        room = len(self._columns["unit"])
        if self._tasks > room:
            for name, column in self._columns.items():
                self._columns[name] = np.concatenate([column, _column(name, max(room, self._tasks - room))])
        self._columns["layer"][first : self._tasks] = layer
        return first

    def fill(
        self, span: Span, *, unit: int | Ints, duration: ArrayLike, latency: ArrayLike = 0,
        timestep: ArrayLike = NONE,
    ) -> None:  # fmt: skip
        """State unit, cycles and timestep of the reserved tasks of a span."""
        if span is not self._checked:
            self._check_span(span)
        columns, where = self._columns, span.slice
        columns["unit"][where], columns["duration"][where] = unit, duration
        columns["latency"][where], columns["timestep"][where] = latency, timestep

    def block(
        self, count: int, *, layer: int, unit: int, duration: ArrayLike, latency: ArrayLike = 0,
        timestep: ArrayLike = NONE,
    ) -> Span:  # fmt: skip
        """``count`` consecutive tasks of one stage of one layer."""
        span = Span(self.reserve(count, layer), count)
        if count:
            self.fill(span, unit=unit, duration=duration, latency=latency, timestep=timestep)
        return span

    def edge(self, tasks: Span, before: ArrayLike, kind: int = DATA) -> None:
        """One edge into each task of the span; ``before`` is a task index or a vector of them (NONE: no edge)."""
        if not tasks.count:
            return
        if tasks is not self._checked:
            self._check_span(tasks)
        pred, where = self._columns["pred"], tasks.slice
        for slot in range(SLOTS):
            if np.maximum.reduce(pred[where, slot]) == NONE:
                pred[where, slot] = before
                self._columns["kind"][where, slot] = kind
                return
        raise ValueError(f"more than {SLOTS} edges into a task; only joins may have more")

    def more_edges(self, tasks: Ints, before: Ints, kind: int = DATA) -> None:
        """Edges beyond the three of a task: from ``before[i]`` into ``tasks[i]``."""
        if len(tasks):
            self._extra.append(as_extra(tasks, before, kind, NONE))

    def join(self, task: int, before: Sequence[int], kind: int = SYNC) -> None:
        """Edges from any number of tasks into one (a barrier)."""
        if len(before):
            ids = np.array(sorted(set(before)), np.int64)
            self._extra.append(as_extra(task, ids, kind, NONE))

    def barrier(self, layer: int, before: Sequence[int]) -> int:
        """A zero-length task on the in-order unit ``sync`` after all of ``before``; returns its index."""
        span = self.block(1, layer=layer, unit=self.unit("sync"), duration=0)
        self.join(span.first, before)
        return span.first

    def holds(
        self, buffer: str, capacity: int, acquire: ArrayLike, release: ArrayLike, amount: ArrayLike,
        levers: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """``acquire`` takes ``amount`` places of ``buffer`` at its start; ``release`` frees them at its finish."""
        taken = np.atleast_1d(np.asarray(acquire, np.int64))
        freed, amounts = _as_long_as(taken, release), _as_long_as(taken, amount)
        known = self._holds.setdefault(buffer, (capacity, [], tuple(levers)))
        if known[0] != capacity:
            raise ValueError(f"buffer {buffer} has capacity {known[0]}, asked for as {capacity}")
        known[1].append((taken, freed, amounts))

    def count(self, component: str, action: str, span: Span, counts: int | Ints) -> None:
        """Let every task of the span count ``component.action``."""
        if span.count == 0 or (isinstance(counts, int) and counts == 0):
            return
        if span is not self._checked:
            self._check_span(span)
        if not isinstance(counts, int):
            if counts.shape != (span.count,):
                raise ValueError(f"{component}.{action}: {counts.shape} counts for {span.count} tasks")
            if counts.dtype != COUNTS:
                raise ValueError(f"{component}.{action}: counts must be int64, not {counts.dtype}")
        self._actions.append(Action(component, action, span, counts))

    def build(self) -> TaskGraph:
        """The finished graph, its space edges derived and its invariants checked."""
        columns: dict[str, Any] = {name: column[: self._tasks] for name, column in self._columns.items()}
        for name in ("duration", "latency"):  # filled in as int64, because numpy would wrap what is too long for int32
            longest = int(columns[name].max(initial=0))
            if longest > MOST_CYCLES:
                raise ArchsimError(f"a task would last {longest:,} cycles; at most {MOST_CYCLES:,} can be timed")
        columns = {n: c.astype(np.int32 if n in ("duration", "latency") else c.dtype) for n, c in columns.items()}
        extra = np.concatenate(self._extra) if self._extra else np.zeros((0, 4), np.int64)
        graph = TaskGraph(
            units=tuple(unit for _, unit in self._units.values()), layers=self._layers, timesteps=self._timesteps,
            extra=extra[np.argsort(extra[:, 0], kind="stable")], actions=tuple(self._actions),
            space_buffer=np.full((self._tasks, SLOTS), NONE, np.int16), **columns,
        )  # fmt: skip
        _check(graph)
        graph = _merge_duplicates(graph)
        buffers = [
            Buffer(
                name,
                capacity,
                np.concatenate([part[0] for part in parts]),
                np.concatenate([part[1] for part in parts]),
                np.concatenate([part[2] for part in parts]),
                levers,
            )
            for name, (capacity, parts, levers) in self._holds.items()
        ]
        _check_holds(graph, buffers)
        return with_space_edges(graph, buffers)

    def _check_span(self, span: Span) -> None:
        """A span lies in one reserved run; else it might reach into another layer."""
        run = bisect_right(self._ends, span.first)
        if span.first < 0 or run == len(self._ends) or span.last >= self._ends[run]:
            raise ValueError(f"tasks {span.first} to {span.last} were not reserved together")
        self._checked = span


def _as_long_as(taken: Ints, values: ArrayLike) -> Ints:
    """One value for each hold: the vector given, or a number repeated."""
    found = np.asarray(values, np.int64)
    return found if found.shape == taken.shape else found + np.zeros_like(taken)


def _column(name: str, tasks: int) -> NDArray[Any]:
    kind, absent, width = COLUMNS[name]
    return np.full((tasks, width) if width > 1 else tasks, absent, kind)


def _check(graph: TaskGraph) -> None:
    """Invariants that a lowering must keep; a violation is a defect of the lowering, not of the user's input."""
    if graph.unit.min(initial=0) < 0:
        raise ValueError(f"{int(np.sum(graph.unit < 0))} tasks were reserved but never filled")
    if graph.duration.min(initial=0) < 0 or graph.latency.min(initial=0) < 0:
        raise ValueError("negative duration or latency")
    if graph.fifo[graph.unit[graph.duration < 1]].any():
        raise ValueError("a task on a fifo unit lasts at least one cycle")
    joined = graph.extra[:, :2]
    if (
        max(graph.pred.max(initial=NONE), joined.max(initial=NONE)) >= graph.tasks
        or graph.pred.min(initial=NONE) < NONE
        or joined.min(initial=0) < 0
    ):
        raise ValueError("edge from or to a task that does not exist")
    if (graph.pred[graph.kind == SPACE] >= 0).any() or (graph.extra[:, 2] == SPACE).any():
        raise ValueError("space edges come from buffers: state what holds what")


def _check_holds(graph: TaskGraph, buffers: Sequence[Buffer]) -> None:
    for buffer in buffers:
        tasks = (buffer.acquire, buffer.release)
        if (
            any(ids.min(initial=0) < 0 or ids.max(initial=NONE) >= graph.tasks for ids in tasks)
            or buffer.amount.min(initial=0) < 0
        ):
            raise ValueError(f"buffer {buffer.name}: holds of tasks that do not exist, or negative amounts")


def _merge_duplicates(graph: TaskGraph) -> TaskGraph:
    """Several edges between the same two tasks are one; data wins over sync."""
    for later in range(1, SLOTS):
        for earlier in range(later):
            taken = np.flatnonzero(graph.pred[:, later] >= 0)
            same = taken[graph.pred[taken, later] == graph.pred[taken, earlier]]
            if len(same):
                data = (graph.kind[same, later] == DATA) | (graph.kind[same, earlier] == DATA)
                graph.kind[same, earlier] = np.where(data, DATA, graph.kind[same, earlier])
                graph.pred[same, later] = NONE
    extra = once(graph.extra)
    row, slot = np.nonzero(graph.pred[extra[:, 0]] == extra[:, 1:2])
    data = extra[row, 2] == DATA
    graph.kind[extra[row[data], 0], slot[data]] = DATA
    return replace(graph, extra=np.delete(extra, row, axis=0))

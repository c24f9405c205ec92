"""The builder: segments of tasks, edges, holds and actions; a finished graph keeps the invariants checked here."""

from __future__ import annotations

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


class GraphBuilder:
    """Collects tasks in segments, edges, holds and actions, and checks the invariants when it builds the graph."""

    def __init__(self, layers: Sequence[str], timesteps: int) -> None:
        self._layers, self._timesteps = tuple(layers), timesteps
        self._units: dict[str, Unit] = {}
        self._unit_index: dict[str, int] = {}
        self._segments: list[_Segment] = []
        self._tasks = 0
        self._extra: list[Ints] = []
        self._holds: dict[str, tuple[int, list[tuple[Ints, Ints, Ints]], tuple[str, ...]]] = {}
        self._actions: list[Action] = []

    def unit(self, name: str, discipline: Discipline = "in_order") -> int:
        """The index of the unit called ``name``, made on first use."""
        known = self._units.setdefault(name, Unit(name, discipline))
        if known.discipline != discipline:
            raise ValueError(f"unit {name} is {known.discipline}, asked for as {discipline}")
        return self._unit_index.setdefault(name, len(self._unit_index))

    @property
    def tasks(self) -> int:
        """Number of tasks so far: the index of the next segment's first task."""
        return self._tasks

    def segment(self, count: int, layer: int) -> _Segment:
        """Room for ``count`` tasks of one layer; their indices start at the present number of tasks."""
        made = _Segment(self._tasks, count, layer)
        self._segments.append(made)
        self._tasks += count
        return made

    def block(
        self, count: int, *, layer: int, unit: int, duration: ArrayLike, latency: ArrayLike = 0,
        timestep: ArrayLike = NONE,
    ) -> Span:  # fmt: skip
        """``count`` consecutive tasks of one stage of one layer."""
        segment = self.segment(count, layer)
        span = Span(segment.first, count)
        segment.fill(span, unit=unit, duration=duration, latency=latency, timestep=timestep)
        return span

    def edge(self, tasks: Span, before: ArrayLike, kind: int = DATA) -> None:
        """One edge into each task of the span; ``before`` is a task index or a vector of them (NONE: no edge)."""
        if tasks.count:
            self._segment_of(tasks).connect(tasks, before, kind)

    def join(self, task: int, before: Sequence[int], kind: int = SYNC) -> None:
        """Edges from any number of tasks into one (a barrier)."""
        if len(before):
            ids = np.unique(np.asarray(before, np.int64))
            self._extra.append(as_extra(np.full(len(ids), task), ids, kind, NONE))

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
        freed = np.asarray(release, np.int64) + np.zeros_like(taken)
        amounts = np.asarray(amount, np.int64) + np.zeros_like(taken)
        known = self._holds.setdefault(buffer, (capacity, [], tuple(levers)))
        if known[0] != capacity:
            raise ValueError(f"buffer {buffer} has capacity {known[0]}, asked for as {capacity}")
        known[1].append((taken, freed, amounts))

    def count(self, component: str, action: str, span: Span, counts: int | Ints) -> None:
        """Let every task of the span count ``component.action``."""
        if span.count == 0 or (isinstance(counts, int) and counts == 0):
            return
        self._segment_of(span)
        if not isinstance(counts, int):
            if counts.shape != (span.count,):
                raise ValueError(f"{component}.{action}: {counts.shape} counts for {span.count} tasks")
            if counts.dtype != np.int64:
                raise ValueError(f"{component}.{action}: counts must be int64, not {counts.dtype}")
        self._actions.append(Action(component, action, span, counts))

    def build(self) -> TaskGraph:
        """The finished graph, its space edges derived and its invariants checked."""
        columns: dict[str, Any] = {
            name: self._column(name) for name in ("unit", "duration", "latency", "timestep", "pred", "kind")
        }
        layer = np.repeat(
            np.array([s.layer for s in self._segments], np.int32), np.array([s.count for s in self._segments], np.int64)
        )
        extra = np.concatenate(self._extra) if self._extra else np.zeros((0, 4), np.int64)
        graph = TaskGraph(
            units=tuple(self._units.values()), layers=self._layers, timesteps=self._timesteps, layer=layer,
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

    def _segment_of(self, span: Span) -> _Segment:
        for segment in reversed(self._segments):
            if segment.first <= span.first and span.last < segment.first + segment.count:
                return segment
        raise ValueError(f"tasks {span.first} to {span.last} do not lie in one segment")

    def _column(self, name: str) -> NDArray[Any]:
        parts = [getattr(segment, name) for segment in self._segments]
        return np.concatenate(parts) if parts else getattr(_Segment(0, 0, 0), name)


class _Segment:
    """Columns of a run of tasks of one layer while they are being filled in."""

    def __init__(self, first: int, count: int, layer: int) -> None:
        self.first, self.count, self.layer = first, count, layer
        self.unit = np.full(count, NONE, np.int32)
        self.duration = np.zeros(count, np.int32)
        self.latency = np.zeros(count, np.int32)
        self.timestep = np.full(count, NONE, np.int32)
        self.pred = np.full((count, SLOTS), NONE, np.int32)
        self.kind = np.zeros((count, SLOTS), np.uint8)

    def fill(
        self, span: Span, *, unit: int, duration: ArrayLike, latency: ArrayLike = 0, timestep: ArrayLike = NONE,
    ) -> None:  # fmt: skip
        where = self._local(span)
        for cycles in (duration, latency):
            if np.max(cycles, initial=0) > MOST_CYCLES:
                raise ArchsimError(
                    f"a task would last {int(np.max(cycles)):,} cycles; at most {MOST_CYCLES:,} can be timed"
                )
        self.unit[where], self.duration[where] = unit, duration
        self.latency[where], self.timestep[where] = latency, timestep

    def connect(self, span: Span, before: ArrayLike, kind: int) -> None:
        where = self._local(span)
        for slot in range(SLOTS):
            if np.all(self.pred[where, slot] == NONE):
                self.pred[where, slot] = before
                self.kind[where, slot] = kind
                return
        raise ValueError(f"more than {SLOTS} edges into a task; only joins may have more")

    def _local(self, span: Span) -> slice:
        start = span.first - self.first
        return slice(start, start + span.count * span.stride, span.stride)


def _check(graph: TaskGraph) -> None:
    """Invariants that a lowering must keep; a violation is a defect of the lowering, not of the user's input."""
    if np.any(graph.unit < 0):
        raise ValueError(f"{int(np.sum(graph.unit < 0))} tasks were reserved but never filled")
    if np.any(graph.duration < 0) or np.any(graph.latency < 0):
        raise ValueError("negative duration or latency")
    if np.any(graph.fifo[graph.unit] & (graph.duration < 1)):
        raise ValueError("a task on a fifo unit lasts at least one cycle")
    befores = (graph.pred, graph.extra[:, :2])
    if (
        any(np.any(column >= graph.tasks) for column in befores)
        or np.any(graph.pred < NONE)
        or np.any(graph.extra[:, :2] < 0)
    ):
        raise ValueError("edge from or to a task that does not exist")
    if np.any((graph.kind == SPACE) & (graph.pred >= 0)) or np.any(graph.extra[:, 2] == SPACE):
        raise ValueError("space edges come from buffers: state what holds what")


def _check_holds(graph: TaskGraph, buffers: Sequence[Buffer]) -> None:
    for buffer in buffers:
        tasks = (buffer.acquire, buffer.release)
        if any(np.any((ids < 0) | (ids >= graph.tasks)) for ids in tasks) or np.any(buffer.amount < 0):
            raise ValueError(f"buffer {buffer.name}: holds of tasks that do not exist, or negative amounts")


def _merge_duplicates(graph: TaskGraph) -> TaskGraph:
    """Several edges between the same two tasks are one; data wins over sync."""
    for later in range(1, SLOTS):
        for earlier in range(later):
            same = np.flatnonzero((graph.pred[:, later] >= 0) & (graph.pred[:, later] == graph.pred[:, earlier]))
            if len(same):
                data = (graph.kind[same, later] == DATA) | (graph.kind[same, earlier] == DATA)
                graph.kind[same, earlier] = np.where(data, DATA, graph.kind[same, earlier])
                graph.pred[same, later] = NONE
    extra = once(graph.extra)
    row, slot = np.nonzero(graph.pred[extra[:, 0]] == extra[:, 1:2])
    data = extra[row, 2] == DATA
    graph.kind[extra[row[data], 0], slot[data]] = DATA
    return replace(graph, extra=np.delete(extra, row, axis=0))

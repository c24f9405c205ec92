"""The TaskGraph: everything that archsim times is one of these.

A task occupies one unit for ``duration`` cycles; its result is there ``latency`` cycles after its finish. An edge lets a
task start only when the result of its predecessor is there (``data``, ``sync``) or when its predecessor has finished and
thereby freed a place in a buffer (``space``). Columns are numpy arrays, one entry per task; a task's index is its issue order.

Start rule: ``start[i] = max(unit free, arrival of every predecessor at i, 0)`` and nothing else, where
``arrival = finish + latency`` for data and sync edges and ``arrival = finish`` for space edges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archsim.errors import ArchsimError, MisfitError

Ints = NDArray[np.int64]
Discipline = Literal["in_order", "fifo"]

DATA, SPACE, SYNC = 0, 1, 2
KIND_NAMES = ("data", "space", "sync")
SLOTS = 3  # predecessors per task; joins (barriers) keep the rest in `extra`
NONE = -1
MOST_CYCLES = 2**31 - 1  # durations and latencies are 32-bit columns


@dataclass(frozen=True)
class Unit:
    """A hardware resource that does one thing at a time.

    ``in_order`` serves its tasks in ascending index; ``fifo`` serves the earliest ready first, ties by lowest index.
    """

    name: str
    discipline: Discipline = "in_order"


@dataclass(frozen=True)
class Span:
    """The tasks ``first, first + stride, ...`` (``count`` of them): the ids of one stage of one layer in closed form."""

    first: int
    count: int
    stride: int = 1

    @property
    def ids(self) -> Ints:
        """Task indices of the span, ascending."""
        return np.arange(self.first, self.first + self.count * self.stride, self.stride, dtype=np.int64)

    @property
    def slice(self) -> slice:
        """The span as a slice into any task column."""
        return slice(self.first, self.first + self.count * self.stride, self.stride) if self.count else slice(0, 0)

    @property
    def last(self) -> int:
        """Index of the span's last task."""
        return self.first + (self.count - 1) * self.stride


@dataclass(frozen=True)
class Buffer:
    """A finite memory whose places are taken at the start of a task and freed at the finish of another.

    ``acquire[h]``, ``release[h]``, ``amount[h]`` describe hold ``h``; holds are in acquire order (a ring).
    """

    name: str
    capacity: int
    acquire: Ints
    release: Ints
    amount: Ints
    levers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Action:
    """What the tasks of a span do: ``counts`` times ``component.action`` (one number for each, or a vector over the span)."""

    component: str
    action: str
    span: Span
    counts: int | Ints


@dataclass(frozen=True)
class TaskGraph:
    """Columns of tasks, their edges, their buffers and what they count. See the module docstring for the semantics."""

    units: tuple[Unit, ...]
    layers: tuple[str, ...]
    timesteps: int
    unit: NDArray[np.int32]
    duration: NDArray[np.int32]
    latency: NDArray[np.int32]
    layer: NDArray[np.int32]
    timestep: NDArray[np.int32]
    pred: NDArray[np.int32]  # [tasks, SLOTS], NONE where there is no edge
    kind: NDArray[np.uint8]  # [tasks, SLOTS]
    extra: NDArray[np.int64]  # [edges, 4]: task, predecessor, kind, buffer (or NONE); sorted by task; edges beyond SLOTS
    buffers: tuple[Buffer, ...] = ()
    actions: tuple[Action, ...] = ()
    space_buffer: NDArray[np.int16] = field(default_factory=lambda: np.zeros((0, SLOTS), np.int16))

    @property
    def tasks(self) -> int:
        """Number of tasks."""
        return len(self.unit)

    @property
    def fifo(self) -> NDArray[np.bool_]:
        """Whether each unit is a fifo unit."""
        return np.array([unit.discipline == "fifo" for unit in self.units], bool)

    def with_capacity(self, buffer: str, capacity: int) -> TaskGraph:
        """The same work with one buffer of another capacity (its space edges derived anew)."""
        if buffer not in (known.name for known in self.buffers):
            raise ArchsimError(f"no buffer named '{buffer}' (there are: {', '.join(b.name for b in self.buffers)})")
        changed = [replace(b, capacity=capacity) if b.name == buffer else b for b in self.buffers]
        return _with_space_edges(self._without_space_edges(), changed)

    def unrolled(self, copies: int, carried: Sequence[tuple[int, int, int, int]] = ()) -> TaskGraph:
        """``copies`` iterations back to back; ``carried`` edges (task, predecessor, kind, distance) reach ``distance`` copies back.

        In-order units and buffers serve the copies one after the other. Only timing is unrolled: the copies count nothing.
        """
        n, base = self.tasks, self._without_space_edges()
        shift = np.arange(copies, dtype=np.int64) * n

        def tiled(column: NDArray[Any]) -> NDArray[Any]:
            return np.tile(column, (copies,) + (1,) * (column.ndim - 1))

        pred = tiled(base.pred)
        offset = np.repeat(shift, n)[:, None].astype(np.int32)
        pred = np.where(pred >= 0, pred + offset, pred).astype(np.int32)
        edges = [base.extra + np.array([s, s, 0, 0]) for s in shift]
        for task, before, kind, distance in carried:
            if kind == SPACE:
                raise ValueError("space edges come from buffers, which span the copies already")
            edges += [np.array([[task + shift[c], before + shift[c - distance], kind, NONE]]) for c in range(distance, copies)]
        extra = np.concatenate(edges) if edges else base.extra
        buffers = [
            replace(
                b,
                acquire=(b.acquire[None, :] + shift[:, None]).ravel(),
                release=(b.release[None, :] + shift[:, None]).ravel(),
                amount=np.tile(b.amount, copies),
            )
            for b in base.buffers
        ]
        graph = replace(
            base,
            unit=tiled(base.unit), duration=tiled(base.duration), latency=tiled(base.latency), layer=tiled(base.layer),
            timestep=tiled(base.timestep), pred=pred, kind=tiled(base.kind), space_buffer=tiled(base.space_buffer),
            extra=extra[np.argsort(extra[:, 0], kind="stable")], actions=(), buffers=(),
        )  # fmt: skip
        return _with_space_edges(graph, buffers)

    def edges(self) -> tuple[Ints, Ints, Ints]:
        """All edges as (task, predecessor, kind), in no particular order."""
        task, slot = np.nonzero(self.pred >= 0)
        return (
            np.concatenate([task, self.extra[:, 0]]),
            np.concatenate([self.pred[task, slot].astype(np.int64), self.extra[:, 1]]),
            np.concatenate([self.kind[task, slot].astype(np.int64), self.extra[:, 2]]),
        )

    def actions_of(self, task: int) -> dict[tuple[str, str], int]:
        """What one task counts: (component, action) -> count."""
        found: dict[tuple[str, str], int] = {}
        for action in self.actions:
            span = action.span
            position, rest = divmod(task - span.first, span.stride)
            if rest == 0 and 0 <= position < span.count:
                count = action.counts if isinstance(action.counts, int) else int(action.counts[position])
                key = (action.component, action.action)
                found[key] = found.get(key, 0) + count
        return found

    def _without_space_edges(self) -> TaskGraph:
        keep = self.kind != SPACE
        return replace(
            self,
            pred=np.where(keep, self.pred, NONE).astype(np.int32),
            kind=np.where(keep, self.kind, 0).astype(np.uint8),
            extra=self.extra[self.extra[:, 2] != SPACE],
            space_buffer=np.full_like(self.space_buffer, NONE),
        )


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
        self, count: int, *, layer: int, unit: int, duration: ArrayLike, latency: ArrayLike = 0, timestep: ArrayLike = NONE,
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
            self._extra.append(_as_extra(np.full(len(ids), task), ids, kind, NONE))

    def barrier(self, layer: int, before: Sequence[int]) -> int:
        """A zero-length task on the in-order unit ``sync`` that all of ``before`` must have reached; returns its index."""
        span = self.block(1, layer=layer, unit=self.unit("sync"), duration=0)
        self.join(span.first, before)
        return span.first

    def holds(
        self, buffer: str, capacity: int, acquire: ArrayLike, release: ArrayLike, amount: ArrayLike, levers: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """``amount`` places of ``buffer`` are taken at the start of ``acquire`` and freed at the finish of ``release``."""
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
        columns: dict[str, Any] = {name: self._column(name) for name in ("unit", "duration", "latency", "timestep", "pred", "kind")}
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
                name, capacity, np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts]),
                np.concatenate([part[2] for part in parts]), levers,
            )
            for name, (capacity, parts, levers) in self._holds.items()
        ]
        _check_holds(graph, buffers)
        return _with_space_edges(graph, buffers)

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
                raise ArchsimError(f"a task would last {int(np.max(cycles)):,} cycles; at most {MOST_CYCLES:,} can be timed")
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
    if any(np.any(column >= graph.tasks) for column in befores) or np.any(graph.pred < NONE) or np.any(graph.extra[:, :2] < 0):
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
    extra = _once(graph.extra)
    row, slot = np.nonzero(graph.pred[extra[:, 0]] == extra[:, 1:2])
    data = extra[row, 2] == DATA
    graph.kind[extra[row[data], 0], slot[data]] = DATA
    return replace(graph, extra=np.delete(extra, row, axis=0))


def _once(extra: Ints) -> Ints:
    """Extra edges sorted by task, one per pair of tasks: data before sync before space."""
    order = np.lexsort((np.array([0, 2, 1])[extra[:, 2]], extra[:, 1], extra[:, 0]))
    ordered = extra[order]
    first = np.ones(len(ordered), bool)
    first[1:] = np.any(ordered[1:, :2] != ordered[:-1, :2], axis=1)
    return ordered[first]


def _with_space_edges(graph: TaskGraph, buffers: Sequence[Buffer]) -> TaskGraph:
    """The graph with the space edges that its buffers imply."""
    if not buffers:
        return graph
    graph = replace(graph, pred=graph.pred.copy(), kind=graph.kind.copy(), space_buffer=graph.space_buffer.copy())
    overflow: list[Ints] = [graph.extra]
    for number, buffer in enumerate(buffers):
        tasks, before = _missing(graph, *_space_edges(graph, buffer))
        rank = _rank_within_task(tasks)
        for turn in range(min(SLOTS, int(rank.max(initial=-1)) + 1)):
            overflow.append(_put(graph, tasks[rank == turn], before[rank == turn], number))
        beyond = rank >= SLOTS
        overflow.append(_as_extra(tasks[beyond], before[beyond], SPACE, number))
    return replace(graph, buffers=tuple(buffers), extra=_once(np.concatenate(overflow)))


def _missing(graph: TaskGraph, tasks: Ints, before: Ints) -> tuple[Ints, Ints]:
    """Those of the edges, each once, that the graph does not have yet."""
    if np.any(tasks[1:] <= tasks[:-1]):
        tasks, before = np.divmod(np.unique(tasks * graph.tasks + before), graph.tasks)
    there = np.isin(tasks * graph.tasks + before, graph.extra[:, 0] * graph.tasks + graph.extra[:, 1])
    for slot in range(SLOTS):
        there |= graph.pred[tasks, slot] == before
    return tasks[~there], before[~there]


def _put(graph: TaskGraph, tasks: Ints, before: Ints, buffer: int) -> Ints:
    """Write space edges into free slots (each task once); returns those that found no slot."""
    for slot in range(SLOTS):
        free = graph.pred[tasks, slot] == NONE
        graph.pred[tasks[free], slot] = before[free]
        graph.kind[tasks[free], slot] = SPACE
        graph.space_buffer[tasks[free], slot] = buffer
        tasks, before = tasks[~free], before[~free]
        if not len(tasks):
            break
    return _as_extra(tasks, before, SPACE, buffer)


def _as_extra(tasks: Ints, before: Ints, kind: int, buffer: int) -> Ints:
    return np.stack([tasks, before, np.full(len(tasks), kind), np.full(len(tasks), buffer)], axis=1).astype(np.int64)


def _rank_within_task(tasks: Ints) -> Ints:
    """For edges grouped by task, the number of each edge among those of its task."""
    if len(tasks) < 2 or not np.any(tasks[1:] <= tasks[:-1]):
        return np.zeros(len(tasks), np.int64)
    order = np.argsort(tasks, kind="stable")
    ordered = tasks[order]
    new = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    first = np.maximum.accumulate(np.where(new, np.arange(len(tasks)), 0))
    rank = np.empty(len(tasks), np.int64)
    rank[order] = np.arange(len(tasks)) - first
    return rank


def _space_edges(graph: TaskGraph, buffer: Buffer) -> tuple[Ints, Ints]:
    """Which task must wait for which release.

    Hold ``h`` fits when holds ``q .. h`` together do, with ``q`` the smallest index such that
    ``sum(amount[q..h]) <= capacity``; so all releases of holds ``0 .. q-1`` must have finished before ``acquire[h]`` starts.
    Where the releases ascend on one in-order unit, the last of them stands for all. Otherwise edges go to the releases that are
    newly needed since the last hold that is certainly acquired earlier (same in-order unit).
    """
    over = np.flatnonzero(buffer.amount > buffer.capacity)
    if len(over):
        raise MisfitError(
            f"buffer '{buffer.name}'", demand=int(buffer.amount.max()), capacity=buffer.capacity, unit="places",
            levers=buffer.levers or (f"a capacity of {int(buffer.amount.max()):,}",),
        )  # fmt: skip
    total = np.concatenate([[0], np.cumsum(buffer.amount)])
    needed = np.searchsorted(total, total[1:] - buffer.capacity, side="left")
    if _in_order(graph, buffer.release):
        waits = needed > 0
        return buffer.acquire[waits], buffer.release[needed[waits] - 1]
    earlier = np.concatenate([[0], needed[:-1]]) if _in_order(graph, buffer.acquire) else _needed_before(graph, buffer, needed)
    counts = np.maximum(needed - earlier, 0)
    starts = np.repeat(earlier, counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(buffer.acquire, counts), buffer.release[starts + within]


def _in_order(graph: TaskGraph, tasks: Ints) -> bool:
    """Whether these tasks certainly finish in the given order: ascending on one in-order unit."""
    if len(tasks) == 0:
        return True
    unit = graph.unit[tasks]
    return bool(
        graph.units[unit[0]].discipline == "in_order" and np.all(unit == unit[0]) and np.all(tasks[1:] >= tasks[:-1])
    )


def _needed_before(graph: TaskGraph, buffer: Buffer, needed: Ints) -> Ints:
    """Per hold, the releases that an earlier hold on the same in-order unit has waited for already."""
    covered: dict[int, tuple[int, int]] = {}
    result = np.zeros(len(needed), np.int64)
    for hold, (task, count) in enumerate(zip(buffer.acquire.tolist(), needed.tolist(), strict=True)):
        unit = int(graph.unit[task])
        last_task, last_count = covered.get(unit, (-1, 0))
        if graph.units[unit].discipline == "in_order" and task >= last_task:
            result[hold] = last_count
            covered[unit] = (task, max(count, last_count))
    return result


def counts_by_name(actions: Sequence[Action]) -> Mapping[tuple[str, str], int]:
    """Totals of the actions over all tasks: (component, action) -> count."""
    totals: dict[tuple[str, str], int] = {}
    for action in actions:
        total = action.counts * action.span.count if isinstance(action.counts, int) else int(action.counts.sum())
        key = (action.component, action.action)
        totals[key] = totals.get(key, 0) + total
    return totals

"""Where the cycles of every unit went, and the chain of tasks that the makespan consists of.

For each unit, tasks in served order with F the finish of the one before (0 at first) and S the start: the gap [F, S) is
*idle* up to the latest sync arrival, then *starved* up to the latest data arrival (by that predecessor's unit), then
*blocked* (by the buffer of the latest space edge); after the last task idle. *Arbitration* is the part of a starved
piece in which that predecessor itself queued for a fifo unit. Hence busy + starved + blocked + arbitration + idle =
makespan, for every unit, exactly.

The critical path walks back from the last result along predecessors whose result arrived at the start (data before
space before sync, lowest index on ties), else along the unit's previous task. Durations belong to (unit, layer),
latencies to (unit, "latency"); together they are the makespan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.engine import Execution
from archsim.taskgraph import DATA, NONE, SPACE, SYNC, Ints

LATENCY = "latency"
NO_LAYER = "-"
_UNIT_EDGE = 3


@dataclass(frozen=True)
class UnitTime:
    """The makespan of one unit, cut into what it did: all in cycles."""

    unit: str
    busy: int
    starved: Mapping[str, int]  # by the unit that came too late
    blocked: Mapping[str, int]  # by the buffer that was full
    arbitration: Mapping[str, int]  # by the fifo unit that the predecessor queued for
    idle: int

    @property
    def total(self) -> int:
        """Sum of all pieces: the makespan."""
        waited = (self.starved, self.blocked, self.arbitration)
        return self.busy + self.idle + sum(sum(piece.values()) for piece in waited)


@dataclass(frozen=True)
class PathShare:
    """Cycles that one (unit, layer), or a unit's latency, contributes to the makespan."""

    unit: str
    layer: str
    what: str  # "busy" or "latency"
    cycles: int


@dataclass(frozen=True)
class Attribution:
    """Both views of one execution."""

    units: tuple[UnitTime, ...]
    path: tuple[PathShare, ...]


@dataclass(frozen=True)
class _Arrivals:
    """Latest arrival per task and kind (-1: none), the predecessor it came from, and the buffer of a space edge."""

    at: NDArray[np.int64]  # [kinds, tasks]
    source: NDArray[np.int64]
    buffer: NDArray[np.int64]

    @property
    def ready(self) -> Ints:
        """When everything that a task waits for was there."""
        latest: Ints = np.maximum(self.at.max(axis=0), 0)
        return latest


def attribute(execution: Execution) -> Attribution:
    """Cut every unit's time and find the critical path, from the start cycles."""
    arrivals = _arrivals(execution)
    order, before = _served(execution)
    units = _unit_times(execution, arrivals, order, before)
    return Attribution(units, _critical_path(execution, arrivals, order, before))


def _arrivals(execution: Execution) -> _Arrivals:
    graph, finish = execution.graph, execution.finish
    result = finish + graph.latency
    at = np.full((3, graph.tasks), -1, np.int64)
    source = np.full((3, graph.tasks), NONE, np.int64)
    buffer = np.full(graph.tasks, NONE, np.int64)
    for slot in range(graph.pred.shape[1]):
        for kind in (DATA, SPACE, SYNC):
            tasks = np.flatnonzero((graph.pred[:, slot] >= 0) & (graph.kind[:, slot] == kind))
            before = graph.pred[tasks, slot].astype(np.int64)
            later = _take(at, source, kind, tasks, before, (finish if kind == SPACE else result)[before])
            if kind == SPACE:
                buffer[tasks[later]] = graph.space_buffer[tasks[later], slot]
    for kind in (DATA, SPACE, SYNC):
        there = finish if kind == SPACE else result
        tasks, before, place, arrival = _latest(graph.extra[graph.extra[:, 2] == kind], there)
        later = _take(at, source, kind, tasks, before, arrival)
        if kind == SPACE:
            buffer[tasks[later]] = place[later]
    return _Arrivals(at, source, buffer)


def _latest(extra: Ints, there: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Of each task's edges in ``extra`` the one with the latest arrival: tasks, predecessors, buffers, arrivals."""
    arrival = there[extra[:, 1]]
    order = np.lexsort((-extra[:, 1], arrival, extra[:, 0]))
    task = extra[order, 0]
    chosen = order[np.append(task[1:] != task[:-1], np.ones(min(len(task), 1), bool))]
    return extra[chosen, 0], extra[chosen, 1], extra[chosen, 3], arrival[chosen]


def _take(at: Ints, source: Ints, kind: int, tasks: Ints, before: Ints, arrival: Ints) -> NDArray[np.bool_]:
    """Keep the later arrival; of ties the lowest predecessor index."""
    latest = at[kind, tasks]
    later: NDArray[np.bool_] = (arrival > latest) | ((arrival == latest) & (before < source[kind, tasks]))
    at[kind, tasks[later]], source[kind, tasks[later]] = arrival[later], before[later]
    return later


def _served(execution: Execution) -> tuple[Ints, Ints]:
    """Tasks by unit in served order, and each task's predecessor on its unit (NONE for the first)."""
    graph = execution.graph
    order = np.lexsort((np.arange(graph.tasks), execution.start, graph.unit))
    before = np.full(graph.tasks, NONE, np.int64)
    same = graph.unit[order[1:]] == graph.unit[order[:-1]]
    before[order[1:][same]] = order[:-1][same]
    return order, before


def _unit_times(execution: Execution, arrivals: _Arrivals, order: Ints, before: Ints) -> tuple[UnitTime, ...]:
    graph, start = execution.graph, execution.start
    free = np.where(before >= 0, execution.finish[before], 0)
    synced = np.clip(arrivals.at[SYNC], free, start)
    fed = np.clip(arrivals.at[DATA], synced, start)
    starved, blocked, idle = fed - synced, start - fed, synced - free
    supplier = arrivals.source[DATA]
    queued = np.zeros_like(starved)
    fifo_supplier = (starved > 0) & graph.fifo[graph.unit[supplier]]
    which = np.flatnonzero(fifo_supplier)
    waits_from, waits_to = arrivals.ready[supplier[which]], start[supplier[which]]
    queued[which] = np.maximum(np.minimum(fed[which], waits_to) - np.maximum(synced[which], waits_from), 0)
    count, names = len(graph.units), [unit.name for unit in graph.units]
    busy = np.bincount(graph.unit, weights=graph.duration, minlength=count)
    gaps = np.bincount(graph.unit, weights=idle, minlength=count)
    last = np.zeros(count, np.int64)
    np.maximum.at(last, graph.unit, execution.finish)
    suppliers = _crossed(graph.unit, graph.unit[supplier], starved - queued, count, count)
    queues = _crossed(graph.unit, graph.unit[supplier], queued, count, count)
    buffers = _crossed(graph.unit, arrivals.buffer, blocked, count, max(len(graph.buffers), 1))
    buffer_names = [buffer.name for buffer in graph.buffers] or [NO_LAYER]
    return tuple(
        UnitTime(
            names[u], int(busy[u]), _named(suppliers[u], names), _named(buffers[u], buffer_names),
            _named(queues[u], names), int(gaps[u]) + execution.cycles - int(last[u]),
        )
        for u in range(count)
    )  # fmt: skip


def _crossed(unit: NDArray[np.int32], other: NDArray[np.integer], cycles: Ints, units: int, others: int) -> Ints:
    """Cycles summed by (unit, other)."""
    chosen = cycles > 0
    flat = np.bincount(unit[chosen] * others + other[chosen], weights=cycles[chosen], minlength=units * others)
    return np.rint(flat).astype(np.int64).reshape(units, others)


def _named(cycles: Ints, names: list[str]) -> dict[str, int]:
    return {names[i]: int(cycles[i]) for i in np.flatnonzero(cycles)}


def _critical_path(execution: Execution, arrivals: _Arrivals, order: Ints, before: Ints) -> tuple[PathShare, ...]:
    graph, start = execution.graph, execution.start
    if graph.tasks == 0:
        return ()
    parent = np.full(graph.tasks, NONE, np.int64)
    edge = np.full(graph.tasks, NONE, np.int64)
    free = np.where(before >= 0, execution.finish[before], -1)
    unit_bound = (before >= 0) & (free == start)
    parent[unit_bound], edge[unit_bound] = before[unit_bound], _UNIT_EDGE
    for kind in (SYNC, SPACE, DATA):  # the last one written wins: data before space before sync
        here = (arrivals.at[kind] == start) & (arrivals.source[kind] >= 0)
        parent[here], edge[here] = arrivals.source[kind][here], kind
    tasks, delays = _walk(parent.tolist(), edge.tolist(), int(np.argmax(execution.finish + graph.latency)))
    return _shares(execution, np.array(tasks), np.array(delays, bool))


def _walk(parent: list[int], edge: list[int], task: int) -> tuple[list[int], list[bool]]:
    """The path from its end, and whether each task's latency lies on it."""
    tasks, delays, delayed = [], [], True
    while task != NONE:
        tasks.append(task)
        delays.append(delayed)
        delayed = edge[task] in (DATA, SYNC)
        task = parent[task]
    return tasks, delays


def _shares(execution: Execution, tasks: Ints, delays: NDArray[np.bool_]) -> tuple[PathShare, ...]:
    graph = execution.graph
    layers = len(graph.layers) + 1
    key = graph.unit[tasks].astype(np.int64) * layers + graph.layer[tasks] + 1
    found = []
    for what, cycles in (("busy", graph.duration[tasks]), (LATENCY, graph.latency[tasks] * delays)):
        sums = np.bincount(key, weights=cycles, minlength=len(graph.units) * layers)
        for index in np.flatnonzero(sums):
            unit, layer = divmod(int(index), layers)
            name = graph.layers[layer - 1] if layer else NO_LAYER
            found.append(PathShare(graph.units[unit].name, name, what, round(float(sums[index]))))
    return tuple(sorted(found, key=lambda share: -share.cycles))

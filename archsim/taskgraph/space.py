"""Space edges: what a finite buffer makes its users wait for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from archsim.errors import MisfitError
from archsim.taskgraph.parts import NONE, SLOTS, SPACE, Buffer, Ints

if TYPE_CHECKING:
    from archsim.taskgraph.graph import TaskGraph


def with_space_edges(graph: TaskGraph, buffers: Sequence[Buffer]) -> TaskGraph:
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
        overflow.append(as_extra(tasks[beyond], before[beyond], SPACE, number))
    return replace(graph, buffers=tuple(buffers), extra=once(np.concatenate(overflow)))


def _missing(graph: TaskGraph, tasks: Ints, before: Ints) -> tuple[Ints, Ints]:
    """Those of the edges, each once, that the graph does not have yet."""
    if np.any(tasks[1:] <= tasks[:-1]):
        tasks, before = np.divmod(np.unique(tasks * graph.tasks + before), graph.tasks)
    there = np.zeros(len(tasks), bool)
    joins = np.zeros(graph.tasks, bool)
    joins[graph.extra[:, 0]] = True
    if joins[tasks].any():
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
    return as_extra(tasks, before, SPACE, buffer)


def as_extra(tasks: Ints, before: Ints, kind: int, buffer: int) -> Ints:
    """Edges as rows (task, predecessor, kind, buffer)."""
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
    ``sum(amount[q..h]) <= capacity``; so all releases of holds ``0 .. q-1`` must have finished before ``acquire[h]``
    starts. Where the releases ascend on one in-order unit, the last of them stands for all. Otherwise edges go to the
    releases that are newly needed since the last hold that is certainly acquired earlier (same in-order unit).
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
    in_order = _in_order(graph, buffer.acquire)
    earlier = np.concatenate([[0], needed[:-1]]) if in_order else _needed_before(graph, buffer, needed)
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


def once(extra: Ints) -> Ints:
    """Extra edges sorted by task, one per pair of tasks: data before sync before space."""
    order = np.lexsort((np.array([0, 2, 1])[extra[:, 2]], extra[:, 1], extra[:, 0]))
    ordered = extra[order]
    first = np.ones(len(ordered), bool)
    first[1:] = np.any(ordered[1:, :2] != ordered[:-1, :2], axis=1)
    return ordered[first]

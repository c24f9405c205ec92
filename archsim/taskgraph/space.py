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
    """The graph with the space edges that its buffers imply; they are written into the slots of the graph given."""
    if not buffers:
        return graph
    overflow: list[Ints] = [graph.extra]
    for number, buffer in enumerate(buffers):
        tasks, before = _missing(graph, *_space_edges(graph, buffer))
        overflow.append(_put(graph, tasks, before, number))
    return replace(graph, buffers=tuple(buffers), extra=once(np.concatenate(overflow)))


def _missing(graph: TaskGraph, tasks: Ints, before: Ints) -> tuple[Ints, Ints]:
    """Those of the edges, each once and ascending by task, that the graph does not have yet."""
    if (tasks[1:] <= tasks[:-1]).any():
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
    """Write space edges, ascending by task, into free slots; returns those that found no slot."""
    for slot in range(SLOTS):
        if not len(tasks):
            break
        free = graph.pred[tasks, slot] == NONE
        free[1:] &= tasks[1:] != tasks[:-1]  # a slot takes the first of a task's edges
        filled = tasks[free]
        graph.pred[filled, slot] = before[free]
        graph.kind[filled, slot] = SPACE
        graph.space_buffer[filled, slot] = buffer
        tasks, before = tasks[~free], before[~free]
    return as_extra(tasks, before, SPACE, buffer)


def as_extra(tasks: Ints | int, before: Ints, kind: int, buffer: int) -> Ints:
    """Edges as rows (task, predecessor, kind, buffer)."""
    edges = np.empty((len(before), 4), np.int64)
    edges[:, 0], edges[:, 1], edges[:, 2], edges[:, 3] = tasks, before, kind, buffer
    return edges


def _space_edges(graph: TaskGraph, buffer: Buffer) -> tuple[Ints, Ints]:
    """Which task must wait for which release.

    Hold ``h`` fits when holds ``q .. h`` together do, with ``q`` the smallest index such that
    ``sum(amount[q..h]) <= capacity``; so all releases of holds ``0 .. q-1`` must have finished before ``acquire[h]``
    starts. Where the releases ascend on one in-order unit, the last of them stands for all. Otherwise edges go to the
    releases that are newly needed since the last hold that is certainly acquired earlier (same in-order unit).
    """
    if buffer.amount.max(initial=0) > buffer.capacity:
        raise MisfitError(
            f"buffer '{buffer.name}'", demand=int(buffer.amount.max()), capacity=buffer.capacity, unit="places",
            levers=buffer.levers or (f"a capacity of {int(buffer.amount.max()):,}",),
        )  # fmt: skip
    total = np.zeros(len(buffer.amount) + 1, np.int64)
    np.cumsum(buffer.amount, out=total[1:])
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

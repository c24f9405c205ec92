"""Naming a deadlock: the cycle of waits, and the smallest buffer that would remove it."""

from __future__ import annotations

import numpy as np

from archsim.errors import DeadlockError, MisfitError
from archsim.taskgraph import KIND_NAMES, NONE, SPACE, Ints, TaskGraph


def deadlock_error(graph: TaskGraph, start: Ints) -> DeadlockError:
    """Explain why the tasks with ``start < 0`` can never start."""
    cycle = _cycle(graph, start)
    lines = [_wait(graph, task, before, why) for task, before, why in cycle]
    stuck = f"{int(np.sum(start < 0)):,} of {graph.tasks:,} tasks can never start"
    text = f"deadlock: {stuck}; cycle of waits: " + "; ".join(lines)
    for name in sorted({why[6:] for _, _, why in cycle if why.startswith("space:")}):
        enough = smallest_capacity(graph, name)
        capacity = next(buffer.capacity for buffer in graph.buffers if buffer.name == name)
        if enough is None:
            text += f"; buffer '{name}' ({capacity:,}) alone cannot remove it"
        else:
            text += f"; buffer '{name}' holds {capacity:,}, with {enough:,} the deadlock is gone"
    return DeadlockError(text)


def smallest_capacity(graph: TaskGraph, buffer: str) -> int | None:
    """The least capacity of ``buffer`` at which every task can start; None when no capacity is enough."""
    found = next(known for known in graph.buffers if known.name == buffer)
    low, high = int(found.amount.max()), int(found.amount.sum())
    if not _can_finish(graph.with_capacity(buffer, high)):
        return None
    while low < high:
        middle = (low + high) // 2
        if _fits(graph, buffer, middle):
            high = middle
        else:
            low = middle + 1
    return high


def _fits(graph: TaskGraph, buffer: str, capacity: int) -> bool:
    try:
        return _can_finish(graph.with_capacity(buffer, capacity))
    except MisfitError:
        return False


def _can_finish(graph: TaskGraph) -> bool:
    """Whether the edges and the order of the in-order units have no cycle (fifo units never add one)."""
    task, before, _ = graph.edges()
    tasks, befores = _unit_order(graph)
    task, before = np.concatenate([task, tasks]), np.concatenate([before, befores])
    missing = np.bincount(task, minlength=graph.tasks)
    order = np.argsort(before, kind="stable")
    followers = task[order]
    pointer = np.searchsorted(before[order], np.arange(graph.tasks + 1))
    ready = np.flatnonzero(missing == 0).tolist()
    done = 0
    while ready:
        done += 1
        source = ready.pop()
        for follower in followers[pointer[source] : pointer[source + 1]].tolist():
            missing[follower] -= 1
            if missing[follower] == 0:
                ready.append(follower)
    return done == graph.tasks


def _unit_order(graph: TaskGraph) -> tuple[Ints, Ints]:
    """Each task of an in-order unit with the task that the unit serves just before it."""
    tasks = np.flatnonzero(~graph.fifo[graph.unit])
    order = tasks[np.argsort(graph.unit[tasks], kind="stable")]
    same = graph.unit[order[1:]] == graph.unit[order[:-1]]
    return order[1:][same], order[:-1][same]


def _cycle(graph: TaskGraph, start: Ints) -> list[tuple[int, int, str]]:
    """Follow one unmet wait after the other until a task comes up again: (task, what it waits for, why)."""
    previous = np.full(graph.tasks, NONE, np.int64)
    tasks, befores = _unit_order(graph)
    previous[tasks] = befores
    task = int(np.flatnonzero(start < 0)[0])
    seen: dict[int, int] = {}
    path: list[tuple[int, int, str]] = []
    while task not in seen:
        seen[task] = len(path)
        before, why = _unmet(graph, start, previous, task)
        path.append((task, before, why))
        task = before
    return path[seen[task] :]


def _unmet(graph: TaskGraph, start: Ints, previous: Ints, task: int) -> tuple[int, str]:
    for slot in range(graph.pred.shape[1]):
        before = int(graph.pred[task, slot])
        if before >= 0 and start[before] < 0:
            kind = int(graph.kind[task, slot])
            name = f":{graph.buffers[int(graph.space_buffer[task, slot])].name}" if kind == SPACE else ""
            return before, KIND_NAMES[kind] + name
    for _, before, kind, buffer in graph.extra[graph.extra[:, 0] == task].tolist():
        if start[before] < 0:
            return int(before), KIND_NAMES[kind] + (f":{graph.buffers[buffer].name}" if kind == SPACE else "")
    if previous[task] >= 0 and start[previous[task]] < 0:
        return int(previous[task]), "unit"
    raise AssertionError("a task that waits for nothing did not start")


def _wait(graph: TaskGraph, task: int, before: int, why: str) -> str:
    reasons = {"data": "the result of", "sync": "reaching", "unit": "its turn after"}
    reason = reasons.get(why, f"space in '{why[6:]}' from")
    return f"{_name(graph, task)} waits for {reason} {_name(graph, before)}"


def _name(graph: TaskGraph, task: int) -> str:
    layer, step = int(graph.layer[task]), int(graph.timestep[task])
    place = ([graph.layers[layer]] if layer >= 0 else []) + ([f"t={step}"] if step >= 0 else [])
    return f"{graph.units[int(graph.unit[task])].name} task {task}" + (f" ({', '.join(place)})" if place else "")

"""The rules of DESIGN.md section 3 spelled out one cycle, one hold, one task at a time: slow, obvious, and sharing no
code with archsim."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np

from archsim.taskgraph import SPACE, Buffer, TaskGraph


def edges_of(graph: TaskGraph) -> list[list[tuple[int, int]]]:
    """Per task its (predecessor, kind), space edges included, in ascending order of predecessor."""
    found: list[list[tuple[int, int]]] = [[] for _ in range(graph.tasks)]
    for task, before, kind in zip(*(column.tolist() for column in graph.edges()), strict=True):
        found[task].append((before, kind))
    return [sorted(edges) for edges in found]


def has_room(buffer: Buffer, task: int, finished: Callable[[int], bool]) -> bool:
    """A ring: places come free in hold order, and everything up to and including the task's holds must fit."""
    freed = 0
    while freed < len(buffer.release) and finished(int(buffer.release[freed])):
        freed += 1
    holds = np.flatnonzero(buffer.acquire == task)
    return all(sum(buffer.amount[freed : hold + 1].tolist()) <= buffer.capacity for hold in holds)


def interpret(graph: TaskGraph) -> np.ndarray:  # noqa: C901 (one rule after the other)
    """Start cycles by watching every unit in every cycle. Space edges are not used: the buffers themselves are
    watched."""
    duration, latency, unit = graph.duration.tolist(), graph.latency.tolist(), graph.unit.tolist()
    waits = [[before for before, kind in edges if kind != SPACE] for edges in edges_of(graph)]
    start: dict[int, int] = {}
    ready_since: dict[int, int] = {}

    def finished(task, now):
        return task in start and start[task] + duration[task] <= now

    def ready(task, now):
        results = all(p in start and start[p] + duration[p] + latency[p] <= now for p in waits[task])
        return results and all(has_room(buffer, task, lambda p: finished(p, now)) for buffer in graph.buffers)

    def unstarted(number):
        return [task for task in range(graph.tasks) if unit[task] == number and task not in start]

    def free(number, now):
        return all(finished(task, now) for task in start if unit[task] == number)

    for now in range(sum(duration) + sum(latency) + 1):
        changed = True
        while changed:  # (a) in-order units, until nothing more happens
            changed = False
            for number, described in enumerate(graph.units):
                left = unstarted(number)
                if described.discipline == "in_order" and left and free(number, now) and ready(left[0], now):
                    start[left[0]] = now
                    changed = True
        for number, described in enumerate(graph.units):  # (b) fifo units
            if described.discipline == "fifo":
                queue = [task for task in unstarted(number) if ready(task, now)]
                for task in queue:
                    ready_since.setdefault(task, now)
                if queue and free(number, now):
                    start[min(queue, key=lambda task: (ready_since[task], task))] = now
    return np.array([start.get(task, -1) for task in range(graph.tasks)], np.int64)


def most_occupied(graph: TaskGraph, start: np.ndarray, buffer: int) -> int:
    """The largest number of places of a buffer that are taken at the end of any cycle's events."""
    held = graph.buffers[buffer]
    taken, freed = start[held.acquire], (start + graph.duration)[held.release]
    return max((int(held.amount[(taken <= now) & (now < freed)].sum()) for now in taken), default=0)


def count_literally(graph: TaskGraph) -> Counter:
    """(layer, timestep, component, action) -> count, task by task."""
    counts: Counter = Counter()
    for task in range(graph.tasks):
        for (component, action), count in graph.actions_of(task).items():
            counts[int(graph.layer[task]), int(graph.timestep[task]), component, action] += count
    return +counts


def attribute_literally(graph: TaskGraph, start: np.ndarray) -> dict[str, Counter]:
    """Per unit, what each of its cycles went to: ("busy",), ("idle",), ("starved", unit), ("arbitration", unit),
    ("blocked", buffer)."""
    finish = start + graph.duration
    there = finish + graph.latency
    end = int(there.max(initial=0))
    edges = edges_of(graph)
    names = [unit.name for unit in graph.units]
    found = {}
    for number, name in enumerate(names):
        served = sorted((int(start[t]), int(t)) for t in np.flatnonzero(graph.unit == number))
        cycles: Counter = Counter()
        now = 0
        for begin, task in served:
            arrivals = {
                kind: max(
                    ((int((finish if kind == SPACE else there)[p]), -p) for p, k in edges[task] if k == kind),
                    default=(0, 0),
                )
                for kind in (0, 1, 2)
            }
            for cycle in range(now, begin):
                cycles[_blame(graph, start, edges, cycle, task, arrivals)] += 1
            cycles["busy",] += int(finish[task]) - begin
            now = int(finish[task])
        cycles["idle",] += end - now
        found[name] = +cycles
    return found


def _blame(graph, start, edges, cycle, task, arrivals):
    (data_at, supplier), (_, space), (sync_at, _) = arrivals[0], arrivals[1], arrivals[2]
    if cycle < sync_at:
        return ("idle",)
    if cycle < data_at:
        unit = graph.units[graph.unit[-supplier]]
        queued = ready_at(graph, start, edges, -supplier) <= cycle < start[-supplier]
        return ("arbitration" if unit.discipline == "fifo" and queued else "starved", unit.name)
    return ("blocked", buffer_between(graph, task, -space))


def ready_at(graph, start, edges, task) -> int:
    """The cycle at which everything that a task waits for is there."""
    finish = start + graph.duration
    return max((int(finish[p] + (0 if kind == SPACE else graph.latency[p])) for p, kind in edges[task]), default=0)


def buffer_between(graph: TaskGraph, task: int, before: int) -> str:
    """The first buffer that makes ``task`` wait for ``before``: alone in the graph, it implies that edge."""
    for buffer in graph.buffers:
        for hold in np.flatnonzero(buffer.acquire == task):
            needed = [h for h in range(hold) if sum(buffer.amount[h : hold + 1].tolist()) > buffer.capacity]
            if before in buffer.release[needed].tolist():
                return buffer.name
    raise AssertionError(f"no buffer makes {task} wait for {before}")


def critical_path_literally(graph: TaskGraph, start: np.ndarray) -> Counter:
    """(unit, layer, "busy" or "latency") -> cycles on the chain that the makespan consists of."""
    finish = start + graph.duration
    there = finish + graph.latency
    edges = edges_of(graph)
    shares: Counter = Counter()
    task = min(range(graph.tasks), key=lambda t: (-there[t], t))
    shares[_where(graph, task, "latency")] += int(graph.latency[task])
    while True:
        shares[_where(graph, task, "busy")] += int(graph.duration[task])
        for kind in (0, 1, 2):
            found = [p for p, k in edges[task] if k == kind and (finish if kind == SPACE else there)[p] == start[task]]
            if found:
                break
        else:
            kind = 1  # the unit's previous task: its finish counts, not its result
            same = [(int(start[t]), t) for t in np.flatnonzero(graph.unit == graph.unit[task]).tolist()]
            found = [t for when, t in sorted(same) if (when, t) < (start[task], task) and finish[t] == start[task]][-1:]
        if not found:
            assert start[task] == 0
            return +shares
        task = found[0]
        if kind != SPACE:
            shares[_where(graph, task, "latency")] += int(graph.latency[task])


def _where(graph, task, what):
    return graph.units[graph.unit[task]].name, graph.layers[graph.layer[task]], what

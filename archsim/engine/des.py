"""The reference engine: the TaskGraph executed as a discrete-event simulation in SimPy, one process per in-order unit.

A cycle has two phases. First every finish and every arrival at ``t`` takes effect and freed in-order units start, until
nothing more happens at ``t`` (SimPy's normal priority). Then every free fifo unit grants its lowest ``(ready, index)``:
grants are events at a later priority. Wake-up events exist only where somebody waits.
"""

from __future__ import annotations

import heapq
from collections.abc import Generator
from itertools import pairwise
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray
from simpy.events import NORMAL, Event

from archsim.taskgraph import SPACE, TaskGraph

GRANT = NORMAL + 1  # after every normal event of the same cycle


def start_cycles(graph: TaskGraph, creation_order: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    """The start cycle of every task; ``-1`` for tasks that can never start (a deadlock).

    ``creation_order`` is the order in which the units' processes are made; the result must not depend on it.
    """
    chip = _Chip(graph)
    order = range(len(graph.units)) if creation_order is None else creation_order.tolist()
    for unit in order:
        if graph.units[unit].discipline == "fifo":
            chip.open_fifo(unit)
        else:
            chip.env.process(chip.serve_in_order(unit))
    chip.env.run()
    return np.asarray(chip.start, np.int64)


class _Chip:
    """The state shared by the units: what has started, what each task still waits for, and who must be told."""

    def __init__(self, graph: TaskGraph) -> None:
        self.env = simpy.Environment()
        task, before, kind = graph.edges()
        by_source = np.argsort(before, kind="stable")
        followers, is_space = task[by_source], kind[by_source] == SPACE
        pointer = np.searchsorted(before[by_source], np.arange(graph.tasks + 1))
        self.followers: list[int] = followers.tolist()
        self.is_space: list[bool] = is_space.tolist()
        self.pointer: list[int] = pointer.tolist()
        self.missing: list[int] = np.bincount(task, minlength=graph.tasks).tolist()
        self.start = [-1] * graph.tasks
        self.duration: list[int] = graph.duration.tolist()
        self.latency: list[int] = graph.latency.tolist()
        self.unit: list[int] = graph.unit.tolist()
        self.fifo: list[bool] = graph.fifo.tolist()
        self.wake: dict[int, Event] = {}
        self.queue: dict[int, list[tuple[int, int]]] = {}
        self.busy: dict[int, bool] = {}
        by_unit = np.argsort(graph.unit, kind="stable")
        bounds = np.searchsorted(graph.unit[by_unit], np.arange(len(graph.units) + 1))
        self.tasks_of = [by_unit[a:b].tolist() for a, b in pairwise(bounds)]

    def serve_in_order(self, unit: int) -> Generator[Event, Any, None]:
        """One in-order unit: its tasks in ascending index, each as soon as nothing is missing any more."""
        env, missing, duration, start, wake = self.env, self.missing, self.duration, self.start, self.wake
        for task in self.tasks_of[unit]:
            if missing[task]:
                event = wake[task] = Event(env)
                yield event
            start[task] = int(env.now)
            if duration[task]:
                yield env.timeout(duration[task])
            self.finish(task)

    def open_fifo(self, unit: int) -> None:
        """A fifo unit has no process: requests queue up, and a grant event serves the lowest (ready, index)."""
        self.queue[unit], self.busy[unit] = [], False
        for task in self.tasks_of[unit]:
            if not self.missing[task]:
                self.request(task)

    def request(self, task: int) -> None:
        """A task of a fifo unit is ready now."""
        unit = self.unit[task]
        heapq.heappush(self.queue[unit], (int(self.env.now), task))
        if not self.busy[unit] and len(self.queue[unit]) == 1:
            self.plan_grant(unit)

    def plan_grant(self, unit: int) -> None:
        """Let the unit choose when everything else of this cycle has happened."""
        event = Event(self.env)
        event._ok, event._value = True, None
        event.callbacks = [lambda _: self.grant(unit)]
        self.env.schedule(event, priority=GRANT)  # type: ignore[arg-type]

    def grant(self, unit: int) -> None:
        """Start the request with the lowest (ready, index)."""
        _, task = heapq.heappop(self.queue[unit])
        self.start[task] = int(self.env.now)
        self.busy[unit] = True
        self.env.timeout(self.duration[task]).callbacks.append(lambda _: self.release(unit, task))

    def release(self, unit: int, task: int) -> None:
        """The unit is free again: its task finished, and the next grant of this cycle comes after all arrivals."""
        self.busy[unit] = False
        if self.queue[unit]:
            self.plan_grant(unit)
        self.finish(task)

    def finish(self, task: int) -> None:
        """Free the buffer places now, hand over the result after the latency."""
        first, last = self.pointer[task], self.pointer[task + 1]
        if first == last:
            return
        if not self.latency[task]:
            for edge in range(first, last):
                self.arrive(self.followers[edge])
            return
        results = []
        for edge in range(first, last):
            if self.is_space[edge]:
                self.arrive(self.followers[edge])
            else:
                results.append(self.followers[edge])
        if results:
            self.env.timeout(self.latency[task]).callbacks.append(lambda _: self.arrive_all(results))

    def arrive_all(self, tasks: list[int]) -> None:
        """A result is there for everyone who waits for it."""
        for task in tasks:
            self.arrive(task)

    def arrive(self, task: int) -> None:
        """One predecessor less; the last one makes the task ready."""
        self.missing[task] -= 1
        if self.missing[task]:
            return
        if self.fifo[self.unit[task]]:
            self.request(task)
        elif task in self.wake:
            self.wake.pop(task).succeed()

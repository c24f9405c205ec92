"""Throughput: inputs back to back, unrolled in one graph, until the interval between their last results is steady."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from archsim.engine import execute, numba_is_there
from archsim.taskgraph import TaskGraph

COPIES = (3, 6)
MOST_TASKS_IN_PYTHON = 1_500_000


@dataclass(frozen=True)
class Throughput:
    """Cycles between two inputs in steady state, or None with the reason why there is no such number."""

    interval_cycles: int | None
    reason: str = ""


def throughput(graph: TaskGraph) -> Throughput:
    """The initiation interval: the difference of the last two copies' finishes, once the last two intervals are equal."""
    if graph.tasks == 0:
        return Throughput(None, "the graph is empty")
    for copies in COPIES:
        if copies * graph.tasks > MOST_TASKS_IN_PYTHON and not numba_is_there():
            return Throughput(None, f"{copies} inputs are {copies * graph.tasks:,} tasks; install numba (archsim[fast]) to time them")
        done = execute(graph.unrolled(copies), "fast")
        last = (done.finish + done.graph.latency).reshape(copies, graph.tasks).max(axis=1)
        gaps = np.diff(last)
        if gaps[-1] == gaps[-2]:
            return Throughput(int(gaps[-1]))
    return Throughput(None, f"the interval between {COPIES[-1]} inputs does not settle")

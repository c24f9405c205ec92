"""Throughput: inputs back to back, unrolled in one graph, until the interval between their results is steady."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from archsim.engine import execute, numba_is_there
from archsim.taskgraph import TaskGraph

MEASURED = (3, 6, 12)
MOST_INPUTS_AHEAD = 64
MOST_TASKS_IN_PYTHON = 1_500_000


@dataclass(frozen=True)
class Throughput:
    """Cycles between two inputs in steady state, or None with the reason why there is no such number."""

    interval_cycles: int | None
    reason: str = ""


def throughput(graph: TaskGraph) -> Throughput:
    """The initiation interval: the difference of two copies' finishes, once two such intervals in a row are equal.

    No task may fall behind faster than the results do: such a unit, still hidden behind a longer path, would set the
    pace of a longer run. The last copies are not representative: nothing behind them competes for the DRAM channel. As
    many of them are left out as the buffers can hold work of inputs ahead, and one more.
    """
    if graph.tasks == 0:
        return Throughput(None, "the graph is empty")
    drain = 1 + inputs_ahead(graph)
    for measured in MEASURED:
        copies = measured + drain
        if copies * graph.tasks > MOST_TASKS_IN_PYTHON and not numba_is_there():
            tasks = f"{copies} inputs are {copies * graph.tasks:,} tasks"
            return Throughput(None, f"{tasks}; install numba (archsim[fast]) to time them")
        done = execute(graph.unrolled(copies), "fast")
        results = (done.finish + done.graph.latency).reshape(copies, graph.tasks)[:measured]
        gaps = np.diff(results.max(axis=1))
        every = np.diff(results, axis=0)  # of every task, not only of the last one
        if gaps[-1] == gaps[-2] == every[-1].max():
            return Throughput(int(gaps[-1]))
    return Throughput(None, f"the interval between {MEASURED[-1]} inputs does not settle")


def inputs_ahead(graph: TaskGraph) -> int:
    """How many whole inputs some buffer can hold the work of, beyond the one being executed."""
    demands = [(buffer.capacity, int(buffer.amount.sum())) for buffer in graph.buffers]
    return min(MOST_INPUTS_AHEAD, max((capacity // demand for capacity, demand in demands if demand), default=0))

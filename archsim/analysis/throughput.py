"""Throughput: inputs back to back, unrolled in one graph, until the interval between their results is steady."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from archsim.engine import Execution, execute, numba_is_there
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
    low, high = int(gaps[len(gaps) // 2 :].min()), int(gaps[len(gaps) // 2 :].max())
    text = f"the interval between {MEASURED[-1]} inputs does not settle: {low:,} to {high:,} cycles in the later half"
    return Throughput(None, text if low < high else f"{text}, while work piles up behind a unit")


def note(found: Throughput, execution: Execution) -> str:
    """What has to be said of a throughput: why there is none, or why inputs follow each other slower than one takes.

    That is no error: in a fifo unit what inputs ahead have asked for first is served first, and a task of this input
    may come too late for it to follow the one before as closely as if it were alone.
    """
    if found.interval_cycles is None or found.interval_cycles <= execution.cycles:
        return found.reason
    graph = execution.graph
    shared = " and ".join(unit.name for unit, fifo in zip(graph.units, graph.fifo, strict=True) if fifo)
    where = f" for {shared}" if shared else ""
    return (
        f"longer than the latency of one input ({execution.cycles:,} cycles): back to back, inputs compete{where}, "
        "and what was asked for first is served first"
    )


def inputs_ahead(graph: TaskGraph) -> int:
    """How many whole inputs some buffer can hold the work of, beyond the one being executed."""
    demands = [(buffer.capacity, int(buffer.amount.sum())) for buffer in graph.buffers]
    return min(MOST_INPUTS_AHEAD, max((capacity // demand for capacity, demand in demands if demand), default=0))

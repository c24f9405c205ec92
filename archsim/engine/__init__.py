"""Executing a TaskGraph: when every task starts, and what was counted."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from archsim.engine.deadlock import deadlock_error
from archsim.engine.ledger import Ledger, ledger_of
from archsim.taskgraph import Ints, TaskGraph

EngineName = Literal["auto", "des", "fast"]
DES_UP_TO_TASKS = 200_000


@dataclass(frozen=True)
class Execution:
    """The graph with the start cycle of every task, and the engine that found them."""

    graph: TaskGraph
    start: Ints
    engine: str

    @cached_property
    def finish(self) -> Ints:
        """The cycle after each task's last."""
        return self.start + self.graph.duration

    @cached_property
    def cycles(self) -> int:
        """Makespan: the cycle at which the last result is there."""
        return int(np.max(self.finish + self.graph.latency, initial=0))

    @cached_property
    def ledger(self) -> Ledger:
        """Counts by layer, timestep, component and action."""
        return ledger_of(self.graph)


def execute(graph: TaskGraph, engine: EngineName = "auto") -> Execution:
    """Execute the graph; ``auto`` is ``des`` up to 200,000 tasks and ``fast`` above. A deadlock is a DeadlockError."""
    chosen = engine
    if engine == "auto":
        chosen = "des" if graph.tasks <= DES_UP_TO_TASKS else "fast"
    if chosen == "des":
        from archsim.engine import des

        start = des.start_cycles(graph)
    else:
        from archsim.engine import fast

        start = fast.start_cycles(graph)
    if np.any(start < 0):
        raise deadlock_error(graph, start)
    return Execution(graph, start, chosen)


def numba_is_there() -> bool:
    """Whether the optional compiler is installed (extra ``fast``)."""
    return importlib.util.find_spec("numba") is not None


def expect_many_executions() -> None:
    """Have the fast engine compiled, if numba is there: for a process that executes so many graphs that it pays."""
    if numba_is_there():
        from archsim.engine import fast

        fast.load_compiled()


__all__ = ["EngineName", "Execution", "Ledger", "execute", "expect_many_executions", "numba_is_there"]

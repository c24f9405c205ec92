"""Peak power: the most that all tasks that run at once, and the leakage of the whole chip, draw together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from archsim.engine import Execution
from archsim.taskgraph import TaskGraph

Floats = NDArray[np.float64]


class PeakPower:
    """The largest power of an execution over time, each task's energy spread evenly over its duration.

    P_peak = leakage + max over t of sum over tasks i with start_i <= t < finish_i of E_i / (d_i x T_clk), with
    E_i = sum over the task's actions of count x pJ, d_i its duration in cycles (a zero-length task gets one cycle) and
    T_clk = 1000 / clock_mhz ns; 1 pJ / 1 ns = 1 mW. Power within a task is not resolved: short surges are averaged.
    What no price changes is computed once.
    """

    def __init__(self, execution: Execution, clock_mhz: float) -> None:
        self._graph, self._clock_mhz = execution.graph, clock_mhz
        self._cycles = np.maximum(execution.graph.duration, 1)
        # finishes stand before starts, and the sort is stable: within a cycle what ends makes room for what begins
        self._order = np.argsort(np.concatenate([execution.start + self._cycles, execution.start]), kind="stable")

    def at(self, action_pj: Mapping[tuple[str, str], float], leakage_mw: float) -> float:
        """The peak in mW; ``action_pj`` prices (component, action), an action without a price costs nothing."""
        draw = task_energy_pj(self._graph, action_pj) / self._cycles
        level = np.cumsum(np.concatenate([-draw, draw])[self._order])
        return leakage_mw + float(level.max(initial=0.0)) * self._clock_mhz / 1000.0


def task_energy_pj(graph: TaskGraph, action_pj: Mapping[tuple[str, str], float]) -> Floats:
    """[tasks] dynamic energy of each task."""
    energy = np.zeros(graph.tasks)
    for action in graph.actions:
        each = action_pj.get((action.component, action.action), 0.0)
        if each:
            energy[action.span.slice] += each * np.asarray(action.counts, np.float64)
    return energy

"""Peak power: the most that all tasks that run at once, and the leakage of the whole chip, draw together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from archsim.engine import Execution
from archsim.taskgraph import TaskGraph

Floats = NDArray[np.float64]


def peak_power_mw(
    execution: Execution, action_pj: Mapping[tuple[str, str], float], clock_mhz: float, leakage_mw: float
) -> float:
    """The largest power over time, each task's energy spread evenly over its duration.

    P_peak = leakage + max over t of sum over tasks i with start_i <= t < finish_i of E_i / (d_i x T_clk), with
    E_i = sum over the task's actions of count x pJ, d_i its duration in cycles (a zero-length task gets one cycle) and
    T_clk = 1000 / clock_mhz ns; 1 pJ / 1 ns = 1 mW. Power within a task is not resolved: short surges are averaged.
    ``action_pj`` prices (component, action); an action without a price costs nothing.
    """
    energy = task_energy_pj(execution.graph, action_pj)
    spending = np.flatnonzero(energy)
    if not len(spending):
        return leakage_mw
    cycles = np.maximum(execution.graph.duration[spending], 1)
    start = execution.start[spending]
    draw = energy[spending] / cycles
    # finishes stand before starts, and the sort is stable: within a cycle what ends makes room for what begins
    when = np.concatenate([start + cycles, start])
    change = np.concatenate([-draw, draw])
    level = np.cumsum(change[np.argsort(when, kind="stable")])
    return leakage_mw + float(level.max()) * clock_mhz / 1000.0


def task_energy_pj(graph: TaskGraph, action_pj: Mapping[tuple[str, str], float]) -> Floats:
    """[tasks] dynamic energy of each task."""
    energy = np.zeros(graph.tasks)
    for action in graph.actions:
        each = action_pj.get((action.component, action.action), 0.0)
        if each:
            energy[action.span.slice] += each * np.asarray(action.counts, np.float64)
    return energy

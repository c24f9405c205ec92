"""Peak power: the most that all tasks that run at once, and the leakage of the whole chip, draw together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from archsim.engine import Execution
from archsim.taskgraph import Action, Span, TaskGraph

Floats = NDArray[np.float64]


class PeakPower:
    """The largest power of an execution over time, each task's energy spread evenly over its duration.

    P_peak = leakage + max over t of sum over tasks i with start_i <= t < finish_i of E_i / (d_i x T_clk), with
    E_i = sum over the task's actions of count x pJ, d_i its duration in cycles (a zero-length task gets one cycle) and
    T_clk = 1000 / clock_mhz ns; 1 pJ / 1 ns = 1 mW. Power within a task is not resolved: short surges are averaged.
    What no price changes is computed once.
    """

    def __init__(self, execution: Execution, clock_mhz: float) -> None:
        self._energy, self._clock_mhz = TaskEnergy(execution.graph), clock_mhz
        self._cycles = np.maximum(execution.graph.duration, 1)
        # finishes stand before starts, and the sort is stable: within a cycle what ends makes room for what begins
        self._order = np.argsort(np.concatenate([execution.start + self._cycles, execution.start]), kind="stable")

    def at(self, action_pj: Mapping[tuple[str, str], float], leakage_mw: float) -> float:
        """The peak in mW; ``action_pj`` prices (component, action), an action without a price costs nothing."""
        draw = self._energy.at(action_pj) / self._cycles
        level = np.cumsum(np.concatenate([-draw, draw])[self._order])
        return leakage_mw + float(level.max(initial=0.0)) * self._clock_mhz / 1000.0


class TaskEnergy:
    """Dynamic energy of each task of a graph: E_i = sum over its actions of count x pJ."""

    def __init__(self, graph: TaskGraph) -> None:
        self._tasks = graph.tasks
        by_span: dict[Span, list[Action]] = {}
        for action in graph.actions:
            by_span.setdefault(action.span, []).append(action)
        self._stacks = [
            (span.slice, [(one.component, one.action) for one in actions], _stacked(span, actions))
            for span, actions in by_span.items()
        ]

    def at(self, action_pj: Mapping[tuple[str, str], float]) -> Floats:
        """[tasks] in pJ, by the price of each (component, action); one without a price costs nothing."""
        energy = np.zeros(self._tasks)
        for where, names, counts in self._stacks:
            prices = np.array([action_pj.get(name, 0.0) for name in names])
            energy[where] += np.einsum("i,ij->j", prices, counts)
        return energy


def _stacked(span: Span, actions: Sequence[Action]) -> Floats:
    counts = np.empty((len(actions), span.count))
    for row, action in enumerate(actions):
        counts[row] = action.counts
    return counts

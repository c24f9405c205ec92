"""A run over time: what each unit did when, what each buffer held, and what the chip drew. All vectorised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.analysis.power import TaskEnergy
from archsim.engine import Execution
from archsim.taskgraph import NONE, Ints

Floats = NDArray[np.float64]
LARGEST = 2.0**61  # of the whole numbers that power is added up in


@dataclass(frozen=True)
class Slices:
    """Tasks that take time, by unit and within it by start; columns of equal length, times in cycles.

    ``label[i]`` indexes ``labels``, each a layer and a timestep: ``conv1 t3``, or ``conv1`` for shared work.
    """

    task: Ints
    unit: Ints
    layer: Ints
    start: Ints
    finish: Ints
    label: Ints
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Steps:
    """A quantity that keeps ``value[i]`` from cycle ``at[i]`` until ``at[i + 1]``; 0 before the first and at last."""

    name: str
    at: Ints
    value: Floats | Ints

    @property
    def integral(self) -> float:
        """Value times cycles, summed."""
        return float(np.dot(np.asarray(self.value[:-1], np.float64), np.diff(self.at)))


@dataclass(frozen=True)
class Timeline:
    """One executed input, with the energy of each task, under the names that figures and traces show."""

    arch: str
    workload: str
    synthetic: bool
    samples: tuple[int, ...]  # the one that was executed
    execution: Execution
    clock_mhz: float
    leakage_mw: float
    energy_pj: Floats  # [tasks], dynamic

    @property
    def latency_ns(self) -> float:
        """Length of the run."""
        return self.execution.cycles * 1000.0 / self.clock_mhz

    @cached_property
    def slices(self) -> Slices:
        """Every task of non-zero length, once. Slices of one unit do not overlap: a unit does one thing at a time."""
        graph, start = self.execution.graph, self.execution.start
        task = np.flatnonzero(graph.duration)
        task = task[np.lexsort((start[task], graph.unit[task]))].astype(np.int64)
        layer = graph.layer[task].astype(np.int64)
        steps = graph.timesteps + 1
        label = layer * steps + graph.timestep[task] - NONE
        labels = tuple(
            name if step == NONE else f"{name} t{step}" for name in graph.layers for step in range(NONE, steps - 1)
        )
        return Slices(
            task, graph.unit[task].astype(np.int64), layer, start[task], self.execution.finish[task], label, labels
        )

    @cached_property
    def buffers(self) -> tuple[Steps, ...]:
        """Places held of each buffer: taken at the start of one task, freed at the finish of another."""
        start, finish = self.execution.start, self.execution.finish
        return tuple(
            steps(
                buffer.name, np.concatenate([start[buffer.acquire], finish[buffer.release]]),
                np.concatenate([buffer.amount, -buffer.amount]),
            )
            for buffer in self.execution.graph.buffers
        )  # fmt: skip

    @cached_property
    def dynamic_mw(self) -> Steps:
        """Power of the running tasks: each task's energy, spread evenly over its cycles (one if it has no length).

        P(t) = sum over tasks i with start_i <= t < finish_i of E_i / (d_i x T_clk); its integral is the dynamic energy.
        Added up in whole numbers of a quantum of 2**-62 of the peak, so that it falls back to exactly 0.
        """
        spending = np.flatnonzero(self.energy_pj)
        cycles = np.maximum(self.execution.graph.duration[spending], 1)
        start = self.execution.start[spending]
        draw = self.energy_pj[spending] / cycles * self.clock_mhz / 1000.0
        bound = float(_sums(*_changes(start, start + cycles, draw))[1].max(initial=0.0)) or 1.0
        whole = np.rint(draw * (LARGEST / bound)).astype(np.int64)
        found = steps("dynamic", *_changes(start, start + cycles, whole))
        return Steps(found.name, found.at, np.asarray(found.value, np.float64) * (bound / LARGEST))

    @cached_property
    def power_mw(self) -> Steps:
        """Power of the whole chip: the running tasks', and the leakage from the first cycle to the last."""
        dynamic, ends = self.dynamic_mw, np.array([0, self.execution.cycles])
        at = np.union1d(dynamic.at, ends)
        value = np.concatenate([[0.0], dynamic.value])[np.searchsorted(dynamic.at, at, side="right")]
        return Steps("power", at, value + np.where(at < ends[1], self.leakage_mw, 0.0))


def timeline_of(
    execution: Execution,
    action_pj: Mapping[tuple[str, str], float],
    *,
    clock_mhz: float,
    leakage_mw: float,
    arch: str,
    workload: str,
    synthetic: bool,
    sample: int,
) -> Timeline:
    """The timeline of an execution; ``action_pj`` prices (component, action), what it lacks costs nothing."""
    energy = TaskEnergy(execution.graph).at(action_pj)
    return Timeline(arch, workload, synthetic, (sample,), execution, clock_mhz, leakage_mw, energy)


def steps(name: str, when: Ints, change: NDArray[Any]) -> Steps:
    """Changes in any order as steps: the sum once per cycle in which it changes."""
    at, value = _sums(when, change)
    kept = np.diff(value, prepend=value.dtype.type(0)) != 0
    return Steps(name, at[kept], value[kept])


def _changes(start: Ints, finish: Ints, height: NDArray[Any]) -> tuple[Ints, NDArray[Any]]:
    return np.concatenate([start, finish]), np.concatenate([height, -height])


def _sums(when: Ints, change: NDArray[Any]) -> tuple[Ints, NDArray[Any]]:
    order = np.argsort(when, kind="stable")
    ordered = when[order]
    last = np.append(ordered[1:] != ordered[:-1], True)[: len(ordered)]
    return ordered[last], np.cumsum(change[order])[last]

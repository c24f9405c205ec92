"""Timelines: slices, buffers and power of executed graphs, by hand and against a look at every cycle."""

from __future__ import annotations

import numpy as np
import pytest
from graphs import random_graph

from archsim.analysis.power import PeakPower, TaskEnergy
from archsim.analysis.timeline import Timeline, steps, timeline_of
from archsim.engine import Execution, des, execute
from archsim.taskgraph import GraphBuilder, TaskGraph

PRICES = {("adder", "op"): 2.0, ("ram", "read"): 5.0}


def shown(execution: Execution, prices: dict[tuple[str, str], float], clock_mhz: float = 500.0) -> Timeline:
    return timeline_of(
        execution, prices, clock_mhz=clock_mhz, leakage_mw=1.0, arch="a", workload="w", synthetic=False, sample=0
    )


def by_hand() -> TaskGraph:
    """Unit a: 4 cycles of 10 additions, then 2 cycles of 3, each holding 2 of 3 places until done; b: 3 idle-looking
    cycles, 2 cycles of 4 reads, and at the end a task without length that reads once."""
    builder = GraphBuilder(["conv", "pool"], 2)
    a, b = builder.unit("a"), builder.unit("b")
    first = builder.block(2, layer=0, unit=a, duration=np.array([4, 2]), timestep=np.array([0, 1]))
    builder.block(1, layer=1, unit=b, duration=3)
    reads = builder.block(1, layer=1, unit=b, duration=2, timestep=1)
    point = builder.block(1, layer=1, unit=b, duration=0)
    builder.holds("ram", 3, first.ids, first.ids, np.array([2, 2]))
    builder.count("adder", "op", first, np.array([10, 3]))
    builder.count("ram", "read", reads, 4)
    builder.count("ram", "read", point, 1)
    return builder.build()


def test_slices_by_hand() -> None:
    slices = shown(execute(by_hand()), PRICES).slices
    rows = zip(slices.unit, slices.start, slices.finish, [slices.labels[at] for at in slices.label], strict=True)
    assert list(rows) == [(0, 0, 4, "conv t0"), (0, 4, 6, "conv t1"), (1, 0, 3, "pool"), (1, 3, 5, "pool t1")]


def test_buffers_and_power_by_hand() -> None:
    """At 500 MHz 1 pJ per cycle is 0.5 mW. Cycles 0-2: 5; 3: 5 + 10; 4: 3 + 10; 5: 3 + 5 (the point); then nothing."""
    timeline = shown(execute(by_hand()), PRICES)
    (ram,) = timeline.buffers
    assert (ram.at.tolist(), ram.value.tolist()) == ([0, 6], [2, 0])  # freed and taken in cycle 4
    assert timeline.dynamic_mw.at.tolist() == [0, 3, 4, 5, 6]
    assert timeline.dynamic_mw.value == pytest.approx(np.array([2.5, 7.5, 6.5, 4.0, 0.0]))
    assert timeline.power_mw.value == pytest.approx(np.array([3.5, 8.5, 7.5, 5.0, 0.0]))
    assert timeline.power_mw.value[-1] == 0.0
    assert timeline.power_mw.integral * 2.0 == pytest.approx(20.0 + 6.0 + 20.0 + 5.0 + 1.0 * 12.0)  # mW x 2 ns: pJ


def test_steps_change_once_per_cycle() -> None:
    found = steps("x", np.array([5, 1, 5, 2, 2, 9]), np.array([3, 1, -3, 4, -4, -1]))
    assert (found.at.tolist(), found.value.tolist(), found.integral) == ([1, 9], [1, 0], 8.0)
    assert steps("x", np.zeros(0, np.int64), np.zeros(0, np.int64)).integral == 0.0


def test_against_every_cycle_of_random_graphs() -> None:
    checked = held = 0
    for seed in range(150):
        graph = random_graph(np.random.default_rng([22, seed]), most_tasks=30)
        start = des.start_cycles(graph)
        if np.any(start < 0):
            continue
        execution = Execution(graph, start, "des")
        prices = {(action.component, action.action): 1.0 + at / 3 for at, action in enumerate(graph.actions)}
        timeline = shown(execution, prices, 1000.0)
        energy, length = TaskEnergy(graph).at(prices), np.maximum(graph.duration, 1)
        end = int((start + length).max()) + 1
        drawn = np.zeros(end)
        for task in range(graph.tasks):
            drawn[start[task] : start[task] + length[task]] += energy[task] / length[task]
        dynamic = timeline.dynamic_mw
        assert at_cycles(dynamic.at, dynamic.value, end) == pytest.approx(drawn, rel=1e-9, abs=1e-9), seed
        assert dynamic.integral == pytest.approx(energy.sum(), rel=1e-12)
        peak = dynamic.value.max(initial=0.0)
        assert peak == pytest.approx(PeakPower(execution, 1000.0).at(prices, 0.0), rel=1e-12)
        assert timeline.power_mw.integral == pytest.approx(energy.sum() + execution.cycles, rel=1e-12)
        assert sorted(timeline.slices.task.tolist()) == np.flatnonzero(graph.duration).tolist()
        same = timeline.slices.unit[1:] == timeline.slices.unit[:-1]
        assert (timeline.slices.start[1:] >= timeline.slices.finish[:-1])[same].all()
        for curve, buffer in zip(timeline.buffers, graph.buffers, strict=True):
            assert curve.value.max(initial=0) <= buffer.capacity  # random holds may be freed before they are taken
            assert (curve.value[-1:] == 0).all()
            cycles = execution.finish[buffer.release] - start[buffer.acquire]
            assert curve.integral == (cycles * buffer.amount).sum()
            held += len(curve.at)
        checked += 1
    assert checked > 50 and held > 500


def at_cycles(at: np.ndarray, value: np.ndarray, end: int) -> np.ndarray:
    return np.concatenate([[0.0], value])[np.searchsorted(at, np.arange(end), side="right")]


def test_an_empty_graph_and_one_without_energy() -> None:
    builder = GraphBuilder(["layer"], 1)
    builder.block(1, layer=0, unit=builder.unit("a"), duration=0)
    timeline = shown(execute(builder.build()), {})
    assert len(timeline.slices.task) == len(timeline.dynamic_mw.at) == timeline.power_mw.integral == 0

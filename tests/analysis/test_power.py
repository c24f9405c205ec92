"""Peak power, by hand and by a cycle-by-cycle sum."""

from __future__ import annotations

import numpy as np
import pytest
from graphs import random_graph

import archsim
from archsim.analysis.power import PeakPower, TaskEnergy
from archsim.engine import Execution, des, execute
from archsim.taskgraph import GraphBuilder, TaskGraph

PRICES = {("adder", "op"): 2.0, ("ram", "read"): 5.0}


def two_units() -> TaskGraph:
    """Unit a: 4 cycles of 10 additions, then 2 cycles of 3; unit b beside it, from cycle 3 on: 2 cycles of 4 reads."""
    builder = GraphBuilder(["layer"], 1)
    a, b = builder.unit("a"), builder.unit("b")
    first = builder.block(2, layer=0, unit=a, duration=np.array([4, 2]))
    wait = builder.block(1, layer=0, unit=b, duration=3)
    reads = builder.block(1, layer=0, unit=b, duration=2)
    builder.edge(reads, wait.first)
    builder.count("adder", "op", first, np.array([10, 3]))
    builder.count("ram", "read", reads, 4)
    builder.count("adder", "spike", wait, 1000)  # for people to read: no price
    return builder.build()


def test_by_hand() -> None:
    """Cycles 0-2: 20 pJ / 4 = 5; cycle 3: 5 + 20 pJ / 2 = 15; cycle 4: 6 / 2 + 10 = 13; cycle 5: 3. 15 pJ/cycle at
    500 MHz (2 ns) are 7.5 mW; 1 mW leaks."""
    done = execute(two_units())
    assert TaskEnergy(done.graph).at(PRICES).tolist() == [20.0, 6.0, 0.0, 20.0]
    assert PeakPower(done, 500.0).at(PRICES, 1.0) == pytest.approx(8.5)
    assert PeakPower(done, 500.0).at({("adder", "op"): 2.0}, 1.0) == pytest.approx(1.0 + 5.0 / 2)
    assert PeakPower(done, 500.0).at({}, 1.0) == 1.0


def test_what_ends_makes_room_for_what_begins() -> None:
    """Two tasks of one unit, back to back: never both at once."""
    builder = GraphBuilder(["layer"], 1)
    tasks = builder.block(2, layer=0, unit=builder.unit("a"), duration=1)
    builder.count("adder", "op", tasks, 7)
    assert PeakPower(execute(builder.build()), 1000.0).at(PRICES, 0.0) == pytest.approx(14.0)


def test_a_task_without_length_spends_its_energy_in_one_cycle() -> None:
    builder = GraphBuilder(["layer"], 1)
    builder.count("adder", "op", builder.block(1, layer=0, unit=builder.unit("a"), duration=0), 3)
    assert PeakPower(execute(builder.build()), 1000.0).at(PRICES, 0.0) == pytest.approx(6.0)


def test_against_a_sum_over_every_cycle() -> None:
    checked = 0
    for seed in range(200):
        graph = random_graph(np.random.default_rng([21, seed]), most_tasks=30)
        start = des.start_cycles(graph)
        if np.any(start < 0) or not graph.actions:
            continue
        prices = {(action.component, action.action): 1.0 + at for at, action in enumerate(graph.actions)}
        energy, length = TaskEnergy(graph).at(prices), np.maximum(graph.duration, 1)
        drawn = np.zeros(int((start + length).max()))
        for task in range(graph.tasks):
            drawn[start[task] : start[task] + length[task]] += energy[task] / length[task]
        found = PeakPower(Execution(graph, start, "des"), 1000.0).at(prices, 0.0)
        assert found == pytest.approx(drawn.max()), seed
        checked += 1
    assert checked > 50


def test_a_run_draws_at_most_its_peak_and_the_tasks_hold_all_dynamic_energy() -> None:
    result = archsim.simulate("sata", "cnn-mnist")
    slow = archsim.simulate("sata", "cnn-mnist", overrides="clock=200 MHz")
    assert result.peak_power_mw > result.power_mw > result.static_pj / result.latency_ns
    assert result.to_json()["peak_power_mw"] == result.peak_power_mw
    assert slow.peak_power_mw < result.peak_power_mw


def test_samples_have_a_mean_and_a_spread() -> None:
    each = [archsim.simulate("sata", "cnn-mnist", samples=sample).peak_power_mw for sample in (0, 1)]
    both = archsim.simulate("sata", "cnn-mnist", samples=[0, 1])
    assert both.peak_power_mw == pytest.approx(sum(each) / 2)
    assert (both.spread["peak_power_mw"]["min"], both.spread["peak_power_mw"]["max"]) == (min(each), max(each))

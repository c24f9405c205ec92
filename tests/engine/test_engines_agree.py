"""Two engines and a literal cycle-by-cycle interpreter must find the same start cycle for every task of random
graphs."""

from __future__ import annotations

import importlib.util
import os

import numpy as np
import pytest
from graphs import random_graph
from hypothesis import given, settings
from hypothesis import strategies as st
from literal import interpret

from archsim.engine import des, execute, fast
from archsim.errors import DeadlockError
from archsim.taskgraph import DATA, SPACE, SYNC

GRAPHS = int(os.environ.get("ARCHSIM_TEST_GRAPHS", "1000"))
MOST_LITERAL_TASKS = 24


def graph_of(seed, **kwargs):
    return random_graph(np.random.default_rng([2026, seed]), **kwargs)


def test_engines_agree_on_every_start_cycle_of_random_graphs():
    for seed in range(GRAPHS):
        graph = graph_of(seed)
        rng = np.random.default_rng(seed)
        reference = des.start_cycles(graph, rng.permutation(len(graph.units)))
        np.testing.assert_array_equal(fast.start_cycles(graph, compiled=False), reference, f"graph {seed}")


def test_creation_order_of_the_units_does_not_matter():
    for seed in range(GRAPHS // 5):
        graph = graph_of(seed)
        rng = np.random.default_rng(seed)
        reference = des.start_cycles(graph)
        for _ in range(3):
            np.testing.assert_array_equal(des.start_cycles(graph, rng.permutation(len(graph.units))), reference)


@pytest.mark.parametrize("fifo_share", [0.0, 0.5, 1.0])
def test_engines_equal_the_literal_interpreter(fifo_share):
    for seed in range(GRAPHS // 3):
        graph = graph_of(seed, most_tasks=MOST_LITERAL_TASKS, fifo_share=fifo_share)
        expected = interpret(graph)
        np.testing.assert_array_equal(des.start_cycles(graph), expected, f"des, graph {seed}")
        np.testing.assert_array_equal(fast.start_cycles(graph, compiled=False), expected, f"fast, graph {seed}")


def test_max_plus_pass_equals_the_event_loop(monkeypatch):
    """Both loops of the fast engine, on graphs that either may serve."""
    both = [graph for graph in (graph_of(seed, fifo_share=0.0) for seed in range(100)) if fast._points_backward(graph)]
    assert len(both) > 20
    quick = [fast.start_cycles(graph, compiled=False) for graph in both]
    monkeypatch.setattr(fast, "_points_backward", lambda graph: False)
    for graph, expected in zip(both, quick, strict=True):
        np.testing.assert_array_equal(fast.start_cycles(graph, compiled=False), expected)


@pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="numba (extra `fast`) is not installed")
def test_compiled_loop_agrees():
    for seed in range(100):
        graph = graph_of(seed, fifo_share=(0.0, 0.5)[seed % 2])
        np.testing.assert_array_equal(fast.start_cycles(graph, compiled=True), des.start_cycles(graph), f"graph {seed}")


@given(st.integers(0, 2**32 - 1), st.integers(2, 120), st.sampled_from([0.0, 0.3, 1.0]))
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_engines_agree_on_graphs_that_hypothesis_chooses(seed, most_tasks, fifo_share):
    graph = random_graph(np.random.default_rng(seed), most_tasks, fifo_share)
    np.testing.assert_array_equal(fast.start_cycles(graph, compiled=False), des.start_cycles(graph))


def test_every_task_is_executed_exactly_once_and_in_turn():
    """A start each; tasks of one unit never overlap; in-order units serve ascending indices; nothing starts before
    its inputs."""
    for seed in range(GRAPHS // 5):
        graph = graph_of(seed)
        try:
            done = execute(graph, "des")
        except DeadlockError:
            continue
        assert done.start.shape == (graph.tasks,) and np.all(done.start >= 0)
        for number, unit in enumerate(graph.units):
            served = np.flatnonzero(graph.unit == number)
            served = served[np.lexsort((served, done.start[served]))]
            assert np.all(done.start[served[1:]] >= done.finish[served[:-1]])
            assert unit.discipline == "fifo" or np.all(np.diff(served) > 0)
        task, before, kind = graph.edges()
        assert np.all(done.start[task] >= done.finish[before] + np.where(kind == SPACE, 0, graph.latency[before]))


def test_random_graphs_contain_what_breaks_engines():
    """The generator is worth its name: each hard case is frequent, and deadlocks are a minority."""
    seen = dict.fromkeys(
        ("deadlock", "space", "sync", "forward", "join", "zero", "tie", "fifo release", "twice held"), 0
    )
    for seed in range(300):
        graph = graph_of(seed)
        task, before, kind = graph.edges()
        start = des.start_cycles(graph)
        fifo = graph.fifo[graph.unit]
        seen["deadlock"] += np.any(start < 0)
        seen["space"] += SPACE in kind
        seen["sync"] += SYNC in kind and DATA in kind
        seen["forward"] += np.any(before > task)
        seen["join"] += np.max(np.bincount(task), initial=0) > 4
        seen["zero"] += np.any(graph.duration == 0)
        seen["tie"] += len(np.unique(graph.unit[fifo] * 10_000 + ready_cycles(graph, start)[fifo])) < fifo.sum()
        seen["fifo release"] += any(np.any(fifo[buffer.release]) for buffer in graph.buffers)
        seen["twice held"] += any(len(np.unique(buffer.acquire)) < len(buffer.acquire) for buffer in graph.buffers)
    assert 15 <= seen.pop("deadlock") <= 60
    assert min(seen.values()) >= 30, seen


def ready_cycles(graph, start):
    task, before, kind = graph.edges()
    ready = np.zeros(graph.tasks, np.int64)
    np.maximum.at(
        ready, task, start[before] + graph.duration[before] + np.where(kind == SPACE, 0, graph.latency[before])
    )
    return ready

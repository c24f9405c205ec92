"""Throughput against hand-made pipelines and a literal long run of inputs back to back."""

from __future__ import annotations

import numpy as np
from graphs import random_graph

import archsim
from archsim.analysis.throughput import Throughput, note, throughput
from archsim.engine import des, execute
from archsim.taskgraph import GraphBuilder

COPIES = 60


def pipeline(*durations, places=None, latency=0):
    """One task per unit, each fed by the one before; ``places``: each hands over through a buffer of so many."""
    builder = GraphBuilder(["layer"], 1)
    spans = []
    for number, duration in enumerate(durations):
        unit = builder.unit(f"stage{number}")
        spans.append(builder.block(1, layer=0, unit=unit, duration=duration, latency=latency))
        if number:
            builder.edge(spans[-1], spans[-2].first)
            if places:
                builder.holds(f"buffer{number}", places, spans[-2].first, spans[-1].first, 1)
    return builder.build()


def test_one_unit_serves_one_input_after_the_other():
    assert throughput(pipeline(7)).interval_cycles == 7


def test_the_slowest_stage_sets_the_pace():
    assert throughput(pipeline(3, 9, 5)).interval_cycles == 9
    assert throughput(pipeline(3, 9, 5, latency=100)).interval_cycles == 9


def test_a_single_place_between_stages_makes_them_take_turns():
    """The place is held from the start of the first stage to the finish of the second: 3 + 9 cycles per input."""
    assert throughput(pipeline(3, 9, places=1)).interval_cycles == 12
    assert throughput(pipeline(3, 9, places=2)).interval_cycles == 9


def test_a_slow_unit_hidden_behind_a_long_path_is_not_overlooked():
    """Results come 9 cycles apart for the first 40 inputs, until the unit of 10 cycles per input, beside the path,
    has caught up."""
    builder = GraphBuilder(["layer"], 1)
    builder.block(1, layer=0, unit=builder.unit("beside"), duration=10)
    far = builder.block(1, layer=0, unit=builder.unit("far"), duration=9, latency=400)
    builder.edge(builder.block(1, layer=0, unit=builder.unit("end"), duration=1), far.first)
    found = throughput(builder.build())
    assert found.interval_cycles is None and "does not settle" in found.reason


def test_nothing_has_no_throughput():
    assert throughput(GraphBuilder([], 0).build()).interval_cycles is None


def test_in_order_graphs_equal_a_literal_long_run():
    found = 0
    for seed in range(300):
        graph = random_graph(np.random.default_rng([9, seed]), fifo_share=0.0, most_tasks=30)
        if np.any(des.start_cycles(graph) < 0):
            continue
        interval = throughput(graph).interval_cycles
        if interval is not None:
            found += 1
            run = graph.unrolled(COPIES)
            results = (des.start_cycles(run) + run.duration + run.latency).reshape(COPIES, graph.tasks).max(axis=1)
            assert np.all(np.diff(results)[COPIES // 2 :] == interval), seed
    assert found > 200


def test_an_interval_longer_than_one_input_is_remarked_upon():
    """Loads of inputs ahead come first at the DRAM of `sata`: one interval of cnn-mnist outlasts a lone input."""
    result = archsim.simulate("sata", "cnn-mnist")
    assert result.interval_cycles > result.cycles
    assert result.throughput_note.startswith(f"longer than the latency of one input ({result.cycles:,} cycles)")
    assert "compete for dram" in result.throughput_note
    both = archsim.simulate("sata", "cnn-mnist", samples=[0, 1])
    assert (both.interval_cycles > both.cycles) == bool(both.throughput_note)


def test_an_interval_within_the_latency_needs_no_remark():
    graph = pipeline(3, 9, 5)
    assert note(throughput(graph), execute(graph)) == ""
    assert note(Throughput(17), execute(graph)) == ""
    assert note(Throughput(18), execute(graph)).startswith("longer than the latency of one input (17 cycles)")
    assert note(Throughput(None, "no reason"), execute(graph)) == "no reason"

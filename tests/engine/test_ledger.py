"""The ledger against a recount task by task."""

from __future__ import annotations

import numpy as np
import pytest
from graphs import random_graph
from literal import count_literally

from archsim.engine.ledger import ledger_of
from archsim.taskgraph import NONE, GraphBuilder, Span, counts_by_name


def two_layers():
    """Layer conv: five tasks at t = 0, 1, 0, shared, 1; layer fc: two tasks at t = 1."""
    builder = GraphBuilder(["conv", "fc"], timesteps=2)
    conv = builder.block(5, layer=0, unit=builder.unit("array"), duration=1, timestep=[0, 1, 0, NONE, 1])
    full = builder.block(2, layer=1, unit=builder.unit("array"), duration=1, timestep=1)
    return builder, conv, full


def rows_of(graph):
    return sorted(ledger_of(graph).rows())


def test_scalar_counts_are_per_task():
    builder, conv, _ = two_layers()
    builder.count("pe", "op", conv, 3)
    assert rows_of(builder.build()) == [(0, NONE, "pe", "op", 3), (0, 0, "pe", "op", 6), (0, 1, "pe", "op", 6)]


def test_vector_counts_follow_their_tasks():
    builder, conv, _ = two_layers()
    builder.count("pe", "op", conv, np.array([1, 10, 100, 1000, 10_000]))
    assert rows_of(builder.build()) == [
        (0, NONE, "pe", "op", 1000),
        (0, 0, "pe", "op", 101),
        (0, 1, "pe", "op", 10_010),
    ]


def test_strided_span_counts_every_other_task():
    builder, conv, _ = two_layers()
    builder.count("sram", "line_read", Span(conv.first + 1, 2, 3), np.array([7, 9]))  # tasks 1 and 4, both at t = 1
    builder.count("sram", "line_read", Span(conv.first, 3, 2), 2)  # tasks 0, 2, 4
    assert rows_of(builder.build()) == [(0, 0, "sram", "line_read", 4), (0, 1, "sram", "line_read", 18)]


def test_layers_components_and_actions_stay_apart_and_repeated_actions_add_up():
    builder, conv, full = two_layers()
    for component, action in (("pe", "op"), ("sram", "op"), ("pe", "idle")):
        builder.count(component, action, full, 1)
    builder.count("pe", "op", full, np.array([5, 6]))
    builder.count("pe", "op", Span(conv.first, 1), 4)
    assert rows_of(builder.build()) == [
        (0, 0, "pe", "op", 4), (1, 1, "pe", "idle", 2), (1, 1, "pe", "op", 13), (1, 1, "sram", "op", 2),
    ]  # fmt: skip


def test_zero_counts_have_no_row():
    builder, conv, full = two_layers()
    builder.count("pe", "op", conv, 0)
    builder.count("pe", "op", full, np.array([0, 0]))
    builder.count("pe", "op", Span(0, 0), 5)
    assert rows_of(builder.build()) == []


def test_total_over_timesteps_and_layers():
    builder, conv, full = two_layers()
    builder.count("pe", "op", conv, 3)
    builder.count("pe", "op", full, np.array([5, 6]))
    builder.count("pe", "other", full, 100)
    ledger = ledger_of(builder.build())
    assert ledger.total("pe", "op") == 26
    assert ledger.total("pe", "op", layer=0) == 15
    assert ledger.total("pe", "op", layer=1) == 11
    assert ledger.total("sram", "op") == 0


def test_counts_are_64_bit_integers_and_exact_or_refused():
    builder, conv, _ = two_layers()
    builder.count("pe", "op", conv, 2**61 // 5)
    builder.count("dram", "read_bit", conv, np.array([2**52, 1, 1, 1, 1]))
    ledger = ledger_of(builder.build())
    assert ledger.count.dtype == np.int64
    assert ledger.total("pe", "op") == 2**61 // 5 * 5
    assert ledger.total("dram", "read_bit") == 2**52 + 4
    builder.count("dram", "write_bit", conv, np.full(5, 2**52))
    with pytest.raises(OverflowError):
        ledger_of(builder.build())


def test_ledger_equals_the_recount_of_random_graphs():
    for seed in range(200):
        graph = random_graph(np.random.default_rng(seed))
        found = {
            (layer, step, component, action): count for layer, step, component, action, count in ledger_of(graph).rows()
        }
        assert found == dict(count_literally(graph))


def test_totals_equal_the_sum_of_the_ledger():
    for seed in range(50):
        graph = random_graph(np.random.default_rng(seed))
        ledger = ledger_of(graph)
        for (component, action), total in counts_by_name(graph.actions).items():
            assert ledger.total(component, action) == total

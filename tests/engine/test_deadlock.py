"""A run that cannot end says why: the cycle of waits, and the least capacity that would remove it."""

from __future__ import annotations

import numpy as np
import pytest
from graphs import random_graph

from archsim.engine import des, execute
from archsim.engine.deadlock import smallest_capacity
from archsim.errors import ArchsimError, DeadlockError, MisfitError
from archsim.taskgraph import DATA, SYNC, GraphBuilder, Span


@pytest.fixture(params=["des", "fast"])
def engine(request):
    return request.param


def message(graph, engine):
    with pytest.raises(DeadlockError) as caught:
        execute(graph, engine)
    return str(caught.value)


def starved_array(capacity):
    """The array needs three tiles at once (tasks 0-2), which leave the buffer only when it has finished (task 3)."""
    builder = GraphBuilder(["conv1", "conv2"], timesteps=2)
    loads = builder.block(3, layer=0, unit=builder.unit("dma"), duration=2, timestep=1)
    compute = builder.block(1, layer=1, unit=builder.unit("array"), duration=5)
    for tile in range(3):
        builder.edge(compute, tile)
    builder.holds("weight_buffer", capacity, loads.ids, compute.first, [10, 20, 30])
    return builder.build()


def test_full_buffer_names_units_layers_buffer_and_the_smallest_capacity(engine):
    assert message(starved_array(59), engine) == (
        "deadlock: 2 of 4 tasks can never start; cycle of waits: "
        "dma task 2 (conv1, t=1) waits for space in 'weight_buffer' from array task 3 (conv2); "
        "array task 3 (conv2) waits for the result of dma task 2 (conv1, t=1); "
        "buffer 'weight_buffer' holds 59, with 60 the deadlock is gone"
    )


def test_the_smallest_capacity_is_enough_and_one_less_is_not(engine):
    assert smallest_capacity(starved_array(30), "weight_buffer") == 60
    assert execute(starved_array(60), engine).start.tolist() == [0, 2, 4, 6]
    assert execute(starved_array(30).with_capacity("weight_buffer", 60), engine).start.tolist() == [0, 2, 4, 6]
    assert "3 of 4" not in message(starved_array(59), engine)


def test_an_amount_over_the_capacity_is_a_misfit_not_a_deadlock():
    with pytest.raises(MisfitError) as caught:
        starved_array(29)
    assert (caught.value.demand, caught.value.capacity) == (30, 29)
    assert "buffer 'weight_buffer'" in str(caught.value) and "a capacity of 30" in str(caught.value)


def two_units(edges_and_kinds):
    """Tasks 0, 1 on unit a and 2, 3 on unit b, in order, with the given edges."""
    builder = GraphBuilder(["layer"], 1)
    for name in ("a", "b"):
        builder.block(2, layer=0, unit=builder.unit(name), duration=1)
    for task, before, kind in edges_and_kinds:
        builder.edge(Span(task, 1), before, kind)
    return builder.build()


def test_cycle_through_the_order_of_a_unit(engine):
    """0 waits for 3, which has its turn after 2, which waits for 1, which has its turn after 0: no buffer helps."""
    assert message(two_units([(0, 3, DATA), (2, 1, SYNC)]), engine) == (
        "deadlock: 4 of 4 tasks can never start; cycle of waits: "
        "a task 0 (layer) waits for the result of b task 3 (layer); "
        "b task 3 (layer) waits for its turn after b task 2 (layer); "
        "b task 2 (layer) waits for reaching a task 1 (layer); "
        "a task 1 (layer) waits for its turn after a task 0 (layer)"
    )


def test_cycle_of_data(engine):
    text = message(two_units([(1, 3, DATA), (3, 1, DATA)]), engine)
    assert text.startswith("deadlock: 2 of 4 tasks can never start")
    assert (
        "a task 1 (layer) waits for the result of b task 3 (layer); b task 3 (layer) waits for the result of a task 1"
        in text
    )
    assert "buffer" not in text


def test_a_task_that_waits_for_itself(engine):
    text = message(two_units([(1, 1, DATA)]), engine)
    assert text.endswith(
        "1 of 4 tasks can never start; cycle of waits: a task 1 (layer) waits for the result of a task 1 (layer)"
    )


def test_tasks_before_the_cycle_are_not_named(engine):
    """Task 0 waits for a cycle that it is not part of."""
    text = message(two_units([(1, 2, DATA), (2, 3, DATA)]), engine)
    assert (
        "cycle of waits: b task 2 (layer) waits for the result of b task 3 (layer); b task 3 (layer) waits for its turn"
        in text
    )
    assert "a task" not in text


def test_cycle_in_a_join_beyond_three_edges(engine):
    builder = GraphBuilder(["layer"], 1)
    builder.block(6, layer=0, unit=builder.unit("p", "fifo"), duration=1)
    builder.join(0, [1, 2, 3, 4, 5], DATA)
    builder.edge(Span(5, 1), 0)
    assert "p task 0 (layer) waits for the result of p task 5 (layer); p task 5 (layer) waits" in message(
        builder.build(), engine
    )


def test_two_buffers_in_one_cycle_are_both_named_with_what_each_needs(engine):
    """x and y each hold one place of a buffer that the other one needs before it lets go."""
    builder = GraphBuilder(["layer"], 1)
    for name in ("x", "y"):
        builder.block(2, layer=0, unit=builder.unit(name), duration=1)
    builder.holds("left", 1, [0, 3], [1, 3], 1)  # y's second task needs the place that x's second gives back
    builder.holds("right", 1, [2, 1], [3, 1], 1)  # and the other way round
    text = message(builder.build(), engine)
    assert "waits for space in 'left' from" in text and "waits for space in 'right' from" in text
    assert (
        "buffer 'left' holds 1, with 2 the deadlock is gone; buffer 'right' holds 1, with 2 the deadlock is gone"
        in text
    )


def test_a_buffer_that_alone_cannot_help_is_said_so(engine):
    """Two separate cycles through two buffers: neither buffer alone removes both."""
    builder = GraphBuilder(["layer"], 1)
    for number in range(2):
        first = builder.block(2, layer=0, unit=builder.unit(f"load{number}"), duration=1)
        last = builder.block(1, layer=0, unit=builder.unit(f"use{number}"), duration=1)
        builder.edge(last, first.last)
        builder.holds(f"buffer{number}", 1, first.ids, last.first, 1)
    assert message(builder.build(), engine).endswith("buffer 'buffer0' (1) alone cannot remove it")


def test_a_full_buffer_behind_other_edges_is_named(engine):
    """The waiting task has three data edges, so its space edge lies beyond the slots, and two buffers hold the same
    tasks."""
    builder = GraphBuilder(["layer"], 1)
    for number in range(3):
        builder.block(1, layer=0, unit=builder.unit(f"source{number}"), duration=1)
    load = builder.block(2, layer=0, unit=builder.unit("load"), duration=1)
    for number in range(3):
        builder.edge(Span(load.last, 1), number)
    use = builder.block(1, layer=0, unit=builder.unit("use"), duration=1)
    builder.edge(use, load.last)
    builder.holds("roomy", 2, load.ids, use.first, 1)
    builder.holds("tight", 1, load.ids, use.first, 1)
    text = message(builder.build(), engine)
    assert "load task 4 (layer) waits for space in 'tight' from use task 5" in text
    assert "roomy" not in text


def test_the_smallest_capacity_is_exact_on_random_graphs():
    """With it everything starts; with one less something does not (or does not fit). Also where the graph runs
    already."""
    checked = 0
    for seed in range(150):
        graph = random_graph(np.random.default_rng(seed))
        for buffer in graph.buffers:
            enough = smallest_capacity(graph, buffer.name)
            if enough is None:
                assert np.any(des.start_cycles(graph.with_capacity(buffer.name, int(buffer.amount.sum()))) < 0)
                continue
            checked += 1
            assert np.all(des.start_cycles(graph.with_capacity(buffer.name, enough)) >= 0)
            if enough > buffer.amount.max():
                assert np.any(des.start_cycles(graph.with_capacity(buffer.name, enough - 1)) < 0)
            else:
                assert enough == buffer.amount.max()
    assert checked > 50


def test_every_random_deadlock_is_explained_by_both_engines_alike():
    found = 0
    for seed in range(400):
        graph = random_graph(np.random.default_rng(seed))
        if np.any(des.start_cycles(graph) < 0):
            found += 1
            assert message(graph, "des") == message(graph, "fast")
    assert found > 20


def test_a_deadlock_is_an_archsim_error():
    with pytest.raises(ArchsimError):
        execute(starved_array(59))

"""The TaskGraph by hand: edges, buffers, unrolled copies, actions and the invariants that the builder keeps."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from archsim.engine import des, execute
from archsim.errors import ArchsimError, MisfitError
from archsim.taskgraph import DATA, NONE, SPACE, SYNC, GraphBuilder, Span, TaskGraph, counts_by_name

sys.path.insert(0, str(Path(__file__).parent / "engine"))
from graphs import random_graph
from literal import interpret, most_occupied


def edges_of(graph: TaskGraph) -> list[tuple[int, int, int]]:
    return sorted(zip(*(column.tolist() for column in graph.edges()), strict=True))


def builder_with(*units: tuple[str, int], duration: int = 1) -> GraphBuilder:
    """A builder with ``count`` tasks of one cycle on each (unit, count); a name that ends in ``~`` is a fifo unit."""
    builder = GraphBuilder(["layer"], 1)
    for name, count in units:
        unit = builder.unit(name.rstrip("~"), "fifo" if name.endswith("~") else "in_order")
        builder.block(count, layer=0, unit=unit, duration=duration)
    return builder


# -- columns -----------------------------------------------------------------------------------------------------------


def test_columns_in_issue_order_with_their_types():
    builder = GraphBuilder(["conv", "fc"], timesteps=2)
    builder.block(2, layer=0, unit=builder.unit("array"), duration=[5, 6], latency=3, timestep=[0, 1])
    builder.block(1, layer=1, unit=builder.unit("dram", "fifo"), duration=7)
    graph = builder.build()
    assert graph.tasks == 3 and graph.timesteps == 2 and graph.layers == ("conv", "fc")
    assert [(unit.name, unit.discipline) for unit in graph.units] == [("array", "in_order"), ("dram", "fifo")]
    assert graph.fifo.tolist() == [False, True]
    expected = {
        "unit": [0, 0, 1],
        "duration": [5, 6, 7],
        "latency": [3, 3, 0],
        "layer": [0, 0, 1],
        "timestep": [0, 1, NONE],
    }
    for name, values in expected.items():
        column = getattr(graph, name)
        assert column.dtype == np.int32 and column.tolist() == values


def test_reserved_tasks_interleave_stages_by_strided_spans():
    builder = GraphBuilder(["layer"], 1)
    first = builder.reserve(6, 0)
    even, odd = Span(first, 3, 2), Span(first + 1, 3, 2)
    builder.fill(even, unit=builder.unit("array"), duration=[1, 2, 3])
    builder.fill(odd, unit=builder.unit("neuron"), duration=9, latency=4)
    builder.edge(odd, even.ids)
    graph = builder.build()
    assert graph.unit.tolist() == [0, 1, 0, 1, 0, 1]
    assert graph.duration.tolist() == [1, 9, 2, 9, 3, 9]
    assert graph.latency.tolist() == [0, 4, 0, 4, 0, 4]
    assert edges_of(graph) == [(1, 0, DATA), (3, 2, DATA), (5, 4, DATA)]


def test_span_arithmetic():
    span = Span(4, 3, 5)
    assert span.ids.tolist() == [4, 9, 14] and span.last == 14
    assert np.arange(20)[span.slice].tolist() == [4, 9, 14]
    assert Span(4, 0).ids.tolist() == [] and np.arange(20)[Span(4, 0).slice].tolist() == []


def test_units_are_known_by_name():
    builder = GraphBuilder([], 1)
    assert [builder.unit("a"), builder.unit("b", "fifo"), builder.unit("a"), builder.unit("b", "fifo")] == [0, 1, 0, 1]
    with pytest.raises(ValueError, match="unit a is in_order, asked for as fifo"):
        builder.unit("a", "fifo")


# -- edges -------------------------------------------------------------------------------------------------------------


def test_edges_by_scalar_and_vector_with_gaps():
    builder = builder_with(("a", 3), ("b", 3))
    builder.edge(Span(3, 3), [0, NONE, 2])
    builder.edge(Span(3, 3), 1, SYNC)
    assert edges_of(builder.build()) == [(3, 0, DATA), (3, 1, SYNC), (4, 1, SYNC), (5, 1, SYNC), (5, 2, DATA)]


def test_edges_of_overlapping_spans_all_stay():
    """One span covers a part of another, with another stride: nothing overwrites anything."""
    builder = builder_with(("a", 4), ("b", 4))
    builder.edge(Span(4, 4), [0, 1, 2, 3])
    builder.edge(Span(5, 2), 0)
    builder.edge(Span(4, 2, 2), 3, SYNC)
    builder.edge(Span(7, 1), 1, SYNC)
    assert edges_of(builder.build()) == [
        (4, 0, DATA), (4, 3, SYNC), (5, 0, DATA), (5, 1, DATA), (6, 0, DATA), (6, 2, DATA), (6, 3, SYNC), (7, 1, SYNC),
        (7, 3, DATA),
    ]  # fmt: skip


@pytest.mark.parametrize("kinds", [(DATA, SYNC), (SYNC, DATA), (DATA, DATA)])
def test_duplicates_merge_and_data_wins(kinds):
    builder = builder_with(("a", 1), ("b", 1))
    for kind in kinds:
        builder.edge(Span(1, 1), 0, kind)
    assert edges_of(builder.build()) == [(1, 0, DATA)]


@pytest.mark.parametrize("kinds", [(DATA, SYNC), (SYNC, DATA), (SYNC, SYNC)])
def test_duplicates_of_a_join_merge_with_edges_and_joins(kinds):
    winner = DATA if DATA in kinds else SYNC
    by_edge = builder_with(("a", 1), ("b", 1))
    by_edge.edge(Span(1, 1), 0, kinds[0])
    by_edge.join(1, [0], kinds[1])
    by_joins = builder_with(("a", 1), ("b", 1))
    by_joins.join(1, [0, 0], kinds[0])
    by_joins.join(1, [0], kinds[1])
    assert edges_of(by_edge.build()) == edges_of(by_joins.build()) == [(1, 0, winner)]


def test_a_space_edge_merges_into_the_edge_that_is_there():
    """Task 2 waits for the result of task 1 anyway, which also frees its place."""
    for kind in (DATA, SYNC):
        for state in ("edge", "edge behind a gap", "join"):
            builder = builder_with(("a", 1), ("b", 1), ("c", 1))
            if state == "edge behind a gap":
                builder.edge(Span(2, 1), NONE)
            if state == "join":
                builder.join(2, [1], kind)
            else:
                builder.edge(Span(2, 1), 1, kind)
            builder.holds("buffer", 1, [0, 2], [1, 2], 1)
            assert edges_of(builder.build()) == [(2, 1, kind)], state


def test_at_most_three_edges_except_into_joins():
    builder = builder_with(("a", 5), ("b", 1))
    for before in range(3):
        builder.edge(Span(5, 1), before)
    with pytest.raises(ValueError, match="more than 3 edges into a task; only joins may have more"):
        builder.edge(Span(5, 1), 3)
    builder.join(5, [3, 4])
    assert edges_of(builder.build()) == [(5, 0, DATA), (5, 1, DATA), (5, 2, DATA), (5, 3, SYNC), (5, 4, SYNC)]


def test_barrier_is_a_zero_length_task_on_the_in_order_unit_sync():
    builder = builder_with(("a", 5))
    barrier = builder.barrier(0, [0, 4, 4, 2, 1, 3])
    graph = builder.build()
    assert barrier == 5 and graph.duration[5] == 0
    unit = graph.units[graph.unit[5]]
    assert (unit.name, unit.discipline) == ("sync", "in_order")
    assert edges_of(graph) == [(5, before, SYNC) for before in range(5)]


def test_no_random_graph_has_an_edge_twice():
    for seed in range(150):
        pairs = [(task, before) for task, before, _ in edges_of(random_graph(np.random.default_rng(seed)))]
        assert len(pairs) == len(set(pairs)), seed


# -- buffers -----------------------------------------------------------------------------------------------------------


def test_space_edges_of_a_ring_of_two_places():
    builder = builder_with(("load", 4), ("use", 4))
    builder.holds("tiles", 2, [0, 1, 2, 3], [4, 5, 6, 7], 1)
    assert edges_of(builder.build()) == [(2, 4, SPACE), (3, 5, SPACE)]


def test_space_edges_of_unequal_amounts():
    """Capacity 5, amounts 2 3 4 1 5: hold 2 needs 0 and 1 gone, 3 fits beside 2, 4 needs all gone."""
    builder = builder_with(("load", 5), ("use", 5))
    builder.holds("tiles", 5, range(5), range(5, 10), [2, 3, 4, 1, 5])
    assert edges_of(builder.build()) == [(2, 6, SPACE), (3, 6, SPACE), (4, 8, SPACE)]


def test_space_edges_to_releases_that_may_finish_in_any_order():
    """Releases on a fifo unit: none stands for the others, so an edge for each that is newly needed."""
    builder = builder_with(("load", 4), ("store~", 4))
    builder.holds("tiles", 3, range(4), range(4, 8), [1, 2, 3, 3])
    assert edges_of(builder.build()) == [(2, 4, SPACE), (2, 5, SPACE), (3, 6, SPACE)]


def test_releases_out_of_turn_on_an_in_order_unit_are_all_waited_for():
    """The first hold is released by the last task: the latest hold's release does not stand for it."""
    builder = builder_with(("load", 3), ("use", 3))
    builder.holds("tiles", 3, [0, 1, 2], [5, 3, 4], [1, 1, 3])
    assert edges_of(builder.build()) == [(2, 3, SPACE), (2, 5, SPACE)]


def test_acquires_that_may_start_in_any_order_each_wait_for_all():
    """Loads on a fifo unit: the third may start before the second, so it cannot lean on the second's edges."""
    builder = builder_with(("load~", 3), ("store~", 3))
    builder.holds("tiles", 1, range(3), range(3, 6), 1)
    assert edges_of(builder.build()) == [(1, 3, SPACE), (2, 3, SPACE), (2, 4, SPACE)]


def test_acquires_on_several_in_order_units_lean_on_their_own_unit_only():
    builder = builder_with(("left", 2), ("right", 2), ("store~", 4))
    builder.holds("tiles", 1, [0, 2, 1, 3], [4, 5, 6, 7], 1)
    assert edges_of(builder.build()) == [
        (1, 4, SPACE), (1, 5, SPACE), (2, 4, SPACE), (3, 5, SPACE), (3, 6, SPACE),
    ]  # fmt: skip


def test_space_edges_beyond_three_keep_their_buffer():
    builder = builder_with(("load", 6), ("store~", 5))
    builder.holds("other", 100, range(6), 10, 1)
    builder.holds("tiles", 5, range(6), [6, 7, 8, 9, 10, 10], [1, 1, 1, 1, 1, 5])
    graph = builder.build()
    assert edges_of(graph) == [(5, before, SPACE) for before in range(6, 11)]
    assert graph.space_buffer[5].tolist() == [1, 1, 1]
    assert graph.extra.tolist() == [[5, 9, SPACE, 1], [5, 10, SPACE, 1]]


def test_holds_stated_in_parts_are_one_ring():
    builder = builder_with(("load", 3), ("use", 3))
    for tile in range(3):
        builder.holds("tiles", 1, tile, 3 + tile, 1)
    assert edges_of(builder.build()) == [(1, 3, SPACE), (2, 4, SPACE)]
    with pytest.raises(ValueError, match="buffer tiles has capacity 1, asked for as 2"):
        builder.holds("tiles", 2, 0, 3, 1)


def test_an_amount_over_the_capacity_is_a_misfit_with_its_levers():
    builder = builder_with(("load", 2), ("use", 2))
    builder.holds("tiles", 7, [0, 1], [2, 3], [3, 9], levers=["a size of 9"])
    with pytest.raises(
        MisfitError, match="buffer 'tiles': demands 9 places, there are 7 places; would fit with a size of 9"
    ):
        builder.build()


def test_with_capacity_derives_the_edges_anew():
    builder = builder_with(("load", 4), ("use", 4), duration=3)
    builder.edge(Span(4, 4), [0, 1, 2, 3])
    builder.holds("tiles", 1, [0, 1, 2, 3], [4, 5, 6, 7], 1)
    builder.holds("other", 2, [0, 1, 2, 3], [4, 5, 6, 7], 1)
    graph = builder.build()
    data = [(task, task - 4, DATA) for task in range(4, 8)]
    one, two = [(task, task + 3, SPACE) for task in (1, 2, 3)], [(task, task + 2, SPACE) for task in (2, 3)]
    assert edges_of(graph) == sorted(data + one + two)
    wider = graph.with_capacity("tiles", 2)
    assert edges_of(wider) == sorted(data + two)
    assert edges_of(wider.with_capacity("tiles", 1)) == edges_of(graph)
    assert edges_of(graph.with_capacity("tiles", 9).with_capacity("other", 9)) == data
    assert [buffer.capacity for buffer in wider.buffers] == [2, 2] and [
        buffer.capacity for buffer in graph.buffers
    ] == [1, 2]
    assert execute(graph).cycles == 24 and execute(wider).cycles == 15


def test_with_capacity_of_an_unknown_buffer():
    builder = builder_with(("load", 1))
    builder.holds("tiles", 1, 0, 0, 1)
    with pytest.raises(ArchsimError, match=r"no buffer named 'tile' \(there are: tiles\)"):
        builder.build().with_capacity("tile", 2)


def test_with_capacity_equals_building_with_that_capacity():
    for seed in range(100):
        graph = random_graph(np.random.default_rng(seed))
        for buffer in graph.buffers:
            more = graph.with_capacity(buffer.name, buffer.capacity + 3)
            assert edges_of(more.with_capacity(buffer.name, buffer.capacity)) == edges_of(graph)
            np.testing.assert_array_equal(des.start_cycles(more), interpret(more))


def test_occupancy_never_exceeds_the_capacity_in_any_executed_graph():
    """Counted literally from start and finish cycles; and full buffers are seen, so the check can fail."""
    full = 0
    for seed in range(600):
        graph = random_graph(np.random.default_rng(seed))
        start = des.start_cycles(graph)
        if np.all(start >= 0):
            for number, buffer in enumerate(graph.buffers):
                most = most_occupied(graph, start, number)
                assert most <= buffer.capacity, (seed, buffer.name)
                full += most == buffer.capacity
    assert full > 25


def test_another_slot_never_lengthens_a_graph_whose_units_are_all_in_order():
    shortened = 0
    for seed in range(400):
        graph = random_graph(np.random.default_rng(seed), fifo_share=0.0)
        start = des.start_cycles(graph)
        for buffer in graph.buffers:
            slower = start if np.all(start >= 0) else np.where(start >= 0, start, np.iinfo(np.int64).max)
            quicker = des.start_cycles(graph.with_capacity(buffer.name, buffer.capacity + 1))
            assert np.all((quicker <= slower) & ((quicker >= 0) | (start < 0))), (seed, buffer.name)
            shortened += np.any(quicker != start)
    assert shortened > 20


# -- unrolled copies ---------------------------------------------------------------------------------------------------


def two_stages() -> TaskGraph:
    builder = GraphBuilder(["layer"], 3)
    first = builder.block(2, layer=0, unit=builder.unit("load"), duration=[2, 3], latency=[0, 1], timestep=[0, 2])
    second = builder.block(1, layer=0, unit=builder.unit("use"), duration=4)
    builder.edge(second, first.last)
    builder.join(second.first, [0], SYNC)
    builder.holds("tiles", 3, [0, 1], second.first, [1, 2])
    builder.count("load", "op", first, 1)
    return builder.build()


def test_unrolled_repeats_tasks_edges_and_holds():
    graph = two_stages().unrolled(3)
    assert graph.tasks == 9
    assert graph.duration.tolist() == [2, 3, 4] * 3 and graph.latency.tolist() == [0, 1, 0] * 3
    assert graph.unit.tolist() == [0, 0, 1] * 3 and graph.timestep.tolist() == [0, 2, NONE] * 3
    inside = [(2 + 3 * c, 3 * c, SYNC) for c in range(3)] + [(2 + 3 * c, 1 + 3 * c, DATA) for c in range(3)]
    across = [(3, 2, SPACE), (4, 2, SPACE), (6, 5, SPACE), (7, 5, SPACE)]
    assert edges_of(graph) == sorted(inside + across)
    assert graph.buffers[0].acquire.tolist() == [0, 1, 3, 4, 6, 7]
    assert graph.actions == ()
    #   load 0-2, 2-5 (there at 6), use 6-10; then the tiles are free: the next copy starts at 10
    assert execute(graph).start.tolist() == [0, 2, 6, 10, 12, 16, 20, 22, 26]


def test_carried_edges_reach_their_distance_back():
    graph = two_stages().unrolled(4, [(0, 2, DATA, 1), (1, 2, SYNC, 2)])
    assert [edge for edge in edges_of(graph) if edge[2] != SPACE and edge[0] // 3 != edge[1] // 3] == [
        (3, 2, DATA), (6, 5, DATA), (7, 2, SYNC), (9, 8, DATA), (10, 5, SYNC),
    ]  # fmt: skip
    with pytest.raises(ValueError, match="space edges come from buffers"):
        two_stages().unrolled(2, [(0, 2, SPACE, 1)])


def test_unrolled_once_is_the_graph_itself():
    graph = two_stages()
    assert edges_of(graph.unrolled(1, [(0, 2, DATA, 1)])) == edges_of(graph)
    np.testing.assert_array_equal(execute(graph.unrolled(1)).start, execute(graph).start)


def test_the_first_copy_of_an_in_order_graph_is_not_disturbed_by_the_next_ones():
    for seed in range(100):
        graph = random_graph(np.random.default_rng(seed), fifo_share=0.0)
        np.testing.assert_array_equal(des.start_cycles(graph.unrolled(3))[: graph.tasks], des.start_cycles(graph))


def test_unrolled_random_graphs_keep_their_buffers_within_capacity():
    for seed in range(60):
        graph = random_graph(np.random.default_rng(seed), most_tasks=20).unrolled(3)
        start = des.start_cycles(graph)
        np.testing.assert_array_equal(start, interpret(graph))
        for number, buffer in enumerate(graph.buffers):
            assert np.any(start < 0) or most_occupied(graph, start, number) <= buffer.capacity


# -- actions -----------------------------------------------------------------------------------------------------------


def test_actions_of_a_task():
    builder = builder_with(("a", 6))
    builder.count("pe", "op", Span(0, 6), 2)
    builder.count("pe", "op", Span(1, 3, 2), np.array([10, 20, 30]))
    builder.count("sram", "line_read", Span(4, 2), 7)
    graph = builder.build()
    assert graph.actions_of(0) == {("pe", "op"): 2}
    assert graph.actions_of(3) == {("pe", "op"): 22}
    assert graph.actions_of(5) == {("pe", "op"): 32, ("sram", "line_read"): 7}
    assert counts_by_name(graph.actions) == {("pe", "op"): 72, ("sram", "line_read"): 14}


# -- invariants --------------------------------------------------------------------------------------------------------


def test_counts_are_one_number_or_one_per_task_as_integers():
    builder = builder_with(("a", 3))
    with pytest.raises(ValueError, match=r"pe.op: \(2,\) counts for 3 tasks"):
        builder.count("pe", "op", Span(0, 3), np.array([1, 2]))
    with pytest.raises(ValueError, match=r"pe.op: counts must be int64, not float64"):
        builder.count("pe", "op", Span(0, 3), np.array([1.0, 2.0, 3.0]))


@pytest.mark.parametrize("span", [Span(1, 2), Span(0, 2, 3), Span(3, 2), Span(4, 1), Span(-1, 1)])
def test_spans_lie_within_tasks_reserved_together(span):
    """Two blocks of two tasks: an action or an edge of tasks from both, or beyond them, is a mistake."""
    builder = builder_with(("a", 2), ("b", 2))
    with pytest.raises(ValueError, match="were not reserved together"):
        builder.count("pe", "op", span, 1)
    with pytest.raises(ValueError, match="were not reserved together"):
        builder.edge(span, 0)


def test_nothing_to_connect_is_nothing_to_do():
    builder = builder_with(("a", 2), ("b", 0))
    builder.edge(Span(2, 0), 0)
    builder.join(1, [])
    assert edges_of(builder.build()) == []


def test_reserved_tasks_must_be_filled():
    builder = GraphBuilder(["layer"], 1)
    first = builder.reserve(3, 0)
    builder.fill(Span(first, 1), unit=builder.unit("a"), duration=1)
    with pytest.raises(ValueError, match="2 tasks were reserved but never filled"):
        builder.build()


@pytest.mark.parametrize("wrong", [{"duration": -1}, {"duration": 1, "latency": -1}])
def test_negative_cycles_are_refused(wrong):
    builder = GraphBuilder(["layer"], 1)
    builder.block(1, layer=0, unit=builder.unit("a"), **wrong)
    with pytest.raises(ValueError, match="negative duration or latency"):
        builder.build()


def test_a_fifo_task_lasts_at_least_a_cycle():
    builder = builder_with(("a", 1), duration=0)
    builder.build()
    with pytest.raises(ValueError, match="a task on a fifo unit lasts at least one cycle"):
        builder_with(("a~", 1), duration=0).build()


@pytest.mark.parametrize("before", [2, -2, 100])
def test_edges_come_from_tasks_that_exist(before):
    by_edge, by_join, into = (builder_with(("a", 2)) for _ in range(3))
    by_edge.edge(Span(1, 1), before)
    by_join.join(1, [before])
    into.join(before, [0])
    for builder in (by_edge, by_join, into):
        with pytest.raises(ValueError, match="edge from or to a task that does not exist"):
            builder.build()


def test_space_edges_are_not_stated_by_hand():
    by_edge, by_join = builder_with(("a", 2)), builder_with(("a", 2))
    by_edge.edge(Span(1, 1), 0, SPACE)
    by_join.join(1, [0], SPACE)
    for builder in (by_edge, by_join):
        with pytest.raises(ValueError, match="space edges come from buffers"):
            builder.build()


def test_holds_name_tasks_that_exist_and_amounts_that_are_not_negative():
    for acquire, release, amount in ((2, 0, 1), (0, 2, 1), (-1, 0, 1), (0, -1, 1), (0, 1, -1)):
        builder = builder_with(("a", 2))
        builder.holds("tiles", 3, acquire, release, amount)
        with pytest.raises(ValueError, match="buffer tiles: holds of tasks that do not exist, or negative amounts"):
            builder.build()

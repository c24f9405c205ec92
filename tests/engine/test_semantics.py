"""Start cycles worked out by hand from DESIGN.md section 3, for both engines."""

from __future__ import annotations

import numpy as np
import pytest

from archsim.engine import Execution, des, execute, fast
from archsim.engine import numba_is_there as compiler_is_there
from archsim.taskgraph import DATA, NONE, SYNC, GraphBuilder, TaskGraph

FIFO = "fifo"


def graph_of(tasks, holds=(), fifo=()) -> TaskGraph:
    """Tasks as (unit, duration, latency, predecessors); a predecessor is an index or (index, kind). Holds as for the
    builder."""
    builder = GraphBuilder(["layer"], 1)
    spans = []
    for unit, duration, latency, _ in tasks:
        number = builder.unit(unit, FIFO if unit in fifo else "in_order")
        spans.append(builder.block(1, layer=0, unit=number, duration=duration, latency=latency))
    for span, (_, _, _, predecessors) in zip(spans, tasks, strict=True):
        for predecessor in predecessors:
            before, kind = predecessor if isinstance(predecessor, tuple) else (predecessor, DATA)
            builder.edge(span, before, kind)
    for hold in holds:
        builder.holds(*hold)
    return builder.build()


def starts(engine: str, graph: TaskGraph) -> list[int]:
    if engine == "compiled":
        return fast.start_cycles(graph, compiled=True).tolist()
    return execute(graph, engine).start.tolist()


@pytest.fixture(params=["des", "fast"])
def engine(request):
    return request.param


# -- start = max(unit free, result of every predecessor there, 0) ------------------------------------------------------


def test_empty_graph(engine):
    done = execute(GraphBuilder([], 0).build(), engine)
    assert done.start.tolist() == [] and done.cycles == 0


def test_one_task_starts_at_zero_and_the_makespan_includes_its_latency(engine):
    done = execute(graph_of([("a", 3, 4, [])]), engine)
    assert (done.start.tolist(), done.finish.tolist(), done.cycles) == ([0], [3], 7)


def test_in_order_unit_serves_ascending_index_even_if_a_later_task_is_ready_first(engine):
    graph = graph_of([("b", 5, 0, []), ("a", 2, 0, [0]), ("a", 1, 0, [])])
    assert starts(engine, graph) == [0, 5, 7]


def test_start_waits_for_the_latest_of_unit_and_predecessors(engine):
    #            0: a 0-4       1: b 0-6      2: a after 0 -> at 6      3: b at 6, its unit is free at 6
    graph = graph_of([("a", 4, 0, []), ("b", 6, 0, []), ("a", 3, 0, [0, 1]), ("b", 1, 0, [0])])
    assert starts(engine, graph) == [0, 0, 6, 6]


def test_edge_may_point_forward_in_index_across_units(engine):
    graph = graph_of([("a", 2, 0, [1]), ("b", 3, 0, [])])
    assert starts(engine, graph) == [3, 0]


def test_many_predecessors_in_all_slots(engine):
    graph = graph_of(
        [("a", 2, 0, []), ("b", 9, 0, []), ("c", 4, 0, []), ("d", 1, 0, [0, 1, 2]), ("e", 1, 0, [0, 2, 1])]
    )
    assert starts(engine, graph) == [0, 0, 0, 9, 9]


def test_join_waits_for_the_latest_of_many(engine):
    builder = GraphBuilder(["layer"], 1)
    for number, duration in enumerate((3, 8, 1, 2, 7)):
        builder.block(1, layer=0, unit=builder.unit(f"u{number}"), duration=duration)
    barrier = builder.barrier(0, range(5))
    after = builder.block(2, layer=0, unit=builder.unit("u2"), duration=1)
    builder.edge(after, barrier, SYNC)
    assert starts(engine, builder.build()) == [0, 0, 0, 0, 0, 8, 8, 9]


# -- latency -----------------------------------------------------------------------------------------------------------


def test_latency_delays_the_result_but_not_the_unit(engine):
    """A pipeline: three tasks of 2 cycles, each result 10 later, arrive 2 cycles apart."""
    graph = graph_of([("a", 2, 10, [])] * 3 + [("b", 1, 0, [0]), ("b", 1, 0, [1]), ("b", 1, 0, [2])])
    assert starts(engine, graph) == [0, 2, 4, 12, 14, 16]


@pytest.mark.parametrize("kind", [DATA, SYNC])
def test_data_and_sync_wait_for_the_latency(engine, kind):
    assert starts(engine, graph_of([("a", 2, 5, []), ("b", 1, 0, [(0, kind)])])) == [0, 7]


def test_space_is_freed_at_the_finish_not_at_the_result(engine):
    """One place: task 1 takes it again as soon as task 0 has finished at 2, though its result is there at 7."""
    graph = graph_of([("a", 2, 5, []), ("b", 1, 0, [])], holds=[("place", 1, [0, 1], [0, 1], 1)])
    assert starts(engine, graph) == [0, 2]


def test_zero_length_task_with_latency(engine):
    graph = graph_of([("a", 0, 3, []), ("a", 0, 0, []), ("b", 1, 0, [0]), ("c", 1, 0, [1])])
    assert starts(engine, graph) == [0, 0, 3, 0]


def test_latency_of_a_fifo_task(engine):
    graph = graph_of([("dram", 2, 7, []), ("dram", 2, 7, []), ("b", 1, 0, [0]), ("b", 1, 0, [1])], fifo=["dram"])
    assert starts(engine, graph) == [0, 2, 9, 11]


def test_two_edges_from_one_task_with_different_arrivals(engine):
    """Task 0 frees its place at 2 (task 1 starts), and its result is there at 6 (task 2 starts)."""
    graph = graph_of([("a", 2, 4, []), ("b", 1, 0, []), ("c", 1, 0, [0])], holds=[("place", 1, [0, 1], [0, 1], 1)])
    assert starts(engine, graph) == [0, 2, 6]


# -- buffers -----------------------------------------------------------------------------------------------------------


def test_double_buffer_lets_loads_run_one_tile_ahead(engine):
    """Loads of 2 cycles into two places, computes of 5: load 2 waits for compute 0, load 3 for compute 1."""
    load, compute = [("dma", 2, 0, [])] * 4, [("pe", 5, 0, [n]) for n in range(4)]
    graph = graph_of(load + compute, holds=[("tiles", 2, [0, 1, 2, 3], [4, 5, 6, 7], 1)])
    assert starts(engine, graph) == [0, 2, 7, 12, 2, 7, 12, 17]


def test_unequal_amounts_wait_for_as_many_releases_as_needed(engine):
    """Capacity 5: 2 + 3 fit, 4 needs both gone (compute 1 ends at 12), 1 fits beside it."""
    load, compute = [("dma", 2, 0, [])] * 4, [("pe", 5, 0, [n]) for n in range(4)]
    graph = graph_of(load + compute, holds=[("tiles", 5, [0, 1, 2, 3], [4, 5, 6, 7], [2, 3, 4, 1])])
    assert starts(engine, graph) == [0, 2, 12, 14, 2, 7, 14, 19]


def test_releases_out_of_order_on_two_units(engine):
    """Two places, the first hold is released at 10, the second at 3: the third in a ring waits for the first."""
    graph = graph_of(
        [("dma", 1, 0, []), ("dma", 1, 0, []), ("dma", 1, 0, []), ("slow", 9, 0, [0]), ("quick", 1, 0, [1])],
        holds=[("ring", 2, [0, 1, 2], [3, 4, 2], 1)],
    )
    assert starts(engine, graph) == [0, 1, 10, 1, 2]


# -- the two phases of a cycle -----------------------------------------------------------------------------------------


def test_fifo_serves_the_earliest_ready_not_the_lowest_index(engine):
    #   0 is ready at 5, 1 at 3, 2 at 1; the unit is free all along
    graph = graph_of(
        [("p", 4, 0, [3]), ("p", 4, 0, [4]), ("p", 4, 0, [5]), ("x", 5, 0, []), ("y", 3, 0, []), ("z", 1, 0, [])],
        fifo=["p"],
    )  # fmt: skip
    assert starts(engine, graph)[:3] == [9, 5, 1]


def test_fifo_breaks_ties_of_ready_by_lowest_index(engine):
    """All three arrive at 2, by units that are made in the opposite order: 0, 1, 2 is the order of service."""
    graph = graph_of(
        [("p", 3, 0, [5]), ("p", 3, 0, [4]), ("p", 3, 0, [3]), ("x", 2, 0, []), ("y", 2, 0, []), ("z", 2, 0, [])],
        fifo=["p"],
    )  # fmt: skip
    assert starts(engine, graph)[:3] == [2, 5, 8]


def test_ties_among_those_who_queue_while_the_unit_is_busy(engine):
    """1 and 2 become ready at 3, during task 0 (0-10); 3 at 2. Served 3, 1, 2."""
    graph = graph_of(
        [
            ("p", 10, 0, []),
            ("p", 1, 0, [5]),
            ("p", 1, 0, [4]),
            ("p", 1, 0, [6]),
            ("x", 3, 0, []),
            ("y", 3, 0, []),
            ("z", 2, 0, []),
        ],
        fifo=["p"],
    )
    assert starts(engine, graph)[:4] == [0, 11, 12, 10]


def test_arrival_in_the_cycle_of_a_finish_takes_part_in_the_grant(engine):
    """The port is freed at 4 by task 2; task 0 becomes ready in that very cycle, task 1 was ready at 4 too: lowest
    index wins."""
    graph = graph_of(
        [("p", 2, 0, [4]), ("p", 2, 0, [3]), ("p", 4, 0, []), ("x", 4, 0, []), ("y", 4, 0, [])], fifo=["p"]
    )
    assert starts(engine, graph)[:3] == [4, 6, 0]


def test_earlier_ready_wins_over_an_arrival_in_the_cycle_of_the_finish(engine):
    graph = graph_of(
        [("p", 2, 0, [4]), ("p", 2, 0, [3]), ("p", 4, 0, []), ("x", 1, 0, []), ("y", 4, 0, [])], fifo=["p"]
    )
    assert starts(engine, graph)[:3] == [6, 4, 0]


def test_the_grant_comes_after_a_chain_of_zero_length_tasks_in_the_same_cycle(engine):
    """At 3, task 1 of the port is ready at once, task 0 only behind three zero-length tasks: still the same cycle, so
    0 goes first."""
    graph = graph_of(
        [("p", 2, 0, [4]), ("p", 2, 0, [5]), ("a", 0, 0, [5]), ("b", 0, 0, [2]), ("c", 0, 0, [3]), ("x", 3, 0, [])],
        fifo=["p"],
    )  # fmt: skip
    assert starts(engine, graph) == [3, 5, 3, 3, 3, 0]


def test_a_finish_that_feeds_its_own_fifo_unit_joins_the_grant_of_that_cycle(engine):
    """Task 2 (0-3) feeds task 0 of the same port; task 1 becomes ready at 3 as well: 0 is lower."""
    graph = graph_of([("p", 1, 0, [2]), ("p", 1, 0, [3]), ("p", 3, 0, []), ("x", 3, 0, [])], fifo=["p"])
    assert starts(engine, graph) == [3, 4, 0, 0]


def test_at_cycle_zero_zero_length_tasks_come_before_the_first_grant(engine):
    graph = graph_of([("p", 5, 0, [2]), ("p", 5, 0, []), ("a", 0, 0, [3]), ("b", 0, 0, [])], fifo=["p"])
    assert starts(engine, graph) == [0, 5, 0, 0]


def test_zero_length_chain_across_units_stays_in_its_cycle(engine):
    graph = graph_of([("a", 2, 0, []), ("b", 0, 0, [0]), ("c", 0, 0, [1]), ("b", 0, 0, [2]), ("a", 1, 0, [3])])
    assert starts(engine, graph) == [0, 2, 2, 2, 2]


def test_fifo_is_not_preemptive(engine):
    """Task 1 starts at 0 because nothing else is ready; task 0, lower, is ready at 1 and waits until 8."""
    graph = graph_of([("p", 1, 0, [2]), ("p", 8, 0, []), ("x", 1, 0, [])], fifo=["p"])
    assert starts(engine, graph) == [8, 0, 0]


def test_two_fifo_units_grant_in_the_same_cycle_independently(engine):
    graph = graph_of([("q", 2, 0, [2]), ("p", 2, 0, [2]), ("x", 3, 0, []), ("q", 1, 0, [1])], fifo=["p", "q"])
    assert starts(engine, graph) == [3, 3, 0, 5]


def test_ready_counts_from_the_last_arrival(engine):
    """Task 0 has one input at 1 and one at 6; task 1 both at 2 and 5: task 1 was ready first. The port is busy until
    7."""
    units = [("x", 1, 0, []), ("y", 6, 0, []), ("z", 2, 0, []), ("v", 5, 0, [])]
    graph = graph_of([("p", 1, 0, [3, 4]), ("p", 1, 0, [5, 6]), ("p", 7, 0, []), *units], fifo=["p"])
    assert starts(engine, graph)[:3] == [8, 7, 0]


def test_space_makes_a_fifo_task_ready_too(engine):
    """Task 2 may only ask for the port when task 0's place is free at 4; task 3 asked at 1 and is served first."""
    graph = graph_of(
        [("p", 4, 0, []), ("x", 1, 0, []), ("p", 1, 0, []), ("p", 2, 0, [1])],
        holds=[("place", 1, [0, 2], [0, 2], 1)], fifo=["p"],
    )  # fmt: skip
    assert starts(engine, graph) == [0, 0, 6, 4]


def test_in_order_start_between_grants_of_one_fifo_unit(engine):
    """Port, array and port again: 0 (0-2) feeds the array (2-5), which feeds 3 at 5; 2 was ready all along and goes
    at 2."""
    graph = graph_of([("p", 2, 0, []), ("a", 3, 0, [0]), ("p", 6, 0, []), ("p", 1, 0, [1])], fifo=["p"])
    assert starts(engine, graph) == [0, 2, 2, 8]


def test_engines_do_not_touch_the_graph(engine):
    graph = graph_of([("p", 2, 1, []), ("a", 0, 0, [0])], holds=[("place", 3, [0, 1], [1, 1], 1)], fifo=["p"])
    columns = ("unit", "duration", "latency", "pred", "kind", "extra", "space_buffer")
    before = [getattr(graph, name).copy() for name in columns]
    execute(graph, engine)
    for name, column in zip(columns, before, strict=True):
        np.testing.assert_array_equal(getattr(graph, name), column)


# -- the door ----------------------------------------------------------------------------------------------------------


def test_auto_takes_des_for_small_graphs_and_fast_for_large_ones(monkeypatch):
    graph = graph_of([("a", 1, 0, []), ("a", 1, 0, [])])
    assert execute(graph).engine == "des"
    monkeypatch.setattr("archsim.engine.DES_UP_TO_TASKS", 1)
    assert execute(graph).engine == "fast"


def test_execution_is_64_bit():
    """Start, finish and makespan beyond 2**31 cycles."""
    graph = graph_of([("a", 2**31 - 1, 0, []), ("a", 2**31 - 1, 2**31 - 1, []), ("b", 1, 0, [1])])
    for name in ("des", "fast"):
        done = execute(graph, name)
        assert isinstance(done, Execution) and done.start.dtype == done.finish.dtype == np.int64
        assert done.start.tolist() == [0, 2**31 - 1, 3 * (2**31 - 1)] and done.cycles == 3 * (2**31 - 1) + 1


@pytest.mark.skipif(not compiler_is_there(), reason="numba (extra `fast`) is not installed")
def test_compiled_loop_is_64_bit():
    graph = graph_of([("a", 2**31 - 1, 0, []), ("p", 2**31 - 1, 2**31 - 1, [0]), ("b", 1, 0, [1])], fifo=["p"])
    assert starts("compiled", graph) == [0, 2**31 - 1, 3 * (2**31 - 1)]


def test_des_accepts_any_creation_order():
    graph = graph_of([("p", 3, 0, [2]), ("p", 3, 0, [3]), ("y", 2, 0, []), ("x", 2, 0, [])], fifo=["p"])
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        assert des.start_cycles(graph, np.array(order)).tolist() == [2, 5, 0, 0]


def test_tasks_that_can_never_start_are_marked_and_the_rest_runs():
    graph = graph_of([("a", 2, 0, []), ("b", 1, 0, [2]), ("c", 1, 0, [1]), ("a", 1, 0, [])])
    for found in (des.start_cycles(graph), fast.start_cycles(graph, compiled=False)):
        assert found.tolist() == [0, NONE, NONE, 2]

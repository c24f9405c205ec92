"""Where the cycles went: every bucket by hand, and on random graphs against the rules applied cycle by cycle."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from graphs import random_graph
from literal import attribute_literally, critical_path_literally

from archsim.analysis.attribution import LATENCY, Attribution, PathShare, attribute
from archsim.engine import Execution, des, execute
from archsim.taskgraph import DATA, NONE, SYNC, GraphBuilder


class Chip:
    """A graph task by task: ``task(unit, duration, latency=0, data=[...], sync=[...])`` returns its index; fifo units
    end in ``~``."""

    def __init__(self, layers=("layer",)):
        self.builder = GraphBuilder(layers, 1)

    def task(self, unit, duration, latency=0, data=(), sync=(), layer=0):
        number = self.builder.unit(unit.rstrip("~"), "fifo" if unit.endswith("~") else "in_order")
        span = self.builder.block(1, layer=layer, unit=number, duration=duration, latency=latency)
        for kind, befores in ((DATA, data), (SYNC, sync)):
            for before in befores:
                self.builder.edge(span, before, kind)
        return span.first

    def run(self):
        done = execute(self.builder.build())
        return done, attribute(done)


def buckets(found: Attribution, unit: str) -> dict:
    time = next(time for time in found.units if time.unit == unit)
    named = {"busy": time.busy, "idle": time.idle, "starved": dict(time.starved), "blocked": dict(time.blocked)}
    return {key: value for key, value in (named | {"arbitration": dict(time.arbitration)}).items() if value}


def path(found: Attribution) -> set:
    return {(share.unit, share.layer, share.what, share.cycles) for share in found.path}


# -- one bucket after the other ----------------------------------------------------------------------------------------


def test_busy_and_idle_after_the_last_task():
    chip = Chip()
    chip.task("a", 4)
    chip.task("b", 9)
    _, found = chip.run()
    assert buckets(found, "a") == {"busy": 4, "idle": 5}
    assert buckets(found, "b") == {"busy": 9}
    assert path(found) == {("b", "layer", "busy", 9)}


def test_waiting_for_data_is_starved_by_the_unit_of_the_predecessor():
    chip = Chip()
    load = chip.task("dma", 5)
    chip.task("array", 3, data=[load])
    _, found = chip.run()
    assert buckets(found, "array") == {"busy": 3, "starved": {"dma": 5}}
    assert buckets(found, "dma") == {"busy": 5, "idle": 3}
    assert path(found) == {("dma", "layer", "busy", 5), ("array", "layer", "busy", 3)}


def test_starving_includes_the_latency_of_the_result():
    chip = Chip()
    load = chip.task("dma", 5, latency=7)
    chip.task("array", 3, data=[load])
    _, found = chip.run()
    assert buckets(found, "array") == {"busy": 3, "starved": {"dma": 12}}
    assert path(found) == {("dma", "layer", "busy", 5), ("dma", "layer", LATENCY, 7), ("array", "layer", "busy", 3)}


def test_the_latest_of_several_data_edges_is_to_blame_for_the_whole_gap():
    chip = Chip()
    quick, slow = chip.task("quick", 2), chip.task("slow", 6)
    chip.task("array", 1, data=[quick, slow])
    _, found = chip.run()
    assert buckets(found, "array") == {"busy": 1, "starved": {"slow": 6}}


def test_of_equally_late_data_the_lowest_index_is_to_blame():
    for first, second in (("x", "y"), ("y", "x")):
        chip = Chip()
        befores = [chip.task(first, 6), chip.task(second, 6)]
        chip.task("array", 1, data=befores[::-1])
        _, found = chip.run()
        assert buckets(found, "array") == {"busy": 1, "starved": {first: 6}}
        assert path(found) == {(first, "layer", "busy", 6), ("array", "layer", "busy", 1)}


def test_waiting_for_a_barrier_is_idle():
    chip = Chip()
    slow = chip.task("slow", 8)
    barrier = chip.builder.barrier(0, [slow])
    chip.task("array", 2, sync=[barrier])
    _, found = chip.run()
    assert buckets(found, "array") == {"busy": 2, "idle": 8}
    assert buckets(found, "sync") == {"idle": 10}
    assert path(found) == {("slow", "layer", "busy", 8), ("array", "layer", "busy", 2)}


def test_a_gap_is_cut_at_sync_then_at_data_then_at_space():
    """The array is free at 0; sync arrives at 3, data at 5, the place at 9: 3 idle, 2 starved, 4 blocked."""
    chip = Chip()
    barrier, data = chip.task("sync", 3), chip.task("dma", 5)
    drain = chip.task("drain", 9)
    task = chip.task("array", 1, data=[data], sync=[barrier])
    chip.builder.holds("ofmap", 1, [drain, task], [drain, task], 1)
    done, found = chip.run()
    assert done.start[task] == 9
    assert buckets(found, "array") == {"busy": 1, "idle": 3, "starved": {"dma": 2}, "blocked": {"ofmap": 4}}
    assert path(found) == {("drain", "layer", "busy", 9), ("array", "layer", "busy", 1)}


def test_data_before_the_sync_takes_nothing():
    chip = Chip()
    data, barrier = chip.task("dma", 3), chip.task("sync", 5)
    chip.task("array", 1, data=[data], sync=[barrier])
    _, found = chip.run()
    assert buckets(found, "array") == {"busy": 1, "idle": 5}


def test_what_arrived_while_the_unit_was_busy_takes_nothing():
    """The array works until 4; data was there at 2, the place is free at 6: blocked for 2."""
    chip = Chip()
    chip.task("array", 4)
    data, drain = chip.task("dma", 2), chip.task("drain", 6)
    task = chip.task("array", 1, data=[data])
    chip.builder.holds("ofmap", 1, [drain, task], [drain, task], 1)
    _, found = chip.run()
    assert buckets(found, "array") == {"busy": 5, "blocked": {"ofmap": 2}}


def test_blocked_names_the_buffer_of_the_latest_space_edge():
    chip = Chip()
    early, late = chip.task("early", 3), chip.task("late", 7)
    task = chip.task("array", 1)
    chip.builder.holds("first", 1, [late, task], [late, task], 1)
    chip.builder.holds("second", 1, [early, task], [early, task], 1)
    _, found = chip.run()
    assert buckets(found, "array") == {"busy": 1, "blocked": {"first": 7}}


def test_blocked_names_the_buffer_beyond_three_edges():
    """Three data edges fill the slots; the space edges of two buffers lie in the overflow."""
    chip = Chip()
    sources = [chip.task(f"source{n}", 1) for n in range(3)]
    early, late = chip.task("early", 3), chip.task("late", 7)
    task = chip.task("array", 1, data=sources)
    chip.builder.holds("first", 1, [early, task], [early, task], 1)
    chip.builder.holds("second", 1, [late, task], [late, task], 1)
    _, found = chip.run()
    assert buckets(found, "array") == {"busy": 1, "starved": {"source0": 1}, "blocked": {"second": 6}}


def test_two_edges_to_one_task_count_as_data():
    chip = Chip()
    load = chip.task("dma", 4)
    chip.task("array", 1, sync=[load], data=[load])
    _, found = chip.run()
    assert buckets(found, "array") == {"busy": 1, "starved": {"dma": 4}}


def test_arbitration_is_the_time_that_the_predecessor_queued():
    """Two requests at 0 for one port: the second is served at 6, so its consumer waits 6 for the queue and 2 for the
    transfer."""
    chip = Chip()
    chip.task("dram~", 6)
    load = chip.task("dram~", 2)
    chip.task("array", 1, data=[load])
    _, found = chip.run()
    assert buckets(found, "array") == {"busy": 1, "starved": {"dram": 2}, "arbitration": {"dram": 6}}
    assert buckets(found, "dram") == {"busy": 8, "idle": 1}
    assert path(found) == {("dram", "layer", "busy", 8), ("array", "layer", "busy", 1)}


def test_arbitration_counts_only_the_part_inside_the_gap():
    """The predecessor queued from 2 to 6; the array is busy until 4: 2 cycles of arbitration, then 3 starved."""
    chip = Chip()
    chip.task("dram~", 6)
    address = chip.task("address", 2)
    load = chip.task("dram~", 3, data=[address])
    chip.task("array", 4)
    chip.task("array", 1, data=[load])
    _, found = chip.run()
    assert buckets(found, "array") == {"busy": 5, "starved": {"dram": 3}, "arbitration": {"dram": 2}}


def test_waiting_of_the_predecessor_for_its_own_input_is_not_arbitration():
    """The request is made at 5 only, and served at 6: 5 starved, 1 arbitration, 3 starved."""
    chip = Chip()
    chip.task("dram~", 6)
    address = chip.task("address", 5)
    load = chip.task("dram~", 3, data=[address])
    chip.task("array", 1, data=[load])
    _, found = chip.run()
    assert buckets(found, "array") == {"busy": 1, "starved": {"dram": 8}, "arbitration": {"dram": 1}}


def test_arbitration_ends_where_a_sync_has_cut_the_gap():
    chip = Chip()
    chip.task("dram~", 6)
    load, barrier = chip.task("dram~", 2), chip.task("sync", 4)
    chip.task("array", 1, data=[load], sync=[barrier])
    _, found = chip.run()
    assert buckets(found, "array") == {"busy": 1, "idle": 4, "starved": {"dram": 2}, "arbitration": {"dram": 2}}


def test_an_in_order_predecessor_that_queued_is_not_arbitration():
    chip = Chip()
    chip.task("dma", 6)
    load = chip.task("dma", 2)
    chip.task("array", 1, data=[load])
    _, found = chip.run()
    assert buckets(found, "array") == {"busy": 1, "starved": {"dma": 8}}


def test_arbitration_is_one_hop():
    """The array waits for the neuron unit, which waits for the queue: the neuron unit is to blame here, the queue on
    the path."""
    chip = Chip()
    chip.task("dram~", 6)
    load = chip.task("dram~", 2)
    middle = chip.task("neuron", 1, data=[load])
    chip.task("array", 1, data=[middle])
    _, found = chip.run()
    assert buckets(found, "array") == {"busy": 1, "starved": {"neuron": 9}}
    assert buckets(found, "neuron") == {"busy": 1, "starved": {"dram": 2}, "arbitration": {"dram": 6}, "idle": 1}


def test_served_order_of_a_fifo_unit_is_by_start_not_by_index():
    """Task 1 of the port runs 0-3, task 0 from its data at 7: the gap in between is starved by the source."""
    chip = Chip()
    chip.builder.unit("port", "fifo")
    source = chip.task("source", 7)
    chip.task("port~", 2, data=[source])
    chip.task("port~", 3)
    _, found = chip.run()
    assert buckets(found, "port") == {"busy": 5, "starved": {"source": 4}}


def test_the_makespan_waits_for_the_last_latency():
    chip = Chip()
    chip.task("a", 4, latency=10)
    chip.task("b", 9)
    done, found = chip.run()
    assert done.cycles == 14
    assert buckets(found, "a") == {"busy": 4, "idle": 10}
    assert path(found) == {("a", "layer", "busy", 4), ("a", "layer", LATENCY, 10)}


def test_a_unit_without_tasks_is_idle_all_the_time():
    chip = Chip()
    chip.builder.unit("spare")
    chip.task("a", 4)
    _, found = chip.run()
    assert buckets(found, "spare") == {"idle": 4}


def test_empty_graph_has_no_time_and_no_path():
    found = attribute(execute(GraphBuilder([], 0).build()))
    assert found == Attribution((), ())


# -- the critical path -------------------------------------------------------------------------------------------------


def test_path_prefers_data_then_space_then_sync_then_the_unit():
    """Everything arrives at 4: the kinds are tried in that order."""
    for present, expected in (("data space sync", "dma"), ("space sync", "drain"), ("sync", "barrier"), ("", "array")):
        chip = Chip()
        chip.task("array", 4)
        barrier, drain, data = chip.task("barrier", 4), chip.task("drain", 4), chip.task("dma", 4)
        task = chip.task("array", 1, data=[data] * ("data" in present), sync=[barrier] * ("sync" in present))
        if "space" in present:
            chip.builder.holds("ofmap", 1, [drain, task], [drain, task], 1)
        _, found = chip.run()
        assert path(found) == ({("array", "layer", "busy", 5)} if expected == "array" else {
            (expected, "layer", "busy", 4), ("array", "layer", "busy", 1)}), present  # fmt: skip


def test_path_begins_at_the_lowest_index_of_the_last_results():
    chip = Chip()
    chip.task("a", 2, latency=3)
    chip.task("b", 5)
    _, found = chip.run()
    assert path(found) == {("a", "layer", "busy", 2), ("a", "layer", LATENCY, 3)}


def test_a_latency_that_a_space_edge_does_not_wait_for_is_not_on_the_path():
    chip = Chip()
    first = chip.task("a", 2, latency=3)
    second = chip.task("b", 9)
    chip.builder.holds("place", 1, [first, second], [first, second], 1)
    done, found = chip.run()
    assert done.cycles == 11
    assert path(found) == {("a", "layer", "busy", 2), ("b", "layer", "busy", 9)}


def test_path_shares_are_by_unit_and_layer_largest_first():
    chip = Chip(layers=("conv", "fc"))
    load = chip.task("dma", 3, latency=1)
    conv = chip.task("array", 5, data=[load])
    more = chip.task("dma", 20, data=[conv], layer=1)
    chip.task("array", 6, latency=2, data=[more], layer=1)
    done, found = chip.run()
    assert found.path[0] == PathShare("dma", "fc", "busy", 20)
    assert [share.cycles for share in found.path] == sorted((share.cycles for share in found.path), reverse=True)
    assert path(found) == {
        ("dma", "conv", "busy", 3), ("dma", "conv", LATENCY, 1), ("array", "conv", "busy", 5),
        ("dma", "fc", "busy", 20), ("array", "fc", "busy", 6), ("array", "fc", LATENCY, 2),
    }  # fmt: skip
    assert sum(share.cycles for share in found.path) == done.cycles == 37


def test_work_of_no_layer_has_a_name():
    builder = GraphBuilder(["layer"], 1)
    builder.block(1, layer=NONE, unit=builder.unit("a"), duration=2)
    assert attribute(execute(builder.build())).path == (PathShare("a", "-", "busy", 2),)


# -- properties on random graphs ---------------------------------------------------------------------------------------


def executed(count, **kwargs):
    for seed in range(count):
        graph = random_graph(np.random.default_rng([7, seed]), **kwargs)
        start = des.start_cycles(graph)
        if np.all(start >= 0):
            yield Execution(graph, start, "des")


def test_buckets_tile_the_makespan_of_every_unit_exactly():
    for done in executed(500):
        assert all(time.total == done.cycles for time in attribute(done).units)


def test_the_critical_path_sums_to_the_makespan():
    for done in executed(500):
        assert sum(share.cycles for share in attribute(done).path) == done.cycles


@pytest.mark.parametrize("fifo_share", [0.0, 0.6])
def test_buckets_equal_the_rules_applied_cycle_by_cycle(fifo_share):
    seen: Counter = Counter()
    for done in executed(200, fifo_share=fifo_share):
        expected = attribute_literally(done.graph, done.start)
        for time in attribute(done).units:
            found = Counter({("busy",): time.busy, ("idle",): time.idle})
            for bucket in ("starved", "blocked", "arbitration"):
                found += Counter({(bucket, name): cycles for name, cycles in getattr(time, bucket).items()})
            assert +found == expected[time.unit]
            seen.update(key[0] for key in +found)
    assert {"busy", "idle", "starved", "blocked"} <= set(seen)
    assert (seen["arbitration"] > 20) == (fifo_share > 0)


def test_the_critical_path_equals_a_literal_walk():
    for done in executed(300):
        found = Counter({(share.unit, share.layer, share.what): share.cycles for share in attribute(done).path})
        assert found == critical_path_literally(done.graph, done.start)


def test_units_are_listed_once_in_the_order_of_the_graph():
    for done in executed(20):
        assert [time.unit for time in attribute(done).units] == [unit.name for unit in done.graph.units]
        assert all(cycles > 0 for time in attribute(done).units for cycles in time.starved.values())


def test_cycles_beyond_32_bits_stay_exact():
    builder = GraphBuilder(["layer"], 1)
    first = builder.block(1000, layer=0, unit=builder.unit("a"), duration=2**31 - 1)
    builder.edge(builder.block(1, layer=0, unit=builder.unit("b"), duration=1), first.last)
    found = attribute(execute(builder.build(), "fast"))
    assert buckets(found, "a") == {"busy": 1000 * (2**31 - 1), "idle": 1}
    assert buckets(found, "b") == {"busy": 1, "starved": {"a": 1000 * (2**31 - 1)}}

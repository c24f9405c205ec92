"""What-ifs by hand, against the other engine, and against chips that are really changed and executed again."""

from __future__ import annotations

import numpy as np
import pytest
from graphs import random_graph

from archsim.accelerators import load_architecture
from archsim.analysis import sensitivity
from archsim.analysis.attribution import attribute
from archsim.analysis.sensitivity import CHANGES, kind_of, sensitivities
from archsim.engine import des, execute
from archsim.errors import DeadlockError
from archsim.taskgraph import GraphBuilder
from archsim.workload import load_workload


def overtaking(first: int) -> GraphBuilder:
    """A long request, which nobody waits for, ``first`` cycles after 0; a short one at 3 that a long task waits for."""
    builder = GraphBuilder(["layer"], 1)
    bus = builder.unit("bus", "fifo")
    early = builder.block(1, layer=0, unit=builder.unit("a"), duration=first)
    late = builder.block(1, layer=0, unit=builder.unit("b"), duration=3)
    for before, cycles in ((early, 10), (late, 1)):
        request = builder.block(1, layer=0, unit=bus, duration=cycles)
        builder.edge(request, before.ids)
    tail = builder.block(1, layer=0, unit=builder.unit("tail"), duration=20)
    builder.edge(tail, request.ids)
    return builder


def by_subject(graph) -> dict:
    done = execute(graph)
    return {(one.change, one.subject): one for one in sensitivities(done, attribute(done).path).found}


def test_a_faster_unit_that_makes_a_fifo_run_longer_is_reported_as_such():
    found = by_subject(overtaking(4).build())
    worse = found["faster", "a"]
    assert worse.anomaly and worse.cycles == 33 and worse.gain == -9  # 24: 3 + 1 + 20; then 2 + 10 + 1 + 20
    assert execute(overtaking(2).build(), "des").cycles == 33
    assert [one.subject for one in found.values() if one.anomaly] == ["a"]
    assert found["faster", "tail"].gain == 10


def test_halves_are_rounded_up_zero_stays_and_a_fifo_task_keeps_its_cycle():
    builder = GraphBuilder(["layer"], 1)
    for unit, discipline in (("a", "in_order"), ("bus", "fifo")):
        builder.block(
            4, layer=0, unit=builder.unit(unit, discipline), duration=[1, 1, 3, 4] if unit == "bus" else [0, 1, 3, 4],
            latency=[0, 1, 3, 4],
        )  # fmt: skip
    graph = builder.build()
    assert CHANGES["faster"](graph, ["a", "bus"]).duration.tolist() == [0, 1, 2, 2, 1, 1, 2, 2]
    assert CHANGES["faster"](graph, ["a"]).duration.tolist() == [0, 1, 2, 2, 1, 1, 3, 4]
    assert CHANGES["sooner"](graph, ["bus"]).latency.tolist() == [0, 1, 3, 4, 0, 1, 2, 2]
    assert graph.duration.tolist() == [0, 1, 3, 4, 1, 1, 3, 4]


def test_a_buffer_gets_deeper_by_the_smallest_amount_that_it_holds():
    builder = GraphBuilder(["layer"], 1)
    make = builder.block(4, layer=0, unit=builder.unit("make"), duration=2)
    use = builder.block(4, layer=0, unit=builder.unit("use"), duration=5)
    builder.edge(use, make.ids)
    builder.holds("places", 2, make.ids, use.ids, 2)
    graph = builder.build()
    assert execute(graph).cycles == 4 * (2 + 5)
    changed = CHANGES["deeper"](graph, ["places"])
    assert changed.buffers[0].capacity == 4 and execute(changed).cycles == 2 + 4 * 5
    assert by_subject(graph)["deeper", "places"].gain == 28 - 22
    assert CHANGES["deeper"](changed.with_capacity("places", 8), ["places"]).buffers[0].capacity == 8  # never full


@pytest.mark.parametrize("seed", range(40))
def test_without_fifo_units_nothing_better_makes_a_run_longer_and_des_agrees(seed):
    graph = random_graph(np.random.default_rng(seed), fifo_share=0.0)
    try:
        done = execute(graph, "des")
    except DeadlockError:
        return
    for one in sensitivities(done, attribute(done).path).found:
        assert one.gain >= 0, one
        changed = CHANGES[one.change](graph, one.members)
        assert (des.start_cycles(changed) + changed.duration + changed.latency).max() == one.cycles


def test_large_graphs_try_kinds_and_then_what_lies_on_the_critical_path(monkeypatch):
    done = lowered("spikeflow")
    monkeypatch.setattr(sensitivity, "TASKS_COMPILED", 14 * done.graph.tasks)
    monkeypatch.setattr(sensitivity, "TASKS_IN_PYTHON", 14 * done.graph.tasks)
    path = attribute(done).path
    few = sensitivities(done, path)
    singles = [one.subject for one in few.found if len(one.members) == 1]
    assert few.left_out > 0 and {"adc", "read", "port", "columns"} <= {one.subject for one in few.found}
    assert path[0].unit in singles and len(few.found) == 14


def test_kinds():
    names = ("conv1.adc.0", "port.12", "array", "conv1.pool.s.operand_rows", "membrane_staging_3_1", "7")
    assert [kind_of(name) for name in names] == ["adc", "port", "array", "operand_rows", "membrane_staging", "7"]


# -- the chip really changed -------------------------------------------------------------------------------------------

CASES = [  # chip, overrides, change, kind, override that really makes it, exact
    ("spikeflow", ["adc.conversion=16"], "faster", "adc", "adc.conversion=8", True),
    ("spikeflow", ["crossbar.read=64"], "faster", "read", "crossbar.read=32", True),
    ("isaac-like", [], "faster", "read", "crossbar.read=50", True),
    ("isaac-like", ["neuron.cycles_per_update=16"], "faster", "neurons", "neuron.cycles_per_update=8", True),
    ("spikeflow", ["noc.flit_bits=1"], "faster", "port", "noc.flit_bits=2", True),
    ("spikeflow", ["noc.router_cycles=400"], "sooner", "port", "noc.router_cycles=200", True),
    ("spikeflow", ["noc.router_cycles=2000", "buffer.rows=5"], "deeper", "input_rows", "buffer.rows=6", True),
    ("spikeflow", ["tile.wires=8"], "faster", "wires", "tile.wires=16", False),  # conversions wait for wires, too
    ("sata", ["dram.bandwidth=0.2"], "faster", "dram", "dram.bandwidth=0.4", True),
    ("sata", ["dram.latency=20000"], "sooner", "dram", "dram.latency=10000", True),
    ("sata", ["neuron.cycles_per_update=64"], "faster", "neuron", "neuron.cycles_per_update=32", True),
    ("sata", ["neuron.cycles_per_update=64"], "deeper", "accumulators", "pe.accumulator_sets=2", True),
    ("sata", ["vector.lanes=1"], "faster", "vector", "vector.lanes=2", True),
    ("eyeriss-snn", ["dram.bandwidth=0.1"], "faster", "dram", "dram.bandwidth=0.2", True),
]


def lowered(chip, overrides=()):
    architecture = load_architecture(chip, overrides)
    return execute(architecture.family.lower(architecture.chip, load_workload("cnn-mnist"), 0).graph, "fast")


@pytest.mark.parametrize(("chip", "given", "change", "kind", "really", "exact"), CASES)
def test_what_ifs_are_what_the_changed_chip_does(chip, given, change, kind, really, exact):
    done = lowered(chip, given)
    parts = done.graph.buffers if change == "deeper" else done.graph.units
    what_if = CHANGES[change](done.graph, [part.name for part in parts if kind_of(part.name) == kind])
    cycles, truth = execute(what_if, "fast").cycles, lowered(chip, [*given, really]).cycles
    assert cycles < done.cycles and truth < done.cycles
    assert cycles == (truth if exact else pytest.approx(truth, rel=0.01))


def test_the_graph_of_a_what_if_is_the_graph_of_the_changed_chip():
    one, two = lowered("spikeflow", ["adc.conversion=16"]).graph, lowered("spikeflow", ["adc.conversion=8"]).graph
    what_if = CHANGES["faster"](one, [unit.name for unit in one.units if kind_of(unit.name) == "adc"])
    assert np.array_equal(what_if.duration, two.duration)
    assert np.array_equal(what_if.pred, two.pred)

"""What lengthens and shortens a run on crossbars; finite buffers; reloading; both engines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from by_hand import CONV, chip, counts, network, starts

from archsim.accelerators import load_architecture
from archsim.accelerators.crossbar.lower import lower
from archsim.analysis.attribution import attribute
from archsim.engine import des, execute, fast
from archsim.errors import MisfitError
from archsim.workload import load_workload

DRAM = {"bandwidth": "1 GB/s", "latency": "20 ns"}


def test_a_small_input_buffer_holds_the_producer_back(tmp_path: Path) -> None:
    """8 rows; a second layer with slow neurons and room for 3 rows lets the first run only that far ahead."""
    ones = np.ones((2, 2, 8, 8), np.uint8)
    layers = [CONV, {**CONV, "name": "b", "out_channels": 12}]
    net = network(tmp_path, layers, {"input": ones, "a": ones}, (2, 8, 8))
    slow = {"neuron": {"units": 1}, "adc": {"conversion": 1}}
    free, tight = (execute(lower(chip(buffer={"rows": rows}, **slow), net).graph) for rows in ("all", 3))
    waits = {unit.unit: unit for unit in attribute(tight).units}
    assert waits["a.neurons.0"].blocked["b.input_rows.0"] > 0 and free.cycles <= tight.cycles
    with pytest.raises(MisfitError, match="demands 3 rows"):
        lower(chip(buffer={"rows": 2}), net)


@pytest.mark.parametrize(
    "change",
    [
        {"adc": {"conversion": 6}}, {"crossbar": {"read": 40}}, {"crossbar": {"column_mux": 4}},
        {"neuron": {"units": 1}}, {"neuron": {"cycles_per_update": 40}}, {"neuron": {"latency_cycles": 9}},
        {"neuron": {"membrane": {"line": 1}}}, {"noc": {"flit_bits": 1}}, {"noc": {"router_cycles": 50}},
        {"pipeline": "none"}, {"adc": {"share": "pe"}}, {"tile": {"wires": 1}}, {"buffer": {"rows": 3}},
        {"crossbar": {"rows": 2, "column_mux": 4}}, {"crossbar": {"active_rows": 1}}, {"tile": {"wiring_cycles": 9}},
        {"dram": {"bandwidth": "10 MB/s"}},
    ],
)  # fmt: skip
def test_slower_hardware_lengthens_the_run(tmp_path: Path, change: dict[str, Any]) -> None:
    dense, half = np.ones((2, 8, 4, 4), np.uint8), np.zeros((2, 2, 4, 4), np.uint8)
    half[:, :, :2] = 1
    layers = [{**CONV, "out_channels": 8}, {**CONV, "name": "b"}]
    net = network(tmp_path, layers, {"input": half, "a": dense}, (2, 4, 4))
    fast_neurons = {"neuron": {"units": 8, "membrane": {"lines_per_cycle": 8}}}
    before = execute(lower(chip(**fast_neurons), net).graph).cycles
    if "neuron" in change:
        change = {"neuron": {**fast_neurons["neuron"], **change["neuron"]}}
    else:
        change = {**fast_neurons, **change}
    assert execute(lower(chip(**change), net).graph).cycles > before


def test_replicas_and_sample_hold_shorten_the_run(tmp_path: Path) -> None:
    ones = np.ones((2, 2, 4, 4), np.uint8)
    net = network(tmp_path, [CONV, {**CONV, "name": "b"}], {"input": ones, "a": ones}, (2, 4, 4))
    many_units = {"neuron": {"units": 16}}
    one, two, many = (
        execute(lower(chip(mapping={"replicate": n}, **many_units), net).graph).cycles for n in (1, 2, 4)
    )
    by_name = execute(lower(chip(mapping={"replicate": {"a": 4, "b": 4}}, **many_units), net).graph).cycles
    held = execute(lower(chip(crossbar={"conducts": "sample_hold"}), net).graph).cycles
    assert by_name == many < two < one and held < one
    few_units = execute(lower(chip(mapping={"replicate": 4}, neuron={"units": 1}), net).graph).cycles
    assert few_units > 2 * 2 * 16 * 2  # one unit serves all four replicas in the tile: 16 places of 2 channels, twice


def test_silence_takes_no_time_where_it_is_skipped(tmp_path: Path) -> None:
    net = network(tmp_path, [CONV], {"input": np.zeros((2, 2, 4, 4), np.uint8)}, (2, 4, 4))
    skipped, read = (execute(lower(chip(adc={"skip_silent": skip}), net).graph) for skip in (True, False))
    assert skipped.cycles == 2 * 4 * 4 + 1 and read.cycles > 2 * 16 * (2 + 6)  # the neurons alone, behind one latency
    idle = {component for (component, _), steps in counts(skipped).items() if any(steps)}
    assert all(component.startswith("neuron_") or component == "membrane_buffer" for component in idle)


def test_a_network_larger_than_the_chip_is_loaded_in_rounds(tmp_path: Path) -> None:
    """Two layers of one tile each on a chip of one: each is programmed, 2 cells of 9 crossbars row by row, then run."""
    ones = np.ones((2, 2, 2, 2), np.uint8)
    net = network(tmp_path, [CONV, {**CONV, "name": "b"}], {"input": ones, "a": ones})
    with pytest.raises(MisfitError, match="demands 2 tiles"):
        lower(chip(tiles=1), net)
    small = chip(tiles=1, reload=True, dram=DRAM)
    done = execute(lower(small, net).graph)
    counted = counts(done)
    assert counted["cells", "program"] == (0, 2 * 9 * 2 * 4)
    row_ns = small.crossbar.cell.programming_time_ns(1)
    programs = [task for task in np.flatnonzero(done.graph.unit == _unit(done, "program")) if done.graph.duration[task]]
    assert done.graph.duration[programs].tolist() == [9 * 2 * row_ns] * 2
    first_done = max(starts(done, "a.neurons.0")) + 2
    assert done.start[programs[1]] >= first_done and starts(done, "b.read.0")[0] >= done.finish[programs[1]]
    whole = counts(execute(lower(chip(dram=DRAM), net).graph))
    for action in (("adc", "convert"), ("neuron_adder", "op"), ("input_buffer", "line_write")):
        assert counted[action] == whole[action]


def _unit(done: Any, name: str) -> int:
    return [unit.name for unit in done.graph.units].index(name)


SETTINGS: tuple[tuple[str, ...], ...] = (
    (), ("mapping.replicate=3", "noc.packets=aer", "noc.cast=unicast"), ("timesteps=together", "granularity=row"),
    ("pipeline=layer", "crossbar.conducts=sample_hold", "crossbar.hold=conversion", "adc.analog_sum=false"),
    ("buffer.rows=9", "granularity=row", "mapping.unroll=flat", "mapping.share_tiles=true"),
    ("dram={bandwidth: 1 GB/s}", "tiles=12", "reload=true", "pipeline=none"),
)  # fmt: skip


@pytest.mark.parametrize("workload", ["cnn-mnist", "vgg9-cifar10", "resnet19-cifar10"])
@pytest.mark.parametrize("changes", SETTINGS)
def test_both_engines_agree_on_shipped_networks(workload: str, changes: tuple[str, ...]) -> None:
    if "reload=true" in changes:
        changes = (*changes, "crossbar.device=rram-20k-200k", "pe.crossbars=64", "tile.pes=64")
    architecture = load_architecture("spikeflow", changes)
    graph = lower(architecture.chip, load_workload(workload)).graph
    expected = des.start_cycles(graph)
    assert np.all(expected >= 0) and np.array_equal(fast.start_cycles(graph, False), expected)


def test_a_pool_over_two_bands_waits_for_both_replicas(tmp_path: Path) -> None:
    """A 4 x 4 map in two bands of two rows, the first of which has all the spikes; one pool over all of it."""
    spikes = np.zeros((2, 2, 4, 4), np.uint8)
    spikes[:, :, :1] = 1
    layers = [CONV, {"name": "p", "type": "maxpool2d", "kernel": 4}, {"name": "f", "type": "linear", "out_features": 2}]
    layers = [layers[0], layers[1], {"name": "flat", "type": "flatten"}, layers[2]]
    net = network(tmp_path, layers, {"input": spikes, "a": np.ones((2, 2, 4, 4), np.uint8)}, (2, 4, 4))
    done = execute(lower(chip(mapping={"replicate": {"a": 2}}), net).graph)
    slow = starts(done, "a.neurons.0")
    assert slow[1] > starts(done, "a.adc.1")[1] and starts(done, "f.fetch.0")[0] > slow[1]

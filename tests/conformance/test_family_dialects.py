"""The conformance suite on networks with dilation, several spikes at once, wide events and potentials that leave."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from archsim import load_architecture, testing
from archsim.testing import Subject
from archsim.workload import Workload

BUILT_IN = ("output_stationary", "weight_stationary", "input_stationary")
LAYERS: tuple[dict[str, Any], ...] = (
    {"name": "wide", "type": "conv2d", "out_channels": 4, "kernel": [3, 2], "padding": 2, "dilation": 2},
    {"name": "scaled", "type": "scale"},
    {"name": "deep", "type": "conv2d", "out_channels": 6, "kernel": 2, "stride": 2, "dilation": [1, 3]},
    {"name": "readout", "type": "linear", "out_features": 3, "neuron": {"model": "cuba_li", "leak": 0.9}},
)
NEURON = {"model": "lif", "max_spikes": 255, "reset": "none", "minimum": -1.0, "rest": 0.1, "update": "euler"}
SYSTOLIC_WAYS: tuple[dict[str, Any], ...] = (
    {"sparsity": {"skip": "union"}, "timesteps": {"scope": "tile", "order": "parallel", "placement": "in_pe"}},
    {"sparsity": "none", "pe": {"wide_values": "multiplier"}},
    {"neuron": {"update": "event", "membrane": {"home": "dram"}, "units": "per_pe"}},
)
CROSSBAR_WAYS: tuple[tuple[str, ...], ...] = (
    ("buffer.rows=24", "timesteps=together", "granularity=row"),
    ("mapping.replicate=2", "noc.packets=aer", "noc.cast=unicast", "mapping.unroll=flat"),
    ("pipeline=layer", "adc.skip_silent=false", "dram={bandwidth: 1 GB/s, latency: 20 ns}"),
)


@cache
def dialects() -> Workload:
    entering = {"shape": [2, 6, 6], "encoding": "events", "max_spikes": 300}
    return testing.network(layers=list(LAYERS), neuron=NEURON, input=entering)


@cache
def on_crossbars(changes: tuple[str, ...]) -> Subject:
    small = ("crossbar.cols=16", "crossbar.rows=4", "pe.crossbars=4")
    return Subject(load_architecture("spikeflow", (*small, *changes)), dialects())


@cache
def on_array(dataflow: str, way: int) -> Subject:
    changes = SYSTOLIC_WAYS[way]
    if dataflow != "output_stationary" and way == 0:
        changes = {"sparsity": "gate", "timesteps": {"scope": "tile", "order": "parallel"}}
    return testing.subject(dataflow, dialects(), **changes)


@pytest.mark.parametrize("check", testing.FAMILY_CHECKS, ids=testing.name_of)
@pytest.mark.parametrize("way", range(len(SYSTOLIC_WAYS)))
@pytest.mark.parametrize("dataflow", BUILT_IN)
def test_on_every_dataflow(dataflow: str, way: int, check: Callable[[Subject], None]) -> None:
    check(on_array(dataflow, way))


@pytest.mark.parametrize("check", testing.FAMILY_CHECKS, ids=testing.name_of)
@pytest.mark.parametrize("changes", CROSSBAR_WAYS)
def test_on_crossbars(changes: tuple[str, ...], check: Callable[[Subject], None]) -> None:
    check(on_crossbars(changes))


@pytest.mark.parametrize("case", [on_array("output_stationary", 1), on_crossbars(CROSSBAR_WAYS[2])], ids=["pe", "cim"])
def test_potentials_leave_in_full_width_and_events_come_in_theirs(case: Subject) -> None:
    """What 3 neurons store is 3 words of 16 bits for each of 3 timesteps; an event of up to 300 spikes has 9 bits."""
    readout = case.workload.network.layer("readout")
    assert case.count("neuron_membrane", "update", readout.index) == 3 * 3
    assert case.count("neuron_membrane", "spike_out", readout.index) == 0
    assert case.count("neuron_threshold", "read", readout.index) == 0
    assert case.count("neuron_comparator", "op", readout.index) == 3 * 3  # with the lowest potential
    assert case.count("neuron_adder", "op", readout.index) == 3 * 3 * 3  # two states, and the rest
    assert case.count("dram", "write_bit", readout.index) == 3 * 3 * 16
    spikes = [layer for layer in case.lowered.layers if layer.name == "wide"]
    assert spikes[0].in_bits == 9
    assert any("potentials leave at every timestep" in note for note in case.lowered.assumptions)
    assert any("one comparison: 'wide', 'deep'" in note for note in case.lowered.assumptions)

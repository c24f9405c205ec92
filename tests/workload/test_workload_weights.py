"""Weights files: what is read is what was written, and every mistake is named at once."""

from __future__ import annotations

import numpy as np
import pytest

from archsim.errors import ArchsimError
from archsim.workload import load_workload, write_weights

CHAIN = """\
name: small
timesteps: 3
input: {shape: [2, 6, 5], encoding: events}
layers:
  - {name: conv, type: conv2d, out_channels: 4, kernel: [3, 2], groups: 2, bias: true}
  - {name: bn, type: batchnorm}
  - {name: lif, type: neuron, neuron: {model: cuba_lif}, recurrent: {type: conv2d, kernel: 3}}
  - {name: shift, type: scale}
  - {name: fc, type: linear, out_features: 3, neuron: {model: li}}
weights: small-weights.npz
"""


def parts() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "conv.weight": rng.normal(size=(4, 1, 3, 2)).astype(np.float32),
        "conv.bias": rng.normal(size=4).astype(np.float32),
        "bn.scale": rng.normal(size=(3, 4)),
        "bn.offset": rng.normal(size=4),
        "lif.recurrent_weight": rng.normal(size=(4, 4, 3, 3)),
        "lif.threshold": np.full((4, 4, 4), 0.5),
        "lif.current_leak": np.float64(0.25),
        "shift.scale": np.float32(2.0),
        "fc.weight": rng.integers(-8, 8, size=(3, 64)).astype(np.int8),
        "fc.leak": np.array([0.1, 0.2, 1.0]),
    }


def load(folder, arrays, text=CHAIN):
    (folder / "small.yaml").write_text(text)
    write_weights(folder / "small-weights.npz", arrays)
    return load_workload(folder / "small.yaml")


def problems(folder, arrays, text=CHAIN) -> str:
    with pytest.raises(ArchsimError) as raised:
        load(folder, arrays, text)
    return "\n".join(map(str, raised.value.problems))


def test_what_is_read_is_what_was_written(tmp_path):
    workload = load(tmp_path, parts())
    assert workload.weights is not None
    for name, array in parts().items():
        layer, _, part = name.rpartition(".")
        found = workload.weights.part(layer, part)
        assert found is not None and np.array_equal(found, array) and not found.flags.writeable
    assert set(workload.weights.of("lif")) == {"recurrent_weight", "threshold", "current_leak"}
    assert workload.weights.part("conv", "gain") is None
    assert workload.network.readout == "last"  # of potentials


def test_the_hash_covers_the_weights(tmp_path):
    before = load(tmp_path, parts()).hash
    assert load(tmp_path, parts()).hash == before
    assert load(tmp_path, parts() | {"bn.offset": np.ones(4)}).hash != before


def test_every_mistake_is_named_at_once(tmp_path):
    wrong = parts()
    del wrong["conv.bias"]
    wrong |= {
        "fc.weight": np.zeros((3, 63)),
        "lif.treshold": np.ones(4),
        "fc.threshold": np.ones(3),  # li sends no spikes
        "shift.scale": np.array("2"),
        "bn.offset": np.zeros((2, 4)),
        "fc.leak": np.array([0.5, np.nan, 0.5]),
    }
    said = problems(tmp_path, wrong)
    assert said.count("small.yaml:10: weights:") == 7
    for text in (
        "'fc.leak' has 1 values that are no numbers",
        "'conv.bias' is missing: [4]",
        "'fc.weight' has shape [3, 63]; expected [3, 64]",
        "'lif.treshold' belongs to nothing in this network; did you mean 'lif.threshold'?",
        "'fc.threshold' belongs to nothing",
        "'shift.scale' holds <U1",
        "'bn.offset' has shape [2, 4]; expected [4] or [3, 4]",
    ):
        assert text in said


@pytest.mark.parametrize(
    ("name", "array", "text"),
    [
        (
            "conv.weight",
            np.full((4, 1, 3, 2), np.nan),
            "'conv.weight' has 24 values that are no numbers, the first (nan)",
        ),
        ("fc.leak", np.array([0.5, np.inf, 0.5]), "the first (inf) at [1]"),
        ("lif.threshold", np.zeros(4), "a threshold is above 0"),
        ("lif.current_leak", np.array(1.5), "outside 0..1"),
        ("lif.minimum", np.array(0.5), "above 0"),
    ],
)
def test_values_that_no_neuron_can_have(tmp_path, name, array, text):
    assert text in problems(tmp_path, parts() | {name: array})


def test_a_file_of_another_kind_or_place(tmp_path):
    load(tmp_path, parts())
    np.savez(tmp_path / "small-weights.npz", **parts())
    with pytest.raises(ArchsimError, match="'format' is missing"):
        load_workload(tmp_path / "small.yaml")
    (tmp_path / "small-weights.npz").write_bytes(b"no zip")
    with pytest.raises(ArchsimError, match="no npz file"):
        load_workload(tmp_path / "small.yaml")
    (tmp_path / "small-weights.npz").unlink()
    with pytest.raises(ArchsimError, match=r"small.yaml:10: weights: this file does not exist"):
        load_workload(tmp_path / "small.yaml")
    (tmp_path / "small.yaml").write_text(CHAIN.replace("small-weights.npz", "../small-weights.npz"))
    with pytest.raises(ArchsimError, match="outside the workload file's folder"):
        load_workload(tmp_path / "small.yaml")


def test_mistakes_of_trace_and_weights_are_told_together(tmp_path):
    said = problems(tmp_path, {}, CHAIN + "activity: {trace: none.npz}\n")
    assert "activity.trace" in said and "'fc.weight' is missing" in said


def test_kernels_of_one_axis_may_have_one(tmp_path):
    text = (
        "name: line\ntimesteps: 2\ninput: {shape: [2, 9], encoding: events}\nweights: small-weights.npz\n"
        "layers: [{name: conv, type: conv1d, out_channels: 3, kernel: 3, dilation: 2}]\n"
    )
    kernel = np.arange(18.0).reshape(3, 2, 3)
    workload = load(tmp_path, {"conv.weight": kernel}, text)
    layer = workload.network.layers[0]
    assert (layer.kind, layer.kernel, layer.dilation, layer.reach) == ("conv2d", (3, 1), (2, 1), (5, 1))
    assert layer.out_shape == (3, 5, 1)
    assert workload.weights is not None and np.array_equal(workload.weights.part("conv", "weight")[..., 0], kernel)


def test_a_table_has_no_weights(tmp_path):
    text = (
        "name: t\ntimesteps: 2\nchained: false\nweights: small-weights.npz\n"
        "layers: [{name: fc, type: linear, in_features: 4, out_features: 3}]\n"
    )
    assert "weights need layers that chain" in problems(tmp_path, {"fc.weight": np.ones((3, 4))}, text)


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        ("{name: a, type: linear, out_features: 3, neuron: {model: li, threshold: 2}}", "li sends no spikes"),
        ("{name: a, type: linear, out_features: 3, neuron: {model: li, current_gain: 2}}", "keeps no synaptic current"),
        ("{name: a, type: linear, out_features: 3, neuron: {reset: none, reset_to: -1}}", "sets no potential"),
        ("{name: a, type: linear, out_features: 3, spiking: false, recurrent: {type: linear}}", "sends none"),
        ("{name: a, type: linear, out_features: 3, recurrent: {type: conv2d}}", "needs its kernel"),
        ("{name: a, type: linear, out_features: 3, recurrent: {type: conv2d, kernel: 2}}", "must be odd"),
        (
            "{name: a, type: linear, out_features: 3, recurrent: {type: linear, kernel: 3}}",
            "only a conv2d has a kernel",
        ),
        ("{name: a, type: delay}", "steps"),
        ("{name: a, type: conv2d, out_channels: 1, kernel: 3, dilation: 3}", "nothing would be left"),
    ],
)
def test_layers_that_say_what_cannot_be(tmp_path, layer, text):
    whole = f"name: x\ntimesteps: 2\ninput: {{shape: [2, 6, 5], encoding: events}}\nlayers: [{layer}]\n"
    (tmp_path / "x.yaml").write_text(whole)
    with pytest.raises(ArchsimError, match=text):
        load_workload(tmp_path / "x.yaml")


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ("encoding: events, scale: 2", "encoding 'direct' only"),
        ("encoding: direct, max_spikes: 2", "encoding 'events' only"),
        ("encoding: events, rate: regular, peak: 0.5, seed: 3", "encoding 'rate' only"),
        ("encoding: rate, rate: regular, seed: 3", "evenly spread spikes are not drawn"),
    ],
)
def test_inputs_that_say_what_changes_nothing(tmp_path, keys, text):
    (tmp_path / "x.yaml").write_text(
        f"name: x\ntimesteps: 2\ninput: {{shape: [4], {keys}}}\nlayers: [{{name: a, type: linear, out_features: 3}}]\n"
    )
    with pytest.raises(ArchsimError, match=text):
        load_workload(tmp_path / "x.yaml")


def test_a_readout_of_first_spikes_needs_spikes(tmp_path):
    (tmp_path / "x.yaml").write_text(
        "name: x\ntimesteps: 2\nreadout: first\ninput: {shape: [4], encoding: events}\n"
        "layers: [{name: a, type: linear, out_features: 3, spiking: false}]\n"
    )
    with pytest.raises(ArchsimError, match="'a', sends no spikes"):
        load_workload(tmp_path / "x.yaml")

"""Runs on real inputs: the network's own spikes, the accuracy beside the energy, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import archsim
from archsim.cli import app
from archsim.errors import ArchsimError
from archsim.inputs import accuracy_of
from archsim.workload import write_weights

pytest.importorskip("mlxtend")
WORKLOADS = Path(__file__).parent.parent / "workloads"


def small(folder: Path, activity: str = "", encoding: str = "direct") -> Path:
    """A network of two classes: is the left half or the right half of a 1 x 2 x 4 image brighter?"""
    (folder / "small.yaml").write_text(
        f"name: small\ntimesteps: 3\ninput: {{shape: [1, 2, 4], encoding: {encoding}}}\n"
        "neuron: {model: if, threshold: 64}\nprecision: {weight_bits: 4, membrane_bits: 16}\n"
        "layers:\n"
        "  - {name: hidden, type: linear, out_features: 2}\n"
        "  - {name: out, type: linear, out_features: 2, spiking: false}\n"
        f"weights: small-weights.npz\n{activity}"
    )
    halves = np.array([[1, 1, 0, 0, 1, 1, 0, 0], [0, 0, 1, 1, 0, 0, 1, 1]])
    write_weights(folder / "small-weights.npz", {"hidden.weight": halves, "out.weight": np.eye(2, dtype=np.int8)})
    images = np.zeros((4, 1, 2, 4), np.uint8)
    images[[0, 2], :, :, :2] = 200
    images[[1, 3], :, :, 2:] = 100
    np.savez(folder / "mine.npz", inputs=images, labels=np.array([0, 1, 0, 0]))
    return folder / "small.yaml"


def problems(*args, **options) -> str:
    with pytest.raises(ArchsimError) as raised:
        archsim.simulate(*args, **options)
    return "\n".join(map(str, raised.value.problems))


def test_spikes_simulated_as_trained_cost_what_recorded_ones_cost():
    """The framework's trace and archsim's own spikes of the same images give the same energy, to the last digit."""
    recorded = archsim.simulate("sata", "cnn-mnist", samples="0..3")
    simulated = archsim.simulate("sata", "cnn-mnist", inputs="mnist:0..3", precision="float")
    assert (simulated.energy_pj, simulated.cycles) == (recorded.energy_pj, recorded.cycles)
    assert [row.count for row in simulated.counts] == [row.count for row in recorded.counts]
    assert recorded.accuracy is None and simulated.accuracy is not None and not simulated.synthetic


def test_accuracy_is_that_of_the_stated_bits_whatever_the_chip_executes():
    stated = archsim.simulate("sata", "cnn-mnist", inputs="mnist:0..15")
    trained = archsim.simulate("sata", "cnn-mnist", inputs="mnist:0..15", precision="float")
    assert stated.samples == tuple(range(16))
    assert stated.accuracy == trained.accuracy
    found = stated.accuracy
    assert found is not None and (found.inputs, found.weight_bits, found.membrane_bits) == ("mnist:0..15", (8,), 16)
    assert found.labels == tuple(k % 10 for k in range(16))
    with np.load(WORKLOADS / "cnn-mnist.npz") as trace:
        assert found.float_predictions == tuple(trace["predictions"].tolist())
    assert found.fraction == np.mean(np.array(found.labels) == np.array(found.predictions))
    body = stated.to_json()["accuracy"]
    assert body["fraction"] == found.fraction and body["float_fraction"] == found.float_fraction


def test_fewer_bits_change_spikes_energy_and_accuracy():
    fine = archsim.simulate("sata", "cnn-mnist", inputs="mnist:0..9")
    coarse = archsim.simulate("sata", "cnn-mnist", inputs="mnist:0..9", overrides="workload.precision.weight_bits=2")
    assert fine.accuracy is not None and coarse.accuracy is not None
    assert coarse.accuracy.weight_bits == (2,)
    assert coarse.accuracy.fraction < fine.accuracy.fraction
    assert coarse.synaptic_operations != fine.synaptic_operations


def test_a_file_names_its_inputs_and_finds_them_beside_itself(tmp_path, monkeypatch):
    path = small(tmp_path, "activity: {inputs: 'mine.npz:0..2'}\n")
    monkeypatch.chdir(WORKLOADS)
    workload = archsim.load_workload(path)
    assert list(workload.activity.samples) == [0, 1, 2]
    hidden = workload.network.layer("hidden")
    # 4 x 200 = 800 per step passes 64 at every step; the dark half never does
    assert workload.activity.outputs_of(hidden, 0)[:, :, 0, 0].tolist() == [[1, 0]] * 3
    found = accuracy_of(workload, [0, 1, 2])
    assert found is not None and (found.labels, found.predictions, found.fraction) == ((0, 1, 0), (0, 1, 0), 1.0)
    assert archsim.simulate("sata", workload, samples="all").accuracy == found


def test_the_command_names_inputs_where_it_stands(tmp_path, monkeypatch):
    small(tmp_path)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(
        app, ["run", "sata", "small.yaml", "--inputs", "mine.npz", "--json", "--no-store", "--set", "array.rows=4"]
    )
    assert done.exit_code == 0, done.output
    body = json.loads(done.stdout)
    assert body["samples"] == [0, 1, 2, 3] and body["accuracy"]["fraction"] == 0.75
    assert body["accuracy"]["labels"] == [0, 1, 0, 0] and body["accuracy"]["predictions"] == [0, 1, 0, 1]


def test_drawn_spikes_of_an_image_do_not_depend_on_the_others_that_are_asked_for(tmp_path):
    path = small(tmp_path, "activity: {inputs: mine.npz}\n", encoding="rate")
    every = archsim.load_workload(path)
    some = archsim.load_workload(path, ["activity.inputs=" + str(tmp_path / "mine.npz:1,3")])
    hidden = every.network.layer("hidden")
    for place, number in enumerate((1, 3)):
        assert (some.activity.inputs_of(hidden, place) == every.activity.inputs_of(hidden, number)).all()
    assert (every.activity.inputs_of(hidden, 1) != every.activity.inputs_of(hidden, 3)).any()  # equal images


def test_a_result_with_accuracy_is_read_back(tmp_path):
    result = archsim.simulate("sata", small(tmp_path, "activity: {inputs: mine.npz}\n"), samples="all")
    result.save(tmp_path / "out")
    assert archsim.load_result(tmp_path / "out").accuracy == result.accuracy


def test_the_hash_covers_the_inputs(tmp_path):
    path = small(tmp_path, "activity: {inputs: mine.npz}\n")
    before = archsim.load_workload(path).hash
    with np.load(tmp_path / "mine.npz") as held:
        np.savez(tmp_path / "mine.npz", inputs=held["inputs"] // 2, labels=held["labels"])
    assert archsim.load_workload(path).hash != before


def test_inputs_without_labels_have_no_accuracy(tmp_path):
    path = small(tmp_path, "activity: {inputs: images.npz}\n")
    np.savez(tmp_path / "images.npz", inputs=np.full((2, 1, 2, 4), 9, np.uint8))
    assert archsim.simulate("sata", path, samples="all").accuracy is None


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"inputs": "mnsit:0..3"}, "--inputs"),
        ({"inputs": "mnist:0..3", "precision": "sated"}, "did you mean 'stated'"),
        ({"precision": "float"}, "--precision: changes nothing without --inputs"),
        ({"inputs": "mnist:4998..5002"}, "0..4999"),
        ({"inputs": "digits:0"}, "[1, 28, 28]"),
        ({"inputs": "mnist:0..3", "samples": "7"}, "no such samples"),
    ],
)
def test_wrong_inputs_are_named(options, text):
    assert text in problems("sata", "cnn-mnist", **options)


def test_everything_wrong_is_said_at_once():
    said = problems("sata", "cnn-mnist", inputs="mnsit", overrides="array.rows=0", engine="slow")
    assert "mnist" in said and "array.rows" in said and "engine" in said


def test_a_network_without_weights_is_not_executed():
    said = problems("sata", "vgg9-cifar10", inputs="mnist:0")
    assert "has no weights" in said and "takes [3, 32, 32]" in said


def test_a_file_elsewhere_is_refused_unless_allowed(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    path = small(inside, "activity: {inputs: ../mine.npz}\n")
    (inside / "mine.npz").rename(tmp_path / "mine.npz")
    with pytest.raises(ArchsimError, match=r"small.yaml:10: activity.inputs: lies outside"):
        archsim.load_workload(path)
    assert archsim.load_workload(path, allow_outside=True).activity.samples == range(4)


@pytest.mark.parametrize(
    ("activity", "text"),
    [
        ("{inputs: mnist:0, density: 0.1}", "either a 'density', a 'trace' or 'inputs'"),
        ("{inputs: mnist:0, seed: 3}", "inputs need no generator"),
        ("{density: 0.1, precision: float}", "there are none"),
        ("{inputs: mnist:0}", r"small.yaml:10: activity.inputs.*\[1, 2, 4\]"),
    ],
)
def test_activities_that_contradict_themselves(tmp_path, activity, text):
    with pytest.raises(ArchsimError, match=text):
        archsim.load_workload(small(tmp_path, f"activity: {activity}\n"))


def test_points_of_a_sweep_name_their_inputs(tmp_path, monkeypatch):
    """Over a network whose own activity is drawn, which has no last sample."""
    small(tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bits.yaml").write_text(
        "archs: [sata]\nworkloads: [./small.yaml]\nsamples: all\nmethod: grid\n"
        f"space:\n  workload.activity: [{{inputs: {tmp_path / 'mine.npz'}}}]\n"
        "  workload.precision.weight_bits: [2, 4]\n"
    )
    found = archsim.sweep("bits.yaml", output="out")
    assert [(row["status"], row["accuracy"]) for row in found.rows] == [("ok", 0.75)] * 2
    front = archsim.pareto(found, "accuracy", "energy_pj")
    assert len(front.rows) == 1 and front.rows[0]["workload.precision.weight_bits"] == 2


def test_labels_of_no_output_are_refused(tmp_path):
    path = small(tmp_path, "activity: {inputs: mine.npz}\n")
    with np.load(tmp_path / "mine.npz") as held:
        np.savez(tmp_path / "mine.npz", inputs=held["inputs"], labels=held["labels"] + 1)
    with pytest.raises(ArchsimError, match=r"labels up to 2, and the network 'small' has 2 outputs"):
        archsim.load_workload(path)


def test_inputs_that_a_file_names_are_all_executed(tmp_path):
    path = small(tmp_path, "activity: {inputs: 'mine.npz:1..3'}\n")
    assert archsim.simulate("sata", path).samples == (0, 1, 2)
    assert archsim.simulate("sata", path, samples=1).samples == (1,)


def test_an_override_is_blamed_for_what_it_says(tmp_path):
    said = problems("sata", "cnn-mnist", inputs="mnist:0", overrides="workload.activity.inputz=3")
    assert "--set: workload.activity.inputz" in said and "--inputs" not in said


def test_a_network_that_no_stated_bits_express_still_runs_as_trained(tmp_path):
    path = small(tmp_path, "activity: {inputs: mine.npz, precision: float}\n")
    halves = np.array([[1, 1, 0, 0, 1, 1, 0, 0], [0, 0, 1, 1, 0, 0, 1, 1]])
    parts = {"hidden.weight": halves, "out.weight": np.eye(2), "hidden.gain": np.array([1.0, 1.3])}
    write_weights(tmp_path / "small-weights.npz", parts)
    found = archsim.simulate("sata", path)
    assert found.energy_pj > 0 and found.accuracy is None
    assert any("no accuracy at the stated bits" in line and "hidden" in line for line in found.assumptions)
    with pytest.raises(ArchsimError, match="hidden"):
        archsim.simulate("sata", path, overrides="workload.activity.precision=stated")

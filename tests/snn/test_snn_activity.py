"""Simulated activity: lazy, what a chip gets, and known by its content."""

from __future__ import annotations

import numpy as np
import pytest
from small import small

from archsim import load_workload
from archsim.errors import ArchsimError
from archsim.snn import SimulatedActivity, activity, simulate


@pytest.fixture(scope="module")
def preset():
    return load_workload("cnn-mnist")


@pytest.fixture(scope="module")
def images(preset):
    return np.concatenate([preset.activity.trace.members["input"]] * 2)[:20]


def test_spikes_predictions_and_accuracy(preset, images):
    labels = np.arange(20) % 16 % 10
    labels[19] = 7
    found = SimulatedActivity(preset, images, labels, name="mnist:0..19")
    whole = simulate(preset, images, precision="stated")
    np.testing.assert_array_equal(found.outputs_of(preset.network.layer("conv2"), 17), whole.spikes["conv2"][17])
    np.testing.assert_array_equal(found.inputs_of(preset.network.layer("conv1"), 18)[5], images[18])
    np.testing.assert_array_equal(found.predictions, whole.predictions)
    assert found.accuracy() == 0.95 and found.accuracy([19]) == 0.0 and found.accuracy([0, 19]) == 0.5
    assert found.samples == range(20) and not found.synthetic
    density = np.count_nonzero(whole.spikes["fc1"][3]) / whole.spikes["fc1"][3].size
    assert found.density_of(preset.network.layer("fc2"), 3) == density
    assert found.describe() == "simulated: mnist:0..19, 8-bit weights, 16-bit membranes"
    assert SimulatedActivity(preset, images).accuracy() is None
    with pytest.raises(ArchsimError, match=r"0\.\.19"):
        found.inputs_of(preset.network.layer("conv1"), 20)


def test_nothing_is_simulated_before_it_is_asked_for(preset, images, monkeypatch):
    asked = []
    real = activity.simulate
    monkeypatch.setattr(activity, "simulate", lambda *given, **how: asked.append(len(given[1])) or real(*given, **how))
    found = SimulatedActivity(preset, images, name="mnist:0..19")
    assert found.content and found.describe() and found.n_samples == 20 and asked == []
    found.outputs_of(preset.network.layer("conv1"), 17)
    assert asked == [4]
    found.outputs_of(preset.network.layer("fc1"), 16)
    assert asked == [4]
    assert found.predictions.shape == (20,)
    assert asked == [4, 16]


def test_content_covers_all_that_the_spikes_depend_on(preset, images):
    other = images.copy()
    other[3, 0, 14, 14] ^= 1
    labels = np.zeros(20, int)
    made = [
        SimulatedActivity(preset, images), SimulatedActivity(preset, other), SimulatedActivity(preset, images, labels),
        SimulatedActivity(preset, images, precision="float"), SimulatedActivity(preset, images, numbers=1),
        SimulatedActivity(preset, images, precision="float", dtype="float64"),
    ]  # fmt: skip
    assert len({one.content for one in made}) == len(made)
    assert SimulatedActivity(preset, images.copy()).content == made[0].content


def test_rate_coded_samples_are_the_same_one_by_one(tmp_path):
    layers = [{"name": "n", "type": "neuron"}]
    workload = small(tmp_path, layers, timesteps=5, input={"shape": [4], "encoding": "rate"})
    pixels = np.random.default_rng(0).integers(0, 256, (20, 4))
    found, whole = SimulatedActivity(workload, pixels), simulate(workload, pixels)
    for sample in (0, 15, 16, 19):
        np.testing.assert_array_equal(found.inputs_of(workload.network.layers[0], sample), whole.input[sample])


def test_wrong_inputs_and_labels_are_told_at_once(preset):
    with pytest.raises(ArchsimError) as error:
        SimulatedActivity(preset, np.full((2, 1, 28, 28), 0.5), [1])
    assert [problem.key for problem in error.value.problems] == ["inputs", "labels"]

"""Inputs that end early: when, with which answer, and that nothing happens behind."""

from __future__ import annotations

import math

import numpy as np
import pytest
from small import features, small

from archsim import load_workload
from archsim.errors import ArchsimError
from archsim.snn import exits, simulate

SUMS = [{"name": "fc", "type": "linear", "out_features": 2, "spiking": False}]


@pytest.fixture
def two_classes(tmp_path):
    return small(tmp_path, SUMS, {"fc.weight": [[1, 0, 4], [0, 1, 0]]})


EVENTS = features([[1, 1, 0], [1, 0, 0], [0, 0, 1], [0, 1, 0]])  # sums [1,1] [2,1] [6,1] [6,2]


def softmax(first, second):
    return math.exp(first) / (math.exp(first) + math.exp(second))


def test_confidence_is_the_softmax_of_the_mean_readout(two_classes):
    certain = [0.5, softmax(1, 0.5), softmax(2, 1 / 3), softmax(1.5, 0.5)]
    for step, (below, above) in enumerate([(0.4, 0.5), (0.51, certain[1]), (certain[1] + 1e-9, certain[2] - 1e-9)]):
        for threshold in (below, above):
            found = simulate(two_classes, EVENTS, exit_at=threshold)
            assert found.steps.tolist() == [step + 1]
    assert simulate(two_classes, EVENTS, exit_at=0.99).steps.tolist() == [4]
    assert simulate(two_classes, EVENTS, exit_at=0.99).readout.tolist() == [[6, 2]]
    assert simulate(two_classes, EVENTS, exit_at=certain[2] - 1e-9).readout.tolist() == [[6, 1]]


def test_counts_of_spikes_grow_certain(tmp_path):
    """One class spikes at every timestep, the other never: after t of them the odds are e^t."""
    layers = [{"name": "fc", "type": "linear", "out_features": 2, "neuron": {"model": "if", "threshold": 1}}]
    workload = small(tmp_path, layers, {"fc.weight": [[1, 0, 0], [0, 1, 0]]})
    events = features([[1, 0, 0]] * 4)
    for steps in (1, 2, 3, 4):
        threshold = softmax(steps, 0)
        assert simulate(workload, events, exit_at=threshold - 1e-9).steps.tolist() == [steps]
        assert simulate(workload, events, exit_at=threshold + 1e-9).steps.tolist() == [min(steps + 1, 4)]


BEHIND = {
    "flatten": [{"name": "flat", "type": "flatten"}],
    "scale": [{"name": "same", "type": "scale"}],
    "pool": [{"name": "pool", "type": "maxpool2d", "kernel": 1}, {"name": "mean", "type": "avgpool2d", "kernel": 1}],
}
NEURON = {"name": "fc", "type": "linear", "out_features": 2, "neuron": {"model": "if", "threshold": 1}}
WEIGHTS = {"fc.weight": [[1, 0, 0], [0, 1, 0]]}


@pytest.mark.parametrize("behind", BEHIND)
def test_counts_stay_counts_behind_layers_that_pass_them_on(tmp_path, behind):
    given = {"same.scale": 1.0} if behind == "scale" else {}
    (tmp_path / "plain").mkdir()
    workload = small(tmp_path, [NEURON, *BEHIND[behind]], WEIGHTS | given)
    plain = small(tmp_path / "plain", [NEURON], WEIGHTS)
    events = np.random.default_rng(3).integers(0, 2, (20, 4, 3, 1, 1)).astype(np.uint8)
    full = simulate(workload, events)
    for kind in ("softmax", "entropy"):
        for found in exits(full, (0.6, 0.8, 0.95), confidence=kind):
            for one in (workload, plain):
                again = simulate(one, events, exit_at=found.threshold, confidence=kind)
                assert again.steps.tolist() == found.steps.tolist()
                assert again.predictions.tolist() == found.predictions.tolist()
    assert len(set(exits(full, (0.8,))[0].steps.tolist())) > 1


def test_currents_behind_a_flatten_are_still_divided(tmp_path, two_classes):
    (tmp_path / "flat").mkdir()
    flat = small(tmp_path / "flat", [*SUMS, {"name": "flat", "type": "flatten"}], {"fc.weight": [[1, 0, 4], [0, 1, 0]]})
    for threshold in (0.5, 0.6, 0.8, 0.9):
        steps = [simulate(one, EVENTS, exit_at=threshold).steps.tolist() for one in (flat, two_classes)]
        assert steps[0] == steps[1]


@pytest.mark.parametrize("readout", ["last", "max"])
@pytest.mark.parametrize("spikes", [1, 3])
def test_a_threshold_out_of_reach_of_the_readout_is_told(tmp_path, readout, spikes):
    """m spikes of one class and none of the other: softmax e^m / (e^m + 1)."""
    layers = [NEURON | {"neuron": NEURON["neuron"] | {"max_spikes": spikes}}, {"name": "flat", "type": "flatten"}]
    workload = small(tmp_path, layers, {"fc.weight": [[spikes, 0, 0], [0, spikes, 0]]}, readout=readout)
    events, most = features([[1, 1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0]]), softmax(spikes, 0)
    reached = simulate(workload, events, exit_at=most - 1e-12)
    assert reached.steps.tolist() == [2 if readout == "last" else 4]
    full = simulate(workload, events)
    for run in (
        lambda: simulate(workload, events, exit_at=most + 1e-9),
        lambda: exits(full, (0.5, most + 1e-9)),
        lambda: exits(full, (1.0,), confidence="entropy"),
    ):
        with pytest.raises(ArchsimError, match=f"readout '{readout}' of layer 'flat' stays within 0..{spikes} spikes"):
            run()


def test_what_is_no_bare_spike_has_no_limit(tmp_path):
    layers = [NEURON, {"name": "large", "type": "scale"}]
    scaled = small(tmp_path, layers, WEIGHTS | {"large.scale": 10.0}, readout="last")
    assert simulate(scaled, features([[1, 0, 0]] * 4), exit_at=0.999).steps.tolist() == [1]
    pair = {"name": "pair", "type": "add", "inputs": ["flat", "fc"]}
    layers = [NEURON, {"name": "flat", "type": "flatten"}, pair]
    added = small(tmp_path, layers, WEIGHTS, readout="last")
    assert simulate(added, features([[1, 0, 0]] * 4), exit_at=softmax(2, 0) - 1e-9).steps.tolist() == [1]


def test_confidence_by_entropy(two_classes):
    chance = softmax(1, 0.5)
    entropy = -chance * math.log(chance) - (1 - chance) * math.log(1 - chance)
    certain = 1 - entropy / math.log(2)
    for threshold, steps in ((certain - 1e-9, 2), (certain + 1e-9, 3)):
        assert simulate(two_classes, EVENTS, exit_at=threshold, confidence="entropy").steps.tolist() == [steps]


def test_nothing_happens_behind_the_exit():
    preset = load_workload("cnn-mnist")
    images = preset.activity.trace.members["input"]
    full = simulate(preset, images, membranes=["fc1"])
    early = simulate(preset, images, membranes=["fc1"], exit_at=0.999)
    assert 1 < early.steps.mean() < 8 and len(set(early.steps.tolist())) > 1
    for number, steps in enumerate(early.steps):
        for name, spikes in early.spikes.items():
            np.testing.assert_array_equal(spikes[number, :steps], full.spikes[name][number, :steps])
            assert not spikes[number, steps:].any()
        assert not early.potentials["fc1"][number, steps:].any()
        assert early.trace().values("input", number)[steps - 1].any()
        assert not early.trace().values("input", number)[steps:].any()


def test_exits_without_simulating_again_equal_simulated_exits():
    preset = load_workload("cnn-mnist")
    trace = preset.activity.trace
    images, labels = trace.members["input"], trace.labels
    for kind in ("softmax", "entropy"):
        thresholds = (0.05, 0.9, 0.99, 0.999, 1.0)
        for found in exits(simulate(preset, images), thresholds, labels, kind):
            again = simulate(preset, images, exit_at=found.threshold, confidence=kind)
            np.testing.assert_array_equal(found.steps, again.steps)
            np.testing.assert_array_equal(found.predictions, again.predictions)
            assert found.mean_steps == again.steps.mean() and found.accuracy == again.accuracy(labels)
    assert [one.mean_steps for one in exits(simulate(preset, images), (0.05, 1.0))] == [1.0, 8.0]


def test_a_raster_ends_with_its_input(two_classes):
    found = simulate(two_classes, EVENTS[None], exit_at=0.6)
    assert found.steps.tolist() == [2] and not found.input[0, 2:].any() and found.input[0, :2].any()


def test_a_last_potential_is_that_of_the_exit(tmp_path):
    layers = [{"name": "fc", "type": "linear", "out_features": 2, "neuron": {"model": "li", "leak": 0.5}}]
    workload = small(tmp_path, layers, {"fc.weight": [[1, 0, 4], [0, 1, 0]]})
    found = simulate(workload, EVENTS, exit_at=softmax(1.5, 0.5) - 1e-9)  # potentials [1,1] [1.5,.5] [4.75,.25] ...
    assert found.steps.tolist() == [2] and found.readout.tolist() == [[1.5, 0.5]]


def test_an_encoded_image_ends_too(tmp_path):
    keys = {"input": {"shape": [3], "encoding": "rate", "rate": "regular"}}
    workload = small(tmp_path, SUMS, {"fc.weight": [[1, 0, 4], [0, 1, 0]]}, **keys)
    found = simulate(workload, np.array([[0, 0, 255], [255, 255, 0]]), exit_at=0.9)
    assert found.steps.tolist() == [1, 4]
    assert found.input[:, :, :, 0, 0].sum(axis=(1, 2)).tolist() == [1, 8] and found.input[0, 0].any()


def test_wrong_thresholds_are_told_at_once(two_classes):
    done = simulate(two_classes, EVENTS)
    with pytest.raises(ArchsimError) as error:
        exits(done, (0.5, 0.0, 2.0), [1, 2], "sure")
    assert [problem.key for problem in error.value.problems] == ["thresholds", "thresholds", "confidence", "labels"]
    with pytest.raises(ArchsimError, match="without exit_at"):
        exits(simulate(two_classes, EVENTS, exit_at=0.5), (0.5,))

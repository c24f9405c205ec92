"""The accuracy on chips: as fabricating and executing by hand gives it, at the right figures, and what is refused."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
from test_real_inputs import small
from typer.testing import CliRunner

import archsim
from archsim.cli import app
from archsim.datasets import apart_from, load_inputs
from archsim.errors import ArchsimError
from archsim.fabricated import fabricate
from archsim.fidelity.answer import over_chips

pytest.importorskip("mlxtend")
CHIP = ["crossbar.signed=differential", "adc.analog_sum=false"]
EXACT = [*CHIP, "adc.ideal=true"]
WORSE = [*CHIP, "crossbar.errors.variation={distribution: normal, proportional: 0.4}"]
IMAGES = "mnist:0..3"


@pytest.fixture(scope="module")
def network():
    return archsim.load_workload("cnn-mnist")


@pytest.fixture(scope="module")
def found():
    asked = {"inputs": IMAGES, "calibration": "mnist:1000..1003", "calibrate": "layer", "overrides": WORSE}
    return archsim.accuracy("spikeflow", "cnn-mnist", chips=2, first_chip=4, **asked)


@pytest.fixture(scope="module")
def by_hand(network):
    """Predictions [2, 4] and spikes of the same two chips, without the verb."""
    arch = archsim.load_architecture("spikeflow", WORSE).chip
    few, images = (load_inputs(spec, network.network) for spec in ("mnist:1000..1003", IMAGES))
    simulated = []
    for number in (4, 5):
        chip = fabricate(arch, network, number)
        chip.calibrate(few.values, few.indices, gains="layer")
        simulated.append(chip.simulate(images.values))
    return images.labels, simulated


def test_the_verb_says_what_chips_that_are_made_by_hand_do(found, by_hand):
    labels, simulated = by_hand
    each = [one.accuracy(labels) for one in simulated]
    assert [(chip.number, chip.accuracy) for chip in found.chips] == [(4, each[0]), (5, each[1])]
    assert found.mean == np.mean(each) and found.spread == pytest.approx(np.std(each, ddof=1))
    assert (found.worst, found.worst_chip) == (min(each), 4 + int(np.argmin(each)))
    for layer in found.layers:
        if layer.spikes_chip is not None:
            own = [one.spikes[layer.layer].sum() / 4 for one in simulated]
            assert layer.spikes_chip == pytest.approx(np.mean(own))
    assert found.calibrated == ("ranges of converters", "a gain of each layer")
    assert found.calibration == "mnist:1000..1003" and not found.calibration_note


def test_the_answer_as_json(found):
    body = json.loads(found.to_text())
    assert body["format"] == "archsim-accuracy-1" and set(body) == {"format", *asdict(found)}
    assert [layer["layer"] for layer in body["layers"]] == ["conv1", "conv2", "fc1", "fc2"]
    assert set(body["layers"][0]) == {
        "layer", "relative_rms", "bias", "clipped", "spikes_changed", "spikes_stated", "spikes_chip",
    }  # fmt: skip
    assert body["layers"][0]["relative_rms"] > 0.05 and body["layers"][-1]["spikes_chip"] is None
    states = {one["name"]: one["state"] for one in body["imperfections"]}
    assert states["variation of programmed cells"] == "modelled" and states["resistance of wires"] == "none"
    assert states["read noise"] == "not modelled"


def test_without_imperfections_nothing_is_lost(network):
    """Ideal crossbars give the stated bits: no error in any layer, no other spike."""
    found = archsim.accuracy("spikeflow", "cnn-mnist", inputs=IMAGES, overrides=EXACT)
    assert found.mean == found.stated and found.agreement == 1.0 and found.loss_points == 0.0
    assert not found.calibrated and not found.calibration
    for layer in found.layers:
        assert (layer.relative_rms, layer.bias, layer.clipped) == (0.0, 0.0, None)
        assert layer.spikes_changed in (0.0, None) and layer.spikes_stated == layer.spikes_chip


def test_a_short_range_clips_and_a_full_one_does_not():
    shares = {}
    for range_ in ("full", "2"):
        asked = {"inputs": "mnist:0", "overrides": [*CHIP, f"adc.range={range_}"]}
        rows = archsim.accuracy("spikeflow", "cnn-mnist", **asked).layers
        shares[range_] = [layer.clipped for layer in rows]
    assert max(shares["full"]) == 0.0 and max(shares["2"]) > 0.1


def test_figures_over_chips_by_hand():
    labels, stated = np.array([0, 1, 2, 3]), np.array([0, 1, 2, 0])
    predicted = np.array([[0, 1, 0, 3], [0, 0, 0, 0]])
    over = over_chips(predicted, range(7, 9), stated, labels, labels)
    assert [asdict(chip) for chip in over["chips"]] == [
        {"number": 7, "accuracy": 0.75, "agreement": 0.5}, {"number": 8, "accuracy": 0.25, "agreement": 0.5},
    ]  # fmt: skip
    assert (over["trained"], over["stated"], over["mean"], over["worst"], over["worst_chip"]) == (1, 0.75, 0.5, 0.25, 8)
    lost = np.array([0.0, 0.5, 1.0, -0.5])
    error = 100 * np.sqrt(np.var([0.75, 0.25], ddof=1) / 2 + np.var(lost, ddof=1) / 4)
    assert over["loss_points"] == 25.0 and over["loss_error_points"] == pytest.approx(error)
    alone = over_chips(predicted[:1], range(1), stated, labels, None)
    assert alone["mean"] is None and alone["agreement"] == 0.5 and alone["agreement_spread"] is None


def test_inputs_beside_those_that_are_asked_for(network, tmp_path):
    asked = load_inputs("mnist:0,1000..1003", network.network)
    assert apart_from(asked, network.network).indices == tuple(range(1004, 1036))
    small(tmp_path)
    own = apart_from(load_inputs(f"{tmp_path}/mine.npz:1..3"), network.network)
    assert own.indices == (1, 2, 3) and own.spec.endswith("mine.npz:1..3")


def test_own_inputs_without_labels_are_calibrated_with_themselves_and_compared_with_software(tmp_path, monkeypatch):
    path = small(tmp_path)
    images = np.load(tmp_path / "mine.npz")["inputs"]
    np.savez(tmp_path / "bare.npz", inputs=images)
    monkeypatch.chdir(tmp_path)
    line = ["accuracy", "spikeflow", path.name, "--inputs", "bare.npz", "--chips", "2", "--figure", "a.png"]
    done = CliRunner().invoke(app, [*line, *(part for one in CHIP for part in ("--set", one))])
    assert done.exit_code == 0, done.output
    assert "the inputs have no labels" in done.output and "among the inputs that are asked for" in done.output
    assert (tmp_path / "a.png").stat().st_size > 5000
    whole = archsim.accuracy("spikeflow", path, inputs="bare.npz", overrides=CHIP)
    assert whole.mean is None and whole.stated is None and 0 <= whole.agreement <= 1 and whole.spread is None


def test_everything_that_is_wrong_is_told_at_once(tmp_path):
    with pytest.raises(ArchsimError) as wrong:
        archsim.accuracy(
            "sata", "vgg9-cifar10", chips=0, first_chip=-1, calibrate="colum", calibration="mnis:0", figure="a.gif"
        )
    said = {problem.key: problem for problem in wrong.value.problems}
    assert set(said) == {"chips", "first_chip", "calibrate", "calibration", "figure", "arch", "inputs"}
    assert said["calibrate"].nearest == "column" and "no analog crossbars" in said["arch"].message


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"inputs": "mnist:0", "calibration": "mnist:99999"}, "calibration: there is no sample 99999"),
        ({"inputs": "digits:0"}, r"takes \[1, 28, 28\]"),
        ({}, "executed on"),
    ],
)
def test_what_cannot_be_asked(options, text):
    with pytest.raises(ArchsimError, match=text):
        archsim.accuracy("spikeflow", "cnn-mnist", **options)

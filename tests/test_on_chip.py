"""Runs charged for the spikes of one chip: those of the stated bits where nothing errs, others where it does."""

from __future__ import annotations

import json

import pytest
from test_real_inputs import small
from typer.testing import CliRunner

import archsim
from archsim.cli import app
from archsim.errors import ArchsimError
from archsim.inputs import InputActivity
from archsim.request import prepare
from archsim.store import Store, key_of

pytest.importorskip("mlxtend")
CHIP = ["crossbar.signed=differential", "adc.analog_sum=false"]
WORSE = [*CHIP, "crossbar.errors.variation={distribution: normal, proportional: 0.4}"]
IMAGE = {"inputs": "mnist:0"}


def run(overrides, precision="chip", **options):
    return archsim.simulate("spikeflow", "cnn-mnist", inputs="mnist:0", precision=precision, overrides=overrides,
                            **options)  # fmt: skip


def key(*overrides, precision="chip"):
    return key_of(prepare("spikeflow", "cnn-mnist", **IMAGE, precision=precision, overrides=[*CHIP, *overrides]))


def test_a_chip_without_imperfections_costs_what_the_stated_bits_cost():
    """Chip and software send the same spikes, so that energy and cycles are the same to the last digit."""
    exact = [*CHIP, "adc.ideal=true"]
    stated, chip = run(exact, "stated"), run(exact)
    assert (chip.energy_pj, chip.cycles, chip.counts) == (stated.energy_pj, stated.cycles, stated.counts)
    assert chip.accuracy is not None and stated.accuracy is not None
    assert chip.accuracy.predictions == stated.accuracy.predictions
    assert chip.accuracy.chip == "chip 0 of spikeflow" and stated.accuracy.chip == ""


def test_a_chip_that_errs_is_charged_for_the_spikes_that_it_sends(tmp_path):
    stated, worse = run(WORSE, "stated"), run(WORSE)
    other = run([*WORSE, "workload.activity.chip=7", "workload.activity.calibrate=layer"])
    seventh = run([*WORSE, "workload.activity.chip=7"])
    assert len({one.energy_pj for one in (stated, worse, seventh, other)}) == 4
    request = prepare("spikeflow", "cnn-mnist", **IMAGE, precision="chip", overrides=WORSE)
    network = request.workload.network
    spikes = sum(request.workload.activity.outputs_of(layer).sum() for layer in network.layers if layer.spiking)
    by_hand = archsim.accuracy("spikeflow", "cnn-mnist", **IMAGE, overrides=WORSE)
    assert spikes == sum(layer.spikes_chip for layer in by_hand.layers if layer.spikes_chip is not None)
    assert worse.accuracy.fraction == by_hand.mean and worse.accuracy.stated_fraction == by_hand.stated
    said = "chip 7 of spikeflow, ranges of converters and a gain of each layer set with mnist:1000..1031"
    assert other.accuracy.chip == said
    other.save(tmp_path)
    assert archsim.load_result(tmp_path).accuracy == other.accuracy


def test_the_command_says_whose_accuracy_it_is():
    line = ["run", "spikeflow", "cnn-mnist", "--inputs", "mnist:0", "--precision", "chip", "--no-store"]
    done = CliRunner().invoke(app, [*line, *(part for one in CHIP for part in ("--set", one))])
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    assert "of mnist:0 on chip 0 of spikeflow, ranges of converters set with mnist:1000..1031" in said
    assert "at the stated bits 100.0 %" in said


def test_what_changes_a_current_changes_the_key():
    """Of the store: no two chips that could send other spikes share an answer."""
    variation = "crossbar.errors.variation={{distribution: normal, proportional: {}}}"
    sets = [[], [variation.format(0.1)], [variation.format(0.2)], ["crossbar.wires.wordline=1 ohm"],
            ["adc.offset=0.5"], ["adc.range=full"], ["workload.activity.chip=1"],
            ["workload.activity.calibrate=column"], ["workload.activity.calibration='mnist:1000..1003'"]]  # fmt: skip
    keys = [key(*one) for one in sets] + [key(precision="stated")]
    assert len(set(keys)) == len(keys) and key() == keys[0]


def test_a_stored_run_keeps_whose_accuracy_it_is(tmp_path):
    store = Store(tmp_path / "runs.sqlite")
    first, again = run(CHIP, store=store), run(CHIP, store=store)
    assert again == first and again.accuracy.chip.startswith("chip 0") and len(store.rows()) == 1


def test_points_that_differ_in_prices_only_share_a_chip():
    """The node changes no current: whoever asks again is given the chip that is made."""
    workload = archsim.load_workload("cnn-mnist", ["activity={inputs: 'mnist:0', precision: chip}"])
    one, other, third = (
        prepare(archsim.load_architecture("spikeflow", [*CHIP, text]), workload).workload.activity
        for text in ("node=65", "node=45", "adc.bits=5")
    )
    assert one is other and third is not one and isinstance(one, InputActivity)


@pytest.mark.parametrize(
    ("ask", "text"),
    [
        (lambda: archsim.simulate("sata", "cnn-mnist", **IMAGE, precision="chip"), "--precision: 'sata' has no analog"),
        (lambda: archsim.simulate("spikeflow", "cnn-mnist", precision="chip"), "changes nothing without --inputs"),
        (lambda: archsim.simulate("spikeflow", "cnn-mnist", **IMAGE, precision="chp"), "did you mean 'chip'"),
        (lambda: run([*CHIP, "workload.activity.calibration='mnst:9'"]), "workload.activity.calibration: no such dat"),
        (lambda: run([*CHIP, "workload.activity.chip=1"], "stated"), "needs 'precision: chip'"),
        (lambda: archsim.metrics("cnn-mnist", overrides="activity={inputs: 'mnist:0', precision: chip}"), "of a chip"),
    ],
)  # fmt: skip
def test_what_is_refused(ask, text):
    with pytest.raises(ArchsimError, match=text):
        ask()


def test_without_a_chip_such_spikes_are_not_known():
    workload = archsim.load_workload("cnn-mnist", ["activity={inputs: 'mnist:0', precision: chip}"])
    with pytest.raises(ArchsimError, match="those of a chip, and here is none"):
        workload.activity.density_of(workload.network.layers[0])


def test_other_verbs_take_the_spikes_of_a_chip(tmp_path):
    path = small(tmp_path, "activity: {inputs: mine.npz, precision: chip}\n")
    found = archsim.early_exit("spikeflow", path, samples="all", thresholds=[1.0], overrides=CHIP)
    whole = archsim.simulate("spikeflow", path, samples="all", overrides=CHIP)
    assert found.rows[0].energy_pj == pytest.approx(whole.energy_pj) and found.rows[0].accuracy is not None
    assert found.rows[0].accuracy == whole.accuracy.fraction
    alone = archsim.simulate("spikeflow", path, samples=0, overrides=CHIP)
    assert archsim.profile("spikeflow", path, overrides=CHIP).result.energy_pj == alone.energy_pj


SWEEP = """
archs: [spikeflow]
workloads: [small.yaml]
accuracy: {inputs: mine.npz, chips: 3, calibrate: layer}
space:
  crossbar.signed: [differential]
  adc.analog_sum: [false]
  crossbar.errors.variation: [none, {distribution: normal, proportional: 2.0}]
  node: [65, 45]
"""


def test_a_sweep_has_the_accuracy_on_chips_and_keeps_it(tmp_path, monkeypatch):
    small(tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spec.yaml").write_text(SWEEP)
    table = archsim.sweep("spec.yaml", output="out", store="runs.sqlite")
    assert [row["status"] for row in table.rows] == ["ok"] * 4, [row["message"] for row in table.rows]
    for row, overrides in zip(table.rows[::2], ([*CHIP, "crossbar.errors.variation=none"], [
        *CHIP, "crossbar.errors.variation={distribution: normal, proportional: 2.0}"
    ]), strict=True):  # fmt: skip
        alone = archsim.accuracy(
            "spikeflow", "small.yaml", inputs="mine.npz", chips=3, calibrate="layer", overrides=overrides
        )
        found = [row[name] for name in ("chip_accuracy", "chip_accuracy_spread", "chip_accuracy_worst")]
        assert found == [alone.mean, alone.spread, alone.worst]
    assert table.rows[0]["chip_accuracy"] > table.rows[2]["chip_accuracy"]
    for how in ({"store": "runs.sqlite", "output": "again"}, {"output": "out"}, {"output": "bare"}):
        assert archsim.sweep("spec.yaml", **how).rows == table.rows
    assert {row["crossbar.errors.variation"] == "none" for row in archsim.pareto("out", "chip_accuracy").rows} == {True}
    before = (tmp_path / "out" / "points.jsonl").read_text()
    (tmp_path / "spec.yaml").write_text(SWEEP.replace("chips: 3", "chips: 2"))
    archsim.sweep("spec.yaml", output="out", store="runs.sqlite")
    added = (tmp_path / "out" / "points.jsonl").read_text().removeprefix(before)
    assert len([json.loads(line) for line in added.splitlines()]) == 4


def test_a_sweep_may_calibrate_some_of_its_designs_only(tmp_path, monkeypatch):
    small(tmp_path)
    monkeypatch.chdir(tmp_path)
    text = SWEEP.replace("calibrate: layer", "calibration: mine.npz:0..3")
    assert text != SWEEP
    text = text[: text.index("space:")] + "space: {crossbar.signed: [differential], adc.range: [full, calibrated]}\n"
    (tmp_path / "spec.yaml").write_text(text)
    table = archsim.sweep("spec.yaml", output="some")
    assert [row["status"] for row in table.rows] == ["ok"] * 2, [row["message"] for row in table.rows]


def test_a_sweep_that_cannot_know_accuracies_is_refused(tmp_path, monkeypatch):
    small(tmp_path)
    text = SWEEP.replace("archs: [spikeflow]", "archs: [spikeflow, sata]").replace("mine.npz", "mnst:0")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spec.yaml").write_text(text)
    with pytest.raises(ArchsimError) as wrong:
        archsim.sweep("spec.yaml")
    said = "\n".join(map(str, wrong.value.problems))
    assert "spec.yaml:4: accuracy: 'sata' has no analog crossbars" in said
    assert "spec.yaml:4: accuracy.inputs: no such dataset" in said
    (tmp_path / "spec.yaml").write_text(SWEEP.replace("accuracy:", "constraints: [chip_accuracy > 0.9]\n#"))
    with pytest.raises(ArchsimError, match="no accuracy on chips is asked for"):
        archsim.sweep("spec.yaml")

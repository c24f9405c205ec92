"""Profiles as a whole: parts that sum, advice that holds, files, and what is refused."""

from __future__ import annotations

import io
import json
import re

import pytest
from rich.console import Console
from typer.testing import CliRunner

import archsim
from archsim.accelerators import load_architecture
from archsim.advice import LEVERS, Advice, advise, overrides, sentences
from archsim.analysis.sensitivity import Sensitivity
from archsim.cli import app
from archsim.cost.table import load_costs
from archsim.profiling import Profile
from archsim.report.profile_tables import print_profile

CHIPS = [("sata", ()), ("sata", ("dram.bandwidth=0.2",)), ("eyeriss-snn", ()), ("spikeflow", ()), ("isaac-like", ())]


@pytest.fixture(scope="module")
def profiles() -> dict[tuple[str, tuple[str, ...]], Profile]:
    return {(chip, given): archsim.profile(chip, "cnn-mnist", overrides=given) for chip, given in CHIPS}


@pytest.mark.parametrize("case", CHIPS)
def test_the_parts_of_every_attribution_sum_exactly(profiles, case):
    result = profiles[case].result
    assert result.cycles == archsim.simulate(case[0], "cnn-mnist", overrides=case[1]).cycles
    for row in result.units:
        waits = [sum(piece.values()) for piece in (row.starved, row.blocked, row.arbitration)]
        assert row.busy + sum(waits) + row.idle == result.cycles
    assert sum(share.cycles for share in result.critical_path) == result.cycles


@pytest.mark.parametrize("case", CHIPS)
def test_no_memory_allows_less_than_what_is_achieved(profiles, case):
    roof = profiles[case].roofline
    assert roof.memories and roof.operations > 0
    assert roof.achieved_per_s <= roof.roof_per_s
    for memory in roof.memories:
        assert roof.achieved_per_s <= memory.attainable_per_s, memory


TINY = """
family: crossbar
name: tiny
clock: 250
crossbar: {rows: 8, cols: 8, device: rram-20k-200k, column_mux: 8, read: 8 ns}
adc: {bits: 4, conversion: 12 ns}
"""
EIGHT_BY_FOUR = """
name: eight by four
timesteps: 2
input: {shape: [8], encoding: events}
precision: {weight_bits: 2}
layers: [{name: fc, type: linear, out_features: 4}]
activity: {density: 1.0}
"""


def test_the_roof_of_a_crossbar_is_what_its_converters_let_pass(tmp_path):
    """8 inputs x 4 outputs x 2 timesteps; a read takes 2 cycles, 4 pairs of columns take turns of 3 cycles each."""
    (tmp_path / "chip.yaml").write_text(TINY)
    (tmp_path / "net.yaml").write_text(EIGHT_BY_FOUR)
    found = archsim.profile(tmp_path / "chip.yaml", tmp_path / "net.yaml")
    roof = found.roofline
    assert roof.operations == 8 * 4 * 2 and roof.stage == "fc.adc.0"
    assert roof.roof_per_s == pytest.approx(64 / (2 * 8 * 3) * 250e6)
    assert roof.achieved_per_s == pytest.approx(64 / found.result.cycles * 250e6)
    assert all(roof.achieved_per_s <= one.attainable_per_s <= roof.roof_per_s for one in roof.memories)
    assert not any(one.memory_bound for one in roof.memories)


def test_nor_where_ports_do_not_limit_the_chip():
    roof = archsim.profile("scalesim-ws", "cnn-mnist", overrides=["buffers.ofmap.line=4"]).roofline
    lowest = min(memory.attainable_per_s for memory in roof.memories)
    assert lowest == pytest.approx(roof.achieved_per_s)


@pytest.mark.parametrize("case", CHIPS)
def test_energy_savings_are_what_pricing_says(profiles, case):
    found = profiles[case]
    result, savings = found.result, {(one.change, one.subject): one for one in found.energy}
    for part in result.components:
        assert savings["half the energy", part.name].gain_pj == pytest.approx(part.energy_pj / 2)
    halves = sum(one.gain_pj for (change, _), one in savings.items() if change == "half the energy")
    assert 2 * halves == pytest.approx(result.energy_pj)
    assert savings["no leakage", "all"].energy_pj == pytest.approx(result.dynamic_pj)
    assert savings["half the latency", "all"].energy_pj == pytest.approx(result.dynamic_pj + result.static_pj / 2)


def test_half_the_energy_is_what_a_cost_overlay_gives(tmp_path):
    constants = load_costs().constants
    halves = {
        key: {"value": constants[key].value / 2, "source": "half"}
        for key in ("dram.read_bit", "dram.write_bit", "dram.activate", "dram.background")
    }
    (tmp_path / "half.yaml").write_text(json.dumps({"constants": halves}))
    before = archsim.profile("sata", "cnn-mnist")
    after = archsim.simulate("sata", "cnn-mnist", costs=tmp_path / "half.yaml")
    saved = next(one for one in before.energy if one.subject == "dram")
    assert saved.energy_pj == pytest.approx(after.energy_pj) and saved.gain_pj > 0.1 * after.energy_pj


# -- the third sentence ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CHIPS)
def test_whoever_follows_the_advice_finds_what_the_sentence_says(profiles, case):
    found = profiles[case]
    third = found.sentences[2]
    said = re.search(r"executed with --set (\S+) it is (\S+) % shorter and takes (\S+) % (less|more) energy\.$", third)
    assert said, third
    really = archsim.simulate(case[0], "cnn-mnist", overrides=[*case[1], said[1]])
    before = found.result
    assert really.cycles < before.cycles
    assert 100 * (1 - really.cycles / before.cycles) == pytest.approx(float(said[2]), abs=0.51)
    saved = float(said[3]) * (1 if said[4] == "less" else -1)
    assert 100 * (1 - really.energy_pj / before.energy_pj) == pytest.approx(saved, abs=0.51)
    assert found.advice and found.advice.executed and found.advice.executed.cycles == really.cycles
    assert found.advice.executed.energy_pj == pytest.approx(really.energy_pj)


@pytest.mark.parametrize(("case", "key"), [(CHIPS[1], "dram.bandwidth=0.4"), (CHIPS[4], "crossbar.read=50")])
def test_where_a_key_makes_just_the_change_the_gain_is_the_one_foreseen(profiles, case, key):
    advice = profiles[case].advice
    assert advice.executed.overrides == (key,) and advice.overrides == ((key,),)
    assert profiles[case].result.cycles - advice.executed.cycles == advice.gain_cycles
    assert f"{advice.gain_cycles:,} of {profiles[case].result.cycles:,}" in profiles[case].sentences[2]


def test_two_kinds_that_work_in_step_are_advised_together():
    found = archsim.profile("isaac-like", "vgg9-cifar10")  # 128 cycles of reading, 127 of converting, one after another
    before, pair = found.result.cycles, next(one for one in found.time if one.pair_of)
    assert pair.pair_of == ("read", "adc") and pair.subject == "read + adc" and pair.gain > 0.45 * before
    assert max(one.gain for one in found.time if not one.pair_of) < 0.05 * before
    assert found.advice and found.advice.subject == pair.subject
    assert "the crossbars and the converters" in found.sentences[2]
    said = found.advice.executed  # a conversion takes a whole cycle already; but there may be more converters
    assert said and said.overrides == ("crossbar.read=50", "crossbar.column_mux=64")
    assert before - said.cycles == pytest.approx(pair.gain, rel=0.02)
    assert archsim.simulate("isaac-like", "vgg9-cifar10", overrides=said.overrides).cycles == said.cycles


def test_no_gain_no_advice_and_anomalies_are_warned_of(profiles):
    result = profiles[CHIPS[0]].result
    none = Sensitivity("faster", "array", ("array",), 100, 0)
    worse = Sensitivity("faster", "dram", ("dram",), 109, -9)
    assert advise([none, worse], None) is None
    third = sentences(result, [none, worse], "dram", None)[2]
    assert "nothing" in third and "DRAM twice as fast makes the run 9 cycles longer" in third


def test_overrides_only_of_keys_that_the_chip_has():
    dram = Sensitivity("faster", "dram", ("dram",), 1, 1)
    assert overrides(load_architecture("sata").chip, dram) == (("dram.bandwidth=6.4",),)
    assert overrides(load_architecture("scalesim-os").chip, dram) == ()  # unlimited
    assert overrides(load_architecture("spikeflow").chip, dram) == ()  # it has none
    update = Sensitivity("faster", "neuron", ("neuron",), 1, 1)
    assert overrides(load_architecture("sata").chip, update) == ()  # a cycle per update, and a unit per PE
    advice = Advice("faster", "neuron", 1, ())
    assert sentences(archsim.simulate("sata", "cnn-mnist"), [], "", advice)[2].endswith("%).")


def test_levers_are_keys_of_some_chip():
    chips = [load_architecture(name).chip for name in ("sata", "spikeflow", "eyeriss-snn")]
    for keys in LEVERS.values():
        for key, _ in keys:
            assert any(has(chip, key.split(".")) for chip in chips), key


def has(chip, names) -> bool:
    for name in names:
        if not hasattr(chip, name):
            return False
        chip = getattr(chip, name)
    return True


# -- printed, written, refused -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CHIPS)
def test_tables_say_everything(profiles, case):
    text = io.StringIO()
    print_profile(profiles[case], Console(file=text, width=160))
    printed = text.getvalue()
    for heading in ("unit's time", "Critical path", "Roofline", "shorten the run", "save energy", "Change first:"):
        assert heading in printed
    assert f"{profiles[case].result.cycles:,}" in printed


def test_the_verb_writes_data_and_figures(tmp_path):
    done = CliRunner().invoke(app, ["profile", "spikeflow", "cnn-mnist", "--json", "-o", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    data = json.loads((tmp_path / "out" / "profile.json").read_text())
    assert data == json.loads(done.stdout)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "profile.json", "shorter.png", "cheaper.png", "roofline.png"
    }  # fmt: skip
    assert data["format"] == "archsim-profile-1" and len(data["sentences"]) == 3
    assert sum(row["cycles"] for row in data["critical_path"]) == data["cycles"]


def test_everything_wrong_at_once_and_nothing_written(tmp_path):
    words = ["profile", "sata", "cnn-mnist", "--set", "array.rowz=3", "--engine", "quick", "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2 and "array.rowz" in done.output and "quick" in done.output
    several = CliRunner().invoke(app, ["profile", "sata", "cnn-mnist", "--samples", "0..3"])
    assert several.exit_code == 2 and "one sample" in several.output
    (tmp_path / "file").write_text("")
    blocked = CliRunner().invoke(app, ["profile", "sata", "cnn-mnist", "-o", str(tmp_path / "file")])
    assert blocked.exit_code == 2 and not (tmp_path / "out").exists()

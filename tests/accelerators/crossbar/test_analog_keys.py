"""What a chip says of its wires, errors, converters and encoding: values, and all that is wrong with them at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from archsim.accelerators import load_architecture
from archsim.accelerators.crossbar.crossbar_schema import Crossbar
from archsim.catalog import preset_text
from archsim.cli import app
from archsim.errors import ConfigError

DRIFT = "{nu_mean: {offset: 0.05}, nu_sigma: {offset: 0}, t0: 20 s}"
FLICKER = "{flicker: {coefficient: 0.01, exponent: 1, limit: 0.2, t_read: 250 ns}}"


def crossbar(*settings: str, arch: str = "spikeflow") -> Crossbar:
    found = load_architecture(arch, [f"crossbar.{setting}" for setting in settings]).chip.crossbar
    assert isinstance(found, Crossbar)
    return found


def refused(*settings: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_architecture("spikeflow", settings)
    return str(caught.value)


def told(verb: str, *arguments: str) -> str:
    """What the command line says; it must refuse."""
    done = CliRunner().invoke(app, [verb, *arguments])
    assert done.exit_code == 2, done.stdout
    return done.stderr


# values


def test_a_chip_is_ideal_but_for_its_device_unless_it_says_more() -> None:
    chip = load_architecture("spikeflow").chip
    assert not chip.crossbar.wires.any and chip.crossbar.silent_rows == "grounded"
    assert chip.crossbar.imperfect_cell == chip.crossbar.cell and chip.crossbar.age_s == 0
    assert chip.crossbar.rows_at_once == chip.converters.rows_at_once == 64
    assert (chip.adc.ideal, chip.adc.range, chip.adc.offset, chip.adc.gain) == (False, "calibrated", 0, 0)
    assert chip.mapping.encoding == "plain"


@pytest.mark.parametrize("text", ["2", "2 ohm", "2000 mohm", "0.002 kohm"])
def test_wires_are_in_ohm(text: str) -> None:
    wires = crossbar(f"wires.wordline={text}", "wires.sense=1 kohm").wires
    assert (wires.wordline, wires.bitline, wires.driver, wires.sense, wires.any) == (2.0, 0.0, 0.0, 1000.0, True)


def test_what_the_chip_states_stands_in_place_of_what_the_device_states() -> None:
    device = ("device=rram-20k-200k",)
    stated = crossbar(*device, "errors.variation={distribution: lognormal, proportional: 0.1}", "errors.stuck=none")
    made, cell = stated.imperfect_cell, stated.cell
    assert made.variation is not None and made.variation.proportional == 0.1 and cell.variation is None
    assert made.variation.source == "stated by the chip"
    assert made.read == cell.read and made.levels == cell.levels and made.name == cell.name
    below = crossbar(*device, "errors.variation={distribution: normal}", "errors.variation.proportional=0.2")
    assert below.imperfect_cell.variation is not None and below.imperfect_cell.variation.proportional == 0.2


def test_errors_of_the_device_can_be_turned_off(tmp_path: Path) -> None:
    text = preset_text("rram-20k-200k").replace("read_noise: null", "read_noise: {proportional: 0.02, source: me}")
    text = text.replace("drift: null", f"drift: {DRIFT[:-1]}, source: me}}")
    (tmp_path / "mine.yaml").write_text(text)
    device = f"device={tmp_path / 'mine.yaml'}"
    assert crossbar(device).imperfect_cell == crossbar(device).cell
    quiet = crossbar(device, "errors.read_noise=none", "errors.drift=none").imperfect_cell
    assert quiet.read_noise is None and quiet.drift is None and crossbar(device).cell.drift is not None


@pytest.mark.parametrize(
    ("age", "seconds"), [("null", 20.0), ("90", 90.0), ("1 h", 3600.0), ("1 day", 86400.0), ("10 years", 315576000.0)]
)
def test_age_is_in_seconds_and_by_default_that_of_the_programmed_conductance(age: str, seconds: float) -> None:
    assert crossbar(f"errors.drift={DRIFT}", f"errors.age={age}").age_s == seconds


@pytest.mark.parametrize("value", ["calibrated", "full", "levels", 31, 40.5])
def test_ranges_of_converters(value: Any) -> None:
    assert load_architecture("spikeflow", [f"adc.range={value}"]).chip.adc.range == value


def test_sweeps_may_start_where_a_setting_changes_nothing() -> None:
    """Gated rows and compensated weights without wire resistance, as many rows at once as there are, errors at 0."""
    crossbar("silent_rows=gated", "active_rows=64", "wires.wordline=0")
    load_architecture("spikeflow", ["mapping.encoding=compensated", "adc.ideal=true", "adc.offset=0"])
    nothing = crossbar("errors.variation={distribution: normal, proportional: 0}").imperfect_cell.variation
    assert nothing is not None and nothing.proportional == 0


# refusals


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("crossbar.wires.wordline=-1", "crossbar.wires.wordline: must be a number of ohm, from 0 to 1000000"),
        ("crossbar.wires.wordline=2 ohms", "unknown unit (got '2 ohms'; allowed: mohm, ohm, kohm, Mohm; did you mean"),
        ("crossbar.wires.worldline=2", "crossbar.wires.worldline: unknown key"),
        ("crossbar.silent_rows=gate", "crossbar.silent_rows: unknown value (got 'gate'; allowed: grounded, gated"),
        ("crossbar.active_rows=0", "crossbar.active_rows: must be a whole number from 1 to 65536"),
        ("crossbar.active_rows=65", "more word lines are driven at once than the crossbar has (got 65; allowed: all,"),
        ("crossbar.active_rows=al", "did you mean 'all'?"),
        ("crossbar.errors.variation=devise", "did you mean 'device'?"),
        ("crossbar.errors.drift=null", "crossbar.errors.drift: has no value; must be 'device' or 'none' or a mapping"),
        ("crossbar.errors.variation={distribution: normal}", "crossbar.errors.variation: states no spread"),
        ("crossbar.errors.noise=none", "crossbar.errors.noise: unknown key"),
        ("crossbar.errors.age=1 fortnight", "crossbar.errors.age: unknown unit"),
        ("crossbar.errors.age=1 day", "would have no effect: the cells neither drift nor have 1/f noise"),
        (f"crossbar.errors.read_noise={FLICKER}", "1/f noise grows with the time since programming, which is not"),
        ("adc.range=calibratd", "did you mean 'calibrated'?"),
        ("adc.range=0", "adc.range: must be a number from 0.001"),
        ("adc.range=1e-300", "adc.range: must be a number from 0.001"),
        ("crossbar.errors.variation={distribution: normal, proportional: 1e300}", "must be a number from 0 to 1000"),
        ("crossbar.errors.read_noise={independent: 1e30}", "crossbar.errors.read_noise.independent: must be"),
        ("crossbar.errors.variation={distribution: normal, polynomial: [1e300]}", "polynomial.0: must be a number"),
        ("adc.offset=-1", "adc.offset: must be a number from 0 to"),
        ("mapping.encoding=complementary", "did you mean 'complement'?"),
        ("crossbar.states=none.csv", "none.csv: file not found"),
    ],
)
def test_one_wrong_key(setting: str, said: str) -> None:
    assert said in refused(setting)


def test_settings_that_contradict_each_other_come_together() -> None:
    lines = refused(
        "adc.ideal=true", "adc.range=full", "adc.offset=1", "adc.gain=0.1", "mapping.encoding=complement",
        "crossbar.signed=differential", "crossbar.active_rows=65", "crossbar.errors.age=1 h",
    ).splitlines()  # fmt: skip
    keys = [line.split(": ")[1] for line in lines]
    assert keys == [
        "crossbar.active_rows", "crossbar.errors.age", "adc.range", "adc.offset", "adc.gain", "mapping.encoding",
    ]  # fmt: skip


def test_age_beside_drift_that_is_turned_off_is_no_mistake() -> None:
    assert crossbar("errors.drift=none", "errors.age=1 day").age_s == 86400


WRONG = """
    errors:
      age: 3 fortnights
      variation: {distribution: norml, proportional: -0.1}
      stuck: {at_g_min: 0.6, at_g_max: 0.6}
      read_noise: {flicker: {coefficient: 0.1, exponent: 1, limit: 1}}
      drift: nothing
    wires: {wordline: -2, bitlin: 1}
    active_rows: 0
"""
MISTAKES = (
    "crossbar.cell_bits: must be a whole number from 1 to 8",
    "crossbar.errors.age: unknown unit",
    "crossbar.errors.variation.proportional: must be a number from 0 to 1000",
    "crossbar.errors.variation.distribution: unknown value",
    "crossbar.errors.stuck.at_g_max: with at_g_min more than all",
    "crossbar.errors.read_noise.flicker.t_read: is missing",
    "crossbar.errors.drift: must be 'device' or 'none' or a mapping",
    "crossbar.wires.wordline: must be a number of ohm, from 0 to",
    "crossbar.wires.bitlin: unknown key",
    "crossbar.active_rows: must be a whole number from 1 to",
    "adc.range: must be",
    "mapping.encoding: unknown value",
)
OF_DEVICE = (
    "conductance.r_off: must be above r_on", "levels.bits_per_cell: 4 levels tell no more than 2 bit",
    "read.voltage: must be", "stuck.source: is missing", "stuck.at_g_min: must be a number from 0 to 1",
)  # fmt: skip


@pytest.fixture
def chip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A chip with mistakes of its own, and a device with others."""
    monkeypatch.chdir(tmp_path)
    cell = preset_text("rram-20k-200k")
    for right, wrong in (
        ("r_on: 20 kohm", "r_on: 200 kohm"),
        ("r_off: 200 kohm", "r_off: 20 kohm"),
        ("bits_per_cell: 2", "bits_per_cell: 3"),
        ("voltage: 0.1 V", "voltage: 0 V"),
        ("stuck: null", "stuck: {at_g_min: -1, at_g_max: 0}"),
    ):
        assert right in cell
        cell = cell.replace(right, wrong)
    (tmp_path / "cell.yaml").write_text(cell)
    lines = preset_text("spikeflow").splitlines()
    at = lines.index("crossbar:") + 1
    lines[at : at + 1] = [
        "    rows: 64",
        "    cols: 64",
        "    device: cell.yaml",
        "    cell_bits: 0",
        *WRONG.splitlines()[1:],
    ]
    text = (
        "\n".join(lines).replace("adc: {", "adc: {range: fulll, ").replace("mapping: {", "mapping: {encoding: plane, ")
    )
    (tmp_path / "chip.yaml").write_text(text)
    return tmp_path


@pytest.mark.parametrize("verb", ["check", "run"])
def test_everything_wrong_with_a_chip_and_its_device_at_once(chip: Path, verb: str) -> None:
    before = sorted(chip.rglob("*"))
    said = told(verb, "chip.yaml", *(("cnn-mnist", "-o", "out") if verb == "run" else ())).splitlines()
    assert len(said) == len(MISTAKES) + len(OF_DEVICE) and sorted(chip.rglob("*")) == before
    for line, file, mistake in zip(
        said, ["chip.yaml"] * len(MISTAKES) + ["cell.yaml"] * len(OF_DEVICE), (*MISTAKES, *OF_DEVICE), strict=True
    ):
        where, _, what = line.removeprefix("error: ").partition(": ")
        assert where.split(":")[0] == file and where.split(":")[1].isdigit() and what.startswith(mistake), line


def test_a_device_that_does_not_exist_and_other_mistakes_come_together(chip: Path) -> None:
    text = (chip / "chip.yaml").read_text().replace("device: cell.yaml", "device: rram-20k-20k")
    (chip / "chip.yaml").write_text(text)
    said = told("check", "chip.yaml")
    assert "crossbar.device: no device preset has this name" in said and "did you mean 'rram-20k-200k'?" in said
    assert all(mistake in said for mistake in MISTAKES)


def test_bits_beyond_the_levels_of_the_cell_come_with_the_rest(chip: Path) -> None:
    text = (chip / "chip.yaml").read_text().replace("device: cell.yaml", "device: rram-20k-200k")
    (chip / "chip.yaml").write_text(text.replace("cell_bits: 0", "cell_bits: 3"))
    said = told("check", "chip.yaml")
    assert "crossbar.cell_bits: 'rram-20k-200k' has 4 levels; 3 bits need 8 (got 3; allowed: 1..2" in said
    assert all(mistake in said for mistake in MISTAKES[1:])

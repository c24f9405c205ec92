"""Wrong input for the crossbar family, through the command line: everything at once, where it stands, exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from archsim.catalog import preset_text
from archsim.cli import app

NETWORK = """
name: odd
timesteps: 2
input: {shape: [2, 6, 6], encoding: events}
precision: {weight_bits: 4}
layers:
  - {name: a, type: conv2d, out_channels: 4, kernel: 3, padding: 1}
  - {name: b, type: conv2d, out_channels: 4, kernel: 3, padding: 1}
activity: {density: 0.2}
"""


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["run", *arguments])
    return done.exit_code, done.stderr + done.stdout


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def wrong(here: Path, *settings: str, workload: str = "cnn-mnist") -> list[str]:
    """The error lines; nothing may have been written."""
    before = sorted(here.rglob("*"))
    code, text = run("spikeflow", workload, "-o", str(here / "out"), *(x for s in settings for x in ("--set", s)))
    assert code == 2 and sorted(here.rglob("*")) == before, text
    return text.splitlines()


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("crossbar.cols=4", "column_mux: more columns share a converter than the crossbar has (got 8; allowed: 1..4"),
        ("adc.bits=0", "adc.bits: must be a whole number from 1 to 16 (got 0)"),
        ("adc.bits=3", "adc.bits: lie outside the table of converters (got 3; allowed: 4 to"),
        ("adc.conversion=-1 ns", "adc.conversion"),
        ("adc.conversion=2 us", "adc.conversion: lies outside the table of converters (got '2 us'; allowed: 0.1"),
        ("noc.router_cycles=-1", "noc.router_cycles: must be a whole number from 0 to"),
        ("neuron.latency_cycles=-3", "neuron.latency_cycles: must be a whole number from 0 to"),
        ("crossbar.device=rram-spikesin", "did you mean 'rram-spikesim'?"),
        ("crossbar.device=pcm-joshi2020", "crossbar.device: its `read` is not modelled"),
        ("crossbar.cell_bits=2", "crossbar.cell_bits: 'rram-spikesim' has 2 levels; 2 bits need 4 (got 2; allowed: 1,"),
        ("crossbar.states=none.csv", "none.csv: file not found"),
        ("tile.side=0.1 mm", "tile.side: the parts of a tile need"),
        ("tile.pes=0", "tile.pes: must be a whole number from 1 to 65536 (got 0)"),
        ("mapping.replicate={conv9: 2}", "mapping.replicate.conv9: no such layer with weights"),
        ("mapping.replicate=auto", "mapping.replicate: a chip as large as needed"),
        ("reload=true", "reload: a chip as large as needed is loaded once"),
        ("adc.resolution=active_row", "did you mean 'active_rows'?"),
        ("buffer.rows=2", "demands 3 rows, there are 2 rows; would fit with buffer.rows=3"),
        ("buffer.macro=100 B", "buffer.macro: 100 B per bank are less than the SRAM table has"),
        ("accumulator_bits=33", "accumulator_bits: must be a whole number from 2 to 32 (got 33)"),
        ("timesteps=togehter", "did you mean 'together'?"),
        ("neuron.channels_per_unit=0", "neuron.channels_per_unit: must be a whole number from 1 to"),
    ],
)  # fmt: skip
def test_one_wrong_setting(here: Path, setting: str, said: str) -> None:
    assert any(said in line for line in wrong(here, setting)), wrong(here, setting)


def test_more_than_fits_names_demand_capacity_and_levers(here: Path) -> None:
    (line,) = wrong(here, "tiles=3")
    for part in ("demands 6 tiles, there are 3 tiles", "tiles=6", "reload=true", "share_tiles=true"):
        assert part in line


def test_everything_wrong_at_once_with_lines(here: Path) -> None:
    lines = preset_text("spikeflow").splitlines()
    text = "\n".join(lines).replace("bits: 4, conversion: 12 ns", "bits: 0, conversion: -2 ns")
    text = text.replace("column_mux: 8", "column_mux: 80").replace("flit_bits: 32", "flit_bit: 32")
    (here / "bad.yaml").write_text(text)
    code, said = run("bad.yaml", "cnn-mnist")
    of = {
        part: 1 + next(i for i, line in enumerate(text.splitlines()) if part in line)
        for part in ("bits: 0", "flit_bit:")
    }
    assert code == 2
    assert f"bad.yaml:{of['bits: 0']}: adc.bits: must be a whole number" in said and "adc.conversion" in said
    assert f"bad.yaml:{of['flit_bit:']}: noc.flit_bit: unknown key" in said and "did you mean 'flit_bits'?" in said


def test_layers_that_cannot_be_mapped_are_named_together(here: Path) -> None:
    text = NETWORK.replace("name: a, type: conv2d,", "name: a, type: conv2d, weight_bits: 16,")
    (here / "net.yaml").write_text(text.replace("name: b, type: conv2d,", "name: b, type: conv2d, weight_bits: 12,"))
    said = wrong(here, "crossbar.cols=8", workload="net.yaml")
    assert len(said) == 2 and "layer 'a' takes 17 columns" in said[0] and "layer 'b' takes 13 columns" in said[1]
    (here / "net.yaml").write_text(
        NETWORK.replace("kernel: 3, padding: 1}\n  -", "kernel: 3, padding: 1, spiking: false}\n  -")
        .replace("activity", "  - {name: c, type: conv2d, out_channels: 4, kernel: 1}\nactivity")
        .replace("name: b,", "name: b, spiking: false,")
    )  # fmt: skip
    said = wrong(here, workload="net.yaml")
    assert len(said) == 2 and all("reads currents or potentials" in line for line in said)


def test_paths_in_a_chips_file_are_relative_to_it(here: Path) -> None:
    (here / "chips").mkdir()
    (here / "chips" / "mine.csv").write_text("state,mean,sigma\n0,1e-6,1e-7\n1,40e-6,1e-6\n")
    text = preset_text("spikeflow").replace("device: rram-spikesim,", "device: rram-spikesim, states: mine.csv,")
    (here / "chips" / "mine.yaml").write_text(text)
    (here / "net.yaml").write_text(NETWORK)
    code, said = run("chips/mine.yaml", "net.yaml")
    assert code == 0 and "cells (mine) conduct what their levels do on average, 20.5 uS" in said
    code, said = run("spikeflow", "net.yaml", "--device", "chips/mine.csv")
    assert code == 0 and "cells (mine)" in said


def test_what_a_device_file_holds_is_part_of_the_hash(here: Path) -> None:
    import archsim

    (here / "net.yaml").write_text(NETWORK)
    hashes = []
    for mean in ("40e-6", "50e-6"):
        (here / "s.csv").write_text(f"state,mean,sigma\n0,1e-6,1e-7\n1,{mean},1e-6\n")
        hashes.append(archsim.simulate("spikeflow", "net.yaml", overrides=["crossbar.states=s.csv"]).hashes)
    assert hashes[0]["architecture"] != hashes[1]["architecture"]


def test_a_link_that_needs_longer_than_the_run_is_part_of_the_verdict(here: Path) -> None:
    (here / "net.yaml").write_text(
        NETWORK.replace("density: 0.2", "density: 1.0").replace("out_channels: 4", "out_channels: 64")
    )
    slow = (
        "--set",
        "noc.flit_bits=1",
        "--set",
        "tile.pes=1",
        "--set",
        "noc.cast=unicast",
        "--set",
        "adc.conversion=4 ns",
    )
    _, said = run("spikeflow", "net.yaml", *slow)
    assert "timed too short: the busiest link between two tiles needs" in said.replace("\n", " ")

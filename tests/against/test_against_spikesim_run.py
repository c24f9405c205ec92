"""SpikeSim beside an executed run of its own network on its own chip."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import pytest
from spikesim_subjects import RUNS, WAYS, exactly, printed

import archsim
from archsim.report.plots import plot
from archsim.result import Result, load_result


@cache
def spikeflow(timesteps: int) -> Result:
    overrides = [f"workload.timesteps={timesteps}"]
    return archsim.simulate("spikeflow", "vgg9-cifar10", overrides=overrides, against=["spikesim"])


@pytest.mark.parametrize("timesteps", [1, 5])
def test_the_shipped_chip_and_network_are_spikesims(timesteps: int) -> None:
    (golden,) = [
        run for run in RUNS
        if (run["net"], run["xbar_size"], run["pe_per_tile"], run["device"], run["time_steps"])
        == ("vgg9_cifar10_shipped", 64, 8, "rram", timesteps)
    ]  # fmt: skip
    got = spikeflow(timesteps).against["spikesim"]
    assert [row["energy_pj"] for row in got["layers"]] == exactly(golden["energy_layerwise_pJ"])
    area = [golden[f"{name}_um2"] for name in ("neuron_mem", "analog", "digital", "total")]
    assert (got["area_tuple_um2"], got["latency_ns"]) == (exactly(area), exactly(golden["latency_ns"]))
    assert all(row["archsim"]["energy_pj"] > 0 for row in got["layers"])


def test_the_ways_end_at_the_run_and_every_component_is_known() -> None:
    found = spikeflow(1)
    got = found.against["spikesim"]
    ends = (found.energy_pj, found.area_um2, found.latency_ns)
    for way, end in zip(WAYS, ends, strict=True):
        steps = [got[way]["start"], *(row["difference"] for row in got[way]["rows"])]
        assert math.fsum(steps) == pytest.approx(end, rel=1e-9)
        names = [row["name"] for row in got[way]["rows"]]
        assert not [name for name in names if name.startswith("component ")]
    kinds = {name.partition(": ")[2] for name in names if name.startswith("executed schedule")}
    assert "reads" in kinds
    assert kinds <= {"reads", "input fetches", "neuron updates", "ports", "DRAM", "latencies"}
    conversions = next(row for row in got["waterfall"]["rows"] if row["name"] == "ADC: conversions")
    assert conversions["explanation"].startswith(f"{found.count('adc', 'convert'):,.0f} instead of the peer's ")


def test_it_is_saved_read_printed_and_drawn(tmp_path: Path) -> None:
    spikeflow(1).save(tmp_path)
    again = load_result(tmp_path)
    assert again.against == spikeflow(1).against
    text = printed(again)
    assert all(f"from the peer's {name} to archsim's" in text for name in ("energy", "area", "latency"))
    (file,) = plot(tmp_path, by="against-spikesim")
    assert file.read_bytes().startswith(b"\x89PNG")

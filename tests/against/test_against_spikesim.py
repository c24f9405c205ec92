"""SpikeSim beside archsim: its own numbers from a chip, what each correction is worth, refusals, limits."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from spikesim_subjects import (
    BIT,
    CHIP,
    DEVICES,
    ONE_PE,
    RUNS,
    SPLIT,
    TILES_UM2,
    WAYS,
    ask,
    chip,
    exactly,
    full,
    network,
    pcm,
    printed,
    rows,
    vgg9,
)

from archsim.accelerators import load_architecture
from archsim.accelerators.crossbar.schema import CrossbarArchitecture
from archsim.against import peers_of
from archsim.against.spikesim import steps_of
from archsim.against.spikesim_chip import config_of
from archsim.config import Document, parse_document, validate
from archsim.errors import UnsupportedError
from archsim.workload import load_workload


@pytest.mark.parametrize("size", [32, 64, 128])
def test_the_shipped_network_has_the_tools_own_numbers(size: int) -> None:
    runs = [run for run in RUNS if run["net"] == "vgg9_cifar10_shipped" and run["xbar_size"] == size]
    assert len(runs) == 18
    for run in runs:
        keys = {"rows": size, "cols": size, "device": DEVICES[run["device"]]}
        own = chip(crossbar=keys, tile={"pes": run["pe_per_tile"]})
        got = ask("spikesim", own, vgg9(run["time_steps"]), full())
        assert [row["energy_pj"] for row in got["layers"]] == exactly(run["energy_layerwise_pJ"])
        assert got["energy_pj"] == exactly(math.fsum(run["energy_layerwise_pJ"]))
        area = [run[f"{name}_um2"] for name in ("neuron_mem", "analog", "digital", "total")]
        assert (got["area_tuple_um2"], got["area_um2"]) == (exactly(area), exactly(area[-1]))
        assert (got["pes"], got["tiles"], got["refused"]) == (run["n_pe"], run["n_tiles"], {})
        assert got["latency_ns"] == exactly(run["latency_ns"])
        starts = [got[name] for name in ("energy_pj", "area_um2", "latency_ns")]
        assert [got[way]["start"] for way in WAYS] == exactly(starts)


def test_parts_and_layers_of_the_shipped_run() -> None:
    got = ask("spikesim", chip(), vgg9(), full())
    per_cycle = {key: 3840 * 5 * value for key, value in SPLIT["pe_cycle_energy_pj"]["x64_rram"].items()}
    assert got["energy_pj"] == exactly(per_cycle.pop("total"))
    assert got["energy_components_pj"] == exactly(per_cycle)
    assert [row["pe_cycles"] for row in got["layers"]] == SPLIT["energy_pe_cycles_per_timestep_by_layer"]
    assert got["layers"][1]["start_ns"] == exactly(0.75 * 65536 * 5 * 104)
    assert got["layers"][6]["finish_ns"] == got["latency_ns"]
    assert got["layers"][6]["archsim"] == {"energy_pj": 5.0, "cycles": 10, "span_cycles": 20}
    assert got["config"]["crossbar"] == 64 and got["config"]["constants"]["adc_pj"] == 2.03084
    assert json.loads(json.dumps(got)) == got


def test_the_clock_is_the_chips() -> None:
    data = parse_document(CHIP.replace("250", "100"), "flow").data
    document = Document(data, "flow", {}, None)
    slow = replace(chip(), chip=validate(CrossbarArchitecture, document))
    fast, slower = (ask("spikesim", one, vgg9(), full()) for one in (chip(), slow))
    assert slower["latency_ns"] == exactly(2.5 * fast["latency_ns"])
    assert slower["energy_pj"] == fast["energy_pj"]


@pytest.mark.parametrize(
    "text", ["spikesim", "spikesim:steps=none", "spikesim:steps=fc_layers+latency_unit+own_tiles+own_kernels"]
)
def test_three_waterfalls_without_remainder(text: str) -> None:
    got, found = ask(text, chip(), vgg9(), full()), full()
    ends = (found.energy_pj, found.area_um2, found.latency_ns)
    for way, end, unit in zip(WAYS, ends, ("pJ", "um2", "ns"), strict=True):
        value, names = got[way]["start"], [row["name"] for row in got[way]["rows"]]
        assert (got[way]["unit"], got[way]["end"]) == (unit, pytest.approx(end, rel=1e-9))
        for row in got[way]["rows"]:
            assert row["after"] == pytest.approx(value + row["difference"], rel=1e-9, abs=1e-9)
            assert row["explanation"] and "other" not in row["name"].split()
            value = row["after"]
        assert value == pytest.approx(end, rel=1e-9)
        assert len(set(names)) == len(names)


def test_steps_are_those_of_the_peer_and_can_be_chosen() -> None:
    every = ask("spikesim", chip(), vgg9(), full())
    for way, quantity in zip(WAYS, ("energy", "area", "latency"), strict=True):
        found = [row["switch"] for row in every[way]["rows"] if row["switch"]]
        assert found == [switch for switch, _ in steps_of(quantity)]
    some = ask("spikesim:steps=latency_unit+fc_layers", chip(), vgg9(), full())
    chosen = [[row["switch"] for row in some[way]["rows"] if row["switch"]] for way in WAYS]
    assert chosen == [["fc_layers"], ["fc_layers"], ["fc_layers", "latency_unit", "latency_unit"]]
    none = ask("spikesim:steps=none", chip(), vgg9(), full())
    assert not any(row["switch"] for way in WAYS for row in none[way]["rows"])


@pytest.mark.parametrize(
    ("way", "switch", "worth"),
    [
        ("waterfall", "conv_output_sizes", (6144 - 3840) * 5 * ONE_PE["total"]),
        ("waterfall", "fc_layers", (64 * 16 + 16) * 5 * ONE_PE["total"]),
        ("waterfall", "own_kernels", 0.0),
        ("waterfall", "eight_mux_phases", 0.0),
        ("waterfall", "crossbars_scale", 0.0),
        ("waterfall", "cells_by_density", -0.75 * (3840 - 1024) * 5 * ONE_PE["crossbar"]),
        ("area_waterfall", "all_membranes", 22 * BIT * 256 * (64 + 16)),
        ("area_waterfall", "true_input_bits",
         -BIT * (3072 * 14 + 21 * (65536 + 32768 + 2 * 16384) + 19 * (16384 + 8192))),
        ("area_waterfall", "own_tiles", (9 - 6) / 6 * TILES_UM2),
        ("latency_waterfall", "until_all_finish", 0.0),
        ("latency_waterfall", "layers_in_sequence", 0.25 * (65536 + 16384 + 32768 + 8192 + 16384 + 16384) * 5 * 104),
    ],
)  # fmt: skip
def test_what_each_step_is_worth_by_hand(way: str, switch: str, worth: float) -> None:
    """Positions of VGG9: 1024, 1024, 256, 256, 64, 64, 64 with 1, 1, 2, 4, 8, 16, 16 PEs; a quarter before pools."""
    found = ask(f"spikesim:steps={switch}", chip(), vgg9(), full())[way]
    (row,) = [row for row in found["rows"] if row["switch"] == switch]
    assert row["difference"] == pytest.approx(worth, rel=1e-9, abs=1e-6 * found["start"] * 1e-6)
    assert row["solo"] == pytest.approx(row["difference"])


def test_pe_cycles_of_the_latency_by_hand() -> None:
    """Per position and PE: 1024, 256, 512, 256, 512, 1024 overlapping by a quarter, then 256; per position: fewer."""
    found = ask("spikesim:steps=latency_unit", chip(), vgg9(), full())["latency_waterfall"]
    per_pe, per_position = (row["after"] for row in found["rows"][:2])
    assert per_pe == exactly((0.75 * 3584 + 256) * 5 * 104)
    assert per_position == exactly((0.75 * (1024 + 256 + 256 + 64 + 64 + 64) + 16) * 5 * 104)


def test_larger_crossbars_have_other_steps() -> None:
    own = chip(crossbar={"rows": 128, "cols": 128})
    found = rows(ask("spikesim:steps=eight_mux_phases+crossbars_scale", own, vgg9(), full()))
    cycles = (1024 + 256 + 256 + 64 + 2 * 64 + 4 * 64 + 4 * 16) * 5
    per_cycle = SPLIT["pe_cycle_energy_pj"]["x128_rram"]
    phased = sum(per_cycle[name] for name in ("crossbar", "adc", "mux"))
    assert found["mux phases are the columns per ADC"] == exactly(-0.5 * phased * cycles)
    assert found["crossbars scale with their cells"] == exactly(3 * 0.5 * per_cycle["crossbar"] * cycles)


def test_everything_that_it_cannot_express_is_said_at_once(tmp_path: Path) -> None:
    workload = network(
        tmp_path, "name: a, type: conv2d, out_channels: 64, kernel: 3, padding: 1",
        "name: b, type: conv2d, out_channels: 64, kernel: 1", "name: c, type: conv2d, out_channels: 64, kernel: [1, 3]",
    )  # fmt: skip
    odd = pcm()
    odd = replace(odd, chip=odd.chip.model_copy(
        update={"crossbar": odd.chip.crossbar.model_copy(update={"rows": 60, "cols": 128})}
    ))  # fmt: skip
    reasons = ask("spikesim", odd, workload, full())["unsupported"]
    assert [reason.partition(":")[0] for reason in reasons] == [
        "crossbar.cols", "crossbar.rows", "layer 'c'", "crossbar.device", "kernel",
    ]  # fmt: skip
    text = "\n".join(reasons)
    for word in ("got 128; allowed: 60", "multiples of 8", "'pcm'; allowed: rram or sram", "spikesim:device=rram",
                 "3 x 3: a, 1 x 1: b, 1 x 3: c", "spikesim:kernel=n"):  # fmt: skip
        assert word in text


def test_what_a_user_states_lifts_what_it_refuses(tmp_path: Path) -> None:
    workload = network(
        tmp_path, "name: a, type: conv2d, out_channels: 64, kernel: 3, padding: 1",
        "name: b, type: conv2d, out_channels: 64, kernel: 1",
    )  # fmt: skip
    got = ask("spikesim:kernel=1,device=sram", pcm(), workload, full())
    assert (got["config"]["kernel"], got["config"]["device"]) == (1, "sram")
    assert got["energy_components_pj"]["crossbar"] == exactly(2 * 64 * 2 * 8 * 671.089)
    assert "the kernel is taken as 1 x 1: a" in got["limits"]
    fives = network(tmp_path, "name: a, type: conv2d, out_channels: 64, kernel: 5, padding: 2")
    assert ask("spikesim", chip(), fives, full())["config"]["kernel"] == 5


def test_other_families_and_networks_without_a_convolution(tmp_path: Path) -> None:
    reasons = ask("spikesim", load_architecture("sata"), vgg9(), full())["unsupported"]
    assert reasons == ["family: SpikeSim knows crossbar chips only (got 'systolic'; allowed: crossbar)"]
    linear = network(tmp_path, "name: fc, type: linear, out_features: 4")
    assert "no convolution" in ask("spikesim", chip(), linear, full())["unsupported"][0]
    with pytest.raises(UnsupportedError, match="knows crossbar chips only"):
        config_of(load_architecture("sata"), ())


def test_a_quantity_that_it_refuses_is_none_and_its_way_starts_all_the_same(tmp_path: Path) -> None:
    layer = "name: b, type: conv2d, out_channels: 8, kernel: 3, padding: 1"
    first = "name: a, type: conv2d, out_channels: 256, kernel: 3, padding: 1"
    workload = network(tmp_path, first, "name: down, type: conv2d, out_channels: 64, kernel: 3, padding: 1", layer,
                       shape="[128, 8, 8]")  # fmt: skip
    got = ask("spikesim", chip(), workload, full())
    assert list(got["refused"]) == ["tiles", "area", "latency"]
    assert "Check layer order" in got["refused"]["area"][0]
    assert (got["area_um2"], got["area_tuple_um2"], got["latency_ns"], got["tiles"]) == (None, None, None, None)
    assert got["energy_pj"] > 0 and got["layers"][0]["finish_ns"] is None
    assert [got[way]["start"] > 0 for way in WAYS] == [True] * 3
    text = printed(replace(full(), against={"spikesim": got}))
    assert "it gives no tiles, area, latency; the ways start from its formulas all the same:" in text
    assert text.count("layer 'b': fewer PEs than 'down'") == 1


def test_what_its_parameters_leave_out() -> None:
    plain = ask("spikesim", chip(), vgg9(), full())["limits"]
    assert "a weight is one cell for it, whatever its bits; the chip's 4-bit weights take 6" in plain
    assert "fully connected layers do not exist: fc1, fc2" in plain
    assert not any("pe" in line.split() or "nm" in line.split() for line in plain)
    two, one = (load_workload("vgg9-cifar10", [f"precision.weight_bits={bits}"]) for bits in (2, 1))
    assert any("2-bit weights take 2" in line for line in ask("spikesim", chip(), two, full())["limits"])
    offset = ask("spikesim", chip(crossbar={"signed": "offset"}), one, full())["limits"]
    assert not any("one cell for it" in line for line in offset)
    far = chip(
        crossbar={"column_mux": 16, "conducts": "sample_hold", "signed": "offset", "device": "sram-65nm"},
        adc={"analog_sum": False}, pe={"crossbars": 8}, tile={"wiring": "bus"},
        mapping={"unroll": "flat", "replicate": 2},
    )  # fmt: skip
    far = replace(far, chip=far.chip.model_copy(update={"node": 28.0, "tiles": 40}))
    more = "\n".join(ask("spikesim", far, vgg9(), full())["limits"])
    for word in ("no reference columns", "number of its area", "65 nm; the chip is at 28 nm", "mux has 16",
                 "are converted at once", "read once and held", "one for each kernel position; the chip's has 8",
                 "share a bus",
                 "any rows of the kernel matrix", "the chip replicates (2)", "the chip has 40"):  # fmt: skip
        assert word in more
        assert word not in "\n".join(plain)


def test_settings_are_checked() -> None:
    with pytest.raises(Exception, match=r"did you mean 'fc_layers'[\s\S]*1..64[\s\S]*rram, sram[\s\S]*steps, kernel"):
        peers_of(["spikesim:steps=fc_layer,kernel=0,device=pcm,kernl=3"])

"""Peers beside archsim: SATA_Sim's columns from a chip, waterfalls without remainder, SCALE-Sim's rows."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import archsim
from archsim.accelerators import Architecture, load_architecture
from archsim.against import PEERS, peers_of
from archsim.against.bridge import bridge
from archsim.against.sata_sim import config_of, steps_of
from archsim.errors import ConfigError
from archsim.peers import sata_sim
from archsim.peers.layers import PeerLayer
from archsim.result import ComponentRow, CountRow, Result
from archsim.workload import Workload, load_workload

GOLDEN = Path(__file__).parent / "golden"
T4 = ("pe.scratchpad.weight=288B", "pe.scratchpad.partial_sum=64B", "buffers.ifmap.size=8KiB")
CHIPS = {
    "sata-config": ("sata", (), "sata-sim"),
    "eyeriss-config": ("eyeriss-snn", (), "sata-sim"),
    "eyeriss-T4": ("sata", T4, "sata-sim:act_bits=4,output_bits=8"),
}


def summary() -> list[dict[str, str]]:
    lines = (GOLDEN / "sata_sim_summary.csv").read_text().splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    return [row for row in rows if row["workload"] in ("direct", "lth")]


@cache
def digit() -> Result:
    return archsim.simulate("sata", "cnn-mnist")


@cache
def table(name: str) -> Workload:
    return load_workload(name)


def ask(text: str, chip: Architecture, workload: Workload, result: Result) -> dict[str, Any]:
    (peer,) = peers_of([text])
    return peer.answer(chip, workload, result)


@pytest.mark.parametrize("row", summary(), ids=lambda row: f"{row['workload']}-{row['arch']}")
def test_every_column_of_the_summary(row: dict[str, str]) -> None:
    """The peer's columns depend on chip and network only; the waterfall ends at whatever result it is given."""
    name, overrides, peer = CHIPS[row["arch"]]
    got = ask(peer, load_architecture(name, overrides), table(f"icassp-{row['workload']}"), digit())
    stated = {key: float(value) for key, value in row.items() if value and key not in ("workload", "arch")}
    assert len(stated) >= 17
    assert {key: got[key] for key in stated} == pytest.approx(stated, rel=1e-9)
    assert got["waterfall"]["start"] == pytest.approx(stated["total_nJ"] * 1000, rel=1e-9)
    assert got["waterfall"]["end"] == pytest.approx(digit().energy_pj, rel=1e-12)


@pytest.mark.parametrize(("preset", "peer"), [("sata", sata_sim.SATA), ("eyeriss-snn", sata_sim.EYERISS)])
def test_the_presets_are_the_peers_own_files(preset: str, peer: sata_sim.SataSimConfig) -> None:
    config, _ = config_of(load_architecture(preset), table("icassp-direct").network)
    assert replace(config, name=peer.name) == peer


@pytest.mark.parametrize(
    "text", ["sata-sim", "sata-sim-shipped", "sata-sim:steps=none", "sata-sim:steps=dram_per_burst"]
)
def test_the_waterfall_sums_without_remainder(text: str) -> None:
    got = ask(text, load_architecture("sata"), table("cnn-mnist"), digit())
    found = got["waterfall"]
    value = found["start"]
    for row in found["rows"]:
        assert row["after"] == pytest.approx(value + row["difference"], rel=1e-12)
        value = row["after"]
    assert math.fsum([found["start"], *(row["difference"] for row in found["rows"])]) == pytest.approx(
        digit().energy_pj, rel=1e-9
    )
    names = [row["name"] for row in found["rows"]]
    assert len(set(names)) == len(names)
    assert "other" not in " ".join(names).lower().split()
    assert all(row["explanation"] for row in found["rows"])


def test_steps_are_switched_one_by_one() -> None:
    chip, workload = load_architecture("sata"), table("cnn-mnist")
    every = ask("sata-sim", chip, workload, digit())["waterfall"]
    switches = [row["switch"] for row in every["rows"] if row["switch"]]
    assert switches == list(steps_of("current"))
    assert list(steps_of("shipped"))[3:] == switches
    chosen = ask("sata-sim:steps=true_padding+dram_per_burst", chip, workload, digit())["waterfall"]
    assert [row["switch"] for row in chosen["rows"] if row["switch"]] == ["dram_per_burst", "true_padding"]
    (alone,) = [row for row in chosen["rows"] if row["switch"] == "dram_per_burst"]
    (among,) = [row for row in every["rows"] if row["switch"] == "dram_per_burst"]
    assert alone["difference"] == pytest.approx(among["solo"], rel=1e-12) == pytest.approx(alone["solo"], rel=1e-12)


def hand_made() -> tuple[Result, sata_sim.SataSimAnswer]:
    """One layer on SATA_Sim's chip; archsim's ledger has seven lines and a part that no bar knows."""
    peer = sata_sim.answer([PeerLayer("fc", 1, 1, 1, 1, 64, 8, kind="fc")], 2, 0.5)
    lines = [
        ("pe_adder", "op", 10, 5.0), ("weight_buffer", "line_read", 4, 40.0), ("weight_buffer", "line_write", 3, 33.0),
        ("dram", "read_bit", 4096, 90_000.0), ("dram", "write_bit", 16, 400.0), ("dram", "activate", 2, 700.0),
        ("laser", "flash", 1, 17.0),
    ]  # fmt: skip
    counts = tuple(CountRow("fc", 0, name, action, count, energy, "DRAM") for name, action, count, energy in lines)
    static = {"pe_adder": 1.0, "weight_buffer": 50.0, "dram": 600.0, "laser": 3.0}
    parts = tuple(
        ComponentRow(name, "compute" if name == "pe_adder" else "global buffer", 0.0, 0.0, leak, 0.0, 1, "made up")
        for name, leak in static.items()
    )
    total = sum(energy for *_, energy in lines) + sum(static.values())
    return replace(digit(), counts=counts, components=parts, energy_pj=total, latency_ns=5000.0), peer


def test_bars_by_hand() -> None:
    result, peer = hand_made()
    bars = {bar.name: bar.difference for bar in bridge(result, peer)}
    per_bit = sata_sim.SATA.dram_nj * 1000 / 8
    dram = peer.memory.dram_nj
    reads = 4096 * per_bit - (dram["ifmap"] + dram["weight"]) * 1000
    assert bars["DRAM reads: the tiles that are really fetched"] == pytest.approx(reads)
    assert bars["DRAM writes: the maps that are really stored"] == pytest.approx(16 * per_bit - dram["ofmap"] * 1000)
    assert bars["DRAM energy per bit"] == pytest.approx(90_400 - 4112 * per_bit)
    assert bars["DRAM row activation"] == 700.0
    assert bars["DRAM background power"] == 600.0
    assert bars["weight buffer: lines read by the array"] == pytest.approx(
        40 - peer.memory.sram_dynamic_nj["weight"] * 1000
    )
    assert bars["buffers are filled from DRAM and drained to it"] == 33.0
    leak = peer.sram_leakage_nj * 1000
    longer = 5000.0 / (peer.total_cycles * 2.5)
    assert bars["buffer leakage over the executed time"] == pytest.approx(leak * (longer - 1))
    assert bars["buffer leakage power of the cost table"] == pytest.approx(50 - leak * longer)
    assert bars["laser: made up"] == 20.0
    mac = peer.compute["spike-mac"]
    assert bars["PE datapath: energy per operation executed"] == pytest.approx(
        5 - (mac.operation_nj + mac.ungated_nj) * 1000
    )
    assert math.fsum(bars.values()) == pytest.approx(result.energy_pj - peer.total_nj * 1000)


def test_the_bridge_starts_where_the_corrected_peer_stands() -> None:
    """With the burst corrected, a bit costs a 32nd of the peer's DRAM energy."""
    result, _ = hand_made()
    peer = sata_sim.answer(
        [PeerLayer("fc", 1, 1, 1, 1, 64, 8, kind="fc")], 2, 0.5, sata_sim.SATA.turned(dram_per_burst=True)
    )
    bars = {bar.name: bar.difference for bar in bridge(result, peer)}
    assert bars["DRAM energy per bit"] == pytest.approx(90_400 - 4112 * sata_sim.SATA.dram_nj * 1000 / 32)
    assert math.fsum(bars.values()) == pytest.approx(result.energy_pj - peer.total_nj * 1000)


def test_one_sparsity_out_of_many_densities(tmp_path: Path) -> None:
    text = """\
name: two
timesteps: 1
input: {shape: [8], encoding: rate}
layers:
  - {name: a, type: linear, out_features: 4}
  - {name: b, type: linear, out_features: 2}
activity: {density: {a: 0.5, b: 0.25}}
"""
    path = tmp_path / "two.yaml"
    path.write_text(text)
    workload = load_workload(str(path))
    got = ask("sata-sim", load_architecture("sata"), workload, archsim.simulate("sata", workload))
    assert got["sparsity"] == pytest.approx(1 - (32 * 0.5 + 8 * 0.25) / 40)
    assert any("weighted by their MACs" in limit for limit in got["limits"])
    stated = ask("sata-sim:sparsity=0.9", load_architecture("sata"), workload, archsim.simulate("sata", workload))
    assert stated["sparsity"] == 0.9


def test_what_a_peer_cannot_express_is_said() -> None:
    chip = load_architecture("sata", ["buffers.ifmap.size=1MiB", "buffers.weight.size=4KiB"])
    got = ask("sata-sim", chip, table("cnn-mnist"), digit())
    assert set(got) == {"unsupported"}
    assert [reason.partition(":")[0] for reason in got["unsupported"]] == ["buffers.ifmap", "buffers.weight"]
    assert ask("scalesim", chip, table("cnn-mnist"), digit())["total_cycles"] > 0


def test_padding_can_be_written_into_the_maps() -> None:
    """VGG-16's last maps are 2 x 2: the peers stop at a 3 x 3 kernel unless the padding is part of the map."""
    chip, workload = load_architecture("sata"), table("vgg16-cifar10")
    for peer in ("sata-sim", "scalesim"):
        bare = ask(peer, chip, workload, digit())
        assert bare["unsupported"][-1] == f"ask again with --against {peer}:padding=written"
        assert "unsupported" not in ask(f"{peer}:padding=written", chip, workload, digit())
    found = ask("sata-sim:padding=written", chip, workload, digit())["waterfall"]
    assert "true_padding" not in [row["switch"] for row in found["rows"]]
    layer = ask("scalesim:padding=written", chip, workload, digit())["layers"][-4]
    assert (layer["name"], layer["sram_ifmap_reads"]) == ("conv5_3", 2 * 2 * 9 * 512 * (512 // 8))


def test_wrong_peers_and_settings_are_all_named() -> None:
    with pytest.raises(ConfigError) as caught:
        peers_of(
            ["satasim", "sata-sim:act_bit=1,output_bits=x,sparsity=2,steps=true_paddin,weight_bits", "scalesim:a=1"]
        )
    assert len(caught.value.problems) == 7
    text = str(caught.value)
    for near in ("'sata-sim'?", "'act_bits'?", "'true_padding'?", "KEY=VALUE", "0..1", "allowed: padding"):
        assert near in text


def test_keys_of_peers_that_are_asked_twice() -> None:
    assert [peer.key for peer in peers_of(PEERS)] == list(PEERS)
    twice = ["sata-sim", "sata-sim:act_bits=4", "scalesim"]
    assert [peer.key for peer in peers_of(twice)] == twice


def test_scalesim_beside_archsim(tmp_path: Path) -> None:
    """One matmul of 20 x 30 by 30 x 10 on 8 x 4, output stationary: 3 x 3 folds of 30 + 8 + 4 - 2 cycles."""
    path = tmp_path / "gemm.yaml"
    path.write_text(
        "name: gemm\ntimesteps: 1\nchained: false\n"
        "layers:\n  - {name: g, type: matmul, rows: 20, in_features: 30, out_features: 10, input_shape: [30, 20, 1]}\n"
    )
    result = archsim.simulate(
        "scalesim-os", str(path), overrides=["array.rows=8", "array.cols=4"], against=["scalesim"]
    )
    (row,) = result.against["scalesim"]["layers"]
    assert row["cycles"] == row["archsim"]["cycles"] == 9 * 40
    assert row["sram_ifmap_reads"] == row["archsim"]["sram_ifmap_reads"] == 20 * 30 * 3
    assert row["sram_filter_reads"] == row["archsim"]["sram_filter_reads"] == 30 * 10 * 3
    assert row["archsim"]["sram_ofmap_writes"] == 200
    assert row["sram_ofmap_writes"] == 200 + 9 * 12

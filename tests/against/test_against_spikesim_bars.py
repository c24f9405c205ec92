"""From SpikeSim's parts to archsim's: every bar by hand, every component in one bar, sums without remainder."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikesim_subjects import AREA, KNOWN, ONE_PE, SPLIT, chip, exactly, full, part, result, vgg9

from archsim.against.spikesim_bridge import area_bars, energy_bars
from archsim.against.spikesim_schedule import latency_bars, read_cycles
from archsim.peers import spikesim
from archsim.peers.spikesim import SPIKESIM
from archsim.result import PathRow


def test_energy_bars_by_hand() -> None:
    layers = spikesim.layers_of(vgg9().network)
    peer = spikesim.energy(layers, 5)
    parts = [
        part("cells", 3e6, 1e3), part("adc", 7e6, 2e3), part("shift_add", 50.0), part("subtractor", 60.0),
        part("input_buffer", 9e5), part("neuron_leak", 11.0), part("neuron_reset", 12.0), part("membrane_buffer", 13.0),
        part("neuron_membrane", 14.0), part("laser", 17.0, 3.0), replace(part("dram", 4e3, 4e3), level="DRAM"),
    ]  # fmt: skip
    bars = {bar.name: bar.difference for bar in energy_bars(result(parts, conversions=1e6), peer, 5, SPIKESIM)}
    theirs = {name: 3840 * 5 * value for name, value in ONE_PE.items()}
    conversions = 3840 * 5 * 64
    assert bars.pop("ADC: conversions") == pytest.approx((1e6 - conversions) * 2.03084)
    assert bars.pop("ADC: energy of a conversion") == pytest.approx(7e6 - 2e3 - 1e6 * 2.03084)
    assert bars.pop("cells: the rows that spikes select") == pytest.approx(3e6 - 1e3 - theirs["crossbar"])
    assert bars.pop("digital sums of signs and bit slices") == pytest.approx(110 - theirs["sub"])
    assert bars.pop("input buffer: the bits that are fetched") == pytest.approx(
        9e5 - theirs["tile_buffer"] - theirs["mem_fetch"]
    )
    assert bars.pop("neuron updates") == pytest.approx(23 - theirs["neuron"])
    assert bars.pop("membranes: reads and writes") == 27.0
    assert (bars.pop("leakage: compute"), bars.pop("leakage: DRAM")) == (3e3, 4e3)
    assert bars.pop("component laser") == 17.0
    stepwise = result(parts, conversions=1e6, counted=("column_mux", "select"))
    assert energy_bars(stepwise, peer, 5, SPIKESIM) == energy_bars(result(parts, conversions=1e6), peer, 5, SPIKESIM)
    left = {"column muxes": "mux", "partial sums": "temp_buffer", "H-tree: the bits that are moved": "htree"}
    assert bars == pytest.approx({name: -theirs[key] for name, key in left.items()})


def test_area_bars_by_hand() -> None:
    layers = spikesim.layers_of(vgg9().network)
    peer = spikesim.area(layers)
    parts = [
        part("cells", area=9e4, instances=1000), part("adc", area=5e5, instances=500), part("laser", area=7.0),
        part("membrane_buffer", area=3e6), part("router", area=20.0), part("dram"),
    ]  # fmt: skip
    bars = {bar.name: bar.difference for bar in area_bars(result(parts), peer, layers, SPIKESIM)}
    theirs = AREA
    assert bars["crossbars: their number"] == pytest.approx((1000 - 432) * 26.2144)
    assert bars["crossbars: area of each"] == pytest.approx(9e4 - 1000 * 26.2144)
    assert bars["ADCs: their number"] == pytest.approx((500 - 48 * 8) * 693.633)
    assert bars["ADCs: area of each"] == pytest.approx(5e5 - 500 * 693.633)
    assert bars["membrane memory"] == pytest.approx(3e6 - theirs["neuron_mem_first5"])
    assert bars["input buffers"] == pytest.approx(-theirs["input_mem"] - theirs["tile_buffer"])
    assert (bars["NoC: spikes and partial sums between tiles"], bars["component laser"]) == (20.0, 7.0)
    assert "DRAM" not in bars
    assert math.fsum(bars.values()) == pytest.approx(result(parts).area_um2 - SPLIT["area_total"])


@pytest.mark.parametrize("name", [*KNOWN, "laser"])
def test_every_component_lands_in_one_bar(name: str) -> None:
    layers = spikesim.layers_of(vgg9().network)
    energies, areas = [], []
    for parts in ([], [part(name, 100.0, 30.0, 40.0)]):
        found = result(parts)
        bars = energy_bars(found, spikesim.energy(layers, 5), 5, SPIKESIM)
        energies.append({bar.name: bar.difference for bar in bars})
        areas.append({bar.name: bar.difference for bar in area_bars(found, spikesim.area(layers), layers, SPIKESIM)})
    more = sorted(moved(energies))
    assert more == pytest.approx([100.0] if name == "laser" else [30.0, 70.0], rel=1e-5)
    more = [one for one in moved(areas) if abs(one) > 1e-6]
    assert math.fsum(more) == pytest.approx(40.0)
    assert len(more) == (2 if name in ("cells", "adc") else 1)  # their number, and each
    assert ("component laser" in energies[1]) == ("component laser" in areas[1]) == (name == "laser")


def moved(bars: Sequence[dict[str, float]]) -> list[float]:
    """What changed from the first bars to the second."""
    before, after = bars
    differences = [after.get(name, 0.0) - before.get(name, 0.0) for name in {*before, *after}]
    return [one for one in differences if one]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([*KNOWN, "laser", "x_y"]), unique=True), st.floats(0, 1e9), st.floats(0, 1e9),
    st.integers(0, 10**7), st.sampled_from([32, 64, 128]),
)  # fmt: skip
def test_bars_sum_to_the_difference(names: list[str], energy: float, area: float, count: int, size: int) -> None:
    layers, config = spikesim.layers_of(vgg9().network), replace(SPIKESIM, crossbar=size)
    parts = [part(name, energy + k, energy / 3, area / (k + 1), k) for k, name in enumerate(names)]
    found = result(parts, conversions=count)
    peer, theirs = spikesim.energy(layers, 5, config), spikesim.area(layers, config)
    bars = energy_bars(found, peer, 5, config)
    scale = found.energy_pj + peer.total_pj
    assert math.fsum(b.difference for b in bars) == pytest.approx(found.energy_pj - peer.total_pj, abs=1e-11 * scale)
    spread = math.fsum(b.difference for b in area_bars(found, theirs, layers, config))
    assert spread == pytest.approx(found.area_um2 - theirs.total_um2, abs=1e-9 * (found.area_um2 + theirs.total_um2))


def test_the_schedule_by_hand() -> None:
    """A read takes 2 + 8 cycles of 4 ns instead of 26; conv1 has 8 bits, conv3 and conv5 behind pools 3."""
    layers = spikesim.layers_of(vgg9().network)
    config = SPIKESIM.turned(latency_unit="position", layers_in_sequence=True)
    peer = spikesim.latency(layers, 5, config)
    positions = 1024 + 256 + 256 + 64 + 64 + 64 + 16
    assert peer.total_ns == exactly(positions * 5 * 104)
    bars = {bar.name: bar.difference for bar in latency_bars(full(), chip().chip, peer, layers, config)}
    assert bars["a PE cycle takes the chip's own time"] == pytest.approx(positions * 5 * (40 - 104))
    planes = (7 * 1024 + 2 * 256 + 2 * 64) * 5 * 40
    assert bars["inputs of several bits are read bit by bit"] == pytest.approx(planes)
    assert bars["executed schedule: reads"] == pytest.approx(199_000 * 4 - positions * 5 * 40 - planes)
    assert bars["executed schedule: neuron updates"] == 120_000
    assert bars["executed schedule: input fetches"] == 4_000
    assert bars["executed schedule: ports"] == 60_000
    assert bars["executed schedule: latencies"] == 20_000
    strange = replace(full(), critical_path=(PathRow("laser", "conv1", "busy", 10),))
    bars = {bar.name: bar.difference for bar in latency_bars(strange, chip().chip, peer, layers, config)}
    assert bars["executed schedule: laser"] == 40


@pytest.mark.parametrize(
    ("crossbar", "adc", "cycles"),
    [
        ({}, {}, 2 + 8),
        ({"conducts": "sample_hold"}, {}, 8),
        ({"column_mux": 4}, {}, 2 + 4),
        ({}, {"analog_sum": False}, (2 + 8) * 9),
        ({"conducts": "sample_hold"}, {"analog_sum": False}, 8 * 9),
        ({"read": "40 ns", "conducts": "sample_hold"}, {}, 10),
        ({}, {"analog_sum": False, "share": "crossbar"}, 2 + 8),
        ({}, {"conversion": "5 ns"}, 2 + 8 * 2),
    ],
)
def test_how_long_a_read_takes(crossbar: dict[str, Any], adc: dict[str, Any], cycles: int) -> None:
    assert read_cycles(chip(crossbar=crossbar, adc=adc).chip) == cycles

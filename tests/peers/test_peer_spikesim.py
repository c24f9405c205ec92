"""SpikeSim: every reference run, its crashes as refusals, every convention by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from peer_reference import document

from archsim.errors import UnsupportedError
from archsim.peers import spikesim
from archsim.peers.spikesim import SPIKESIM, Cell, Constants, Conventions, SpikeSimConfig, SpikeSimLayer
from archsim.peers.spikesim_layers import losses
from archsim.peers.waterfall import Step, waterfall
from archsim.workload import load_workload

GRID, EDGES, SPLIT = (document(f"spikesim_{name}.json") for name in ("grid", "edge_cases", "breakdown"))
RUNS = [dict(zip(GRID["columns"], run, strict=True)) for run in GRID["runs"]]
UM2_PER_BIT = 0.7391


def entry(name: str, channels: int, filters: int, size: int, pooled: int, **other: Any) -> SpikeSimLayer:
    """A convolution of stride 1 that keeps the map's size, and a pool if ``pooled`` is smaller."""
    return SpikeSimLayer(name, channels, filters, (size, size), (size, size), (pooled, pooled), **other)


def net(name: str) -> tuple[SpikeSimLayer, ...]:
    return tuple(entry(*row) for row in GRID["nets"][name])


def chip(run: dict[str, Any]) -> SpikeSimConfig:
    return SpikeSimConfig(run["xbar_size"], run["pe_per_tile"], run["device"])


def exactly(value: Any) -> Any:
    return pytest.approx(value, rel=1e-12, abs=0)


@pytest.mark.parametrize("name", ["vgg9_cifar10_shipped", "vgg16_cifar10_first12conv"])
def test_every_run_of_the_grid(name: str) -> None:
    runs = [run for run in RUNS if run["net"] == name]
    assert len(runs) == 54
    for run in runs:
        got = spikesim.answer(net(name), run["time_steps"], chip(run))
        assert got.tiles and got.energy and got.area and got.latency
        assert (got.tiles.pes, got.tiles.tiles) == (run["n_pe"], run["n_tiles"])
        assert [layer.total_pj for layer in got.energy.layers] == exactly(run["energy_layerwise_pJ"])
        area = [run[f"{part}_um2"] for part in ("neuron_mem", "analog", "digital", "total")]
        assert got.area.as_tuple() == exactly(tuple(area))
        assert got.latency.total_ns == exactly(run["latency_ns"])
        assert got.refusals == {}


@pytest.mark.parametrize("run", [EDGES["shipped"], *EDGES["runs"]], ids=lambda run: f"{run['net']}-{run['device']}")
def test_what_it_answers_and_what_not(run: dict[str, Any]) -> None:
    layers, config, timesteps = net(run["net"]), chip(run), run["time_steps"]
    got = spikesim.answer(layers, timesteps, config)
    parts = {
        "tiles": (got.tiles and (got.tiles.pes, got.tiles.tiles), run["n_pe"] and (run["n_pe"], run["n_tiles"])),
        "energy": (got.energy and [one.total_pj for one in got.energy.layers], run["energy_layerwise_pJ"]),
        "area": (got.area and list(got.area.as_tuple()), run["area_tuple"]),
        "latency": (got.latency and got.latency.total_ns, run["latency_ns"]),
    }
    for quantity, (own, expected) in parts.items():
        assert own == (None if expected is None else exactly(expected)), quantity
        assert (quantity in got.refusals) == (expected is None), quantity
    calls: dict[str, Callable[[], object]] = {
        "tiles": lambda: spikesim.tiles(layers, config),
        "energy": lambda: spikesim.energy(layers, timesteps, config),
        "area": lambda: spikesim.area(layers, config),
        "latency": lambda: spikesim.latency(layers, timesteps, config),
    }
    for quantity, problems in got.refusals.items():
        with pytest.raises(UnsupportedError) as caught:
            calls[quantity]()
        assert caught.value.problems == problems


@pytest.mark.parametrize(
    ("name", "quantity", "text", "switch"),
    [
        ("vgg16_cifar10_13conv", "latency", "IndexError.*any_depth.*got 13; allowed: at most 12", "any_depth"),
        ("tiny_2conv_allch_lt_xbar", "latency", "smaller than one crossbar.*never ends.*any_size", "any_size"),
        ("unordered_bottleneck", "area", "layer 'conv3': fewer PEs than 'conv2'.*got 1.*at least 4", "any_order"),
        ("unordered_bottleneck", "latency", "layer 'conv3': fewer Cin / X.*got 1.0.*at least 4.0", "any_order"),
        ("narrow_second_layer", "latency", "layer 'conv2'.*Check layer order.*got 0.046875", "any_order"),
    ],
)
def test_each_limit_has_a_switch(name: str, quantity: str, text: str, switch: str) -> None:
    calls = {
        "area": lambda config: spikesim.area(net(name), config).total_um2,
        "latency": lambda config: spikesim.latency(net(name), 4, config).total_ns,
    }
    with pytest.raises(UnsupportedError, match=text):
        calls[quantity](SPIKESIM)
    assert calls[quantity](SPIKESIM.turned(**{switch: True})) == calls[quantity](SPIKESIM.lifted()) > 0


def test_lifted_latency_by_hand() -> None:
    tiny = spikesim.latency(net("tiny_2conv_allch_lt_xbar"), 4, SPIKESIM.turned(any_size=True))
    # conv1: 16 x 16 behind its pool, 16 channels; conv2: 8 x 8, 32 channels; 26 clocks of 4 ns
    assert [one.pe_cycles for one in tiny.layers] == [4096, 2048]
    assert [one.start_ns for one in tiny.layers] == [0, 3072 * 4 * 104]
    assert tiny.total_ns == (3072 + 2048) * 4 * 104


def test_an_unknown_device_answers_with_its_cell() -> None:
    layers = net("vgg9_cifar10_shipped")
    fefet = replace(SPIKESIM, device="fefet")
    for call in (lambda config: spikesim.energy(layers, 5, config), lambda config: spikesim.area(layers, config)):
        with pytest.raises(UnsupportedError, match=r"device.*got 'fefet'; allowed: rram, sram"):
            call(fefet)
    with pytest.raises(UnsupportedError, match="did you mean 'rram'"):
        spikesim.area(layers, replace(SPIKESIM, device="rrram"))
    own = replace(fefet, cells=(*fefet.cells, Cell("fefet", 2 * 1.76423, 3 * 26.2144, "a test")))
    base, got = spikesim.energy(layers, 5).components_pj(), spikesim.energy(layers, 5, own).components_pj()
    assert got.pop("crossbar") == exactly(2 * base.pop("crossbar"))
    assert got == base
    assert spikesim.area(layers, own).components_um2["crossbar"] == exactly(
        3 * spikesim.area(layers).components_um2["crossbar"]
    )


@pytest.mark.parametrize("run", sorted(SPLIT["pe_cycle_energy_pj"]))
def test_energy_of_a_pe_cycle_by_component(run: str) -> None:
    size, device = run.removeprefix("x").split("_")
    expected = dict(SPLIT["pe_cycle_energy_pj"][run])
    total = expected.pop("total")
    got = spikesim.pe_cycle_energy(SpikeSimConfig(int(size), device=device))
    assert got == exactly(expected)
    assert sum(got.values()) == exactly(total)


def test_components_of_the_shipped_run() -> None:
    layers = net("vgg9_cifar10_shipped")
    area = spikesim.area(layers)
    names = {"PE_xbar": "crossbar", "PE_adc": "adc", "PE_mux": "mux", "input_mem": "input_memory"}
    names["neuron_mem_first5"] = "neuron_memory"
    expected = {names.get(key, key): value for key, value in SPLIT["area_vgg9_x64_rram_ppt8_um2"].items()}
    assert area.components_um2 == exactly(expected)
    assert area.total_um2 == exactly(SPLIT["area_total"])
    energy = spikesim.energy(layers, 5)
    assert [one.pe_cycles for one in energy.layers] == SPLIT["energy_pe_cycles_per_timestep_by_layer"]
    per_cycle = dict(SPLIT["pe_cycle_energy_pj"]["x64_rram"])
    total = per_cycle.pop("total")
    assert energy.components_pj() == exactly({key: 3840 * 5 * value for key, value in per_cycle.items()})
    assert sum(energy.components_pj().values()) == exactly(energy.total_pj) == exactly(3840 * 5 * total)
    latency = spikesim.latency(layers, 5)
    assert [one.pe_cycles for one in latency.layers] == SPLIT["latency_pe_cycles_per_timestep_by_layer"]


chains = st.lists(
    st.tuples(st.integers(1, 300), st.integers(1, 300), st.integers(1, 20), st.integers(1, 20)), min_size=1, max_size=14
)


@settings(max_examples=100, deadline=None)
@given(chains, st.integers(1, 12), st.integers(1, 160), st.integers(1, 20), st.sampled_from(["rram", "sram"]))
def test_the_formulas_on_random_chains(rows: Any, timesteps: int, size: int, per_tile: int, device: str) -> None:
    """The formulas as the research notes of the tool write them, one line each."""
    layers = [entry(f"l{i}", a, b, c, d) for i, (a, b, c, d) in enumerate(rows)]
    config = SpikeSimConfig(size, per_tile, device, kernel=5).lifted()
    e_cell, a_cell = {"rram": (1.76423, 26.2144), "sram": (671.089, 671.089)}[device]
    pes = [-(-a // size) * -(-b // size) for a, b, _, _ in rows]
    tiles = -(-sum(pes) // per_tile)
    g = size / 8
    cycle = 157.12 + 4.64 + 5.096 + 397 + g * (16 * 1.15e-6 + 0.2 + 25 * e_cell + g * (2.03084 + 0.094245))
    pe_area = 25 * a_cell + g * (693.633 + 45.9)
    inputs = 22 * UM2_PER_BIT * sum(a * c**2 for a, _, c, _ in rows)
    neurons = 22 * UM2_PER_BIT * sum(b * d**2 for _, b, _, d in rows[:5])
    buffers = 484.643999 + UM2_PER_BIT * 64 * 128
    analog = (per_tile * pe_area + g * 13411.41498) * tiles
    steps = sum(3 * b * d**2 // 4 for _, b, _, d in rows[:-1]) + rows[-1][1] * rows[-1][3] ** 2
    got = spikesim.answer(layers, timesteps, config)
    assert got.tiles and got.energy and got.area and got.latency
    assert (got.tiles.pes_per_layer, got.tiles.tiles) == (tuple(pes), tiles)
    expected = [n * d**2 * cycle * timesteps for n, (*_, d) in zip(pes, rows, strict=True)]
    assert [layer.total_pj for layer in got.energy.layers] == exactly(expected)
    assert got.energy.total_pj == exactly(sum(expected))
    assert got.area.as_tuple() == exactly(
        (neurons, analog, (buffers + per_tile * pe_area) * tiles + inputs,
         analog + (buffers + 433660) * tiles + inputs + neurons)
    )  # fmt: skip
    assert got.latency.total_ns == exactly(steps * timesteps * 104.0)


def vgg9(tmp_path: Path) -> tuple[SpikeSimLayer, ...]:
    """SpikeSim's VGG9 as its model.py has it: average pools behind conv2, conv4 and conv7, two linear layers."""
    lines = ["name: vgg9", "timesteps: 5", "input: {shape: [3, 32, 32], encoding: direct}"]
    lines += ["neuron: {model: lif, leak: 0.5, threshold: 1.0, reset: subtract}", "layers:"]
    for number, filters in enumerate((64, 64, 128, 128, 256, 256, 256), 1):
        lines.append(f"  - {{name: conv{number}, type: conv2d, out_channels: {filters}, kernel: 3, padding: 1}}")
        if number in (2, 4, 7):
            lines.append(f"  - {{name: pool{number}, type: avgpool2d, kernel: 2}}")
    lines += ["  - {name: fc1, type: linear, out_features: 1024}"]
    lines += ["  - {name: fc2, type: linear, out_features: 10, spiking: false}"]
    lines += ["activity: {density: 0.1, generator: bernoulli, seed: 0}"]
    file = tmp_path / "vgg9.yaml"
    file.write_text("\n".join(lines))
    return spikesim.layers_of(load_workload(file).network, {f"conv{number}": 0.25 for number in range(2, 8)})


def test_layers_of_a_network_are_the_shipped_lists(tmp_path: Path) -> None:
    layers = vgg9(tmp_path)
    got = spikesim.answer(layers, 5)
    assert got.energy and got.area and got.latency
    run = EDGES["shipped"]
    assert [one.total_pj for one in got.energy.layers] == exactly(run["energy_layerwise_pJ"])
    assert list(got.area.as_tuple()) == exactly(run["area_tuple"])
    assert got.latency.total_ns == run["latency_ns"]
    assert [one.name for one in got.layers] == [f"conv{number}" for number in range(1, 8)]
    for line in (
        "fully connected layers do not exist: fc1, fc2",
        "positions and neurons are counted behind the pool: conv2, conv4, conv7",
        "inputs of several bits are driven as binary spikes: conv1, conv3, conv5",
    ):
        assert line in got.limits
    full = spikesim.answer(layers, 5, SPIKESIM.lifted().turned(fc_layers=True, conv_output_sizes=True))
    assert "the kernel is taken as 3 x 3: fc1, fc2" in full.limits
    assert [one.pes(64) for one in full.layers[-2:]] == [64 * 16, 16]
    assert [one.in_bits for one in full.layers] == [8, 1, 3, 1, 3, 1, 1, 3, 1]
    assert [one.density for one in full.layers] == [1.0] + 6 * [0.25] + 2 * [1.0]


ONE = (entry("a", 3, 10, 4, 2, in_bits=8), entry("b", 10, 70, 2, 2, density=0.25))
FC = SpikeSimLayer("fc", 280, 5, (1, 1), (1, 1), (1, 1), "fc", (1, 1))


def energy(config: SpikeSimConfig, layers: Sequence[SpikeSimLayer] = ONE, timesteps: int = 3) -> dict[str, float]:
    return spikesim.energy(layers, timesteps, config).components_pj()


def area(config: SpikeSimConfig, layers: Sequence[SpikeSimLayer] = ONE) -> dict[str, float]:
    return spikesim.area(layers, config).components_um2


def test_sizes_before_the_pool() -> None:
    """Layer a: 4 x 4 x 10 outputs, 2 x 2 behind its pool; layer b: 2 PEs, 2 x 2 x 70 outputs."""
    own = SPIKESIM.turned(conv_output_sizes=True, any_size=True)
    per_cycle = 397 * 3
    assert (energy(SPIKESIM)["tile_buffer"], energy(own)["tile_buffer"]) == (12 * per_cycle, 24 * per_cycle)
    bit = 22 * UM2_PER_BIT
    assert area(SPIKESIM)["neuron_memory"] == exactly((40 + 280) * bit)
    assert area(own)["neuron_memory"] == exactly((160 + 280) * bit)
    assert spikesim.latency(ONE, 3, SPIKESIM.turned(any_size=True)).total_ns == (30 + 280) * 3 * 104
    assert spikesim.latency(ONE, 3, own).total_ns == (120 + 280) * 3 * 104


def test_fully_connected_layers() -> None:
    layers, config = (*ONE, FC), SPIKESIM.lifted()
    mapped = config.turned(fc_layers=True)
    # 280 inputs on 64 rows: 5 PEs more, one position
    assert spikesim.tiles(layers, config).pes_per_layer == (1, 2)
    assert spikesim.tiles(layers, mapped).pes_per_layer == (1, 2, 5)
    assert energy(mapped, layers)["htree"] == exactly(energy(config, layers)["htree"] + 5 * 157.12 * 3)
    more = area(mapped, layers)["input_memory"] - area(config, layers)["input_memory"]
    assert more == pytest.approx(280 * 22 * UM2_PER_BIT, rel=1e-9)
    assert spikesim.latency(layers, 3, mapped).total_ns == (30 + 210 + 5) * 3 * 104
    with pytest.raises(UnsupportedError, match="no convolution; with fc_layers"):
        spikesim.answer([FC], 1)
    assert spikesim.tiles([FC], SPIKESIM.turned(fc_layers=True)).tiles == 1


def test_own_kernels() -> None:
    layers = (ONE[0], entry("b", 10, 70, 2, 2, kernel=(1, 5)))
    own = SPIKESIM.turned(own_kernels=True)
    # crossbars: a has 9 in 4 cycles, b 5 instead of 9 in 8 cycles; 8 phases
    assert energy(SPIKESIM, layers)["crossbar"] == exactly(1.76423 * 8 * 3 * 12 * 9)
    assert energy(own, layers)["crossbar"] == exactly(1.76423 * 8 * 3 * (4 * 9 + 8 * 5))
    # 8 PEs in the tile, 3 used: 9 + 2 x 5, five empty ones with the chip's 9
    assert area(SPIKESIM, layers)["crossbar"] == exactly(26.2144 * 72)
    assert area(own, layers)["crossbar"] == exactly(26.2144 * (9 + 10 + 45))
    assert losses(layers, SPIKESIM)[0] == "the kernel is taken as 3 x 3: b"


def test_membranes_of_all_layers() -> None:
    layers = [entry(f"l{number}", 8, 8, 3, 3) for number in range(7)]
    assert area(SPIKESIM, layers)["neuron_memory"] == exactly(5 * 72 * 22 * UM2_PER_BIT)
    assert area(SPIKESIM.turned(all_membranes=True), layers)["neuron_memory"] == exactly(7 * 72 * 22 * UM2_PER_BIT)


def test_bits_of_the_inputs() -> None:
    assert area(SPIKESIM)["input_memory"] == exactly((3 * 16 + 10 * 4) * 22 * UM2_PER_BIT)
    assert area(SPIKESIM.turned(true_input_bits=True))["input_memory"] == exactly((3 * 16 * 8 + 10 * 4) * UM2_PER_BIT)


@pytest.mark.parametrize(("size", "groups"), [(32, 4), (64, 8), (128, 16)])
def test_mux_phases_and_cells_of_a_crossbar(size: int, groups: int) -> None:
    config = SpikeSimConfig(size)
    shipped = spikesim.pe_cycle_energy(config)
    eight = spikesim.pe_cycle_energy(config.turned(eight_mux_phases=True))
    assert (shipped["adc"], eight["adc"]) == (exactly(groups * groups * 2.03084), exactly(8 * groups * 2.03084))
    assert (shipped["mux"], eight["mux"]) == (exactly(groups * groups * 0.094245), exactly(8 * groups * 0.094245))
    assert (shipped["crossbar"], eight["crossbar"]) == (exactly(groups * 9 * 1.76423), exactly(8 * 9 * 1.76423))
    assert {key: shipped[key] for key in ("sub", "temp_buffer")} == {key: eight[key] for key in ("sub", "temp_buffer")}
    scaled = config.turned(crossbars_scale=True)
    factor = (size / 64) ** 2
    assert spikesim.pe_cycle_energy(scaled)["crossbar"] == exactly(groups * 9 * 1.76423 * factor)
    assert area(scaled)["crossbar"] == exactly(area(config)["crossbar"] * factor)


def test_cells_follow_the_density_and_adcs_do_not() -> None:
    dense, active = energy(SPIKESIM), energy(SPIKESIM.turned(cells_by_density=True))
    # a is dense in 4 cycles, b has a quarter of its rows active in 8
    assert active.pop("crossbar") == exactly(dense.pop("crossbar") * (4 + 8 * 0.25) / 12)
    assert active == dense


def test_the_sram_cells_energy_can_be_refused() -> None:
    sram = replace(SPIKESIM, device="sram")
    assert energy(sram)["crossbar"] == exactly(671.089 * 9 * 8 * 12 * 3)
    careful = sram.turned(refuse_sram_energy=True)
    with pytest.raises(UnsupportedError, match=r"energy of this device is its area's number.*got 'sram'"):
        energy(careful)
    got = spikesim.answer(ONE, 3, careful)
    assert got.energy is None and got.area == spikesim.area(ONE, sram)
    assert energy(SPIKESIM.turned(refuse_sram_energy=True)) == energy(SPIKESIM)
    stated = replace(careful, cells=(Cell("sram", 5.0, 671.089, "a test"),))
    assert energy(stated)["crossbar"] == exactly(5.0 * 9 * 8 * 12 * 3)


def test_tiles_of_one_layer() -> None:
    small = replace(SPIKESIM, pes_per_tile=2)
    assert spikesim.tiles(net("vgg9_cifar10_shipped"), small).pes_per_layer == (1, 1, 2, 4, 8, 16, 16)
    assert spikesim.tiles(net("vgg9_cifar10_shipped"), small).tiles == 24
    own = small.turned(own_tiles=True)
    assert spikesim.tiles(net("vgg9_cifar10_shipped"), own).tiles == 1 + 1 + 1 + 2 + 4 + 8 + 8
    layers = net("vgg9_cifar10_shipped")
    assert area(own, layers)["htree"] == exactly(25 / 24 * area(small, layers)["htree"])


def test_parts_of_the_tuple_that_sum_to_its_total() -> None:
    shipped, own = spikesim.area(ONE), spikesim.area(ONE, SPIKESIM.turned(disjoint_areas=True))
    pes = sum(shipped.components_um2[key] for key in ("crossbar", "adc", "mux"))
    overlap = shipped.neuron_memory_um2 + shipped.analog_um2 + shipped.digital_um2 - shipped.total_um2
    assert overlap == pytest.approx(pes - 433660, rel=1e-9)  # PEs twice, the H-tree not at all
    assert own.neuron_memory_um2 + own.analog_um2 + own.digital_um2 == exactly(own.total_um2)
    assert own.total_um2 == shipped.total_um2


def test_units_of_latency_and_overlap() -> None:
    base = SPIKESIM.turned(any_size=True)
    pe_cycle = 3 * 104  # all timesteps

    def total(**switches: Any) -> float:
        return spikesim.latency(ONE, 3, base.turned(**switches)).total_ns / pe_cycle

    assert total() == 30 + 280  # 75 % of 2 x 2 x 10, then 2 x 2 x 70
    assert total(latency_unit="position and PE") == 3 + 8  # 75 % of 4 x 1, then 4 x 2
    assert total(latency_unit="position") == 3 + 4
    assert total(layers_in_sequence=True) == 40 + 280
    assert total(latency_unit="position", layers_in_sequence=True) == 8
    with pytest.raises(UnsupportedError, match="allowed: output neuron, position and PE, position"):
        base.turned(latency_unit="pixel")  # type: ignore[arg-type]
    assert spikesim.latency(ONE, 3, replace(base, clock_mhz=500.0)).total_ns == 310 * 3 * 52


def test_overlap_is_cut_to_whole_cycles() -> None:
    layers = [entry("a", 64, 65, 3, 3), entry("b", 64, 65, 1, 1)]
    # 65 x 9 outputs: 438.75 -> 438 per timestep
    assert spikesim.latency(layers, 2, SPIKESIM).total_ns == (438 + 65) * 2 * 104


def test_a_short_last_layer_ends_before_the_one_it_follows() -> None:
    layers = [entry("a", 64, 64, 4, 4), entry("b", 64, 64, 1, 1)]
    assert spikesim.latency(layers, 1).total_ns == (768 + 64) * 104
    got = spikesim.latency(layers, 1, SPIKESIM.turned(until_all_finish=True))
    assert got.total_ns == got.layers[0].finish_ns == 1024 * 104


def test_maps_that_are_not_square() -> None:
    layers = [SpikeSimLayer("wide", 64, 64, (4, 6), (2, 3), (2, 3))]
    with pytest.raises(UnsupportedError, match=r"'wide': SpikeSim has one size.*any_shape.*\(\(4, 6\), \(2, 3\)\)"):
        spikesim.answer(layers, 1)
    config = SPIKESIM.turned(any_shape=True)
    assert spikesim.energy(layers, 1, config).layers[0].pe_cycles == 6
    assert area(config, layers)["input_memory"] == exactly(24 * 64 * 22 * UM2_PER_BIT)


def test_groups_matmuls_and_branches_of_a_network(tmp_path: Path) -> None:
    file = tmp_path / "mixed.yaml"
    file.write_text(
        """
name: mixed
timesteps: 2
input: {shape: [4, 8, 8], encoding: rate}
layers:
  - {name: first, type: conv2d, out_channels: 8, kernel: 3, padding: 1}
  - {name: side, type: maxpool2d, kernel: 2}
  - {name: twice, type: conv2d, out_channels: 8, kernel: 3, padding: 1, groups: 2, from: first}
  - {name: joined, type: add, with: first}
  - {name: pool, type: maxpool2d, kernel: 2}
  - {name: last, type: conv2d, out_channels: 8, kernel: 1}
activity: {density: 0.1, generator: bernoulli, seed: 0}
"""
    )
    first, left, right, last = spikesim.layers_of(load_workload(file).network)
    assert (first.in_channels, first.pooled_map) == (4, (8, 8))  # its pool is not all that reads it
    assert (left.name, left.in_channels, left.out_channels, left.in_map) == ("twice[0]", 4, 4, (8, 8))
    assert replace(right, name=left.name, limits=left.limits) == left
    assert (last.kernel, last.in_map, last.in_bits) == ((1, 1), (4, 4), 2)
    assert "twice: 2 groups are listed as 2 layers, one after the other" in spikesim.answer([left, right], 1).limits
    matmul = load_workload(rows_file(tmp_path)).network
    (rows,) = spikesim.layers_of(matmul)
    assert (rows.kind, rows.in_channels, rows.out_channels, rows.out_map) == ("fc", 16, 32, (6, 1))
    with pytest.raises(UnsupportedError, match="did you mean 'product'"):
        spikesim.layers_of(matmul, {"produkt": 0.5})


def rows_file(tmp_path: Path) -> Path:
    file = tmp_path / "rows.yaml"
    file.write_text(
        """
name: rows
timesteps: 2
input: {shape: [16, 6, 1], encoding: rate}
layers:
  - {name: product, type: matmul, out_features: 32}
activity: {density: 0.1, generator: bernoulli, seed: 0}
"""
    )
    return file


def test_refusals_name_everything() -> None:
    with pytest.raises(UnsupportedError) as caught:
        SpikeSimConfig(crossbar=0, pes_per_tile=-1, kernel=0, clock_mhz=float("nan"))
    assert len(caught.value.problems) == 4
    with pytest.raises(UnsupportedError) as caught:
        SpikeSimLayer("a", 0, 0, (1, 0), (1, 1), (1, 1), density=2.0)
    assert len(caught.value.problems) == 4
    with pytest.raises(UnsupportedError, match="nothing to run"):
        spikesim.answer([], 1)
    with pytest.raises(UnsupportedError, match="must be at least 1"):
        spikesim.answer(ONE, 0)
    with pytest.raises(UnsupportedError, match="must not be negative"):
        Cell("odd", -1.0, 1.0, "a test")
    many = [entry(f"l{number}", 9 - number % 2, 9, 2, 2) for number in range(13)]
    problems = spikesim.refusals(many)["latency"]
    assert len(problems) == 6 + 1 + 1  # six decreases, too small, too many
    assert set(spikesim.refusals(many)) == {"latency"}


def test_every_constant_has_a_source() -> None:
    listed = spikesim.sources_of(replace(Constants(), adc_pj=1.0))
    assert len(listed) == len(fields(Constants))
    assert all(unit and source for _, _, unit, source, _ in listed)
    assert [name for name, _, _, source, _ in listed if source == "stated by the caller"] == ["adc_pj"]


STEPS = {
    "energy": (spikesim.ENERGY_STEPS, lambda layers, config: spikesim.energy(layers, 5, config).total_pj),
    "area": (spikesim.AREA_STEPS, lambda layers, config: spikesim.area(layers, config).total_um2),
    "latency": (spikesim.LATENCY_STEPS, lambda layers, config: spikesim.latency(layers, 5, config).total_ns),
}


@pytest.mark.parametrize("quantity", sorted(STEPS))
def test_from_shipped_to_corrected_without_remainder(quantity: str, tmp_path: Path) -> None:
    layers, (steps, figure) = vgg9(tmp_path), STEPS[quantity]
    start = replace(SPIKESIM, crossbar=128).lifted()
    end = start
    for step in steps:
        end = step.change(end)
    bars = waterfall(start, lambda config: figure(layers, config), steps, end=figure(layers, end))
    assert bars.start == figure(layers, replace(SPIKESIM, crossbar=128))  # lifting the limits moves nothing
    assert abs(bars.remainder) <= 1e-12 * max(abs(row.after) for row in bars.rows)
    assert all(row.difference != 0 for row in bars.rows if row.name != "the inference ends when every layer has ended")


def test_steps_turn_one_convention_each_and_every_one_once() -> None:
    turned = set()
    for steps, _ in STEPS.values():
        config = SPIKESIM
        for step in steps:
            changed = step.change(config)
            assert replace(changed, conventions=config.conventions) == config
            moved = one_changed(step, config)
            turned.add(moved)
            config = changed
    left = {one.name for one in fields(Conventions)} - turned
    limits = {"any_order", "any_depth", "any_size", "any_shape"}
    assert left == limits | {"refuse_sram_energy", "disjoint_areas"}


def one_changed(step: Step[SpikeSimConfig], config: SpikeSimConfig) -> str:
    before, after = vars(config.conventions), vars(step.change(config).conventions)
    (name,) = (key for key in before if before[key] != after[key])
    return str(name)

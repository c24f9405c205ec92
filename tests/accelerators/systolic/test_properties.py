"""What must hold for any layer on any chip: orders, gating, density, bandwidth, capacity, sums and both engines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from drawn import architecture, chip, run, workload

import archsim
from archsim.accelerators import Architecture, load_architecture
from archsim.cost.table import load_costs
from archsim.engine import execute
from archsim.errors import ArchsimError, ConfigError, MisfitError, UnsupportedError
from archsim.run import Run, run_once
from archsim.workload import Workload, load_workload

PRESETS = ("sata", "eyeriss-snn", "scalesim-os", "scalesim-ws", "scalesim-is")
UNION, ROW = {"skip": "union"}, {"skip": "row"}


def pick(rng: np.random.Generator, *choices: Any) -> Any:
    return choices[int(rng.integers(len(choices)))]


def layer(name: str = "conv", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "conv2d", "out_channels": 4, "kernel": 3, "padding": 1, **more}


def net(*layers: dict[str, Any], timesteps: int = 4, given: Any = None, **more: Any) -> Workload:
    base = {"name": "net", "timesteps": timesteps, "input": {"shape": [2, 6, 6], "encoding": "events"}}
    return workload({**base, "layers": list(layers) or [layer()], **more}, given)


def priced(description: dict[str, Any], network: Workload) -> Run:
    return run_once(architecture(description), network, load_costs(), 0, "fast")


# -- weights and the order of timesteps --------------------------------------------------------------------------------


def weight_traffic(seed: int) -> dict[int, tuple[int, int]]:
    """Number of timesteps handled together -> weight bytes from DRAM, weights from their buffer; of a random layer."""
    rng = np.random.default_rng(seed)
    timesteps, dataflow = int(rng.integers(2, 9)), pick(rng, "os", "ws", "is")
    placement = pick(rng, "rows", "in_pe") if dataflow == "os" else "rows"
    # a fold of (position, t) pairs unites other rows than a fold of positions: `skip: union` may go either way there
    skips = {"os": (ROW,) if placement == "rows" else (ROW, UNION), "ws": (UNION,), "is": ()}[dataflow]
    sparsity = pick(rng, "none", "gate", *skips)
    groups, kernel = pick(rng, 1, 1, 2), pick(rng, 1, 3, 5)
    size = int(rng.integers(kernel, 14))
    conv = layer(
        out_channels=groups * pick(rng, 1, 3, 8, 20),
        kernel=kernel,
        padding=pick(rng, 0, kernel // 2),
        stride=pick(rng, 1, 2),
        groups=groups,
    )
    shape = [groups * pick(rng, 1, 2, 8), size, size]
    network = workload(
        {
            "name": "net",
            "timesteps": timesteps,
            "input": {"shape": shape, "encoding": pick(rng, "events", "direct")},
            "layers": [conv],
            "activity": {"density": pick(rng, 0.02, 0.2, 0.6)},
        }
    )
    base = chip(
        array={"rows": pick(rng, 1, 2, 3, 8, 16), "cols": pick(rng, 1, 2, 4, 8), "dataflow": dataflow},
        pe={"scratchpad": {"weight": pick(rng, 0, 9, 64, 288)}},
        first_layer=pick(rng, "once", "repeat"),
        sparsity=sparsity,
        buffers={
            "ifmap": {"size": pick(rng, 16, 64, 256, 2048, 65536), "line": 1},
            "weight": {"size": pick(rng, 16, 64, 256, 2048, 65536), "line": 1},
            "ofmap": {"size": "64 KiB"},
            "membrane": {"size": "64 KiB"},
            "port_limited": False,
        },
    )
    scope, found = pick(rng, "layer", "tile", "network"), {}
    for n in range(1, timesteps + 1):
        base["timesteps"] = {"scope": scope, "order": {"batched": n}, "placement": placement if n > 1 else "rows"}
        try:
            done = run(base, network, "fast")
        except UnsupportedError:
            assert scope == "tile"
            continue
        found[n] = done.count("weight_buffer", "line_write"), done.count("weight_buffer", "element_read")
    return found


@pytest.mark.parametrize("block", range(4))
def test_handling_timesteps_together_never_increases_weight_traffic(block: int) -> None:
    for seed in range(block, 120, 4):
        found = weight_traffic(seed)
        last = max(found)
        for n, traffic in found.items():
            assert all(now <= then for now, then in zip(traffic, found[1], strict=True)), (seed, n, found)
            assert all(now <= then for now, then in zip(found[last], traffic, strict=True)), (seed, n, found)


# -- sparsity ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dataflow", ["os", "ws", "is"])
@pytest.mark.parametrize("density", [0.0, 0.1, 0.5, 1.0])
def test_gating_never_costs_more(dataflow: str, density: float) -> None:
    network = net(layer(padding=0), layer("second", padding=0), activity={"density": density})
    array = {"rows": 4, "cols": 4, "dataflow": dataflow}
    pe = {"scratchpad": {"weight": 16}}
    none, gate, gate_weights = (
        priced(chip(array=array, pe=pe, **settings), network)
        for settings in ({"sparsity": "none"}, {"sparsity": "gate"}, {"sparsity": "gate", "gate_weight_read": True})
    )
    assert none.execution.cycles == gate.execution.cycles == gate_weights.execution.cycles
    saved = none.prices.total_pj.value - gate.prices.total_pj.value
    assert saved > 0 if density < 1 else saved == 0
    if density < 1:
        assert gate_weights.prices.total_pj.value < gate.prices.total_pj.value
    for component, action in (("ifmap_buffer", "line_read"), ("weight_buffer", "line_read"), ("dram", "read_bit")):
        both = [done.execution.ledger.total(component, action) for done in (none, gate)]
        assert both[0] == both[1]  # spikes and weights are fetched anyway


@pytest.mark.parametrize(
    ("dataflow", "sparsity", "placement"),
    [
        ("os", "gate", "rows"),
        ("os", "gate", "in_pe"),
        ("ws", "gate", "rows"),
        ("is", "gate", "rows"),
        ("os", UNION, "rows"),
        ("os", UNION, "in_pe"),
        ("os", ROW, "rows"),
        ("os", ROW, "in_pe"),
        ("ws", UNION, "rows"),
    ],
)
def test_more_spikes_never_cost_less(dataflow: str, sparsity: Any, placement: str) -> None:
    ranks = np.random.default_rng(7).random((4, 2, 6, 6))
    description = chip(
        array={"rows": 4, "cols": 4, "dataflow": dataflow},
        sparsity=sparsity,
        timesteps={"scope": "layer", "order": {"batched": 2}, "placement": placement},
    )
    energies, cycles = [], []
    for density in (0.0, 0.05, 0.1, 0.3, 0.6, 1.0):  # nested sets of spikes
        done = priced(description, net(given={"input": (ranks < density).astype(np.uint8)}))
        energies.append(done.prices.total_pj.value)
        cycles.append(done.execution.cycles)
    assert energies == sorted(energies)
    assert energies[0] < energies[-1]
    assert cycles == sorted(cycles)
    assert (cycles[0] < cycles[-1]) == (sparsity != "gate")


# -- memories ----------------------------------------------------------------------------------------------------------


def test_a_dram_ten_times_slower_lengthens_the_run_and_is_named() -> None:
    """The preset's channel has 3.2 GB/s. At a tenth the array waits for it; at a hundredth nothing else is to blame."""
    fast = archsim.simulate("sata", "cnn-mnist")
    slow = archsim.simulate("sata", "cnn-mnist", overrides=["dram.bandwidth=0.32 GB/s"])
    slower = archsim.simulate("sata", "cnn-mnist", overrides=["dram.bandwidth=0.032 GB/s"])
    assert fast.inputs["arch"]["dram"]["bandwidth"] == "3.2 GB/s"
    assert fast.cycles < slow.cycles < slower.cycles
    of_time = [run.verdict.partition("time: ")[2] for run in (fast, slow, slower)]
    assert [("DRAM" in text, "the PE array" in text) for text in of_time] == [
        (False, True), (True, True), (True, False)
    ]  # fmt: skip
    assert slow.count("dram", "read_bit") == slower.count("dram", "read_bit") == fast.count("dram", "read_bit")


def test_membranes_spill_to_dram_where_their_buffer_is_too_small() -> None:
    """4 x 36 neurons of 16 bits are 288 bytes; 4 timesteps make 4 visits: 3 restored, 3 saved, 1 cleared."""

    def membranes(size: int) -> tuple[int, int, int]:
        buffers = {**chip()["buffers"], "membrane": {"size": size}}
        done = run(chip(buffers=buffers), net(), "fast")
        read = done.count("dram", "read_bit") - 72 * 8 - 4 * 72  # less weights and spikes
        return read, done.count("dram", "write_bit") - 4 * 144, done.count("membrane_buffer", "element_read")

    assert membranes(288) == (0, 0, 3 * 144)
    assert membranes(287) == (3 * 144 * 16, 4 * 144 * 16, 3 * 144)


def test_with_t_outermost_the_membranes_of_all_layers_are_live() -> None:
    network = net(layer(), layer("second"))
    buffers = {**chip()["buffers"], "membrane": {"size": 300}}  # one layer's 288 bytes, not two
    traffic = {}
    for scope in ("layer", "network"):
        timesteps = {"scope": scope, "order": "sequential"}
        traffic[scope] = run(chip(buffers=buffers, timesteps=timesteps), network, "fast").count("dram", "element_read")
    assert traffic == {"layer": 0, "network": 3 * 144}


def test_a_misfit_names_demand_capacity_and_levers() -> None:
    neuron = {"membrane": {"home": "register", "registers_per_unit": 3}}
    with pytest.raises(MisfitError) as caught:
        run(chip(neuron=neuron), net())
    # 144 neurons, 2 x 2 units with 3 registers each
    assert (caught.value.demand, caught.value.capacity) == (144, 12)
    for word in ("conv", "144", "12", "registers_per_unit=36", "home=sram", "order=parallel"):
        assert word in str(caught.value)
    neuron["membrane"]["registers_per_unit"] = 36
    run(chip(neuron=neuron), net())
    # with t outermost both layers' membranes are kept at once
    neuron["membrane"]["registers_per_unit"] = 36
    two = net(layer(), layer("second"))
    run(chip(neuron=neuron), two)
    with pytest.raises(MisfitError, match="all layers: demands 288 registers, there are 144"):
        run(chip(neuron=neuron, timesteps={"scope": "network", "order": "sequential"}), two)
    # nothing to keep: everything of a neuron happens in one visit
    neuron["membrane"]["registers_per_unit"] = 3
    run(chip(neuron=neuron, timesteps={"scope": "tile", "order": "sequential"}), net())
    run(chip(neuron=neuron, timesteps={"scope": "layer", "order": "parallel"}), net())


# -- what a chip cannot do ---------------------------------------------------------------------------------------------

ARRAY = {"rows": 4, "cols": 4}
REFUSED = [
    ({"array": {**ARRAY, "dataflow": "ws"}, "timesteps": {"placement": "in_pe"}}, ConfigError, "timesteps.placement"),
    ({"array": {**ARRAY, "dataflow": "is"}, "timesteps": {"placement": "in_pe"}}, ConfigError, "timesteps.placement"),
    ({"array": {**ARRAY, "dataflow": "ws"}, "sparsity": ROW}, ConfigError, "skip: row"),
    ({"array": {**ARRAY, "dataflow": "is"}, "sparsity": ROW}, ConfigError, "skip: row"),
    ({"array": {**ARRAY, "dataflow": "is"}, "sparsity": UNION}, ConfigError, "skip: union"),
    ({"array": {**ARRAY, "dataflow": "output_stationery"}}, ConfigError, "output_stationary"),
    ({"sparsity": {"skip": "both"}}, ConfigError, "skip: row"),
    ({"timesteps": {"order": {"batched": 0}}}, ConfigError, "at least 1"),
    ({"buffers": {k: v for k, v in chip()["buffers"].items() if k != "membrane"}}, ConfigError, "buffers.membrane"),
    ({"timesteps": {"scope": "tile", "order": {"batched": 3}}}, UnsupportedError, "n that divides T"),
    (
        {"array": {"rows": 3, "cols": 4}, "timesteps": {"scope": "tile", "order": {"batched": 2}}},
        UnsupportedError,
        "an n that divides 3",
    ),
]


@pytest.mark.parametrize(("settings", "error", "word"), REFUSED)
def test_impossible_combinations_are_refused_with_what_is_allowed(
    settings: dict[str, Any], error: type[ArchsimError], word: str
) -> None:
    with pytest.raises(error) as caught:
        run(chip(**settings), net())
    assert word in str(caught.value)


def test_every_layer_with_wide_values_is_named_where_the_chip_has_no_way_to_multiply_them() -> None:
    network = net(
        layer("first"),
        {"name": "pool", "type": "sumpool2d", "kernel": 2},
        layer("second"),
        layer("third"),
        input={"shape": [2, 6, 6], "encoding": "direct"},
    )
    with pytest.raises(UnsupportedError) as caught:
        run(chip(pe={"wide_values": "none"}), network)
    assert len(caught.value.problems) == 2
    assert "'first' has an input of 8 bits" in str(caught.value)
    assert "'second' has an input of 3 bits" in str(caught.value)  # sums of 4 spikes
    assert "third" not in str(caught.value)


# -- time and sums -----------------------------------------------------------------------------------------------------


def test_inputs_back_to_back_are_limited_by_the_busiest_unit() -> None:
    """With two accumulators the array never waits; with one, each pass waits for the update of the last."""
    network = net(layer(out_channels=2), timesteps=1)
    for sets, each in ((2, 0), (1, 1)):
        done = priced(chip(pe={"accumulator_sets": sets}), network)
        # 36 positions in 18 folds of 2 rows: K + R + C - 2 = 18 + 2 = 20 cycles each, updates take 1 cycle
        assert done.throughput.interval_cycles == 18 * (20 + each)
        assert done.execution.cycles == 18 * (20 + each) + (1 - each)


@pytest.mark.parametrize("preset", PRESETS)
def test_parts_sum_to_the_whole(preset: str) -> None:
    result = archsim.simulate(preset, "cnn-mnist")
    near = pytest.approx(result.energy_pj, rel=1e-12)
    assert sum(row.cycles for row in result.layers) == result.cycles
    assert sum(row.cycles for row in result.critical_path) == result.cycles
    body = result.to_json()
    assert sum(row.energy_pj for row in result.layers) + body["idle_pj"] == near
    assert body["idle_pj"] >= -1e-9 * result.energy_pj
    assert sum(part.energy_pj for part in result.components) == near
    assert sum(dynamic + static for dynamic, static in result.levels().values()) == near
    assert result.dynamic_pj + result.static_pj == near
    assert sum(row.energy_pj for row in result.counts) == pytest.approx(result.dynamic_pj, rel=1e-12)
    for unit in result.units:
        pieces = [*unit.starved.values(), *unit.blocked.values(), *unit.arbitration.values()]
        assert unit.busy + unit.idle + sum(pieces) == result.cycles


def engines_agree(arch: Architecture, network: Workload) -> None:
    graph = arch.family.lower(arch.chip, network, 0).graph
    slow, quick = execute(graph, "des"), execute(graph, "fast")
    assert np.array_equal(slow.start, quick.start)


@pytest.mark.parametrize("preset", PRESETS)
def test_both_engines_agree_on_a_recorded_digit(preset: str) -> None:
    engines_agree(load_architecture(preset), load_workload("cnn-mnist"))


@pytest.mark.parametrize("preset", PRESETS)
def test_both_engines_agree_on_icassp_bntt(preset: str) -> None:
    engines_agree(load_architecture(preset), load_workload("icassp-bntt"))

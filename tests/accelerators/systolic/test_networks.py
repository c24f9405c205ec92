"""Several layers: what is stored, what comes back, in which order; and random networks on random chips."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from drawn import Done, chip, run, workload

from archsim.analysis.attribution import attribute
from archsim.engine import execute
from archsim.errors import UnsupportedError

CONV = {"type": "conv2d", "out_channels": 4, "kernel": 3, "padding": 1}
# 2 x 4 x 4 in. c1: 64 neurons, its spikes read by p and, later, by c3; p: 16 spikes, read by c2 and a; c2 + p -> n: 16
RESIDUAL: dict[str, Any] = {
    "name": "residual",
    "timesteps": 2,
    "input": {"shape": [2, 4, 4], "encoding": "events"},
    "layers": [
        {"name": "c1", **CONV},
        {"name": "p", "type": "maxpool2d", "kernel": 2},
        {"name": "c2", **CONV, "spiking": False},
        {"name": "a", "type": "add", "with": "p"},
        {"name": "n", "type": "neuron"},
        {"name": "c3", **CONV, "from": "c1"},
    ],
    "activity": {"density": 0.4},
}
POOLS, FOLDED = ("maxpool2d", "avgpool2d"), ("batchnorm", "scale")
SLOW = {"bandwidth": 1.0, "latency": 5}


@pytest.mark.parametrize("dataflow", ["os", "ws", "is"])
@pytest.mark.parametrize("scope", ["layer", "tile", "network"])
def test_what_a_residual_network_stores_and_reads(dataflow: str, scope: str) -> None:
    array = {"rows": 4, "cols": 4, "dataflow": dataflow}
    timesteps = {"scope": scope, "order": "sequential"}
    done = run(chip(array=array, timesteps=timesteps, dram=SLOW), workload(RESIDUAL))
    # stored: c1 (read by a later layer), p, n and c3: one bit each, twice
    assert done.count("dram", "write_bit") == 2 * (64 + 16 + 16 + 64)
    # weights of 8 bits: 2 x 4 x 9, twice 4 x 4 x 9; maps: input 32, p 16 (c2), c1 64 (c3), and p once more for the add
    assert done.count("dram", "read_bit") == 8 * (72 + 144 + 144) + 2 * (32 + 16 + 64 + 16)
    assert done.count("vector_adder", "op") == 2 * 16
    assert done.count("vector_or", "op") >= 2 * 64 // 8
    for t in range(2):
        assert done.count("neuron_membrane", "update", t) == 64 + 16 + 64


def test_nothing_is_read_before_the_layer_that_makes_it_is_stored() -> None:
    done = run(chip(dram=SLOW), workload(RESIDUAL))
    graph, start = done.execution.graph, done.execution.start
    there = done.execution.finish + graph.latency
    dated = graph.timestep >= 0  # all but weights, which may come ahead
    for earlier, later in (("c1", "c2"), ("c2", "c3")):
        before = there[(graph.layer == graph.layers.index(earlier)) & dated].max()
        assert start[(graph.layer == graph.layers.index(later)) & dated].min() >= before
    weights = (graph.layer == graph.layers.index("c3")) & ~dated & (graph.duration > 0)
    assert start[weights].min() < there[graph.layer == graph.layers.index("c2")].max()


# -- random networks ---------------------------------------------------------------------------------------------------


def random_run(seed: int) -> tuple[Done, dict[str, Any]]:
    rng = np.random.default_rng(seed)

    def pick(*choices: Any) -> Any:
        return choices[int(rng.integers(len(choices)))]

    timesteps, dataflow = int(rng.integers(1, 6)), pick("os", "os", "ws", "is")
    layers: list[dict[str, Any]] = [
        {"name": "c1", **CONV, "bias": pick(True, False), **pick({}, {"padding": 2, "dilation": 2})},
        {"name": "p", **pick(*({"type": kind, "kernel": 2} for kind in POOLS), *({"type": kind} for kind in FOLDED))},
        {"name": "c2", **CONV, "groups": pick(1, 2)},
    ]
    ending = pick("plain", "sum of spikes", "sum before spikes")
    if ending != "plain":
        layers[-1]["spiking"] = ending == "sum of spikes"
        layers.append({"name": "a", "type": "add", "with": "p"})
    if ending == "sum before spikes":
        layers.append({"name": "n", "type": "neuron"})
    layers += pick([], [{"name": "f", "type": "flatten"}, {"name": "l", "type": "linear", "out_features": 3}])
    layers[-1] |= pick({}, {"neuron": {"model": pick("li", "cuba_li")}}) if layers[-1]["type"] == "linear" else {}
    entering = {"shape": [2, 4, 4], "encoding": pick("events", "direct", "rate", "ttfs")}
    if entering["encoding"] == "events":
        entering["max_spikes"] = pick(1, 3, 300)
    network = {
        "name": "random",
        "timesteps": timesteps,
        "input": entering,
        "neuron": {
            "model": pick("lif", "cuba_lif", "if"),
            "reset": pick("hard", "subtract", "delayed_subtract", "none"),
            "max_spikes": pick(1, 1, 255),
            **pick({}, {"minimum": -1.0}, {"rest": 0.5}),
        },
        "layers": layers,
        "activity": {"density": pick(0.05, 0.4)},
    }
    sparsity = {"os": ("none", "gate", {"skip": "union"}, {"skip": "row"}), "ws": ("none", "gate", {"skip": "union"})}
    chosen = pick(*sparsity.get(dataflow, ("none", "gate")))
    description = chip(
        array={"rows": pick(1, 2, 3, 4, 8), "cols": pick(1, 2, 3, 4), "dataflow": dataflow},
        sparsity=chosen,
        spike_format=pick("bitmap", "index") if isinstance(chosen, dict) else "bitmap",
        first_layer=pick("once", "repeat"),
        timesteps={
            "scope": (scope := pick("layer", "tile", "network")),
            "order": {"batched": (order := int(rng.integers(1, timesteps + 1)))},
            "placement": pick("rows", "in_pe") if dataflow == "os" and order > 1 else "rows",
        },
        neuron={
            "membrane": {"home": pick("sram", "dram")},
            "units": (units := pick("per_pe", "per_column", "ideal")),
            "update": pick("every_step", "event"),
            "clear_between_inputs": units == "ideal" or (scope == "tile" and dataflow == "os") or pick(True, False),
        },
        buffers={
            "ifmap": {"size": pick(64, 256, 65536), "line": 1},
            "weight": {"size": pick(64, 256, 65536), "line": 1},
            "ofmap": {"size": pick(4, 64, 65536), "line": 1},
            "membrane": {"size": pick(16, 64, 65536), "line": 1},
            "port_limited": pick(True, False),
        },
        pe={
            "scratchpad": {"weight": pick(0, 18), "spike": pick(0, 9)},
            "accumulator_sets": pick(1, 2) if dataflow == "os" else 1,
            "wide_values": pick("bit_serial", "multiplier"),
        },
        dram={"bandwidth": pick(0.1, 1, 100), "latency": pick(0, 20)},
    )
    return run(description, workload(network), "fast"), network


@pytest.mark.parametrize("block", range(4))
def test_random_networks_run_to_their_end_in_both_engines(block: int) -> None:
    refused = 0
    for seed in range(block, 160, 4):
        try:
            done, network = random_run(seed)
        except UnsupportedError as error:
            assert "timestep loop inside the tile" in str(error)
            refused += 1
            continue
        graph = done.lowered.graph
        assert np.array_equal(execute(graph, "des").start, done.execution.start), seed
        assert all(unit.total == done.execution.cycles for unit in attribute(done.execution).units), seed
        steps = set(done.execution.ledger.timestep.tolist())
        assert steps <= set(range(-1, network["timesteps"]))
    assert refused < 10

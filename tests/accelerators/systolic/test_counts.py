"""Every count of the lowered graph against a literal recount, on random small layers."""

from __future__ import annotations

import numpy as np
import pytest
from drawn import Done, chip, run, workload
from oracle import MEMBRANE_BITS, Case, output_size, recount

SEEDS = 600


def case_of(seed: int) -> Case:
    """A random layer on a random array; every setting of DESIGN.md section 5 comes up."""
    rng = np.random.default_rng(seed)

    def pick(*choices):  # type: ignore[no-untyped-def]
        return choices[int(rng.integers(len(choices)))]

    groups = pick(1, 1, 1, 2)
    channels, kernel, stride = groups * pick(1, 2, 3), pick(1, 2, 3), pick(1, 1, 2)
    padding = int(rng.integers(0, kernel))
    dilation = pick(1, 1, 2, 3)
    reach = dilation * (kernel - 1) + 1
    size = int(rng.integers(max(1, reach - 2 * padding), max(6, reach + 1)))
    dataflow = pick("os", "os", "ws", "is")
    sparsity = pick(
        *{"os": ("none", "gate", "union", "row"), "ws": ("none", "gate", "union"), "is": ("none", "gate")}[dataflow]
    )
    timesteps = int(rng.integers(1, 6))
    order = pick(1, timesteps, int(rng.integers(1, timesteps + 1)))
    scope = pick("layer", "tile", "network")
    placement = pick("rows", "in_pe") if dataflow == "os" else "rows"
    rows, cols = int(rng.integers(1, 7)), int(rng.integers(1, 5))
    if scope == "tile":
        divisors = [n for n in range(1, timesteps + 1) if timesteps % n == 0]
        extent = rows if dataflow == "os" else cols
        if (
            placement == "rows" and dataflow != "ws"
        ):  # a neuron's timesteps may be cut by folds only where no later batch comes in between
            divisors = [n for n in divisors if n == timesteps or extent % n == 0]
        order = pick(*divisors)
    constant, spiking = bool(pick(False, False, True)), bool(pick(True, True, False))
    bits = pick(2, 8) if constant else pick(1, 1, 1, 2, 9)  # events of up to 3 or 511 spikes
    steps = 1 if constant else timesteps
    shape = (steps, channels, size, int(rng.integers(max(1, reach - 2 * padding), max(6, reach + 1))))
    values = rng.integers(1, 1 << bits, shape) * (rng.random(shape) < pick(0.0, 0.2, 0.5, 1.0))
    values = np.broadcast_to(values, (timesteps, *shape[1:]))
    return Case(
        values=values.tolist(),
        filters=groups * int(rng.integers(1, 6)),
        kernel=kernel,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        bits=bits,
        constant=constant,
        rows=rows,
        cols=cols,
        dataflow=dataflow,
        sparsity=sparsity,
        scope=scope,
        order=order,
        placement=placement if order > 1 else "rows",
        multiplier=bool(pick(False, True)) and bits > 1,
        once=constant and bool(pick(False, True)),
        scratchpad_weights=pick(0, 4, 64),
        state_words=pick(1, 2),
        clear=bool(pick(True, False)) or (scope == "tile" and dataflow == "os"),
        event=bool(pick(False, True)),
        spiking=spiking,
    )


def executed(case: Case) -> Done:
    sparsity = {"union": {"skip": "union"}, "row": {"skip": "row"}}.get(case.sparsity, case.sparsity)
    description = chip(
        array={"rows": case.rows, "cols": case.cols, "dataflow": case.dataflow},
        pe={
            "wide_values": "multiplier" if case.multiplier else "bit_serial",
            "scratchpad": {"weight": case.scratchpad_weights},
        },
        timesteps={"scope": case.scope, "order": {"batched": case.order}, "placement": case.placement},
        sparsity=sparsity,
        first_layer="once" if case.once else "repeat",
        neuron={
            "clear_between_inputs": case.clear,
            "update": "event" if case.event else "every_step",
            "membrane": {"home": "sram"},
        },
    )
    values = np.array(case.values)
    code = {"encoding": "direct"} if case.constant else {"encoding": "events", "max_spikes": (1 << case.bits) - 1}
    network = workload(
        {
            "name": "one layer",
            "timesteps": case.timesteps,
            "input": {"shape": list(values.shape[1:]), **code},
            "neuron": {"model": ("cuba_" if case.state_words == 2 else "") + ("lif" if case.spiking else "li")},
            "precision": {"input_bits": case.bits, "membrane_bits": MEMBRANE_BITS},
            "layers": [
                {
                    "name": "conv",
                    "type": "conv2d",
                    "out_channels": case.filters,
                    "kernel": case.kernel,
                    "stride": case.stride,
                    "padding": case.padding,
                    "dilation": case.dilation,
                    "groups": case.groups,
                }
            ],
        },
        {"input": values},
    )
    return run(description, network, "fast")


def counted(done: Done, case: Case) -> dict[str, int]:
    height, width = output_size(case)
    outputs = case.filters * height * width * case.timesteps
    found = {
        "synaptic": done.count("pe_adder", "sop"),
        "ifmap_elements": done.count("ifmap_buffer", "element_read"),
        "weight_elements": done.count("weight_buffer", "element_read"),
        "weight_moves": done.count("pe_weight_register", "write"),
        "partial_sums_read": done.count("ofmap_buffer", "element_read"),
        "partial_sums_written": done.count("ofmap_buffer", "element_write") - outputs,
        "outputs": outputs,
        "updates": done.count("neuron_membrane", "update"),
        "compared": done.count("neuron_comparator", "op"),
        "stored_bits": done.count("dram", "write_bit"),
        "membrane_read": done.count("membrane_buffer", "element_read"),
        "membrane_written": done.count("membrane_buffer", "element_write"),
    }
    if not case.multiplier:  # a gated multiplier switches for active products only
        found["slots"] = done.count("pe_and", "op")
    elif case.sparsity == "none":
        found["slots"] = done.count("pe_multiplier", "op")
    if case.scratchpad_weights:
        found["weight_uses"] = done.count("weight_scratchpad", "read")
    return found


def differences(case: Case) -> dict[str, tuple[object, object]]:
    """Count -> (literal, lowered) where they differ."""
    literal, done = recount(case), executed(case)
    pairs: dict[str, tuple[object, object]] = {k: (literal.total[k], n) for k, n in counted(done, case).items()}
    adds = literal.total["slots" if case.sparsity == "none" else "active"]
    pairs["adds"] = adds, done.count("pe_adder", "op")
    pairs["cycles"] = sorted(c for c in literal.cycles if c), sorted(c for c in done.durations("array") if c)
    pairs["passes"] = passes(case), len(done.durations("array"))
    if case.order == 1:
        for t in range(case.timesteps):
            pairs[f"synaptic at {t}"] = literal.synaptic_at[t], done.count("pe_adder", "sop", t)
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def passes(case: Case) -> int:
    """Folds along rows and columns, for every group and batch (a held current still has its passes, without cycles)."""
    height, width = output_size(case)
    reduction, filters = len(case.values[0]) // case.groups * case.kernel**2, case.filters // case.groups
    total = 0
    for first in range(0, case.timesteps, case.order):
        side_by_side = min(case.order, case.timesteps - first) if case.placement == "rows" and not case.once else 1
        positions = height * width * side_by_side
        rows, cols = {
            "os": (positions, filters),
            "ws": (reduction, filters),
            "is": (reduction, positions),
        }[case.dataflow]
        total += case.groups * -(-rows // case.rows) * -(-cols // case.cols)
    return total


@pytest.mark.parametrize("block", range(8))
def test_every_count_equals_a_literal_recount(block: int) -> None:
    for seed in range(block, SEEDS, 8):
        case = case_of(seed)
        assert differences(case) == {}, (seed, case)

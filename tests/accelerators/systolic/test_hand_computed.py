"""A 2 x 2 array, one small convolution, two timesteps: every count and start cycle computed by hand.

The layer: one channel of 3 x 3, two filters of 2 x 2, no padding, so 4 positions (P), 4 products each (K),
2 filters (F), 8 neurons. Windows, with the reduction index k = 2 dy + dx:

    p0: (0,0)k0 (0,1)k1 (1,0)k2 (1,1)k3        p1: (0,1)k0 (0,2)k1 (1,1)k2 (1,2)k3
    p2: (1,0)k0 (1,1)k1 (2,0)k2 (2,1)k3        p3: (1,1)k0 (1,2)k1 (2,1)k2 (2,2)k3

Two pairs of spike maps with three spikes in each timestep, drawn so that each causes 5 active products per filter and
timestep (a corner is in 1 window, an edge in 2):

    clustered  t0: # # .   active k  p0 {0,1,2}  p1 {0}      t1: . # #   p0 {1}  p1 {0,1,3}
                   # . .             p2 {0}      p3 {}           . . #   p2 {}   p3 {1}
                   . . .                                         . . .
    spread     t0: # . .   active k  p0 {0}      p1 {3}      t1: . # .   p0 {1}  p1 {0,3}
                   . . #             p2 {3}      p3 {1,2}        . . #   p2 {2}  p3 {1}
                   . # .                                         # . .

Output-stationary: a fold has 2 positions (rows) and both filters (columns), and lasts S + R + C - 2 = S + 2 cycles for
S streamed indices, 6 when dense. Four neurons end in a fold and there are four neuron units: 1 cycle for each timestep.
"""

from __future__ import annotations

from typing import Any

import pytest
from drawn import Done, chip, run, workload

import archsim
from archsim.accelerators import load_architecture

CLUSTERED = [[[[1, 1, 0], [1, 0, 0], [0, 0, 0]]], [[[0, 1, 1], [0, 0, 1], [0, 0, 0]]]]
SPREAD = [[[[1, 0, 0], [0, 0, 1], [0, 1, 0]]], [[[0, 1, 0], [0, 0, 1], [1, 0, 0]]]]
MAPS = {"clustered": CLUSTERED, "spread": SPREAD}
UNION, ROW = {"skip": "union"}, {"skip": "row"}
CONV = {"name": "conv", "type": "conv2d", "out_channels": 2, "kernel": 2}
SEQUENTIAL, PARALLEL = "sequential", "parallel"


def network(values: Any, encoding: str = "events", layers: Any = (CONV,)) -> archsim.workload.Workload:
    described = {
        "name": "hand",
        "timesteps": 2,
        "input": {"shape": [1, 3, 3], "encoding": encoding},
        "layers": list(layers),
    }
    return workload(described, {"input": values})


def on(
    dataflow: str = "os", scope: str = "layer", order: Any = SEQUENTIAL, placement: str = "rows", **more: Any
) -> Any:
    return chip(
        array={"rows": 2, "cols": 2, "dataflow": dataflow},
        timesteps={"scope": scope, "order": order, "placement": placement},
        **more,
    )


# -- equal density, equal energy when gated; different cycles when skipped ---------------------------------------------


def test_maps_of_equal_density_cost_the_same_energy_when_gated() -> None:
    results = []
    for values in MAPS.values():
        loaded = load_architecture("sata", ["timesteps.scope=layer", "neuron.membrane.registers_per_unit=1"])
        results.append(archsim.simulate(loaded, network(values)))
    clustered, spread = results
    assert clustered.energy_pj == spread.energy_pj > 0
    assert clustered.cycles == spread.cycles
    assert [layer.active_products for layer in clustered.layers] == [20]  # 5 products x 2 filters x 2 timesteps


# map, sparsity: streamed indices of the passes (t0 p0-1, t0 p2-3, t1 p0-1, t1 p2-3), and starts of passes and updates.
# The one accumulator of a PE is free when the neuron units have read it: a pass starts one cycle after the last one.
SKIPS = [
    # dense: 6 cycles each; 6 + 1 = 7 apart
    ("clustered", "gate", [4, 4, 4, 4], [0, 7, 14, 21], [6, 13, 20, 27], 28),
    ("spread", "gate", [4, 4, 4, 4], [0, 7, 14, 21], [6, 13, 20, 27], 28),
    # union: {0,1,2} u {0} = 3, {0} u {} = 1, {1} u {0,1,3} = 3, {} u {1} = 1
    ("clustered", UNION, [3, 1, 3, 1], [0, 6, 10, 16], [5, 9, 15, 19], 20),
    # union: {0} u {3} = 2, {3} u {1,2} = 3, {1} u {0,3} = 3, {2} u {1} = 2
    ("spread", UNION, [2, 3, 3, 2], [0, 5, 11, 17], [4, 10, 16, 21], 22),
    # row: the longer of the two rows: max(3,1) max(1,0) max(1,3) max(0,1)
    ("clustered", ROW, [3, 1, 3, 1], [0, 6, 10, 16], [5, 9, 15, 19], 20),
    # row: max(1,1) max(1,2) max(1,2) max(1,1)
    ("spread", ROW, [1, 2, 2, 1], [0, 4, 9, 14], [3, 8, 13, 17], 18),
]


@pytest.mark.parametrize(("drawn", "sparsity", "streamed", "passes", "updates", "cycles"), SKIPS)
@pytest.mark.parametrize("engine", ["des", "fast"])
def test_exact_cycles_when_silent_indices_are_skipped(
    drawn: str, sparsity: Any, streamed: list[int], passes: list[int], updates: list[int], cycles: int, engine: str
) -> None:
    done = run(on(sparsity=sparsity), network(MAPS[drawn]), engine)
    assert done.durations("array") == [s + 2 for s in streamed]
    assert done.starts("array") == passes
    assert done.starts("neuron") == updates
    assert done.durations("neuron") == [1, 1, 1, 1]
    assert done.execution.cycles == cycles
    assert done.count("pe_adder", "sop") == 20


def test_two_accumulators_hide_the_updates() -> None:
    done = run(on(pe={"accumulator_sets": 2}), network(SPREAD))
    assert done.starts("array") == [0, 6, 12, 18]  # back to back
    assert done.starts("neuron") == [6, 12, 18, 24]
    assert done.execution.cycles == 25


# -- the same layer under each scope, order and placement --------------------------------------------------------------


def accesses(done: Done) -> dict[str, int]:
    return {
        "weights": done.count("weight_buffer", "element_read"),
        "spikes": done.count("ifmap_buffer", "element_read"),
        "partial sums read": done.count("ofmap_buffer", "element_read"),
        "partial sums written": done.count("ofmap_buffer", "element_write") - 16,  # 8 outputs x 2 timesteps
        "membranes read": done.count("membrane_buffer", "element_read"),
        "membranes written": done.count("membrane_buffer", "element_write"),
        "slots": done.count("pe_and", "op"),
    }


def expect(weights: int, spikes: int, sums: int, restored: int, saved: int, slots: int) -> dict[str, int]:
    return {
        "weights": weights,
        "spikes": spikes,
        "partial sums read": sums,
        "partial sums written": sums,
        "membranes read": restored,
        "membranes written": saved,
        "slots": slots,
    }


# Dense. slots: 4 positions x 4 products x 2 filters x 2 timesteps = 64 in every case.
# B = 2 visits (sequential): 8 x 1 x (2 - 1) = 8 restored, 8 saved and 8 cleared for the next input. B = 1: nothing.
PLACES = [
    # 2 folds x 2 t; each fetches K F = 8 weights and 2 x 4 spikes
    ("os", "layer", SEQUENTIAL, "rows", expect(32, 32, 0, 8, 16, 64), [0, 7, 14, 21], [6] * 4, [6, 13, 20, 27], 28),
    ("os", "network", SEQUENTIAL, "rows", expect(32, 32, 0, 8, 16, 64), [0, 7, 14, 21], [6] * 4, [6, 13, 20, 27], 28),
    # t innermost: the membrane stays where it is (one visit)
    ("os", "tile", SEQUENTIAL, "rows", expect(32, 32, 0, 0, 0, 64), [0, 7, 14, 21], [6] * 4, [6, 13, 20, 27], 28),
    # 8 pairs (p, t) on 2 rows: 4 folds, each both timesteps of one position: 2 neurons, serial in t: 2 cycles
    ("os", "layer", PARALLEL, "rows", expect(32, 32, 0, 0, 0, 64), [0, 8, 16, 24], [6] * 4, [6, 14, 22, 30], 32),
    ("os", "tile", PARALLEL, "rows", expect(32, 32, 0, 0, 0, 64), [0, 8, 16, 24], [6] * 4, [6, 14, 22, 30], 32),
    ("os", "network", PARALLEL, "rows", expect(32, 32, 0, 0, 0, 64), [0, 8, 16, 24], [6] * 4, [6, 14, 22, 30], 32),
    # 2 accumulators per PE: 2 folds; a weight serves both timesteps: 2 x 8; updates 2 t x 1 cycle
    ("os", "layer", PARALLEL, "in_pe", expect(16, 32, 0, 0, 0, 64), [0, 8], [6] * 2, [6, 14], 16),
    ("os", "tile", PARALLEL, "in_pe", expect(16, 32, 0, 0, 0, 64), [0, 8], [6] * 2, [6, 14], 16),
    # rows: 2 of the 4 k; 2 folds per t, each loads 2 x 2 weights (R = 2 cycles) and streams 4 positions: 2 + 4 + 2 = 8
    # cycles; 4 x 2 partial sums go out and come back per t; 8 neurons on 4 units after the second fold: 2 cycles
    ("ws", "layer", SEQUENTIAL, "rows", expect(16, 32, 16, 8, 16, 64), [0, 8, 16, 24], [8] * 4, [16, 32], 34),
    ("ws", "tile", SEQUENTIAL, "rows", expect(16, 32, 16, 8, 16, 64), [0, 8, 16, 24], [8] * 4, [16, 32], 34),
    # 8 positions stream: 2 + 8 + 2 = 12 cycles; 16 partial sums live; 2 cycles x 2 t of updates
    ("ws", "layer", PARALLEL, "rows", expect(8, 32, 16, 0, 0, 64), [0, 12], [12] * 2, [24], 28),
    # 2 folds of k x 2 folds of positions per t; 2 filters stream: 2 + 2 + 2 = 6 cycles; each fold reads 2 x 2 weights
    (
        "is", "layer", SEQUENTIAL, "rows", expect(32, 32, 16, 8, 16, 64),
        [0, 6, 12, 18, 24, 30, 36, 42], [6] * 8, [12, 24, 36, 48], 49,
    ),
    # 4 folds of pairs (p, t); two neurons, two timesteps each: 2 cycles
    (
        "is", "layer", PARALLEL, "rows", expect(32, 32, 16, 0, 0, 64),
        [0, 6, 12, 18, 24, 30, 36, 42], [6] * 8, [12, 24, 36, 48], 50,
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("dataflow", "scope", "order", "placement", "counts", "passes", "durations", "updates", "cycles"), PLACES
)
@pytest.mark.parametrize("drawn", ["clustered", "spread"])
def test_accesses_under_each_scope_order_and_placement(  # noqa: PLR0913, PLR0917
    dataflow: str, scope: str, order: str, placement: str, counts: dict[str, int], passes: list[int],
    durations: list[int], updates: list[int], cycles: int, drawn: str,
) -> None:  # fmt: skip
    done = run(on(dataflow, scope, order, placement, sparsity="gate"), network(MAPS[drawn]))
    assert accesses(done) == counts
    assert done.starts("array") == passes
    assert done.durations("array") == durations
    assert done.starts("neuron") == updates
    assert done.execution.cycles == cycles
    assert done.count("pe_adder", "op") == 20  # gated: active products only
    assert done.count("neuron_membrane", "update") == 16


# Skipping under the other placements: array cycles of the passes, weights and spikes fetched.
PLACED_SKIPS = [
    # rows of a fold: (p, t0) and (p, t1). union: 3, 3, 1, 1 -> weights 8 x 2, spikes 2 x 8
    ("clustered", "os", PARALLEL, "rows", UNION, [5, 5, 3, 3], 16, 16),
    ("spread", "os", PARALLEL, "rows", UNION, [4, 4, 4, 4], 16, 16),
    # row: max(3,1) max(1,3) max(1,0) max(0,1); every spike fetches its own weights: 10 x 2
    ("clustered", "os", PARALLEL, "rows", ROW, [5, 5, 3, 3], 20, 10),
    # row: max(1,1) max(1,2) max(1,1) max(2,1)
    ("spread", "os", PARALLEL, "rows", ROW, [3, 4, 3, 4], 20, 10),
    # two accumulators: k is dropped only if both positions and both timesteps are silent: {0,1,2,3}, {0,1}
    ("clustered", "os", PARALLEL, "in_pe", UNION, [6, 4], 12, 24),
    # {0,1,3}, {1,2,3}: 3 + 3 indices, 2 weights each; 2 rows x 6 x 2 timesteps of spikes
    ("spread", "os", PARALLEL, "in_pe", UNION, [5, 5], 12, 24),
    # a row's own union over t: p0 {0,1,2}, p1 {0,1,3}, p2 {0}, p3 {1}: 8 indices, 2 weights and 2 timesteps each
    ("clustered", "os", PARALLEL, "in_pe", ROW, [5, 3], 16, 16),
    # p0 {0,1}, p1 {0,3}, p2 {2,3}, p3 {1,2}
    ("spread", "os", PARALLEL, "in_pe", ROW, [4, 4], 16, 16),
    # weight-stationary, a position is dropped if both k of the fold are silent. Folds {0,1} and {2,3}:
    # t0: p0 p1 p2 | p0; t1: p0 p1 p3 | p1. Cycles 2 + S + 2; spikes 2 rows x 8
    ("clustered", "ws", SEQUENTIAL, "rows", UNION, [7, 5, 7, 5], 16, 16),
    # t0: p0 p3 | p1 p2 p3; t1: p0 p1 p3 | p1 p2
    ("spread", "ws", SEQUENTIAL, "rows", UNION, [6, 7, 7, 6], 16, 20),
    # both timesteps stream: 6 | 2 and 5 | 5, weights loaded once
    ("clustered", "ws", PARALLEL, "rows", UNION, [10, 6], 8, 16),
    ("spread", "ws", PARALLEL, "rows", UNION, [9, 9], 8, 20),
]


@pytest.mark.parametrize(
    ("drawn", "dataflow", "order", "placement", "sparsity", "durations", "weights", "spikes"), PLACED_SKIPS
)
def test_skipping_under_each_placement(
    drawn: str,
    dataflow: str,
    order: str,
    placement: str,
    sparsity: Any,
    durations: list[int],
    weights: int,
    spikes: int,
) -> None:
    done = run(on(dataflow, "layer", order, placement, sparsity=sparsity), network(MAPS[drawn]))
    assert done.durations("array") == durations
    assert done.count("weight_buffer", "element_read") == weights
    assert done.count("ifmap_buffer", "element_read") == spikes
    assert done.count("pe_adder", "op") == 20


def test_tiles_with_t_innermost_take_their_timesteps_in_turn() -> None:
    """Order t0 p0-1, t1 p0-1, t0 p2-3, t1 p2-3: under union 3, 3, 1, 1 indices."""
    done = run(on(scope="tile", sparsity=UNION), network(CLUSTERED))
    assert done.durations("array") == [5, 5, 3, 3]
    assert done.starts("array") == [0, 6, 12, 16]


@pytest.mark.parametrize(("order", "placement"), [(SEQUENTIAL, "rows"), (PARALLEL, "rows"), (PARALLEL, "in_pe")])
def test_weights_in_the_scratchpad_are_fetched_once_for_all_timesteps(order: str, placement: str) -> None:
    """4 weights fit 4 bytes: each of the 2 tiles of positions fetches K F = 8 weights, whatever the order."""
    done = run(on("os", "tile", order, placement, pe={"scratchpad": {"weight": 4}}), network(SPREAD))
    assert done.count("weight_buffer", "element_read") == 16


def test_batches_cut_by_the_edge_of_a_fold_cost_a_visit_more() -> None:
    """3 rows for pairs (p, t): folds p0t0 p0t1 p1t0 | p1t1 p2t0 p2t1 | p3t0 p3t1 cut p1 once, for 2 filters."""
    description = on(order=PARALLEL)
    description["array"] = {"rows": 3, "cols": 2, "dataflow": "os"}
    done = run(description, network(SPREAD))
    assert done.count("membrane_buffer", "element_read") == 2
    assert done.count("membrane_buffer", "element_write") == 2


# -- values wider than a bit -------------------------------------------------------------------------------------------

# Set bits x windows: (0,0) 1 x 1, (0,1) 1 x 2, (0,2) 1 x 1, (1,1) 2 x 4, (2,0) 8 x 1 = 20; values x windows: 9.
IMAGE = [[[1, 2, 4], [0, 3, 0], [255, 0, 0]]]


@pytest.mark.parametrize(
    ("wide", "first", "durations", "sop", "weights", "starts", "cycles"),
    [
        # 4 values of 8 bit planes: 32 + 2 cycles a fold, in both timesteps; 9 values x 2 filters x 2 t
        ("bit_serial", "repeat", [34, 34, 34, 34], 36, 32, [0, 35, 70, 105], 140),
        # computed at t0 only; at t1 the held current is added: updates alone take time
        ("bit_serial", "once", [34, 34, 0, 0], 18, 16, [0, 35, 70, 71], 72),
        ("multiplier", "repeat", [6, 6, 6, 6], 36, 32, [0, 7, 14, 21], 28),
        ("multiplier", "once", [6, 6, 0, 0], 18, 16, [0, 7, 14, 15], 16),
    ],
)
def test_a_direct_coded_image(
    wide: str, first: str, durations: list[int], sop: int, weights: int, starts: list[int], cycles: int
) -> None:
    done = run(on(pe={"wide_values": wide}, first_layer=first), network([IMAGE, IMAGE], "direct"))
    assert done.durations("array") == durations
    assert done.starts("array") == starts
    assert done.execution.cycles == cycles
    assert done.count("pe_adder", "sop") == sop
    assert done.count("weight_buffer", "element_read") == weights
    assert done.count("dram", "read_bit") == 9 * 8 + 8 * 8  # the image once, the weights once
    # 8 restored; 8 saved + 8 cleared; a held current is 8 words more each way
    held = 8 if first == "once" else 0
    assert done.count("membrane_buffer", "element_read") == 8 + held
    assert done.count("membrane_buffer", "element_write") == 16 + held


# -- the order of layers -----------------------------------------------------------------------------------------------

FULLY_CONNECTED = {"name": "fc", "type": "linear", "out_features": 2}


@pytest.mark.parametrize(
    ("scope", "passes", "weight_bits"),
    [
        # conv 7 cycles a pass (0..28 for both t), then fc: K + 2 = 10 cycles and an update, twice
        ("layer", [0, 7, 14, 21, 28, 39], 192),
        # conv t0 0..14, fc t0 14..25, conv t1 25..39, fc t1 39..50; 64 + 128 bits of weights do not fit 128 together
        ("network", [0, 7, 14, 25, 32, 39], 384),
    ],
)
def test_timesteps_outside_or_inside_the_layers(scope: str, passes: list[int], weight_bits: int) -> None:
    buffers = {
        "ifmap": {"size": "64 KiB"},
        "weight": {"size": 16, "line": 1, "double_buffered": False},
        "ofmap": {"size": "64 KiB"},
        "membrane": {"size": "64 KiB"},
        "port_limited": False,
    }
    done = run(
        on(scope=scope, buffers=buffers),
        network(SPREAD, layers=(CONV, {"name": "flat", "type": "flatten"}, FULLY_CONNECTED)),
    )
    assert done.starts("array") == passes
    assert done.execution.cycles == 50
    assert 8 * done.count("weight_buffer", "line_write") == weight_bits
    # 8 + 2 neurons, 2 visits
    assert done.count("membrane_buffer", "element_read") == 10
    assert done.count("membrane_buffer", "element_write") == 20


# -- a slow DRAM: 0.125 GB/s at 1 GHz is one bit per cycle; a result is usable 2 cycles after its burst ----------------

SLOW = {"bandwidth": 0.125, "latency": 2}


@pytest.mark.parametrize("engine", ["des", "fast"])
def test_start_cycles_when_dram_is_slow(engine: str) -> None:
    """Loads: 8 weights of 8 bits; input rows 0-1 (6 spikes) for p0-1, row 2 (3 spikes) for p2-3; the same at t1.

    64 bits   0..64  usable 66         pass t0 p0-1 at 72 (its spikes), ends 78; updates 78..79
     6 bits  64..70  usable 72         pass t0 p2-3 at 79 (accumulator), ends 85; updates 85..86
     3 bits  70..73  usable 75         pass t1 p0-1 at 86,               ends 92; updates 92..93
     6 bits  73..79  usable 81         pass t1 p2-3 at 93,               ends 99; updates 99..100
     3 bits  79..82  usable 84
    Stores: half of the 2-byte ofmap buffer is 8 bits, the outputs of 2 passes: at 86..94 and 100..108, done at 110.
    """
    buffers = {
        "ifmap": {"size": "64 KiB"},
        "weight": {"size": "64 KiB"},
        "ofmap": {"size": 2, "line": 1},
        "membrane": {"size": "64 KiB"},
        "port_limited": False,
    }
    done = run(on(buffers=buffers, dram=SLOW), network(SPREAD), engine)
    assert done.durations("dram") == [64, 6, 3, 6, 3, 8, 8]
    assert done.starts("dram") == [0, 64, 70, 73, 79, 86, 100]
    assert done.starts("array") == [72, 79, 86, 93]
    assert done.starts("neuron") == [78, 85, 92, 99]
    assert done.execution.cycles == 110
    assert done.count("dram", "read_bit") == 64 + 2 * 9
    assert done.count("dram", "write_bit") == 16


@pytest.mark.parametrize("engine", ["des", "fast"])
def test_start_cycles_when_membranes_rest_in_dram(engine: str) -> None:
    """Loads and the first two passes as above. 4 membranes of 16 bits are saved after each update at t0: 64 cycles.

    save p0-1  ready 79, channel free 82:  82..146, there 148
    save p2-3  ready 86:                  146..210, there 212
    restore p0-1 ready 148, channel free: 210..274, usable 276
    restore p2-3 ready 212:               274..338, usable 340
    pass t1 p0-1 at 86..92, updates 276..277; pass t1 p2-3 at 277..283 (accumulator), updates 340..341
    store of all 16 outputs 341..357, done at 359
    """
    neuron = {"membrane": {"home": "dram"}, "clear_between_inputs": False}
    done = run(on(neuron=neuron, dram=SLOW), network(SPREAD), engine)
    assert done.starts("array") == [72, 79, 86, 277]
    assert done.starts("neuron") == [78, 85, 276, 340]
    assert sorted(zip(done.starts("dram"), done.durations("dram"), strict=True)) == [
        (0, 64), (64, 6), (70, 3), (73, 6), (79, 3), (82, 64), (146, 64), (210, 64), (274, 64), (341, 16),
    ]  # fmt: skip
    assert done.execution.cycles == 359
    assert done.count("dram", "read_bit") == 64 + 18 + 128
    assert done.count("dram", "write_bit") == 128 + 16


@pytest.mark.parametrize("engine", ["des", "fast"])
def test_weights_of_the_next_layer_come_as_soon_as_their_place_is_free(engine: str) -> None:
    """One timestep, one bit per cycle, no latency; 128 bits of weight buffer: conv needs 64, then fc 8 x 2 x 8 = 128.

    conv: weights 0..64, rows 64..70 and 70..73; passes 70..76 and 77..83 (update between), last update 83..84
    fc's weights need the whole buffer: from 83, the end of conv's last pass, to 211; 8 spikes are stored 211..219
    fc: its input is behind that store, 219..227; pass of 8 + 2 cycles 227..237, update 237..238, 2 spikes 238..240
    """
    buffers = {
        "ifmap": {"size": "64 KiB"},
        "weight": {"size": 16, "line": 1, "double_buffered": False},
        "ofmap": {"size": "64 KiB"},
        "membrane": {"size": "64 KiB"},
        "port_limited": False,
    }
    described = {
        "name": "hand",
        "timesteps": 1,
        "input": {"shape": [1, 3, 3], "encoding": "events"},
        "layers": [CONV, {"name": "flat", "type": "flatten"}, FULLY_CONNECTED],
    }
    done = run(on(buffers=buffers, dram={"bandwidth": 0.125}), workload(described, {"input": SPREAD[:1]}), engine)
    assert done.starts("array") == [70, 77, 227]
    assert sorted(zip(done.starts("dram"), done.durations("dram"), strict=True)) == [
        (0, 64), (64, 6), (70, 3), (83, 128), (211, 8), (219, 8), (238, 2),
    ]  # fmt: skip
    assert done.execution.cycles == 240

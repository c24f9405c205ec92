"""Accounts that are easily forgotten, each by hand on one small case."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from drawn import BUFFER, Done, architecture, chip, run, workload

import archsim
from archsim.errors import ConfigError, MisfitError

CONV = {"name": "conv", "type": "conv2d", "out_channels": 4, "kernel": 3, "padding": 1}  # P = 16, K = 18, F = 4


def network(layers: list[dict[str, Any]], *, timesteps: int = 4, encoding: str = "events", **more: Any) -> Any:
    values = (np.arange(timesteps * 32).reshape(timesteps, 2, 4, 4) % 3 == 0).astype(np.uint8)
    described = {
        "name": "by hand",
        "timesteps": timesteps,
        "input": {"shape": [2, 4, 4], "encoding": encoding},
        "layers": layers,
    }
    return workload({**described, **more}, {"input": values})


def components(done: Done) -> dict[str, Any]:
    return {part.name: part for part in done.lowered.components}


@pytest.mark.parametrize("scope", ["network", "layer", "tile"])
@pytest.mark.parametrize("bandwidth", [1.0, "unlimited"])
def test_each_timestep_stores_its_own_map(scope: str, bandwidth: Any) -> None:
    """64 spikes of each timestep, in passes of 2 x 2: one line of 32 bytes for each of its 16 passes."""
    done = run(chip(timesteps={"scope": scope, "order": "sequential"}, dram={"bandwidth": bandwidth}), network([CONV]))
    for t in range(4):
        assert done.count("dram", "write_bit", t) == 64
        assert done.count("ofmap_buffer", "line_write", t) == done.count("ofmap_buffer", "line_read", t) == 16
    assert done.count("dram", "write_bit") == 256


@pytest.mark.parametrize(("size", "times"), [(576, 1), (575, 4), (1150, 1)])
def test_weights_that_fit_their_buffer_come_once(size: int, times: int) -> None:
    """16 bits x 18 x 16 = 576 bytes; half of a double buffer is for what comes next only while something comes."""
    buffers = {name: BUFFER for name in ("ifmap", "ofmap", "membrane")}
    wide = {**CONV, "out_channels": 16}
    done = run(
        chip(buffers={**buffers, "weight": {"size": size, "line": 1}, "port_limited": False}),
        network([wide], precision={"weight_bits": 16}),
    )
    assert done.count("weight_buffer", "line_write") == 576 * times


def test_a_bias_without_neurons_is_added_where_the_sums_are() -> None:
    layer = {**CONV, "bias": True}
    with_neurons = run(chip(sparsity="gate"), network([layer]))
    without = run(chip(sparsity="gate"), network([{**layer, "spiking": False}]))
    assert without.count("pe_adder", "op") == with_neurons.count("pe_adder", "op") + 64 * 4
    assert with_neurons.count("neuron_adder", "op") == 2 * 64 * 4


@pytest.mark.parametrize("encoding", ["rate", "ttfs"])
def test_pixels_are_fetched_once_for_all_timesteps_that_a_tile_holds(encoding: str) -> None:
    """32 pixels of 8 bits: for each timestep when they come one after the other, once when they come together."""
    weights = 8 * 18 * 4
    for order, times in (("sequential", 4), ({"batched": 2}, 2), ("parallel", 1)):
        done = run(chip(timesteps={"scope": "layer", "order": order}), network([CONV], encoding=encoding))
        assert done.count("dram", "read_bit") == weights + 256 * times
        assert done.count("encoder_comparator", "op") == 32 * 4
        assert done.count("encoder_random", "op") == (32 * 4 if encoding == "rate" else 0)


def test_the_datapath_is_as_wide_as_the_widest_weight() -> None:
    for bits in (4, 16, 32):
        parts = components(run(chip(), network([{**CONV, "weight_bits": bits}])))
        assert parts["pe_and"].attributes["bits"] == parts["pe_weight_register"].attributes["bits"] == bits


def test_side_by_side_timesteps_need_their_own_operators() -> None:
    described = chip(
        timesteps={"scope": "layer", "order": "parallel", "placement": "in_pe"}, pe={"wide_values": "multiplier"}
    )
    parts = components(run(described, network([CONV])))
    for name in ("pe_multiplier", "pe_adder", "pe_accumulator", "pe_input_register"):
        assert parts[name].count == 4 * 4
    assert parts["pe_weight_register"].count == 4


def test_a_neuron_with_two_states_and_a_bias_needs_three_adders() -> None:
    neuron = {"model": "cuba_lif", "leak": 0.5, "current_leak": 0.75}
    done = run(chip(neuron={"units": "per_column", "membrane": {"home": "sram"}}),
               network([{**CONV, "bias": True}], neuron=neuron))  # fmt: skip
    parts = components(done)
    assert parts["neuron_adder"].count == 3 * 2 and parts["neuron_leak"].count == 2 * 2
    assert done.count("neuron_adder", "op") == 3 * 256 and done.count("neuron_leak", "op") == 2 * 256


def test_a_held_current_needs_room_beside_the_membrane() -> None:
    """64 neurons: 64 registers hold their membranes, 128 the currents too."""
    direct = network([CONV], encoding="direct")
    for first, registers, fits in (("repeat", 16, True), ("once", 16, False), ("once", 32, True)):
        neuron = {"membrane": {"home": "register", "registers_per_unit": registers}}
        if fits:
            run(chip(first_layer=first, neuron=neuron), direct)
        else:
            with pytest.raises(MisfitError, match="128"):
                run(chip(first_layer=first, neuron=neuron), direct)
    buffers = {name: BUFFER for name in ("ifmap", "ofmap", "weight")}
    exactly = {**buffers, "membrane": {"size": 128, "line": 1}, "port_limited": False}  # 64 x 16 bits
    assert run(chip(buffers=exactly), direct).count("dram", "element_read") == 0
    assert run(chip(buffers=exactly, first_layer="once"), direct).count("dram", "element_read") == 2 * 64 * 3


def test_accumulators_wait_for_a_pool_as_for_a_neuron() -> None:
    """A pool of one lane takes 4 cycles for the 4 sums of a pass; the next pass of 18 + 2 cycles starts after it."""
    pool = {"name": "pool", "type": "avgpool2d", "kernel": 2}
    pooled = [{**CONV, "spiking": False}, pool, {"name": "n", "type": "neuron"}]
    done = run(chip(vector={"lanes": 1}), network(pooled, timesteps=1))
    starts = done.starts("array")
    assert done.durations("vector")[:2] == [4, 4]
    assert starts[1] - starts[0] == 20 + 4


@pytest.mark.parametrize("dataflow", ["ws", "is"])
def test_completed_sums_wait_in_half_of_the_ofmap_buffer(dataflow: str) -> None:
    """Slow neurons: with room for the sums of one pass the array waits for them, with much room it runs ahead."""

    def cycles_until_last_pass(size: int) -> int:
        buffers = {name: BUFFER for name in ("ifmap", "weight", "membrane")}
        done = run(
            chip(
                array={"rows": 32, "cols": 2, "dataflow": dataflow},
                neuron={"cycles_per_update": 500, "membrane": {"home": "sram"}},
                buffers={**buffers, "ofmap": {"size": size, "line": 1}, "port_limited": False},
            ),
            network([CONV], timesteps=1),
        )
        return done.starts("array")[-1]

    assert cycles_until_last_pass(64) > 500 > cycles_until_last_pass(65536)


def test_a_silent_neuron_is_left_untouched_when_events_drive_it() -> None:
    """One spike at t = 1 reaches 4 of 16 positions x 4 filters (corner of a 3 x 3 window): 16 neurons hear it."""
    values = np.zeros((4, 2, 4, 4), np.uint8)
    values[1, 0, 0, 0] = 1
    image = {"shape": [2, 4, 4], "encoding": "events"}
    neuron = {"update": "event", "membrane": {"home": "sram"}}
    described = {"name": "one spike", "timesteps": 4, "input": image, "layers": [CONV]}
    done = run(chip(neuron=neuron), workload(described, {"input": values}))
    assert done.count("neuron_membrane", "update") == 16
    assert [done.count("membrane_buffer", "element_read", t) for t in range(4)] == [0, 16, 0, 0]
    assert [done.count("membrane_buffer", "element_write", t) for t in range(4)] == [0, 16, 0, 64]  # cleared


@pytest.mark.parametrize(("scan_bits", "cycles"), [(8, 16), (64, 2), (4096, 1)])
def test_a_skipping_array_is_no_faster_than_its_scanners(scan_bits: int, cycles: int) -> None:
    """One spike among K = 128: one streamed index, but 128 bits are looked at first; a silent tile is free."""
    values = np.zeros((2, 128, 1, 1), np.uint8)
    values[0, 77] = 1
    described = {
        "name": "wide", "timesteps": 2, "input": {"shape": [128, 1, 1], "encoding": "events"},
        "layers": [{"name": "fc", "type": "linear", "out_features": 2}],
    }  # fmt: skip
    one_row = chip(array={"rows": 1, "cols": 2}, sparsity={"skip": "union"}, scan_bits=scan_bits)
    done = run(one_row, workload(described, {"input": values}))
    assert done.durations("array") == [cycles + 1 + 2 - 2, 0]


def test_synaptic_operations_do_not_depend_on_the_datapath() -> None:
    direct = network([CONV], encoding="direct")
    serial, multiplier = (run(chip(pe={"wide_values": kind}), direct) for kind in ("bit_serial", "multiplier"))
    assert serial.count("pe_adder", "sop") == multiplier.count("pe_adder", "sop") > 0


@pytest.mark.parametrize(
    "setting",
    [
        {"gate_weight_read": True, "sparsity": "gate"},
        {"gate_weight_read": True, "sparsity": "none", "pe": {"scratchpad": {"weight": 18}}},
        {"spike_format": "index", "sparsity": "gate"},
        {"neuron": {"columns_per_unit": 2, "membrane": {"home": "sram"}}},
        {"neuron": {"membrane": {"home": "sram", "registers_per_unit": 2}}},
        {"pe": {"accumulator_sets": 2}, "array": {"rows": 2, "cols": 2, "dataflow": "ws"}},
        {"scan_bits": 16, "sparsity": "gate"},
        {"timesteps": {"placement": "in_pe"}},
        {"timesteps": {"placement": "in_pe", "order": {"batched": 1}}},
        {"neuron": {"clear_between_inputs": False}, "timesteps": {"scope": "tile"}},
        {"neuron": {"clear_between_inputs": False}, "timesteps": {"order": "parallel"}},
        {"neuron": {"clear_between_inputs": False, "units": "ideal"}},
        {"neuron": {"cycles_per_update": 2, "units": "ideal"}},
        {"neuron": {"latency_cycles": 2, "units": "ideal"}},
    ],
)
def test_settings_without_effect_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="would have no effect"):
        architecture(chip(**setting))


@pytest.mark.parametrize(
    "setting",
    [
        {"scan_bits": 64, "sparsity": "gate"},
        {"scan_bits": 16, "sparsity": {"skip": "union"}},
        {"timesteps": {"placement": "rows"}},
        {"timesteps": {"placement": "in_pe", "order": {"batched": 2}}},
        {"neuron": {"clear_between_inputs": True, "units": "ideal"}, "timesteps": {"scope": "tile"}},
        {"neuron": {"clear_between_inputs": False, "membrane": {"home": "register"}}},
        {
            "neuron": {"clear_between_inputs": False},
            "timesteps": {"scope": "tile"},
            "array": {"rows": 2, "cols": 2, "dataflow": "ws"},
        },
    ],
)
def test_defaults_and_settings_with_an_effect_may_be_stated(setting: dict[str, Any]) -> None:
    assert architecture(chip(**setting)).chip


def test_membranes_in_registers_are_cleared_where_they_outlive_a_visit() -> None:
    """64 neurons, 4 timesteps: updated four times, saved three times, and cleared once."""
    for clear, writes in ((False, 7 * 64), (True, 8 * 64)):
        neuron = {"clear_between_inputs": clear, "membrane": {"registers_per_unit": 16}}
        assert run(chip(neuron=neuron), network([CONV])).count("neuron_membrane", "write") == writes


def test_the_membrane_buffer_is_used_whole() -> None:
    description = chip(neuron={"membrane": {"home": "sram"}})
    description["buffers"]["membrane"] = {"size": 64, "double_buffered": False}
    with pytest.raises(ConfigError, match=r"membrane.double_buffered: unknown key \(allowed: banks, line, size"):
        architecture(description)


@pytest.mark.parametrize("written", ["skip: union", "skip:union"])
def test_skip_and_batched_may_be_quoted(written: str) -> None:
    assert architecture(chip(sparsity=written)).chip.sparsity == "skip_union"
    assert architecture(chip(timesteps={"order": "batched: 3"})).chip.timesteps.order == 3


def test_every_dram_device_draws_background_power() -> None:
    one, four = (archsim.simulate("sata", "cnn-mnist", overrides=[f"dram.devices={n}"]) for n in (1, 4))
    static = [next(part.static_pj for part in result.components if part.name == "dram") for result in (one, four)]
    assert static[1] == pytest.approx(4 * static[0], rel=1e-12)

"""Random networks on random chips equal an interpreter of plain loops (literal_crossbars)."""

from __future__ import annotations

import random

import numpy as np
import pytest
from fabricated_chips import NEURON, chip_of, device_of, whole_weights, workload_of
from literal_crossbars import Literal, nodal

from archsim import crossbar_currents
from archsim.accelerators.crossbar.cell_errors import Wires
from archsim.fabricated import fabricate


def drawn_chip(rng, folder):
    """Settings of a random small chip; and what its cells are expected to be (None: they err)."""
    signed = rng.choice(["offset", "differential", "diff"])
    cell_bits = rng.choice([1, 1, 2, 3, 4])
    device = rng.choice(["rram-20k-200k", "sram-65nm"][: 3 - min(2, cell_bits)])
    device = device_of(folder, 1 << cell_bits) if cell_bits > 2 else device
    share = rng.choice(["crossbar", "pe"])
    rows, cols = rng.choice([4, 6, 9]), rng.choice([14, 15, 17])
    sets = {
        "crossbar.rows": rows, "crossbar.cols": cols, "crossbar.device": device, "crossbar.cell_bits": cell_bits,
        "crossbar.signed": signed, "crossbar.column_mux": rng.choice([1, 3, 8]), "pe.crossbars": rng.choice([2, 3, 5]),
        "mapping.unroll": rng.choice(["kernel", "flat"]), "adc.share": share,
        "adc.analog_sum": str(share == "pe" and rng.random() < 0.6).lower(), "adc.bits": rng.choice([3, 4, 6, 10]),
        "adc.skip_silent": str(rng.random() < 0.7).lower(), "crossbar.active_rows": rng.choice(["all", 1, 2, 4]),
        "mapping.replicate": rng.choice([1, 1, 2, 3]),
    }  # fmt: skip
    if rng.random() < 0.2:
        sets["adc.ideal"] = "true"
    else:
        sets["adc.range"] = rng.choice(["full", "levels", 5.3, "calibrated"])
        sets |= {"adc.offset": 0.7, "adc.gain": 0.1} if rng.random() < 0.4 else {}
    if rng.random() < 0.6:
        ohms = {key: rng.choice([0, 0, 20, 300]) for key in ("wordline", "bitline", "driver", "sense")}
        sets |= {f"crossbar.wires.{key}": ohm for key, ohm in ohms.items()}
        sets["crossbar.silent_rows"] = rng.choice(["grounded", "gated"])
    encodings = ["plain", "compensated"] + ["complement"] * 2 * (signed == "offset")
    sets["mapping.encoding"] = rng.choice(encodings)
    errs = rng.random() < 0.3
    if errs:
        sets["crossbar.errors.variation"] = "{distribution: normal, proportional: 0.2}"
        sets["crossbar.errors.stuck"] = "{at_g_min: 0.05, at_g_max: 0.05}"
    else:
        sets |= {f"crossbar.errors.{name}": "none" for name in ("variation", "stuck")}
    sets |= {f"crossbar.errors.{name}": "none" for name in ("read_noise", "drift")}
    as_designed = not errs and sets["mapping.encoding"] != "compensated"
    return [f"{key}={value}" for key, value in sets.items()], as_designed


def weights_of(rng, numbers, bits, shape):
    """Whole weights that every scheme holds, over a power of two."""
    most = max(1, (1 << (bits - 1)) - 1)
    weights = numbers.choice([-1, 1], shape) if bits == 1 else numbers.integers(-most, most + 1, shape)
    return weights / rng.choice([1, 4])


def drawn_network(rng, numbers, folder):
    """Two layers with weights on events or on direct input of several bits, and inputs."""
    bits, direct = rng.choice([1, 2, 4, 8]), rng.random() < 0.4
    kind = rng.choice(["conv2d", "conv2d", "conv2d", "linear", "matmul"])
    channels, height, width = rng.choice([2, 4]), rng.choice([2, 4, 4]), rng.randint(2, 4)
    name, arrays = kind, {}
    layer = {"name": "first", "type": kind, "neuron": NEURON}
    if kind == "conv2d":
        groups, kernel = rng.choice([1, 2]), [rng.randint(1, 2), rng.randint(1, 2)]
        far = [rng.choice([1, 2]) if kernel[0] > 1 else 1, 1]
        out = groups * rng.randint(1, 2)
        layer |= {"out_channels": out, "kernel": kernel, "stride": [rng.randint(1, 2), 1], "padding": [1, 1],
                  "groups": groups, "dilation": far}  # fmt: skip
        arrays["first.weight"] = weights_of(rng, numbers, bits, (out, channels // groups, *kernel))
    elif kind == "linear":
        layer["out_features"] = 5
        arrays["first.weight"] = weights_of(rng, numbers, bits, (5, channels * height * width))
    else:
        layer["out_features"] = 3
        arrays["first.weight"] = weights_of(rng, numbers, bits, (3, channels))
        layer["bias"] = True
        arrays["first.bias"] = np.array([1.0, -2.0, 3.0])
    layers = [layer]
    if kind == "conv2d" and height > 2 and rng.random() < 0.9:
        layers.append({"name": "pool", "type": rng.choice(["avgpool2d", "sumpool2d"]), "kernel": 2, "stride": 1})
    layers.append({"name": "last", "type": "linear", "out_features": 3, "neuron": NEURON})
    keys = {"input": {"encoding": "direct", "scale": 4}} if direct else {}
    keys["precision"] = {"weight_bits": bits, "input_bits": 3}
    shape = (channels, height, width)
    inside = _width_of(folder, layers, arrays, shape, keys)
    arrays["last.weight"] = weights_of(rng, numbers, bits, (3, inside))
    workload = workload_of(folder, layers, arrays, shape, **{key: dict(value) for key, value in keys.items()})
    form = (2, *shape) if direct else (2, 2, *shape)
    inputs = numbers.integers(0, 8 if direct else 2, form) * (numbers.random(form) < 0.6)
    assert name == kind
    return workload, inputs.astype(np.uint8)


def _width_of(folder, layers, arrays, shape, keys):
    """How many values the last layer reads."""
    kind, form = layers[0], np.array(shape)
    if kind["type"] == "conv2d":
        reach = [d * (k - 1) + 1 for d, k in zip(kind["dilation"], kind["kernel"], strict=True)]
        sizes = [(form[1 + a] + 2 - reach[a]) // kind["stride"][a] + 1 for a in range(2)]
        form = [kind["out_channels"], *(size - (len(layers) > 2) for size in sizes)]
    elif kind["type"] == "linear":
        form = [5]
    else:
        form = [3, shape[1] * shape[2]]
    return int(np.prod(form))


def compare(seed, folder):
    """One random network on one random chip, every layer; how many outputs were compared, and left open."""
    rng, numbers = random.Random(seed), np.random.default_rng(seed)
    workload, inputs = drawn_network(rng, numbers, folder)
    sets, as_designed = drawn_chip(rng, folder)
    chip = fabricate(chip_of(*sets), workload, seed % 3)
    chip.calibrate(inputs, gains=rng.choice(["none", "layer", "column"]))
    weights, counts = whole_weights(workload), [0, 0]

    def check(layer, values, of):
        literal = Literal(layer, weights[layer.layer.name])
        if as_designed:
            np.testing.assert_allclose(layer.cells.conductance_s, literal.designed(), rtol=1e-12)
        wanted = literal.currents(np.asarray(values))
        seen = layer.numbered([values], of) if layer.watcher is None else _unwatched(layer, values, of)
        known = ~np.isnan(wanted)
        np.testing.assert_array_equal(seen[known], wanted[known])
        counts[0] += int(known.sum())
        counts[1] += literal.open

    chip.watched(check, inputs)
    return counts


def _unwatched(layer, values, of):
    watcher, layer.watcher = layer.watcher, None
    found = layer.numbered([values], of)
    layer.watcher = watcher
    return found


@pytest.mark.parametrize("block", range(6))
def test_random_chips_equal_plain_loops(block, tmp_path):
    compared, left_open = np.sum([compare(100 * block + seed, tmp_path) for seed in range(8)], axis=0)
    assert compared > 300
    assert left_open < 0.1 * compared


@pytest.mark.slow
@pytest.mark.parametrize("block", range(6, 12))
def test_more_random_chips_equal_plain_loops(block, tmp_path):
    compared, left_open = np.sum([compare(100 * block + seed, tmp_path) for seed in range(30)], axis=0)
    assert left_open < 0.1 * compared


@pytest.mark.parametrize("silent", ["grounded", "gated"])
def test_the_loops_solve_the_same_circuit(silent):
    rng = np.random.default_rng(3)
    cells_s, on = rng.uniform(1e-6, 1e-4, (4, 5)), np.array([1.0, 0.0, 1.0, 1.0])
    wires = Wires(wordline=30, bitline=20, driver=100, sense=50)
    driven = [volt or (None if silent == "gated" else 0.0) for volt in on]
    wanted = crossbar_currents(cells_s, on, 30, 20, silent, r_driver_ohm=100, r_sense_ohm=50)
    np.testing.assert_allclose(nodal(cells_s, driven, wires), wanted, rtol=1e-9)

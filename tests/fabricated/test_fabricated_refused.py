"""What a chip cannot execute, and how it says so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fabricated_chips import NEURON, chip_of, linear_of, workload_of

from archsim.accelerators import load_architecture
from archsim.errors import ConfigError, MisfitError, UnsupportedError
from archsim.fabricated import fabricate
from archsim.inputs import load_workload

ALL = ["adc.range=levels"]


@pytest.mark.parametrize("signed", ["differential", "diff"])
def test_a_weight_beyond_its_digits(tmp_path, signed):
    workload = linear_of(tmp_path, [[-128, 1, 3]], precision={"weight_bits": 8})
    with pytest.raises(UnsupportedError) as refused:
        fabricate(chip_of(f"crossbar.signed={signed}"), workload)
    text = "crossbar.signed: layer 'fc' has a weight that its 7 cells do not hold (got -128; allowed: -127..127; "
    assert str(refused.value) == text + "offset holds one more)"
    assert fabricate(chip_of("crossbar.signed=offset"), workload).layers


def test_weights_of_all_layers_are_refused_together(tmp_path):
    layers = [{"name": name, "type": "linear", "out_features": 3, "neuron": NEURON} for name in ("a", "b")]
    weights = np.array([[-8, 1, 1], [1, 1, 1], [1, 1, 1]])
    workload = workload_of(tmp_path, layers, {"a.weight": weights, "b.weight": weights}, [3])
    with pytest.raises(UnsupportedError) as refused:
        fabricate(chip_of("crossbar.signed=differential"), workload)
    assert [problem.value for problem in refused.value.problems] == [-8, -8]


def test_weights_of_one_bit_that_are_nothing(tmp_path):
    workload = linear_of(tmp_path, np.zeros((2, 3)), precision={"weight_bits": 1})
    with pytest.raises(UnsupportedError, match="'fc' has weights of one bit that are 0; with an offset"):
        fabricate(chip_of("crossbar.signed=offset"), workload)


def test_a_chip_without_crossbars_and_crossbars_beyond_memory(tmp_path):
    workload = linear_of(tmp_path, np.ones((2, 3)))
    with pytest.raises(ConfigError, match="arch: has no analog crossbars"):
        fabricate(load_architecture("sata").chip, workload)
    with pytest.raises(UnsupportedError, match="4,294,967,296 cells"):
        fabricate(chip_of(*ALL, "crossbar.rows=65536", "crossbar.cols=65536"), workload)


def test_a_workload_without_weights():
    with pytest.raises(ConfigError, match="'vgg9-cifar10' has no weights"):
        fabricate(chip_of(), load_workload("vgg9-cifar10"))


def test_neurons_that_hear_each_other(tmp_path):
    layers = [{"name": "fc", "type": "linear", "out_features": 2, "neuron": NEURON,
               "recurrent": {"type": "elementwise"}}]  # fmt: skip
    arrays = {"fc.weight": np.ones((2, 3)), "fc.recurrent_weight": np.ones(2)}
    with pytest.raises(UnsupportedError, match=r"recurrent: spikes of layer 'fc' come back to it"):
        fabricate(chip_of(), workload_of(tmp_path, layers, arrays, [3]))


def test_a_layer_that_reads_currents(tmp_path):
    layers = [{"name": "a", "type": "linear", "out_features": 2, "spiking": False},
              {"name": "b", "type": "linear", "out_features": 2, "neuron": NEURON}]  # fmt: skip
    arrays = {"a.weight": np.ones((2, 3)), "b.weight": np.ones((2, 2))}
    with pytest.raises(UnsupportedError, match="layer 'b' reads currents or potentials"):
        fabricate(chip_of(), workload_of(tmp_path, layers, arrays, [3]))


def test_a_network_larger_than_the_chip(tmp_path):
    workload = linear_of(tmp_path, np.ones((64, 500)))
    with pytest.raises(MisfitError, match="tiles"):
        fabricate(chip_of("tiles=1", "crossbar.rows=8", "crossbar.cols=8"), workload)


@pytest.mark.parametrize("number", [-1, 1.5, "three", True])
def test_numbers_that_no_chip_has(tmp_path, number):
    workload = linear_of(tmp_path, [[1, 2, 3]])
    with pytest.raises(ConfigError, match=r"number: is a whole number .*allowed: 0 or more"):
        fabricate(chip_of(), workload, number)
    with pytest.raises(ConfigError, match=r"(?s)no weights.*number: is a whole number"):
        fabricate(chip_of(), replace(workload, weights=None), number)


def test_unknown_gains(tmp_path):
    chip = fabricate(chip_of(*ALL), linear_of(tmp_path, [[1, 2, 3]]))
    with pytest.raises(ConfigError, match=r"gains: .*'colum'.*none, layer, column.*did you mean 'column'"):
        chip.calibrate(np.zeros((1, 2, 3, 1, 1), np.uint8), gains="colum")


def test_inputs_of_another_shape_and_between_the_integers(tmp_path):
    chip = fabricate(chip_of(*ALL), linear_of(tmp_path, [[1, 2, 3]], input={"encoding": "direct", "scale": 4}))
    for execute in (chip.simulate, chip.calibrate):
        if execute == chip.calibrate:
            chip = fabricate(chip_of(), chip.workload)
            execute = chip.calibrate  # noqa: PLW2901
        with pytest.raises(ConfigError, match="another shape than the network's"):
            execute(np.zeros((1, 4, 1, 1), np.uint8))
        with pytest.raises(ConfigError, match="real values lie between them"):
            execute(np.full((1, 3, 1, 1), 0.3))
    assert chip.workload.network.timesteps == 2


def test_a_map_that_is_turned_negative(tmp_path):
    layers = [{"name": "a", "type": "linear", "out_features": 2, "neuron": NEURON},
              {"name": "turn", "type": "scale"},
              {"name": "b", "type": "linear", "out_features": 2, "neuron": NEURON}]  # fmt: skip
    arrays = {"a.weight": np.full((2, 3), 2), "turn.scale": np.asarray(-1.0), "b.weight": np.ones((2, 2))}
    chip = fabricate(chip_of(*ALL), workload_of(tmp_path, layers, arrays, [3]))
    with pytest.raises(UnsupportedError, match=r"layer 'b' reads a number that its 1 bit planes do not hold .got -1"):
        chip.simulate(np.ones((1, 2, 3, 1, 1), np.uint8))


def test_a_sum_of_unlike_units_beyond_the_bit_planes(tmp_path):
    layers = [{"name": "a", "type": "conv2d", "out_channels": 1, "kernel": 1, "neuron": NEURON},
              {"name": "pool", "type": "avgpool2d", "kernel": 3, "stride": 1, "padding": 1},
              {"name": "sum", "type": "add", "inputs": ["pool", "a"]},
              {"name": "b", "type": "linear", "out_features": 2, "neuron": NEURON}]  # fmt: skip
    arrays = {"a.weight": np.full((1, 1, 1, 1), 2), "b.weight": np.ones((2, 9))}
    chip = fabricate(chip_of(*ALL), workload_of(tmp_path, layers, arrays, (1, 3, 3)))
    with pytest.raises(UnsupportedError, match=r"layer 'b' reads a number that its 4 bit planes do not hold .got 18"):
        chip.simulate(np.ones((1, 2, 1, 3, 3), np.uint8))


def test_converters_without_a_range(tmp_path):
    workload = linear_of(tmp_path, np.ones((2, 3)))
    chip = fabricate(chip_of("adc.range=calibrated"), workload)
    spikes = np.ones((1, workload.network.timesteps, 3), np.uint8)
    with pytest.raises(UnsupportedError, match="the converters of layer 'fc' have no range yet; calibrate it"):
        chip.simulate(spikes)
    chip.calibrate(spikes)
    assert chip.simulate(spikes).predictions.shape == (1,)


def test_a_chip_like_another_kind_of_chip(tmp_path):
    workload = linear_of(tmp_path, np.ones((2, 3)))
    first = fabricate(chip_of(*ALL), workload)
    assert fabricate(chip_of(*ALL), workload, 1, first).layers
    for arch, network in (
        (chip_of(*ALL, "crossbar.rows=32"), workload),
        (chip_of(*ALL), replace(workload, weights=None)),
    ):
        with pytest.raises(ConfigError):
            fabricate(arch, network, 1, first)

"""Neurons, readouts and operators calculated by hand."""

from __future__ import annotations

import numpy as np
import pytest
from small import features, small

from archsim.snn import simulate


def one_neuron(folder, **neuron):
    layers = [{"name": "fc", "type": "linear", "out_features": 1, "neuron": neuron}]
    return small(folder, layers, {"fc.weight": [[0.75, 0.5, -1.0]]})


DRIVE = features([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1]])  # currents 0.75, 0.5, 1.25, -1


@pytest.mark.parametrize(
    ("neuron", "potentials", "spikes"),
    [
        ({"model": "lif", "leak": 0.5}, [0.75, 0.875, 1.6875, -1.0], [0, 0, 1, 0]),
        ({"model": "if", "reset": "subtract"}, [0.75, 1.25, 1.5, -0.5], [0, 1, 1, 0]),
        ({"model": "if", "reset": "subtract", "minimum": -0.25}, [0.75, 1.25, 1.5, -0.25], [0, 1, 1, 0]),
        ({"model": "if", "reset": "delayed_subtract"}, [0.75, 1.25, 1.5, -0.5], [0, 1, 1, 0]),
        ({"model": "if", "reset": "none"}, [0.75, 1.25, 2.5, 1.5], [0, 1, 1, 1]),
        ({"model": "if", "threshold": 1.25, "compare": ">"}, [0.75, 1.25, 2.5, -1.0], [0, 0, 1, 0]),
        ({"model": "if", "threshold": 1.25, "reset_to": 0.5}, [0.75, 1.25, 1.75, -0.5], [0, 1, 1, 0]),
        ({"model": "if", "threshold": 0.25, "max_spikes": 3, "reset": "subtract"},
         [0.75, 0.5, 1.25, -0.5], [3, 2, 3, 0]),
        ({"model": "if", "threshold": 0.25, "max_spikes": 9, "reset": "subtract", "compare": ">"},
         [0.75, 0.75, 1.5, -0.75], [2, 2, 5, 0]),
        ({"model": "lif", "leak": 0.5, "update": "euler", "gain": 2.0}, [0.75, 0.875, 1.6875, -1.0], [0, 0, 1, 0]),
        ({"model": "lif", "leak": 0.5, "rest": -1.0}, [0.25, 0.125, 0.8125, -1.09375], [0, 0, 0, 0]),
        ({"model": "cuba_lif", "leak": 0.5, "current_leak": 0.5}, [0.75, 1.25, 1.6875, -0.15625], [0, 1, 1, 0]),
        ({"model": "cuba_lif", "leak": 0.5, "current_leak": 0.5, "membrane_sees": "old", "current_gain": 2.0},
         [0.0, 1.5, 1.75, 3.375], [0, 1, 1, 1]),
    ],
)  # fmt: skip
def test_one_neuron(tmp_path, neuron, potentials, spikes):
    found = simulate(one_neuron(tmp_path, **neuron), DRIVE, membranes=["fc"])
    assert found.potentials["fc"].ravel().tolist() == potentials
    assert found.spikes["fc"].ravel().tolist() == spikes


def test_a_leaky_readout_sends_its_potential(tmp_path):
    found = simulate(one_neuron(tmp_path, model="li", leak=0.5), DRIVE)
    assert found.outputs.ravel().tolist() == [0.75, 0.875, 1.6875, -0.15625]
    assert found.readout.tolist() == [[-0.15625]] and found.spikes == {}


@pytest.mark.parametrize(
    ("readout", "values", "prediction"),
    [("sum", [2, 2, 1], 0), ("last", [0, 1, 0], 1), ("max", [1, 1, 1], 0), ("first", [3, 2, 4], 2)],
)
def test_readouts(tmp_path, readout, values, prediction):
    layers = [{"name": "n", "type": "neuron", "neuron": {"model": "if", "threshold": 1}}]
    workload = small(tmp_path, layers, readout=readout)
    found = simulate(workload, features([[0, 0, 1], [1, 0, 0], [1, 1, 0], [0, 1, 0]]))
    assert found.readout.tolist() == [values] and found.predictions.tolist() == [prediction]


def test_recurrence_comes_a_timestep_later_and_its_bias_always(tmp_path):
    recurrent = {"type": "linear", "bias": True}
    layers = [{"name": "n", "type": "neuron", "neuron": {"model": "if"}, "recurrent": recurrent}]
    weight = [[0, 0, 0], [1, 0, 0], [0, 0.5, 0]]
    workload = small(tmp_path, layers, {"n.recurrent_weight": weight, "n.recurrent_bias": [0, 0, 0.25]})
    found = simulate(workload, features([[1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]]), membranes=["n"])
    assert found.potentials["n"][:, :, 0, 0].tolist() == [[1, 0, 0.25], [0, 1, 0.5], [0, 0, 1.25], [0, 0, 0.25]]


def test_few_spikes_in_a_large_matrix_are_gathered_to_the_same_sums(tmp_path):
    numbers = np.random.default_rng(1)
    weight = numbers.integers(-8, 9, (1024, 1024)) / 8
    layers = [{"name": "fc", "type": "linear", "out_features": 1024, "spiking": False}]
    keys = {"input": {"shape": [1024], "encoding": "events", "max_spikes": 3}, "timesteps": 6}
    workload = small(tmp_path, layers, {"fc.weight": weight}, **keys)
    rows = numbers.integers(1, 4, (6, 1024)) * (numbers.random((6, 1024)) < [[0], [0.001], [0.01], [0.02], [0.1], [1]])
    found = simulate(workload, rows.astype(np.uint8)[:, :, None, None])
    np.testing.assert_array_equal(found.outputs[0], rows @ weight.T)


@pytest.mark.parametrize("kind", ["avgpool2d", "maxpool2d"])
def test_padding_of_pools(tmp_path, kind):
    keys = {"input": {"shape": [1, 2, 2], "encoding": "direct"}, "timesteps": 1}
    layers = [
        {"name": "c", "type": "conv2d", "out_channels": 1, "kernel": 1, "spiking": False},
        {"name": "p", "type": kind, "kernel": 2, "stride": 2, "padding": 1},
    ]
    found = simulate(small(tmp_path, layers, {"c.weight": [[[[-1.0]]]]}, **keys), np.array([[[4, 8], [12, 16]]]))
    wanted = {"avgpool2d": [-1, -2, -3, -4], "maxpool2d": [-4, -8, -12, -16]}
    assert found.outputs.ravel().tolist() == wanted[kind]


def test_a_currents_maximum_over_padding_only_is_zero(tmp_path):
    keys = {"input": {"shape": [1, 1, 1], "encoding": "direct"}, "timesteps": 1}
    layers = [
        {"name": "c", "type": "conv2d", "out_channels": 1, "kernel": 1, "spiking": False},
        {"name": "p", "type": "maxpool2d", "kernel": 1, "padding": 1},
    ]
    found = simulate(small(tmp_path, layers, {"c.weight": [[[[-1.0]]]]}, **keys), np.array([[[5]]]))
    assert found.outputs.ravel().tolist() == [0, 0, 0, 0, -5, 0, 0, 0, 0]


def test_one_axis_with_gaps(tmp_path):
    keys = {"input": {"shape": [1, 6], "encoding": "direct"}, "timesteps": 1}
    layers = [{"name": "c", "type": "conv1d", "out_channels": 1, "kernel": 3, "dilation": 2, "padding": 1,
               "spiking": False}, {"name": "p", "type": "avgpool1d", "kernel": 2}]  # fmt: skip
    workload = small(tmp_path, layers, {"c.weight": [[[1, 2, 4]]]}, **keys)
    found = simulate(workload, np.array([[1, 2, 3, 4, 5, 6]]))  # 0+4+16, 1+6+20, 2+8+24, 3+10+0
    assert found.outputs.ravel().tolist() == [23.5, 23.5]


def test_networks_without_weights(tmp_path):
    layers = [{"name": "n", "type": "neuron", "neuron": {"model": "if", "reset": "subtract", "threshold": 2.0}}]
    workload = small(tmp_path, layers)
    for precision in ("float", "stated"):
        found = simulate(workload, features([[1, 0, 1]] * 4), precision=precision)
        assert found.spikes["n"][:, :, 0, 0].tolist() == [[0, 0, 0], [1, 0, 1], [0, 0, 0], [1, 0, 1]]

"""Currents that are summed in a fixed order: the right sums, and the order."""

from __future__ import annotations

import numpy as np
import pytest

from archsim.measures.ordered import InOrder
from archsim.snn.plan import operator_of
from archsim.workload import load_workload

FLOAT = np.dtype(np.float32)


def layer_of(folder, shape, keys):
    text = f"name: one\ntimesteps: 2\ninput: {{shape: {shape}, encoding: events}}\nlayers:\n  - {{name: a, {keys}}}\n"
    (folder / "one.yaml").write_text(text)
    return load_workload(folder / "one.yaml").network.layers[0]


def test_inputs_are_added_in_ascending_order_and_the_bias_last(tmp_path):
    """In float32 1e8 - 1e8 + 1 is 1 from the left and 0 from the right; a bias of 1 is lost unless it is the last."""
    layer = layer_of(tmp_path, [3], "type: linear, out_features: 1, bias: true")
    ones = np.ones((1, 1, 3, 1, 1), np.uint8)
    assert InOrder(layer, np.array([[1e8, -1e8, 1.0]]), np.zeros(1), FLOAT)([ones]).item() == 1.0
    assert InOrder(layer, np.array([[1.0, 1e8, -1e8]]), np.zeros(1), FLOAT)([ones]).item() == 0.0
    assert InOrder(layer, np.array([[1e8, 0.0, -1e8]]), np.ones(1), FLOAT)([ones]).item() == 1.0


@pytest.mark.parametrize(
    ("shape", "keys"),
    [
        ([4, 7, 6], "type: conv2d, out_channels: 6, kernel: [3, 2], stride: [2, 1], padding: 1, groups: 2, bias: true"),
        ([4, 7, 6], "type: conv2d, out_channels: 6, kernel: 3, dilation: 2, bias: true"),
        ([12], "type: linear, out_features: 5, bias: true"),
        ([3, 5, 2], "type: matmul, out_features: 4, bias: true"),
    ],
)
def test_the_sums_are_those_of_the_simulation(tmp_path, shape, keys):
    """On small whole numbers every order gives the same."""
    layer, rng = layer_of(tmp_path, shape, keys), np.random.default_rng(5)
    kernel = (layer.in_shape[0] // layer.groups, *layer.kernel) if layer.kind == "conv2d" else (layer.in_shape[0],)
    weight, bias = rng.integers(-4, 5, (layer.out_shape[0], *kernel)), rng.integers(-4, 5, layer.out_shape[0])
    values = rng.integers(0, 3, (2, 3, *layer.in_shape)).astype(np.uint8)
    expected = operator_of(layer, {"weight": weight, "bias": bias}, 3, FLOAT)([values])
    assert np.array_equal(InOrder(layer, weight, bias, FLOAT)([values]), expected)

"""Synaptic operations by hand: taps beyond the border, strides, groups, dilation, zero weights, batches, recurrence."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import archsim
from archsim.measures.connections import connections, fan_out, single_spikes
from archsim.workload import load_workload, write_trace, write_weights

TINY = """
name: tiny
timesteps: 2
input: {shape: [1, 3, 3], encoding: events}
layers:
  - {name: conv, type: conv2d, out_channels: 1, kernel: 3, padding: 1, neuron: {model: if, threshold: 100.0}}
weights: tiny-weights.npz
activity: {trace: tiny.npz}
"""


def workload(folder, text, weights, given, spikes, **more):
    name = text.split("name: ")[1].split()[0]
    (folder / f"{name}.yaml").write_text(text)
    write_weights(folder / f"{name}-weights.npz", weights)
    steps = next(iter(spikes.values())).shape[1]
    write_trace(folder / f"{name}.npz", steps, given, spikes, **more)
    return folder / f"{name}.yaml"


def silent(*shape):
    return np.zeros(shape, np.uint8)


def test_a_corner_meets_four_weights_and_the_centre_nine(tmp_path):
    """Of a 3 x 3 kernel on a 3 x 3 map with padding 1, a value in the corner meets 4 taps, on an edge 6, inside 9."""
    given = silent(1, 2, 1, 3, 3)
    given[0, 0, 0, 0, 0] = given[0, 0, 0, 1, 1] = given[0, 1, 0, 0, 1] = 1
    weights = {"conv.weight": np.ones((1, 1, 3, 3), np.float32)}
    path = workload(tmp_path, TINY, weights, given, {"conv": silent(1, 2, 1, 3, 3)})
    (connection,) = connections(load_workload(path).network, load_workload(path).weights)
    assert connection.fan_out.tolist() == [[[4, 6, 4], [6, 9, 6], [4, 6, 4]]]
    found = archsim.metrics(path)
    assert (found.effective_acs, found.effective_macs) == (4 + 9 + 6, 0)
    assert found.dense == 2 * 49  # 4 * 4 + 4 * 6 + 9 in each of two timesteps


def test_a_weight_of_zero_is_no_operation(tmp_path):
    """Only the kernel's centre and its upper left are there: (0, 0) meets both, (2, 2) as the upper left of nothing."""
    kernel = np.zeros((1, 1, 3, 3), np.float32)
    kernel[0, 0, 0, 0], kernel[0, 0, 1, 1] = -0.5, 2.0
    given = silent(1, 2, 1, 3, 3)
    given[0, 0, 0, 0, 0] = given[0, 1, 0, 2, 2] = 1
    path = workload(tmp_path, TINY, {"conv.weight": kernel}, given, {"conv": silent(1, 2, 1, 3, 3)})
    found = archsim.metrics(path)
    assert found.effective_acs == 2 + 1
    assert found.dense == 2 * 49
    assert found.connection_sparsity == 0.7778


def literal(layer, weight, mask):
    """Operations tap by tap: every output, every weight that is not zero, every input that is there."""
    channels, height, width = layer.in_shape
    per_group, own = channels // layer.groups, layer.out_shape[0] // layer.groups
    count = 0
    for out, row, column in itertools.product(*map(range, layer.out_shape)):
        for part, top, left in itertools.product(range(per_group), *map(range, layer.kernel)):
            y = row * layer.stride[0] + top * layer.dilation[0] - layer.padding[0]
            x = column * layer.stride[1] + left * layer.dilation[1] - layer.padding[1]
            inside = 0 <= y < height and 0 <= x < width
            count += int(inside and weight[out, part, top, left] != 0 and mask[out // own * per_group + part, y, x])
    return count


@pytest.mark.parametrize(
    "keys",
    [
        "kernel: 3",
        "kernel: [3, 2], stride: [2, 1], padding: [1, 0]",
        "kernel: 3, padding: 2, dilation: 2, groups: 2",
        "kernel: 2, stride: 3, padding: 1, groups: 4",
        "kernel: 1, stride: 2",
    ],
)
def test_any_convolution_counts_as_a_literal_recount(tmp_path, keys):
    text = f"""
name: any
timesteps: 1
input: {{shape: [4, 7, 6], encoding: events}}
layers:
  - {{name: conv, type: conv2d, out_channels: 8, {keys}}}
"""
    (tmp_path / "any.yaml").write_text(text)
    network = load_workload(tmp_path / "any.yaml").network
    layer, rng = network.layers[0], np.random.default_rng(3)
    there = rng.random((8, 4 // layer.groups, *layer.kernel)) < 0.6
    mask = rng.random(layer.in_shape) < 0.4
    assert (fan_out(layer, there.astype(np.int64)) * mask).sum() == literal(layer, there, mask)
    (connection,) = connections(network, None)
    assert connection.dense == literal(layer, np.ones_like(there), np.ones_like(mask))


def test_rows_of_a_matmul_share_the_weights(tmp_path):
    text = "name: rows\ntimesteps: 1\nchained: false\nlayers:\n" + (
        "  - {name: tokens, type: matmul, rows: 5, in_features: 3, out_features: 2}\nactivity: {density: 1.0}\n"
    )
    (tmp_path / "rows.yaml").write_text(text)
    assert archsim.metrics(tmp_path / "rows.yaml").effective_acs == 5 * 3 * 2


def test_one_value_of_several_bits_makes_macs_of_its_batch_and_timestep(tmp_path):
    """Sample 0 brings a 2 at the second timestep; sample 1 single spikes only; every value meets 2 weights."""
    text = """
name: wide
timesteps: 2
input: {shape: [3], encoding: events, max_spikes: 2}
layers:
  - {name: fc, type: linear, out_features: 2, neuron: {model: if, threshold: 100.0}}
weights: wide-weights.npz
activity: {trace: wide.npz}
"""
    given = np.array([[[1, 0, 0], [2, 1, 0]], [[1, 1, 0], [1, 1, 1]]], np.uint8)[..., None, None]
    weights = {"fc.weight": np.ones((2, 3), np.float32)}
    path = workload(tmp_path, text, weights, given, {"fc": silent(2, 2, 2, 1, 1)})
    together, alone = archsim.metrics(path), archsim.metrics(path, batch=1)
    assert (together.effective_acs, together.effective_macs) == ((2 + 4) / 2, (4 + 6) / 2)
    assert (alone.effective_acs, alone.effective_macs) == ((2 + 4 + 6) / 2, 4 / 2)


def test_single_spikes_are_minus_one_zero_and_one():
    values = np.array([[[-1.0, 0.0, 1.0], [0.5, 0.0, 1.0], [0.0, 0.0, 0.0]]])[..., None, None]
    assert single_spikes(values).tolist() == [[True, False, True]]


def test_an_image_of_black_and_white_is_single_spikes_and_an_average_is_not(tmp_path):
    """255 of scale 255 is 1. Four spikes average to 1, three to 3/4: the first step is ACs, the second MACs."""
    text = """
name: grey
timesteps: 2
input: {shape: [1, 2, 2], encoding: direct, scale: 255}
layers:
  - {name: conv, type: conv2d, out_channels: 1, kernel: 1, neuron: {model: if, threshold: 100.0}}
  - {name: pool, type: avgpool2d, kernel: 2}
  - {name: fc, type: linear, out_features: 3, spiking: false}
weights: grey-weights.npz
activity: {trace: grey.npz}
"""
    weights = {"conv.weight": np.ones((1, 1, 1, 1), np.float32), "fc.weight": np.ones((3, 1), np.float32)}
    spikes = np.ones((1, 2, 1, 2, 2), np.uint8)
    spikes[0, 1, 0, 0, 0] = 0
    image = np.array([[[[255, 0], [0, 255]]]], np.uint8)
    path = workload(tmp_path, text, weights, image, {"conv": spikes})
    conv, dense = archsim.metrics(path).connections
    assert (conv.effective_acs, conv.effective_macs) == (4, 0)
    assert (dense.effective_acs, dense.effective_macs) == (3, 3)
    path = workload(tmp_path, text, weights, np.minimum(image, 254), {"conv": spikes})
    assert archsim.metrics(path).connections[0].effective_macs == 4


def test_an_offset_behind_a_pool_makes_something_of_a_zero(tmp_path):
    text = """
name: offset
timesteps: 1
input: {shape: [1, 2, 2], encoding: events}
layers:
  - {name: norm, type: batchnorm}
  - {name: fc, type: linear, out_features: 3, spiking: false}
weights: offset-weights.npz
activity: {density: 1.0}
"""
    for offset, expected in ((0.0, (3.0, 0.0)), (0.5, (0.0, 12.0))):
        path = tmp_path / "offset.yaml"
        path.write_text(text)
        arrays = {"norm.scale": np.ones(1), "norm.offset": np.full(1, offset), "fc.weight": np.ones((3, 4))}
        write_weights(tmp_path / "offset-weights.npz", arrays)
        np.savez(tmp_path / "one.npz", inputs=np.array([[[[[1, 0], [0, 0]]]]], np.uint8))
        found = archsim.metrics(path, inputs=f"{tmp_path}/one.npz")
        assert (found.effective_acs, found.effective_macs) == expected


def test_a_recurrence_is_a_connection_that_sees_the_spikes_of_before(tmp_path):
    """Two neurons; one spikes at the first timestep and meets both of its weights at the second; dense: 4 each time."""
    text = """
name: loop
timesteps: 2
input: {shape: [1], encoding: events}
layers:
  - {name: fc, type: linear, out_features: 2, recurrent: {type: linear}, neuron: {model: if, threshold: 1.0}}
weights: loop-weights.npz
activity: {trace: loop.npz}
"""
    weights = {"fc.weight": np.array([[1.0], [0.0]]), "fc.recurrent_weight": np.full((2, 2), 0.25)}
    given = np.array([1, 0], np.uint8).reshape(1, 2, 1, 1, 1)
    spikes = silent(1, 2, 2, 1, 1)
    spikes[0, 0, 0] = 1
    path = workload(tmp_path, text, weights, given, {"fc": spikes})
    found = archsim.metrics(path)
    rows = [(row.name, row.effective, row.dense) for row in found.connections]
    assert rows == [("fc", 1, 4), ("fc.recurrent", 2, 8)]
    assert found.connection_sparsity == round(1 / 6, 4)
    assert found.membrane_updates == 2 + 2  # both at first; then 0 + 1/4 each: from 1 and from 0

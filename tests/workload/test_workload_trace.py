from __future__ import annotations

import numpy as np
import pytest

from archsim.workload import write_trace

NET = """\
name: net
timesteps: 2
input: {shape: [2, 4, 4], encoding: direct}
layers:
  - {name: c1, type: conv2d, out_channels: 3, kernel: 3, padding: 1}
  - {name: avg, type: avgpool2d, kernel: 2}
  - {name: c2, type: conv2d, out_channels: 3, kernel: 3, padding: 1}
  - {name: sum, type: add, with: avg}
  - {name: max, type: maxpool2d, kernel: 2}
  - {name: fc, type: linear, out_features: 5, neuron: {max_spikes: 9}}
  - {name: out, type: linear, out_features: 2, spiking: false}
activity: {trace: net.npz}
"""
RNG = np.random.default_rng(3)


def recording(samples=3):
    spikes = {
        "c1": RNG.integers(0, 2, (samples, 2, 3, 4, 4)),
        "c2": RNG.integers(0, 2, (samples, 2, 3, 2, 2)),
        "fc": np.minimum(RNG.integers(0, 20, (samples, 2, 5)), 9),
    }
    spikes["fc"][0, 0, 0] = 9
    return RNG.integers(0, 256, (samples, 2, 4, 4)), spikes


def test_a_trace_comes_back_as_it_was_written(load, tmp_path):
    image, spikes = recording()
    write_trace(tmp_path / "net.npz", 2, image, spikes, labels=np.array([1, 0, 1]), predictions=np.array([1, 1, 1]))
    workload = load(NET)
    activity, layer = workload.activity, workload.network.layer
    assert not activity.synthetic
    assert activity.samples == range(3) and activity.n_samples == 3
    assert activity.describe() == "recorded: net.npz, 3 samples"
    for sample in range(3):
        first = activity.inputs_of(layer("c1"), sample)
        assert np.array_equal(first, np.stack([image[sample]] * 2))
        for name in ("c1", "c2"):
            assert np.array_equal(activity.outputs_of(layer(name), sample), spikes[name][sample])
        assert np.array_equal(activity.outputs_of(layer("fc"), sample)[:, :, 0, 0], spikes["fc"][sample])
        assert np.array_equal(activity.inputs_of(layer("out"), sample), activity.outputs_of(layer("fc"), sample))
    assert activity.trace.labels.tolist() == [1, 0, 1]
    assert activity.trace.predictions.tolist() == [1, 1, 1]


def test_spikes_are_stored_as_bits_and_bytes_repeat(tmp_path):
    image, spikes = recording()
    for name in ("a.npz", "b.npz"):
        write_trace(tmp_path / name, 2, image, spikes)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with np.load(tmp_path / "a.npz") as stored:
        assert stored["spikes/c1"].shape == (3, 2, 6) and stored["spikes/c1"].dtype == np.uint8
        assert stored["shape/c1"].tolist() == [3, 4, 4]
        assert stored["values/fc"].dtype == np.uint8
        assert str(stored["format"]) == "archsim-trace-1"


def test_edges_behind_pools_and_adds_follow_from_the_spikes_by_hand(load, tmp_path):
    c1 = np.zeros((1, 2, 3, 4, 4), int)
    c1[0, 0, 0] = [[1, 1, 0, 0], [1, 1, 0, 1], [0, 0, 0, 0], [0, 0, 1, 0]]
    c1[0, 1, 2] = [[0, 1, 0, 0], [0, 0, 0, 0], [1, 0, 1, 1], [1, 0, 1, 0]]
    c2 = np.zeros((1, 2, 3, 2, 2), int)
    c2[0, 0, 0] = [[1, 0], [1, 0]]
    c2[0, 1, 1] = [[0, 0], [0, 1]]
    write_trace(
        tmp_path / "net.npz", 2, np.zeros((1, 2, 4, 4), int), {"c1": c1, "c2": c2, "fc": np.zeros((1, 2, 5), int)}
    )
    workload = load(NET)
    activity, layer = workload.activity, workload.network.layer
    pooled = activity.inputs_of(layer("c2"))
    assert pooled[0, 0].tolist() == [[4, 1], [0, 1]]
    assert pooled[1, 2].tolist() == [[1, 0], [2, 3]]
    operands = activity.inputs_of(layer("sum"))
    assert operands.shape == (2, 6, 2, 2)
    assert np.array_equal(operands[:, :3], c2[0]) and np.array_equal(operands[:, 3:], pooled)
    added = activity.inputs_of(layer("max"))
    assert added[0, 0].tolist() == [[5, 1], [1, 1]]
    assert added[1].tolist() == [[[0, 0], [0, 0]], [[0, 0], [0, 1]], [[1, 0], [2, 3]]]
    assert activity.inputs_of(layer("fc"))[:, :, 0, 0].tolist() == [[5, 0, 0], [0, 1, 3]]
    assert (layer("fc").in_max, layer("fc").in_bits) == (5, 3)
    assert activity.density_of(layer("fc")) == 0.5
    assert activity.density_of(layer("c2")) == 6 / 24


@pytest.mark.parametrize(
    ("padding", "sums"),
    [
        # rows {-,0} {0,1} {1,2} {2,-}; columns {-,0,1} {1,2,3}
        ("[1, 1]", [1, 2, 2, 4, 3, 4, 2, 2]),
        # the same rows; columns {0,1,2}
        ("[1, 0]", [2, 4, 4, 2]),
    ],
)
def test_overlapping_padded_and_uneven_pools_by_hand(load, tmp_path, padding, sums):
    text = """\
name: net
timesteps: 1
input: {shape: [1, 3, 4], encoding: rate}
layers:
  - {name: p, type: POOL, kernel: [2, 3], stride: [1, 2], padding: PAD}
  - {name: fc, type: linear, out_features: 1}
activity: {trace: net.npz}
"""
    image = np.array([[1, 0, 1, 1], [0, 1, 1, 0], [1, 1, 0, 1]])
    write_trace(tmp_path / "net.npz", 1, image[None, None, None], {"fc": np.zeros((1, 1, 1), int)})
    text = text.replace("PAD", padding)
    workload = load(text.replace("POOL", "sumpool2d"))
    assert workload.activity.inputs_of(workload.network.layer("fc"))[0, :, 0, 0].tolist() == sums
    assert workload.network.layer("fc").in_max == 6
    workload = load(text.replace("POOL", "maxpool2d"))
    assert workload.activity.inputs_of(workload.network.layer("fc"))[0, :, 0, 0].tolist() == [1] * len(sums)


def test_inputs_per_timestep_come_back_packed_or_not(load, tmp_path):
    text = NET.replace("direct", "events")
    _, spikes = recording(2)
    events = RNG.integers(0, 2, (2, 2, 2, 4, 4))
    write_trace(tmp_path / "net.npz", 2, events, spikes)
    workload = load(text)
    assert np.array_equal(workload.activity.inputs_of(workload.network.layer("c1"), 1), events[1])
    frames = RNG.integers(0, 256, (2, 2, 2, 4, 4))
    write_trace(tmp_path / "net.npz", 2, frames, spikes)
    workload = load(NET)
    assert np.array_equal(workload.activity.inputs_of(workload.network.layer("c1"), 1), frames[1])


def test_a_trace_that_cannot_be_put_in_its_place_leaves_nothing_behind(tmp_path):
    image, spikes = recording()
    (tmp_path / "net.npz").mkdir()
    with pytest.raises(OSError, match=r"net\.npz"):
        write_trace(tmp_path / "net.npz", 2, image, spikes)
    assert [path.name for path in tmp_path.iterdir()] == ["net.npz"]


def test_the_hash_covers_the_content_of_file_and_trace_and_nothing_else(load, tmp_path):
    image, spikes = recording()
    write_trace(tmp_path / "net.npz", 2, image, spikes)
    first = load(NET).hash
    assert load(NET + "# a comment\n").hash == first
    assert load(NET, "neuron.leak=0.5").hash != first
    spikes["c1"][0, 0, 0, 0, 0] ^= 1
    write_trace(tmp_path / "net.npz", 2, image, spikes)
    assert load(NET).hash != first


@pytest.mark.parametrize(
    ("image", "spikes"),
    [
        (np.zeros((1, 1, 2, 2)), {"a": np.full((1, 2, 3), -1)}),
        (np.zeros((1, 1, 2, 2)), {"a": np.full((1, 2, 3), 0.5)}),
        (np.zeros((1, 1, 2, 2)), {"a": np.full((1, 2, 3), 70_000)}),
        (np.zeros((1, 1, 2, 2)), {"a": np.zeros((1, 3, 3))}),
        (np.zeros((1, 1)), {"a": np.zeros((1, 2, 3))}),
    ],
)
def test_nothing_is_written_for_values_that_are_no_spikes(tmp_path, image, spikes):
    with pytest.raises(ValueError, match=r"a:|input:"):
        write_trace(tmp_path / "x.npz", 2, image, spikes)
    assert list(tmp_path.iterdir()) == []

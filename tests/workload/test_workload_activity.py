from __future__ import annotations

import numpy as np
import pytest

from archsim.errors import UnsupportedError

CONV = "type: conv2d, kernel: 3, padding: 1"
NET = f"""\
  - {{name: c1, {CONV}, out_channels: 8}}
  - {{name: c2, {CONV}, out_channels: 8}}
  - {{name: p, type: POOL, kernel: 2}}
  - {{name: c3, {CONV}, out_channels: 16}}
  - {{name: side, {CONV}, out_channels: 16, from: p}}
  - {{name: sum, type: add, inputs: [c3, side]}}
  - {{name: flat, type: flatten}}
  - {{name: fc, type: linear, out_features: 10}}
activity: {{density: {{default: 0.1, c3: 0.3, fc: 0.4}}, seed: 7}}
"""


def density(values):
    return np.count_nonzero(values) / values.size


def test_a_direct_input_is_one_dense_image_for_all_timesteps(load):
    workload = load(NET.replace("POOL", "maxpool2d"))
    image = workload.activity.inputs_of(workload.network.layer("c1"))
    assert image.shape == (3, 3, 32, 32)
    assert np.array_equal(image[0], image[1]) and np.array_equal(image[0], image[2])
    assert image.min() >= 1 and image.max() > 200
    assert not np.array_equal(image, workload.activity.inputs_of(workload.network.layer("c1"), sample=1))


def test_every_weighted_layer_gets_its_stated_density(load):
    workload = load(NET.replace("POOL", "maxpool2d"))
    for name, stated in {"c1": 1.0, "c2": 0.1, "c3": 0.3, "side": 0.3, "fc": 0.4}.items():
        layer = workload.network.layer(name)
        values = workload.activity.inputs_of(layer)
        assert values.shape == (3, *layer.in_shape)
        assert density(values) == pytest.approx(stated, abs=5 * np.sqrt(stated * (1 - stated) / values.size) + 1e-12)
        assert workload.activity.density_of(layer) == stated


def test_what_leaves_a_layer_is_what_enters_the_next(load):
    workload = load(NET.replace("POOL", "maxpool2d"))
    activity, layer = workload.activity, workload.network.layer
    assert np.array_equal(activity.outputs_of(layer("c1")), activity.inputs_of(layer("c2")))
    assert np.array_equal(activity.inputs_of(layer("c3")), activity.inputs_of(layer("side")))
    assert np.array_equal(activity.inputs_of(layer("p")), activity.outputs_of(layer("c2")))
    assert not np.array_equal(activity.outputs_of(layer("c2")), activity.inputs_of(layer("c2")))
    both = activity.inputs_of(layer("sum"))
    assert both.shape == (3, 32, 16, 16)
    assert np.array_equal(both[:, :16], activity.outputs_of(layer("c3")))
    assert np.array_equal(both[:, 16:], activity.outputs_of(layer("side")))


def test_a_flatten_changes_no_value_and_hides_no_edge(load):
    workload = load(f"""\
  - {{name: c, {CONV}, out_channels: 4}}
  - {{name: bn, type: batchnorm}}
  - {{name: flat, type: flatten}}
  - {{name: fc, type: linear, out_features: 10}}
  - {{name: other, {CONV}, out_channels: 4, from: c}}
activity: {{density: 0.2}}
""")
    activity, layer = workload.activity, workload.network.layer
    spikes = activity.outputs_of(layer("c"))
    assert np.array_equal(activity.inputs_of(layer("fc")), spikes.reshape(3, -1, 1, 1))
    assert np.array_equal(activity.inputs_of(layer("flat")), spikes)
    assert np.array_equal(activity.inputs_of(layer("other")), spikes)


def test_edges_of_equal_shape_and_density_carry_independent_spikes(load):
    workload = load(f"""\
  - {{name: a, {CONV}, out_channels: 8}}
  - {{name: b, {CONV}, out_channels: 8}}
  - {{name: c, {CONV}, out_channels: 8}}
  - {{name: p, type: maxpool2d, kernel: 1}}
  - {{name: d, {CONV}, out_channels: 8}}
activity: {{density: 0.5}}
""")
    activity, layer = workload.activity, workload.network.layer
    maps = [activity.inputs_of(layer(name)) for name in "bcd"] + [activity.outputs_of(layer(name)) for name in "cd"]
    for index, one in enumerate(maps):
        for other in maps[:index]:
            assert np.mean(one & other) == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize("pool", ["maxpool2d", "avgpool2d"])
def test_neurons_before_a_pool_fire_as_the_density_behind_it_demands(load, pool):
    workload = load(NET.replace("POOL", pool))
    spikes = workload.activity.outputs_of(workload.network.layer("c2"))
    pooled = spikes.reshape(3, 8, 16, 2, 16, 2).sum(axis=(3, 5))
    assert density(pooled) == pytest.approx(0.3, abs=0.03)
    assert density(spikes) == pytest.approx(1 - 0.7**0.25, abs=0.01)
    behind = workload.activity.inputs_of(workload.network.layer("c3"))
    assert behind.max() == (1 if pool == "maxpool2d" else 4)


def test_of_two_ways_out_of_a_neuron_map_the_first_weighted_layer_decides(load):
    workload = load(f"""\
  - {{name: a, {CONV}, out_channels: 8}}
  - {{name: p, type: maxpool2d, kernel: 2}}
  - {{name: b, {CONV}, out_channels: 8}}
  - {{name: q, type: maxpool2d, kernel: 2, from: a}}
  - {{name: c, {CONV}, out_channels: 8}}
activity: {{density: {{b: 0.2, c: 0.9}}}}
""")
    spikes = workload.activity.outputs_of(workload.network.layer("a"))
    assert density(spikes) == pytest.approx(1 - 0.8**0.25, abs=0.01)


def test_a_layer_keeps_its_spikes_when_other_layers_change(load):
    before = load(NET.replace("POOL", "maxpool2d"))
    extra = f"  - {{name: c0, {CONV}, out_channels: 3}}\n"
    after = load(extra + NET.replace("POOL", "maxpool2d"), "activity.density.c2=0.9")
    for name in ("c3", "fc"):
        old = before.activity.inputs_of(before.network.layer(name))
        assert np.array_equal(old, after.activity.inputs_of(after.network.layer(name)))


def test_loading_again_gives_the_same_spikes_and_another_seed_others(load):
    text = NET.replace("POOL", "avgpool2d")
    one, same, other = load(text), load(text), load(text, "activity.seed=8")
    layer = one.network.layer("c2")
    assert np.array_equal(one.activity.inputs_of(layer), same.activity.inputs_of(layer))
    assert not np.array_equal(one.activity.inputs_of(layer), other.activity.inputs_of(layer))
    assert one.hash == same.hash != other.hash


def test_shared_arrays_cannot_be_changed(load):
    workload = load(NET.replace("POOL", "maxpool2d"))
    for layer in workload.network.layers:
        for values in (
            workload.activity.inputs_of(layer),
            *([workload.activity.outputs_of(layer)] if layer.neuron else []),
        ):
            with pytest.raises(ValueError, match="read-only"):
                values[0, 0, 0, 0] = 1


def test_rows_of_a_table_have_the_density_of_their_input_and_of_the_next_row(load):
    workload = load("""\
name: table
timesteps: 20
chained: false
input: {shape: [3, 8, 8], encoding: direct}
layers:
  - {name: a, type: conv2d, input_shape: [3, 8, 8], out_channels: 4, kernel: 3}
  - {name: p, type: maxpool2d, input_shape: [8, 40, 40], kernel: 2}
  - {name: b, type: linear, in_features: 4000, out_features: 3000}
activity: {density: 0.25}
""")
    activity, layer = workload.activity, workload.network.layer
    assert density(activity.inputs_of(layer("a"))) == 1.0
    for values in (activity.inputs_of(layer("b")), activity.outputs_of(layer("a")), activity.outputs_of(layer("b")),
                   activity.inputs_of(layer("p"))):  # fmt: skip
        assert density(values) == pytest.approx(0.25, abs=0.03)
    assert activity.inputs_of(layer("b")).shape == (20, 4000, 1, 1)
    assert activity.outputs_of(layer("a")).shape == (20, 4, 6, 6)


def test_no_activity_means_dense_and_says_so(load):
    workload = load(f"  - {{name: a, {CONV}, out_channels: 2}}\n  - {{name: b, {CONV}, out_channels: 2}}\n")
    assert workload.activity.inputs_of(workload.network.layer("b")).min() == 1
    assert "states no activity" in workload.activity.describe()
    assert workload.activity.synthetic


def test_a_description_names_generator_density_and_seed(load):
    text = NET.replace("POOL", "maxpool2d")
    assert load(text).activity.describe() == "synthetic: bernoulli densities 0.1..1 of 5 layers seed 7"
    clustered = load(text, "activity.generator=clustered", "activity.dispersion=0.3", "activity.density=0.2")
    assert clustered.activity.describe() == "synthetic: clustered dispersion 0.3 density 0.2 seed 7"


def test_clustering_reaches_the_edges(load):
    text = NET.replace("POOL", "maxpool2d")
    plain = load(text)
    clustered = load(text, "activity.generator=clustered", "activity.dispersion=0.4")
    layer = plain.network.layer("c3")
    spread, heaped = (one.activity.inputs_of(layer).mean(axis=(0, 2, 3)).var() for one in (plain, clustered))
    assert heaped > 5 * spread


def test_currents_and_missing_neurons_are_refused(load):
    workload = load(f"""\
  - {{name: c, {CONV}, out_channels: 4}}
  - {{name: p, type: avgpool2d, kernel: 2}}
  - {{name: n, type: neuron}}
  - {{name: fc, type: linear, out_features: 2, spiking: false}}
activity: {{density: 0.5}}
""")
    activity, layer = workload.activity, workload.network.layer
    assert layer("p").in_signed and layer("n").in_signed and not layer("fc").in_signed
    for name in ("p", "n"):
        with pytest.raises(UnsupportedError, match="currents"):
            activity.inputs_of(layer(name))
    for name in ("c", "p", "fc"):
        with pytest.raises(UnsupportedError, match="no neuron"):
            activity.outputs_of(layer(name))
    assert np.array_equal(activity.outputs_of(layer("n")).reshape(3, -1, 1, 1), activity.inputs_of(layer("fc")))
    with pytest.raises(UnsupportedError, match="sample -1"):
        activity.inputs_of(layer("fc"), sample=-1)


def test_a_rate_coded_input_changes_over_time_and_reaches_a_pool(load):
    workload = load("  - {name: p, type: maxpool2d, kernel: 2}\n  - {name: fc, type: linear, out_features: 2}\n"
                    "activity: {density: 0.3}\n", "input.encoding=rate")  # fmt: skip
    values = workload.activity.inputs_of(workload.network.layer("p"))
    assert not np.array_equal(values[0], values[1])
    assert density(values) == pytest.approx(1 - 0.7**0.25, abs=0.02)


def test_the_cache_stays_small(load, monkeypatch):
    monkeypatch.setattr("archsim.workload.activity.CACHE_BYTES", 40_000)
    workload = load(NET.replace("POOL", "maxpool2d"))
    layer = workload.network.layer("c2")
    first = workload.activity.inputs_of(layer).copy()
    for sample in range(12):
        workload.activity.inputs_of(layer, sample)
    assert workload.activity._cache._held_bytes <= 40_000
    assert np.array_equal(first, workload.activity.inputs_of(layer))

"""Spike rates: one number for all layers, their ratios kept; and the search for a crossing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.crossover.narrow import narrow, tolerance
from archsim.crossover.rates import Edge, SpikeRates, rates_of
from archsim.errors import WorkloadError
from archsim.workload import load_workload
from archsim.workload.densities import Stated

edges = st.lists(
    st.tuples(st.integers(1, 5000), st.one_of(st.just(0.0), st.floats(1e-4, 1.0))), min_size=1, max_size=6
).filter(lambda found: any(density for _, density in found))


def rates(found, uniform=False):
    spikes = tuple(Edge((f"layer{number}",), values, density) for number, (values, density) in enumerate(found))
    return SpikeRates(spikes, (), Stated(), uniform, False)


def of(rates, densities):
    return sum(edge.values * density for edge, density in zip(rates.spikes, densities, strict=True)) / rates.values


@given(edges, st.floats(0.0, 1.0))
def test_the_densities_of_a_rate_have_that_rate(found, share):
    one = rates(found)
    wanted = share * one.most
    densities = one.densities(wanted)
    assert of(one, densities) == pytest.approx(wanted, abs=1e-12)
    assert all(0.0 <= density <= 1.0 for density in densities)


@given(edges, st.floats(0.01, 0.99))
def test_layers_below_their_cap_keep_their_ratios(found, share):
    one = rates(found)
    densities = one.densities(share * one.most)
    free = [(edge.density, density) for edge, density in zip(one.spikes, densities, strict=True) if density < 1.0]
    factors = [density / own for own, density in free if own]
    assert factors == pytest.approx([factors[0]] * len(factors)) if factors else True
    assert all(density == 0.0 for own, density in free if own == 0.0)
    named = {name for edge, density in zip(one.spikes, densities, strict=True) if density == 1.0 > edge.density
             for name in edge.readers}  # fmt: skip
    assert set(one.capped(share * one.most)) == named


@given(edges, st.floats(0.0, 1.0))
def test_uniform_is_one_density(found, rate):
    assert set(rates(found, uniform=True).densities(rate)) == {rate}


def test_a_cap_by_hand():
    """100 values at 0.4 and 300 at 0.1: from f = 2.5 on the first is full, at a rate of (100 + 75) / 400."""
    one = rates([(100, 0.4), (300, 0.1)])
    assert one.own == pytest.approx(70 / 400)
    assert one.densities(140 / 400) == pytest.approx([0.8, 0.2])
    assert one.densities(175 / 400) == pytest.approx([1.0, 0.25])
    assert one.densities(250 / 400) == pytest.approx([1.0, 0.5])
    assert one.densities(1.0) == [1.0, 1.0]
    assert rates([(100, 0.4), (300, 0.0)]).most == 0.25


def test_recorded_densities_are_counted_and_the_image_is_no_spike():
    recorded = load_workload("cnn-mnist")
    network, activity = recorded.network, recorded.activity
    found = rates_of(recorded, (0, 3), False)
    spikes = [
        np.count_nonzero(activity.inputs_of(network.layer(name), sample)) / 8
        for name in ("conv2", "fc1", "fc2") for sample in (0, 3)
    ]  # fmt: skip
    values = sum(math.prod(network.layer(name).in_shape) for name in ("conv2", "fc1", "fc2"))
    assert found.values == values and [edge.readers for edge in found.fixed] == [("conv1",)]
    assert found.own == pytest.approx(sum(spikes) / 2 / values)
    own = found.at(found.own).by_layer
    assert own["conv1"] == found.at(0.5).by_layer["conv1"] == found.fixed[0].density < 1


def test_layers_that_read_the_same_values_are_counted_once(tmp_path):
    (tmp_path / "two.yaml").write_text("""
name: two
timesteps: 2
input: {shape: [4, 4, 4], encoding: events}
layers:
  - {name: one, type: conv2d, out_channels: 4, kernel: 1}
  - {name: left, type: conv2d, out_channels: 4, kernel: 1}
  - {name: right, type: conv2d, out_channels: 4, kernel: 1, from: one}
activity: {density: {one: 0.5, default: 0.25}}
""")
    found = rates_of(load_workload(tmp_path / "two.yaml"), (0,), False)
    assert [(edge.readers, edge.values) for edge in found.spikes] == [(("left", "right"), 64)]
    assert [(edge.readers, edge.density) for edge in found.fixed] == [(("one",), 0.5)]
    assert found.coded and found.own == 0.25
    for rate in (0.0, 0.25, 1.0):
        assert found.at(rate).by_layer == {"one": 0.5, "left": rate, "right": rate}


@pytest.mark.parametrize(("encoding", "pixels"), [("events", 1 - 0.7**4), ("direct", 0.3)])
@pytest.mark.parametrize("uniform", [False, True])
def test_what_pools_make_of_the_input_is_input(tmp_path, encoding, pixels, uniform):
    (tmp_path / "pooled.yaml").write_text(f"""
name: pooled
timesteps: 4
input: {{shape: [2, 8, 8], encoding: {encoding}}}
layers:
  - {{name: pool, type: maxpool2d, kernel: 2}}
  - {{name: one, type: conv2d, out_channels: 4, kernel: 1}}
  - {{name: small, type: maxpool2d, kernel: 2}}
  - {{name: two, type: linear, out_features: 4}}
activity: {{density: {{one: 0.3, two: 0.2}}}}
""")
    found = rates_of(load_workload(tmp_path / "pooled.yaml"), (0,), uniform)
    assert [[edge.readers for edge in edges] for edges in (found.fixed, found.spikes)] == [[("one",)], [("two",)]]
    assert found.at(0.6).by_layer == pytest.approx({"one": 0.3, "two": 0.6})
    assert found.of_ann(0.5, 4).by_layer == pytest.approx({"one": pixels, "two": 0.5})


@pytest.mark.parametrize(("text", "said"), [
    ("timesteps: 2\ninput: {shape: [4], encoding: direct}\nlayers: [{name: a, type: linear, out_features: 2}]\n",
     "no layer with weights reads spikes of the network's own neurons"),
    ("timesteps: 2\ninput: {shape: [4], encoding: events}\nlayers: [{name: a, type: linear, out_features: 2}]\n",
     "no layer with weights reads spikes of the network's own neurons"),
    ("timesteps: 2\ninput: {shape: [4], encoding: events}\nlayers: [{name: a, type: linear, out_features: 2}, "
     "{name: b, type: linear, out_features: 2}]\nactivity: {density: {a: 0.5, b: 0.0}}\n", "nothing spikes behind"),
])  # fmt: skip
def test_without_spikes_there_is_no_rate(tmp_path, text, said):
    (tmp_path / "silent.yaml").write_text("name: silent\n" + text)
    with pytest.raises(WorkloadError, match=said):
        rates_of(load_workload(tmp_path / "silent.yaml"), (0,), False)


@given(st.floats(1e-3, 0.999), st.floats(0.2, 5.0), st.floats(0.0, 1.0))
def test_a_crossing_is_enclosed_by_executed_points(root, power, jump):
    executed = {}

    def excess(rate):
        executed[rate] = rate**power - root**power + (jump if rate >= root else 0.0)
        return executed[rate]

    low, high = narrow(excess, 0.0, 1.0)
    assert executed[low] < 0 <= executed[high]
    assert 0 < high - low <= tolerance(high)
    assert low <= root <= high
    assert len(executed) < 60


def test_a_straight_line_takes_two_points_more():
    executed = []

    def excess(rate):
        executed.append(rate)
        return rate - 0.3

    low, high = narrow(excess, 0.0, 1.0)
    assert len(executed) == 4 and low < 0.3 < high

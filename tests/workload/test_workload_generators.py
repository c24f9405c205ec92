from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.workload.generators import bernoulli, clustered, stream, value_type

SHAPE = (32, 24, 24)
STEPS = 5


def draw(dispersion, density=0.2, seed=0, shape=SHAPE, maximum=1):
    return clustered(stream(seed, 0, "layer"), STEPS, shape, density, dispersion, maximum)


@pytest.mark.parametrize("density", [0.0, 0.013, 0.2, 0.5, 0.97, 1.0])
@pytest.mark.parametrize("dispersion", [0.0, 0.3, 0.9])
def test_the_density_is_the_stated_one(density, dispersion):
    values = draw(dispersion, density)
    # Given the probabilities, whose mean is the density exactly, the count varies no more than a binomial.
    bound = 5.0 * np.sqrt(density * (1 - density) / values.size)
    assert abs(values.mean() - density) <= bound
    assert values.dtype == np.uint8


def test_bernoulli_spikes_are_independent_of_channel_place_and_time():
    values = bernoulli(stream(0, 0, "layer"), STEPS, SHAPE, 0.2)
    variance = 0.2 * 0.8
    for axes in ((0, 2, 3), (0, 1), (1, 2, 3)):
        means = values.mean(axis=axes)
        count = values.size / means.size
        assert means.var() == pytest.approx(variance / count, rel=0.75)
    assert np.mean(values[0] & values[1]) == pytest.approx(0.04, abs=0.008)


def test_clustered_spikes_vary_more_over_channels_places_and_repeat_in_time_at_the_same_density():
    spread, mild, strong = (draw(dispersion) for dispersion in (0.0, 0.1, 0.4))
    over_channels = [values.mean(axis=(0, 2, 3)).var() for values in (spread, mild, strong)]
    over_places = [values.mean(axis=(0, 1)).var() for values in (spread, mild, strong)]
    again = [np.mean(values[0] & values[1]) for values in (spread, mild, strong)]
    assert over_channels[0] * 20 < over_channels[1] < over_channels[2]
    assert over_places[0] * 3 < over_places[1] < over_places[2]
    assert again[0] * 1.2 < again[1] < again[2]


def test_the_dispersion_is_the_variance_over_channels_in_units_of_a_coin():
    shape = (4000, 1, 1)
    values = clustered(stream(1, 0, "layer"), 400, shape, 0.3, 0.25)
    sampling = 0.3 * 0.7 * (1 - 0.25) / 400
    assert values.mean(axis=(0, 2, 3)).var() == pytest.approx(0.25 * 0.3 * 0.7 + sampling, rel=0.1)


def test_without_dispersion_clustered_is_bernoulli_to_the_bit():
    assert np.array_equal(draw(0.0), bernoulli(stream(0, 0, "layer"), STEPS, SHAPE, 0.2))


def test_streams_differ_by_seed_sample_and_name_and_by_nothing_else():
    first = stream(1, 2, "a").random(4)
    assert np.array_equal(first, stream(1, 2, "a").random(4))
    for other in (stream(0, 2, "a"), stream(1, 3, "a"), stream(1, 2, "b"), stream(2, 1, "a")):
        assert not np.array_equal(first, other.random(4))


def test_wide_values_are_uniform_over_all_non_zero_values():
    values = draw(0.3, density=0.5, maximum=5)
    counts = np.bincount(values.ravel(), minlength=6)
    assert counts[0] == pytest.approx(values.size / 2, rel=0.05)
    assert counts[1:] == pytest.approx([values.size / 10] * 5, rel=0.05)


@pytest.mark.parametrize(("maximum", "kind"), [(1, np.uint8), (255, np.uint8), (256, np.uint16), (65536, np.uint32)])
def test_values_get_the_narrowest_type_that_holds_them(maximum, kind):
    assert value_type(maximum) is kind
    values = bernoulli(stream(0, 0, "x"), 1, (50, 50, 1), 1.0, maximum)
    assert values.dtype == kind
    assert values.min() > 0 and maximum / 2 < values.max() <= maximum


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9)),
    st.floats(0.0, 1.0),
    st.floats(0.0, 0.999),
    st.integers(0, 2**63 - 1),
)
def test_any_map_can_be_drawn(shape, density, dispersion, seed):
    values = clustered(stream(seed, 0, "x"), 2, shape, density, dispersion)
    assert values.shape == (2, *shape)
    assert values.max() <= 1


def test_the_smallest_density_can_be_drawn():
    assert not clustered(stream(0, 0, "x"), 2, (3, 4, 4), 5e-324, 0.75).any()

"""Encoders by hand, and their statistics."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import small

from archsim.errors import ArchsimError
from archsim.snn import events_to_raster, simulate
from archsim.workload.generators import stream

LAYERS = [{"name": "n", "type": "neuron", "neuron": {"model": "if"}}]


def coded(folder, encoding, steps=8, **code):
    return small(folder, LAYERS, timesteps=steps, input={"shape": [4], "encoding": encoding, **code})


def sent(workload, pixels, **options):
    return simulate(workload, np.array(pixels, np.uint8), **options).input[..., 0, 0]


def test_time_to_first_spike(tmp_path):
    found = sent(coded(tmp_path, "ttfs"), [255, 128, 1, 0])
    assert [np.flatnonzero(found[:, pixel]).tolist() for pixel in range(4)] == [[0], [3], [7], []]


def test_regular_rates_are_even(tmp_path):
    found = sent(coded(tmp_path, "rate", steps=10, rate="regular"), [255, 102, 51, 0])
    assert found.T.tolist() == [
        [1] * 10, [0, 0, 1, 0, 1, 0, 0, 1, 0, 1], [0, 0, 0, 0, 1, 0, 0, 0, 0, 1], [0] * 10,
    ]  # fmt: skip


@given(st.integers(0, 255), st.sampled_from([0.25, 0.5, 1.0]))
def test_regular_rates_count_exactly(tmp_path_factory, pixel, peak):
    workload = coded(tmp_path_factory.mktemp("rate"), "rate", steps=255, rate="regular", peak=peak)
    found = sent(workload, [pixel, 0, 0, 0])[:, 0]
    assert found.sum() == int(pixel * peak)
    assert all(abs(found[:t].sum() - t * pixel * peak / 255) < 1 for t in range(256))


@pytest.mark.parametrize("peak", ["0.1", "0.2", "0.3", "0.6", "0.7", "0.9", "1.0"])
def test_regular_rates_spike_exactly_when_their_sum_reaches_a_whole_number(tmp_path, peak):
    keys = {"input": {"shape": [16], "encoding": "rate", "rate": "regular", "peak": float(peak)}}
    workload = small(tmp_path, LAYERS, timesteps=30, precision={"input_bits": 4}, **keys)
    p = [Fraction(peak) * pixel / 15 for pixel in range(16)]
    wanted = [[(t + 1) * each // 1 - t * each // 1 for each in p] for t in range(30)]
    pixels = np.arange(16, dtype=np.uint8)
    np.testing.assert_array_equal(sent(workload, pixels), wanted)
    np.testing.assert_array_equal(simulate(workload, pixels / 15).input[..., 0, 0], wanted)


def test_bernoulli_rates_depend_on_seed_and_sample_only(tmp_path):
    workload = coded(tmp_path, "rate", steps=4000, peak=0.5, seed=3)
    pixels = np.array([[255, 128, 0, 51]] * 3, np.uint8)
    found = sent(workload, pixels)
    np.testing.assert_allclose(found.mean(axis=1), [[0.5, 0.251, 0, 0.1]] * 3, atol=0.03)
    assert (found[0] != found[1]).any()
    np.testing.assert_array_equal(sent(workload, pixels[:1], numbers=2)[0], found[2])
    np.testing.assert_array_equal(sent(workload, pixels, threads=2), found)
    drawn = stream(3, 1, "input").random((4000, 4, 1, 1))[..., 0, 0] < 0.5 * pixels[1] / 255
    np.testing.assert_array_equal(found[1], drawn)
    other = coded(tmp_path, "rate", steps=4000, peak=0.5, seed=4)
    assert (sent(other, pixels) != found).any()


def test_every_input_of_many_has_its_own_number(tmp_path):
    workload = coded(tmp_path, "rate", steps=30)
    pixels = np.full((150, 4), 128)
    found = sent(workload, pixels, threads=2)
    for sample in (63, 64, 128, 149):
        np.testing.assert_array_equal(sent(workload, pixels[:1], numbers=sample)[0], found[sample])


def test_real_fractions_are_coded_like_their_pixels(tmp_path):
    workload = coded(tmp_path, "rate", rate="regular")
    pixels = np.array([255, 102, 51, 0])
    np.testing.assert_array_equal(simulate(workload, pixels / 255).input, simulate(workload, pixels).input)


def test_direct_integers_are_divided_by_the_scale_and_real_values_are_not(tmp_path):
    workload = coded(tmp_path, "direct", steps=2, scale=256)
    whole, real = (simulate(workload, given, membranes=["n"]) for given in ([64, 128, 0, 255], [0.3, -0.5, 1.0, 2.0]))
    assert whole.potentials["n"][0, :, 0, 0].tolist() == [0.25, 0.5, 0, 255 / 256]
    np.testing.assert_array_equal(real.potentials["n"][0, :, 0, 0], np.float32([0.3, -0.5, 1.0, 2.0]))
    on_grid = simulate(workload, np.array([0.25, 0.5, 0, 255 / 256]))
    assert on_grid.input.dtype == np.uint8
    assert on_grid.trace().values("input", 0)[1, :, 0, 0].tolist() == [64, 128, 0, 255]
    for between in (real, simulate(workload, np.array([0.25, 0.5, 0, 256 / 256]))):  # 255 is the largest integer
        with pytest.raises(ArchsimError, match="real values between the integers"):
            between.trace()


def test_events_become_rasters():
    events = np.array([[0.0, 0, 1, 2], [0.9, 0, 1, 2], [2.5, 1, 0, 0], [-0.1, 0, 0, 0], [3.0, 0, 0, 0]])
    found = events_to_raster(events, 3, (2, 2, 3))
    assert np.argwhere(found).tolist() == [[0, 0, 1, 2], [2, 1, 0, 0]] and found.max() == 1
    assert events_to_raster(events, 3, (2, 2, 3), max_spikes=5)[0, 0, 1, 2] == 2
    assert np.argwhere(events_to_raster(events, 2, (2, 2, 3), first=2.0, step=0.5)).tolist() == [[1, 1, 0, 0]]
    assert events_to_raster(np.zeros((0, 4)), 3, (2, 2, 3)).sum() == 0


def test_wrong_events_are_told_at_once():
    wrong = np.array([[0, 2, 0, 0], [0, 0, -1, 0], [0, 0, 0, 1.5]])
    with pytest.raises(ArchsimError) as error:
        events_to_raster(wrong, 3, (2, 2, 3), step=0)
    assert [problem.key for problem in error.value.problems] == ["step", "c", "y", "x"]
    for shape in ((4,), (2, 3)):
        with pytest.raises(ArchsimError, match=r"\[E, 4\]"):
            events_to_raster(np.zeros(shape), 3, (2, 2, 3))
    with pytest.raises(ArchsimError, match="no numbers"):
        events_to_raster(np.array([[np.nan, 0, 0, 0]]), 3, (2, 2, 3))

"""What inputs are read as: integers of a scale, or spikes; and why others are refused."""

from __future__ import annotations

import numpy as np
import pytest

from archsim.recording.inputs import Time, given


def read(inputs, timesteps=None, encoding=None, order="TN", scale=None):
    problems = []
    found = given(inputs, Time(timesteps, encoding, order, scale), problems)
    assert (found is None) == bool(problems)
    return found, problems


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("scale", "most"), [(1, 255), (255, 255), (256, 255), (31, 31), (16, 16), (7, 7), (100, 100)])
def test_the_scale_of_images_is_found(dtype, scale, most):
    integers = np.arange(2 * 3 * 60).reshape(2, 3, 60) % (most + 1)
    found, _ = read((integers / scale).astype(dtype), timesteps=4)
    assert (found.scale, found.encoding, found.timesteps, found.features) == (scale, "direct", 4, (3, 60))
    assert np.array_equal(found.values, integers) and not found.snapped
    assert found.real(1, np.float32).dtype == np.float32
    assert np.array_equal(found.real(1, dtype), (integers[1] / scale).astype(dtype))


def test_images_that_were_multiplied_by_the_inverse_are_snapped():
    integers = np.arange(256, dtype=np.float32).reshape(1, 256)
    values = integers * np.float32(1 / 255)
    assert (values != integers / np.float32(255)).any()
    found, _ = read(values, timesteps=2)
    assert found.snapped and found.scale == 255 and np.array_equal(found.values, integers)


def test_the_scale_may_be_stated():
    values = np.array([[0.0, 1.0, 0.5]], np.float32)
    assert read(values, timesteps=2)[0].scale == 2
    found, _ = read(values, timesteps=2, scale=254)
    assert found.scale == 254 and found.values.tolist() == [[0, 254, 127]]


def test_integers_are_taken_as_they_are():
    found, _ = read(np.array([[3, 0, 200]], np.uint8), timesteps=2)
    assert found.scale == 1 and found.largest == 200
    silent, _ = read(np.zeros((1, 4), np.float32), timesteps=2)
    assert silent.scale == 1 and silent.largest == 0


def test_axes_of_spikes():
    spikes = np.random.default_rng(0).random((5, 3, 2, 4, 4)) < 0.3
    by_time, _ = read(spikes)
    by_sample, _ = read(spikes.swapaxes(0, 1), order="NT")
    assert by_time.encoding == "events" and by_time.timesteps == 5 and by_time.values.shape[:2] == (3, 5)
    assert np.array_equal(by_time.values, by_sample.values)
    assert by_time.real(2, np.float32).shape == (5, 2, 4, 4)


@pytest.mark.parametrize(
    ("inputs", "options", "key", "part"),
    [
        (np.array([[0.1, 0.2345678, 0.71]]), {"timesteps": 2}, "inputs", "torch.round"),
        (np.array([[-0.5, 0.5]]), {"timesteps": 2}, "inputs", "normalisation"),
        (np.array([[np.nan, 0.5]]), {"timesteps": 2}, "inputs", "no numbers"),
        (np.array([["a"]]), {"timesteps": 2}, "inputs", "hold"),
        (np.zeros((0, 4)), {"timesteps": 2}, "inputs", "hold nothing"),
        (np.zeros(4), {"timesteps": 2}, "inputs", "[N, C, H, W]"),
        (np.array([[70000]]), {"timesteps": 2}, "inputs", "too large"),
        (np.zeros((2, 3)), {}, "inputs", "[T, N, C, H, W]"),
        (np.full((2, 3, 4), 0.5), {}, "inputs", "whole numbers"),
        (np.zeros((2, 3, 4)), {"timesteps": 5, "encoding": "events"}, "inputs", "2 timesteps in the order 'TN'"),
        (np.zeros((2, 3)), {"encoding": "direct"}, "timesteps", "is missing"),
        (np.zeros((2, 3, 4)), {"timesteps": 0}, "timesteps", "no such number"),
        (np.zeros((2, 3, 4)), {"encoding": "event"}, "encoding", "events"),
        (np.zeros((2, 3, 4)), {"order": "NCT"}, "order", "TN, NT"),
        (np.array([[0.5, 1.0]]), {"timesteps": 2, "scale": 3}, "inputs", "no integers divided by 3"),
        (np.array([[0.5, 1.0]]), {"timesteps": 2, "scale": -1}, "scale", "above 0"),
        (np.array([[1, 2]]), {"timesteps": 2, "scale": 255}, "scale", "are integers already"),
        (np.zeros((2, 3, 4)), {"scale": 255}, "scale", "still images"),
    ],
)
def test_what_is_refused(inputs, options, key, part):
    found, problems = read(inputs, **options)
    assert found is None and [problem.key for problem in problems] == [key]
    assert part in str(problems[0])


def test_all_that_is_wrong_is_told_at_once():
    _, problems = read(np.array([-1.0]), timesteps=0, encoding="ttfs", order="N")
    assert [problem.key for problem in problems] == ["inputs", "timesteps", "encoding", "order"]

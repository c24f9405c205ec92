"""The emulated event camera: against a literal one, pixel by pixel, and on images whose events are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from archsim.datasets import events, load_inputs
from archsim.datasets.digits import mnist


def literal(image, timesteps):
    """The equations of the module for one image, in floating point and with loops."""
    counts = np.zeros((timesteps, 2, 34, 34), int)

    def brightness(x, y, moved):
        sx, sy = x - 3 - moved[0], y - 3 - moved[1]
        left, top = math.floor(sx), math.floor(sy)
        total = 0.0
        for row, column in ((top, left), (top, left + 1), (top + 1, left), (top + 1, left + 1)):
            if 0 <= row < 28 and 0 <= column < 28:
                total += (1 - abs(sx - column)) * (1 - abs(sy - row)) * int(image[row, column])
        return math.log(total / 255 + 0.1)

    places = events.path()
    for x in range(34):
        for y in range(34):
            memory = brightness(x, y, places[0])
            for ms in range(1, 301):
                change = brightness(x, y, places[ms]) - memory
                n = math.floor(abs(change) / 0.5)
                sign = 1 if change > 0 else -1
                memory += sign * n * 0.5
                counts[(ms - 1) * timesteps // 300, int(sign > 0), y, x] += n
    return counts


@pytest.mark.slow
def test_equals_a_literal_camera():
    images, _ = mnist()
    found = events.record(images[4:5], 10, 1000)[0].astype(int)
    expected = literal(images[4, 0], 10)
    assert expected.sum() > 2000
    moved = np.abs(found - expected)  # a crossing within rounding of the threshold may come a millisecond apart
    assert moved.sum() <= 0.01 * expected.sum() and moved.max() <= 1


def test_a_bright_edge_that_passes_brightens_and_darkens():
    image = np.zeros((1, 1, 28, 28), np.uint8)
    image[0, 0, 10, 10] = 255
    found = events.record(image, 3, 1000)[0]
    first, _, third = found
    assert not found[:, :, :10, :].any() and not found[:, :, :, :10].any() and not found[:, :, 17:].any()
    # first saccade: from (10, 10) to (13, 16) on the sensor; it darkens where it was and brightens where it comes to
    assert first[0, 10, 10] > 0 and first[1, 10, 10] == 0
    assert first[1, 16, 13] > 0 and first[0, 16, 13] == 0
    # third saccade: from (16, 10) straight to the left
    assert not third[:, 12:].any() and third[0, 10, 16] > 0 and third[1, 10, 10] > 0
    assert np.array_equal(third[0, 10, 11:16], third[1, 10, 11:16])  # what it passes brightens and darkens again


def test_the_contrast_of_one_event():
    """From black to white and back: ln(1.1 / 0.1) / 0.5 = 4.8, so four events, and the way ends where it began."""
    image = np.zeros((1, 1, 28, 28), np.uint8)
    image[0, 0, 12:16, 12:16] = 255
    found = events.record(image, 3, 1000)[0]
    assert (found.max(axis=(1, 2, 3)) == 4).all()
    assert np.array_equal(found[:, 0].sum(0), found[:, 1].sum(0))
    assert not events.record(np.full((1, 1, 28, 28), 0, np.uint8), 5).any()


def test_steps_add_up_and_are_cut_off_at_most():
    images, _ = mnist()
    fine, coarse = (events.record(images[:5], steps, 1000) for steps in (300, 30))
    assert np.array_equal(fine.reshape(5, 30, 10, 2, 34, 34).sum(2), coarse)
    odd = np.zeros((5, 7, 2, 34, 34), int)
    for millisecond in range(300):
        odd[:, int(millisecond / 300 * 7)] += fine[:, millisecond]
    assert np.array_equal(events.record(images[:5], 7, 1000), odd)
    assert np.array_equal(events.record(images[:5], 30, 2), np.minimum(coarse, 2))
    assert np.array_equal(events.record(images[:5], 30), coarse > 0)


def test_the_way_is_three_saccades_that_start_and_end_at_rest():
    way = events.path()
    assert way.shape == (301, 2)
    assert way[[0, 100, 200, 300]].tolist() == [[-3, -3], [0, 3], [3, -3], [-3, -3]]
    speed = np.hypot(*np.diff(way, axis=0).T).reshape(3, 100)
    assert (speed[:, [0, -1]] < 0.01).all() and (speed.argmax(1) > 40).all() and (speed.argmax(1) < 60).all()
    assert (np.abs(way) <= 3).all()


def test_samples_do_not_depend_on_their_neighbours():
    many = load_inputs("events-mnist@T=6:0..69")
    few = load_inputs("events-mnist@T=6:33,69")
    assert np.array_equal(many.values[[33, 69]], few.values)
    assert few.labels.tolist() == [3, 9] and few.values.shape == (2, 6, 2, 34, 34) and few.values.dtype == np.uint8


def test_it_is_labelled_as_emulated_and_makes_about_as_many_events_as_it_says():
    found = load_inputs("events-mnist@max=255:0..99")
    assert found.emulated and "EMULATED" in found.note and "not a recording" in found.note
    assert 3_500 < found.values.sum() / 100 < 4_500
    assert found.values.shape[1] == 30


def test_small_digits_are_enlarged_to_the_corners():
    image = np.zeros((1, 8, 8), np.uint8)
    image[0, 0, 0], image[0, 7, 7], image[0, 3, 3] = 200, 100, 27 * 7
    large = events._enlarged(image)[0]
    assert large.shape == (28, 28)
    assert large[0, 0] == 200 and large[27, 27] == 100
    # column c lies at 7 c / 27 of the small image
    near = np.maximum(0, 1 - np.abs(7 * np.arange(9, 15) / 27 - 3))
    assert np.abs(large[9:15, 9:15] - np.outer(near, near) * 27 * 7).max() <= 1

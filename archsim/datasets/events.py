"""An emulated event camera that watches still images on three saccades. Nothing here was recorded by a camera.

As in N-MNIST (Orchard, Jayawant, Cohen, Thakor: Frontiers in Neuroscience 9:437, 2015) a digit is seen by 34 x 34
pixels while the camera makes three saccades of 100 ms along the sides of a triangle. Here the image moves instead, by
(dx, dy) pixels from (-3, -3) to (0, 3) to (3, -3) and back; along each side at 0 <= u <= 1 by (1 - cos(pi u)) / 2 of
the way, so that it starts and ends at rest. Between pixels intensities are interpolated bilinearly.

Events follow the model that event-camera simulators share (ESIM: Rebecq, Gehrig, Scaramuzza, CoRL 2018; v2e: Hu, Liu,
Delbruck, CVPR workshops 2021), without its noise, mismatch, bandwidth and refractory time:

    L(t) = ln(intensity / 255 + BLACK)
    n = floor(|L(t) - M| / THRESHOLD) events of the sign p of L(t) - M;  M <- M + p n THRESHOLD      (each millisecond)

with M = L(0) at first. BLACK is the light that a black pixel reflects, THRESHOLD the contrast of one event; they and
the way were chosen here, such that a digit of MNIST makes about 4,000 events. Places count in 1/256 pixel, intensities
in 1/256 level and L in 2**-16: everything is an integer, so every machine sees the same.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from archsim.datasets.digits import PIXEL_LARGEST, Images

SENSOR = 34
DIGIT = 28
SACCADES = 3
SACCADE_MS = 100
DURATION_MS = SACCADES * SACCADE_MS
TURNS = ((-3.0, -3.0), (0.0, 3.0), (3.0, -3.0), (-3.0, -3.0))
BLACK = 0.1
THRESHOLD = 0.5
CHANNELS = ("darker", "brighter")
_BORDER = (SENSOR - DIGIT) // 2
_AROUND = 2 * _BORDER + 1
_PART = 256  # of a pixel, and of a level of intensity
_UNIT = 1 << 16  # of L
_LEVELS = PIXEL_LARGEST * _PART
_THRESHOLD = round(THRESHOLD * _UNIT)
_LOG = np.rint(np.log(np.arange(_LEVELS + 1) / _LEVELS + BLACK) * _UNIT).astype(np.int32)
_AT_ONCE = 32  # images whose maps fit into a core's cache
Map = NDArray[np.int32]


def record(images: Images, timesteps: int, most: int = 1) -> Images:
    """Events of uint8 images [N, 1, H, W] in ``timesteps`` equal steps: [N, timesteps, 2, 34, 34].

    Channel 0 counts the events of pixels that became darker, channel 1 those that became brighter; counts are cut off
    at ``most`` (1: was there one). Images of another size than 28 x 28 are enlarged bilinearly. Deterministic.
    ``timesteps`` is from 1 to 300, the milliseconds of a recording.
    """
    dtype = np.uint8 if most <= PIXEL_LARGEST else np.uint16
    found = np.zeros((len(images), timesteps, len(CHANNELS), SENSOR, SENSOR), dtype=dtype)
    for first in range(0, len(images), _AT_ONCE):
        _watch(_enlarged(images[first : first + _AT_ONCE, 0]), found[first : first + _AT_ONCE], most)
    return found


def path() -> NDArray[np.float64]:
    """Where the image is after 0, 1, ... 300 ms: (dx, dy) in pixels, [301, 2]; x grows to the right, y downwards."""
    turns = np.array(TURNS)
    done = (1 - np.cos(np.pi * np.arange(1, SACCADE_MS + 1) / SACCADE_MS))[:, None] / 2
    sides = [before + done * (after - before) for before, after in pairwise(turns)]
    places: NDArray[np.float64] = np.rint(np.concatenate([turns[:1], *sides]) * _PART) / _PART
    return places


def _watch(images: Map, found: Images, most: int) -> None:
    """Fill ``found`` [N, T, 2, 34, 34] with the events of images [N, 28, 28] in levels of intensity."""
    wide = np.pad(images, ((0, 0), (_AROUND, _AROUND), (_AROUND, _AROUND)))
    timesteps = found.shape[1]
    places = path()
    remembered = _brightness(wide, places[0])
    for millisecond, place in enumerate(places[1:]):
        change = _brightness(wide, place) - remembered
        darker, brighter = np.maximum(-change, 0) // _THRESHOLD, np.maximum(change, 0) // _THRESHOLD
        remembered += _THRESHOLD * (brighter - darker)
        step = found[:, millisecond * timesteps // DURATION_MS]
        for channel, events in enumerate((darker, brighter)):
            step[:, channel] = np.minimum(step[:, channel] + events, most)


def _brightness(wide: Map, place: NDArray[np.float64]) -> Map:
    """L on the sensor [N, 34, 34] in units of 2**-16 when the image has moved by ``place`` (dx, dy)."""
    (left, right), (top, down) = (divmod(round((_AROUND - _BORDER - moved) * _PART), _PART) for moved in place)
    rows = wide[:, top : top + SENSOR] * (_PART - down) + wide[:, top + 1 : top + 1 + SENSOR] * down
    seen = rows[:, :, left : left + SENSOR] * (_PART - right) + rows[:, :, left + 1 : left + 1 + SENSOR] * right
    brightness: Map = _LOG[seen // _PART]
    return brightness


def _enlarged(images: Images) -> Map:
    """Images [N, H, W] of any size as [N, 28, 28]: bilinear, the corner pixels stay the corners."""
    values = images.astype(np.int32)
    for axis in (1, 2):
        size = values.shape[axis]
        if size != DIGIT:
            before, share = np.divmod(np.arange(DIGIT, dtype=np.int32) * (size - 1), DIGIT - 1)
            share = np.expand_dims(share, tuple({0, 1, 2} - {axis}))
            after = np.minimum(before + 1, size - 1)
            values = np.take(values, before, axis) * (DIGIT - 1 - share) + np.take(values, after, axis) * share
            values = (2 * values + DIGIT - 1) // (2 * (DIGIT - 1))
    return values

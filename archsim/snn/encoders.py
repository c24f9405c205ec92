"""How real inputs become what travels: integers of a direct code, or spikes [T, C, H, W]."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.errors import Problem, WorkloadError
from archsim.workload.generators import stream
from archsim.workload.network import INPUT, Network, Shape

Array = NDArray[Any]


def encode(network: Network, image: Array, largest: float, sample: int) -> Array:
    """Spikes [T, C, H, W] of one image [C, H, W] of values 0..``largest``.

    ``rate``: a pixel x spikes with probability p = peak * x / largest at every timestep, drawn from the seed and the
    sample's number (``bernoulli``), or at the timesteps at which floor((t + 1) p) > floor(t p) (``regular``; exactly, a
    ``peak`` of 0.1 being a tenth).
    ``ttfs``: once, at t = round((1 - x / largest) (T - 1)), of two integers the even one; never for x = 0.
    """
    steps = network.timesteps
    if network.encoding == "ttfs":
        times = np.rint((largest - image) * (steps - 1) / largest)
        return np.asarray((np.arange(steps)[:, None, None, None] == times) & (image > 0), np.uint8)
    if network.code.rate == "regular":
        return _regular(Fraction(repr(float(network.code.peak))), image, float(largest), steps)
    rate = network.code.peak * image
    drawn = stream(network.code.seed, sample, INPUT).random((steps, *image.shape))
    return np.asarray(drawn < rate / largest, np.uint8)


def _regular(peak: Fraction, image: Array, largest: float, steps: int) -> Array:
    """Spikes at the timesteps t with floor((t + 1) p) > floor(t p), p = peak * x / largest, in whole numbers."""
    values, places = np.unique(image, return_inverse=True)
    spikes = np.zeros((len(values), steps), np.uint8)
    for row, value in zip(spikes, values.tolist(), strict=True):
        p = peak * Fraction(value) / Fraction(largest)
        sums = [time * p.numerator // p.denominator for time in range(steps + 1)]
        row[:] = np.diff(sums)
    return np.ascontiguousarray(np.moveaxis(spikes[places.reshape(image.shape)], -1, 0))


def events_to_raster(
    events: Array, timesteps: int, shape: Shape, *, first: float = 0.0, step: float = 1.0, max_spikes: int = 1
) -> Array:
    """Spikes [T, C, H, W] of a list of events [E, 4] with the columns t, c, y, x.

    An event belongs to the timestep floor((t - first) / step); several at one place and timestep add up to at most
    ``max_spikes``. Events before the first or behind the last timestep are left out. Raises WorkloadError for other
    shapes, values that are no numbers, places outside ``shape``, and a step of 0 or below.
    """
    events = np.asarray(events)
    problems = []
    if events.ndim != 2 or events.shape[1] != 4 or events.dtype.kind not in "iuf":
        raise WorkloadError(Problem("events are numbers [E, 4]: t, c, y, x", value=(str(events.dtype), events.shape)))
    if not np.isfinite(events).all():
        problems.append(Problem("an event has values that are no numbers"))
    if not step > 0:
        problems.append(Problem("a timestep takes some time", key="step", value=step, allowed="above 0"))
    for column, name, size in ((1, "c", shape[0]), (2, "y", shape[1]), (3, "x", shape[2])):
        places = events[:, column]
        wrong = ~((places >= 0) & (places < size) & (places == np.floor(places)))
        if wrong.any():
            text = f"{int(wrong.sum()):,} events lie outside the input's shape"
            problems.append(Problem(text, key=name, value=places[wrong][0].item(), allowed=f"0..{size - 1}"))
    if problems:
        raise WorkloadError(problems)
    at = np.floor((events[:, 0].astype(np.float64) - first) / step)
    inside = (at >= 0) & (at < timesteps)
    places = np.concatenate([at[:, None], events[:, 1:]], axis=1)[inside].astype(np.int64)
    counts = np.zeros((timesteps, *shape), np.int64)
    np.add.at(counts, tuple(places.T), 1)
    return np.minimum(counts, max_spikes).astype(np.uint8 if max_spikes < 1 << 8 else np.uint16)

"""Seeded generators that turn a stated density into spikes. A density never multiplies a count.

Both draw ``[T, C, H, W]`` maps whose elements are non-zero with the stated density in expectation. Real maps cluster:
some channels fire much more than others, and activity gathers in places. ``bernoulli`` hides every benefit that
skipping draws from that; ``clustered`` has it at the same density. Neither knows a code: a ``ttfs`` input that spikes
once per element is something to record, not to draw.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from archsim.workload.network import Shape

Values = NDArray[np.unsignedinteger]
"""Values on an edge, [T, C, H, W], of the narrowest unsigned type that holds the edge's maximum."""
_BLOB_CONTRAST = 3.0


def stream(seed: int, sample: int, name: str) -> np.random.Generator:
    """The random stream of one edge: it depends on no other layer."""
    return np.random.Generator(np.random.PCG64([seed, sample, zlib.crc32(name.encode())]))


def value_type(maximum: int) -> type[np.unsignedinteger]:
    """The narrowest of uint8, uint16, uint32 that holds ``maximum``."""
    if maximum < 1 << 8:
        return np.uint8
    return np.uint16 if maximum < 1 << 16 else np.uint32


def bernoulli(rng: np.random.Generator, timesteps: int, shape: Shape, density: float, maximum: int = 1) -> Values:
    """Each element is non-zero with probability ``density``, independently; non-zero values uniform in 1..maximum."""
    return _draw(rng, timesteps, shape, np.float32(density), maximum)


def clustered(
    rng: np.random.Generator, timesteps: int, shape: Shape, density: float, dispersion: float, maximum: int = 1
) -> Values:
    """As :func:`bernoulli`, with probabilities that differ by channel and by place and stay the same over time.

    With d the density and r the dispersion (the intra-class correlation of a beta-binomial), channel c has
    p_c ~ Beta(d (1-r)/r, (1-d) (1-r)/r): mean d, variance r d (1-d). The p_c are moved to the mean d exactly. At place
    x the probability is p_c + sqrt(r) min(p_c, 1-p_c) f(x), with a smooth field f in [-1, 1] of mean 0 that all
    channels share; so the mean of all probabilities of a map is d. Dispersion 0 is ``bernoulli``, to the bit.
    """
    if dispersion == 0.0 or density in (0.0, 1.0):
        return bernoulli(rng, timesteps, shape, density, maximum)
    channels, height, width = shape
    concentration = (1.0 - dispersion) / dispersion
    least = float(np.finfo(float).tiny)  # a density so small that its product is no number: nothing fires
    by_channel = rng.beta(max(density * concentration, least), (1.0 - density) * concentration, size=channels)
    by_channel = _with_mean(by_channel, density)
    swing = np.sqrt(dispersion) * np.minimum(by_channel, 1.0 - by_channel)
    field = _smooth_field(rng, height, width)
    probability = by_channel[:, None, None] + swing[:, None, None] * field
    return _draw(rng, timesteps, shape, probability.astype(np.float32), maximum)


def _draw(
    rng: np.random.Generator, timesteps: int, shape: Shape, probability: NDArray[np.float32] | np.float32, maximum: int
) -> Values:
    kind = value_type(maximum)
    values = np.empty((timesteps, *shape), dtype=kind)
    for step in range(timesteps):
        active = rng.random(shape, dtype=np.float32) < probability
        if maximum == 1:
            values[step] = active
        else:
            values[step] = np.where(active, rng.integers(1, maximum, size=shape, dtype=kind, endpoint=True), 0)
    return values


def _with_mean(probability: NDArray[np.float64], mean: float) -> NDArray[np.float64]:
    """Move probabilities monotonically within [0, 1] so that their mean is exactly ``mean``."""
    present = float(probability.mean())
    if present >= mean and present > 0.0:
        return probability * (mean / present)
    return 1.0 - (1.0 - probability) * ((1.0 - mean) / (1.0 - present))


def _smooth_field(rng: np.random.Generator, height: int, width: int) -> NDArray[np.float64]:
    """Blobs of half a map to a whole map across: tanh of a product of cosines, mean 0, within [-1, 1]."""
    along_h, along_w = (
        np.cos(2.0 * np.pi * (rng.uniform(0.5, 1.5) * np.arange(size) / size + rng.uniform()))
        for size in (height, width)
    )
    field = np.tanh(_BLOB_CONTRAST * np.outer(along_h, along_w))
    field -= field.mean()
    peak = float(np.abs(field).max())
    return field / peak if peak > 1.0 else field

"""Weights as integers of few bits: on the grid that they already lie on, or on one that is laid over them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
_SIGNIFICAND_BITS = 53


def grid(values: Array) -> float | None:
    """The largest step of which all values are whole multiples; None if some multiple needs more than 53 bits.

    Every float is m * 2^e: the step is the lowest set bit of all of them times the greatest common divisor of what is
    left.
    """
    some = np.unique(np.abs(values.astype(np.float64)))
    some = some[some > 0]
    if not len(some):
        return 1.0
    fraction, exponent = np.frexp(some)
    whole = (fraction * 2.0**_SIGNIFICAND_BITS).astype(np.int64)
    lowest = np.frexp((whole & -whole).astype(np.float64))[1] - 1
    least = int((exponent - _SIGNIFICAND_BITS + lowest).min())
    if int(exponent.max()) - least > _SIGNIFICAND_BITS:
        return None
    multiples = np.ldexp(some, -least).astype(np.int64)
    return math.ldexp(float(np.gcd.reduce(multiples)), least)


def bounds(bits: int) -> tuple[int, int]:
    """The least and the largest integer of a signed word; one bit is a sign: -1 or 1."""
    return (-1, 1) if bits == 1 else (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)


def step_of(weights: Sequence[tuple[Array, int]], biases: Sequence[Array]) -> float:
    """One step for weights that are added to each other: arrays with their bits.

    The grid that they (and their biases) lie on, if every one of them fits its bits there. Else the largest of
    max|w| / (2^(bits - 1) - 1); of one bit the mean of |w|, at which signs are closest in least squares.
    """
    for extra in (biases, ()):
        step = grid(np.concatenate([array.ravel() for array in (*(array for array, _ in weights), *extra)]))
        if step is not None and all(_fits(array, step, bits) for array, bits in weights):
            return step
    if all(bits == 1 for _, bits in weights):
        step = float(np.mean(np.concatenate([np.abs(array).ravel() for array, _ in weights])))
    else:
        step = max(float(np.abs(array).max()) / ((1 << (bits - 1)) - 1) for array, bits in weights if bits > 1)
    return step or 1.0


def quantised(weights: Array, step: float, bits: int) -> Array:
    """The nearest integers (of two the even one) within the bits, in float64; of one bit the sign, that of 0 above."""
    if bits == 1:
        return np.where(weights >= 0, 1.0, -1.0)
    return np.clip(np.rint(weights.astype(np.float64) / step), *bounds(bits))


def _fits(weights: Array, step: float, bits: int) -> bool:
    whole = np.rint(weights.astype(np.float64) / step)
    if bits == 1:
        return bool((np.abs(whole) == 1).all())
    low, high = bounds(bits)
    return bool(whole.min() >= low and whole.max() <= high)


def shift_for(needed: float, largest: int, unit: float) -> int:
    """The smallest k with needed <= largest * unit * 2^k."""
    k = math.ceil(math.log2(needed / (largest * unit)))
    while needed <= math.ldexp(largest * unit, k - 1):
        k -= 1
    while needed > math.ldexp(largest * unit, k):
        k += 1
    return k

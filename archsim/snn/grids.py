"""Weights as integers of few bits: on the grid that they already lie on, or on one that is laid over them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
_SIGNIFICAND_BITS = 53
SEARCHED_BITS = 16
LOOSE = 1.01
"""A first look at a few weights errs on the side of keeping a step."""


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


def rounded_grid(arrays: Sequence[tuple[Array, int]]) -> float | None:
    """The largest step with integers that fit their bits, up to 16, whose products with it were rounded to the arrays.

    Weights q * s in float32 or float16 (the narrowest type that holds them) are within half its spacing of a multiple
    of s. Every q that the largest weight may be is tried, and of the steps that are near enough to all weights the
    middle one is taken, rounded to that type where that still is one of them.
    """
    every = np.concatenate([array.ravel() for array, _ in arrays]).astype(np.float64)
    values = np.unique(np.abs(every))[::-1]
    values = values[values > 0]
    bits = max(bits for _, bits in arrays)
    if not len(values) or not 1 < bits <= SEARCHED_BITS:
        return None
    stored = next((kind for kind in (np.float16, np.float32) if _holds(kind, values)), np.float64)
    half = np.spacing(values.astype(stored)).astype(np.float64) / 2 + values * 2.0**-52
    largest = np.arange(1.0, (1 << (bits - 1)) + 1)
    for value, near in zip(values[1:9], half[1:9], strict=True):  # a few weights rule out nearly all
        multiples = np.rint(value / values[0] * largest)
        reach = LOOSE * (near + half[0] * value / values[0]) * largest / values[0]
        largest = largest[np.abs(value / values[0] * largest - multiples) <= reach]
    for first in largest:
        whole = np.maximum(np.rint(values / (values[0] / first)), 1.0)
        low, high = ((values - half) / whole).max(), ((values + half) / whole).min()
        step = float(stored((low + high) / 2))
        step = step if low <= step <= high else float((low + high) / 2)
        if low <= high and all(_fits(array, step, bits) for array, bits in arrays):
            return step
    return None


def _holds(kind: type[np.floating[Any]], values: Array) -> bool:
    with np.errstate(over="ignore"):
        return bool((values.astype(kind) == values).all())


def bounds(bits: int) -> tuple[int, int]:
    """The least and the largest integer of a signed word; one bit is a sign: -1 or 1."""
    return (-1, 1) if bits == 1 else (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)


def step_of(weights: Sequence[tuple[Array, int]], biases: Sequence[Array]) -> float:
    """One step for weights that are added to each other: arrays with their bits.

    The grid that they (and their biases) lie on, or lay on before they were stored (:func:`rounded_grid`), if every one
    of them fits its bits there. Else the largest of max|w| / (2^(bits - 1) - 1); of one bit the mean of |w|, at which
    signs are closest in least squares.
    """
    for extra in (biases, ()):
        step = grid(np.concatenate([array.ravel() for array in (*(array for array, _ in weights), *extra)]))
        if step is not None and all(_fits(array, step, bits) for array, bits in weights):
            return step
    step = rounded_grid(weights)
    if step is not None:
        return step
    if all(bits == 1 for _, bits in weights):
        step = float(np.mean(np.concatenate([np.abs(array).ravel() for array, _ in weights])))
    else:
        step = max(float(np.abs(array).max()) / ((1 << (bits - 1)) - 1) for array, bits in weights if bits > 1)
    return step or 1.0


def quantised(weights: Array, step: float, bits: int) -> Array:
    """The nearest integers (of two the even one) within the bits, in float64.

    Of one bit the sign, that of 0 being +1, as a bit has no third value; but weights that all are 0 stay 0.
    """
    if bits == 1:
        return np.where(weights >= 0, 1.0, -1.0) if weights.any() else np.zeros(weights.shape)
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

"""The place where a function that is executed, point by point, goes from below zero to zero or above."""

from __future__ import annotations

from collections.abc import Callable

RELATIVE, ABSOLUTE = 0.01, 1e-4
"""A crossing is known once the executed points around it lie this close: 1 % of the rate, or 0.01 % of all values."""
BESIDE = 0.4  # of the tolerance: where the points beside the guess are executed


def tolerance(at: float) -> float:
    """How close the points around a crossing at this rate must lie."""
    return max(RELATIVE * at, ABSOLUTE)


def narrow(excess: Callable[[float], float], low: float, high: float) -> tuple[float, float]:
    """Executed points ``low < high``, closer than the tolerance, with ``excess(low) < 0 <= excess(high)``.

    The straight line between the ends says where to look; a point on either side of it, and the middle where that was
    not enough, so that an interval of any shape at least halves with every three points.
    """
    at_low, at_high = excess(low), excess(high)
    while high - low > tolerance(high):
        guess = low + (high - low) * at_low / (at_low - at_high) if at_high > at_low else (low + high) / 2
        step = BESIDE * tolerance(guess)
        for place in (guess - step, guess + step, None):
            at = (low + high) / 2 if place is None else place
            if not low < at < high or high - low <= tolerance(high):
                continue
            found = excess(at)
            if found < 0:
                low, at_low = at, found
            else:
                high, at_high = at, found
    return low, high

"""From a space of keys to its points, in a fixed order: every combination, uniform draws, or a Latin hypercube.

A Latin hypercube of n points (McKay, Beckman and Conover 1979) cuts each key's range into n equal strata and uses
each once: ``u[i] = (permutation[i] + uniform[0, 1)) / n``, the permutations of the keys being independent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import islice, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.sweeps.spec import MOST_POINTS, Range, SweepFile

Point = dict[str, Any]
Axis = list[Any] | Range


def draw_points(file: SweepFile) -> list[Point]:
    """The values of the space's keys at every point, deterministic; an empty space has one point."""
    if file.points is not None:
        return [dict(point) for point in file.points]
    if isinstance(file.method, str):
        axes = [values_of(axis) for axis in file.space.values()]
        return [dict(zip(file.space, values, strict=True)) for values in islice(product(*axes), MOST_POINTS + 1)]
    if (draw := file.method.latin_hypercube) is not None:
        at = _latin_hypercube(draw.points, len(file.space), draw.seed)
    else:
        draw = file.method.random
        assert draw is not None, "a search suggests its points one after the other"
        at = np.random.default_rng(draw.seed).random((draw.points, len(file.space)))
    return [_point(file.space, row) for row in at]


def _latin_hypercube(points: int, keys: int, seed: int) -> NDArray[np.float64]:
    generator = np.random.default_rng(seed)
    strata = generator.permuted(np.tile(np.arange(points), (keys, 1)), axis=1).T
    return np.minimum((strata + generator.random((points, keys))) / points, np.nextafter(1.0, 0.0))


def _point(space: Mapping[str, Axis], at: NDArray[np.float64]) -> Point:
    return {key: value_at(axis, float(u)) for (key, axis), u in zip(space.items(), at, strict=True)}


def values_of(axis: Axis) -> list[Any]:
    """All values of a list, or of a range that has steps, ascending and each once."""
    if not isinstance(axis, Range):
        return axis
    first, last = axis.from_, axis.to
    if axis.step is not None:
        number = math.floor((last - first) / axis.step * (1 + 1e-12)) + 1
        return list(dict.fromkeys(_whole(axis, first + axis.step * index) for index in range(number)))
    steps = axis.steps or 1
    return list(dict.fromkeys(_between(axis, index / max(steps - 1, 1)) for index in range(steps)))


def value_at(axis: Axis, u: float) -> Any:
    """The value at ``u`` in [0, 1): of a list or stepped range one of its values, else from the whole range.

    Every whole number of a linear range has the same share; of a logarithmic one, n has log((n + 1) / n).
    """
    if isinstance(axis, Range) and axis.steps is None and axis.step is None:
        return _drawn(axis, u)
    values = values_of(axis)
    return values[int(u * len(values))]


def _drawn(axis: Range, u: float) -> float | int:
    first, last = axis.from_, axis.to
    if not (isinstance(first, int) and isinstance(last, int)):
        return _between(axis, u)
    if axis.scale == "log":
        return min(last, max(first, int(first * ((last + 1) / first) ** u)))
    return min(last, first + math.floor(u * (last - first + 1)))


def _between(axis: Range, part: float) -> float | int:
    first, last = axis.from_, axis.to
    if part in (0.0, 1.0):
        return last if part else first
    if axis.scale == "log":
        value = math.exp(math.log(first) + part * (math.log(last) - math.log(first)))
        return _whole(axis, min(max(value, first), last))
    return _whole(axis, first + part * (last - first))


def _whole(axis: Range, value: float) -> float | int:
    whole = isinstance(axis.from_, int) and isinstance(axis.to, int)
    return round(value) if whole and not isinstance(axis.step, float) else float(value)

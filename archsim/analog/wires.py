"""The resistances of a crossbar's wires, and what is wrong with the arrays that a circuit is computed from."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from archsim.errors import Problem

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
NOTHING: Floats = np.empty(0)


class Wires(NamedTuple):
    """Resistances in ohm: of one segment between two cells, and in series with the ends of every line."""

    wordline: float
    bitline: float
    driver: float
    sense: float

    def problems(self) -> list[Problem]:
        """What is no resistance."""
        names = ("r_wordline_ohm", "r_bitline_ohm", "r_driver_ohm", "r_sense_ohm")
        text, allowed = "must be a resistance", "a finite number >= 0 ohm"
        return [
            Problem(text, key=name, value=value, allowed=allowed)
            for name, value in zip(names, self, strict=True)
            if not _number(value) or not isfinite(value) or value < 0
        ]


def real_array(given: npt.ArrayLike, key: str, axes: Sequence[str]) -> tuple[Floats, list[Problem]]:
    """The array in float64, and what is wrong: no real numbers, or fewer axes than ``axes`` (first may be '...')."""
    try:
        array = np.asarray(given)
    except ValueError:
        return NOTHING, [Problem("must be an array, all rows of the same length", key=key)]
    if array.dtype.kind not in "iuf":
        return NOTHING, [Problem("must be real numbers", key=key, value=str(array.dtype), allowed="floats or integers")]
    least = len(axes) - axes.count("...")
    if array.ndim < least or (array.ndim > least and "..." not in axes):
        allowed = f"({', '.join(axes)})"
        return NOTHING, [Problem("must have other axes", key=key, value=array.shape, allowed=allowed)]
    return array.astype(np.float64), []


def conductances(given: npt.ArrayLike, axes: Sequence[str]) -> tuple[Floats, list[Problem]]:
    """Conductances in siemens as an array, and what is wrong with them: each must be finite and above 0."""
    array, problems = real_array(given, "conductance_s", axes)
    if array.ndim > 1 and 0 in array.shape[-2:]:
        problems.append(Problem("needs a row and a column", key="conductance_s", value=array.shape))
    wrong = ~((array > 0) & np.isfinite(array))
    return array, problems + _first(array, wrong, "conductance_s", "finite and > 0 S")


def voltages(given: npt.ArrayLike, axes: Sequence[str]) -> tuple[Floats, list[Problem]]:
    """Voltages in volt as an array, and what is wrong with them: each must be finite."""
    array, problems = real_array(given, "voltage_v", axes)
    return array, problems + _first(array, ~np.isfinite(array), "voltage_v", "finite")


def truths(given: npt.ArrayLike, key: str, cells_s: Floats) -> tuple[Bools, list[Problem]]:
    """Truth values (inputs, rows) of a crossbar's rows, and what is wrong with them."""
    allowed = "bool (inputs, rows)"
    try:
        array = np.asarray(given)
    except ValueError:
        return NOTHING > 0, [Problem("must be an array, all rows of the same length", key=key, allowed=allowed)]
    if array.dtype != np.bool_ or array.ndim != 2:
        got = f"{array.dtype} of shape {array.shape}"
        return NOTHING > 0, [Problem("must be truth values", key=key, value=got, allowed=allowed)]
    misfit = cells_s.size and array.shape[1] != len(cells_s)
    return array, [misshapen(key, array, cells_s)] if misfit else []


def misshapen(key: str, array: npt.NDArray[Any], cells_s: Floats) -> Problem:
    """An array whose last axis is not the rows of the crossbar: both shapes."""
    text = f"must have the rows of conductance_s {cells_s.shape} as its last axis"
    return Problem(text, key=key, value=array.shape, allowed=f"(..., {len(cells_s)})")


def no_tolerance(tolerance: float) -> list[Problem]:
    """What is wrong with a relative tolerance."""
    if _number(tolerance) and 0 < tolerance < 1:
        return []
    return [
        Problem("must be a relative error", key="tolerance", value=tolerance, allowed="a number above 0 and below 1")
    ]


def _first(array: Floats, wrong: Bools, key: str, allowed: str) -> list[Problem]:
    """How many values are wrong, where the first of them is, and what it is."""
    count = int(wrong.sum())
    if not count:
        return []
    place = tuple(int(axis[0]) for axis in np.nonzero(wrong))
    text = f"{count} of {array.size} values cannot be; the first is at {list(place)}"
    return [Problem(text, key=key, value=float(array[place]), allowed=allowed)]


def _number(value: object) -> bool:
    """Whether it is a real number (of Python or NumPy), not a truth value."""
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)

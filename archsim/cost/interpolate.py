"""Interpolation on straight lines in log-log space, exact on the grid and never outside it."""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Interpolated:
    """A value, and the grid positions that it lies between on each axis (one position: on the grid)."""

    value: float
    between: tuple[tuple[float, ...], ...]

    @property
    def exact(self) -> bool:
        """True when the value stands in the table."""
        return all(len(axis) == 1 for axis in self.between)


def describe(point: Interpolated, axes: Sequence[str]) -> str:
    """The neighbours on every axis that was interpolated: ``bytes per bank 65536 .. 131072``."""
    pairs = zip(axes, point.between, strict=True)
    return " and ".join(f"{axis} {ends[0]:g} .. {ends[-1]:g}" for axis, ends in pairs if len(ends) == 2)


def loglog(x: float, grid: Mapping[float, float]) -> Interpolated:
    """y(x) on the line between the neighbours: ln y linear in ln x. ``x`` lies within the grid; all numbers positive.

    A table value is returned unchanged when ``x`` is on the grid.
    """
    if x in grid:
        return Interpolated(grid[x], ((x,),))
    left, right = _neighbours(x, sorted(grid))
    return Interpolated(_line(x, left, right, grid[left], grid[right]), ((left, right),))


def loglog2(x: float, y: float, grid: Mapping[tuple[float, float], float]) -> Interpolated:
    """z(x, y) on a full rectangular grid: ``loglog`` along x at the neighbouring y, then along y."""
    columns = _axis(y, sorted({key[1] for key in grid}))
    along_x = {c: loglog(x, {key[0]: value for key, value in grid.items() if key[1] == c}) for c in columns}
    across = loglog(y, {c: point.value for c, point in along_x.items()})
    return Interpolated(across.value, (along_x[columns[0]].between[0], across.between[0]))


def _axis(x: float, positions: Sequence[float]) -> tuple[float, ...]:
    return (x,) if x in positions else _neighbours(x, positions)


def _neighbours(x: float, positions: Sequence[float]) -> tuple[float, float]:
    at = bisect.bisect(positions, x)
    if at in (0, len(positions)):
        raise ValueError(f"{x} lies outside {positions[0]}..{positions[-1]}")
    return positions[at - 1], positions[at]


def _line(x: float, x0: float, x1: float, y0: float, y1: float) -> float:
    share = math.log(x / x0) / math.log(x1 / x0)
    value = math.exp(math.log(y0) + share * math.log(y1 / y0))
    return min(max(value, min(y0, y1)), max(y0, y1))

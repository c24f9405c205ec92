"""Readable units: a factor and a name for a value, or one for a whole column or axis."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rung = tuple[float, str, float]  # factor, unit, least value in base units that is shown in it
Ladder = tuple[Rung, ...]


def _ladder(*rungs: tuple[float, str]) -> Ladder:
    return tuple((factor, unit, factor) for factor, unit in rungs)


ENERGY = _ladder((1e12, "J"), (1e9, "mJ"), (1e6, "uJ"), (1e3, "nJ"), (1.0, "pJ"), (1e-3, "fJ"))  # of pJ
TIME = _ladder((1e9, "s"), (1e6, "ms"), (1e3, "us"), (1.0, "ns"))  # of ns
AREA: Ladder = ((1e6, "mm2", 1e4), (1.0, "um2", 1.0))  # of um2
POWER = _ladder((1e3, "W"), (1.0, "mW"), (1e-3, "uW"), (1e-6, "nW"))  # of mW
EDP = _ladder((1e21, "J s"), (1e18, "mJ s"), (1e15, "uJ s"), (1e12, "nJ s"), (1e9, "pJ s"), (1.0, "pJ ns"))  # of pJ ns
CYCLES = _ladder((1e9, "G cycles"), (1e6, "M cycles"), (1e3, "k cycles"), (1.0, "cycles"))
_MICRO, _SQUARED = re.compile(r"(?<!\w)u(?=([JWs]|m2)\b)"), re.compile(r"(?<=\bmm|\bum|\bµm)2\b")


@dataclass(frozen=True)
class Scale:
    """``value / factor`` is in ``unit``."""

    factor: float
    unit: str

    def __call__(self, value: float) -> float:
        """The value in this unit."""
        return value / self.factor

    def all(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """An array of values in this unit."""
        return values / self.factor

    @property
    def printed_unit(self) -> str:
        """The unit as figures and pages show it: µJ, mm²."""
        return typeset(self.unit)


def scale_for(values: Iterable[float], ladder: Ladder) -> Scale:
    """The unit that suits the largest value: at least 1 in it, where there is such a unit; the base unit for zero."""
    most = max((abs(value) for value in values), default=0.0)
    if not most:
        return Scale(1.0, next(unit for factor, unit, _ in ladder if factor == 1.0))
    factor, unit, _ = next((rung for rung in ladder if most >= rung[2]), ladder[-1])
    return Scale(factor, unit)


def readable(value: float, ladder: Ladder) -> str:
    """Three significant digits and the unit that suits them."""
    scale = scale_for((value,), ladder)
    return f"{significant(scale(value))} {scale.unit}"


def printed(value: float, ladder: Ladder) -> str:
    """As :func:`readable`, with the unit as figures and pages show it."""
    return typeset(readable(value, ladder))


def typeset(text: str) -> str:
    """Units as figures and pages show them, µJ and mm², where a terminal says uJ and mm2."""
    return _SQUARED.sub("²", _MICRO.sub("µ", text))


def significant(value: float) -> str:
    """Three significant digits without an exponent while that is readable: 0.0412, 4.12, 412, 4,120."""
    if value and not 1e-4 <= abs(value) < 1e7:
        return f"{value:.3g}"
    digits = 2
    for limit in (10.0, 1.0, 0.1, 0.01, 0.001):
        if abs(value) < limit:
            digits += 1
    digits = max(digits - 1, 1) if abs(value) < 100 else 0
    return f"{value:,.{digits}f}" if value else "0"


def signed(value: float) -> str:
    """Three significant digits with a sign."""
    return ("+" if value > 0 else "") + significant(value)


def whole(value: float) -> str:
    """A count with thousands separated; a mean keeps one digit."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def percent(part: float, all_of: float) -> str:
    """A share in per cent, one digit; what is there but would read 0.0 is below 0.1."""
    if not all_of:
        return "-"
    share = 100.0 * part / all_of
    return "< 0.1 %" if 0 < share < 0.05 else f"{share:.1f} %"


def quantity(value: float, unit: str) -> str:
    """A constant with its unit as people write it; pure factors have none."""
    return f"{value:g}" if unit == "1" else f"{value:g} {unit}"

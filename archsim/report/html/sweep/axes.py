"""Where values lie along an axis, and what its ticks say."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic_core import PydanticCustomError

from archsim.config import units
from archsim.report.html.sweep.study import UNSET, text_of
from archsim.report.style import shortened
from archsim.report.sweep_units import ladder_of, named
from archsim.report.units import scale_for
from archsim.sweeps.front import LARGER_IS_BETTER
from archsim.sweeps.table import Row

LOG_FROM = 10.0  # an axis whose largest value is so many times its smallest is logarithmic
MOST_TICKS = 5
MOST_PLACES = 8  # a key with so many values at most has them at equal distances
MOST_LETTERS = 14
_KINDS: tuple[Any, ...] = (
    units.Bytes, units.Bits, units.Cycles, units.Megahertz, units.Nanometres, units.Nanoseconds, units.Picojoules,
    units.Milliwatts, units.GigabytesPerSecond, units.SquareMicrometres, units.Volts, units.Microsiemens, units.Ohms,
    units.Femtofarads, units.Celsius,
)  # fmt: skip
_QUANTITIES: tuple[units.Quantity, ...] = tuple(kind.__metadata__[-1] for kind in _KINDS)
Tick = tuple[float, str]


@dataclass(frozen=True)
class Axis:
    """``place`` gives a row's part of the axis, 0 to 1; None: the row has no such number."""

    title: str
    unit: str
    place: Callable[[Row], float | None]
    ticks: tuple[Tick, ...]
    is_log: bool = False

    @property
    def label(self) -> str:
        """The title with the unit, and whether the axis is logarithmic."""
        said = ", ".join(filter(None, [self.unit, "log" if self.is_log else ""]))
        return f"{self.title} ({said})" if said else self.title


@dataclass(frozen=True)
class Values:
    """The different values of a key, in order: as numbers where all of them are, else as they stand in the table."""

    texts: tuple[str, ...]
    numbers: Mapping[str, float] | None

    @cached_property
    def by_text(self) -> Mapping[str, int]:
        """The rank of each value."""
        return {text: rank for rank, text in enumerate(self.texts)}

    def array(self, rows: Sequence[Row], key: str) -> NDArray[np.float64]:
        """[rows] the value as a number: its own, or its rank among words."""
        found: Mapping[str, float] = self.by_text if self.numbers is None else self.numbers
        return np.array([found[text_of(row.get(key))] for row in rows], dtype=np.float64)


def values_of(texts: Sequence[str]) -> Values:
    """Numbers in ascending order, with or without units; words as they come, those not set last."""
    numbers = _as_numbers(texts)
    if numbers is None:
        return Values(tuple(sorted(texts, key=lambda text: text == UNSET)), None)
    return Values(tuple(sorted(texts, key=lambda text: numbers[text])), numbers)


def _as_numbers(texts: Sequence[str]) -> Mapping[str, float] | None:
    """Each text's number, in base units of a quantity if they have units. None: they are words."""
    try:
        plain = {text: float(text) for text in texts}
    except ValueError:
        pass
    else:
        return plain if all(map(math.isfinite, plain.values())) else None
    for quantity in _QUANTITIES:
        try:
            return {text: float(text) if _is_number(text) else float(quantity.parse(text)) for text in texts}
        except PydanticCustomError:
            continue
    return None


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def metric_axis(name: str, rows: Sequence[Row]) -> Axis:
    """The axis of a number of the result, in the unit that suits it."""
    values = [float(row[name]) for row in rows]
    scale = scale_for(values, ladder_of(name))
    place, ticks, is_log = _span([scale(value) for value in values])
    return Axis(named(name), scale.printed_unit, lambda row: place(scale(float(row[name]))), ticks, is_log)


def key_axis(key: str, texts: Sequence[str]) -> Axis:
    """The axis of a varied key: few values, or words, at equal distances; many numbers by what they are."""
    values = values_of(texts)
    if values.numbers is None or len(values.texts) <= MOST_PLACES:
        last = max(len(values.texts) - 1, 1)
        ranks = {text: rank / last for text, rank in values.by_text.items()}
        every = -(-len(ranks) // MOST_PLACES)
        shown = tuple((part, shortened(text, MOST_LETTERS)) for text, part in list(ranks.items())[::every])
        return Axis(key, "", lambda row: ranks[text_of(row.get(key))], shown)
    numbers = values.numbers
    place, ticks, is_log = _span(list(numbers.values()))
    return Axis(key, "", lambda row: place(numbers[text_of(row.get(key))]), ticks, is_log)


def better(name: str) -> str:
    """Which way is good."""
    return "more is better" if name in LARGER_IS_BETTER else "less is better"


def _span(values: Sequence[float]) -> tuple[Callable[[float], float], tuple[Tick, ...], bool]:
    """Place, ticks, and whether the axis is logarithmic, of numbers from the least to the largest."""
    low, high = min(values), max(values)
    if low == high:
        return lambda _: 0.5, ((0.5, tick_text(low)),), False
    is_log = low > 0 and high / low >= LOG_FROM
    bend: Callable[[float], float] = math.log if is_log else lambda value: value
    start, length = bend(low), bend(high) - bend(low)

    def place(value: float) -> float:
        return (bend(value) - start) / length

    ticks = log_ticks(low, high) if is_log else linear_ticks(low, high)
    return place, tuple((place(tick), tick_text(tick)) for tick in ticks), is_log


def linear_ticks(low: float, high: float) -> list[float]:
    """Round numbers from ``low`` to ``high``: steps of 1, 2, 2.5 or 5 times a power of ten, as many as there may be."""
    power = 10.0 ** math.floor(math.log10((high - low) / MOST_TICKS))
    step = next(power * part for part in (1, 2, 2.5, 5, 10, 20) if (high - low) / (power * part) <= MOST_TICKS)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 12 - math.floor(math.log10(step))) for number in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten from ``low`` to ``high``, with their 2- and 5-folds where there are few."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for parts in ((1, 2, 5), (1, 3), (1,)):
        found = [part * 10.0**exponent for exponent in exponents for part in parts]
        inside = [tick for tick in found if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]
        if len(inside) <= MOST_TICKS + 1:
            return inside
    return inside[:: -(-len(inside) // MOST_TICKS)]


def tick_text(value: float) -> str:
    """A tick's number: no more digits than it has, thousands separated."""
    return f"{value:,.10g}" if not value or 1e-4 <= abs(value) < 1e7 else f"{value:.3g}"



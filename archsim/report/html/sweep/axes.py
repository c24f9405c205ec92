"""Where values lie along an axis, and what its ticks say."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from archsim.report.html.sweep.values import FEW, values_of
from archsim.report.style import shortened
from archsim.report.sweep_units import ladder_of, named
from archsim.report.units import scale_for
from archsim.sweeps.front import LARGER_IS_BETTER
from archsim.sweeps.table import Row

LOG_FROM = 10.0  # an axis whose largest value is so many times its smallest is logarithmic
MOST_TICKS = 5
MOST_LETTERS = 14
CLOSE, TINY = 1e-9, 1e-290  # numbers that are no farther apart are one place
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


def metric_axis(name: str, rows: Sequence[Row]) -> Axis:
    """The axis of a number of the result, in the unit that suits it."""
    values = [float(row[name]) for row in rows]
    scale = scale_for(values, ladder_of(name))
    place, ticks, is_log = _span([scale(value) for value in values])
    return Axis(named(name), scale.printed_unit, lambda row: place(scale(float(row[name]))), ticks, is_log)


def key_axis(key: str, texts: Sequence[str]) -> Axis:
    """The axis of a varied key: few values, or words, at equal distances; many numbers by what they are."""
    values = values_of(texts)
    if values.numbers is None or len(values.texts) <= FEW:
        last = max(len(values.texts) - 1, 1)
        ranks = {text: rank / last for text, rank in values.by_text.items()}
        every = -(-len(ranks) // FEW)
        shown = tuple((part, shortened(text, MOST_LETTERS)) for text, part in list(ranks.items())[::every])
        return Axis(key, "", lambda row: ranks[row[key]], shown)
    numbers = values.numbers
    place, ticks, is_log = _span(list(numbers.values()))
    return Axis(key, "", lambda row: place(numbers[row[key]]), ticks, is_log)


def count_axis(title: str, most: int) -> Axis:
    """An axis from 1 to a whole number, at least 2; things are placed on it by their number, not by their row."""
    ticks = [tick for tick in linear_ticks(1.0, float(most)) if tick.is_integer()]
    return Axis(title, "", lambda _: None, tuple(((tick - 1) / (most - 1), tick_text(tick)) for tick in ticks))


def better(name: str) -> str:
    """Which way is good."""
    return "more is better" if name in LARGER_IS_BETTER else "less is better"


def _span(values: Sequence[float]) -> tuple[Callable[[float], float], tuple[Tick, ...], bool]:
    """Place, ticks, and whether the axis is logarithmic, of numbers from the least to the largest."""
    low, high = min(values), max(values)
    if high - low <= max(CLOSE * max(abs(low), abs(high)), TINY):
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



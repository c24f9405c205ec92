"""The records of a price: a range, a cited constant, a price with its derivation, and what one component costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Span:
    """A nominal value with the lowest and highest that the sources allow; ``low <= value <= high``."""

    value: float
    low: float
    high: float

    @staticmethod
    def exactly(value: float) -> Span:
        """A value without a range."""
        return Span(value, value, value)

    def __add__(self, other: Span) -> Span:
        return Span(self.value + other.value, self.low + other.low, self.high + other.high)

    def __mul__(self, other: Span | float) -> Span:
        """Product of two non-negative ranges (every factor here is one)."""
        by = other if isinstance(other, Span) else Span.exactly(other)
        return Span(self.value * by.value, self.low * by.low, self.high * by.high)

    def inverse(self) -> Span:
        """1 / x; low and high change places."""
        return Span(1 / self.value, 1 / self.high, 1 / self.low)


@dataclass(frozen=True)
class Alternative:
    """What another source says of the same constant."""

    value: float
    source: str
    note: str = ""


@dataclass(frozen=True)
class Constant:
    """One number of the cost table: value and unit, the node it holds for, where it comes from, and its range."""

    value: float
    unit: str
    node_nm: float | None
    source: str
    note: str = ""
    low: float | None = None
    high: float | None = None
    alternatives: tuple[Alternative, ...] = ()
    is_sum: bool = False  # of several constants: no figure of any source

    @property
    def span(self) -> Span:
        """The value with its range; without a range all three are equal."""
        return Span(
            self.value,
            self.value if self.low is None else self.low,
            self.value if self.high is None else self.high,
        )


@dataclass(frozen=True)
class Priced:
    """A price, its range, the constant it starts from and the steps that lead from one to the other.

    ``low`` and ``high`` put every constant involved at its cheapest and dearest end at once.
    """

    value: float
    low: float
    high: float
    constant: Constant
    steps: tuple[str, ...] = ()

    @staticmethod
    def of(constant: Constant, *steps: str) -> Priced:
        """The constant itself, as a price."""
        span = constant.span
        return Priced(span.value, span.low, span.high, constant, steps)

    @property
    def span(self) -> Span:
        """Value, low and high."""
        return Span(self.value, self.low, self.high)

    def times(self, factor: Span | float, step: str) -> Priced:
        """This price multiplied by a factor; the step says why."""
        span = self.span * factor
        return replace(self, value=span.value, low=span.low, high=span.high, steps=(*self.steps, step))


@dataclass(frozen=True)
class ComponentCost:
    """What one instance costs at ``node_nm``: pJ per action, mW of leakage, um2 of layout area (utilisation included).

    ``node_nm`` is None for what does not scale with the chip's node (a DRAM device).
    """

    energy_pj: Mapping[str, Priced]
    leakage_mw_each: Priced
    area_um2_each: Priced
    node_nm: float | None = field(default=None)

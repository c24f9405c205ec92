"""What one part of a run contributes to a figure of two sides, and whether its count or its price made the difference.

Every figure is a sum of parts, and every part is a product, value = count x price: accesses times pJ, nanoseconds times
mW of leakage, cycles times ns, instances times um2. With N and p of the first side, N' and p' of the other,

    N'p' - Np = (N' - N) (p + p') / 2  +  (N + N') / 2 (p' - p),

which are the effects of count and of price. Every price weighs half, so that swapping the sides only swaps the signs.
What one side has none of costs there what it costs on the other one: its difference is all count.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

Quantity = Literal["energy", "latency", "area"]
UNITS: Mapping[Quantity, str] = {"energy": "pj", "latency": "ns", "area": "um2"}
ROUNDING = 1e-12
"""Of the larger total: differences below it come from the order of floating-point sums."""


@dataclass(frozen=True)
class Amount:
    """A part of one side: how many, what each costs (None where there are none), and together."""

    count: float
    price: float | None
    value: float


NONE = Amount(0.0, None, 0.0)


@dataclass(frozen=True)
class Product:
    """A part that is a product on both sides; ``names`` say which part it is, one for each column of its table."""

    names: tuple[str, ...]
    first: Amount
    other: Amount

    @property
    def values(self) -> tuple[float, float]:
        """The part on the first side and on the other."""
        return self.first.value, self.other.value

    @property
    def difference(self) -> float:
        """What the other side has more."""
        return self.other.value - self.first.value

    @property
    def count_effect(self) -> float:
        """(N' - N) (p + p') / 2."""
        one, two = self._prices
        return (self.other.count - self.first.count) * (one + two) / 2

    @property
    def price_effect(self) -> float:
        """(N + N') / 2 (p' - p)."""
        one, two = self._prices
        return (self.first.count + self.other.count) / 2 * (two - one)

    @property
    def _prices(self) -> tuple[float, float]:
        """Both prices; a side that has none gets that of the other, and so it does where only rounding differs."""
        known = [amount.price for amount in (self.first, self.other) if amount.price is not None] or [0.0]
        return known[0], known[0] if math.isclose(known[0], known[-1], rel_tol=ROUNDING) else known[-1]

    def columns(self, unit: str) -> dict[str, float | None]:
        """The columns of its row that follow the difference."""
        return {
            f"count_effect_{unit}": self.count_effect, f"price_effect_{unit}": self.price_effect,
            "first_count": self.first.count, "other_count": self.other.count,
            "first_price": self.first.price, "other_price": self.other.price,
        }  # fmt: skip


@dataclass(frozen=True)
class Energy:
    """A part with dynamic and static energy, in pJ: (first side, other side)."""

    names: tuple[str, ...]
    dynamic: tuple[float, float]
    static: tuple[float, float]

    @property
    def values(self) -> tuple[float, float]:
        """The part on the first side and on the other."""
        return self.dynamic[0] + self.static[0], self.dynamic[1] + self.static[1]

    @property
    def difference(self) -> float:
        """What the other side has more."""
        return self.values[1] - self.values[0]

    def columns(self, unit: str) -> dict[str, float | None]:
        """The columns of its row that follow the difference."""
        return {
            f"dynamic_difference_{unit}": self.dynamic[1] - self.dynamic[0],
            f"static_difference_{unit}": self.static[1] - self.static[0],
        }


PartOf = TypeVar("PartOf", Product, Energy)


@dataclass(frozen=True)
class PartTable(Generic[PartOf]):
    """All parts of a figure, the largest difference first; their differences sum to that of the totals."""

    quantity: Quantity
    names: tuple[str, ...]  # of the columns that say which part it is
    parts: tuple[PartOf, ...]
    totals: tuple[float, float]

    @property
    def difference(self) -> float:
        """Of the totals."""
        return self.totals[1] - self.totals[0]

    @property
    def differing(self) -> tuple[PartOf, ...]:
        """The parts that differ by more than rounding."""
        least = ROUNDING * max(abs(total) for total in self.totals)
        return tuple(part for part in self.parts if abs(part.difference) > least)

    @property
    def remainder(self) -> float:
        """What the parts leave unexplained: rounding of floating-point sums only."""
        return math.fsum([self.difference, *(-part.difference for part in self.parts)])

    def rows(self) -> list[dict[str, Any]]:
        """A row for each part: its names, both sides, the difference, that in per cent of the first total, and why."""
        unit = UNITS[self.quantity]
        whole = self.totals[0]
        return [
            {
                **dict(zip(self.names, part.names, strict=True)), f"first_{unit}": part.values[0],
                f"other_{unit}": part.values[1], f"difference_{unit}": part.difference,
                "percent": 100 * part.difference / whole if whole else None, **part.columns(unit),
            }
            for part in self.parts
        ]  # fmt: skip


def products(first: Mapping[tuple[str, ...], Amount], other: Mapping[tuple[str, ...], Amount]) -> tuple[Product, ...]:
    """The parts of both sides, matched by their names."""
    return sorted_parts([Product(key, first.get(key, NONE), other.get(key, NONE)) for key in {**first, **other}])


def sorted_parts(parts: Sequence[PartOf]) -> tuple[PartOf, ...]:
    """The largest difference first, whatever its sign; of equal ones in the order given."""
    return tuple(sorted(parts, key=lambda part: -abs(part.difference)))

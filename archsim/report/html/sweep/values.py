"""The values of a varied key, as text and, where all of them are numbers or quantities of one kind, as numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic_core import PydanticCustomError

from archsim.config import units

FEW = 8  # so many values at most are told one by one: in groups, and at equal distances on an axis
UNSET = "not set"
_KINDS: tuple[Any, ...] = (
    units.Bytes, units.Bits, units.Cycles, units.Megahertz, units.Nanometres, units.Nanoseconds, units.Picojoules,
    units.Milliwatts, units.GigabytesPerSecond, units.SquareMicrometres, units.Volts, units.Microsiemens, units.Ohms,
    units.Femtofarads, units.Celsius, units.Seconds,
)  # fmt: skip
_QUANTITIES: tuple[units.Quantity, ...] = tuple(kind.__metadata__[-1] for kind in _KINDS)


@dataclass(frozen=True)
class Values:
    """The different values of a key, in order: as numbers where all of them are, else as they stand in the table."""

    texts: tuple[str, ...]
    numbers: Mapping[str, float] | None

    @cached_property
    def by_text(self) -> Mapping[str, int]:
        """The rank of each value."""
        return {text: rank for rank, text in enumerate(self.texts)}


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


def text_of(value: Any) -> str:
    """A varied value as the table writes it."""
    if value is None or value == "":
        return UNSET
    return value if isinstance(value, str) else json.dumps(value)


def short(text: str) -> str:
    """Of drawn numbers four digits; everything else as it stands."""
    try:
        return text if len(text) < 8 else f"{float(text):.4g}"
    except ValueError:
        return text

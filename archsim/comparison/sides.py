"""One side of a comparison: a result, and under which name it stands in tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from archsim.result import Result

MOST_NUMBERS = 6
Origin = Literal["executed", "run"]


@dataclass(frozen=True)
class Side:
    """A result under a name that no other side has; ``given`` is what the user wrote for it."""

    label: str
    given: str
    origin: Origin  # executed for the comparison, or read from a folder
    result: Result

    def stated(self, *keys: str) -> Any:
        """What the result's ``inputs`` hold at nested keys; None where there is no such thing."""
        place: Any = self.result.inputs
        for key in keys:
            place = place.get(key) if isinstance(place, Mapping) else None
        return place


@dataclass(frozen=True)
class Difference:
    """One thing in which sides differ and that makes them hard to compare: its topic, a sentence, value by side."""

    topic: str
    text: str
    values: tuple[Any, ...]


def labels(names: Sequence[str], given: Sequence[str]) -> tuple[str, ...]:
    """Names that tell sides apart: the chip's; with what the user wrote where chips share one; else numbered."""
    often = Counter(names)
    pairs = zip(names, given, strict=True)
    said = [name if often[name] == 1 or text == name else f"{name} ({text})" for name, text in pairs]
    still = Counter(said)
    return tuple(
        text if still[text] == 1 else f"{text} #{said[: number + 1].count(text)}" for number, text in enumerate(said)
    )


def listed(labels_: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return labels_[0] if len(labels_) == 1 else f"{', '.join(labels_[:-1])} and {labels_[-1]}"


def by_value(sides: Sequence[Side], values: Iterable[str], between: str = ", ") -> str:
    """``28 nm for sata and eyeriss-snn, 65 nm for spikeflow``: each value once, with the sides that have it."""
    groups: dict[str, list[str]] = {}
    for side, value in zip(sides, values, strict=True):
        groups.setdefault(value, []).append(side.label)
    return between.join(f"{value} for {listed(members)}" for value, members in groups.items())


def said_samples(numbers: Sequence[int]) -> str:
    """``sample 3``, ``samples 0..15``, ``samples 1, 5, 9``, ``40 samples of 0..99``."""
    if len(numbers) == 1:
        return f"sample {numbers[0]}"
    in_a_row = tuple(numbers) == tuple(range(numbers[0], numbers[-1] + 1))
    if in_a_row:
        return f"samples {numbers[0]}..{numbers[-1]}"
    few = len(numbers) <= MOST_NUMBERS
    return (
        f"samples {', '.join(map(str, numbers))}"
        if few
        else f"{len(numbers)} samples of {min(numbers)}..{max(numbers)}"
    )


def alike(values: Sequence[Any]) -> bool:
    """Whether all values are equal (as none or one are)."""
    return all(value == values[0] for value in values)

"""From one tool's number to another's, one named convention at a time.

after_i = evaluate(change_i(... change_1(start))); difference_i = after_i - after_(i-1), so the differences sum to
end - start. A step's solo effect is what it is worth alone, at the start: evaluate(change_i(start)) - evaluate(start).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from archsim.errors import ArchsimError, Problem

State = TypeVar("State")


@dataclass(frozen=True)
class Step(Generic[State]):
    """One convention: its name, why it differs, and how the description of the run changes under it."""

    name: str
    explanation: str
    change: Callable[[State], State]


@dataclass(frozen=True)
class Given:
    """A step whose worth is known from elsewhere (for instance one component's energy in two tools)."""

    name: str
    explanation: str
    difference: float


@dataclass(frozen=True)
class Row:
    """One bar: the value after the step, what the step added, and what it would have added alone at the start."""

    name: str
    explanation: str
    after: float
    difference: float
    solo: float | None


@dataclass(frozen=True)
class Waterfall:
    """Start, bars and end; the bars' differences sum to end - start."""

    start: float
    rows: tuple[Row, ...]

    @property
    def end(self) -> float:
        """The value after the last step."""
        return self.rows[-1].after if self.rows else self.start

    @property
    def remainder(self) -> float:
        """What the differences leave unexplained: rounding of the floating-point sum only."""
        return self.end - math.fsum([self.start, *(row.difference for row in self.rows)])


def waterfall(
    start: State,
    evaluate: Callable[[State], float],
    steps: Sequence[Step[State] | Given],
    end: float | None = None,
) -> Waterfall:
    """Apply the steps in the caller's order and record every value.

    ``end``, if stated, must be reached to 1e-9: a gap is an ``ArchsimError`` that names its size, never a bar called
    "other". Names must differ from each other.
    """
    _check_names([step.name for step in steps])
    first = value = evaluate(start)
    state, rows = start, []
    given = 0.0
    for step in steps:
        solo = None
        if isinstance(step, Given):
            given += step.difference
        else:
            state = step.change(state)
            solo = evaluate(step.change(start)) - first
        after = evaluate(state) + given
        rows.append(Row(step.name, step.explanation, after, after - value, solo))
        value = after
    if end is not None and not math.isclose(value, end, rel_tol=1e-9, abs_tol=1e-9):
        raise ArchsimError(
            Problem(
                "the steps do not reach the stated end; a convention is missing", value=end - value, key="remainder"
            )
        )
    return Waterfall(first, tuple(rows))


def _check_names(names: list[str]) -> None:
    problems = [Problem("two steps have one name", value=name) for name in sorted(set(names)) if names.count(name) > 1]
    problems += [Problem("a step must name its convention", value=name) for name in names if name.lower() == "other"]
    if problems:
        raise ArchsimError(problems)

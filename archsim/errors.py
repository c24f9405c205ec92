"""One family of errors: what is wrong, where, what is allowed, and what would make it right.

Every error that a user can cause is an :class:`ArchsimError`. It carries *all* problems that were found, not the first
one, each as a :class:`Problem`; the command line prints them and exits with code 2.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: ``file:line: key: message (got value; allowed: ...; did you mean ...?)``."""

    message: str
    file: str | None = None
    line: int | None = None
    key: str | None = None
    value: Any = None
    allowed: str | None = None
    nearest: str | None = None

    def __str__(self) -> str:
        where = "" if self.file is None else self.file + ("" if self.line is None else f":{self.line}")
        head = ": ".join(part for part in (where, self.key, self.message) if part)
        hints = []
        if self.value is not None:
            hints.append(f"got {_shorten(self.value)}")
        if self.allowed is not None:
            hints.append(f"allowed: {self.allowed}")
        if self.nearest is not None:
            hints.append(f"did you mean '{self.nearest}'?")
        return head + (f" ({'; '.join(hints)})" if hints else "")


class ArchsimError(Exception):
    """Base of every error that input can cause; ``problems`` lists all of them."""

    def __init__(self, problems: Problem | str | Iterable[Problem]) -> None:
        if isinstance(problems, str):
            problems = Problem(problems)
        if isinstance(problems, Problem):
            problems = (problems,)
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ConfigError(ArchsimError):
    """A file, key or value that is not what the schema allows."""


class WorkloadError(ArchsimError):
    """A network, density or spike trace that contradicts itself."""


class UnsupportedError(ArchsimError):
    """A valid request that this chip or this version cannot serve; names every such case."""


class CostError(ArchsimError):
    """A cost that no table entry gives, or a size outside an estimator's table."""


class MisfitError(ArchsimError):
    """Something does not fit: what was demanded, what there is, and which settings would make it fit."""

    def __init__(self, what: str, *, demand: int, capacity: int, unit: str, levers: Sequence[str]) -> None:
        self.demand, self.capacity, self.unit, self.levers = demand, capacity, unit, tuple(levers)
        text = f"{what}: demands {demand:,} {unit}, there are {capacity:,} {unit}"
        if levers:
            text += "; would fit with " + " or ".join(levers)
        super().__init__(text)


class DeadlockError(ArchsimError):
    """The graph cannot make progress: names the cycle of waits and the capacity that would break it."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word closest to ``word``, or None when nothing is close."""
    matches = difflib.get_close_matches(str(word), list(known), n=1, cutoff=0.55)
    return matches[0] if matches else None


def _shorten(value: Any, limit: int = 80) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."

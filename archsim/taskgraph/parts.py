"""What a TaskGraph is made of: units, spans of tasks, buffers, actions, and the kinds of edges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Discipline = Literal["in_order", "fifo"]

DATA, SPACE, SYNC = 0, 1, 2
KIND_NAMES = ("data", "space", "sync")
SLOTS = 3  # predecessors per task; joins (barriers) keep the rest in `extra`
NONE = -1
MOST_CYCLES = 2**31 - 1  # durations and latencies are 32-bit columns


@dataclass(frozen=True)
class Unit:
    """A hardware resource that does one thing at a time.

    ``in_order`` serves its tasks in ascending index; ``fifo`` serves the earliest ready first, ties by lowest index.
    """

    name: str
    discipline: Discipline = "in_order"


@dataclass(frozen=True)
class Span:
    """The tasks ``first, first + stride, ...``, ``count`` of them: the ids of one stage of one layer."""

    first: int
    count: int
    stride: int = 1

    @property
    def ids(self) -> Ints:
        """Task indices of the span, ascending."""
        return np.arange(self.first, self.first + self.count * self.stride, self.stride, dtype=np.int64)

    @property
    def slice(self) -> slice:
        """The span as a slice into any task column."""
        return slice(self.first, self.first + self.count * self.stride, self.stride) if self.count else slice(0, 0)

    @property
    def last(self) -> int:
        """Index of the span's last task."""
        return self.first + (self.count - 1) * self.stride


@dataclass(frozen=True)
class Buffer:
    """A finite memory whose places are taken at the start of a task and freed at the finish of another.

    ``acquire[h]``, ``release[h]``, ``amount[h]`` describe hold ``h``; holds are in acquire order (a ring).
    """

    name: str
    capacity: int
    acquire: Ints
    release: Ints
    amount: Ints
    levers: tuple[str, ...] = ()


class Action(NamedTuple):
    """What the tasks of a span do: ``component.action`` so many times each (one number, or a vector over the span)."""

    component: str
    action: str
    span: Span
    counts: int | Ints


def counts_by_name(actions: Sequence[Action]) -> Mapping[tuple[str, str], int]:
    """Totals of the actions over all tasks: (component, action) -> count."""
    totals: dict[tuple[str, str], int] = {}
    for action in actions:
        total = action.counts * action.span.count if isinstance(action.counts, int) else int(action.counts.sum())
        key = (action.component, action.action)
        totals[key] = totals.get(key, 0) + total
    return totals

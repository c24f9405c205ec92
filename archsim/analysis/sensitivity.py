"""What-if: how much shorter a run gets when one thing is better, by timing its graph again (nothing is lowered anew).

Three changes are tried on the executed graph with the fast engine:

* a unit twice as fast: every duration ``d`` becomes ``ceil(d / 2)``; zero stays zero, and a task of a fifo unit keeps
  its one cycle. For a shared channel this is twice the bandwidth;
* a buffer one slot deeper: its capacity grows by the smallest amount that is ever held, its space edges derived anew;
* a latency halved: ``ceil(l / 2)`` for every task of a unit.

Units that work in step hide each other: one of them twice as fast gains next to nothing. So the kind that has most of
the critical path is also tried together with each other kind, and the best such pair is kept if it gains more than both
of its parts alone.

``gain = cycles before - cycles after``. On a fifo unit requests may overtake each other when something is faster, and
the run may become longer: a negative gain is a scheduling anomaly (Graham 1969), not an error.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from archsim.analysis.attribution import LATENCY, PathShare
from archsim.engine import Execution, numba_is_there
from archsim.engine.fast import start_cycles
from archsim.taskgraph import Buffer, TaskGraph

Flags = NDArray[np.bool_]
Cycles = NDArray[np.int32]
Change = Literal["faster", "deeper", "sooner"]
TASKS_IN_PYTHON = 2_000_000  # timed again in all: some 7 s
TASKS_COMPILED = 60_000_000


@dataclass(frozen=True)
class Sensitivity:
    """One change and what the run would take with it: cycles."""

    change: Change
    subject: str  # a unit or buffer, a kind of several, or a pair of kinds: ``read + adc``
    members: tuple[str, ...]
    cycles: int
    gain: int  # negative: the run gets longer
    pair_of: tuple[str, ...] = ()  # the two kinds of a pair

    @property
    def of_kind(self) -> bool:
        """Whether several units or buffers are changed at once."""
        return len(self.members) > 1

    @property
    def anomaly(self) -> bool:
        """Whether something better makes the run longer."""
        return self.gain < 0


@dataclass(frozen=True)
class Sensitivities:
    """All changes that were tried, the largest gain first, and how many single ones were not."""

    found: tuple[Sensitivity, ...]
    left_out: int


def sensitivities(execution: Execution, path: Sequence[PathShare]) -> Sensitivities:
    """Try every change on every unit and buffer, and on every kind of them together.

    Kinds are always tried. If timing the graph once for every single unit and buffer too would take more than
    TASKS_COMPILED tasks (TASKS_IN_PYTHON without numba), those with most of the critical path come first and the rest
    is left out.
    """
    graph = execution.graph
    kinds, singles = _candidates(graph, path)
    most = TASKS_COMPILED if numba_is_there() else TASKS_IN_PYTHON
    room = max(most // max(graph.tasks, 1) - len(kinds), 0)
    tried = [*kinds, *singles[:room]]
    compiled = numba_is_there() and len(tried) * graph.tasks > TASKS_IN_PYTHON
    time = partial(_cycles, compiled=compiled)
    found = []
    for change, subject, members in tried:
        changed = CHANGES[change](graph, members)
        cycles = execution.cycles if changed is graph else time(changed)
        found.append(Sensitivity(change, subject, members, cycles, execution.cycles - cycles))
    found += _pair(execution, found, path, time)
    order = sorted(found, key=lambda one: (-one.gain, one.change, not one.of_kind, one.subject))
    return Sensitivities(tuple(order), len(singles) - min(room, len(singles)))


def _pair(
    execution: Execution, found: Sequence[Sensitivity], path: Sequence[PathShare], time: Callable[[TaskGraph], int]
) -> list[Sensitivity]:
    """The best pair of the kind that has most of the critical path and another one, if it beats both alone."""
    kinds = [one for one in found if one.change == "faster" and (one.of_kind or one.subject == kind_of(one.subject))]
    share = {one.subject: sum(p.cycles for p in path if p.what != LATENCY and p.unit in one.members) for one in kinds}
    if len(kinds) < 2:
        return []
    main = max(kinds, key=lambda one: share[one.subject])
    pairs = []
    for other in kinds:
        changed = faster(execution.graph, {*main.members, *other.members})
        if other is not main and changed is not execution.graph:
            names, cycles, both = f"{main.subject} + {other.subject}", time(changed), (main.subject, other.subject)
            members = main.members + other.members
            pairs.append((Sensitivity("faster", names, members, cycles, execution.cycles - cycles, both), other))
    best, other = max(pairs, key=lambda pair: pair[0].gain, default=(main, main))
    return [best] if best.gain > main.gain + other.gain and best is not main else []


def faster(graph: TaskGraph, units: Collection[str]) -> TaskGraph:
    """The graph with these units twice as fast; the graph itself where that changes nothing."""
    here = _tasks_of(graph, units) & (graph.duration > 1)
    return replace(graph, duration=_halved(graph.duration, here)) if here.any() else graph


def sooner(graph: TaskGraph, units: Collection[str]) -> TaskGraph:
    """The graph with the latency of these units' results halved; the graph itself where that changes nothing."""
    here = _tasks_of(graph, units) & (graph.latency > 1)
    return replace(graph, latency=_halved(graph.latency, here)) if here.any() else graph


def deeper(graph: TaskGraph, buffers: Collection[str]) -> TaskGraph:
    """The graph with one more slot in each of these buffers; the graph itself where none of them was ever full."""
    changed = [replace(b, capacity=b.capacity + slot(b)) if b.name in buffers else b for b in graph.buffers]
    full = [b.name for b in graph.buffers if b.name in buffers and b.amount.sum() > b.capacity]
    if not full:
        return graph
    capacity = {b.name: b.capacity for b in changed}
    return replace(graph, buffers=tuple(changed)).with_capacity(full[0], capacity[full[0]])


CHANGES: Mapping[Change, Callable[[TaskGraph, Collection[str]], TaskGraph]] = {
    "faster": faster, "deeper": deeper, "sooner": sooner,
}  # fmt: skip


def slot(buffer: Buffer) -> int:
    """The smallest amount that is ever held: what one slot is."""
    held = buffer.amount[buffer.amount > 0]
    return int(held.min()) if len(held) else 1


def kind_of(name: str) -> str:
    """``adc`` of ``LAYER.adc.REPLICA``, ``port`` of ``port.NUMBER``, ``staging`` of ``staging_3_1``; else the name."""
    parts = name.split(".")
    kind = parts[-2] if len(parts) > 1 and parts[-1].isdigit() else parts[-1]
    return kind.rstrip("0123456789_") or kind


def _cycles(graph: TaskGraph, compiled: bool) -> int:
    start = start_cycles(graph, compiled)
    return int(np.max(start + graph.duration + graph.latency, initial=0))


def _tasks_of(graph: TaskGraph, units: Collection[str]) -> Flags:
    chosen = np.array([unit.name in units for unit in graph.units], bool)
    here: Flags = chosen[graph.unit]
    return here


def _halved(cycles: Cycles, here: Flags) -> Cycles:
    return np.where(here, cycles - cycles // 2, cycles).astype(np.int32)


Candidate = tuple[Change, str, tuple[str, ...]]


def _candidates(graph: TaskGraph, path: Sequence[PathShare]) -> tuple[list[Candidate], list[Candidate]]:
    """Kinds (a kind of one is that one), and the members of kinds of several, those on the critical path first."""
    works, waits = np.zeros(len(graph.units), bool), np.zeros(len(graph.units), bool)
    works[graph.unit[graph.duration > 0]] = True
    waits[graph.unit[graph.latency > 0]] = True
    names: dict[Change, list[str]] = {
        "faster": [unit.name for unit, used in zip(graph.units, works, strict=True) if used],
        "sooner": [unit.name for unit, used in zip(graph.units, waits, strict=True) if used],
        "deeper": [buffer.name for buffer in graph.buffers],
    }
    kinds: list[Candidate] = []
    singles: list[Candidate] = []
    for change, members in names.items():
        groups: dict[str, list[str]] = {}
        for name in members:
            groups.setdefault(kind_of(name), []).append(name)
        for kind, alike in groups.items():
            kinds.append((change, kind if len(alike) > 1 else alike[0], tuple(alike)))
            singles += [(change, name, (name,)) for name in alike if len(alike) > 1]
    weight: dict[tuple[str, str], int] = {}
    for share in path:
        key = ("sooner" if share.what == LATENCY else "faster", share.unit)
        weight[key] = weight.get(key, 0) + share.cycles
    return kinds, sorted(singles, key=lambda one: -weight.get((one[0], one[1]), 0))

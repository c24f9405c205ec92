"""Tasks of one step of a layer: a chunk of work at a timestep each, on one unit for each replica."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.crossbar.chunks import Chunks
from archsim.taskgraph import DATA, NONE, SLOTS, GraphBuilder, Span

Ints = NDArray[np.int64]


@dataclass
class Step:
    """Task ids [T, chunks]: a span for each replica's chunks, in the order of its unit."""

    builder: GraphBuilder
    ids: Ints
    parts: tuple[tuple[Ints, Span], ...]  # chunks, and their tasks for all timesteps
    together: bool  # the timesteps of a chunk follow each other
    _edges: int = field(default=0, init=False)

    def follow(self, before: Ints, kind: int = DATA) -> None:
        """An edge into each task from the task that ``before`` [T, chunks] names at its place (NONE: no edge)."""
        sources = np.broadcast_to(before, self.ids.shape)
        if np.all(sources == NONE):
            return
        self._edges += 1
        for mine, span in self.parts:
            ordered = self.in_order(sources, mine)
            if self._edges <= SLOTS:
                self.builder.edge(span, ordered, kind)
            else:
                there = ordered != NONE
                self.builder.more_edges(span.ids[there], ordered[there], kind)

    def count(self, component: str, action: str, counts: Ints) -> None:
        """Let each task count ``component.action``; ``counts`` is broadcast to [T, chunks]."""
        every = np.broadcast_to(counts, self.ids.shape)
        if every.any():
            for mine, span in self.parts:
                self.builder.count(component, action, span, np.ascontiguousarray(self.in_order(every, mine)))

    def in_order(self, values: Ints, mine: Ints) -> Ints:
        """Values [T, chunks] of one part, in the order of its unit."""
        part = values[:, mine]
        return (part.T if self.together else part).ravel()

    def last_of(self, timestep: int) -> list[int]:
        """Last task of a timestep on each replica's unit."""
        return [int(self.ids[timestep, mine].max()) for mine, _ in self.parts]

    def so_far(self, ids: Ints) -> Ints:
        """The largest id at or before each place, in the order of the unit (NONE: none yet); [T, chunks]."""
        found = np.full(ids.shape, NONE, np.int64)
        for mine, _ in self.parts:
            running = np.maximum.accumulate(self.in_order(ids, mine))
            shape = (len(mine), len(ids)) if self.together else (len(ids), len(mine))
            found[:, mine] = running.reshape(shape).T if self.together else running.reshape(shape)
        return found


def step(builder: GraphBuilder, chunks: Chunks, name: str, cycles: Ints, *, together: bool, latency: int = 0) -> Step:
    """Tasks ``LAYER.name.REPLICA`` of so many cycles [T, chunks], in order."""
    ids, parts = np.zeros(cycles.shape, np.int64), []
    when = np.broadcast_to(np.arange(len(cycles))[:, None], cycles.shape)
    for replica in range(chunks.replicas):
        mine = np.flatnonzero(chunks.replica == replica)
        if not len(mine):
            continue
        part, steps = (values[:, mine].T if together else values[:, mine] for values in (cycles, when))
        span = builder.block(
            part.size, layer=chunks.layer.index, unit=builder.unit(f"{chunks.layer.name}.{name}.{replica}"),
            duration=part.ravel(), latency=latency, timestep=steps.ravel(),
        )  # fmt: skip
        here = span.ids.reshape(part.shape)
        ids[:, mine] = here.T if together else here
        parts.append((mine, span))
    return Step(builder, ids, tuple(parts), together)


def fifo_tasks(
    builder: GraphBuilder, layer: int, unit: str, cycles: Ints, before: Ints | None, *, latency: int = 0
) -> Ints:
    """One task on a shared unit for each entry of ``cycles`` [T, n] that is not 0, behind ``before``; ids or NONE."""
    ids = np.full(cycles.shape, NONE, np.int64)
    when, what = np.nonzero(cycles)
    if len(when):
        span = builder.block(
            len(when), layer=layer, unit=builder.unit(unit, "fifo"), duration=cycles[when, what], latency=latency,
            timestep=when,
        )  # fmt: skip
        ids[when, what] = span.ids
        if before is not None:
            builder.edge(span, before[when, what], DATA)
    return ids

"""The ledger: integer counts of every action, by layer and timestep. Counts first; prices come later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.taskgraph import NONE, Action, Span, TaskGraph

EXACT_BELOW = 2**53  # sums are formed in float64 products, exact up to here


@dataclass(frozen=True)
class Ledger:
    """Columns of equal length: layer, timestep (-1: shared by several or by none), component, action, count."""

    layer: NDArray[np.int32]
    timestep: NDArray[np.int32]
    component: NDArray[np.object_]
    action: NDArray[np.object_]
    count: NDArray[np.int64]

    def rows(self) -> Iterator[tuple[int, int, str, str, int]]:
        """One tuple per row."""
        yield from zip(
            self.layer.tolist(), self.timestep.tolist(), self.component.tolist(), self.action.tolist(),
            self.count.tolist(), strict=True,
        )  # fmt: skip

    def total(self, component: str, action: str, layer: int | None = None) -> int:
        """Sum over timesteps, and over layers unless one is named."""
        chosen = (self.component == component) & (self.action == action)
        if layer is not None:
            chosen &= self.layer == layer
        return int(self.count[chosen].sum())


def ledger_of(graph: TaskGraph) -> Ledger:
    """Sum the graph's actions by (layer, timestep, component, action).

    ``count[t] = sum over the span's tasks at t of counts``; all vectors over one span are summed by a single product
    with the span's task-by-timestep incidence matrix.
    """
    by_span: dict[tuple[Span, int], list[Action]] = {}
    for action in graph.actions:
        by_span.setdefault((action.span, int(graph.layer[action.span.first])), []).append(action)
    sums: dict[tuple[int, str, str], NDArray[np.int64]] = {}
    for (span, layer), actions in by_span.items():
        for action, totals in zip(actions, _per_timestep(graph, span, actions), strict=True):
            key = (layer, action.component, action.action)
            sums[key] = sums[key] + totals if key in sums else totals
    return _columns(sums, graph.timesteps)


def _per_timestep(graph: TaskGraph, span: Span, actions: list[Action]) -> NDArray[np.int64]:
    """[actions, timesteps + 1] sums; the last column is work shared by several timesteps."""
    steps = graph.timesteps + 1
    timestep = graph.timestep[span.slice]
    column = np.where(timestep == NONE, graph.timesteps, timestep)
    tasks = np.bincount(column, minlength=steps)
    result = np.empty((len(actions), steps), np.int64)
    vectors = []
    for row, action in enumerate(actions):
        if isinstance(action.counts, int):
            result[row] = tasks * action.counts
        else:
            vectors.append(row)
    if vectors:
        stacked = np.array([actions[row].counts for row in vectors], np.float64)
        if np.any(stacked.sum(axis=1) >= EXACT_BELOW):
            raise OverflowError("a count of a single stage exceeds 2**53")
        incidence = np.zeros((span.count, steps))
        incidence[np.arange(span.count), column] = 1.0
        result[vectors] = np.rint(stacked @ incidence).astype(np.int64)
    return result


def _columns(sums: dict[tuple[int, str, str], NDArray[np.int64]], timesteps: int) -> Ledger:
    keys = sorted(sums)
    table = np.array([sums[key] for key in keys], np.int64).reshape(len(keys), timesteps + 1)
    row, step = np.nonzero(table)
    layers = np.array([key[0] for key in keys], np.int32)
    return Ledger(
        layer=layers[row] if keys else np.zeros(0, np.int32),
        timestep=np.where(step == timesteps, NONE, step).astype(np.int32),
        component=np.array([key[1] for key in keys], object)[row],
        action=np.array([key[2] for key in keys], object)[row],
        count=table[row, step],
    )

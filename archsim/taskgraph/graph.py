"""The graph itself: its columns, and the same work with another buffer or several times over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.errors import ArchsimError
from archsim.taskgraph.parts import NONE, SLOTS, SPACE, Action, Buffer, Ints, Unit
from archsim.taskgraph.space import with_space_edges


@dataclass(frozen=True)
class TaskGraph:
    """Columns of tasks, their edges, their buffers and what they count (semantics: :mod:`archsim.taskgraph`)."""

    units: tuple[Unit, ...]
    layers: tuple[str, ...]
    timesteps: int
    unit: NDArray[np.int32]
    duration: NDArray[np.int32]
    latency: NDArray[np.int32]
    layer: NDArray[np.int32]
    timestep: NDArray[np.int32]
    pred: NDArray[np.int32]  # [tasks, SLOTS], NONE where there is no edge
    kind: NDArray[np.uint8]  # [tasks, SLOTS]
    extra: NDArray[np.int64]  # edges beyond SLOTS, by task: [edges, (task, predecessor, kind, buffer or NONE)]
    buffers: tuple[Buffer, ...] = ()
    actions: tuple[Action, ...] = ()
    space_buffer: NDArray[np.int16] = field(default_factory=lambda: np.zeros((0, SLOTS), np.int16))

    @property
    def tasks(self) -> int:
        """Number of tasks."""
        return len(self.unit)

    @property
    def fifo(self) -> NDArray[np.bool_]:
        """Whether each unit is a fifo unit."""
        return np.array([unit.discipline == "fifo" for unit in self.units], bool)

    def with_capacity(self, buffer: str, capacity: int) -> TaskGraph:
        """The same work with one buffer of another capacity (its space edges derived anew)."""
        if buffer not in (known.name for known in self.buffers):
            raise ArchsimError(f"no buffer named '{buffer}' (there are: {', '.join(b.name for b in self.buffers)})")
        changed = [replace(b, capacity=capacity) if b.name == buffer else b for b in self.buffers]
        return with_space_edges(self._without_space_edges(), changed)

    def unrolled(self, copies: int, carried: Sequence[tuple[int, int, int, int]] = ()) -> TaskGraph:
        """``copies`` iterations back to back.

        ``carried`` edges (task, predecessor, kind, distance) reach ``distance`` copies back. In-order
        units and buffers serve the copies one after the other. Only timing is unrolled: the copies count nothing.
        """
        n, base = self.tasks, self._without_space_edges()
        shift = np.arange(copies, dtype=np.int64) * n

        def tiled(column: NDArray[Any]) -> NDArray[Any]:
            return np.tile(column, (copies,) + (1,) * (column.ndim - 1))

        pred = tiled(base.pred)
        offset = np.repeat(shift, n)[:, None].astype(np.int32)
        pred = np.where(pred >= 0, pred + offset, pred).astype(np.int32)
        edges = [base.extra + np.array([s, s, 0, 0]) for s in shift]
        for task, before, kind, distance in carried:
            if kind == SPACE:
                raise ValueError("space edges come from buffers, which span the copies already")
            edges += [
                np.array([[task + shift[c], before + shift[c - distance], kind, NONE]]) for c in range(distance, copies)
            ]
        extra = np.concatenate(edges) if edges else base.extra
        buffers = [
            replace(
                b,
                acquire=(b.acquire[None, :] + shift[:, None]).ravel(),
                release=(b.release[None, :] + shift[:, None]).ravel(),
                amount=np.tile(b.amount, copies),
            )
            for b in base.buffers
        ]
        graph = replace(
            base,
            unit=tiled(base.unit), duration=tiled(base.duration), latency=tiled(base.latency), layer=tiled(base.layer),
            timestep=tiled(base.timestep), pred=pred, kind=tiled(base.kind), space_buffer=tiled(base.space_buffer),
            extra=extra[np.argsort(extra[:, 0], kind="stable")], actions=(), buffers=(),
        )  # fmt: skip
        return with_space_edges(graph, buffers)

    def edges(self) -> tuple[Ints, Ints, Ints]:
        """All edges as (task, predecessor, kind), in no particular order."""
        task, slot = np.nonzero(self.pred >= 0)
        return (
            np.concatenate([task, self.extra[:, 0]]),
            np.concatenate([self.pred[task, slot].astype(np.int64), self.extra[:, 1]]),
            np.concatenate([self.kind[task, slot].astype(np.int64), self.extra[:, 2]]),
        )

    def actions_of(self, task: int) -> dict[tuple[str, str], int]:
        """What one task counts: (component, action) -> count."""
        found: dict[tuple[str, str], int] = {}
        for action in self.actions:
            span = action.span
            position, rest = divmod(task - span.first, span.stride)
            if rest == 0 and 0 <= position < span.count:
                count = action.counts if isinstance(action.counts, int) else int(action.counts[position])
                key = (action.component, action.action)
                found[key] = found.get(key, 0) + count
        return found

    def _without_space_edges(self) -> TaskGraph:
        keep = self.kind != SPACE
        return replace(
            self,
            pred=np.where(keep, self.pred, NONE).astype(np.int32),
            kind=np.where(keep, self.kind, 0).astype(np.uint8),
            extra=self.extra[self.extra[:, 2] != SPACE],
            space_buffer=np.full_like(self.space_buffer, NONE),
        )

"""The fast engine: the start rule as a plain event loop, in Python or compiled by numba from the same source.

A start is known as soon as its predecessors' starts and its unit's previous task are; so in-order units need no events
at all. Only a fifo unit must wait for time to pass, because an earlier request may still come: its grants are taken
from one heap in ascending time. A fifo task lasts at least one cycle, hence whatever a grant at ``t`` causes is ready
after ``t`` and every request that is ready at ``t`` is known when the grant at ``t`` is made.

A task waits on one unknown predecessor at a time, in a linked list at that predecessor; so the loop needs no successor
lists.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.taskgraph import SPACE, TaskGraph

COMPILE_ABOVE_TASKS = 1_000_000  # a cold compile takes seconds; below this, only a warm cache is used


def start_cycles(graph: TaskGraph, compiled: bool | None = None) -> NDArray[np.int64]:
    """The start cycle of every task; ``-1`` for tasks that can never start (a deadlock).

    ``compiled`` forces numba (True) or plain Python (False); None compiles large graphs, or any when the cache is warm.
    """
    if compiled is None:
        compiled = _numba_pays(graph.tasks)
    in_order = not np.any(graph.fifo) and _points_backward(graph)
    function: Callable[..., Any] = _max_plus if in_order else _event_loop
    columns = _columns(graph)
    run = _compiled(function.__name__) if compiled else function
    start = run(*(columns if compiled else (column.tolist() for column in columns)))
    return np.asarray(start, np.int64)


def _points_backward(graph: TaskGraph) -> bool:
    index = np.arange(graph.tasks, dtype=np.int32)
    backward = all(np.all(graph.pred[:, slot] < index) for slot in range(graph.pred.shape[1]))
    return bool(backward and np.all(graph.extra[:, 1] < graph.extra[:, 0]))


def _columns(graph: TaskGraph) -> tuple[NDArray[Any], ...]:
    """Unit, duration, delay of the result, three predecessors with their kinds as signed ids, extra edges, fifo flags.

    A space edge is stored as ``-2 - predecessor`` so that one number says both which task and which arrival is meant.
    """
    signed = np.where((graph.kind == SPACE) & (graph.pred >= 0), -2 - graph.pred, graph.pred).astype(np.int32)
    extra = np.where(graph.extra[:, 2] == SPACE, -2 - graph.extra[:, 1], graph.extra[:, 1])
    pointer = np.searchsorted(graph.extra[:, 0], np.arange(graph.tasks + 1)) if len(extra) else np.zeros(1, np.int64)
    slots = [np.ascontiguousarray(signed[:, slot]) for slot in range(signed.shape[1])]
    return (graph.unit.astype(np.int64), graph.duration, graph.latency, *slots, extra, pointer, graph.fifo)


def _max_plus(unit, duration, latency, pred_a, pred_b, pred_c, extra, pointer, fifo):  # type: ignore[no-untyped-def] # noqa: PLR0913, PLR0917
    """All units in order and all edges backward: one pass, ``start = max(unit free, arrivals)``."""
    n = len(unit)
    free = [0] * len(fifo)
    start = [0] * n
    finish = [0] * n
    result = [0] * n
    has_extra = len(extra) > 0
    for i in range(n):
        u = unit[i]
        s = free[u]
        p = pred_a[i]
        if p != -1:
            s = max(s, result[p] if p >= 0 else finish[-2 - p])
        p = pred_b[i]
        if p != -1:
            s = max(s, result[p] if p >= 0 else finish[-2 - p])
        p = pred_c[i]
        if p != -1:
            s = max(s, result[p] if p >= 0 else finish[-2 - p])
        if has_extra:
            for e in range(pointer[i], pointer[i + 1]):
                p = extra[e]
                s = max(s, result[p] if p >= 0 else finish[-2 - p])
        start[i] = s
        f = s + duration[i]
        finish[i] = f
        result[i] = f + latency[i]
        free[u] = f
    return start


def _event_loop(unit, duration, latency, pred_a, pred_b, pred_c, extra, pointer, fifo):  # type: ignore[no-untyped-def] # noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917
    """General graphs: see the module docstring. ``todo`` holds tasks whose readiness may have become known."""
    n = len(unit)
    units = len(fifo)
    has_extra = len(extra) > 0
    free = [0] * units
    start = [-1] * n
    finish = [0] * n
    waiting = [-1] * n  # first task that waits for the start of this one
    next_waiting = [-1] * n
    following = [-1] * n  # next task of the same in-order unit
    upcoming = [-1] * units
    queues = [[(0, 0)] for _ in range(units)]
    for queue in queues:
        queue.pop()
    grants = [(0, 0)]
    grants.pop()
    todo = [0]
    todo.pop()
    for i in range(n - 1, -1, -1):
        u = unit[i]
        if fifo[u]:
            todo.append(i)
        else:
            following[i] = upcoming[u]
            upcoming[u] = i
    for u in range(units):
        if upcoming[u] >= 0:
            todo.append(upcoming[u])
    while True:
        while len(todo) > 0:
            i = todo.pop()
            unknown = -1
            ready = 0
            p = pred_a[i]
            if p != -1:
                q = p if p >= 0 else -2 - p
                if start[q] < 0:
                    unknown = q
                else:
                    ready = max(ready, finish[q] + latency[q] if p >= 0 else finish[q])
            p = pred_b[i]
            if p != -1 and unknown < 0:
                q = p if p >= 0 else -2 - p
                if start[q] < 0:
                    unknown = q
                else:
                    ready = max(ready, finish[q] + latency[q] if p >= 0 else finish[q])
            p = pred_c[i]
            if p != -1 and unknown < 0:
                q = p if p >= 0 else -2 - p
                if start[q] < 0:
                    unknown = q
                else:
                    ready = max(ready, finish[q] + latency[q] if p >= 0 else finish[q])
            if has_extra and unknown < 0:
                for e in range(pointer[i], pointer[i + 1]):
                    p = extra[e]
                    q = p if p >= 0 else -2 - p
                    if start[q] < 0:
                        unknown = q
                        break
                    ready = max(ready, finish[q] + latency[q] if p >= 0 else finish[q])
            if unknown >= 0:
                next_waiting[i] = waiting[unknown]
                waiting[unknown] = i
                continue
            u = unit[i]
            if fifo[u]:
                queue = queues[u]
                if len(queue) == 0 or (ready, i) < queue[0]:
                    heapq.heappush(grants, (max(free[u], ready), u))
                heapq.heappush(queue, (ready, i))
                continue
            s = max(free[u], ready)
            start[i] = s
            f = s + duration[i]
            finish[i] = f
            free[u] = f
            if following[i] >= 0:
                todo.append(following[i])
            w = waiting[i]
            while w >= 0:
                todo.append(w)
                w = next_waiting[w]
        if len(grants) == 0:
            return start
        time, u = heapq.heappop(grants)
        queue = queues[u]
        if len(queue) == 0 or max(free[u], queue[0][0]) != time:
            continue  # an earlier request of this unit came after this grant was planned, or it was served already
        ready, i = heapq.heappop(queue)
        start[i] = time
        f = time + duration[i]
        finish[i] = f
        free[u] = f
        if len(queue) > 0:
            heapq.heappush(grants, (max(f, queue[0][0]), u))
        w = waiting[i]
        while w >= 0:
            todo.append(w)
            w = next_waiting[w]


_kernels: dict[str, Callable[..., Any]] = {}


def _compiled(name: str) -> Callable[..., Any]:
    """The named loop compiled by numba, from the cache in the user's cache folder when it is there."""
    if name not in _kernels:
        os.environ.setdefault("NUMBA_CACHE_DIR", str(cache_folder()))
        import numba

        _kernels[name] = numba.njit(cache=True)(globals()[name])
    return _kernels[name]


def cache_folder() -> Path:
    """Where compiled code is kept: ``$NUMBA_CACHE_DIR``, else ``archsim/numba`` in the user's cache folder."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "archsim" / "numba"


def load_compiled() -> None:
    """Compile the loops, or load them from the cache, and use them from now on whatever a graph's size."""
    for name in (_event_loop.__name__, _max_plus.__name__):
        _compiled(name)


def _numba_pays(tasks: int) -> bool:
    import importlib.util

    if _kernels:
        return True
    if importlib.util.find_spec("numba") is None:
        return False
    return tasks > COMPILE_ABOVE_TASKS or (tasks > WARM_ABOVE_TASKS and any(cache_folder().rglob("fast*.nbc")))


WARM_ABOVE_TASKS = 100_000  # importing numba takes 0.5 s even with a warm cache

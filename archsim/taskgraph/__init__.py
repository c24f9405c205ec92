"""The TaskGraph: everything that archsim times is one of these.

A task occupies one unit for ``duration`` cycles; its result is there ``latency`` cycles after its finish. An edge lets
a task start only when the result of its predecessor is there (``data``, ``sync``) or when its predecessor has finished
and thereby freed a place in a buffer (``space``). Columns are numpy arrays, one entry per task; a task's index is its
issue order.

Start rule: ``start[i] = max(unit free, arrival of every predecessor at i, 0)`` and nothing else, where
``arrival = finish + latency`` for data and sync edges and ``arrival = finish`` for space edges.
"""

from archsim.taskgraph.builder import GraphBuilder
from archsim.taskgraph.graph import TaskGraph
from archsim.taskgraph.parts import (
    DATA,
    KIND_NAMES,
    MOST_CYCLES,
    NONE,
    SLOTS,
    SPACE,
    SYNC,
    Action,
    Buffer,
    Discipline,
    Ints,
    Span,
    Unit,
    counts_by_name,
)

__all__ = [
    "DATA", "KIND_NAMES", "MOST_CYCLES", "NONE", "SLOTS", "SPACE", "SYNC", "Action", "Buffer", "Discipline",
    "GraphBuilder", "Ints", "Span", "TaskGraph", "Unit", "counts_by_name",
]  # fmt: skip

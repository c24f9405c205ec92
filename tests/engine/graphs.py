"""Random TaskGraphs for the engines' property tests: fifo ties, zero lengths, latencies, unequal finite buffers, joins."""

from __future__ import annotations

import numpy as np

from archsim.taskgraph import DATA, NONE, SYNC, GraphBuilder, Span, TaskGraph


def random_graph(rng: np.random.Generator, most_tasks: int = 60) -> TaskGraph:
    """A random graph; edges mostly point backward in issue order, some forward across units (never a data cycle)."""
    tasks = int(rng.integers(1, most_tasks))
    units = int(rng.integers(1, 6))
    builder = GraphBuilder(["a", "b", "c"], timesteps=3)
    fifo = rng.random(units) < 0.5
    ids = [builder.unit(f"u{u}", "fifo" if fifo[u] else "in_order") for u in range(units)]
    unit = rng.integers(0, units, tasks)
    duration = rng.integers(0, 5, tasks) * (rng.random(tasks) < 0.8)
    duration = np.where(fifo[unit], np.maximum(duration, 1), duration)
    span = builder.block(
        tasks, layer=0, unit=0, duration=duration, latency=rng.integers(0, 4, tasks) * (rng.random(tasks) < 0.3),
        timestep=rng.integers(NONE, 3, tasks),
    )  # fmt: skip
    builder._segments[0].unit[:] = np.array(ids)[unit]
    # a hidden topological order: usually the index, sometimes a local shuffle, so that edges may point forward
    rank = np.argsort(np.arange(tasks) + (rng.random(tasks) * rng.choice([0, 0, 6])))
    place = np.argsort(rank)
    for _ in range(int(rng.integers(0, 3))):
        before = np.full(tasks, NONE)
        for position in range(1, tasks):
            if rng.random() < 0.6:
                before[rank[position]] = rank[rng.integers(max(0, position - 8), position)]
        before = _keep_acyclic(before, unit, fifo, place)
        builder.edge(span, before, int(rng.choice([DATA, SYNC])))
    if rng.random() < 0.5 and tasks > 3:
        builder.barrier(1, rng.integers(0, tasks, int(rng.integers(1, 6))).tolist())
    for number in range(int(rng.integers(0, 3))):
        _add_buffer(builder, rng, f"buffer{number}", tasks, unit, fifo)
    builder.count("pe", "op", span, rng.integers(0, 9, tasks))
    builder.count("sram", "line_read", Span(0, (tasks + 1) // 2, 2), 3)
    return builder.build()


def _keep_acyclic(before, unit, fifo, place):
    """Drop forward edges whose source sits on the same in-order unit (it could never start)."""
    tasks = np.arange(len(before))
    own = (before >= 0) & (before > tasks) & ~fifo[unit] & (unit[before] == unit)
    return np.where(own, NONE, before)


def _add_buffer(builder, rng, name, tasks, unit, fifo):
    """Holds acquired in ascending order on one unit and released later, with unequal amounts."""
    source = int(rng.integers(0, len(fifo)))
    acquire = np.flatnonzero(unit == source)
    if len(acquire) < 2:
        return
    release = np.array([rng.integers(a, min(tasks, a + 6)) for a in acquire])
    if not fifo[source]:
        release = np.maximum.accumulate(release)
    amount = rng.integers(1, 5, len(acquire))
    builder.holds(name, int(rng.integers(amount.max(), amount.max() + 12)), acquire, release, amount)

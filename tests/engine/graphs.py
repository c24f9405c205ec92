"""Random TaskGraphs for the property tests, made through the public builder only.

They have what breaks engines: fifo ties, zero-length chains, latencies, edges that point forward across units, edges
stated twice with different kinds, joins of many, barriers, and finite buffers of unequal amounts whose releases may lie
on fifo units or out of order. About one graph in ten deadlocks.
"""

from __future__ import annotations

import numpy as np

from archsim.taskgraph import DATA, NONE, SYNC, GraphBuilder, Span, TaskGraph

LAYERS = ("a", "b", "c")
TIMESTEPS = 3


def random_graph(rng: np.random.Generator, most_tasks: int = 50, fifo_share: float = 0.5) -> TaskGraph:
    """A random graph of up to ``most_tasks`` tasks (and perhaps a barrier); ``fifo_share`` 0 makes every unit in-
    order."""
    builder = GraphBuilder(LAYERS, TIMESTEPS)
    fifo = rng.random(int(rng.integers(1, 6))) < fifo_share
    spans, unit = _tasks(builder, rng, int(rng.integers(1, most_tasks)), fifo)
    order = _hidden_order(rng, unit, fifo)
    place = np.argsort(order)
    _edges(builder, rng, spans, order, place)
    for _ in range(int(rng.integers(0, 4))):
        task = int(rng.integers(0, len(unit)))
        before = order[: place[task]]
        if len(before):
            builder.join(task, rng.choice(before, int(rng.integers(1, 8))).tolist(), int(rng.choice([DATA, SYNC])))
    if rng.random() < 0.03:  # an edge from anywhere: perhaps a cycle of data
        builder.join(int(rng.integers(0, len(unit))), rng.integers(0, len(unit), 1).tolist(), DATA)
    for number in range(int(rng.choice([0, 1, 1, 2, 3]))):
        _buffer(builder, rng, f"buffer{number}", order, unit)
    for span in spans:
        builder.count("pe", "op", span, rng.integers(0, 9, span.count))
        builder.count("sram", "line_read", Span(span.first, (span.count + 1) // 2, 2), int(rng.integers(0, 4)))
        builder.count("pe", "op", Span(span.first + span.count // 2, 1), rng.integers(0, 9, 1))
    return builder.build()


def _tasks(builder, rng, count, fifo):
    """Blocks of tasks, one per layer, perhaps with a barrier; returns spans and units (``len(fifo)`` is ``sync``)."""
    ids = [builder.unit(f"u{u}", "fifo" if is_fifo else "in_order") for u, is_fifo in enumerate(fifo)]
    longest = int(rng.choice([1, 2, 5, 20]))  # short ones make ties
    latency_share = rng.choice([0.0, 0.3, 0.8])
    cuts = sorted(rng.integers(0, count + 1, len(LAYERS) - 1).tolist())
    spans, units = [], []
    for layer, size in enumerate(np.diff([0, *cuts, count]).tolist()):
        if not size:
            continue
        unit = rng.integers(0, len(fifo), size)
        duration = rng.integers(0, longest + 1, size) * (rng.random(size) < 0.8)
        span = Span(builder.reserve(size, layer), size)
        builder.fill(
            span, unit=np.array(ids)[unit], duration=np.where(fifo[unit], np.maximum(duration, 1), duration),
            latency=rng.integers(0, 6, size) * (rng.random(size) < latency_share),
            timestep=rng.integers(NONE, TIMESTEPS, size),
        )  # fmt: skip
        spans.append(span)
        units.append(unit)
        if layer == 0 and rng.random() < 0.5:
            builder.barrier(1, rng.integers(0, size, 4).tolist())
            units.append(np.array([len(fifo)]))
    return spans, np.concatenate(units)


def _hidden_order(rng, unit, fifo):
    """Tasks in an order in which they could be executed: near the index order, and ascending on each in-order unit."""
    order = np.argsort(np.arange(len(unit)) + rng.random(len(unit)) * rng.choice([0, 4, 12]), kind="stable")
    for in_order in np.flatnonzero(np.append(~fifo, True)):
        where = np.flatnonzero(unit[order] == in_order)
        order[where] = np.sort(order[where])
    place = np.argsort(order)
    for barrier in np.flatnonzero(unit == len(fifo)):  # its predecessors come first in the index: keep that true here
        if np.any(place[:barrier] > place[barrier]):
            return np.arange(len(unit))
    return order


def _edges(builder, rng, spans, order, place):
    """Up to three edges into each task, from tasks that are before it in the hidden order; some stated twice."""
    stated = {}
    reach = int(rng.choice([2, 8, 30]))
    for round_ in range(int(rng.integers(0, 4))):
        kind = int(rng.choice([DATA, SYNC]))
        for span in spans:
            before = np.full(span.count, NONE)
            for number, task in enumerate(span.ids):
                if place[task] and rng.random() < 0.6:
                    before[number] = order[rng.integers(max(0, place[task] - reach), place[task])]
            again = stated.get((round_ - 1, span))
            if again is not None and rng.random() < 0.3:
                before = np.where(rng.random(span.count) < 0.5, again, before)
            stated[round_, span] = before
            builder.edge(span, before, kind)


def _buffer(builder, rng, name, order, unit):
    """Holds of unequal amounts, acquired in the hidden order on one unit or several, released a little later, in turn
    or not."""
    place = np.argsort(order)
    acquire = order[unit[order] == rng.integers(0, unit.max() + 1)] if rng.random() < 0.7 else order
    acquire = acquire[rng.random(len(acquire)) < rng.choice([0.4, 1.0])]
    releasing = order[unit[order] == rng.integers(0, unit.max() + 1)] if rng.random() < 0.7 else order
    holds = []
    later = 0
    in_turn = rng.random() < 0.85
    for task in acquire:
        choices = releasing[place[releasing] >= place[task]][:3]
        if in_turn:
            choices = choices[place[choices] >= later]
        if len(choices):
            release = int(rng.choice(choices))
            later = place[release]
            holds += [(task, release, int(rng.integers(0, 5)))] * (2 if rng.random() < 0.1 else 1)
    if holds:
        taken, freed, amount = np.array(holds).T
        least = max(int(amount.max()), 1)
        roomy = least + int(amount.sum() * rng.choice([0.4, 0.6, 0.8]))
        builder.holds(name, least + int(rng.integers(0, 20)) if rng.random() < 0.3 else roomy, taken, freed, amount)

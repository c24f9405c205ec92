"""Roofline: synaptic operations per byte moved at each memory, and the rate that each memory would allow.

``intensity = operations / bytes moved``; ``attainable = min(roof, intensity x bandwidth)`` (Williams, Waterman and
Patterson 2009). All of it is data of the run: operations are the ledger's ``sop`` (products that are really added),
bytes are its accesses times their width. Operations pass several stages (array and neuron module, or word lines,
converters and neurons of every layer), each of them only as fast as it is: ``roof = operations / cycles that the
busiest unit works``, as if it never waited; DRAM's channel is no stage. So the sparsity of this input is in it. The
bandwidth of DRAM is what the channel moves while it is busy. An on-chip memory has a read and a write port per bank and
instance, each for one line (or word) per cycle; its bandwidth is that of the busier way times ``all bytes / bytes of
that way``, so the mix of this run is in it, and at least what the run really moved (a chip may be told that ports do
not limit it).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from archsim.engine import Execution
from archsim.taskgraph import Action, Ints

OPERATION = "sop"
LINES, WORDS, BITS = ("line_read", "line_write"), ("read", "write"), ("read_bit", "write_bit")
MEMORIES: Mapping[str, tuple[str, ...]] = {"dram": BITS, "sram": LINES, "edram": LINES, "registerfile": WORDS}


class Part(Protocol):
    """What has to be known of a component (:class:`archsim.cost.component.Component` is one)."""

    @property
    def name(self) -> str:
        """As in the ledger."""

    @property
    def primitive(self) -> str:
        """What it is made of."""

    @property
    def level(self) -> str:
        """Where it lies."""

    @property
    def attributes(self) -> Mapping[str, float | int | str]:
        """What sizes it."""

    @property
    def count(self) -> int:
        """Instances."""


@dataclass(frozen=True)
class Memory:
    """One memory under the roof. Bytes and bytes per second of all its instances together."""

    component: str
    level: str
    bytes_moved: float
    intensity: float  # operations per byte
    bytes_per_s: float
    attainable_per_s: float
    memory_bound: bool  # whether this memory lies below the roof


@dataclass(frozen=True)
class Roofline:
    """Operations per second: achieved, those that the busiest stage lets pass, those that each memory would allow."""

    operations: int
    achieved_per_s: float
    roof_per_s: float
    stage: str  # the busiest unit that is no DRAM channel: it makes the roof
    memories: tuple[Memory, ...]  # the lowest attainable rate first


def roofline(execution: Execution, parts: Sequence[Part], clock_mhz: float) -> Roofline:
    """Place every memory that moved something under the roof of the stages that operations pass."""
    clock_hz = clock_mhz * 1e6
    operations = sum(int(_counts(action).sum()) for action in execution.graph.actions if action.action == OPERATION)
    stage, busy_cycles = _busiest(execution, [part.name for part in parts if part.primitive == "dram"])
    roof = operations * clock_hz / busy_cycles if busy_cycles else 0.0
    memories = []
    for part in parts:
        ways = _bits(execution, part)
        bits, rate = sum(ways), _bytes_per_s(execution, part, ways, clock_hz)
        if not bits or not rate:
            continue
        intensity = operations / (bits / 8)
        allowed = intensity * rate
        memories.append(
            Memory(part.name, part.level, bits / 8, intensity, rate, min(roof, allowed), allowed < roof)
        )  # fmt: skip
    achieved = operations * clock_hz / execution.cycles if execution.cycles else 0.0
    return Roofline(operations, achieved, roof, stage, tuple(sorted(memories, key=lambda one: one.attainable_per_s)))


def _busiest(execution: Execution, channels: Sequence[str]) -> tuple[str, int]:
    """The unit that works most, channels of DRAM apart, and the cycles in which it does; nothing works: no name, 0."""
    stages = [
        (int(busy), unit.name)
        for unit, busy in zip(execution.graph.units, _busy(execution), strict=True)
        if unit.name not in channels and busy
    ]
    cycles, name = max(stages, key=lambda stage: stage[0], default=(0, ""))
    return name, cycles


def _counts(action: Action) -> Ints:
    return np.broadcast_to(np.asarray(action.counts, np.int64), (action.span.count,))


def _busy(execution: Execution) -> Ints:
    """[units] cycles in which each unit works."""
    graph = execution.graph
    return np.rint(np.bincount(graph.unit, weights=graph.duration, minlength=len(graph.units))).astype(np.int64)


def _bits(execution: Execution, part: Part) -> list[float]:
    """Bits that were read, and bits that were written; nothing of what is no memory."""
    accesses = MEMORIES.get(part.primitive, ())
    return [execution.ledger.total(part.name, access) * _width_bits(part) for access in accesses]


def _width_bits(part: Part) -> float:
    """Bits of one access."""
    if part.primitive == "dram":
        return 1.0
    return 8.0 * float(part.attributes["line_bytes"]) if "line_bytes" in part.attributes else _bits_of_word(part)


def _bits_of_word(part: Part) -> float:
    return float(part.attributes.get("bits", 0))


def _bytes_per_s(execution: Execution, part: Part, ways: list[float], clock_hz: float) -> float:
    """What a memory can move, at this run's mix of reads and writes."""
    bits = sum(ways)
    if not bits:
        return 0.0
    if part.primitive != "dram":
        ports = part.count * float(part.attributes.get("banks", 1))
        return max(ports * _width_bits(part) / max(ways), 1 / max(execution.cycles, 1)) * bits / 8 * clock_hz
    graph = execution.graph
    channel = [number for number, unit in enumerate(graph.units) if unit.name == part.name]
    busy = float(_busy(execution)[channel].sum()) if channel else 0.0
    return bits / 8 * clock_hz / busy if busy else 0.0

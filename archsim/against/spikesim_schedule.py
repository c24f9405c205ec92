"""From SpikeSim's latency to the schedule that archsim executed, one named difference at a time.

SpikeSim's positions take 26 clocks whatever is read. First they take the chip's own time, then as many reads as an
input has bits; what is left is the schedule, cut as its critical path is: reads, neuron updates, ports, latencies.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from archsim.peers.waterfall import Given

if TYPE_CHECKING:
    from archsim.accelerators.crossbar.schema import CrossbarArchitecture
    from archsim.peers.spikesim import Latency, SpikeSimConfig, SpikeSimLayer
    from archsim.result import PathRow, Result

SCHEDULE = "executed schedule"
_KINDS = {
    "read": "", "adc": "", "fetch": "input fetches", "wires": "input fetches", "neurons": "neuron updates",
    "membranes": "neuron updates", "port": "ports", "dram": "DRAM",
}  # fmt: skip
_WHY = {
    "input fetches": "inputs that come out of the buffers line by line and that no read hides",
    "neuron updates": "neurons, pools and adds that no read hides, on units of a stated number",
    "ports": "partial sums and spikes that queue at tiles' ports, flit by flit",
    "DRAM": "the network's input and output pass one channel",
    "latencies": "what passes between units: H-tree, routers, neuron pipeline",
}


def latency_bars(
    result: Result, chip: CrossbarArchitecture, peer: Latency, layers: Sequence[SpikeSimLayer], config: SpikeSimConfig
) -> list[Given]:
    """The bars in ns from ``peer``, SpikeSim under ``config``, to ``result``; bars worth nothing are left out."""
    read_ns = read_cycles(chip) * 1000.0 / chip.clock_mhz
    ratio = read_ns / config.pe_cycle_ns
    bits = {layer.name: layer.in_bits for layer in layers}
    shares = _shares_ns(peer)
    planes = sum((bits[name] - 1) * share for name, share in shares.items()) * ratio
    there = peer.total_ns * ratio + planes
    bars = [
        Given(
            "a PE cycle takes the chip's own time",
            f"settling and converting take {read_ns:.4g} ns instead of {config.constants.pe_cycle_clocks} clocks",
            peer.total_ns * (ratio - 1),
        ),
        Given(
            "inputs of several bits are read bit by bit",
            "the peer drives an image or a pooled map like a spike, in one read",
            planes,
        ),
        *_schedule(result, there),
    ]
    return [bar for bar in bars if bar.difference]


def read_cycles(chip: CrossbarArchitecture) -> int:
    """Cycles of one read of a PE of which every column is used and no crossbar is silent."""
    takes_turns = chip.adc.share == "pe" and not chip.adc.analog_sum
    turns = chip.pe.crossbars if takes_turns else 1
    settle = chip.cycles(chip.crossbar.read_ns)
    convert = chip.crossbar.column_mux * chip.cycles(float(chip.adc.conversion))
    return turns * (settle + convert) if chip.crossbar.conducts == "hold" else max(settle, turns * convert)


def _shares_ns(peer: Latency) -> dict[str, float]:
    """What each layer adds to SpikeSim's latency: until the next one starts, and the last one's whole time."""
    found = {before.name: after.start_ns - before.start_ns for before, after in pairwise(peer.layers)}
    last = peer.layers[-1]
    return {**found, last.name: last.finish_ns - last.start_ns}


def _schedule(result: Result, there: float) -> Iterator[Given]:
    """The critical path: what is no read has bars of its own, and the reads take what is left."""
    beside: dict[str, float] = {}
    for row in result.critical_path:
        kind = _kind(row)
        if kind:
            beside[kind] = beside.get(kind, 0.0) + row.cycles * 1000.0 / result.clock_mhz
    why = "reads and conversions of all layers and timesteps overlap as far as windows, buffers and replicas allow"
    yield Given(
        f"{SCHEDULE}: reads",
        f"{why}; silent positions are skipped" + ("" if beside else "; neuron updates and ports are part of it"),
        result.latency_ns - there - sum(beside.values()),
    )
    for kind, value in beside.items():
        yield Given(f"{SCHEDULE}: {kind}", _WHY.get(kind, "the peer has no such unit"), value)


def _kind(row: PathRow) -> str:
    """What a stretch of the critical path is, by its unit (LAYER.STEP.REPLICA, port.TILE); nothing for a read."""
    if row.what == "latency":
        return "latencies"
    step = row.unit.rsplit(".", 2)[-2] if row.unit.count(".") > 1 else row.unit.partition(".")[0]
    return _KINDS.get(step, step)

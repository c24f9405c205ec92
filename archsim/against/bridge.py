"""From the parts of SATA_Sim's energy to the parts of archsim's, one named difference at a time.

Every figure of archsim's ledger is taken by exactly one bar, and what no bar names takes one of its own under the name
of its component; so the bars sum to the difference of the totals by construction.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from archsim.peers.waterfall import Given

if TYPE_CHECKING:
    from archsim.peers.sata_sim import SataSimAnswer
    from archsim.result import Result

PJ_PER_NJ = 1000.0
LEAKAGE = "leakage"
BUFFERS = ("ifmap", "weight", "ofmap")
DATAPATH = ("pe_and", "pe_adder", "pe_accumulator", "pe_multiplier")
FORWARDING = ("pe_input_register", "pe_weight_register")
SKIPPING = ("spike_scanner", "row_fifo")


class _Parts:
    """archsim's energy in pJ by component and action (or leakage); what is taken is gone."""

    def __init__(self, result: Result) -> None:
        self.level = {row.name: row.level for row in result.components}
        self.description = {row.name: row.description for row in result.components}
        self._left: dict[tuple[str, str], float] = {}
        for count in result.counts:
            key = (count.component, count.action)
            self._left[key] = self._left.get(key, 0.0) + count.energy_pj
        for row in result.components:
            self._left[row.name, LEAKAGE] = row.static_pj

    def components(self) -> list[str]:
        """The components of which something is left."""
        return list(dict.fromkeys(name for name, _ in self._left))

    def take(self, *names: str, actions: tuple[str, ...] | None = None, leakage: bool = False) -> float:
        """Energy of these components' actions (all of them unless named), with or without leakage."""
        found = 0.0
        for name, action in list(self._left):
            wanted = leakage if action == LEAKAGE else actions is None or action in actions
            if name in names and wanted:
                found += self._left.pop((name, action))
        return found

    def take_leakage(self, *names: str) -> float:
        """Leakage of these components."""
        return sum(self._left.pop((name, LEAKAGE), 0.0) for name in names)

    def of_level(self, level: str) -> tuple[str, ...]:
        """The components of a level."""
        return tuple(name for name, own in self.level.items() if own == level)


def bridge(result: Result, peer: SataSimAnswer) -> list[Given]:
    """The bars from ``peer`` (nJ) to ``result`` (pJ); bars worth nothing are left out."""
    parts = _Parts(result)
    bars = [
        *_processing(parts, peer),
        *_buffer_accesses(parts, peer),
        *_buffer_leakage(parts, peer, result.latency_ns),
        *_dram(parts, peer, result),
        *_beyond(parts),
    ]
    return [bar for bar in bars if bar.difference]


def _processing(parts: _Parts, peer: SataSimAnswer) -> Iterator[Given]:
    switched = {tag: (energy.operation_nj + energy.ungated_nj) * PJ_PER_NJ for tag, energy in peer.compute.items()}
    datapath = switched.get("spike-mac", 0.0) + switched.get("mac", 0.0)
    yield Given(
        "PE datapath: energy per operation executed",
        "archsim counts every AND, addition and partial-sum write of the real spikes; the peer has one mean sparsity",
        parts.take(*DATAPATH) - datapath,
    )
    yield Given(
        "PE registers: inputs and weights move from PE to PE",
        "a systolic array forwards every value through a register of each PE that it passes",
        parts.take(*FORWARDING),
    )
    yield Given(
        "scratchpads: one word per access, not the whole file",
        "the peer lets every byte of a PE's register files switch at once",
        parts.take(*parts.of_level("scratchpad")) - switched.get("spad", 0.0),
    )
    neuron = parts.of_level("neuron module")
    yield Given(
        "neuron module: energy per update",
        "archsim adds, compares, leaks and resets with the membrane read and written; the peer compares and subtracts",
        parts.take(*neuron) - switched.get("lif", 0.0) - switched.get("relu", 0.0),
    )
    leaking = parts.take_leakage(*DATAPATH, *FORWARDING, *parts.of_level("scratchpad"), *neuron)
    yield Given(
        "PE and neuron leakage over the executed time",
        "other components, and the time that the run really took",
        leaking - sum(energy.leakage_nj for energy in peer.compute.values()) * PJ_PER_NJ,
    )


def _buffer_accesses(parts: _Parts, peer: SataSimAnswer) -> Iterator[Given]:
    """The array's side of each buffer against the peer's; then the DRAM's side, which the peer does not bill."""
    sides = (("ifmap", "line_read", "read"), ("weight", "line_read", "read"), ("ofmap", "line_write", "written"))
    for name, action, way in sides:
        yield Given(
            f"{name} buffer: lines {way} by the array",
            "archsim bills whole lines for what a pass needs; the peer bills bytes of its own traces",
            parts.take(f"{name}_buffer", actions=(action,)) - peer.memory.sram_dynamic_nj[name] * PJ_PER_NJ,
        )
    yield Given(
        "buffers are filled from DRAM and drained to it",
        "every line that comes from or goes to DRAM is written or read in the buffer too; partial sums are read back",
        parts.take(*(f"{name}_buffer" for name in BUFFERS)),
    )


def _buffer_leakage(parts: _Parts, peer: SataSimAnswer, latency_ns: float) -> Iterator[Given]:
    theirs = peer.sram_leakage_nj * PJ_PER_NJ
    over_our_time = theirs * latency_ns / (peer.latency_s * 1e9) if peer.latency_s else theirs
    yield Given(
        "buffer leakage over the executed time",
        f"the run takes {latency_ns / 1e6:.4g} ms; the peer counts {peer.latency_s * 1e3:.4g} ms",
        over_our_time - theirs,
    )
    yield Given(
        "buffer leakage power of the cost table",
        "archsim's table is CACTI 7 per bank at 360 K, all banks; the peer's is its own run of CACTI",
        parts.take_leakage(*(f"{name}_buffer" for name in BUFFERS)) - over_our_time,
    )


def _dram(parts: _Parts, peer: SataSimAnswer, result: Result) -> Iterator[Given]:
    """Traffic at the peer's energy per bit, then archsim's energy per bit, activation and background."""
    bits = {way: _counted(result, "dram", f"{way}_bit") for way in ("read", "write")}
    per_bit = peer.config.dram_nj * PJ_PER_NJ / (32 if peer.config.conventions.dram_per_burst else 8)
    theirs = {name: energy * PJ_PER_NJ for name, energy in peer.memory.dram_nj.items()}
    yield Given(
        "DRAM reads: the tiles that are really fetched",
        "weights and inputs as often as the buffers' true capacity demands, skip maps and spilled state; the peer"
        " replays weight-stationary weights beside output-stationary inputs",
        bits["read"] * per_bit - theirs["ifmap"] - theirs["weight"],
    )
    yield Given(
        "DRAM writes: the maps that are really stored",
        "output maps at their value width, and spilled state",
        bits["write"] * per_bit - theirs["ofmap"],
    )
    moved = parts.take("dram", actions=("read_bit", "write_bit"))
    yield Given(
        "DRAM energy per bit",
        "the cost table's energy per bit instead of the peer's CACTI figure",
        moved - sum(bits.values()) * per_bit,
    )
    yield Given("DRAM row activation", "the peer has none", parts.take("dram", actions=("activate",)))
    background = parts.take_leakage("dram")
    yield Given("DRAM background power", "standby and refresh over the run; the peer has none", background)


def _counted(result: Result, component: str, action: str) -> float:
    return sum(row.count for row in result.counts if (row.component, row.action) == (component, action))


def _beyond(parts: _Parts) -> Iterator[Given]:
    """What the peer has no counterpart for."""
    membrane = parts.take("membrane_buffer", leakage=True)
    yield Given("membrane potentials in a buffer of their own", "the peer keeps them for nothing", membrane)
    skipping = parts.take(*SKIPPING, leakage=True)
    yield Given("finding the spikes to skip to", "the peer's sparsity is free of charge", skipping)
    vector = tuple(name for name in parts.components() if name.startswith("vector_"))
    yield Given("pools and residual adds", "the peer has none", parts.take(*vector, leakage=True))
    encoder = tuple(name for name in parts.components() if name.startswith("encoder_"))
    yield Given("input encoder", "the peer has none", parts.take(*encoder, leakage=True))
    for name in parts.components():
        yield Given(f"{name}: {parts.description.get(name, '')}", "the peer has none", parts.take(name, leakage=True))

"""What to change first: the change that shortens a run most, the key of the chip that makes it, and plain sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from archsim.analysis.sensitivity import Change, Sensitivity, kind_of
from archsim.analysis.verdict import shown, verdict
from archsim.result import Result

Levers = Mapping[tuple[Change, str], tuple[tuple[str, float], ...]]
LEVERS: Levers = {  # of a kind of unit or buffer: keys that make it better, and the factor (0: one more)
    ("faster", "dram"): (("dram.bandwidth", 2.0),),
    ("faster", "adc"): (("adc.conversion", 0.5), ("crossbar.column_mux", 0.5)),
    ("faster", "read"): (("crossbar.read", 0.5),),
    ("faster", "port"): (("noc.flit_bits", 2.0),),
    ("faster", "fetch"): (("buffer.lines_per_cycle", 2.0),),
    ("faster", "wires"): (("tile.wires", 2.0),),
    ("faster", "membranes"): (("neuron.membrane.lines_per_cycle", 2.0),),
    ("faster", "neuron"): (("neuron.cycles_per_update", 0.5), ("neuron.units", 2.0)),
    ("faster", "neurons"): (("neuron.cycles_per_update", 0.5), ("neuron.units", 2.0)),
    ("faster", "vector"): (("vector.lanes", 2.0),),
    ("faster", "array"): (("array.cols", 2.0), ("array.rows", 2.0)),
    ("sooner", "dram"): (("dram.latency", 0.5),),
    ("sooner", "port"): (("noc.router_cycles", 0.5),),
    ("sooner", "adc"): (("tile.wiring_cycles", 0.5),),
    ("sooner", "neuron"): (("neuron.latency_cycles", 0.5),),
    ("sooner", "neurons"): (("neuron.latency_cycles", 0.5),),
    ("deeper", "input_rows"): (("buffer.rows", 0.0),),
    ("deeper", "accumulators"): (("pe.accumulator_sets", 0.0),),
    ("deeper", "weight_buffer"): (("buffers.weight.size", 2.0),),
    ("deeper", "ifmap_buffer"): (("buffers.ifmap.size", 2.0),),
    ("deeper", "ofmap_buffer"): (("buffers.ofmap.size", 2.0),),
    ("deeper", "completed_sums"): (("buffers.ofmap.size", 2.0),),
}
LITTLE = 0.05  # of the run
WHAT: Mapping[Change, str] = {
    "faster": "twice as fast", "deeper": "one slot deeper", "sooner": "with half the latency",
}  # fmt: skip


@dataclass(frozen=True)
class Advice:
    """The change with the largest gain, how the chip's description says it, and what executing that really gave."""

    change: Change
    subject: str
    gain_cycles: int  # on the same graph
    overrides: tuple[tuple[str, ...], ...]  # ways to make it, each of so many --set; () where no key of the chip does
    pair_of: tuple[str, ...] = ()  # the two kinds of a pair
    executed: Executed | None = None  # the best of the overrides


@dataclass(frozen=True)
class Executed:
    """The chip with overrides, lowered and executed anew."""

    overrides: tuple[str, ...]
    cycles: int
    energy_pj: float


def advise(found: Sequence[Sensitivity], chip: Any) -> Advice | None:
    """The largest gain; of equal ones a change of the whole kind that a key of the chip makes.

    A pair only where no single change makes the run shorter by a LITTLE.
    """
    gaining = [one for one in found if one.gain > 0]
    enough = [one for one in gaining if not one.pair_of and one.gain >= LITTLE * (one.gain + one.cycles)]
    if not gaining:
        return None
    keys = {one: overrides(chip, one) for one in gaining}
    best = max(enough or gaining, key=lambda one: (one.gain, bool(keys[one]), one.of_kind))
    return Advice(best.change, best.subject, best.gain, keys[best], best.pair_of)


def overrides(chip: Any, change: Sensitivity) -> tuple[tuple[str, ...], ...]:
    """Ways to make a change of all units or buffers of its kind (or kinds) with ``key=value`` of the chip."""
    subjects = change.pair_of or (change.subject,)
    return tuple(product(*(_keys(chip, change.change, kind_of(subject)) for subject in subjects)))


def _keys(chip: Any, change: Change, kind: str) -> list[str]:
    """``key=value`` for each key of the chip that makes a change of a kind."""
    found = []
    for key, factor in LEVERS.get((change, kind), ()):
        now: Any = chip
        for name in key.split("."):
            now = getattr(now, name, None)
        if isinstance(now, bool) or not isinstance(now, int | float):
            continue
        then = now * factor if factor else now + 1
        if isinstance(now, int):
            then = max(math.ceil(then), 1)
        if then != now:
            found.append(f"{key}={then:.12g}")
    return found


def name_of(change: Sensitivity | Advice) -> str:
    """What is changed, as people say it: ``the converters``, ``DRAM``, ``the buffer weight_buffer``."""
    subject = change.subject
    if change.pair_of:
        return " and ".join(shown(part) for part in change.pair_of)
    if change.change == "deeper":
        several = isinstance(change, Sensitivity) and change.of_kind
        return f"the buffers {subject}" if several else f"the buffer {subject}"
    if "." in subject:
        return f"{shown(subject)} ({subject})" if shown(subject) != subject else subject
    return shown(subject)


def sentences(
    result: Result, found: Sequence[Sensitivity], dearest: str, advice: Advice | None
) -> tuple[str, str, str]:
    """What limits time, what costs energy, and what to change first with what it would gain."""
    limits = dict(part.split(": ", 1) for part in verdict(result).split("; ") if ": " in part)
    time = f"Time: {limits.get('time', 'the run takes no time')}."
    energy = f"Energy: {limits.get('energy', 'the run takes no energy')}"
    energy += _half_of(result, dearest) + "."
    worse = [one for one in found if one.anomaly]
    third = _first(result, advice)
    if worse:
        least = worse[-1]
        third += (
            f" Beware: {name_of(least)} {WHAT[least.change]} makes the run {-least.gain:,} cycles longer, because"
            " requests then overtake each other."
        )
    return time, energy, third


def _half_of(result: Result, dearest: str) -> str:
    """What the change of prices with the largest gain would save."""
    share = next((part for part in result.components if part.name == dearest), None)
    if share is not None:
        saved = _percent(share.energy_pj / 2, result.energy_pj)
        return f"; {dearest} at half its energy and leakage would save {saved}"
    if not dearest:
        return ""
    idle = _percent(result.static_pj, result.energy_pj)
    return f"; leakage and background power of all parts over the run are {idle}"


def _first(result: Result, advice: Advice | None) -> str:
    if advice is None:
        return "Change first: nothing; no single unit, buffer or latency that is better shortens the run."
    share = _percent(advice.gain_cycles, result.cycles)
    first = (
        f"Change first: {name_of(advice)} {WHAT[advice.change]}: the run would be {advice.gain_cycles:,} of"
        f" {result.cycles:,.0f} cycles shorter ({share})"
    )
    if advice.executed is None:
        keys = " or ".join(_as_options(way) for way in advice.overrides)
        return f"{first}; try {keys}." if keys else f"{first}."
    return f"{first}; executed with {_as_options(advice.executed.overrides)} it {_outcome(result, advice.executed)}."


def _as_options(way: Sequence[str]) -> str:
    return " ".join(f"--set {override}" for override in way)


def _outcome(result: Result, executed: Executed) -> str:
    """``is 30 % shorter and takes 26 % less energy``."""
    cycles, energy = result.cycles - executed.cycles, result.energy_pj - executed.energy_pj
    time = f"is {_percent(abs(cycles), result.cycles)} {'shorter' if cycles >= 0 else 'longer'}"
    return f"{time} and takes {_percent(abs(energy), result.energy_pj)} {'less' if energy >= 0 else 'more'} energy"


def _percent(part: float, whole: float) -> str:
    share = 100.0 * part / whole if whole else 0.0
    return f"{share:.0f} %" if share >= 1 or not share else f"{share:.2g} %"

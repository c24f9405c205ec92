"""What is not like for like: every difference between sides that is not the chips' design, as plain sentences.

Each check looks at what the results state about themselves (inputs, hashes, components, assumptions), never at names of
presets, and yields a :class:`Difference` where sides disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from archsim.comparison.hardware import CHECKS as HARDWARE_CHECKS
from archsim.comparison.settings import leaves
from archsim.comparison.sides import Difference, Side, alike, by_value, listed, said_samples
from archsim.request import split_overrides

Sides = Sequence[Side]
ACTIVITY = "activity: "
PRECISION = {"weight_bits": 8, "membrane_bits": 16, "input_bits": 8}
MOST_KEYS = 6
MISSING = "not stated"


def differences(sides: Sides) -> tuple[Difference, ...]:
    """All differences, the most misleading ones first; empty where the sides are alike."""
    return tuple(found for check in (*CHECKS, *HARDWARE_CHECKS, assumptions) for found in check(sides))


def network(sides: Sides) -> Iterator[Difference]:
    """Different networks; or one name for what has different contents: which keys differ."""
    names = tuple(side.result.workload for side in sides)
    hashes = tuple(side.result.hashes.get("workload", "") for side in sides)
    if not alike(names):
        text = f"They executed different networks: {by_value(sides, names)}."
        yield Difference("network", text, names)
    elif not alike(hashes):
        changed = _changed_keys([side.stated("workload") for side in sides])
        what = f"in {', '.join(changed)}" if changed else "in the recorded spikes"
        yield Difference("network", f"The workload {names[0]} is not the same on all sides: it differs {what}.", hashes)


def timesteps(sides: Sides) -> Iterator[Difference]:
    """Different numbers of timesteps."""
    steps = tuple(side.result.timesteps for side in sides)
    if not alike(steps):
        shown = by_value(sides, (f"{number} timesteps" for number in steps))
        yield Difference("timesteps", f"An inference takes {shown}.", steps)


def precision(sides: Sides) -> Iterator[Difference]:
    """Widths of weights, membranes and inputs that the workloads state."""
    for name, default in PRECISION.items():
        stated = (side.stated("workload", "precision", name) for side in sides)
        bits = tuple(default if value is None else value for value in stated)
        if not alike(bits):
            noun = name.removesuffix("_bits")
            shown = by_value(sides, (f"{value} bits" for value in bits))
            yield Difference("precision", f"The width of {noun}s differs: {shown}.", bits)


def activity(sides: Sides) -> Iterator[Difference]:
    """Recorded against synthetic spikes, or other densities, generators, seeds or traces."""
    kinds = tuple("synthetic" if side.result.synthetic else "recorded" for side in sides)
    said = tuple(_activity(side) for side in sides)
    if not alike(kinds):
        text = "The spikes come from different sources"
        yield Difference("activity", f"{text}: {by_value(sides, said)}; densities are no measurement.", said)
    elif not alike(said):
        yield Difference("activity", f"The spikes differ: {by_value(sides, said)}.", said)


def _activity(side: Side) -> str:
    kind = "synthetic" if side.result.synthetic else "recorded"
    return next((note.removeprefix(ACTIVITY) for note in side.result.assumptions if note.startswith(ACTIVITY)), kind)


def samples(sides: Sides) -> Iterator[Difference]:
    """Other inputs were executed."""
    executed = tuple(side.result.samples for side in sides)
    if not alike(executed):
        shown = by_value(sides, (said_samples(numbers) for numbers in executed))
        yield Difference("samples", f"Different inputs were executed: {shown}.", executed)


def node(sides: Sides) -> Iterator[Difference]:
    """Different technology nodes."""
    nodes = tuple(side.result.node_nm for side in sides)
    if not alike(nodes):
        shown = by_value(sides, (f"{value:g} nm" for value in nodes))
        text = (
            f"The technology node differs: {shown}; energy, leakage and area depend on it"
            f" (--node {min(nodes):g}nm prices all chips at one node)."
        )
        yield Difference("node", text, nodes)


def clock(sides: Sides) -> Iterator[Difference]:
    """Different clocks."""
    clocks = tuple(side.result.clock_mhz for side in sides)
    if not alike(clocks):
        shown = by_value(sides, (f"{value:g} MHz" for value in clocks))
        yield Difference("clock", f"The clock differs: {shown}; compare times, not cycles.", clocks)


def cost_tables(sides: Sides) -> Iterator[Difference]:
    """Prices from different tables or overlays."""
    hashes = tuple(side.result.hashes.get("costs", "") for side in sides)
    if not alike(hashes):
        said = (_costs(side) for side in sides)
        yield Difference("cost table", f"The prices come from different cost tables: {by_value(sides, said)}.", hashes)


def _costs(side: Side) -> str:
    """The table's overlays, the prices that were set one by one, and the beginning of its hash."""
    overlays = [*(side.stated("costs") or ()), *split_overrides(side.stated("overrides") or ())[0]]
    short = side.result.hashes.get("costs", "")[:8] or "unknown"
    return f"{' + '.join(['default', *map(str, overlays)])}, hash {short}"


def versions(sides: Sides) -> Iterator[Difference]:
    """Results of different versions of archsim."""
    found = tuple(side.result.versions.get("archsim", "not installed") for side in sides)
    if not alike(found):
        yield Difference("version", f"Different versions of archsim computed them: {by_value(sides, found)}.", found)


def plugins(sides: Sides) -> Iterator[Difference]:
    """Other plug-ins were loaded."""
    loaded = tuple(tuple(side.stated("plugins") or ()) for side in sides)
    if not alike(loaded):
        shown = by_value(sides, (", ".join(files) or "none" for files in loaded))
        yield Difference("plug-ins", f"Different plug-ins were loaded: {shown}.", loaded)


CHECKS: tuple[Callable[[Sides], Iterator[Difference]], ...] = (
    network, timesteps, precision, activity, samples, node, clock, cost_tables, plugins, versions,
)  # fmt: skip


def assumptions(sides: Sides) -> Iterator[Difference]:
    """What only some sides assume; where the spikes come from is told elsewhere."""
    for note in dict.fromkeys(note for side in sides for note in side.result.assumptions):
        stated = tuple(note in side.result.assumptions for side in sides)
        if not all(stated) and not note.startswith(ACTIVITY):
            members = [side.label for side, states in zip(sides, stated, strict=True) if states]
            yield Difference("assumptions", f"Only {listed(members)}: {note}.", stated)


def _changed_keys(documents: Sequence[Any]) -> list[str]:
    """Dotted keys in which documents differ, prose apart, with their values where these are short."""
    flat = [dict(leaves(document)) for document in documents]
    keys = dict.fromkeys(key for leaves in flat for key in leaves)
    changed = [key for key in keys if not alike([leaves.get(key, MISSING) for leaves in flat])]
    told = [f"{key} ({' / '.join(str(leaves.get(key, MISSING)) for leaves in flat)})" for key in changed[:MOST_KEYS]]
    return told + ([f"{len(changed) - MOST_KEYS} more keys"] if len(changed) > MOST_KEYS else [])

"""Where the difference of two sides is, in plain sentences: how much, which part has most of it, and why."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from archsim.comparison.changes import LEAKAGE, WHOLE_CHIP, Change
from archsim.comparison.parts import PartTable, Product

NEAR = 0.05
"""Ratios this close to 1 are told in per cent."""
SAME, CLOSE = 1e-9, 0.005
SLIGHT = 0.2
"""An effect below this share of the other one is not told."""
MOST, ALL = 0.5, 0.95
WORDS = {
    "action": ("it is counted {} as often", "each costs {} as much"),
    LEAKAGE: ("the run takes {} as long", "it leaks {} as much"),
    "latency": ("it takes {} as many cycles", "a cycle lasts {} as long"),
    "area": ("there are {} as many", "each is {} as large"),
}


def sentences(change: Change) -> tuple[str, ...]:
    """One on energy, one on latency, one on area; or that nothing differs. First, if both asked the same question."""
    return tuple(_sentences(change))


def _sentences(change: Change) -> Iterator[str]:
    one, two = change.first.label, change.other.label
    if change.is_same_question:
        yield f"{two} asks the same question as {one}: the same chip, network, spikes, inputs and prices."
        if not change.is_equal:
            yield "The figures differ all the same: another version of archsim or of a plug-in computed them."
    if change.is_equal:
        yield f"{two} is equal to {one}: no component, layer or action differs in energy, latency or area."
        return
    yield _sentence(change, change.energy_by_action, ("needs", "the energy of", "energy than", "as much energy as"))
    yield _sentence(change, change.latency_by_layer, ("takes", "the time of", "time than", "as long as"))
    yield _sentence(change, change.area_by_component, ("has", "the area of", "area than", "as much area as"))


def _sentence(change: Change, table: PartTable[Product], words: tuple[str, str, str, str]) -> str:
    one, two = change.first.label, change.other.label
    verb, times, than, equal = words
    first, other = table.totals
    if math.isclose(first, other, rel_tol=SAME):
        return f"{two} {verb} {equal} {one}{'; what differs cancels out' if table.differing else ''}."
    ratio = other / first if first else None
    if ratio is None:
        how_much = f"{two} {verb} more {than} {one}, which has none"
    elif abs(ratio - 1) < NEAR:
        how_much = f"{two} {verb} {_short(100 * abs(ratio - 1))} % {'more' if ratio > 1 else 'less'} {than} {one}"
    else:
        how_much = f"{two} {verb} {factor(ratio)} {times} {one}"
    return f"{how_much}; {_cause(change, table)}."


def _cause(change: Change, table: PartTable[Product]) -> str:
    """The part with most of the difference, where it is, and whether count or price made it."""
    part = max(table.parts, key=lambda part: part.difference / table.difference, default=None)
    if part is None or not part.difference:
        return "none of its parts differs"
    share = part.difference / table.difference
    if table.quantity == "energy":
        what = ".".join(part.names) + _where(part, change.energy_by_layer_action, by=(1, 2))
    elif table.quantity == "latency":
        what = part.names[0] + _where(part, change.latency_by_unit, by=(1,))
    else:
        what = part.names[0]
    if share > 1 + SAME:
        how_much = f"the largest part is {what} ({_short(share)} times the difference, which others offset)"
    else:
        how_much = f"{_short(100 * share)} % of the difference is {what}"
    return f"{how_much}, {_reason(part, table, change)}"


def _where(part: Product, table: PartTable[Product], by: Sequence[int]) -> str:
    """The layer (or unit) with most of a part, if one has: first names of the table's rows, matched by the others."""
    shares: dict[str, float] = {}
    for row in table.parts:
        if tuple(row.names[number] for number in by) == part.names:
            shares[row.names[0]] = shares.get(row.names[0], 0.0) + row.difference / part.difference
    place = max(shares, key=lambda name: shares[name], default=WHOLE_CHIP)
    if place == WHOLE_CHIP or shares[place] < MOST:
        return ""
    return f" in {place}" if shares[place] >= ALL else f" (most of it in {place})"


def _reason(part: Product, table: PartTable[Product], change: Change) -> str:
    for amount, side in ((part.first, change.first), (part.other, change.other)):
        if not amount.count:
            return f"of which {side.label} has none"
    kind = table.quantity if table.quantity != "energy" else LEAKAGE if part.names[-1] == LEAKAGE else "action"
    by_count, by_price = WORDS[kind]
    effects = [
        (abs(part.count_effect), by_count.format(factor(part.other.count / part.first.count))),
        (abs(part.price_effect), by_price.format(_price_factor(part))),
    ]
    effects.sort(key=lambda effect: -effect[0])
    told = [words for size, words in effects if size >= SLIGHT * effects[0][0]]
    return f"because {' and '.join(told)}"


def _price_factor(part: Product) -> str:
    one, two = part.first.price, part.other.price
    return factor(two / one) if one and two is not None else "infinitely"


def factor(ratio: float) -> str:
    """``2.1x``, ``1,930x``, ``0.0867x``, ``1/36,000x``, ``1.00029x``: a few digits, and no exponents."""
    if ratio >= 100:
        return f"{ratio:,.0f}x"
    if 0 < ratio < 0.01:
        return f"1/{1 / ratio:,.0f}x"
    if SAME < abs(ratio - 1) < CLOSE:
        return f"{ratio:.{1 - math.floor(math.log10(abs(ratio - 1)))}f}x"
    return f"{ratio:.3g}x"


def _short(value: float) -> str:
    """Two digits, and no exponents where that is readable: 0.031, 8.7, 76, 15,432."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"

"""A price that is the sum of several."""

from __future__ import annotations

from collections.abc import Sequence

from archsim.cost.records import Constant, Priced


def total(parts: Sequence[tuple[str, Priced]]) -> Priced:
    """The sum of named prices in the unit and at the node of the first; each step says whose it is.

    The constant of the sum is the sum of the prices, from all their sources.
    """
    first = parts[0][1].constant
    low, value, high = (sum(getattr(part, end) for _, part in parts) for end in ("low", "value", "high"))
    sources = dict.fromkeys(part.constant.source for _, part in parts)
    notes = dict.fromkeys(part.constant.note for _, part in parts if part.constant.note)
    constant = Constant(value, first.unit, first.node_nm, "; ".join(sources), "; ".join(notes), low, high,
                        is_sum=True)  # fmt: skip
    return Priced(value, low, high, constant, tuple(f"{name}: {step}" for name, part in parts for step in part.steps))

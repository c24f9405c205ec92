"""Single constants of a cost table that are stated on the command line or varied by a sweep."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from archsim.config.document import OVERRIDE
from archsim.config.overrides import assigned
from archsim.errors import ConfigError, Problem, nearest

if TYPE_CHECKING:
    from archsim.cost.records import Constant
    from archsim.cost.table import CostTable

PREFIX = "cost."
FACTOR = "1"
_WITH_UNIT = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?) ?(\S+)\Z", re.ASCII)


def is_of_costs(override: str) -> bool:
    """Whether ``KEY=VALUE`` is about a constant of the cost table."""
    return override.strip().startswith(PREFIX)


def with_overrides(table: CostTable, overrides: Sequence[str]) -> CostTable:
    """The table with constants as ``cost.dram.read_bit=20`` state them; a unit may follow if it is the constant's.

    A stated constant has no range and no alternatives: it is not a source's figure. ConfigError lists all that name
    no constant or state no number of its unit.
    """
    stated, problems = assigned(overrides)
    for key, value in stated:
        name = key.removeprefix(PREFIX)
        known = {**table.constants, **table.prices}
        if name not in known:
            problems.append(_unknown(key, known))
            continue
        number = _number(value, known[name].unit)
        if number is None:
            allowed = f"a number of {known[name].unit} that is not negative"
            problems.append(Problem("no such value", OVERRIDE, key=key, value=value, allowed=allowed))
            continue
        changed = {name: _stated(known[name], number)}
        if name in table.prices:
            table = replace(table, prices={**table.prices, **changed})
        else:
            table = replace(table, constants={**table.constants, **changed})
    if problems:
        raise ConfigError(problems)
    return table if not overrides else replace(table, name=" + ".join((table.name, *overrides)))


def _unknown(key: str, known: Collection[str]) -> Problem:
    """No such constant: with those of the same group (``dram.`` ...) if there is one, and the nearest of them."""
    name = key.removeprefix(PREFIX)
    group = [one for one in known if one.startswith(name.partition(".")[0] + ".")]
    near = nearest(name, group or known)
    allowed = "what 'archsim show default' and overlays name" + (f", such as {', '.join(group)}" if group else "")
    return Problem("no such constant in the cost table", OVERRIDE, key=key, allowed=allowed,
                   nearest=None if near is None else PREFIX + near)  # fmt: skip


def _number(value: Any, unit: str) -> float | None:
    """A finite number, or a text such as ``20 pJ/bit``, in the unit; None for anything else."""
    if isinstance(value, str) and unit != FACTOR and (found := _WITH_UNIT.match(value)) and found[2] == unit:
        value = float(found[1])
    fine = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0
    return float(value) if fine else None


def _stated(old: Constant, value: float) -> Constant:
    note = f"in place of {old.value:g} {old.unit} ({old.source})"
    return replace(old, value=value, source="stated by the user", note=note, low=None, high=None, alternatives=())

"""Where every price of a run comes from: the derivation of each action, leakage and area of each component."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from archsim.cost.component import Component
from archsim.cost.explain import explain
from archsim.cost.floorplan import floorplanned
from archsim.cost.table import CostTable
from archsim.errors import ArchsimError
from archsim.explanation import FIXED
from archsim.report.html.parts import Derivations, Folded, Part, Prose, name
from archsim.report.units import percent
from archsim.request import table_of

if TYPE_CHECKING:
    from archsim.result import Result

MOST_COMPONENTS = 150
CHANGED = "The cost table has changed since this run: the derivations are today's, the figures above are the run's."


def provenance(result: Result) -> tuple[Part, ...]:
    """A folded list per component, the most expensive first; what cannot be derived says why."""
    stated = result.inputs.get("components", ())
    if not stated:
        return (Prose(("This result does not say which components it was priced with.",)),)
    try:
        table = table_of(result.inputs)
        parts = floorplanned([Component(**part) for part in stated], table, result.node_nm)
    except ArchsimError as error:
        return (Prose(("The prices cannot be derived again:", *map(str, error.problems))),)
    energy = {part.name: part.energy_pj for part in result.components}
    ranked = sorted(parts, key=lambda part: -energy.get(part.name, 0.0))
    found: list[Part] = [Prose((f"Cost table: {table.name}, {result.node_nm:g} nm.",))]
    if table.hash != result.hashes.get("costs"):
        found.append(Prose((CHANGED,)))
    found += [_folded(part, table, result, energy.get(part.name, 0.0)) for part in ranked[:MOST_COMPONENTS]]
    left = len(ranked) - MOST_COMPONENTS
    if left > 0:
        found.append(Prose((f"{left:,} components that cost less are left out; archsim explain derives them.",)))
    return tuple(found)


def _folded(part: Component, table: CostTable, result: Result, energy_pj: float) -> Folded:
    counts: dict[str, float] = {}
    for row in result.counts:
        if row.component == part.name:
            counts[row.action] = counts.get(row.action, 0.0) + row.count
    entries = tuple(_derived(part, action, table, result, counts) for action in dict.fromkeys((*counts, *FIXED)))
    summary = f"{name(part.name).text}: {part.primitive}, {percent(energy_pj, result.energy_pj)} of the energy"
    return Folded(summary, (Derivations(entries),))


def _derived(
    part: Component, action: str, table: CostTable, result: Result, counts: dict[str, float]
) -> tuple[str, tuple[str, ...]]:
    count = round(counts[action]) if action in counts else None
    lines: Iterable[str]
    try:
        lines = explain(part, action, table, result.node_nm, count)
    except ArchsimError as error:
        lines = map(str, error.problems)
    what = f"{part.name}.{action}"
    said = tuple(line.removeprefix(f"{what}: ") for line in lines)
    return name(what).text, said

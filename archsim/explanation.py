"""Why one action of a finished run costs what it costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from archsim.cost.component import Component
from archsim.cost.explain import explain as explain_price
from archsim.cost.floorplan import floorplanned
from archsim.errors import CostError, Problem, nearest
from archsim.request import table_of
from archsim.result import Result
from archsim.store import Store
from archsim.store.loading import named_run

FIXED = ("leakage", "area")


def explain(run: Result | str | Path, what: str, store: Store | str | Path | None = None) -> tuple[str, ...]:
    """Count, price, constant, source and every step between, for ``COMPONENT.ACTION`` of a result, by its folder or id.

    An id is one of ``store``, of the default one unless stated. ``ACTION`` may also be ``leakage`` (for DRAM also
    ``background``, as tables call it) or ``area``. CostError for a component or action that the run does not have.
    """
    result = named_run(run, store)
    table = table_of(result.inputs)
    stated = [Component(**part) for part in result.inputs.get("components", ())]
    components = list(floorplanned(stated, table, result.node_nm))
    part, action = _chosen(what, components, result)
    count = sum(row.count for row in result.counts if (row.component, row.action) == (part.name, action))
    lines = list(explain_price(part, action, table, result.node_nm, round(count)))
    lines += _over_the_run(result, part.name, action)
    if table.hash != result.hashes.get("costs"):
        lines.append("note: the cost table has changed since this run; the price above is today's")
    return tuple(lines)


def _chosen(what: str, components: list[Component], result: Result) -> tuple[Component, str]:
    name, _, action = what.rpartition(".")
    by_name = {part.name: part for part in components}
    if name in by_name and action:
        part = by_name[name]
        return part, "leakage" if part.level == "DRAM" and action == "background" else action
    allowed = f"components {', '.join(by_name)}"
    hint = _hint(nearest(name or what, by_name), action, result)
    raise CostError(Problem("name a COMPONENT.ACTION of this run", value=what, allowed=allowed, nearest=hint))


def _hint(component: str | None, action: str, result: Result) -> str | None:
    """The component that was probably meant with the action that was: the stated one, or the closest that it has."""
    if component is None:
        return None
    known = [*dict.fromkeys(row.action for row in result.counts if row.component == component), *FIXED]
    return f"{component}.{nearest(action, known) or known[0]}"


def _over_the_run(result: Result, component: str, action: str) -> list[str]:
    """What the leakage or area of all instances sums to."""
    row: Any = next(row for row in result.components if row.name == component)
    if action == "leakage":
        return [f"over the run: {result.latency_ns:.6g} ns -> {row.static_pj:.6g} pJ for all instances"]
    if action == "area":
        return [f"all instances: {row.area_um2:.6g} um2"]
    return []

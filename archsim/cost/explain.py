"""Why an action, the leakage or the area of a component costs what it costs, as lines of text."""

from __future__ import annotations

from archsim.cost.component import INFORMATIONAL, Component
from archsim.cost.records import Constant, Priced
from archsim.cost.table import CostTable
from archsim.errors import CostError, Problem, nearest

UNITS = {"leakage": "mW", "area": "um2"}


def explain(
    component: Component, action: str, table: CostTable, node_nm: float, count: int | None = None
) -> tuple[str, ...]:
    """The derivation of one price: count, price with range, constant, source, note, every step, other sources.

    ``action`` may also be ``leakage`` or ``area``. CostError for an action that the component does not have.
    """
    if action in INFORMATIONAL:
        return (f"{component.name}.{action}: counted for information, no physical access and no price",)
    cost = table.cost_of(component, node_nm)
    known = {**cost.energy_pj, "leakage": cost.leakage_mw_each, "area": cost.area_um2_each}
    if action not in known:
        raise CostError(
            Problem("this component has no such action", key=f"{component.name}.{action}", allowed=", ".join(known),
                    nearest=nearest(action, known))
        )  # fmt: skip
    priced, unit = known[action], UNITS.get(action, "pJ")
    attributes = ", ".join(f"{name} {value}" for name, value in component.attributes.items())
    instances = f"{component.count} instance" + ("" if component.count == 1 else "s")
    each = " each" if action in UNITS else ""
    what = f"{component.primitive} ({attributes or 'no attributes'}), {instances}"
    head = [
        f"{component.name}.{action}: {what}, {node_nm:g} nm",
        f"price: {priced.value:.6g} {unit}{each}{_range(priced, unit)}",
    ]
    if count is not None and action not in UNITS:
        head.append(f"count: {count:,} -> {count * priced.value:.6g} pJ{_range(priced, 'pJ', count)}")
    return (*head, *_constant(priced.constant), *(f"step: {step}" for step in priced.steps))


def _range(priced: Priced, unit: str, times: int = 1) -> str:
    if priced.low == priced.high:
        return ""
    return f" (from {priced.low * times:.6g} to {priced.high * times:.6g} {unit} over the sources)"


def _constant(constant: Constant) -> list[str]:
    node = "no node: does not scale" if constant.node_nm is None else f"{constant.node_nm:g} nm"
    one = f"constant: {constant.value:.6g} {constant.unit}, {node}"
    lines = ["constants: several, in the steps" if constant.is_sum else one, f"source: {constant.source}"]
    if constant.note:
        lines.append(f"note: {constant.note}")
    return lines + [
        f"another source: {other.value:g} {constant.unit}, {other.source}" + (f" ({other.note})" if other.note else "")
        for other in constant.alternatives
    ]

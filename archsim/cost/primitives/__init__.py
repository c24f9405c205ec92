"""The primitives that come with archsim, by name, and the door by which others join them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archsim.cost.component import Component
from archsim.cost.primitives import adc, compound, crossbar, dram, interconnect, lines, logic, memory, sram, steering
from archsim.cost.primitives.base import Need, Primitive, Request, at_node, attributes_of
from archsim.cost.records import ComponentCost, Constant, Priced
from archsim.cost.scaling import Quantity
from archsim.errors import CostError, Problem, nearest

if TYPE_CHECKING:
    from archsim.cost.table import CostTable

__all__ = ["PRIMITIVES", "Need", "Primitive", "Request", "estimate", "register"]

PRIMITIVES: dict[str, Primitive] = {}

FIXED_UNITS = {"leakage": "mW", "area": "um2"}
QUANTITIES: dict[str, Quantity] = {"leakage": "leakage", "area": "area"}


def register(primitive: Primitive) -> Primitive:
    """Make a primitive known by its name. CostError when the name is taken."""
    if primitive.name in PRIMITIVES:
        raise CostError(Problem("a primitive of this name is registered already", key=primitive.name))
    PRIMITIVES[primitive.name] = primitive
    return primitive


for _module in (logic, steering, memory, sram, dram, adc, crossbar, lines, compound, interconnect):
    for _primitive in _module.PRIMITIVES:
        register(_primitive)


def estimate(component: Component, node_nm: float, table: CostTable) -> ComponentCost:
    """The cost of one instance: the primitive's estimator, then the fixed prices of the table over it."""
    primitive = PRIMITIVES.get(component.primitive)
    if primitive is None:
        raise CostError(
            Problem("unknown primitive", key=f"{component.name}.primitive", value=component.primitive,
                    allowed=", ".join(sorted(PRIMITIVES)), nearest=nearest(component.primitive, PRIMITIVES))
        )  # fmt: skip
    request = Request(component, node_nm, table, attributes_of(component, primitive))
    return _with_fixed_prices(primitive.estimate(request), request)


def _with_fixed_prices(cost: ComponentCost, request: Request) -> ComponentCost:
    component, prices = request.component, request.table.prices
    energy, fixed = dict(cost.energy_pj), {"leakage": cost.leakage_mw_each, "area": cost.area_um2_each}
    problems = []
    for owner in (component.primitive, component.name):
        for key, constant in prices.items():
            name, _, action = key.rpartition(".")
            if name != owner:
                continue
            unit = FIXED_UNITS.get(action, "pJ")
            if constant.unit != unit:
                problems.append(Problem("wrong unit", key=f"prices.{key}", value=constant.unit, allowed=unit))
            elif action in fixed:
                fixed[action] = _fixed(constant, QUANTITIES[action], request)
            elif action in energy:
                energy[action] = _fixed(constant, "energy", request)
            else:
                problems.append(Problem(f"{component.primitive} has no such action", key=f"prices.{key}",
                                        allowed=", ".join((*energy, *fixed)),
                                        nearest=nearest(action, (*energy, *fixed))))  # fmt: skip
    if problems:
        raise CostError(problems)
    return ComponentCost(energy, fixed["leakage"], fixed["area"], cost.node_nm)


def _fixed(constant: Constant, quantity: Quantity, request: Request) -> Priced:
    return at_node(Priced.of(constant, "fixed price of the cost table, in place of the estimator"), quantity, request)

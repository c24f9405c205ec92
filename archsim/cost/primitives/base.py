"""What a primitive is: the attributes that size it, the actions it prices, and the function that estimates them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archsim.cost.component import Attribute, Component
from archsim.cost.records import ComponentCost, Constant, Priced
from archsim.cost.scaling import Quantity
from archsim.errors import CostError, Problem, nearest

if TYPE_CHECKING:
    from archsim.cost.table import CostTable


@dataclass(frozen=True)
class Need:
    """One attribute of a primitive: its unit, and its default (None: it must be given)."""

    unit: str
    default: Attribute | None = None
    least: int = 1
    text: bool = False
    real: bool = False  # any number, not a whole one


@dataclass(frozen=True)
class Request:
    """One component to be priced: its attributes with defaults filled in, the wanted node and the table to use."""

    component: Component
    node_nm: float
    table: CostTable
    attributes: Mapping[str, Attribute]

    def number(self, name: str) -> int:
        """A whole-number attribute."""
        return int(self.attributes[name])

    def real(self, name: str) -> float:
        """An attribute that need not be a whole number."""
        return float(self.attributes[name])

    def text(self, name: str) -> str:
        """A text attribute."""
        return str(self.attributes[name])

    def refuse(self, attribute: str, message: str, *, value: object, allowed: str) -> CostError:
        """An error at one attribute of this component."""
        key = f"{self.component.name}.{attribute}"
        return CostError(Problem(message, key=key, value=value, allowed=allowed))


@dataclass(frozen=True)
class Primitive:
    """A kind of hardware. To add one: make it in a file of its own and register it by name.

    ``estimate`` turns a request into the cost of one instance at the requested node: pJ for every action in
    ``actions``, mW of leakage, um2 of area, each with the constant it starts from and the steps in between.
    """

    name: str
    actions: tuple[str, ...]
    attributes: Mapping[str, Need]
    estimate: Callable[[Request], ComponentCost]
    summary: str = ""


def attributes_of(component: Component, primitive: Primitive) -> dict[str, Attribute]:
    """The component's attributes, checked against what the primitive needs, with defaults; all problems at once."""
    needs, given, problems = primitive.attributes, component.attributes, []
    for name in given:
        if name not in needs:
            problems.append(Problem(f"{primitive.name} has no such attribute", key=f"{component.name}.{name}",
                                    value=given[name], allowed=", ".join(needs),
                                    nearest=nearest(name, needs)))  # fmt: skip
    filled: dict[str, Attribute] = {}
    for name, need in needs.items():
        value = given.get(name, need.default)
        fault = "is missing" if value is None else _fault(value, need)
        if fault:
            number = "a number" if need.real else "a whole number"
            allowed = need.unit if need.text else f"{number} of {need.unit} >= {need.least}"
            problems.append(Problem(fault, key=f"{component.name}.{name}", value=value, allowed=allowed))
        elif value is not None:
            filled[name] = value
    if problems:
        raise CostError(problems)
    return filled


def _fault(value: Attribute, need: Need) -> str | None:
    if need.text:
        return None if isinstance(value, str) else "is not a name"
    if isinstance(value, (str, bool)) or not math.isfinite(value):
        return "is not a number"
    if not need.real and value != int(value):
        return "is not a whole number"
    return None if value >= need.least else "is too small"


def cited(key: str, constant: Constant) -> str:
    """A constant as part of a step: name, value, range and source."""
    span, unit = constant.span, "" if constant.unit == "1" else f" {constant.unit}"
    ends = "" if span.low == span.high else f" ({span.low:g}..{span.high:g})"
    return f"{key} {constant.value:g}{unit}{ends}, {constant.source}"


def nothing(unit: str, why: str, source: str) -> Priced:
    """A price of zero, with the reason."""
    return Priced.of(Constant(0.0, unit, None, source, why), why)


def at_node(priced: Priced, quantity: Quantity, request: Request) -> Priced:
    """The price scaled from its constant's node to the requested one."""
    node = priced.constant.node_nm
    if node is None or node == request.node_nm or priced.value == 0:
        return priced
    scaling, to_nm = request.table.scaling, request.node_nm
    return priced.times(scaling.factor(quantity, node, to_nm), scaling.step(quantity, node, to_nm))

"""Digital units behind the converters, as sums of gates: shift-and-add, DIFF, accumulator, popcount.

* ``shift_add``, ``accumulator``: adder, register read and written (and shifter stages where the amount is selectable).
* ``diff``: a subtractor and the register that holds the positive column's code until the negative one is converted.
* ``popcount`` of n inputs: a tree that pairs counts until one is left; level i has i-bit adders. Its one-bit adders are
  taken as half of the table's two-bit one.

One ``op`` is one whole operation. ``shift_add`` with ``model: isaac`` is ISAAC's unit, in proportion to its bits.
SpikeSim's figures for its DIFF (13,411 um2, 1.15e-6 pJ) are a slip of units and price nothing here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from archsim.cost.component import Attribute
from archsim.cost.primitives import logic, memory, steering
from archsim.cost.primitives.base import Need, Primitive, Request, at_node, nothing
from archsim.cost.records import ComponentCost, Priced
from archsim.cost.totals import total

GATES: Final = {part.name: part for part in (*logic.PRIMITIVES, *memory.PRIMITIVES, *steering.PRIMITIVES)}
MODELS: Final = ("gates", "isaac")
Unit = tuple[str, ComponentCost]


def _unit(request: Request, gate: str, **attributes: Attribute) -> Unit:
    return gate, GATES[gate].estimate(replace(request, attributes=attributes))


def _sum(request: Request, units: Sequence[Unit]) -> ComponentCost:
    """All actions of all units once, their leakage and their area."""
    energies = [(f"{name} {action}", price) for name, cost in units for action, price in cost.energy_pj.items()]
    return ComponentCost(
        {"op": total(energies)},
        total([(name, cost.leakage_mw_each) for name, cost in units]),
        total([(name, cost.area_um2_each) for name, cost in units]),
        request.node_nm,
    )


def _registered(gate: str, request: Request) -> list[Unit]:
    bits = request.number("bits")
    return [_unit(request, gate, bits=bits), _unit(request, "register", bits=bits)]


def _accumulator(request: Request) -> ComponentCost:
    return _sum(request, _registered("adder", request))


def _diff(request: Request) -> ComponentCost:
    return _sum(request, _registered("subtractor", request))


def _shift_add(request: Request) -> ComponentCost:
    model, bits, positions = request.text("model"), request.number("bits"), request.number("positions")
    if model not in MODELS:
        raise request.refuse("model", "no such shift-and-add unit", value=model, allowed=", ".join(MODELS))
    if model == "isaac":
        return _isaac(request)
    shifter = [_unit(request, "shifter", bits=bits, positions=positions)] if positions > 1 else []
    return _sum(request, [*_registered("adder", request), *shifter])


def _isaac(request: Request) -> ComponentCost:
    bits, constant = request.number("bits"), request.table.constant
    op, area = (constant(f"shift_add.isaac.{name}") for name in ("op", "area"))
    width = request.table.divisor("shift_add.isaac.bits")
    share, step = float(bits) / width.value, f"x {bits} bits / {width.value:g}"
    return ComponentCost(
        {"op": at_node(Priced.of(op, "one shift and add").times(share, step), "energy", request)},
        nothing("mW", "its source states none apart from the energy of an operation", op.source),
        at_node(Priced.of(area, "one unit").times(share, step), "area", request),
        request.node_nm,
    )


def tree(inputs: int) -> list[tuple[int, int]]:
    """The adders of a popcount: (bits, how many) by level; an odd count waits for the next level."""
    levels: list[tuple[int, int]] = []
    counts = inputs
    while counts > 1:
        levels.append((len(levels) + 1, counts // 2))
        counts -= counts // 2
    return levels


def _popcount(request: Request) -> ComponentCost:
    return _sum(request, [_adders(request, bits, count) for bits, count in tree(request.number("inputs"))])


def _adders(request: Request, bits: int, count: int) -> Unit:
    name, cost = _unit(request, "adder", bits=max(bits, 2))
    share, why = (count / 2, f"x {count} adders of half the bits") if bits == 1 else (float(count), f"x {count} adders")
    return f"{bits}-bit {name}", ComponentCost(
        {action: price.times(share, why) for action, price in cost.energy_pj.items()},
        cost.leakage_mw_each.times(share, why),
        cost.area_um2_each.times(share, why),
        cost.node_nm,
    )


PRIMITIVES: Final = (
    Primitive("accumulator", ("op",), {"bits": Need("bits")}, _accumulator,
              "adder and register; action op (one value added)"),
    Primitive("diff", ("op",), {"bits": Need("bits")}, _diff,
              "positive minus negative column: subtractor and register; action op"),
    Primitive("shift_add", ("op",),
              {"bits": Need("bits"), "positions": Need("shift amounts", 1),
               "model": Need(", ".join(MODELS), MODELS[0], text=True)}, _shift_add,
              "shifter, adder and register; action op (one value shifted and added)"),
    Primitive("popcount", ("op",), {"inputs": Need("bits to count", least=2)}, _popcount,
              "tree of adders that counts ones; action op (all inputs once)"),
)  # fmt: skip

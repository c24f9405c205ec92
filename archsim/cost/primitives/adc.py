"""Converters: one sample of a column's current to a number of bits, from one of four named sources.

``model`` chooses the source (they differ twenty-fold at 4 bits and 65 nm):

* ``survey`` (the default, because it alone answers to bits, rate and node): the efficient end of the published
  converters, log-log in (node, samples per second) at every number of bits, never outside the table. Leakage is a
  fifth of the power at the full rate, as its source assumes. A node between the table's is interpolated, one outside
  them is scaled from the nearest.
* ``spikesim``: one figure, whatever the bits and the rate. ``mlsa``: NeuroSim's multilevel sense amplifier, 4 bits.
  ``isaac``: an 8-bit successive-approximation converter.

A successive-approximation converter that decides fewer bits than it has, because few rows are active, counts
``decide`` (one bit) instead of ``convert``: E(decide) = E(convert) / bits. ISAAC's converter scaled by Saberi et al.
takes 0.79 pJ for 4 bits and 1.67 pJ for 8, so that the share is right within 6 %. A sense amplifier has no such steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Final

from archsim.cost.interpolate import describe, loglog2
from archsim.cost.primitives.base import Need, Primitive, Request, at_node, cited, nothing
from archsim.cost.records import ComponentCost, Constant, Priced

DEFAULT_MODEL: Final = "survey"
NS_PER_S: Final = 1e9
UNITS: Final = {"convert_pj": "pJ", "leakage_mw": "mW", "area_um2": "um2"}


@dataclass(frozen=True)
class Fixed:
    """A published converter: the bits it has (None: its source does not say), whether it leaks, decides bit by bit."""

    bits: int | None
    leaks: bool
    stepwise: bool


FIXED: Final[Mapping[str, Fixed]] = {
    "spikesim": Fixed(None, leaks=False, stepwise=True),
    "mlsa": Fixed(4, leaks=True, stepwise=False),
    "isaac": Fixed(8, leaks=False, stepwise=True),
}
MODELS: Final = (DEFAULT_MODEL, *FIXED)


def _cost(request: Request) -> ComponentCost:
    model, bits = request.text("model"), request.number("bits")
    if model == DEFAULT_MODEL:
        convert, leakage, area = _survey(request)
    elif model in FIXED:
        convert, leakage, area = _published(request, model)
    else:
        raise request.refuse("model", "no such converter", value=model, allowed=", ".join(MODELS))
    energy = {"convert": at_node(convert, "energy", request)}
    if model == DEFAULT_MODEL or FIXED[model].stepwise:
        energy["decide"] = energy["convert"].times(1 / bits, f"one of {bits} bit decisions: x 1/{bits}")
    return ComponentCost(energy, at_node(leakage, "leakage", request), at_node(area, "area", request), request.node_nm)


def _published(request: Request, model: str) -> tuple[Priced, Priced, Priced]:
    design, bits, table = FIXED[model], request.number("bits"), request.table
    if design.bits not in (None, bits):
        raise request.refuse("bits", f"the {model} converter is one of {design.bits} bits", value=bits,
                             allowed=f"{design.bits}, or model: {DEFAULT_MODEL}")  # fmt: skip
    convert, area = (table.constant(f"adc.{model}.{name}") for name in ("convert", "area"))
    leakage = (
        Priced.of(table.constant(f"adc.{model}.leakage"), "leakage of one converter")
        if design.leaks
        else nothing("mW", "its source states none apart from the energy of a conversion", convert.source)
    )
    return Priced.of(convert, f"one conversion of the {model} converter"), leakage, Priced.of(area, "one converter")


def _survey(request: Request) -> tuple[Priced, Priced, Priced]:
    def priced(quantity: str, name: str) -> Priced:
        factor = request.table.constant(f"adc.survey.{name}_factor")
        return _figure(request, quantity).times(factor.span, f"times {cited(f'adc.survey.{name}_factor', factor)}")

    return priced("convert_pj", "energy"), priced("leakage_mw", "leakage"), priced("area_um2", "area")


def _figure(request: Request, quantity: str) -> Priced:
    grid, bits, conversion_ns = request.table.adc, request.number("bits"), request.real("conversion_ns")
    rate = NS_PER_S / conversion_ns if conversion_ns else inf
    if bits not in grid.adc:
        raise request.refuse("bits", "lie outside the table of converters", value=bits,
                             allowed=f"{min(grid.adc)} to {max(grid.adc)} bits")  # fmt: skip
    table, unit = grid.adc[bits][quantity], UNITS[quantity]
    nodes, rates = sorted({place[0] for place in table}), sorted({place[1] for place in table})
    if not rates[0] <= rate <= rates[-1]:
        raise request.refuse("conversion_ns", "lies outside the table of converters", value=conversion_ns,
                             allowed=f"{NS_PER_S / rates[-1]:g} to {NS_PER_S / rates[0]:g} ns")  # fmt: skip
    node = min(max(request.node_nm, nodes[0]), nodes[-1])
    point = loglog2(node, rate, table)
    how = "in the table" if point.exact else f"log-log between {describe(point, ('node', 'samples per second'))}"
    constant = Constant(point.value, unit, node, grid.model.source, grid.model.note)
    what = f"a converter of {bits} bits and {rate:g} samples per second, {node:g} nm"
    return Priced.of(constant, f"{quantity.rpartition('_')[0]} of {what}: {point.value:.4g} {unit}, {how}")


PRIMITIVES: Final = (
    Primitive(
        "adc",
        ("convert", "decide"),
        {
            "bits": Need("bits"),
            "conversion_ns": Need("ns of one conversion", least=0, real=True),
            "model": Need(", ".join(MODELS), DEFAULT_MODEL, text=True),
        },
        _cost,
        "converter of some bits and speed; actions convert, decide (one bit of a successive approximation)",
    ),
)

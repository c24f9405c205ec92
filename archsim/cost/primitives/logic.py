"""Arithmetic and random-number logic from the gate table: adder, subtractor, comparator, AND gates, multiplier, LFSR.

Energy per operation = table power / clock at which the table was characterised (``gates.clock``): a constant of the
circuit, whatever clock the chip runs at. Widths between two columns lie on a log-log line; a column of the table is
exact. Area = cell area / placement utilisation.
"""

from __future__ import annotations

from typing import Final

from archsim.cost.interpolate import loglog
from archsim.cost.primitives.base import Need, Primitive, Request, at_node, cited
from archsim.cost.records import ComponentCost, Constant, Priced

BIT_SLICED: Final = ("andgate", "register")
"""Rows of equal one-bit cells: a single bit is half of the two-bit entry."""

UNITS: Final = {"dynamic_mw": "mW", "leakage_uw": "uW", "area_um2": "um2"}


def gate_figure(request: Request, gate: str, quantity: str, bits: int) -> Priced:
    """One figure of the gate table at a width, in the table's unit and at the table's node, with its derivation.

    CostError outside the table's widths.
    """
    rows = request.table.gates.gates.get(gate, {}).get(quantity, {})
    curve = {float(width): figure for (depth, width), figure in rows.items() if depth == 0}
    if not curve:
        raise request.refuse("primitive", "the gate table has no such row", value=gate,
                             allowed=", ".join(sorted(request.table.gates.gates)))  # fmt: skip
    model = request.table.gates.model
    unit, what = UNITS[quantity], f"{gate} {quantity.rpartition('_')[0]}"
    if bits == 1 and gate in BIT_SLICED and 1.0 not in curve:
        constant = Constant(curve[2.0], unit, model.node_nm, model.source, model.note)
        return Priced.of(constant, f"{what} of the 2-bit entry: {curve[2.0]:g} {unit}").times(
            0.5, "one bit of two equal ones: x 0.5"
        )
    low, high = min(curve), max(curve)
    if not low <= bits <= high:
        raise request.refuse(
            "bits", f"the width lies outside the gate table of a {gate}", value=bits,
            allowed=f"{low:g} to {high:g} bits" + (f"; use several of {high:g} bits" if bits > high else ""),
        )  # fmt: skip
    point = loglog(float(bits), curve)
    constant = Constant(point.value, unit, model.node_nm, model.source, model.note)
    if point.exact:
        return Priced.of(constant, f"{what} at {bits} bits: {point.value:g} {unit} in the table")
    left, right = point.between[0]
    return Priced.of(
        constant,
        f"{what} at {bits} bits: {point.value:.4g} {unit}, log-log between {left:g} bits ({curve[left]:g}) "
        f"and {right:g} bits ({curve[right]:g})",
    )


def per_operation(power: Priced, request: Request) -> Priced:
    """pJ per operation from mW at the characterisation clock: mW / MHz = nJ, so 1000 x mW / MHz."""
    clock = request.table.divisor("gates.clock")
    step = f"power / characterisation clock = pJ per operation: {cited('gates.clock', clock)}"
    return power.times(clock.span.inverse() * 1000.0, step)


def in_milliwatts(leakage: Priced, request: Request) -> Priced:
    """Leakage in mW from the table's uW."""
    factor = request.table.constant("gates.leakage_factor")
    return leakage.times(factor.span * 1e-3, f"uW to mW, times {cited('gates.leakage_factor', factor)}")


def laid_out(cells: Priced, request: Request) -> Priced:
    """Layout area in um2: cell area / placement utilisation."""
    used = request.table.divisor("gates.placement_utilisation")
    return cells.times(used.span.inverse(), f"cell area / {cited('gates.placement_utilisation', used)}")


def gate_energy(request: Request, gate: str, bits: int) -> Priced:
    """pJ per operation at the table's node."""
    return per_operation(gate_figure(request, gate, "dynamic_mw", bits), request)


def gate_leakage(request: Request, gate: str, bits: int) -> Priced:
    """Leakage in mW at the table's node."""
    return in_milliwatts(gate_figure(request, gate, "leakage_uw", bits), request)


def gate_area(request: Request, gate: str, bits: int) -> Priced:
    """Layout area in um2 at the table's node."""
    return laid_out(gate_figure(request, gate, "area_um2", bits), request)


def _estimate(gate: str) -> Primitive:
    def cost(request: Request) -> ComponentCost:
        bits = request.number("bits")
        return ComponentCost(
            {"op": at_node(gate_energy(request, gate, bits), "energy", request)},
            at_node(gate_leakage(request, gate, bits), "leakage", request),
            at_node(gate_area(request, gate, bits), "area", request),
            request.node_nm,
        )

    bits = Need("bits", 32 if gate == "lfsr" else None)
    return Primitive(gate, ("op",), {"bits": bits}, cost, f"{gate} of some bits; action op")


PRIMITIVES: Final = tuple(
    _estimate(gate) for gate in ("adder", "subtractor", "comparator", "andgate", "multiplier", "lfsr")
)

"""Multiplexers and shifters: not in the gate table, derived from its AND gates by ratios of another, named library.

A two-input multiplexer of n bits costs n-bit AND gates x the ratio of a MX2 cell to an AND2 cell; k inputs take k - 1
of them. A shift by a fixed amount is wiring and costs nothing; one of p amounts takes ceil(log2 p) multiplexer stages.
"""

from __future__ import annotations

from typing import Final

from archsim.cost.primitives.base import Need, Primitive, Request, at_node, cited, nothing
from archsim.cost.primitives.logic import gate_area, gate_energy, gate_leakage
from archsim.cost.records import ComponentCost, Priced
from archsim.cost.scaling import Quantity


def _muxes(request: Request, cells: int, why: str) -> ComponentCost:
    bits = request.number("bits")

    def derived(priced: Priced, ratio: str, quantity: Quantity) -> Priced:
        constant = request.table.constant(ratio)
        of_library = priced.times(constant.span, f"of an AND gate, times {cited(ratio, constant)}")
        return at_node(of_library.times(float(cells), why), quantity, request)

    return ComponentCost(
        {"op": derived(gate_energy(request, "andgate", bits), "mux.energy_ratio", "energy")},
        derived(gate_leakage(request, "andgate", bits), "mux.leakage_ratio", "leakage"),
        derived(gate_area(request, "andgate", bits), "mux.area_ratio", "area"),
        request.node_nm,
    )


def _mux(request: Request) -> ComponentCost:
    inputs = request.number("inputs")
    return _muxes(request, inputs - 1, f"{inputs} inputs: x {inputs - 1} two-input multiplexers")


def _shifter(request: Request) -> ComponentCost:
    positions = request.number("positions")
    if positions == 1:
        why = "a shift by a fixed amount is wiring: no gates"
        source = "by construction"
        return ComponentCost(
            {"op": nothing("pJ", why, source)}, nothing("mW", why, source), nothing("um2", why, source), request.node_nm
        )
    stages = (positions - 1).bit_length()
    return _muxes(request, stages, f"{positions} shift amounts: x {stages} multiplexer stages")


PRIMITIVES: Final = (
    Primitive(
        "mux", ("op",), {"bits": Need("bits"), "inputs": Need("inputs", 2, least=2)}, _mux,
        "multiplexer of some bits and inputs; action op",
    ),
    Primitive(
        "shifter", ("op",), {"bits": Need("bits"), "positions": Need("shift amounts", 1)}, _shifter,
        "shifter with a number of selectable amounts (1: wiring); action op",
    ),
)  # fmt: skip

"""The cells of crossbars: energy of the current through them, of programming them, and their area.

A ledger holds whole events, so energy is counted in cells that conduct for one pulse and priced by V^2 G t
[V^2 uS ns = fJ]. A line that is held through m conversions counts each of its cells m times more (``hold``, with the
time of a conversion in place of the pulse). With the level
k in 0 .. L - 1 of every cell that conducts and G_k = G_min + k (G_max - G_min) / (L - 1):

* weights known: n cells that conduct (``read_base``, V^2 G_min t) and the sum of their levels (``read_step``,
  V^2 (G_max - G_min) / (L - 1) t). Both are whole numbers, the second is the integer product of spikes and levels, and
  E = V^2 t sum(G) exactly, for equally spaced levels without variation.
* weights unknown: n cells (``read``) at the mean conductance ``mean_us``; exact in the expectation if levels do not
  depend on which rows are active, and exact outright if all cells conduct ``mean_us``.

Voltage, pulse, conductances, programming and layout are attributes: they belong to the device, not to the chip's node,
and are not scaled to it.
"""

from __future__ import annotations

from typing import Final

from archsim.cost.primitives.base import Need, Primitive, Request, nothing
from archsim.cost.records import ComponentCost, Constant, Priced

PJ_PER_FJ: Final = 1e-3
UM2_PER_NM2: Final = 1e-6


def _read(request: Request, conductance_us: float, what: str, time: str = "pulse_ns") -> Priced:
    volt, pulse_ns = request.real("read_v"), request.real(time)
    energy = volt**2 * conductance_us * pulse_ns * PJ_PER_FJ
    return _of(request, energy, "pJ", f"{what}: ({volt:g} V)^2 x {conductance_us:g} uS x {pulse_ns:g} ns")


def _of(request: Request, value: float, unit: str, step: str) -> Priced:
    return Priced.of(Constant(value, unit, None, request.text("device"), "a property of the device"), step)


def _cost(request: Request) -> ComponentCost:
    low, high, levels = request.real("g_min_us"), request.real("g_max_us"), request.number("levels")
    mean = request.real("mean_us")
    if not low <= high:
        raise request.refuse("g_max_us", "is below the lowest conductance", value=high, allowed=f">= {low:g} uS")
    if not low <= mean <= high:
        raise request.refuse("mean_us", "lies outside the device's range", value=mean,
                             allowed=f"{low:g} to {high:g} uS")  # fmt: skip
    cells = request.number("rows") * request.number("cols")
    squares, feature_nm = request.real("cell_f2"), request.real("feature_nm")
    leakage_mw = request.real("leakage_mw")
    return ComponentCost(
        {
            "read": _read(request, mean, "a cell of an active row for one pulse at the mean conductance"),
            "hold": _read(request, mean, "a cell of an active row during one conversion", "hold_ns"),
            "read_base": _read(request, low, "a cell of an active row for one pulse, its lowest conductance"),
            "read_step": _read(request, (high - low) / (levels - 1), f"one of {levels - 1} steps above the lowest"),
            "program": _of(request, request.real("program_pj"), "pJ", "one cell programmed, verifying included"),
        },
        _of(request, leakage_mw * cells, "mW", f"{leakage_mw:g} mW x {cells} cells")
        if leakage_mw
        else nothing("mW", "cells without bias hold their state without power", request.text("device")),
        _of(request, squares * feature_nm**2 * UM2_PER_NM2 * cells, "um2",
            f"{squares:g} F^2 x ({feature_nm:g} nm)^2 x {cells} cells"),
        request.node_nm,
    )  # fmt: skip


PRIMITIVES: Final = (
    Primitive(
        "crossbar_cells",
        ("read", "hold", "read_base", "read_step", "program"),
        {
            "rows": Need("word lines"),
            "cols": Need("bit lines"),
            "levels": Need("conductance levels", 2, least=2),
            "read_v": Need("V", least=0, real=True),
            "pulse_ns": Need("ns", least=0, real=True),
            "hold_ns": Need("ns of one conversion", 0.0, least=0, real=True),
            "g_min_us": Need("uS", least=0, real=True),
            "g_max_us": Need("uS", least=0, real=True),
            "mean_us": Need("uS", least=0, real=True),
            "program_pj": Need("pJ per cell", least=0, real=True),
            "cell_f2": Need("squares of the feature size", least=0, real=True),
            "feature_nm": Need("nm", least=0, real=True),
            "leakage_mw": Need("mW per cell", 0.0, least=0, real=True),
            "device": Need("name and source of the device", text=True),
        },
        _cost,
        "cells of one crossbar; actions read, hold, read_base, read_step (one cell, one pulse), program (one cell)",
    ),
)

"""Small storage from the gate table: registers, register files below 1 KiB, FIFOs.

A register file of n bytes has the area and leakage of n 8-bit registers (SATA_Sim's convention). Its access energy is
that of ONE word of ``bits``, not of the whole file (SATA_Sim charges the whole file at every cycle). Address decoding
is not included.
"""

from __future__ import annotations

from typing import Final

from archsim.cost.interpolate import describe, loglog2
from archsim.cost.primitives.base import Need, Primitive, Request, at_node, cited
from archsim.cost.primitives.logic import (
    UNITS,
    gate_area,
    gate_energy,
    gate_leakage,
    in_milliwatts,
    laid_out,
    per_operation,
)
from archsim.cost.records import ComponentCost, Constant, Priced

FILE_BELOW_BYTES: Final = 1024


def _access(request: Request) -> dict[str, Priced]:
    bits = request.number("bits")
    write = at_node(gate_energy(request, "register", bits), "energy", request)
    share = request.table.constant("register.read_factor")
    read = write.times(share.span, f"times {cited('register.read_factor', share)}")
    return {"read": read, "write": write}


def _register(request: Request) -> ComponentCost:
    bits = request.number("bits")
    return ComponentCost(
        _access(request),
        at_node(gate_leakage(request, "register", bits), "leakage", request),
        at_node(gate_area(request, "register", bits), "area", request),
        request.node_nm,
    )


def _registerfile(request: Request) -> ComponentCost:
    size = request.number("bytes")
    if size >= FILE_BELOW_BYTES:
        raise request.refuse("bytes", "too large for a register file", value=size,
                             allowed=f"below {FILE_BELOW_BYTES} bytes; use an sram from there on")  # fmt: skip
    words = f"register file of {size} bytes: x {size} 8-bit registers"
    energy = {
        action: priced.times(1.0, f"one word of {request.number('bits')} bits, not the whole file")
        for action, priced in _access(request).items()
    }
    return ComponentCost(
        energy,
        at_node(gate_leakage(request, "register", 8).times(float(size), words), "leakage", request),
        at_node(gate_area(request, "register", 8).times(float(size), words), "area", request),
        request.node_nm,
    )


def _fifo_figure(request: Request, quantity: str) -> Priced:
    model = request.table.gates.model
    depth, bits = request.number("depth"), request.number("bits")
    rows = {(float(d), float(b)): figure for (d, b), figure in request.table.gates.gates["fifo"][quantity].items()}
    for name, value, axis in (("depth", depth, 0), ("bits", bits, 1)):
        low, high = min(key[axis] for key in rows), max(key[axis] for key in rows)
        if not low <= value <= high:
            raise request.refuse(name, "lies outside the gate table of a fifo", value=value,
                                 allowed=f"{low:g} to {high:g}"
                                 + ("; a deeper queue is a registerfile or an sram" if axis == 0 else ""))  # fmt: skip
    point = loglog2(float(depth), float(bits), rows)
    how = "in the table" if point.exact else f"log-log between {describe(point, ('depth', 'bits'))}"
    return Priced.of(
        Constant(point.value, UNITS[quantity], model.node_nm, model.source, model.note),
        f"fifo {quantity.rpartition('_')[0]} at depth {depth}, {bits} bits: {point.value:.4g} {UNITS[quantity]}, {how}",
    )


def _fifo(request: Request) -> ComponentCost:
    share = request.table.constant("fifo.access_share")
    both = per_operation(_fifo_figure(request, "dynamic_mw"), request)
    access = at_node(both.times(share.span, f"times {cited('fifo.access_share', share)}"), "energy", request)
    return ComponentCost(
        {"push": access, "pop": access},
        at_node(in_milliwatts(_fifo_figure(request, "leakage_uw"), request), "leakage", request),
        at_node(laid_out(_fifo_figure(request, "area_um2"), request), "area", request),
        request.node_nm,
    )


PRIMITIVES: Final = (
    Primitive("register", ("read", "write"), {"bits": Need("bits")}, _register, "one register; actions read, write"),
    Primitive(
        "registerfile", ("read", "write"), {"bytes": Need("bytes"), "bits": Need("bits", 8)}, _registerfile,
        "register file below 1 KiB; actions read, write (one word of `bits`)",
    ),
    Primitive(
        "fifo", ("push", "pop"), {"depth": Need("entries"), "bits": Need("bits")}, _fifo, "FIFO; actions push, pop"
    ),
)  # fmt: skip

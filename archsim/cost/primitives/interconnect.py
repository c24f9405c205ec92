"""Wires and routers: links, H-trees, mesh routers, and ISAAC's bus and eDRAM.

A bit over one mm costs C V^2 with the table's effective capacitance per mm and the node's nominal supply: capacitance
per mm hardly changes over the nodes (Keckler et al. 2011), so that the gates' factors do not apply. A wire of pitch p
features takes p x node x length.

An H-tree over a square of side s with 4^m places (the least m that holds all ``leaves``):

* from a leaf to the root: sum over levels of 2 s / 2^(i+1) = s (1 - 2^-m);
* all of its wire: sum over levels of 4^(i-1) x 3 s / 2^i = 1.5 s (2^m - 1).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from archsim.cost.primitives.base import Need, Primitive, Request, at_node, cited, nothing
from archsim.cost.records import ComponentCost, Priced

UM_PER_MM: Final = 1000.0
NO_LEAKAGE: Final = "its source states none"


def _moved(request: Request, length_mm: float) -> Priced:
    """pJ of one bit over a length: pF/mm x V^2 x mm."""
    supply_v = request.table.scaling.supply_v(request.node_nm)
    one = Priced.of(request.table.constant("wire.capacitance"), "effective capacitance of one mm, per bit moved")
    volts = f"x ({supply_v:.4g} V)^2, nominal supply at {request.node_nm:g} nm"
    return one.times(supply_v**2, volts).times(length_mm, f"x {length_mm:g} mm")


def _wires(request: Request, length_mm: float) -> Priced:
    """um2 of all bits over a length; 1 nm x 1 mm = 1 um2."""
    bits, share = request.number("bits"), request.table.constant("wire.area_share")
    pitch = Priced.of(request.table.constant("wire.pitch"), "pitch of one wire in features")
    width = pitch.times(request.node_nm, f"x {request.node_nm:g} nm").times(float(bits), f"x {bits} bits")
    area = width.times(length_mm, f"x {length_mm:g} mm of wire; 1 nm x 1 mm = 1 um2")
    return area.times(share.span, f"times {cited('wire.area_share', share)}")


def _between(request: Request, path_mm: float, wire_mm: float) -> ComponentCost:
    leakage = nothing("mW", NO_LEAKAGE, request.table.constant("wire.capacitance").source)
    return ComponentCost({"bit": _moved(request, path_mm)}, leakage, _wires(request, wire_mm), request.node_nm)


def _link(request: Request) -> ComponentCost:
    length_mm = request.real("length_mm")
    return _between(request, length_mm, length_mm)


def _htree(request: Request) -> ComponentCost:
    path_um, wire_um = htree_um(request.number("leaves"), request.real("side_um"))
    return _between(request, path_um / UM_PER_MM, wire_um / UM_PER_MM)


def htree_um(leaves: int, side_um: float) -> tuple[float, float]:
    """Length from a leaf to the root, and of all wire, of an H-tree over a square of that side."""
    levels = ((leaves - 1).bit_length() + 1) // 2
    return side_um * (1 - 0.5**levels), 1.5 * side_um * (2**levels - 1)


def _router(request: Request) -> ComponentCost:
    bits = request.number("flit_bits")
    return _by_bits(request, "flit", "router", bits, f"x {bits} bits of a flit")


def _bus(request: Request) -> ComponentCost:
    """One bit moved; area by width."""
    cost = _by_bits(request, "bit", "bus", request.number("bits"), f"x {request.number('bits')} bits wide")
    one = Priced.of(request.table.constant("bus.bit"), "one bit over the bus")
    return replace(cost, energy_pj={"bit": at_node(one, "energy", request)})


def _by_bits(request: Request, action: str, key: str, bits: int, why: str) -> ComponentCost:
    energy, area = (request.table.constant(f"{key}.{name}") for name in ("bit", "area_per_bit"))
    return ComponentCost(
        {action: at_node(Priced.of(energy, "one bit").times(float(bits), why), "energy", request)},
        nothing("mW", NO_LEAKAGE, energy.source),
        at_node(Priced.of(area, "one bit of width").times(float(bits), why), "area", request),
        request.node_nm,
    )


def _edram(request: Request) -> ComponentCost:
    line, macros = request.number("line_bytes"), request.number("macros")
    bit, area = (request.table.constant(f"edram.{name}") for name in ("bit", "macro_area"))
    access = Priced.of(bit, "one bit read or written").times(8.0 * line, f"x {line} bytes of a line")
    energy = at_node(access, "energy", request)
    return ComponentCost(
        {"line_read": energy, "line_write": energy},
        nothing("mW", NO_LEAKAGE, bit.source),
        at_node(Priced.of(area, "one macro of 64 KiB").times(float(macros), f"x {macros} macros"), "area", request),
        request.node_nm,
    )


PRIMITIVES: Final = (
    Primitive("link", ("bit",), {"bits": Need("bits side by side"), "length_mm": Need("mm", least=0, real=True)}, _link,
              "wires of one length; action bit (one bit over the whole length)"),
    Primitive("htree", ("bit",),
              {"bits": Need("bits side by side"), "leaves": Need("leaves"), "side_um": Need("um", least=0, real=True)},
              _htree, "H-tree over a square; action bit (one bit between a leaf and the root)"),
    Primitive("router", ("flit",), {"flit_bits": Need("bits of a flit")}, _router,
              "mesh router; action flit (one flit through it)"),
    Primitive("bus", ("bit",), {"bits": Need("bits side by side")}, _bus, "ISAAC's eDRAM bus; action bit (one bit)"),
    Primitive("edram", ("line_read", "line_write"),
              {"macros": Need("macros of 64 KiB", 1), "line_bytes": Need("bytes", 32)}, _edram,
              "ISAAC's embedded DRAM; actions line_read, line_write (one line)"),
)  # fmt: skip

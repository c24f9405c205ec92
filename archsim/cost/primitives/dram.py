"""DRAM: energy per bit moved, per row opened (activate and precharge), and background power per device.

Off chip: the constants do not scale with the chip's node and there is no area. Background (standby and refresh) is the
leakage of all ``devices`` on the channel. Opening a row costs in proportion to its bytes: its bit lines and sense
amplifiers take nearly all of the energy, and every bit has its own.
"""

from __future__ import annotations

from typing import Final

from archsim.cost.primitives.base import Need, Primitive, Request, cited, nothing
from archsim.cost.records import ComponentCost, Priced


def _cost(request: Request) -> ComponentCost:
    if request.component.on_chip:
        raise request.refuse("on_chip", "a dram is not on the chip", value=True, allowed="false")
    constant, devices = request.table.constant, request.number("devices")
    one = Priced.of(constant("dram.background"), "standby and refresh power of one device, as long as the run lasts")
    return ComponentCost(
        {
            "read_bit": Priced.of(constant("dram.read_bit"), "one bit read"),
            "write_bit": Priced.of(constant("dram.write_bit"), "one bit written"),
            "activate": _activate(request),
        },
        one.times(float(devices), f"x {devices} device{'s' * (devices != 1)} on the channel"),
        nothing("um2", "off chip: not part of the chip's area", "by construction"),
        None,
    )


def _activate(request: Request) -> Priced:
    row, known = request.number("row_bytes"), request.table.divisor("dram.row_bytes")
    constant = request.table.constant("dram.activate")
    price = Priced.of(constant, f"a row of {known.value:g} bytes opened and closed again")
    return price.times(known.span.inverse() * float(row), f"x {row} bytes / {cited('dram.row_bytes', known)}")


PRIMITIVES: Final = (
    Primitive(
        "dram",
        ("read_bit", "write_bit", "activate"),
        {"row_bytes": Need("bytes", 2048), "devices": Need("devices", 1)},
        _cost,
        "DRAM devices of one channel; actions read_bit, write_bit, activate (one row)",
    ),
)

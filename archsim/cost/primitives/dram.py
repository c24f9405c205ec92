"""DRAM: energy per bit moved, per row opened (activate and precharge), and background power per device.

Off chip: the constants do not scale with the chip's node and there is no area. Background (standby and refresh) is the
leakage of one device; ``count`` is the number of devices.
"""

from __future__ import annotations

from typing import Final

from archsim.cost.primitives.base import Need, Primitive, Request, nothing
from archsim.cost.records import ComponentCost, Priced


def _cost(request: Request) -> ComponentCost:
    if request.component.on_chip:
        raise request.refuse("on_chip", "a dram is not on the chip", value=True, allowed="false")
    constant = request.table.constant
    return ComponentCost(
        {
            "read_bit": Priced.of(constant("dram.read_bit"), "one bit read"),
            "write_bit": Priced.of(constant("dram.write_bit"), "one bit written"),
            "activate": Priced.of(constant("dram.activate"), "one row opened and closed again"),
        },
        Priced.of(constant("dram.background"), "standby and refresh power of one device, as long as the run lasts"),
        nothing("um2", "off chip: not part of the chip's area", "by construction"),
        None,
    )


PRIMITIVES: Final = (
    Primitive(
        "dram",
        ("read_bit", "write_bit", "activate"),
        {"bytes": Need("bytes", 2**29), "row_bytes": Need("bytes", 1024), "bus_bits": Need("bits", 32)},
        _cost,
        "DRAM devices; actions read_bit, write_bit, activate (one row)",
    ),
)

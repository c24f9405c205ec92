"""The memories that a systolic chip has whatever the network is, with the keys under which its file states them."""

from __future__ import annotations

from collections.abc import Mapping

from archsim.accelerators.systolic.components import _memories
from archsim.accelerators.systolic.schema import SystolicArchitecture
from archsim.cost.component import Component

BUFFER_KEYS = {"bytes": "size", "line_bytes": "line", "banks": "banks"}


def memories(arch: SystolicArchitecture) -> tuple[tuple[Component, Mapping[str, str]], ...]:
    """Global buffers and DRAM: each component, and the dotted key of the file for each of its attributes."""
    return tuple((component, _keys(component)) for component in _memories(arch))


def _keys(component: Component) -> Mapping[str, str]:
    if component.primitive == "dram":
        return {"row_bytes": "dram.row", "devices": "dram.devices"}
    buffer = f"buffers.{component.name.removesuffix('_buffer')}"
    return {"cell": "sram_cell", **{attribute: f"{buffer}.{key}" for attribute, key in BUFFER_KEYS.items()}}

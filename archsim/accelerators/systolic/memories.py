"""The memories that a systolic chip has whatever the network is, with the keys under which its file states them."""

from __future__ import annotations

from collections.abc import Mapping

from archsim.accelerators.systolic.memory_schema import Sram
from archsim.accelerators.systolic.schema import SystolicArchitecture
from archsim.cost.component import Component

BUFFER_KEYS = {"bytes": "size", "line_bytes": "line", "banks": "banks"}


def memories(arch: SystolicArchitecture) -> tuple[tuple[Component, Mapping[str, str]], ...]:
    """Global buffers and DRAM: each component, and the dotted key of the file for each of its attributes."""
    return tuple((component, _keys(component)) for component in memory_components(arch))


def _keys(component: Component) -> Mapping[str, str]:
    if component.primitive == "dram":
        return {"row_bytes": "dram.row", "devices": "dram.devices"}
    buffer = f"buffers.{component.name.removesuffix('_buffer')}"
    return {"cell": "sram_cell", **{attribute: f"{buffer}.{key}" for attribute, key in BUFFER_KEYS.items()}}


def memory_components(arch: SystolicArchitecture) -> list[Component]:
    """The global buffers and the DRAM devices."""
    buffers: dict[str, Sram] = {
        "ifmap_buffer": arch.buffers.ifmap,
        "weight_buffer": arch.buffers.weight,
        "ofmap_buffer": arch.buffers.ofmap,
    }
    if arch.buffers.membrane is not None:
        buffers["membrane_buffer"] = arch.buffers.membrane
    parts = [_sram(name, buffer, arch.sram_cell) for name, buffer in buffers.items()]
    parts.append(arch.dram.component)
    return parts


def _sram(name: str, buffer: Sram, cell: str) -> Component:
    attributes: dict[str, float | int | str] = {
        "bytes": int(buffer.size),
        "line_bytes": int(buffer.line),
        "banks": buffer.banks,
        "cell": cell,
    }
    return Component(name, "sram", "global buffer", attributes, description=name.replace("_", " "))

"""The parts of a crossbar chip as cost components; their counts follow from the hierarchy and from the network.

``cells``, drivers: one each per crossbar. Converters, with the muxes before them and the shift-and-add and subtracting
units behind them: ``ceil(columns / column_mux)`` for each crossbar, or for each PE whose crossbars share them. As many
accumulators in each PE; in each tile as many as sums arrive in a cycle. Memories and neuron units per channel: as many
as the network needs; in a chip of a stated number of tiles no fewer macros in each than it can access at once.
"""

from __future__ import annotations

from collections.abc import Mapping

from archsim.accelerators.crossbar.chip import Chip
from archsim.accelerators.crossbar.parts_schema import Memory
from archsim.accelerators.crossbar.schema import CrossbarArchitecture
from archsim.accelerators.crossbar.timing import converters_of_group
from archsim.accelerators.neurons import encoder_parts, neuron_parts, vector_parts
from archsim.cost.component import Attribute, Component

Attributes = dict[str, Attribute]
Part = tuple[str, str, str, Attributes, str]  # name, primitive, level, attributes, description


def components(chip: Chip) -> tuple[Component, ...]:
    """Every part that can cost energy or area for this network."""
    arch, network = chip.arch, chip.network
    counts = _counts(chip)
    parts = [
        Component(name, primitive, level, attributes, counts[name], description=description)
        for name, primitive, level, attributes, description in (*_fixed_parts(arch), *_arithmetic(chip), *_wires(chip))
        if counts[name]
    ]
    stages = chip.stages
    parts += neuron_parts(network, stages, _neuron_units(chip), chip.sizes.registers_per_unit)
    parts += vector_parts(network, stages, chip.tiles * arch.pool_lanes)
    return (*parts, *encoder_parts(network), arch.dram.component) if arch.dram is not None else tuple(parts)


def memories(arch: CrossbarArchitecture) -> tuple[tuple[Component, Mapping[str, str]], ...]:
    """The parts that the chip has whatever the network is, with the user's key for each attribute."""
    found = [
        (
            Component(name, primitive, level, attributes, description=text),
            {attribute: key for attribute, key in KEYS.get(name, {}).items() if attribute in attributes},
        )
        for name, primitive, level, attributes, text in _fixed_parts(arch)
    ]
    if arch.dram is not None:
        found.append((arch.dram.component, {"row_bytes": "dram.row", "devices": "dram.devices"}))
    return tuple(found)


KEYS: Mapping[str, Mapping[str, str]] = {
    "cells": {"rows": "crossbar.rows", "cols": "crossbar.cols"},
    "wordline_driver": {"rows": "crossbar.rows", "cols": "crossbar.cols", "model": "crossbar.driver"},
    "column_mux": {"inputs": "crossbar.column_mux"},
    "adc": {"bits": "adc.bits", "conversion_ns": "adc.conversion", "model": "adc.model"},
    "input_buffer": {"bytes": "buffer.macro", "line_bytes": "buffer.line", "cell": "sram_cell"},
    "membrane_buffer": {"bytes": "neuron.membrane.macro", "line_bytes": "neuron.membrane.line", "cell": "sram_cell"},
}


def _counts(chip: Chip) -> dict[str, int]:
    """Instances of every part."""
    arch, tiles = chip.arch, chip.tiles
    pes = tiles * arch.tile.pes
    crossbars = pes * arch.pe.crossbars
    groups = crossbars if arch.adc.share == "crossbar" else pes
    per_group = converters_of_group(arch)
    converters = groups * per_group
    by_converter = ("column_mux", "adc", "shift_add", "subtractor")
    sizes, own = chip.sizes, 0 if arch.tiles == "as_needed" else tiles  # tiles of a stated number have their memories
    inputs = max((own * arch.buffer.lines_per_cycle, *sizes.buffer_macros.values()))
    membranes = max((own * arch.neuron.membrane.lines_per_cycle, *sizes.membrane_macros.values()))
    return {
        "cells": crossbars, "wordline_driver": crossbars, **dict.fromkeys(by_converter, converters),
        "popcount": groups if arch.adc.analog_sum else crossbars, "pe_accumulator": pes * per_group,
        "tile_accumulator": tiles * -(-arch.tile.wires // arch.accumulator_bits), "input_buffer": inputs,
        "membrane_buffer": membranes, "htree": tiles, "bus": tiles,
        "router": chip.mesh.routers, "link": chip.mesh.links,
    }  # fmt: skip


def _neuron_units(chip: Chip) -> int:
    if chip.arch.neuron.units != "per_channel":
        return chip.tiles * chip.arch.neuron.units
    return max(chip.sizes.neuron_units.values(), default=0)


def _fixed_parts(arch: CrossbarArchitecture) -> list[Part]:
    """Parts whose sizes the description of the chip states."""
    crossbar, adc = arch.crossbar, arch.adc
    size: Attributes = {"rows": crossbar.rows, "cols": crossbar.cols}
    converter: Attributes = {"bits": adc.bits, "conversion_ns": arch.conversion_ns, "model": adc.model}
    parts: list[Part] = [
        ("cells", "crossbar_cells", "compute", {**size, **_cell(arch)}, "cells of the crossbars"),
        ("wordline_driver", "wordline_driver", "compute", {**size, "model": crossbar.driver}, "drive active rows"),
        ("column_mux", "column_mux", "compute", {"inputs": crossbar.column_mux}, "switch columns to converters"),
        ("adc", "adc", "compute", converter, "column converters"),
        _memory("input_buffer", "global buffer", arch.buffer, arch, "inputs that wait for the crossbars"),
        _memory("membrane_buffer", "neuron module", arch.neuron.membrane, arch, "membrane potentials of all layers"),
    ]
    return parts


def _cell(arch: CrossbarArchitecture) -> Attributes:
    """The device as the price of a cell asks for it."""
    device, crossbar = arch.crossbar.cell, arch.crossbar
    assert device.read is not None and device.cell is not None  # checked with the description
    return {
        "levels": crossbar.levels, "read_v": device.read.voltage, "pulse_ns": crossbar.read_ns,
        "hold_ns": arch.hold_ns, "mean_us": crossbar.mean_us,
        "g_min_us": device.g_min_s * 1e6, "g_max_us": device.g_max_s * 1e6,
        "program_pj": device.programming_energy_pj(1) if device.programming is not None else 0.0,
        "cell_f2": device.cell.area_f2, "feature_nm": device.cell.feature,
        "leakage_mw": device.leakage_mw if device.leakage is not None else 0.0, "device": device.name,
    }  # fmt: skip


def _memory(name: str, level: str, memory: Memory, arch: CrossbarArchitecture, text: str) -> Part:
    if getattr(memory, "memory", "sram") == "edram":
        return name, "edram", level, {"macros": 1, "line_bytes": int(memory.line)}, text
    sizes: Attributes = {"bytes": int(memory.macro), "line_bytes": int(memory.line), "cell": arch.sram_cell}
    return name, "sram", level, sizes, text


def _arithmetic(chip: Chip) -> list[Part]:
    """What makes sums of converted columns; as wide as the partial sums."""
    arch, bits = chip.arch, chip.arch.accumulator_bits
    slices = max(placed.cells.slices for placed in chip.placed.values())
    planes = max(layer.in_bits for layer in chip.network.weighted_layers)
    parts: list[Part] = []
    if slices > 1 or planes > 1:
        shifts: Attributes = {"bits": bits, "positions": slices + planes - 1, "model": arch.tile.shift_add}
        parts.append(("shift_add", "shift_add", "compute", shifts, "puts bit slices and bit planes together"))
    if arch.adc.resolution != "full":
        inputs = arch.crossbar.rows_at_once * (arch.pe.crossbars if arch.adc.analog_sum else 1)
        parts.append(("popcount", "popcount", "compute", {"inputs": inputs}, "counts the active rows of a conversion"))
    parts += [
        ("subtractor", "diff", "compute", {"bits": bits}, "positive minus negative columns, or minus the offset"),
        ("pe_accumulator", "accumulator", "compute", {"bits": bits}, "adds the crossbars of a PE"),
        ("tile_accumulator", "accumulator", "compute", {"bits": bits}, "adds the PEs of a tile, and other tiles' sums"),
    ]
    return parts


def _wires(chip: Chip) -> list[Part]:
    """Wires within and between tiles: as long as the tile's edge."""
    tile, noc = chip.arch.tile, chip.arch.noc
    edge: Attributes = {"squares": chip.tiles}
    if tile.side != "fit":
        edge["side_um"] = float(tile.side) / 1e3
    if tile.wiring == "htree":
        wires: Attributes = {"bits": tile.wires, "leaves": tile.pes, **edge}
        inside: Part = ("htree", "htree", "interconnect", wires, "between the PEs and the buffers of a tile")
    else:
        inside = ("bus", "bus", "interconnect", {"bits": tile.wires}, "between the PEs and the buffers of a tile")
    link: Attributes = {"bits": noc.flit_bits, **edge}
    return [
        inside,
        ("router", "router", "interconnect", {"flit_bits": noc.flit_bits}, "one at each tile"),
        ("link", "link", "interconnect", link, "between neighbouring tiles"),
    ]

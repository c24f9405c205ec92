"""SCALE-Sim's cycles and accesses for an archsim chip and workload, layer by layer beside archsim's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from archsim.accelerators.systolic.dataflows import SHORT_NAMES, dataflow
from archsim.accelerators.systolic.schema import SystolicArchitecture
from archsim.against.settings import PADDINGS, Settings, choice
from archsim.errors import Problem, UnsupportedError
from archsim.peers import scalesim
from archsim.peers.layers import layers_of

if TYPE_CHECKING:
    from archsim.accelerators import Architecture
    from archsim.result import Result
    from archsim.workload import Workload

OURS = {
    "sram_ifmap_reads": ("ifmap_buffer", "element_read"),
    "sram_filter_reads": ("weight_buffer", "element_read"),
    "sram_ofmap_writes": ("ofmap_buffer", "element_write"),
    "dram_read_bits": ("dram", "read_bit"),
    "dram_write_bits": ("dram", "write_bit"),
}


def settings_of() -> Mapping[str, Callable[[str], Any]]:
    """What a user may state: whether the maps have their padding written into them."""
    return {"padding": choice("padding", *PADDINGS)}


def answer(architecture: Architecture, workload: Workload, result: Result, settings: Settings) -> dict[str, Any]:
    """SCALE-Sim's rows with archsim's counts beside them; UnsupportedError for what it cannot express."""
    config = config_of(architecture)
    layers = layers_of(workload.network)
    if settings.get("padding") == "written":
        layers = tuple(layer.padded() if layer.kind == "conv" else layer for layer in layers)
    found = scalesim.answer(layers, config)
    timesteps = workload.network.timesteps
    notes = [f"one dense timestep; archsim executed {timesteps}"] if timesteps > 1 else []
    return {
        "total_cycles": found.total_cycles,
        "config": asdict(config),
        "layers": [asdict(row) | {"cycles": row.cycles, "archsim": _ours(result, row.name)} for row in found.layers],
        "limits": [*found.limits, *notes],
    }


def config_of(architecture: Architecture) -> scalesim.ScaleSimConfig:
    """The chip as SCALE-Sim's configuration file."""
    chip = architecture.chip
    if not isinstance(chip, SystolicArchitecture):
        raise UnsupportedError(Problem("SCALE-Sim knows systolic arrays only", key="family", value=chip.family))
    short = {long: name for name, long in SHORT_NAMES.items()}
    flow = dataflow(chip.array.dataflow).name
    if flow not in short:
        text = "SCALE-Sim has no such dataflow"
        raise UnsupportedError(Problem(text, key="array.dataflow", value=flow, allowed=", ".join(short)))
    return scalesim.ScaleSimConfig(
        chip.array.rows, chip.array.cols, short[flow],  # type: ignore[arg-type]
        int(chip.buffers.ifmap.size), int(chip.buffers.weight.size), int(chip.buffers.ofmap.size),
    )  # fmt: skip


def _ours(result: Result, name: str) -> dict[str, float] | None:
    """archsim's cycles and accesses of a layer; None for one of the layers into which a grouped one was cut."""
    row = next((row for row in result.layers if row.name == name), None)
    if row is None:
        return None
    counts = {key: 0.0 for key in OURS}
    for count in result.counts:
        for key, wanted in OURS.items():
            if count.layer == name and (count.component, count.action) == wanted:
                counts[key] += count.count
    return {"cycles": row.cycles, **counts}

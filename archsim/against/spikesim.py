"""SpikeSim's answer for an archsim chip and workload, and the ways from its energy, area and latency to archsim's.

Crossbar size, PEs per tile, device and clock are the chip's, the kernel is the network's; everything else is as in
SpikeSim's tool. What the tool refuses for this network (it prints "Check layer order", crashes or never ends) is None
here with its reasons under ``refused``; the waterfall of such a quantity starts from the tool's formula all the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from archsim.accelerators.crossbar.schema import CrossbarArchitecture
from archsim.against.settings import Settings, choice, names, whole_number
from archsim.against.spikesim_bridge import area_bars, energy_bars
from archsim.against.spikesim_chip import DEVICES, config_of, notes
from archsim.against.spikesim_schedule import latency_bars
from archsim.errors import Problem
from archsim.peers import spikesim
from archsim.peers.spikesim import SPIKESIM, SpikeSimAnswer, SpikeSimConfig, SpikeSimLayer
from archsim.peers.waterfall import Given, Step, waterfall

if TYPE_CHECKING:
    from archsim.accelerators import Architecture
    from archsim.result import Result
    from archsim.workload import Workload

MOST_KERNEL = 64
_STEPS: Mapping[str, tuple[Step[SpikeSimConfig], ...]] = MappingProxyType(
    {"energy": spikesim.ENERGY_STEPS, "area": spikesim.AREA_STEPS, "latency": spikesim.LATENCY_STEPS}
)


def steps_of(quantity: str) -> tuple[tuple[str, Step[SpikeSimConfig]], ...]:
    """The conventions of energy, area or latency that can be corrected, in order: the switch that turns, and the step.

    Two steps turn ``latency_unit``, one after the other.
    """
    before = asdict(SPIKESIM.conventions)
    found = []
    for step in _STEPS[quantity]:
        after = asdict(step.change(SPIKESIM).conventions)
        found.append((next(name for name in before if before[name] != after[name]), step))
    return tuple(found)


def settings_of() -> Mapping[str, Callable[[str], Any]]:
    """What a user may state: the conventions to correct, one kernel for all layers, and the device."""
    switches = tuple(dict.fromkeys(switch for quantity in _STEPS for switch, _ in steps_of(quantity)))
    return {
        "steps": names("steps", switches),
        "kernel": whole_number("kernel", MOST_KERNEL),
        "device": choice("device", *DEVICES),
    }


@dataclass(frozen=True)
class _Question:
    """What SpikeSim is asked, and what archsim says to it."""

    layers: tuple[SpikeSimLayer, ...]
    timesteps: int
    config: SpikeSimConfig
    chip: CrossbarArchitecture
    result: Result

    def total(self, quantity: str, config: SpikeSimConfig) -> float:
        """SpikeSim's energy in pJ, area in um2 or latency in ns."""
        if quantity == "energy":
            return spikesim.energy(self.layers, self.timesteps, config).total_pj
        if quantity == "area":
            return spikesim.area(self.layers, config).total_um2
        return spikesim.latency(self.layers, self.timesteps, config).total_ns

    def bars(self, quantity: str, config: SpikeSimConfig) -> list[Given]:
        """From SpikeSim under ``config`` to archsim's figure, part by part."""
        if quantity == "energy":
            found = spikesim.energy(self.layers, self.timesteps, config)
            return energy_bars(self.result, found, self.timesteps, config)
        if quantity == "area":
            return area_bars(self.result, spikesim.area(self.layers, config), self.layers, config)
        times = spikesim.latency(self.layers, self.timesteps, config)
        return latency_bars(self.result, self.chip, times, self.layers, config)


def answer(architecture: Architecture, workload: Workload, result: Result, settings: Settings) -> dict[str, Any]:
    """Energy (pJ), area (um2) and latency (ns) of SpikeSim as plain data, with a waterfall to archsim's of each.

    UnsupportedError for what SpikeSim cannot be asked.
    """
    known = {layer.name for layer in workload.network.weighted_layers}
    densities = {row.name: row.density for row in result.layers if row.name in known}
    layers, timesteps = spikesim.layers_of(workload.network, densities), workload.network.timesteps
    config = config_of(architecture, layers, settings)
    asked = _Question(layers, timesteps, config, architecture.chip, result)
    found = spikesim.answer(layers, timesteps, config)
    return {
        **_totals(found),
        "refused": {quantity: [_told(one) for one in problems] for quantity, problems in found.refusals.items()},
        "config": _config_data(config),
        "layers": _per_layer(found, result),
        "limits": [*found.limits, *notes(architecture.chip, workload.network, config)],
        "waterfall": _waterfall(asked, "energy", "pJ", result.energy_pj, settings),
        "area_waterfall": _waterfall(asked, "area", "um2", result.area_um2, settings),
        "latency_waterfall": _waterfall(asked, "latency", "ns", result.latency_ns, settings),
    }


def _told(problem: Problem) -> str:
    """A refusal without the switches of the peer's own module, which lift it and are no settings here."""
    return re.sub(r"; any_\w+ lifts this|; with any_shape [^(]*(?= \()", "", str(problem))


def _totals(found: SpikeSimAnswer) -> dict[str, Any]:
    energy, area, latency, tiles = found.energy, found.area, found.latency, found.tiles
    return {
        "energy_pj": energy and energy.total_pj,
        "energy_components_pj": energy and energy.components_pj(),
        "area_um2": area and area.total_um2,
        "area_components_um2": area and area.components_um2,
        "area_tuple_um2": area and list(area.as_tuple()),
        "latency_ns": latency and latency.total_ns,
        "pes": tiles and tiles.pes,
        "tiles": tiles and tiles.tiles,
    }


def _config_data(config: SpikeSimConfig) -> dict[str, Any]:
    return {
        "crossbar": config.crossbar, "pes_per_tile": config.pes_per_tile, "device": config.device,
        "kernel": config.kernel, "clock_mhz": config.clock_mhz, "constants": asdict(config.constants),
    }  # fmt: skip


def _per_layer(found: SpikeSimAnswer, result: Result) -> list[dict[str, Any]]:
    """SpikeSim's layers, with archsim's row beside those of the same name."""
    ours = {row.name: row for row in result.layers}
    energies = {} if found.energy is None else {row.name: row for row in found.energy.layers}
    times = {} if found.latency is None else {row.name: row for row in found.latency.layers}
    rows = []
    for layer in found.layers:
        energy, time, own = energies.get(layer.name), times.get(layer.name), ours.get(layer.name)
        rows.append(
            {
                "name": layer.name, "pes": layer.pes(found.config.crossbar),
                "pe_cycles": energy and energy.pe_cycles, "energy_pj": energy and energy.total_pj,
                "start_ns": time and time.start_ns, "finish_ns": time and time.finish_ns,
                "archsim": own and {"energy_pj": own.energy_pj, "cycles": own.cycles, "span_cycles": own.span_cycles},
            }
        )  # fmt: skip
    return rows


def _waterfall(asked: _Question, quantity: str, unit: str, end: float, settings: Settings) -> dict[str, Any]:
    """Correct the chosen conventions on SpikeSim's formulas, then go part by part to archsim's figure."""
    chosen = [(switch, step) for switch, step in steps_of(quantity) if switch in settings.get("steps", (switch,))]
    start = corrected = asked.config.lifted()
    for _, step in chosen:
        corrected = step.change(corrected)
    parts = asked.bars(quantity, corrected)
    steps: list[Step[SpikeSimConfig] | Given] = [*(step for _, step in chosen), *parts]
    found = waterfall(start, lambda config: asked.total(quantity, config), steps, end=end)
    switches = [*(switch for switch, _ in chosen), *(None for _ in parts)]
    rows = [{**asdict(row), "switch": switch} for row, switch in zip(found.rows, switches, strict=True)]
    return {"unit": unit, "start": found.start, "end": found.end, "rows": rows}

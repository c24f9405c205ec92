"""SATA_Sim's answer for an archsim chip and workload, and the way from its total to archsim's.

Array, clock, buffer and scratchpad sizes are the chip's; the PE is that of sata-config (AND gate and adder) or of
eyeriss-config (multiplier), as ``pe.wide_values`` says; scratchpads are gated as in both of its files (spikes and
partial sums always switching, weights per operation).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from archsim.accelerators.systolic.schema import SystolicArchitecture
from archsim.against.bridge import BUFFERS, bridge
from archsim.against.settings import PADDINGS, Settings, choice, fraction, names, whole_number
from archsim.errors import Problem, UnsupportedError
from archsim.peers import sata_sim
from archsim.peers.layers import PeerLayer, layers_of
from archsim.peers.sata_sim import EYERISS, SATA, Glb, SataSimConfig, Scratchpad
from archsim.peers.waterfall import Given, Step, waterfall
from archsim.workload import SyntheticActivity

if TYPE_CHECKING:
    from archsim.accelerators import Architecture
    from archsim.accelerators.systolic.memory_schema import GlobalBuffer
    from archsim.result import Result
    from archsim.workload import Network, Workload

Accounting = Literal["current", "shipped"]
PJ_PER_NJ = 1000.0


def steps_of(accounting: Accounting) -> dict[str, Step[SataSimConfig]]:
    """The conventions that can be corrected, by the name of the switch that each of them turns, in order."""
    start = SATA.under(accounting)
    steps = (*sata_sim.SHIPPED_STEPS, *sata_sim.STEPS) if accounting == "shipped" else sata_sim.STEPS
    before = asdict(start.conventions)
    found = {}
    for step in steps:
        after = asdict(step.change(start).conventions)
        found[next(name for name in before if before[name] != after[name])] = step
    return found


def settings_of(accounting: Accounting) -> Mapping[str, Callable[[str], Any]]:
    """What a user may state: value widths, one sparsity, and the conventions to correct one by one."""
    bits: dict[str, Callable[[str], Any]] = {
        name: whole_number(name, 64) for name in ("act_bits", "weight_bits", "output_bits")
    }
    bits["padding"] = choice("padding", *PADDINGS)
    return {**bits, "sparsity": fraction("sparsity"), "steps": names("steps", tuple(steps_of(accounting)))}


def answer(
    accounting: Accounting, architecture: Architecture, workload: Workload, result: Result, settings: Settings
) -> dict[str, Any]:
    """What SATA_Sim's ``current`` script, or the one of its ``shipped`` results, answers, as plain data.

    The columns of its summary under their names (nJ), and the waterfall to archsim's energy (pJ). UnsupportedError for
    what SATA_Sim cannot express.
    """
    config, notes = config_of(architecture, workload.network, settings)
    config, known = config.under(accounting), steps_of(accounting)
    if settings.get("padding") == "written":
        config = config.turned(true_padding=True)
        del known["true_padding"]
    sparsity, more_notes = _sparsity(workload, result.samples, settings)
    layers, timesteps = layers_of(workload.network), workload.network.timesteps
    found = sata_sim.answer(layers, timesteps, sparsity, config)
    chosen = {name: known[name] for name in known if name in settings.get("steps", known)}
    return {
        **found.summary(),
        "accounting": accounting,
        "config": _config_data(config),
        "components_nJ": found.components_nj(),
        "per_layer": [asdict(stat) for stat in found.layers],
        "limits": [*found.limits, *notes, *more_notes],
        "waterfall": _waterfall(result, config, (layers, timesteps, sparsity), chosen),
    }


def config_of(
    architecture: Architecture, network: Network, settings: Settings = MappingProxyType({})
) -> tuple[SataSimConfig, tuple[str, ...]]:
    """The chip as SATA_Sim's configuration, and what that description leaves out or assumes."""
    chip = architecture.chip
    if not isinstance(chip, SystolicArchitecture):
        raise UnsupportedError(Problem("SATA_Sim knows systolic arrays only", key="family", value=chip.family))
    pe_of = EYERISS if chip.pe.wide_values == "multiplier" else SATA
    pad = chip.pe.scratchpad
    pads = ((pad.spike, False), (pad.weight, True), (pad.partial_sum, False))
    ifmap, weight, ofmap = _buffers(chip)
    config = SataSimConfig(
        name=architecture.name, rows=chip.array.rows, cols=chip.array.cols, clock_mhz=chip.clock_mhz,
        act_bits=settings.get("act_bits", pe_of.act_bits), output_bits=settings.get("output_bits", pe_of.output_bits),
        weight_bits=settings.get("weight_bits", network.precision.weight_bits), pe=pe_of.pe,
        scratchpads=tuple(Scratchpad(int(size), gated) for size, gated in pads if size),
        ifmap=ifmap, weight=weight, ofmap=ofmap,
    )  # fmt: skip
    return config, _notes(chip, network, pe_of)


def _buffers(chip: SystolicArchitecture) -> list[Glb]:
    """Buffers for inputs, weights, outputs; one UnsupportedError for all sizes that SATA_Sim has no figures for."""
    found, problems = [], []
    for name in BUFFERS:
        try:
            found.append(sata_sim.glb(int(getattr(chip.buffers, name).size)))
        except UnsupportedError as error:
            problems += [replace(problem, key=f"buffers.{name}") for problem in error.problems]
    if problems:
        raise UnsupportedError(problems)
    return found


def _notes(chip: SystolicArchitecture, network: Network, pe_of: SataSimConfig) -> tuple[str, ...]:
    notes = [f"its PE is that of {pe_of.name}: 8-bit datapath, 16-bit sums, whatever the chip and the network state"]
    if chip.array.dataflow not in ("output_stationary", "os"):
        notes.append(f"it mixes output- and weight-stationary runs; the chip's dataflow is {chip.array.dataflow}")
    if chip.node_nm != 28:
        notes.append(f"its figures are for 28 nm; the chip is at {chip.node_nm:g} nm")
    odd = [name for name in BUFFERS if _is_odd(getattr(chip.buffers, name))]
    if odd:
        notes.append(f"its buffers have 2 banks and 32-byte blocks; the chip's differ: {', '.join(odd)}")
    widths = sorted({layer.weight_bits for layer in network.weighted_layers})
    if len(widths) > 1:
        notes.append(f"it has one weight width; the network has {', '.join(str(width) for width in widths)} bits")
    return tuple(notes)


def _is_odd(buffer: GlobalBuffer) -> bool:
    return buffer.banks != 2 or int(buffer.line) != 32


def _sparsity(workload: Workload, samples: Sequence[int], settings: Settings) -> tuple[float, tuple[str, ...]]:
    """The one sparsity that SATA_Sim takes: as stated, or one minus the mean density weighted by MACs."""
    if "sparsity" in settings:
        return float(settings["sparsity"]), ()
    activity, layers = workload.activity, workload.network.weighted_layers
    if isinstance(activity, SyntheticActivity) and activity.densities.stated.by_layer is None:
        overall = activity.densities.stated.overall
        return sata_sim.sparsity_of(1.0 if overall is None else overall), ()
    macs = sum(layer.macs for layer in layers)
    active = sum(layer.macs * activity.density_of(layer, sample) for layer in layers for sample in samples)
    density = active / (macs * len(samples)) if macs else 0.0
    note = f"one sparsity for all layers: 1 - {density:.6g}, the mean density of their inputs weighted by their MACs"
    return sata_sim.sparsity_of(density), (note,)


def _waterfall(
    result: Result,
    config: SataSimConfig,
    network: tuple[tuple[PeerLayer, ...], int, float],
    chosen: Mapping[str, Step[SataSimConfig]],
) -> dict[str, Any]:
    """Correct the chosen conventions on the peer's formulas, then go part by part to archsim's energy, all in pJ."""

    def total_pj(changed: SataSimConfig) -> float:
        return sata_sim.answer(*network, changed).total_nj * PJ_PER_NJ

    corrected = config
    for step in chosen.values():
        corrected = step.change(corrected)
    parts = bridge(result, sata_sim.answer(*network, corrected))
    steps: list[Step[SataSimConfig] | Given] = [*chosen.values(), *parts]
    found = waterfall(config, total_pj, steps, end=result.energy_pj)
    switches = [*chosen, *(None for _ in parts)]
    rows = [{**asdict(row), "switch": switch} for row, switch in zip(found.rows, switches, strict=True)]
    return {"unit": "pJ", "start": found.start, "end": found.end, "rows": rows}


def _config_data(config: SataSimConfig) -> dict[str, Any]:
    data = asdict(config)
    data["conventions"] = [name for name, is_on in data["conventions"].items() if is_on]
    return data

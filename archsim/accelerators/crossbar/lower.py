"""Lowering: a workload on a crossbar chip becomes a TaskGraph.

Units: for each layer and replica, in order, ``LAYER.fetch.R`` (ports of its input buffers; ``wires`` if those of the
tile are slower), ``LAYER.read.R`` (rows and columns), ``LAYER.adc.R`` (converters and what adds behind them) and
``LAYER.neurons.R`` (``membranes`` if their memory is slower); one fifo ``port.N`` for each
tile to which partial sums or spikes go; ``dram``; ``program`` for the write drivers where the chip is loaded in rounds.
What happens at several tiles in lockstep is one task, as long as at the busiest of them.

A chunk (output row or position) of a timestep is read when every producer's last element in its window has arrived
(``pipeline: full``), when the producers have finished its timestep (``layer``), or when they have finished (``none``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from archsim.accelerators.crossbar.assumptions import assumptions
from archsim.accelerators.crossbar.chip import Chip
from archsim.accelerators.crossbar.chunks import Chunks, Granularity
from archsim.accelerators.crossbar.components import components
from archsim.accelerators.crossbar.emit import StageEmitter
from archsim.accelerators.crossbar.mapping import Placement, balanced_replicas, place, useful_replicas
from archsim.accelerators.crossbar.reload import Loader
from archsim.accelerators.crossbar.schema import CrossbarArchitecture
from archsim.accelerators.crossbar.timing import conversion_phases
from archsim.accelerators.lowered import LayerFacts, Lowered
from archsim.accelerators.stages import Stage, stages_of
from archsim.errors import Problem, UnsupportedError, nearest
from archsim.taskgraph import GraphBuilder
from archsim.workload import Network, Workload

MOST_POSITION_TASKS = 500_000  # above, a task is a row of positions
TASKS_PER_CHUNK = 5
VECTORS = ("linear", "matmul", "flatten")  # what may read a flattened map


def lower(arch: CrossbarArchitecture, workload: Workload, sample: int = 0) -> Lowered:
    """The TaskGraph of one input, its components, and what was assumed. Raises UnsupportedError and MisfitError."""
    chip = chip_of(arch, workload, sample)
    most_rows = emit(chip)
    return Lowered(
        graph=chip.builder.build(), components=components(chip),
        layers=tuple(_facts(chip, stage) for stage in chip.stages),
        assumptions=assumptions(chip, most_rows), busy_units=_busy_units(chip),
        least_cycles={"the busiest link between two tiles": chip.links.busiest},
    )  # fmt: skip


def chip_of(arch: CrossbarArchitecture, workload: Workload, sample: int) -> Chip:
    """The network checked and placed on the chip; nothing is emitted yet."""
    network = workload.network
    stages = stages_of(network)
    placed = placements(arch, network)
    size = granularity_of(arch, network, stages)
    return Chip(
        arch, workload, sample, stages, placed,
        {stage.layer.name: Chunks(stage, size, placed[stage.layer.name].replicas) for stage in stages},
        GraphBuilder([layer.name for layer in network.layers], network.timesteps),
    )  # fmt: skip


def placements(arch: CrossbarArchitecture, network: Network) -> dict[str, Placement]:
    """Where the weights of each layer lie, by its name. Raises UnsupportedError and MisfitError."""
    stages = stages_of(network)
    _check(arch, network, stages)
    placed = place([stage.layer for stage in stages], arch.hierarchy, replicas_of(arch, network, stages))
    return {one.layer.name: one for one in placed}


def _check(arch: CrossbarArchitecture, network: Network, stages: Sequence[Stage]) -> None:
    """Layers whose input is no spikes or counts, or is flattened but not read as a vector: all of them at once."""
    problems = [
        Problem(
            f"layer '{layer.name}' reads currents or potentials, which no workload records",
            key=f"layers.{layer.index}", value=layer.name, allowed="neurons that spike before it",
        )
        for layer in network.weighted_layers if layer.in_signed
    ]  # fmt: skip
    if arch.first_layer == "once" and network.encoding == "direct":
        problems += [
            Problem(
                f"the sums of layer '{stage.layer.name}' can be kept only where its neurons follow at once",
                key="first_layer", value="once", allowed="repeat, or neurons right behind the layer",
            )
            for stage in stages if stage.from_input and not (stage.tail and stage.tail[0].unit == "neuron")
        ]  # fmt: skip
    flat = [layer for layer in network.layers if layer.kind == "flatten" and layer.in_shape != layer.out_shape]
    flattened = {layer.name for layer in flat}
    problems += [
        Problem(
            f"'{layer.kind}' reads a flattened map, whose values are no longer channels of places",
            key=f"layers.{layer.index}", value=layer.name, allowed="a linear layer; or flatten behind this one",
        )
        for layer in network.layers if flattened.intersection(layer.sources) and layer.kind not in VECTORS
    ]  # fmt: skip
    if problems:
        raise UnsupportedError(problems)


def emit(chip: Chip) -> Mapping[str, int]:
    """All rounds of loading, and in each its layers in the order of the network; most active rows by layer."""
    loader = Loader(chip) if chip.rounds > 1 else None
    most_rows: dict[str, int] = {}
    for number in range(chip.rounds):
        chip.round = number
        parts = {
            stage: chip.placed[stage.layer.name].in_round(number)
            for stage in chip.stages
            if number in chip.placed[stage.layer.name].round
        }
        loaded = loader.load(parts) if loader is not None else None
        last: list[int] = []
        for stage, part in parts.items():
            emitter = StageEmitter(chip, stage, part)
            last += emitter.emit(loaded).last_of(-1)
            name = stage.layer.name
            most_rows[name] = max(most_rows.get(name, 0), emitter.events.most_active_rows)
        if loader is not None:
            loader.done(last)
    return most_rows


def replicas_of(arch: CrossbarArchitecture, network: Network, stages: Sequence[Stage]) -> list[int]:
    """How often each layer is placed: a replica handles at least one output row."""
    layers = [stage.layer for stage in stages]
    stated = arch.mapping.replicate
    if stated == "auto":
        return balanced_replicas(layers, arch.hierarchy, [_work(arch, network, stage) for stage in stages])
    if isinstance(stated, int):
        return [useful_replicas(layer, stated) for layer in layers]
    known = [layer.name for layer in layers]
    strange = [
        Problem("no such layer with weights", key=f"mapping.replicate.{name}", nearest=nearest(name, known),
                allowed=", ".join(known))
        for name in stated if name not in known
    ]  # fmt: skip
    if strange:
        raise UnsupportedError(strange)
    return [useful_replicas(layer, stated.get(layer.name, 1)) for layer in layers]


def _work(arch: CrossbarArchitecture, network: Network, stage: Stage) -> int:
    """Cycles in which a position of a layer is read and converted at all timesteps, if nothing of it is silent."""
    layer = stage.layer
    (placed,) = place([layer], replace(arch.hierarchy, tiles=None, reload=False))
    at_once = arch.crossbar.rows_at_once
    in_pe = [np.bincount(placed.pe[placed.rows > done]).max() for done in range(0, int(placed.rows.max()), at_once)]
    turns = int(arch.converters.turns(np.array(in_pe), placed.cells.crossbars).sum()) * layer.in_bits
    convert = conversion_phases(arch, placed) * arch.cycles(float(arch.adc.conversion))
    times = 1 if stage.from_input and arch.first_layer == "once" else network.timesteps
    return times * turns * max(convert, arch.cycles(arch.crossbar.read_ns))


def granularity_of(arch: CrossbarArchitecture, network: Network, stages: Sequence[Stage]) -> Granularity:
    """What one task handles: positions while their tasks are few, else rows."""
    if arch.granularity != "auto":
        return arch.granularity
    tasks = TASKS_PER_CHUNK * network.timesteps * sum(stage.layer.positions for stage in stages)
    return "position" if tasks <= MOST_POSITION_TASKS else "row"


def _facts(chip: Chip, stage: Stage) -> LayerFacts:
    layer, placed = stage.layer, chip.placed[stage.layer.name]
    values, steps = chip.workload.activity.inputs_of(layer, chip.sample), chip.network.timesteps
    return LayerFacts(
        name=layer.name, kind=layer.kind, folds=placed.crossbars, passes=layer.positions * steps,
        utilisation=placed.utilisation, dense_products=layer.macs * steps,
        density=float(np.count_nonzero(values)) / values.size, in_bits=layer.in_bits, out_shape=layer.out_shape,
        members=stage.members,
    )  # fmt: skip


def _busy_units(chip: Chip) -> dict[str, dict[str, float]]:
    """The units of each level, and which share of the level's parts each of them stands for."""
    shares: dict[str, dict[str, float]] = {"compute": {}, "global buffer": {}, "neuron module": {}}
    pes = chip.tiles * chip.arch.tile.pes
    for name, placed in chip.placed.items():
        for replica in range(placed.replicas):
            mine = placed.replica == replica
            own = len(np.unique(placed.pe[mine])) / pes
            tiles = len(np.unique(placed.tile[mine])) / chip.tiles
            shares["compute"][f"{name}.adc.{replica}"] = min(1.0, own)
            for kind in ("fetch", "wires"):
                shares["global buffer"][f"{name}.{kind}.{replica}"] = min(1.0, tiles)
            for kind in ("neurons", "membranes"):
                shares["neuron module"][f"{name}.{kind}.{replica}"] = min(1.0, tiles)
    shares["interconnect"] = {f"port.{tile}": 1 / chip.tiles for tile in range(chip.tiles)}
    return {**shares, "DRAM": {"dram": 1.0}, "input/output": {"dram": 1.0}}

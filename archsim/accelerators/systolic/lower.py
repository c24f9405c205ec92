"""Lowering: a workload on a systolic chip becomes a TaskGraph.

Units: the ``array`` (one pass at a time), the ``neuron`` module, the ``vector`` unit (pools and adds on the way out),
the ``dram`` channel (fifo: loads and stores of all operands compete), and ``sync`` for the barrier between layers.
Buffers: weight, ifmap and ofmap, and the accumulators, which a pass may not overwrite before the neuron units have read
them.

Per stage and batch of timesteps: loads of weight and input tiles issue as soon as the buffers have room (weights of the
next layer beside the compute of this one), each pass waits for its tiles, its tail follows, and groups of outputs are
stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archsim.accelerators.lowered import OF_EVERY_FAMILY, LayerFacts, Lowered
from archsim.accelerators.neuron_assumptions import neuron_assumptions
from archsim.accelerators.stages import Stage, stages_of
from archsim.accelerators.systolic.checks import check
from archsim.accelerators.systolic.components import components
from archsim.accelerators.systolic.dataflows import dataflow
from archsim.accelerators.systolic.emit import StageEmitter
from archsim.accelerators.systolic.geometry import Geometry, all_weights_fit, stored_weight_bits, value_width
from archsim.accelerators.systolic.passes import Batches, Passes
from archsim.accelerators.systolic.schema import SystolicArchitecture
from archsim.accelerators.systolic.state import StageState
from archsim.accelerators.systolic.statistics import statistics_of
from archsim.taskgraph import GraphBuilder
from archsim.workload import Workload

BUSY_UNIT = {
    "compute": "array", "scratchpad": "array", "global buffer": "array", "neuron module": "neuron", "DRAM": "dram",
    "input/output": "dram",
}  # fmt: skip


def lower(arch: SystolicArchitecture, workload: Workload, sample: int = 0) -> Lowered:
    """The TaskGraph of one input, its components, and what was assumed. Raises UnsupportedError and MisfitError."""
    network = workload.network
    stages = stages_of(network)
    check(arch, network, stages)
    flow = dataflow(arch.array.dataflow)
    builder = GraphBuilder([layer.name for layer in network.layers], network.timesteps)
    lowering = _Lowering(arch, workload, sample, builder, stages)
    for stage, batches in _schedule(arch, stages, network.timesteps, flow.stream != "positions"):
        lowering.emit(stage, batches)
    return Lowered(
        graph=builder.build(),
        components=components(arch, network, stages),
        layers=tuple(lowering.facts[stage.index] for stage in stages),
        assumptions=_assumptions(arch, workload),
        busy_units={level: {unit: 1.0} for level, unit in BUSY_UNIT.items()},
    )


def _schedule(
    arch: SystolicArchitecture, stages: tuple[Stage, ...], timesteps: int, splits: bool
) -> Iterator[tuple[Stage, Batches]]:
    """Which stage handles which batches when: the batch loop outside the layers, or inside each layer.

    The last batch is smaller where n does not divide T; it has folds of its own where positions lie in space.
    """
    size = arch.timesteps.batch(timesteps)
    full, rest = divmod(timesteps, size)
    runs = [Batches(0, full, size, 0)] + ([Batches(full * size, 1, rest, full)] if rest else [])
    if arch.timesteps.scope == "network":
        single = [
            Batches(run.first + b * run.size, 1, run.size, run.visit0 + b) for run in runs for b in range(run.count)
        ]
        for batches in single:
            for stage in stages:
                yield stage, batches
        return
    for stage in stages:
        for batches in runs:
            yield stage, batches


@dataclass
class _Lowering:
    """State that outlives one stage's batches: the barrier, what is still in the weight buffer, saved membranes."""

    arch: SystolicArchitecture
    workload: Workload
    sample: int
    builder: GraphBuilder
    stages: tuple[Stage, ...]

    def __post_init__(self) -> None:
        self.facts: dict[int, LayerFacts] = {}
        self._states: dict[int, StageState] = {}
        self._barrier: int | None = None
        self._last: StageEmitter | None = None
        self._flow = dataflow(self.arch.array.dataflow)

    def emit(self, stage: Stage, batches: Batches) -> None:
        """Add the tasks of some batches of a stage."""
        network = self.workload.network
        width = value_width(self.arch, network, stage)
        geometry = Geometry(self.arch, self._flow, stage, width, batches.size)
        statistics = statistics_of(self.workload.activity, stage.layer, self.sample, width.on_multiplier)
        passes = Passes(geometry, statistics, batches)
        state = self._states.setdefault(stage.index, StageState())
        if self._last is not None and self._last.stage is not stage:
            self._barrier = self._last.barrier()
        emitter = StageEmitter(self.builder, self.workload, self.sample, stage, passes, state)
        emitter.emit(self._barrier)
        state.weights_stay = self._weights_stay(geometry)
        state.image_stays = (
            width.constant and self.arch.timesteps.scope != "network" and emitter.tiles.ifmap.loads.resident_from == 0
        )
        self._last = emitter
        self.facts[stage.index] = emitter.facts(self.facts.get(stage.index))

    def _weights_stay(self, geometry: Geometry) -> bool:
        """Whether the stage's weights are still in their buffer when its next batch comes."""
        if self.arch.timesteps.scope == "network":
            return all_weights_fit(self.arch, self.workload.network)
        return stored_weight_bits(self.arch, geometry.stage.layer) <= self.arch.buffers.weight.size_bits


def _assumptions(arch: SystolicArchitecture, workload: Workload) -> tuple[str, ...]:
    notes = [f"activity: {workload.activity.describe()}", *neuron_assumptions(workload)]
    if arch.neuron.units == "ideal":
        notes.append("neuron updates are not modelled (neuron.units: ideal): no cycles, energy or area")
    if arch.dram.bandwidth == "unlimited":
        notes.append("DRAM never stalls the array (dram.bandwidth: unlimited); its traffic is counted and priced")
    if arch.spike_format == "index":
        notes.append("spike indices are made from bitmaps as the array reads them; maps are stored as bitmaps")
    if arch.neuron.update == "event":
        notes.append("event-driven updates save energy, not cycles; leak of silent steps comes with the next update")
    notes += [
        "a layer starts when the layer before it is stored (pipeline: none); weights are loaded ahead",
        "input counts include the padding of convolutions, as SCALE-Sim counts",
        *OF_EVERY_FAMILY,
        "wiring on the chip is not modelled",
        "DRAM has background power only if the cost table has it",
    ]
    return tuple(notes)

"""What a chip cannot do with a network: every such layer named at once, and what would make it fit."""

from __future__ import annotations

from functools import lru_cache

from archsim.accelerators.neurons import state_bits
from archsim.accelerators.stages import Stage, TailOp, stages_of
from archsim.accelerators.systolic.dataflows import Dataflow, dataflow
from archsim.accelerators.systolic.schema import SystolicArchitecture
from archsim.accelerators.systolic.tail import neuron_unit_count, visits
from archsim.errors import MisfitError, Problem, UnsupportedError
from archsim.workload import Layer, Network


def check(arch: SystolicArchitecture, network: Network, stages: tuple[Stage, ...]) -> None:
    """Raise UnsupportedError or MisfitError for what cannot be executed on this chip."""
    flow = dataflow(arch.array.dataflow)
    problems = _wide_values(arch, network) + _batches(arch, network, flow)
    if problems:
        raise UnsupportedError(problems)
    _membrane_registers(arch, network, stages, flow.stationary)


def _wide_values(arch: SystolicArchitecture, network: Network) -> list[Problem]:
    problems = []
    for layer in network.weighted_layers:
        if layer.in_bits > 1 and arch.pe.wide_values == "none":
            problems.append(
                Problem(
                    f"layer '{layer.name}' has an input of {layer.in_bits} bits, and the PE handles single spikes only",
                    key="pe.wide_values", value="none",
                    allowed="bit_serial or multiplier, or a network whose inputs are all spikes",
                )
            )  # fmt: skip
        if layer.in_signed:
            problems.append(
                Problem(
                    f"layer '{layer.name}' reads currents or potentials, which no workload records",
                    key=f"layers.{layer.index}", value=layer.name, allowed="neurons that spike before it",
                )
            )  # fmt: skip
    return problems


def _batches(arch: SystolicArchitecture, network: Network, flow: Dataflow) -> list[Problem]:
    """With t innermost a tile's batches follow each other: equal ones, and none waits for another tile's neurons."""
    size = arch.timesteps.batch(network.timesteps)
    if arch.timesteps.scope != "tile" or size == network.timesteps:
        return []
    value = "sequential" if size == 1 else f"batched: {size}"
    if network.timesteps % size:
        return [
            Problem(
                f"with the timestep loop inside the tile, batches must be of equal size, and T is {network.timesteps}",
                key="timesteps.order", value=value, allowed="an n that divides T, or scope: layer",
            )
        ]  # fmt: skip
    extent = arch.array.rows if flow.rows == "positions" else arch.array.cols
    cut = [layer.name for layer in network.weighted_layers if layer.positions * size > extent]
    if flow.stream == "positions" or arch.timesteps.placement != "rows" or extent % size == 0 or not cut:
        return []
    return [
        Problem(
            f"folds of {extent} cut batches of {size} timesteps, so that with the timestep loop inside the tile "
            f"neurons of {_some(cut)} would be needed in one tile before the next has updated them",
            key="timesteps.order", value=value,
            allowed=f"an n that divides {extent}, placement: in_pe, or scope: layer",
        )
    ]  # fmt: skip


def _some(names: list[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:3])
    return shown + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _membrane_registers(
    arch: SystolicArchitecture, network: Network, stages: tuple[Stage, ...], stationary: str
) -> None:
    """Membranes at home in registers must find one each, unless nothing of a neuron outlives its only visit."""
    if arch.neuron.membrane.home != "register" or arch.neuron.units == "ideal":
        return
    if visits(arch, stationary, network.timesteps) == 1:
        return
    holders = current_holders(arch, network)
    demands = {
        op.layer.name: op.elements * (1 + (op.layer.name in holders))
        for stage in stages
        for op in stage.tail
        if op.unit == "neuron"
    }
    if not demands:
        return
    together = arch.timesteps.scope == "network"
    demand = sum(demands.values()) if together else max(demands.values())
    capacity = neuron_unit_count(arch) * arch.neuron.membrane.registers_per_unit
    if demand > capacity:
        who = "all layers" if together else f"layer '{max(demands, key=demands.__getitem__)}'"
        raise MisfitError(
            f"neuron.membrane.home: register: the membranes of {who}",
            demand=demand, capacity=capacity, unit="registers",
            levers=(
                "timesteps.scope=tile with an output-stationary dataflow", "timesteps.order=parallel",
                "neuron.membrane.home=sram", "neuron.membrane.home=dram",
                f"neuron.membrane.registers_per_unit={-(-demand // neuron_unit_count(arch))}",
            ),
        )  # fmt: skip


@lru_cache(maxsize=8)
def _behind_direct_input(network: Network) -> frozenset[str]:
    """Neurons right behind a layer that reads a direct-coded image."""
    if network.encoding != "direct":
        return frozenset()
    first = [stage.tail[0] for stage in stages_of(network) if stage.from_input and stage.tail]
    return frozenset(op.layer.name for op in first if op.unit == "neuron")


def current_holders(arch: SystolicArchitecture, network: Network) -> frozenset[str]:
    """Neuron layers that keep their input current beside the membrane: computed once, it is the same at every t."""
    return _behind_direct_input(network) if arch.first_layer == "once" else frozenset()


def membrane_home(arch: SystolicArchitecture, network: Network, op: TailOp) -> str:
    """Where the membranes of one neuron layer rest: the stated home, or DRAM where the membrane buffer is too small.

    All layers' membranes are live at once when t is outermost; then layers find room in the order of the network.
    """
    home = arch.neuron.membrane.home
    if home != "sram":
        return home
    assert arch.buffers.membrane is not None
    capacity, holders = arch.buffers.membrane.size_bits, current_holders(arch, network)
    if arch.timesteps.scope != "network":
        return "sram" if _membrane_bits(network, op.layer, holders) <= capacity else "dram"
    return "sram" if op.layer.name in _first_that_fit(network, capacity, holders) else "dram"


def _membrane_bits(network: Network, layer: Layer, holders: frozenset[str]) -> int:
    assert layer.neuron is not None
    bits = network.precision.membrane_bits
    return layer.neurons * (state_bits(layer.neuron, bits) + bits * (layer.name in holders))


@lru_cache(maxsize=8)
def _first_that_fit(network: Network, capacity: int, holders: frozenset[str]) -> frozenset[str]:
    found, left = [], capacity
    for layer in network.layers:
        if layer.neuron is not None and _membrane_bits(network, layer, holders) <= left:
            left -= _membrane_bits(network, layer, holders)
            found.append(layer.name)
    return frozenset(found)

"""The parts of a systolic chip as cost components, and the names under which its actions are counted."""

from __future__ import annotations

from archsim.accelerators.stages import Stage
from archsim.accelerators.systolic.memories import memory_components
from archsim.accelerators.systolic.schema import SystolicArchitecture
from archsim.accelerators.systolic.tail import leak_is_a_shift, neuron_unit_count
from archsim.cost.component import Component
from archsim.workload import Network, Neuron

SMALLEST_REGISTER_BITS = 2  # the narrowest characterised register; a 1-bit spike latch is priced as one
THRESHOLD_BITS = 4  # SATA's threshold register (SATA_Sim, sata-config)
SCRATCHPAD_WORD_BITS = 8
SCAN_WORD_BITS = 8


def components(arch: SystolicArchitecture, network: Network, stages: tuple[Stage, ...]) -> tuple[Component, ...]:
    """Every part of the chip that can cost energy or area for this network; sizes and counts from the description."""
    parts = _processing_elements(arch, network)
    if arch.neuron.units != "ideal":
        parts += _neuron_units(arch, network, stages)
    parts += memory_components(arch)
    parts += _edges_of_the_chip(arch, network, stages)
    return tuple(parts)


def _processing_elements(arch: SystolicArchitecture, network: Network) -> list[Component]:
    pes = arch.array.rows * arch.array.cols
    weight_bits, accumulator_bits = _widest_weight(network), arch.pe.accumulator_bits
    lanes = pes * (arch.timesteps.batch(network.timesteps) if arch.timesteps.placement == "in_pe" else 1)
    accumulators = lanes * arch.pe.accumulator_sets
    parts = [
        Component(
            "pe_and", "andgate", "compute", {"bits": weight_bits},
            lanes, description="gates the weight with the spike",
        ),
        Component(
            "pe_adder", "adder", "compute", {"bits": accumulator_bits},
            lanes, description="adds a weight to the partial sum",
        ),
        Component(
            "pe_accumulator", "register", "compute", {"bits": accumulator_bits},
            accumulators, description="partial sum",
        ),
        Component(
            "pe_input_register", "register", "compute",
            {"bits": max(SMALLEST_REGISTER_BITS, _multiplied_bits(arch, network))},
            lanes, description="forwards inputs from PE to PE",
        ),
        Component(
            "pe_weight_register", "register", "compute", {"bits": weight_bits},
            pes, description="holds or forwards weights",
        ),
    ]  # fmt: skip
    if arch.pe.wide_values == "multiplier":
        bits = max(weight_bits, _multiplied_bits(arch, network))
        parts.append(
            Component(
                "pe_multiplier", "multiplier", "compute", {"bits": bits}, lanes, description="multiplies wide values"
            )
        )
    for name, size in (
        ("spike", arch.pe.scratchpad.spike),
        ("weight", arch.pe.scratchpad.weight),
        ("partial_sum", arch.pe.scratchpad.partial_sum),
    ):
        if size:
            attributes: dict[str, float | int | str] = {"bits": SCRATCHPAD_WORD_BITS, "bytes": int(size)}
            parts.append(
                Component(
                    f"{name}_scratchpad", "registerfile", "scratchpad", attributes, pes, description=f"PE-local {name}s"
                )
            )
    if arch.sparsity.startswith("skip"):
        parts.append(
            Component(
                "spike_scanner",
                "andgate",
                "compute",
                {"bits": SCAN_WORD_BITS},
                arch.array.rows * (lanes // pes) * -(-arch.scan_bits // SCAN_WORD_BITS),
                description="looks at 8 bits of the spike map per operation",
            )
        )
    if arch.sparsity == "skip_row":
        attributes = {"bits": weight_bits, "depth": 4}
        parts.append(
            Component("row_fifo", "fifo", "compute", attributes, pes, description="lets rows run ahead of each other")
        )
    return parts


def _widest_weight(network: Network) -> int:
    return max((layer.weight_bits for layer in network.weighted_layers), default=network.precision.weight_bits)


def _multiplied_bits(arch: SystolicArchitecture, network: Network) -> int:
    if arch.pe.wide_values != "multiplier":
        return 1
    return max((layer.in_bits for layer in network.weighted_layers), default=1)


def _neuron_units(arch: SystolicArchitecture, network: Network, stages: tuple[Stage, ...]) -> list[Component]:
    """The parts of the neuron units; a unit has as many adders and leaks as one update uses at once."""
    biased = {op.layer.name for stage in stages if (op := stage.biased_neurons) is not None}
    neurons = {layer.name: layer.neuron for stage in stages for layer in stage.neurons if layer.neuron is not None}
    if not neurons:
        return []
    bits, units = network.precision.membrane_bits, neuron_unit_count(arch)
    state_words = max(neuron.state_words for neuron in neurons.values())
    adders = max(neuron.state_words + (name in biased) for name, neuron in neurons.items())
    leaks = [leaks_of(neuron) for neuron in neurons.values()]
    shifts = max(sum(map(leak_is_a_shift, found)) for found in leaks)
    multiplied = max(sum(not leak_is_a_shift(leak) for leak in found) for found in leaks)
    resets = any(neuron.reset != "hard" for neuron in neurons.values())
    registers = state_words * arch.neuron.membrane.registers_per_unit
    parts = [
        ("neuron_adder", "adder", bits, adders, "integrates the input"),
        ("neuron_comparator", "comparator", bits, 1, "compares with the threshold"),
        ("neuron_threshold", "register", THRESHOLD_BITS, 1, "threshold"),
        ("neuron_membrane", "register", bits, registers, "membrane potential at hand"),
        ("neuron_reset", "subtractor", bits, int(resets), "subtracts the threshold"),
        ("neuron_leak", "subtractor", bits, shifts, "leak as shift and subtract"),
        ("neuron_leak_multiplier", "multiplier", bits, multiplied, "leak by any factor"),
    ]
    return [
        Component(name, primitive, "neuron module", {"bits": width}, units * each, description=description)
        for name, primitive, width, each, description in parts
        if each
    ]


def leaks_of(neuron: Neuron) -> list[float]:
    """The decays that a neuron computes per update: of the membrane, and of the synaptic current."""
    found = [neuron.leak] if neuron.model != "if" and neuron.leak != 1.0 else []
    if neuron.model == "cuba_lif" and neuron.current_leak != 0.0:
        found.append(neuron.current_leak)
    return found


def _edges_of_the_chip(arch: SystolicArchitecture, network: Network, stages: tuple[Stage, ...]) -> list[Component]:
    parts = []
    ops = [op for stage in stages for op in stage.tail if op.unit == "vector"]
    if ops:
        bits = network.precision.membrane_bits
        kinds = {vector_component(op.layer.kind, op.layer.in_max) for op in ops}
        for name in sorted(kinds):
            primitive = {"vector_adder": "adder", "vector_comparator": "comparator", "vector_or": "andgate"}[name]
            width = 8 if name == "vector_or" else bits
            parts.append(
                Component(
                    name, primitive, "compute", {"bits": width}, arch.vector.lanes, description="pools and adds maps"
                )
            )
    if network.encoding == "rate":
        parts.append(
            Component(
                "encoder_random", "lfsr", "input/output", {"bits": 32}, 1, description="random numbers for rate coding"
            )
        )
    if network.encoding in ("rate", "ttfs"):
        parts.append(
            Component(
                "encoder_comparator",
                "comparator",
                "input/output",
                {"bits": network.precision.input_bits},
                1,
                description="pixel against threshold",
            )
        )
    return parts


def vector_component(kind: str, in_max: int) -> str:
    """The part that executes one value of a pool or add.

    Max-pools take an OR on spikes and a comparator on wider values; all else takes an adder.
    """
    if kind == "maxpool2d":
        return "vector_or" if in_max == 1 else "vector_comparator"
    return "vector_adder"

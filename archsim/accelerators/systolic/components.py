"""The parts of a systolic chip as cost components, and the names under which its actions are counted."""

from __future__ import annotations

from archsim.accelerators.neurons import encoder_parts, neuron_parts, vector_parts
from archsim.accelerators.stages import Stage
from archsim.accelerators.systolic.memories import memory_components
from archsim.accelerators.systolic.schema import SystolicArchitecture
from archsim.accelerators.systolic.tail import neuron_unit_count
from archsim.cost.component import Component
from archsim.workload import Network

SMALLEST_REGISTER_BITS = 2  # the narrowest characterised register; a 1-bit spike latch is priced as one
SCRATCHPAD_WORD_BITS = 8
SCAN_WORD_BITS = 8


def components(arch: SystolicArchitecture, network: Network, stages: tuple[Stage, ...]) -> tuple[Component, ...]:
    """Every part of the chip that can cost energy or area for this network; sizes and counts from the description."""
    parts = _processing_elements(arch, network)
    if arch.neuron.units != "ideal":
        parts += neuron_parts(network, stages, neuron_unit_count(arch), arch.neuron.membrane.registers_per_unit)
    parts += memory_components(arch)
    parts += vector_parts(network, stages, arch.vector.lanes)
    return (*parts, *encoder_parts(network))


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

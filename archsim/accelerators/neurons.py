"""Neuron units, pools, adds and encoders: the digital parts that every family has, and what they count.

One update of a neuron: its input is added to each of its S state words, each decay is computed (a shift and a
subtraction where ``leak = 1 - 2**-k``, else a multiplication), the membrane is compared with the threshold, and a spike
subtracts the threshold unless the reset is hard, at once or delayed (then the potential is set), or none. A bias and a
potential of rest are one more addition each, a bound from below is one more comparison. Neurons that send no spikes
(``li``, ``cuba_li``) have neither threshold nor reset: their potentials leave. Gains are folded into weights, ``euler``
is the hardware of ``decay``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.stages import Stage
from archsim.cost.component import Component
from archsim.workload import Network, Neuron

Ints = NDArray[np.int64]
THRESHOLD_BITS = 4  # SATA's threshold register (SATA_Sim, sata-config)
OR_GATES = 8  # that one operation of a vector_or switches


class Counted(NamedTuple):
    """One action of a part, so many times for each task."""

    component: str
    action: str
    counts: Ints


def leak_is_a_shift(leak: float) -> bool:
    """Whether ``leak = 1 - 2**-k`` for a whole k, so that leaking is one shift (wiring) and one subtraction."""
    rest = 1.0 - leak
    return 0.0 < rest < 1.0 and (1.0 / rest).is_integer() and (int(1.0 / rest) & (int(1.0 / rest) - 1)) == 0


def leaks_of(neuron: Neuron) -> list[float]:
    """The decays that a neuron computes per update: of the membrane, and of the synaptic current."""
    found = [neuron.leak] if neuron.model != "if" and neuron.leak != 1.0 else []
    if neuron.has_current and neuron.current_leak != 0.0:
        found.append(neuron.current_leak)
    return found


def state_bits(neuron: Neuron, membrane_bits: int) -> int:
    """Bits of one neuron's state."""
    return neuron.state_words * membrane_bits + int(neuron.delayed_reset_bit)


def additions(neuron: Neuron, has_bias: bool) -> int:
    """Values added per update: the input to each state word, a bias, a potential of rest."""
    return neuron.state_words + has_bias + (neuron.rest != 0.0)


def comparisons(neuron: Neuron) -> int:
    """Comparisons per update: with the threshold, and with the lowest potential."""
    return neuron.spiking + (neuron.minimum is not None)


def resets(neuron: Neuron) -> bool:
    """Whether a spike subtracts the threshold."""
    return neuron.reset in ("subtract", "delayed_subtract")


def update_actions(neuron: Neuron, updates: Ints, fired: Ints, has_bias: bool) -> list[Counted]:
    """What so many updates count, ``fired`` of them with a spike."""
    words = updates * neuron.state_words
    found = [
        Counted("neuron_adder", "op", updates * additions(neuron, has_bias)),
        Counted("neuron_membrane", "read", words),
        Counted("neuron_membrane", "write", words),
        Counted("neuron_membrane", "update", updates),
    ]
    if comparisons(neuron):
        found.append(Counted("neuron_comparator", "op", updates * comparisons(neuron)))
    for leak in leaks_of(neuron):
        found.append(Counted("neuron_leak" if leak_is_a_shift(leak) else "neuron_leak_multiplier", "op", updates))
    if neuron.spiking:
        found += [Counted("neuron_threshold", "read", updates), Counted("neuron_membrane", "spike_out", fired)]
    if resets(neuron):
        found.append(Counted("neuron_reset", "op", fired))
    return found


def neuron_parts(network: Network, stages: Sequence[Stage], units: int, registers_per_unit: int) -> list[Component]:
    """The parts of the neuron units; a unit has as many adders and leaks as one update uses at once."""
    biased = {op.layer.name for stage in stages if (op := stage.biased_neurons) is not None}
    neurons = {layer.name: layer.neuron for stage in stages for layer in stage.neurons if layer.neuron is not None}
    if not neurons:
        return []
    bits = network.precision.membrane_bits
    state_words = max(neuron.state_words for neuron in neurons.values())
    adders = max(additions(neuron, name in biased) for name, neuron in neurons.items())
    leaks = [leaks_of(neuron) for neuron in neurons.values()]
    shifts = max(sum(map(leak_is_a_shift, found)) for found in leaks)
    multiplied = max(sum(not leak_is_a_shift(leak) for leak in found) for found in leaks)
    registers = state_words * registers_per_unit
    compared, spiking = max(map(comparisons, neurons.values())), any(neuron.spiking for neuron in neurons.values())
    parts = [
        ("neuron_adder", "adder", bits, adders, "integrates the input"),
        ("neuron_comparator", "comparator", bits, compared, "compares with the threshold"),
        ("neuron_threshold", "register", THRESHOLD_BITS, int(spiking), "threshold"),
        ("neuron_membrane", "register", bits, registers, "membrane potential at hand"),
        ("neuron_reset", "subtractor", bits, int(any(map(resets, neurons.values()))), "subtracts the threshold"),
        ("neuron_leak", "subtractor", bits, shifts, "leak as shift and subtract"),
        ("neuron_leak_multiplier", "multiplier", bits, multiplied, "leak by any factor"),
    ]
    return [
        Component(name, primitive, "neuron module", {"bits": width}, units * each, description=description)
        for name, primitive, width, each, description in parts
        if each
    ]


def vector_component(kind: str, in_max: int) -> str:
    """The part that executes one value of a pool or add.

    Max-pools take an OR on spikes and a comparator on wider values; all else takes an adder.
    """
    if kind == "maxpool2d":
        return "vector_or" if in_max == 1 else "vector_comparator"
    return "vector_adder"


def vector_ops(component: str, values: Ints) -> Ints:
    """Operations for so many values: an OR handles eight spikes at once."""
    return -(-values // OR_GATES) if component == "vector_or" else values


def vector_parts(network: Network, stages: Sequence[Stage], lanes: int) -> list[Component]:
    """The parts that pool and add, if anything is pooled or added."""
    kinds = {
        vector_component(op.layer.kind, op.layer.in_max) for stage in stages for op in stage.tail if op.unit == "vector"
    }
    primitives = {"vector_adder": "adder", "vector_comparator": "comparator", "vector_or": "andgate"}
    bits = network.precision.membrane_bits
    return [
        Component(name, primitives[name], "compute", {"bits": OR_GATES if name == "vector_or" else bits}, lanes,
                  description="pools and adds maps")
        for name in sorted(kinds)
    ]  # fmt: skip


def encoder_parts(network: Network) -> list[Component]:
    """The parts that make spikes of pixels: random numbers for rates, and a comparison."""
    parts = []
    if network.encoding == "rate":
        text = "random numbers for rate coding"
        parts.append(Component("encoder_random", "lfsr", "input/output", {"bits": 32}, 1, description=text))
    if network.encoding in ("rate", "ttfs"):
        bits = {"bits": network.precision.input_bits}
        text = "pixel against threshold"
        parts.append(Component("encoder_comparator", "comparator", "input/output", bits, 1, description=text))
    return parts


def encoder_actions(network: Network, values: Ints) -> list[Counted]:
    """What encoding so many pixels into one timestep's spikes each counts."""
    found = [Counted("encoder_random", "op", values)] if network.encoding == "rate" else []
    if network.encoding in ("rate", "ttfs"):
        found.append(Counted("encoder_comparator", "op", values))
    return found

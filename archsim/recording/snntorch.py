"""Neurons of snnTorch, by its source (1.0): compared by ``>``, and reset at the next timestep unless told otherwise.

Leaky: ``mem = beta * mem + x - reset * threshold`` where ``reset`` says that the ``mem`` before was above threshold;
with ``zero`` that ``mem`` is cleared first. The other neurons clear the *new* potential with ``zero``, which loses the
input of the timestep behind a spike; archsim has no such neuron.
"""

from __future__ import annotations

from typing import Any

from archsim.recording.graph import array
from archsim.recording.neurons import Neurons, Supported

STATES = ("spk", "syn", "mem")


def reset(module: Any) -> None:
    """As before the first timestep."""
    for name in STATES:
        state: Any = getattr(module, name, None)
        if hasattr(state, "new_zeros"):
            setattr(module, name, state.detach().new_zeros(0))


def _common(module: Any, neurons: Neurons, clears_before: bool) -> None:
    """Threshold, comparison and reset; ``clears_before``: ``zero`` clears the potential before the input."""
    if module.inhibition:
        neurons.reasons.append("inhibition=True: one winner per layer; archsim's neurons do not see each other")
    if module.state_quant:
        neurons.reasons.append("state_quant: a quantised potential; archsim quantises by precision.membrane_bits")
    if (array(module.graded_spikes_factor) != 1).any():
        neurons.reasons.append("graded_spikes_factor is not 1; multiply the weights behind it, and leave it at 1")
    neurons.number("threshold", module.threshold)
    delayed = getattr(module, "reset_delay", True)
    mechanism = module.state_function.__name__.removeprefix("_base_")
    if mechanism == "zero" and delayed and not clears_before:
        text = "reset_mechanism='zero' loses the input of the timestep behind a spike"
        neurons.reasons.append(f"{text}; followed: 'subtract', 'none', or reset_delay=False where there is one")
    kinds = {"sub": "delayed_subtract" if delayed else "subtract", "zero": "hard", "int": "none"}
    neurons.keys |= {"compare": ">", "reset": kinds[mechanism]}


def _leaky(module: Any, neurons: Neurons) -> None:
    _common(module, neurons, clears_before=True)
    neurons.leak(module.beta.clamp(0, 1))


def _lapicque(module: Any, neurons: Neurons) -> None:
    """mem = x R (1 / (R C)) dt + (1 - dt / (R C)) mem."""
    _common(module, neurons, clears_before=False)
    resistance, step = module.R, module.time_step
    neurons.leak(1 - step / (resistance * module.C))
    gain = resistance * (1 / (resistance * module.C)) * step
    if (array(gain) != 1).any():
        neurons.number("gain", gain)


def _synaptic(module: Any, neurons: Neurons) -> None:
    _common(module, neurons, clears_before=False)
    neurons.leak(module.beta.clamp(0, 1), "cuba_lif")
    neurons.number("current_leak", module.alpha.clamp(0, 1))


def _recurrent(module: Any, neurons: Neurons) -> None:
    if module.all_to_all:
        neurons.feedback(module.recurrent, at_start=True)
    else:
        neurons.each_to_itself(module.recurrent.V)


def _rleaky(module: Any, neurons: Neurons) -> None:
    _common(module, neurons, clears_before=False)
    neurons.leak(module.beta.clamp(0, 1))
    _recurrent(module, neurons)


def _rsynaptic(module: Any, neurons: Neurons) -> None:
    _synaptic(module, neurons)
    _recurrent(module, neurons)


SUPPORTED = Supported(
    readers={
        "Leaky": _leaky,
        "Lapicque": _lapicque,
        "Synaptic": _synaptic,
        "RLeaky": _rleaky,
        "RSynaptic": _rsynaptic,
    },
    told={
        "Alpha": "keeps two synaptic currents; archsim's neurons keep one",
        "SLSTM": "is no integrate-and-fire neuron",
        "SConv2dLSTM": "is no integrate-and-fire neuron",
    },
)

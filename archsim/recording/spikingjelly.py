"""Neurons of SpikingJelly, by its source (2.0): compared by ``>=``, reset in the same timestep.

``decay_input``: ``v = v + (x - (v - v_reset)) / tau``, else ``v = v - (v - v_reset) / tau + x``. The potential starts
at ``v_reset``, so archsim's is measured from there: its threshold is ``v_threshold - v_reset``, and it rests at 0.
"""

from __future__ import annotations

from typing import Any

from archsim.recording.graph import array
from archsim.recording.neurons import Neurons, Supported


def reset(module: Any) -> None:
    """As before the first timestep."""
    module.reset()


def _common(module: Any, neurons: Neurons) -> None:
    if getattr(module, "_neuron_precision", None) is not None:
        neurons.reasons.append("a precision of its own; only that of the module's parameters")
    if not getattr(module.surrogate_function, "spiking", True):
        neurons.reasons.append("its surrogate function is set to spiking=False, so no spikes leave")
    neurons.takes = "TN" if module.step_mode == "m" else "N"
    neurons.number("threshold", float(module.v_threshold) - float(module.v_reset or 0.0))
    neurons.keys |= {"compare": ">=", "reset": "subtract" if module.v_reset is None else "hard"}


def _if(module: Any, neurons: Neurons) -> None:
    _common(module, neurons)
    neurons.keys = {"model": "if", **neurons.keys}


def _lif(module: Any, neurons: Neurons) -> None:
    _common(module, neurons)
    neurons.leak(1.0 - 1.0 / float(module.tau))
    if module.decay_input:
        neurons.keys["update"] = "euler"


def _parametric(module: Any, neurons: Neurons) -> None:
    """1 / tau is a sigmoid of what was learned."""
    _common(module, neurons)
    neurons.leak(1.0 - array(module.w.sigmoid()).astype("float64"))
    if module.decay_input:
        neurons.keys["update"] = "euler"


SUPPORTED = Supported(
    readers={"IFNode": _if, "LIFNode": _lif, "ParametricLIFNode": _parametric},
    told={
        "SynapseFilter": "is a synaptic current without neurons",
        "AdaptBaseNode": "adapts its threshold; archsim's thresholds are constant",
        "PSN": "sees all timesteps at once; no chip of archsim does",
    },
)

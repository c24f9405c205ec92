"""Neurons of sinabs, by its source (3.1): exact leaks, compared by ``>=``, reset in the same timestep.

``v = alpha v + (1 - alpha) i`` (``norm_input``), else ``v = alpha v + i``; with ``tau_syn`` the current is
``i = alpha_syn (i + x)``. Spikes: one, or as many as the threshold fits into the potential. ``min_v_mem`` bounds the
potential behind the reset; a bound of 0 or below does the same before it.
"""

from __future__ import annotations

from typing import Any

from archsim.recording.graph import array
from archsim.recording.neurons import MAX_SPIKES, Neurons, Supported


def reset(module: Any) -> None:
    """As before the first timestep."""
    module.reset_states()


def _common(module: Any, neurons: Neurons) -> None:
    neurons.takes = "T" if hasattr(module, "squeeze_forward") else "NT"
    if module.min_v_mem is not None:
        if (array(module.min_v_mem) > 0).any():
            neurons.reasons.append("min_v_mem above 0; the potential starts at 0")
        neurons.number("minimum", module.min_v_mem)


def _dynamics(module: Any, neurons: Neurons, spiking: bool = True) -> None:
    """Leak and gain of the membrane, leak of the current."""
    with_current = module.alpha_syn_calculated is not None
    names = {(True, True): "cuba_lif", (True, False): "lif", (False, False): "li"}
    leak = module.alpha_mem_calculated
    neurons.leak(leak, names[spiking, with_current])
    if module.norm_input:
        neurons.number("gain", 1 - leak)
    if with_current:
        neurons.number("current_leak", module.alpha_syn_calculated)
        neurons.number("current_gain", module.alpha_syn_calculated)


def _fires(module: Any, neurons: Neurons) -> None:
    neurons.number("threshold", module.spike_threshold)
    neurons.keys["compare"] = ">="
    fire, back = module.spike_fn, module.reset_fn
    name = getattr(fire, "__name__", type(fire).__name__)
    if name == "MultiSpike":
        neurons.keys["max_spikes"] = MAX_SPIKES
    elif name == "MaxSpike":
        neurons.keys["max_spikes"] = int(fire.max_num_spikes_per_bin or MAX_SPIKES)
    elif name != "SingleSpike":
        neurons.reasons.append(f"spike_fn {name}; followed are SingleSpike, MultiSpike and MaxSpike")
    kind = type(back).__name__
    if kind == "MembraneSubtract" and back.subtract_value is None:
        neurons.keys["reset"] = "subtract"
    elif kind == "MembraneReset" and back.reset_value == 0:
        neurons.keys["reset"] = "hard"
    else:
        text = "MembraneSubtract() by the threshold, and MembraneReset() to 0"
        neurons.reasons.append(f"reset_fn {back}; followed are {text}")


def _lif(module: Any, neurons: Neurons) -> None:
    _common(module, neurons)
    _fires(module, neurons)
    _dynamics(module, neurons)


def _recurrent(module: Any, neurons: Neurons) -> None:
    _lif(module, neurons)
    neurons.feedback(module.rec_connect, at_start=False)


def _leaky(module: Any, neurons: Neurons) -> None:
    _common(module, neurons)
    if module.min_v_mem is not None:
        neurons.reasons.append("min_v_mem: what leaves is not bounded, the state is; only None")
    _dynamics(module, neurons, spiking=False)


SUPPORTED = Supported(
    readers={
        "IAF": _lif,
        "IAFSqueeze": _lif,
        "IAFRecurrent": _recurrent,
        "LIF": _lif,
        "LIFSqueeze": _lif,
        "LIFRecurrent": _recurrent,
        "ExpLeak": _leaky,
        "ExpLeakSqueeze": _leaky,
    },
    told={
        "ALIF": "adapts its threshold; archsim's thresholds are constant",
        "ALIFRecurrent": "adapts its threshold; archsim's thresholds are constant",
        "Network": "holds two networks; record its spiking_model",
        "SpikingMaxPooling2dLayer": "pools by the number of spikes so far; archsim's max pool by those of the timestep",
    },
)

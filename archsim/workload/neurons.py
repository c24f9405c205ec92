"""The neuron of a layer: its own keys over the workload's, over the defaults."""

from __future__ import annotations

from archsim.workload.layer_schema import OF_CURRENTS, OF_SPIKES, NeuronSpec
from archsim.workload.network import Neuron
from archsim.workload.shapes import Blame

_CURRENT_LEAK = 0.5


def merged(general: NeuronSpec, own: NeuronSpec | None, blame: Blame) -> Neuron:
    """The neuron; a layer's own keys that its model has no use for are reported, the workload's are left out."""
    stated = {} if own is None else own.model_dump(exclude_none=True)
    keys = general.model_dump(exclude_none=True) | stated
    model = keys.get("model", Neuron.model)
    useless: dict[str, str] = {}
    if model == "if":
        if stated.get("leak", 1.0) != 1.0:
            blame("neuron", "an IF neuron does not leak", value=stated["leak"], allowed="leak: 1.0")
        keys["leak"] = 1.0
    if model in ("cuba_lif", "cuba_li"):
        keys.setdefault("current_leak", _CURRENT_LEAK)
    else:
        useless |= dict.fromkeys(OF_CURRENTS, f"{model} keeps no synaptic current; cuba_lif and cuba_li do")
    if model in ("li", "cuba_li"):
        useless |= dict.fromkeys(OF_SPIKES, f"{model} sends no spikes")
    elif keys.get("reset", Neuron.reset) != "hard":
        useless["reset_to"] = f"a reset '{keys['reset']}' sets no potential; 'hard' does"
    for key, why in useless.items():
        if key in stated:
            blame("neuron", why, value=f"{key}: {stated[key]}")
        keys.pop(key, None)
    if model in ("li", "cuba_li"):
        keys["reset"] = "none"
    return Neuron(**keys)

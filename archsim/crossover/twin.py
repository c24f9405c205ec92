"""The two networks that are weighed against each other: the SNN at T timesteps, and the same topology as an ANN.

The ANN has one timestep. Each spiking neuron becomes a quantised ReLU that sends values of
``b = ceil(log2(m T + 1))`` bits (m: the most spikes that a neuron of the SNN may send in a timestep): no fewer levels
than the SNN's spike count has (Yan et al., arXiv 2409.08290). It is counted as an integrate-and-fire neuron without a
leak and with a hard reset, in its only timestep: one addition (rounding), one comparison (clamping), one word read and
written. That is the least that archsim counts for any neuron; a decay or a subtraction per spike would charge the ANN
for what it does not do. Neurons that send no spikes stay sums. A direct input keeps its bits; any other becomes pixels
of b bits.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from archsim.config import validate
from archsim.crossover.image import BehindImage, has_image
from archsim.errors import Problem, WorkloadError
from archsim.workload import Network, Workload
from archsim.workload.activity import SyntheticActivity
from archsim.workload.densities import Stated, resolve_densities
from archsim.workload.draft import draft_of
from archsim.workload.resolve import resolve
from archsim.workload.schema import WorkloadFile

RELU: Mapping[str, Any] = {"model": "if", "threshold": 1.0, "reset": "hard"}
SUM: Mapping[str, Any] = {"model": "li", "leak": 1.0}
MOST_VALUE = (1 << 16) - 1
"""The largest value that a neuron can send (``neuron.max_spikes``)."""


def levels(network: Network, timesteps: int) -> int:
    """The largest spike count of a neuron over T timesteps: m T."""
    sent = [layer.neuron.max_spikes for layer in network.layers if layer.neuron is not None and layer.neuron.spiking]
    return timesteps * max(sent, default=1)


def pixel_levels(network: Network, timesteps: int) -> int:
    """The largest spike count of an element of an input that is coded in spikes, 0 for an image or a table."""
    return 0 if network.encoding in ("direct", None) else timesteps * network.input_max


def activation_bits(network: Network, timesteps: int) -> int:
    """``ceil(log2(m T + 1))``."""
    return levels(network, timesteps).bit_length()


def refusals(workload: Workload) -> list[Problem]:
    """What an ANN of one timestep cannot express: every layer whose input comes from an earlier timestep."""
    problems = []
    for layer in workload.network.layers:
        place = ("layers", layer.index)
        if layer.recurrent is not None:
            text = f"layer '{layer.name}' is recurrent; an ANN of one timestep has no spikes of the step before"
            problems.append(workload.document.problem(place, text, allowed="layers that only feed forward"))
        if layer.delay:
            text = f"layer '{layer.name}' is delayed by {layer.delay} timesteps; an ANN has only one"
            problems.append(workload.document.problem(place, text, allowed="layers without delays"))
    return problems


def spiking(workload: Workload, timesteps: int, stated: Stated) -> Workload:
    """The same SNN at T timesteps, with spikes drawn at the stated densities."""
    data = dict(workload.document.data) | {"timesteps": timesteps}
    return _drawn(workload, _network(workload, data), stated)


def quantised(workload: Workload, timesteps: int, stated: Stated) -> Workload:
    """The ANN whose activations have as many levels as the SNN's spike counts over T timesteps.

    Raises WorkloadError where values become too wide to be modelled.
    """
    network = workload.network
    bits = activation_bits(network, timesteps)
    relu = dict(RELU) | {"max_spikes": (1 << bits) - 1}
    data = dict(workload.document.data)
    data.pop("readout", None)
    data |= {"name": f"{network.name} as ANN", "timesteps": 1, "neuron": relu}
    data["layers"] = [_layer(dict(stated_layer), network, relu) for stated_layer in data["layers"]]
    if network.input_shape is not None:
        data["input"] = {"shape": list(data["input"]["shape"]), "encoding": "direct"}
        if network.encoding != "direct":
            wide = {"input_bits": pixel_levels(network, timesteps).bit_length()}
            data["precision"] = dict(data.get("precision") or {}) | wide
    return _drawn(workload, _network(workload, data), stated)


def _layer(data: dict[str, Any], network: Network, relu: Mapping[str, Any]) -> dict[str, Any]:
    """A layer of the file with the ANN's neuron, if it carries one."""
    neuron = network.layer(data["name"]).neuron
    if neuron is not None:
        data["neuron"] = dict(relu if neuron.spiking else SUM)
    return data


def _network(workload: Workload, data: Mapping[str, Any]) -> Network:
    """The network of a changed file; its weights are not asked for, because no cost depends on them."""
    document = replace(workload.document, data={key: data[key] for key in data if key not in ("activity", "weights")})
    network, problems = resolve(draft_of(validate(WorkloadFile, document)), document)
    if problems:
        raise WorkloadError(problems)
    return network


def _drawn(workload: Workload, network: Network, stated: Stated) -> Workload:
    densities, problems = resolve_densities(network, stated, workload.document.problem)
    if problems:
        raise WorkloadError(problems)
    source = workload.activity
    behind = has_image(source) and network.encoding == "direct"
    activity = BehindImage(network, densities, source) if behind else SyntheticActivity(network, densities)
    said = json.dumps([workload.hash, network.name, network.timesteps, activity.content])
    return replace(workload, network=network, activity=activity, hash=hashlib.sha256(said.encode()).hexdigest())

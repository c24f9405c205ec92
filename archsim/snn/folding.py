"""Before weights become integers: batch norms and scales go into them, and those that are added share one grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.errors import Problem
from archsim.snn.grids import step_of
from archsim.workload.network import Layer, Network
from archsim.workload.weights import Weights

Array = NDArray[Any]


@dataclass
class Folded:
    """Weights in float64 by layer and part, layers that became nothing, and the ``step`` of each layer's weights."""

    parts: dict[str, dict[str, Array]]
    gone: set[str] = field(default_factory=set)
    step: dict[str, float] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def fold(network: Network, weights: Weights | None) -> Folded:
    """Fold ``y = x * scale + offset`` behind a weighted layer into it: w * scale, b * scale + offset.

    Only directly behind it, where nothing else reads its currents, and with one scale for all timesteps (offsets may
    differ: a bias for each timestep). A single number as scale folds into the unit anywhere, see
    ``archsim.snn.stated``.
    """
    names = [layer.name for layer in network.layers]
    folded = Folded({name: {} if weights is None else _real(weights.of(name)) for name in names})
    for layer in network.layers:
        single = layer.kind == "scale" and _uniform(folded.parts[layer.name]["scale"])
        if layer.kind in ("batchnorm", "scale") and not single:
            _fold_layer(network, layer, folded)
    if not folded.problems:
        _share_steps(network, folded)
    return folded


def _fold_layer(network: Network, layer: Layer, folded: Folded) -> None:
    parts = folded.parts[layer.name]
    source = next((other for other in network.layers if other.name == layer.sources[0]), None)
    while source is not None and source.name in folded.gone:
        source = network.layer(source.sources[0])
    scale = np.atleast_2d(parts["scale"]) if layer.kind == "batchnorm" else parts["scale"].reshape(1, -1)
    why = _why_not(network, layer, source, scale)
    if why or source is None:
        text = f"'{layer.name}' cannot be folded into weights: {why}; simulate with precision 'float'"
        folded.problems.append(Problem(text, key=layer.kind))
        return
    into, factor = folded.parts[source.name], scale[0]
    into["weight"] = into["weight"] * factor.reshape(-1, *(1,) * (into["weight"].ndim - 1))
    bias = into.get("bias", np.zeros(len(factor))) * factor
    if "offset" in parts:
        bias = bias + parts["offset"]
    if "bias" in into or "offset" in parts:
        into["bias"] = bias
    folded.gone.add(layer.name)


def _why_not(network: Network, layer: Layer, source: Layer | None, scale: Array) -> str:
    if source is None or not source.weighted or source.neuron is not None:
        return "it does not stand right behind a layer with weights and without neurons"
    if len(network.consumers(layer.sources[0])) > 1:
        return f"'{layer.sources[0]}' is read by others, too"
    if (scale != scale[0]).any():
        return "its scale differs from timestep to timestep"
    if scale.shape[1] != source.out_shape[0]:
        return "its scale differs from place to place"
    return ""


def _share_steps(network: Network, folded: Folded) -> None:
    """Give weights whose currents are added to each other one step, all others a step of their own."""
    groups: dict[str, set[str]] = {}
    reaching: dict[str, frozenset[str]] = {}
    for layer in network.layers:
        own = frozenset((layer.name,))
        arriving = frozenset().union(*(reaching.get(source, frozenset()) for source in layer.sources))
        if layer.weighted:
            arriving = own
        if layer.kind == "add" or layer.recurrent is not None:
            _unite(groups, arriving | (own if layer.recurrent is not None else frozenset()))
        if layer.weighted:
            groups.setdefault(layer.name, {layer.name})
        reaching[layer.name] = frozenset() if layer.neuron is not None else arriving
    for group in {id(group): group for group in groups.values()}.values():
        arrays, biases = _arrays_of(network, folded.parts, group)
        bits = {bits for _, bits in arrays}
        if 1 in bits and len(bits) > 1:
            names = ", ".join(sorted(group))
            text = f"{names}: weights of one bit and of more bits are added to each other, and share no grid"
            folded.problems.append(Problem(text, key="weight_bits"))
            continue
        step = step_of(arrays, biases)
        folded.step.update(dict.fromkeys(group, step))


def _unite(groups: dict[str, set[str]], names: frozenset[str]) -> None:
    union = {name for one in names for name in groups.get(one, {one})} | set(names)
    for name in union:
        groups[name] = union


def _arrays_of(
    network: Network, parts: Mapping[str, Mapping[str, Array]], group: set[str]
) -> tuple[list[tuple[Array, int]], list[Array]]:
    arrays, biases = [], []
    for name in sorted(group):
        bits = network.layer(name).weight_bits
        for prefix in ("", "recurrent_"):
            if f"{prefix}weight" in parts[name]:
                arrays.append((parts[name][f"{prefix}weight"], bits))
            if f"{prefix}bias" in parts[name]:
                biases.append(parts[name][f"{prefix}bias"])
    return arrays, biases


def _real(parts: Mapping[str, Array]) -> dict[str, Array]:
    return {part: array.astype(np.float64) for part, array in parts.items()}


def _uniform(values: Array) -> bool:
    return bool((values == values.flat[0]).all())

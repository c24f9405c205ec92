"""Bytes and numbers of a network: footprint, parameters, connection sparsity, as NeuroBench 2.3.0 defines them.

Footprint: the bytes of all parameters and buffers of the framework's network. archsim knows weights and the numbers of
neurons; what a framework keeps beside them is listed in ``FRAMEWORKS``, part by part.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from archsim.measures.connections import COUNTED_RECURRENCES
from archsim.measures.rows import FootprintRow
from archsim.workload import Layer, Network, Weights

Array = NDArray[Any]
FLOAT_BYTES = 4
LONG_BYTES = 8
TRAINED = ("weight", "bias", "scale", "offset", "recurrent_weight", "recurrent_bias")
"""Parameters; what else a weights file may hold belongs to neurons and is a buffer unless it is trained."""


@dataclass(frozen=True)
class Framework:
    """What a framework keeps beside the trained numbers.

    ``held``: the neurons' numbers, ``per`` neuron or layer (None: those of the weights file); ``scalars``: (name,
    bytes) of every layer of neurons; ``running``: batch norms keep mean, variance and a counter of 8 bytes.
    """

    description: str
    held: Mapping[str, str] | None = None
    per: Literal["neuron", "layer"] = "neuron"
    scalars: tuple[tuple[str, int], ...] = ()
    running: bool = False


_HELD = {"leak": "beta", "threshold": "threshold", "current_leak": "alpha"}
_SCALARS = (("graded_spikes_factor", FLOAT_BYTES), ("reset_mechanism_val", LONG_BYTES))
FRAMEWORKS: Mapping[str, Framework] = {
    "snntorch": Framework(
        "snnTorch 1.0, beta and threshold of every neuron (so it must be for its NIR export)",
        _HELD, "neuron", _SCALARS, True,
    ),
    "snntorch-shared": Framework(
        "snnTorch 1.0, one beta and threshold per layer (its default)", _HELD, "layer", _SCALARS, True
    ),
    "none": Framework("the weights file alone: what archsim itself knows"),
}  # fmt: skip


def footprint(network: Network, weights: Weights | None, framework: Framework) -> tuple[FootprintRow, ...]:
    """Every part of the network's memory in a framework."""
    rows: list[FootprintRow] = []
    for layer in network.layers:
        for part, elements, width in trained(layer, network, weights):
            rows.append(FootprintRow(layer.name, part, "parameter", elements, elements * width))
        if layer.kind == "batchnorm" and framework.running:
            rows += _running(layer, weights)
        if layer.neuron is not None:
            rows += _of_neurons(layer, weights, framework)
    return tuple(rows)


def trained(layer: Layer, network: Network, weights: Weights | None) -> Iterator[tuple[str, int, int]]:
    """Name, elements and bytes per element of a layer's trained parts; of 4 bytes where there is no weights file."""
    held = {} if weights is None else weights.of(layer.name)
    if weights is not None:
        yield from ((part, held[part].size, held[part].itemsize) for part in TRAINED if part in held)
        return
    channels = layer.out_shape[0]
    sizes = {"weight": layer.weights, "bias": channels if layer.bias else 0}
    if layer.kind == "batchnorm":
        sizes |= {"scale": channels, "offset": channels}
    if layer.kind == "scale":
        sizes["scale"] = 1
    if layer.recurrent is not None:
        every = layer.neurons
        kernel = math.prod(layer.recurrent.kernel)
        of = {"linear": (every**2, every), "conv2d": (channels**2 * kernel, channels), "elementwise": (1, 1)}
        sizes["recurrent_weight"], bias = of[layer.recurrent.kind]
        sizes["recurrent_bias"] = bias if layer.recurrent.bias else 0
    yield from ((part, size, FLOAT_BYTES) for part, size in sizes.items() if size)


def _running(layer: Layer, weights: Weights | None) -> list[FootprintRow]:
    """Buffers of a batch norm, or of one for each timestep."""
    scale = None if weights is None else weights.part(layer.name, "scale")
    norms = 1 if scale is None or scale.ndim == 1 else len(scale)
    every = norms * layer.out_shape[0]
    return [
        FootprintRow(layer.name, "running_mean", "framework", every, every * FLOAT_BYTES),
        FootprintRow(layer.name, "running_var", "framework", every, every * FLOAT_BYTES),
        FootprintRow(layer.name, "num_batches_tracked", "framework", norms, norms * LONG_BYTES),
    ]


def _of_neurons(layer: Layer, weights: Weights | None, framework: Framework) -> list[FootprintRow]:
    """The numbers of a layer's neurons, and what the framework keeps for the layer."""
    assert layer.neuron is not None
    if framework.held is None:
        held = {} if weights is None else weights.of(layer.name)
        own = [(part, array.size, array.itemsize) for part, array in held.items() if part not in TRAINED]
    else:
        names = [name for part, name in framework.held.items() if part != "current_leak" or layer.neuron.has_current]
        own = [(name, layer.neurons if framework.per == "neuron" else 1, FLOAT_BYTES) for name in names]
    rows = [FootprintRow(layer.name, name, "neuron", size, size * width) for name, size, width in own]
    return rows + [FootprintRow(layer.name, name, "framework", 1, size) for name, size in framework.scalars]


def connection_sparsity(network: Network, weights: Weights) -> float:
    """Zeros among the weights of connection layers, biases left out; to 4 decimals, as NeuroBench rounds it."""
    parts: list[Array | None] = [weights.part(layer.name, "weight") for layer in network.weighted_layers]
    parts += [
        weights.part(layer.name, "recurrent_weight")
        for layer in network.layers
        if layer.recurrent is not None and layer.recurrent.kind in COUNTED_RECURRENCES
    ]
    arrays = [array for array in parts if array is not None]
    every = sum(array.size for array in arrays)
    return round(sum(array.size - int(np.count_nonzero(array)) for array in arrays) / every, 4) if every else 0.0

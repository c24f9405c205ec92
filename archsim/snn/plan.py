"""A network ready to be executed: one step per layer, each an operator and perhaps neurons."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from archsim.snn.neurons import Feedback, FloatNeurons, as_map
from archsim.snn.operators import WEIGHTED, Add, Affine, Conv2d, Delay, Linear, Operator, Pool, Reshape
from archsim.workload.network import POOLS, Layer, Network
from archsim.workload.weights import Weights

Array = NDArray[Any]


class Neurons(Protocol):
    """A layer's neurons over all timesteps of a batch."""

    out_type: np.dtype[Any]

    def run(self, currents: Array, out: Array, potentials: Array | None) -> int:
        """Fill ``out`` and ``potentials`` [B, T, C, H, W]; how often a potential saturated."""
        ...


@dataclass(frozen=True)
class Step:
    """One layer: ``operate`` makes the values that leave it, or the currents of its ``neurons``.

    ``unit``: what 1 of the values that leave stands for (1 but for currents on an integer grid).
    """

    layer: Layer
    operate: Operator
    neurons: Neurons | None = None
    unit: float = 1.0


@dataclass(frozen=True)
class Plan:
    """The steps in order; ``scale``: by what an integer input is divided before the first of them."""

    network: Network
    steps: tuple[Step, ...]
    dtype: np.dtype[Any]
    scale: float = 1.0
    last_reader: Mapping[str, str] = field(default_factory=dict)


def last_readers(network: Network) -> dict[str, str]:
    """For every value that is read at all, the layer that reads it last."""
    return {source: layer.name for layer in network.layers for source in layer.sources}


def float_plan(network: Network, weights: Weights | None, dtype: np.dtype[Any]) -> Plan:
    """The network as trained, in ``dtype``."""
    steps = []
    for layer in network.layers:
        parts = {} if weights is None else weights.of(layer.name)
        neurons = None
        if layer.neuron is not None:
            neurons = FloatNeurons(layer, parts, dtype, feedback_of(layer, parts, dtype))
        steps.append(Step(layer, operator_of(layer, parts, network.timesteps, dtype), neurons))
    scale = network.code.scale if network.encoding == "direct" else 1.0
    return Plan(network, tuple(steps), dtype, scale, last_readers(network))


def operator_of(
    layer: Layer, parts: Mapping[str, Array], timesteps: int, dtype: np.dtype[Any], average: bool = True
) -> Operator:
    """What the layer does to its input; ``average``: whether an average pool divides."""
    found: Operator = Reshape(layer)
    if layer.kind in WEIGHTED:
        found = WEIGHTED[layer.kind](layer, parts["weight"], parts.get("bias"), dtype)
    elif layer.kind in POOLS:
        found = Pool(layer, dtype, average and layer.kind == "avgpool2d")
    elif layer.kind == "add":
        found = Add(dtype)
    elif layer.kind == "batchnorm":
        scale, offset = (np.atleast_2d(parts[part])[:, :, None, None] for part in ("scale", "offset"))
        found = Affine(scale, offset, dtype)
    elif layer.kind == "scale":
        found = Affine(as_map(parts["scale"]), None, dtype)
    elif layer.kind == "delay":
        found = Delay(layer, timesteps)
    return found


def feedback_of(layer: Layer, parts: Mapping[str, Array], dtype: np.dtype[Any]) -> Feedback | None:
    """The currents that the layer's own spikes cause a timestep later."""
    if layer.recurrent is None:
        return None
    weight, bias = parts["recurrent_weight"], parts.get("recurrent_bias")
    if layer.recurrent.kind == "elementwise":
        spread = Affine(as_map(weight), None if bias is None else as_map(bias), dtype)
        return lambda spikes: spread([spikes[:, None]])[:, 0]
    operator = _recurrent_operator(layer, weight, bias, dtype)
    return lambda spikes: operator([np.ascontiguousarray(spikes)[:, None]])[:, 0].reshape(spikes.shape)


def _recurrent_operator(layer: Layer, weight: Array, bias: Array | None, dtype: np.dtype[Any]) -> Operator:
    """A weighted layer from the map of neurons to itself."""
    assert layer.recurrent is not None
    kernel, shape = layer.recurrent.kernel, layer.out_shape
    if layer.recurrent.kind == "linear":
        shape = math.prod(shape), 1, 1
    plain = replace(
        layer, in_shape=shape, out_shape=shape, kernel=kernel, stride=(1, 1), dilation=(1, 1), groups=1,
        padding=(kernel[0] // 2, kernel[1] // 2), kind=layer.recurrent.kind,
    )  # fmt: skip
    return (Conv2d if layer.recurrent.kind == "conv2d" else Linear)(plain, weight, bias, dtype)

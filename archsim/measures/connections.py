"""Synaptic operations: how many weights an input that is not zero meets.

NeuroBench 2.3.0 runs every connection layer (linear, convolution; of a recurrent neuron its linear layer) at every
timestep on the inputs with 1 for what is not zero, through a copy with 1 for every weight that is not zero and no
bias, and sums what comes out; *dense* is the same with ones for all inputs and weights. Padding adds zeros, so taps
beyond the border are not counted. Both sums are one product here, with

    fan_out[c, y, x] = weights (that are not zero) that the input at (c, y, x) meets
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.errors import UnsupportedError
from archsim.snn.folding import fold
from archsim.snn.grids import quantised
from archsim.workload import Layer, Network, Weights

Array = NDArray[Any]
COUNTED_RECURRENCES = ("linear", "conv2d")
"""A recurrence of each neuron to itself is no connection layer."""


@dataclass(frozen=True)
class Connection:
    """A layer of weights between ``layer``'s input, or with ``recurrent`` its own spikes, and its neurons.

    ``geometry`` is the layer as these weights see it; ``fan_out`` and ``dense_fan_out`` are int64 [C, H, W].
    """

    name: str
    layer: Layer
    geometry: Layer
    recurrent: bool
    fan_out: Array
    dense_fan_out: Array

    @property
    def dense(self) -> int:
        """Operations per timestep if nothing were zero."""
        return int(self.dense_fan_out.sum())

    def operations(self, values: Array) -> Array:
        """Effective operations int64 [B, T] of inputs [B, T, C, H, W]."""
        weights = self.fan_out.ravel().astype(np.float64)
        found = np.zeros(values.shape[:2], np.int64)
        for step in range(values.shape[1]):
            there = (values[:, step] != 0).reshape(len(values), -1)
            found[:, step] = np.rint(there.astype(np.float64) @ weights)
        return found


def single_spikes(values: Array) -> Array:
    """Whether all values [B, T, C, H, W] of a timestep are -1, 0 or 1: bool [B, T]."""
    size = np.abs(values) if values.dtype.kind in "fi" else values
    fit: Array = ((size == 0) | (size == 1)).reshape(*values.shape[:2], -1).all(axis=2)
    return fit


def connections(network: Network, weights: Weights | None) -> Iterator[Connection]:
    """The connection layers in order; without weights none of them is taken as zero."""
    for layer in network.layers:
        if layer.weighted:
            yield _connection(layer.name, layer, layer, False, weights)
        if layer.recurrent is not None and layer.recurrent.kind in COUNTED_RECURRENCES:
            yield _connection(f"{layer.name}.recurrent", layer, _feedback(layer), True, weights)


def at_stated_bits(network: Network, weights: Weights) -> Weights:
    """The weights as integers of the workload's weight bits, of which the smallest are zero.

    Raises UnsupportedError where batch norms or scales cannot be folded into them (``archsim.snn.folding``).
    """
    folded = fold(network, weights)
    if folded.problems:
        raise UnsupportedError(folded.problems)
    arrays = dict(weights.arrays)
    for layer in network.layers:
        for part in ("weight", "recurrent_weight"):
            if part in folded.parts[layer.name]:
                exact, step = folded.parts[layer.name][part], folded.step[layer.name]
                arrays[f"{layer.name}.{part}"] = quantised(exact, step, layer.weight_bits)
    return replace(weights, arrays=arrays)


def _connection(name: str, layer: Layer, geometry: Layer, recurrent: bool, weights: Weights | None) -> Connection:
    weight = None if weights is None else weights.part(layer.name, "recurrent_weight" if recurrent else "weight")
    every = np.ones(_weight_shape(geometry), np.int64)
    dense = fan_out(geometry, every)
    there = dense if weight is None else fan_out(geometry, (weight != 0).reshape(every.shape).astype(np.int64))
    return Connection(name, layer, geometry, recurrent, there, dense)


def fan_out(layer: Layer, there: Array) -> Array:
    """Weights that each input element meets, int64 [C, H, W]; ``there``: 1 for a weight, else 0."""
    channels, height, width = layer.in_shape
    if layer.kind != "conv2d":
        return np.broadcast_to(there.sum(axis=0)[:, None, None], layer.in_shape)  # rows of a matmul share weights
    per_tap = there.reshape(layer.groups, layer.filters, -1, *layer.kernel).sum(axis=1).reshape(channels, *layer.kernel)
    (pad_h, pad_w), (step_h, step_w), (far_h, far_w) = layer.padding, layer.stride, layer.dilation
    found = np.zeros((channels, height + 2 * pad_h, width + 2 * pad_w), np.int64)
    _, rows, columns = layer.out_shape
    for top in range(layer.kernel[0]):
        for left in range(layer.kernel[1]):
            down = slice(top * far_h, top * far_h + (rows - 1) * step_h + 1, step_h)
            right = slice(left * far_w, left * far_w + (columns - 1) * step_w + 1, step_w)
            found[:, down, right] += per_tap[:, top, left, None, None]
    return found[:, pad_h : pad_h + height, pad_w : pad_w + width]


def _weight_shape(layer: Layer) -> tuple[int, ...]:
    if layer.kind == "conv2d":
        return layer.out_shape[0], layer.in_shape[0] // layer.groups, *layer.kernel
    return layer.out_shape[0], layer.in_shape[0]


def _feedback(layer: Layer) -> Layer:
    """The weights from a layer's neurons back to themselves as a layer; a linear one sees a flat map."""
    assert layer.recurrent is not None
    kernel = layer.recurrent.kernel
    shape = layer.out_shape if layer.recurrent.kind == "conv2d" else (layer.neurons, 1, 1)
    return replace(
        layer, kind=layer.recurrent.kind, in_shape=shape, out_shape=shape, kernel=kernel, stride=(1, 1),
        dilation=(1, 1), groups=1, padding=(kernel[0] // 2, kernel[1] // 2),
    )  # fmt: skip

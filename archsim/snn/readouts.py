"""From what leaves the last layer at every timestep to predictions, and to the timestep at which they are certain.

Readout after the timesteps 0..t of the outputs o [N, T, classes]: ``sum`` o[0] + ... + o[t]; ``last`` o[t]; ``max`` the
largest so far; ``first`` T - (timestep of the first spike), 0 without one. The prediction is the class of the largest
readout, of equal ones the lowest.

Confidence after t: the largest of the softmax of the readout, where it is a sum of currents divided by the t + 1
timesteps that it has. A sum of spikes, whatever passes them on behind their neurons, is a count and is not divided:
one more spike than all other classes have makes a class e times as likely as each of them, and a mean would not grow
with the spikes. Or with ``entropy`` 1 - H / ln(classes), H the entropy of that softmax, by which DT-SNN ends an input
(Y. Li et al., "Input-aware dynamic timestep spiking neural networks for efficient in-memory computing", DAC 2023).

The ``last`` and the ``max`` of spikes lie within 0..m, so no confidence is above the one of m spikes of one class and
none of the others: softmax e^m / (e^m + classes - 1).
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from archsim.workload.network import Network, Readout

Array = NDArray[Any]
Confidence = Literal["softmax", "entropy"]
CONFIDENCES = ("softmax", "entropy")


def running(readout: Readout, outputs: Array) -> Array:
    """The readout after each timestep, [N, T, classes]."""
    if readout == "sum":
        return np.asarray(np.cumsum(outputs, axis=1, dtype=outputs.dtype))
    if readout == "max":
        return np.asarray(np.maximum.accumulate(outputs, axis=1))
    if readout == "first":
        steps = outputs.shape[1]
        since = np.arange(steps, 0, -1, dtype=outputs.dtype)[:, None]
        return np.asarray(np.maximum.accumulate(np.where(outputs > 0, since, 0), axis=1))
    return outputs


def predicted(values: Array) -> Array:
    """The class of the largest value on the last axis, the lowest of equal ones."""
    return np.asarray(np.argmax(values, axis=-1), np.int64)


def confidences(network: Network, outputs: Array, kind: Confidence = "softmax") -> Array:
    """How certain the prediction is after each timestep, 0..1, [N, T] in float64."""
    values = running(network.readout, outputs).astype(np.float64)
    if network.readout == "sum" and network.layers[-1].out_signed:
        values = values / np.arange(1, outputs.shape[1] + 1)[:, None]
    return _certain(values, kind)


def most_confident(network: Network, kind: Confidence = "softmax") -> float:
    """The largest confidence that can be, however long an input takes: below 1 for ``last`` and ``max`` of spikes."""
    most = most_spikes(network, network.layers[-1].name)
    if network.readout not in ("last", "max") or most is None:
        return 1.0
    values = np.zeros(math.prod(network.layers[-1].out_shape))
    values[0] = most
    return float(_certain(values, kind))


def most_spikes(network: Network, name: str) -> int | None:
    """The largest value that leaves a layer in a timestep, if it passes on spikes as they are; else None."""
    layer = next((layer for layer in network.layers if layer.name == name), None)
    if layer is None or layer.out_signed or layer.kind in ("scale", "batchnorm"):
        return None
    if layer.spiking:
        return layer.out_max
    found = [most_spikes(network, source) for source in layer.sources]
    known = [most for most in found if most is not None]
    if not found or len(known) < len(found):
        return None
    return sum(known) * (math.prod(layer.kernel) if layer.kind == "sumpool2d" else 1)


def _certain(values: Array, kind: Confidence) -> Array:
    """Confidence in the largest value on the last axis."""
    weights = np.exp(values - values.max(axis=-1, keepdims=True))
    chances = weights / weights.sum(axis=-1, keepdims=True)
    if kind == "softmax":
        return np.asarray(chances.max(axis=-1))
    classes = chances.shape[-1]
    if classes == 1:
        return np.ones(chances.shape[:-1])
    logs = np.log(np.where(chances > 0, chances, 1.0))
    return np.asarray(1.0 + (chances * logs).sum(axis=-1) / np.log(classes))


def exit_steps(certain: Array, threshold: float) -> Array:
    """Timesteps that each input takes: up to the first whose confidence is ``threshold`` or more; all if none is."""
    passed = certain >= threshold
    passed[:, -1] = True
    return np.asarray(np.argmax(passed, axis=1) + 1, np.int64)

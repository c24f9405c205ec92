"""A layer's neurons over all timesteps, in floating point: each operation of the contract, in its order, in place.

The equations are those of :class:`archsim.workload.network.Neuron`; constants are cast to the simulation's type first
(``1 - leak`` is subtracted in float64 before).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.workload.network import Layer, Neuron

Array = NDArray[Any]
Feedback = Callable[[Array], Array]
"""Currents [B, C, H, W] that a layer's own spikes of the timestep before cause."""


def as_map(value: Array) -> Array:
    """A parameter as it is broadcast over [C, H, W]: [C, 1, 1] or [C, H, W]; one number where all are equal."""
    value = np.asarray(value, np.float64)
    if value.size and (value == value.flat[0]).all():
        return np.asarray(value.flat[0])
    return value[:, None, None] if value.ndim == 1 else value


def parameters(neuron: Neuron, stated: Mapping[str, Array]) -> dict[str, Array]:
    """The neuron's numbers in float64, those of the weights file over those of the workload file."""
    names = ("leak", "threshold", "gain", "rest", "reset_to", "minimum", "current_leak", "current_gain")
    own = {name: getattr(neuron, name) for name in names}
    own["minimum"] = -np.inf if neuron.minimum is None else neuron.minimum
    return {name: as_map(stated.get(name, np.asarray(own[name]))) for name in names}


class FloatNeurons:
    """Neurons of one layer in float32 or float64."""

    def __init__(
        self, layer: Layer, stated: Mapping[str, Array], dtype: np.dtype[Any], feedback: Feedback | None
    ) -> None:
        assert layer.neuron is not None
        self.neuron, self.dtype, self.feedback = layer.neuron, dtype, feedback
        self.out_type = value_type(self.neuron, dtype)
        numbers = parameters(self.neuron, stated)
        self.number = {name: value.astype(dtype) for name, value in numbers.items()}
        self.kept_back = (1.0 - numbers["leak"]).astype(dtype)
        self.leakless = numbers["leak"] == 1.0
        self.bounded = bool(np.isfinite(numbers["minimum"]).any())

    def run(self, currents: Array, out: Array, potentials: Array | None) -> int:
        """Fill ``out`` [B, T, C, H, W] with spikes (potentials of li, cuba_li); ``currents`` may have one timestep.

        ``potentials`` [B, T, C, H, W] gets the potential before the reset. Returns 0: no float saturates.
        """
        potential = np.zeros((len(out), *out.shape[2:]), self.dtype)
        synaptic = np.zeros_like(potential)
        scratch = np.empty_like(potential)
        before: Array | None = None
        for step in range(out.shape[1]):
            current = currents[:, step if currents.shape[1] > 1 else 0]
            if self.feedback is not None:
                current = current + self.feedback(np.zeros_like(out[:, 0]) if before is None else before)
            if self.neuron.has_current:
                current = self._synaptic(synaptic, current)
            self._integrate(potential, current, scratch)
            if self.neuron.reset == "delayed_subtract" and before is not None:
                np.multiply(before, self.number["threshold"], out=scratch)
                potential -= scratch
            if self.neuron.reset == "delayed_hard" and before is not None:
                np.copyto(potential, 0.0, where=before > 0)
            if self.bounded:
                np.maximum(potential, self.number["minimum"], out=potential)
            if potentials is not None:
                potentials[:, step] = potential
            if self.neuron.spiking:
                fire(self.neuron, potential, self.number["threshold"], out[:, step], scratch)
                reset(self.neuron, potential, self.number, out[:, step], scratch)
            else:
                out[:, step] = potential
            before = out[:, step]
        return 0

    def _synaptic(self, synaptic: Array, current: Array) -> Array:
        """Update the synaptic current; what the membrane sees of it."""
        seen = synaptic.copy() if self.neuron.membrane_sees == "old" else synaptic
        synaptic *= self.number["current_leak"]
        synaptic += self.number["current_gain"] * current
        return seen

    def _integrate(self, potential: Array, current: Array, scratch: Array) -> None:
        if (self.number["gain"] != 1.0).any():
            current = self.number["gain"] * current
        if self.neuron.update == "decay":
            if not self.leakless.all():
                potential *= self.number["leak"]
            potential += current
            if self.number["rest"].any():
                potential += self.kept_back * self.number["rest"]
            return
        if self.leakless.all():
            potential += current
            return
        np.subtract(self.number["rest"], potential, out=scratch)
        scratch += current
        scratch *= self.kept_back
        if self.leakless.any():
            np.copyto(scratch, current, where=self.leakless)
        potential += scratch


def value_type(neuron: Neuron, dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type of what leaves: uint8 or uint16 for spikes, the potential's own for li and cuba_li."""
    if not neuron.spiking:
        return dtype
    return np.dtype(np.uint8 if neuron.max_spikes < 1 << 8 else np.uint16)


def fire(neuron: Neuron, potential: Array, threshold: Array, spikes: Array, scratch: Array) -> None:
    """Compare: one spike, or as many as the threshold fits into the potential, up to ``max_spikes``."""
    if neuron.max_spikes == 1:
        compare = np.greater_equal if neuron.compare == ">=" else np.greater
        compare(potential, threshold, out=spikes.view(np.bool_))
        return
    np.divide(potential, threshold, out=scratch)
    if neuron.compare == ">=":
        np.floor(scratch, out=scratch)
    else:
        np.ceil(scratch, out=scratch)
        scratch -= 1
    np.clip(scratch, 0, neuron.max_spikes, out=scratch)
    spikes[...] = scratch


def reset(neuron: Neuron, potential: Array, number: Mapping[str, Array], spikes: Array, scratch: Array) -> None:
    """What a spike does to the potential within its timestep."""
    if neuron.reset == "hard":
        potential *= spikes == 0  # a product is ten times as fast as copying where something spiked
        if number["reset_to"].any():
            np.multiply(spikes > 0, number["reset_to"], out=scratch)
            potential += scratch
    elif neuron.reset == "subtract":
        np.multiply(spikes, number["threshold"], out=scratch)
        potential -= scratch

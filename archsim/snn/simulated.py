"""What a functional simulation yields."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.errors import ConfigError, Problem, UnsupportedError
from archsim.workload.network import INPUT, Network
from archsim.workload.trace import Trace, write_trace

Array = NDArray[Any]


@dataclass(frozen=True, eq=False, repr=False)
class Simulated:
    """Spikes of every layer, potentials that were asked for, and predictions, of N inputs.

    ``input``: as it travelled, [N, C, H, W] for a direct code, else [N, T, C, H, W]. ``spikes``: layer -> uint8 or
    uint16 [N, T, C, H, W]; ``potentials``: layer -> [N, T, C, H, W], before the reset. A single input has no axis N in
    these three. ``outputs`` [N, T, classes]: what left the last layer; ``readout`` [N, classes] and ``predictions`` [N]
    follow from it. ``steps`` [N]: timesteps that were executed; behind them nothing spikes. ``saturations``: how often
    a word of the stated precision could not hold its value, by layer.
    """

    network: Network
    input: Array
    spikes: Mapping[str, Array]
    outputs: Array
    readout: Array
    predictions: Array
    steps: Array
    potentials: Mapping[str, Array] = field(default_factory=dict)
    saturations: Mapping[str, int] = field(default_factory=dict)
    single: bool = False
    whole: bool = True
    early: bool = False

    def __repr__(self) -> str:
        what = f"{len(self.predictions)} inputs, {self.network.timesteps} timesteps"
        return f"<Simulated '{self.network.name}': {what}, spikes of {', '.join(self.spikes)}>"

    def accuracy(self, labels: Array) -> float:
        """Fraction of the inputs whose prediction is the label. Raises ConfigError for labels of another number."""
        return float((self.predictions == self._checked(labels)).mean())

    def trace(self, labels: Array | None = None) -> Trace:
        """The spikes as a recording; of real-valued inputs there is none (UnsupportedError)."""
        members: dict[str, Array] = {f"values/{name}": values for name, values in self._recorded().items()}
        given = self._travelled()
        members[INPUT if given.ndim == 4 else f"values/{INPUT}"] = given
        members["predictions"] = self.predictions
        if labels is not None:
            members["labels"] = self._checked(labels)
        digest = hashlib.sha256()
        for name in sorted(members):
            digest.update(f"{name} {members[name].shape} {members[name].dtype.str};".encode())
            digest.update(np.ascontiguousarray(members[name]).tobytes())
        shapes = {layer.name: layer.out_shape for layer in self.network.layers if layer.spiking}
        assert self.network.input_shape is not None
        shapes[INPUT] = self.network.input_shape
        steps = self.network.timesteps
        return Trace("simulated", steps, len(self.predictions), members, shapes, digest.hexdigest())

    def save(self, path: str | os.PathLike[str], labels: Array | None = None) -> None:
        """Write the spikes as a trace file, whole or not at all. Raises UnsupportedError for real-valued inputs."""
        given = self._travelled()
        steps = self.network.timesteps
        write_trace(path, steps, given, self._recorded(), None if labels is None else self._checked(labels),
                    self.predictions)  # fmt: skip

    def _checked(self, labels: Array) -> Array:
        found = np.asarray(labels)
        if found.shape != self.predictions.shape or found.dtype.kind not in "iu":
            text = f"there is one integer for each of the {len(self.predictions)} inputs"
            raise ConfigError(Problem(text, key="labels", value=(str(found.dtype), found.shape)))
        return found.astype(np.int64)

    def _recorded(self) -> dict[str, Array]:
        """The spikes with the axis N."""
        return {name: values[None] if self.single else values for name, values in self.spikes.items()}

    def _travelled(self) -> Array:
        """The input as a chip gets it, per timestep where it ended early."""
        if not self.whole:
            text = "these inputs are real values between the integers that a chip gets, so they leave no trace"
            raise UnsupportedError(Problem(text, key="inputs"))
        given = self.input[None] if self.single else self.input
        if given.ndim == 5 or not self.early:
            return given
        steps = self.network.timesteps
        running = np.arange(steps) < self.steps[:, None]
        by_timestep: Array = given[:, None] * running[:, :, None, None, None].astype(given.dtype)
        return by_timestep

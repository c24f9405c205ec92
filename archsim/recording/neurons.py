"""What the neurons of a framework are in archsim's terms: numbers of the workload file, arrays where neurons differ."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from archsim.recording.graph import Array, Features, array, as_map

FRAMEWORKS = ("snntorch", "spikingjelly", "sinabs", "norse")
MAX_SPIKES = 255
"""Of neurons that send any number: what a byte holds."""


@dataclass
class Neurons:
    """The neurons of one module on a map of ``shape``: keys of ``neuron:``, arrays by part, why they are refused.

    ``takes``: the axes in front of the map in the tensor that the module takes: ``N``, ``TN``, ``NT`` or ``T``.
    """

    shape: Features
    takes: str = "N"
    keys: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, Array] = field(default_factory=dict)
    recurrent: dict[str, Any] | None = None
    reasons: list[str] = field(default_factory=list)

    def number(self, key: str, value: Any) -> None:
        """State a parameter: one number, or an array where neurons differ."""
        full = self._spread(key, value)
        if full is None:
            return
        if not np.isfinite(full).all() or (key == "threshold" and full.min(initial=1.0) <= 0):
            self.reasons.append(f"{key} {float(full.flat[0])}: only finite ones" + ", above 0" * (key == "threshold"))
        elif (full == full.flat[0]).all():
            self.keys[key] = shortest(full.flat[0])
        else:
            self.keys[key] = shortest(np.float32(full.mean()))
            by_channel = full.reshape(full.shape[0], -1)
            same = (by_channel == by_channel[:, :1]).all()
            self.arrays[key] = by_channel[:, 0].copy() if same else full.reshape(as_map(self.shape)).copy()

    def leak(self, value: Any, model: str = "lif") -> None:
        """State the model and its leak: ``if`` where nothing leaks."""
        self.number("leak", value)
        if model == "lif" and self.keys.get("leak") == 1.0 and "leak" not in self.arrays:
            del self.keys["leak"]
            model = "if"
        self.keys = {"model": model, **self.keys}

    def feedback(self, module: Any, at_start: bool) -> None:
        """State recurrent connections through a Linear or Conv2d; ``at_start``: their bias counts from timestep 0."""
        kind = type(module).__name__
        if kind == "Linear" and tuple(module.weight.shape) == (math.prod(self.shape),) * 2:
            self.recurrent = {"type": "linear"}
        elif kind == "Conv2d" and _keeps_size(module, self.shape):
            kernel = list(module.kernel_size)
            self.recurrent = {"type": "conv2d", "kernel": kernel[0] if kernel[0] == kernel[1] else kernel}
        else:
            text = "a Linear from all neurons to all, or a Conv2d of an odd kernel that keeps the map's size"
            self.reasons.append(f"recurrent connections through {kind}; followed is {text}")
            return
        self.arrays["recurrent_weight"] = array(module.weight)
        if module.bias is not None and not (at_start or not array(module.bias).any()):
            self.reasons.append("the bias of its recurrent connections is missing at timestep 0; only bias=False")
        elif module.bias is not None and array(module.bias).any():
            self.recurrent["bias"] = True
            self.arrays["recurrent_bias"] = array(module.bias)

    def each_to_itself(self, weight: Any) -> None:
        """State recurrent connections from each neuron to itself: one number, or one for each neuron."""
        full = self._spread("recurrent weight", weight)
        self.recurrent = {"type": "elementwise"}
        if full is not None:
            equal = (full == full.flat[0]).all()
            weights = np.array(full.flat[0]) if equal else full.reshape(as_map(self.shape)).copy()
            self.arrays["recurrent_weight"] = weights

    def _spread(self, key: str, value: Any) -> Array | None:
        """The parameter of every neuron, in the shape of the map."""
        numbers = array(value) if hasattr(value, "detach") else np.asarray(value, np.float64)
        try:
            return np.broadcast_to(numbers, (1, *self.shape)).reshape(self.shape)
        except ValueError:
            self.reasons.append(f"{key} of shape {list(numbers.shape)} on a map {list(self.shape)}")
            return None


Reader = Callable[[Any, Neurons], None]
"""Reads a framework's module into :class:`Neurons`."""


@dataclass(frozen=True)
class Supported:
    """The neurons of one framework that archsim has, and why it has not others."""

    readers: Mapping[str, Reader]
    told: Mapping[str, str]


def shortest(value: Any) -> float:
    """The number; of a float32 the shortest decimal that is cast to it."""
    return float(str(value)) if isinstance(value, np.float32) else float(value)


def _keeps_size(module: Any, shape: Features) -> bool:
    odd = all(size % 2 == 1 and pad == size // 2 for size, pad in zip(module.kernel_size, module.padding, strict=True))
    plain = set((*module.stride, *module.dilation, module.groups)) == {1} and module.padding_mode == "zeros"
    return odd and plain and len(shape) == 3 and module.in_channels == module.out_channels == shape[0]

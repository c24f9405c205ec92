"""Inputs as they are given, checked as a whole, and as they travel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.errors import Problem
from archsim.snn.encoders import encode
from archsim.workload.generators import value_type
from archsim.workload.network import Network

Array = NDArray[Any]


@dataclass(frozen=True)
class Inputs:
    """Checked inputs [N, C, H, W], or [N, T, C, H, W] as they travel at each timestep.

    ``integers``: they are what a chip gets. ``single``: given without the axis N. ``numbers``
    [N]: the samples' own, which seed what is drawn for them.
    """

    network: Network
    values: Array
    integers: bool
    single: bool
    numbers: Array

    def __len__(self) -> int:
        return len(self.values)

    @property
    def by_timestep(self) -> bool:
        """Whether what travels differs from timestep to timestep."""
        return self.network.encoding != "direct" or self.values.ndim == 5

    def travelling(self, chosen: slice) -> Array:
        """What travels of some inputs, [B, T, C, H, W], or [B, 1, C, H, W] where an image is the same at every t."""
        some = self.values[chosen]
        if some.ndim == 5:
            return some
        if self.network.encoding == "direct":
            return some[:, None]
        largest = (1 << self.network.precision.input_bits) - 1 if self.integers else 1
        images = zip(self.numbers[chosen].tolist(), some.astype(np.float64), strict=True)
        return np.stack([encode(self.network, image, largest, number) for number, image in images])


def check_inputs(network: Network, given: Any, numbers: int | Sequence[int] = 0) -> tuple[Inputs | None, list[Problem]]:
    """The inputs, or everything that is wrong with them: type, shape, values, and their numbers."""
    try:
        values = np.asarray(given)
    except ValueError:
        return None, [Problem("the inputs do not all have one shape", key="inputs")]
    if values.dtype.kind not in "biuf":
        return None, [Problem("the inputs are no numbers", key="inputs", value=str(values.dtype))]
    arranged, problems = _arranged(network, values)
    if arranged is None:
        return None, problems
    values, single = arranged
    if values.dtype == np.bool_:
        values = values.view(np.uint8)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        strange = values[~np.isfinite(values)].flat[0].item()
        return None, [Problem("the inputs have values that are no numbers", key="inputs", value=strange)]
    whole, problems = _whole(network, values)
    each = numbers + np.arange(len(values)) if isinstance(numbers, int) else np.asarray(numbers)
    if each.shape != (len(values),) or each.dtype.kind not in "iu" or each.min() < 0:
        allowed = f"that of the first, or {len(values)} of them, from 0 on"
        problems.append(Problem("these are no numbers of the inputs", key="numbers", value=numbers, allowed=allowed))
    if problems:
        return None, problems
    return Inputs(network, values if whole is None else whole, whole is not None, single, each), []


def _arranged(network: Network, values: Array) -> tuple[tuple[Array, bool] | None, list[Problem]]:
    """With all axes, and whether there is one input only."""
    assert network.input_shape is not None
    shape, steps, events = network.input_shape, network.timesteps, network.encoding == "events"
    kept = max(axes for axes in (1, 2, 3) if axes == 1 or shape[axes - 1] != 1)
    for inner in (shape[:axes] for axes in range(3, kept - 1, -1)):
        axes = values.ndim - len(inner)
        if not events <= axes <= 2 or values.shape[axes:] != inner:
            continue
        timed = axes == 2 or (events and axes == 1)
        if timed and values.shape[axes - 1] != steps:
            continue
        single = axes == (1 if events else 0)
        count = 1 if single else values.shape[0]
        if count == 0:
            return None, [Problem("there is no input", key="inputs", value=values.shape)]
        return (values.reshape(count, *((steps,) if timed else ()), *shape), single), []
    forms = [["N", steps, *shape], [steps, *shape] if events else ["N", *shape], *([] if events else [[*shape]])]
    allowed = " or ".join(f"[{', '.join(map(str, form))}]" for form in reversed(forms))
    text = "the inputs have another shape than the network's"
    return None, [Problem(text, key="inputs", value=values.shape, allowed=allowed)]


def _whole(network: Network, values: Array) -> tuple[Array | None, list[Problem]]:
    """The integers that a chip gets, or None where the values are real; and what is out of range."""
    as_they_travel = values.ndim == 5 or network.encoding in ("direct", "events")
    largest = network.input_max if as_they_travel else (1 << network.precision.input_bits) - 1
    real = values.dtype.kind == "f"
    fractions = real and not as_they_travel
    if real and network.encoding == "direct":
        return _on_grid(values, network.code.scale, largest), []
    wrong = (values < 0) | (values > (1 if fractions else largest))
    text, allowed = "the inputs have integers out of range", f"0..{largest}"
    if fractions:
        text, allowed = f"real values that '{network.encoding}' encodes are fractions", "0..1"
    elif real:
        wrong |= values != np.floor(values)
        text = "spikes are whole numbers"
    if wrong.any():
        return None, [Problem(text, key="inputs", value=values[wrong].flat[0].item(), allowed=allowed)]
    return _on_grid(values, largest, largest) if fractions else values.astype(value_type(largest)), []


def _on_grid(values: Array, scale: float, largest: int) -> Array | None:
    """The integers whose integer / scale these real values are, if they are all that."""
    near = np.rint(values.astype(np.float64) * scale)
    if near.min() < 0 or near.max() > largest or not ((near / scale).astype(values.dtype) == values).all():
        return None
    return near.astype(value_type(largest))

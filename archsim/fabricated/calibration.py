"""What is set on a chip after it was programmed, from a few inputs: ranges of converters, and gains of layers.

Layer by layer, on what the layers before it send once they are set: the range of the layer's converters
(:mod:`archsim.fabricated.converters`), then the gain by which its sums are multiplied, or its thresholds divided,

    gain = sum(exact^2) / sum(exact * sums) over inputs, timesteps and places,

one for the layer, or one for each output channel (column); ``exact`` is what ideal crossbars would answer to the same
inputs. It is the inverse of the least-squares slope of the sums over the exact ones: the other regression would take
noise of the sums for a gain that is too high. No labels are used.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from archsim.fabricated.converters import Histogram, Quantiser
from archsim.fabricated.layer import CrossbarLayer
from archsim.fabricated.reading import Read

Array = NDArray[Any]
Gains = Literal["none", "layer", "column"]
GAINS: tuple[Gains, ...] = get_args(Gains)
SEEN = 1 << 22
"""Sums of columns from which a range is chosen, at most, at each read of each block of inputs."""


def fixed_quantiser(layer: CrossbarLayer) -> Quantiser | None:
    """The converters of a layer where nothing has to be seen: exact, or of a stated range."""
    adc = layer.arch.adc
    if adc.ideal:
        return None
    if adc.range in {"levels", "calibrated"}:
        return Quantiser(adc.bits, float((1 << adc.bits) - 1))
    return Quantiser(adc.bits, largest_sum(layer) if isinstance(adc.range, str) else adc.range)


def largest_sum(layer: CrossbarLayer) -> float:
    """The largest sum, in level steps, that ideal cells of all rows read at once can make."""
    scheme, programmer = layer.programmer.scheme, layer.programmer
    top_s = programmer.states_s[-1] - (programmer.states_s[0] if scheme.has_reference else 0.0)
    rows = max(len(one.read.inputs) for bank in layer.banks.values() for one in bank.prepared)
    return float(rows * top_s / programmer.step_s)


def set_range(layer: CrossbarLayer, values: Array, numbers: Array) -> None:
    """Choose the range of the layer's converters by what they see of ``values`` [B, T or 1, C, H, W]."""
    seen = Histogram(largest_sum(layer))
    weights = {id(one.read): bank.reads.significance() for bank in layer.banks.values() for one in bank.prepared}

    def watch(read: Read, columns: Array) -> None:
        every = -(-columns.size // SEEN)
        seen.add(columns[::every], weights[id(read)])

    layer.quantiser = None
    layer.sums(values, numbers, watch)
    layer.quantiser = seen.best(layer.arch.adc.bits)


def set_gain(layer: CrossbarLayer, values: Array, numbers: Array, per: Gains) -> None:
    """Fit the layer's sums to the exact ones."""
    if per == "none":
        return
    sums = layer.sums(values, numbers) / layer.scale
    exact = np.broadcast_to(layer.exact([values]), sums.shape)
    axes = (0, 1, 3, 4) if per == "column" else (0, 1, 2, 3, 4)
    power, common = (exact * exact).sum(axis=axes), (sums * exact).sum(axis=axes)
    gain = np.where(common > 0, power / np.where(common > 0, common, 1.0), 1.0)
    layer.gain = gain.reshape(-1, 1, 1) if per == "column" else np.atleast_1d(gain)

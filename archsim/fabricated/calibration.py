"""What is set on a chip after it was programmed, from a few inputs: ranges of converters, and gains of layers.

Layer by layer, on what the layers before it send once they are set: the range of the layer's converters
(:mod:`archsim.fabricated.ranges`), then the gain by which its sums are multiplied (its thresholds divided), one for
the layer, or one for each output channel (column). No labels are used.

* Where neurons stand right behind the layer, the gain with which they spike as often as they do in software on these
  inputs, by bisection between 1/8 and 8. What never spikes there keeps the gain 1.
* Elsewhere ``sum(exact^2) / sum(exact * sums)`` over inputs, timesteps and places, ``exact`` being what ideal crossbars
  would answer to the same inputs: the inverse of the least-squares slope of the sums over the exact ones.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from archsim.fabricated.converters import Quantiser
from archsim.fabricated.layer import CrossbarLayer
from archsim.fabricated.ranges import Seen
from archsim.snn.operators import with_bias
from archsim.snn.plan import Neurons

Array = NDArray[Any]
Floats = NDArray[np.float64]
Gains = Literal["none", "layer", "column"]
GAINS: tuple[Gains, ...] = get_args(Gains)
OCTAVES = 3.0
HALVINGS = 12


def fixed_quantiser(layer: CrossbarLayer) -> Quantiser | None:
    """The converters of a layer where nothing has to be seen; None: exact, or not set yet."""
    adc = layer.arch.adc
    if adc.ideal or adc.range == "calibrated":
        return None
    if adc.range == "levels":
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
    seen = Seen()
    of = {id(one.read): bank.reads for bank in layer.banks.values() for one in bank.prepared}
    layer.quantiser = None
    layer.sums(values, numbers, lambda read, columns: seen.add(of[id(read)], columns))
    layer.quantiser = seen.best(layer.arch.adc.bits)


def set_gain(
    layer: CrossbarLayer, values: Array, numbers: Array, per: Gains, neurons: Neurons | None, wanted: Array | None
) -> None:
    """Choose the layer's gain. ``wanted`` [channels]: spikes of its ``neurons`` on these inputs in software, if any."""
    if per == "none":
        return
    sums = layer.sums(values, numbers) / layer.scale
    if neurons is None or wanted is None:
        layer.gain = _by_slope(layer, values, sums, per)
    else:
        layer.gain = _by_spikes(layer, sums, per, neurons, wanted)


def _by_slope(layer: CrossbarLayer, values: Array, sums: Floats, per: Gains) -> Floats:
    exact = np.broadcast_to(layer.exact([values]), sums.shape)
    power, common = _totals(exact * exact, per), _totals(sums * exact, per)
    return np.where(common > 0, power / np.where(common > 0, common, 1.0), 1.0)


def _by_spikes(layer: CrossbarLayer, sums: Floats, per: Gains, neurons: Neurons, wanted: Array) -> Floats:
    aim = _totals(wanted.reshape(1, 1, -1, 1, 1), per)
    low, high = np.full_like(aim, -OCTAVES), np.full_like(aim, OCTAVES)
    out = np.zeros((len(sums), layer.timesteps, *layer.layer.out_shape), neurons.out_type)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        neurons.run(with_bias(np.rint(sums * np.exp2(middle)), layer.bias), out, None)
        few = _totals(out, per) < aim
        low, high = np.where(few, middle, low), np.where(few, high, middle)
    return np.where(aim > 0, np.exp2((low + high) / 2), 1.0)


def _totals(values: Array, per: Gains) -> Floats:
    """Sums over [B, T, channels, H, W], but for those over channels with one gain each: [channels or 1, 1, 1]."""
    by_channel = values.sum(axis=(0, 1, 3, 4), dtype=np.float64).reshape(-1, 1, 1)
    return np.asarray(by_channel if per == "column" else by_channel.sum(axis=0, keepdims=True))

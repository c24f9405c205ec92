"""Statistics of one layer's spikes that every batching and every chip of a sweep share: computed once, kept small."""

from __future__ import annotations

from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators import spikes
from archsim.workload import Activity, Layer

Ints = NDArray[np.int64]


class SpikeStatistics:
    """Reductions of a layer's input values; the values themselves are asked for again when a reduction is new."""

    def __init__(self, activity: Activity, layer: Layer, sample: int, on_multiplier: bool) -> None:
        self.layer = layer
        self._activity, self._sample = activity, sample
        self._weighs_values = on_multiplier or layer.in_bits == 1

    def of_values(self) -> SpikeStatistics:
        """The same where a value, whatever its width, is one active product."""
        return statistics_of(self._activity, self.layer, self._sample, True)

    def _values(self) -> NDArray[np.generic]:
        return self._activity.inputs_of(self.layer, self._sample)

    def nonzero(self) -> NDArray[np.uint8]:
        """1 where a value is not zero: [T, C, H, W]."""
        return spikes.nonzero(self._values(), self.layer.in_bits)

    def weights(self) -> NDArray[np.uint8]:
        """Active products that one value causes with one weight: its set bits, or 1 on a multiplier."""
        return self.nonzero() if self._weighs_values else spikes.set_bits(self._values(), self.layer.in_bits)

    @cached_property
    def active_per_position(self) -> Ints:
        """[T, groups, positions] active products with one filter."""
        return spikes.per_position(self.weights(), self.layer)

    @cached_property
    def nonzero_per_position(self) -> Ints:
        """[T, groups, positions] values that are not zero."""
        return self.active_per_position if self._weighs_values else spikes.per_position(self.nonzero(), self.layer)

    @cached_property
    def active_per_index(self) -> Ints:
        """[T, groups, K] active products with one filter, summed over positions."""
        return spikes.per_index(self.weights(), self.layer)

    @cached_property
    def density(self) -> float:
        """Fraction of non-zero input values, as executed."""
        values = self._values()
        return float(np.count_nonzero(values)) / values.size


class _Shared:
    """What is kept for one activity."""

    def __init__(self) -> None:
        self.inputs: dict[tuple[int, int, bool], SpikeStatistics] = {}
        self.fired: dict[tuple[int, int], Ints] = {}


_shared: WeakKeyDictionary[Activity, _Shared] = WeakKeyDictionary()


def statistics_of(activity: Activity, layer: Layer, sample: int, on_multiplier: bool) -> SpikeStatistics:
    """The shared statistics of a layer's input in one sample."""
    kept = _shared.setdefault(activity, _Shared()).inputs
    key = (layer.index, sample, on_multiplier)
    if key not in kept:
        kept[key] = SpikeStatistics(activity, layer, sample, on_multiplier)
    return kept[key]


def spikes_fired(activity: Activity, layer: Layer, sample: int) -> Ints:
    """Spikes that leave a layer's neurons, per timestep: [T]."""
    kept = _shared.setdefault(activity, _Shared()).fired
    key = (layer.index, sample)
    if key not in kept:
        values = activity.outputs_of(layer, sample)
        kept[key] = np.count_nonzero(values.reshape(len(values), -1), axis=1).astype(np.int64)
    return kept[key]

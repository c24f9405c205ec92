"""What crossbars do to each layer of a network: errors of its pre-activations, conversions that clip, other spikes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.fabricated import CrossbarLayer, Fabricated
from archsim.fabricated.reading import Read
from archsim.fidelity.answer import LayerErrors
from archsim.snn import Simulated

Array = NDArray[Any]
FIGURES = tuple(field.name for field in fields(LayerErrors))[1:]


class Tally:
    """Watches the layers of one chip. ``found``, by name: ``relative_rms``, ``bias`` and ``clipped`` of LayerErrors."""

    def __init__(self) -> None:
        self.found: dict[str, tuple[float, float, float | None]] = {}

    def __call__(self, layer: CrossbarLayer, values: Array, numbers: Array) -> None:
        """Read the layer's input once more, and compare."""
        clipped = _Clipped(layer)
        sums = layer.sums(values, numbers, None if layer.quantiser is None else clipped)
        exact = np.asarray(layer.exact([values]), np.float64)
        error = np.rint(sums * (layer.gain / layer.scale)) - exact
        size = float(np.sqrt((exact**2).mean())) or 1.0
        self.found[layer.layer.name] = (
            float(np.sqrt((error**2).mean())) / size, float(error.mean()) / size, clipped.share,
        )  # fmt: skip


class _Clipped:
    """Counts conversions, and those whose column is beyond the largest or below the smallest code."""

    def __init__(self, layer: CrossbarLayer) -> None:
        self.quantiser, self.skips = layer.quantiser, layer.arch.adc.skip_silent
        self.beyond, self.all = 0, 0

    def __call__(self, read: Read, columns: Array) -> None:
        """Columns [n, columns] of a read, of which silent ones may not be converted."""
        assert self.quantiser is not None
        some = columns[columns.any(axis=1)] if self.skips else columns
        scaled = some / self.quantiser.lsb
        if read.gain is not None and read.offset is not None:
            scaled = scaled * read.gain + read.offset
        codes = np.floor(scaled + 0.5)
        self.beyond += int(((codes < 0) | (codes > self.quantiser.most)).sum())
        self.all += codes.size

    @property
    def share(self) -> float | None:
        """Of the conversions; None where there are none."""
        return None if self.quantiser is None else self.beyond / self.all if self.all else 0.0


def errors_of(chip: Fabricated, found: Simulated, stated: Simulated, tally: Tally) -> tuple[LayerErrors, ...]:
    """The rows of one chip, in the order of the network."""
    rows = []
    for layer in chip.workload.network.layers:
        name = layer.name
        if name in tally.found or name in found.spikes:
            rms, bias, clipped = tally.found.get(name, (None, None, None))
            rows.append(LayerErrors(name, rms, bias, clipped, *_spikes(name, found, stated)))
    return tuple(rows)


def _spikes(name: str, found: Simulated, stated: Simulated) -> tuple[float | None, float | None, float | None]:
    if name not in found.spikes:
        return None, None, None
    ours, theirs = found.spikes[name], stated.spikes[name]
    inputs = len(ours)
    return float((ours != theirs).mean()), float(theirs.sum()) / inputs, float(ours.sum()) / inputs


def mean_of(chips: Sequence[tuple[LayerErrors, ...]]) -> tuple[LayerErrors, ...]:
    """Means over the chips of all figures."""
    found = []
    for rows in zip(*chips, strict=True):
        found.append(LayerErrors(rows[0].layer, *(_mean([getattr(row, figure) for row in rows]) for figure in FIGURES)))
    return tuple(found)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None

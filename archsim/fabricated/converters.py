"""The column converters of a chip.

A converter of ``b`` bits makes of ``y``, a column's current in level steps, the code

    q = clip(floor(y (1 + gain) / lsb + offset + 1/2), 0, 2^b - 1),    lsb = range / (2^b - 1)

and the digital side takes q * lsb for y. ``offset`` (in LSB) and ``gain`` are normal and drawn once for each physical
converter: the columns that share it (``column_mux`` neighbours of a crossbar; with ``adc.share: pe`` those of all
crossbars of the PE) share its errors. Nonlinearity, noise and hysteresis of converters are not modelled. The range is

``levels``: 2^b - 1, one code for each level step; ``full``: the largest sum that ideal cells of the rows read at once
can make; a number; or ``calibrated``: what loses least on a few inputs (:mod:`archsim.fabricated.ranges`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.crossbar.mapping import Placement
from archsim.accelerators.crossbar.schema import CrossbarArchitecture

Array = NDArray[Any]
Floats = NDArray[np.float64]
CONVERTERS = 1 << 20
"""Tells draws of converters from those of cells, which are numbered by crossbar."""


@dataclass(frozen=True)
class Mismatch:
    """Errors of each physical converter; ``gain`` and ``offset`` [X, columns] are those of each column's."""

    gain: Floats
    offset: Floats


def drawn(arch: CrossbarArchitecture, placement: Placement, number: int, columns: int) -> Mismatch | None:
    """The converters of a layer on the chip of a number; None where all are alike."""
    adc, mux = arch.adc, arch.crossbar.column_mux
    if adc.offset == 0 and adc.gain == 0:
        return None
    owner = placement.pe if adc.share == "pe" else np.arange(placement.crossbars)
    each = -(-columns // mux)
    gain, offset = np.empty((2, placement.crossbars, columns))
    for one in np.unique(owner):
        rng = np.random.default_rng([number, placement.layer.index, CONVERTERS, int(one)])
        z = np.repeat(rng.standard_normal((2, each)), mux, axis=1)[:, :columns]
        gain[owner == one], offset[owner == one] = 1 + adc.gain * z[0], adc.offset * z[1]
    return Mismatch(gain, offset)


@dataclass(frozen=True)
class Quantiser:
    """Codes of ``bits`` over 0..range (in level steps)."""

    bits: int
    range: float

    @property
    def most(self) -> int:
        """The largest code."""
        return (1 << self.bits) - 1

    @property
    def lsb(self) -> float:
        """Level steps that one code is worth."""
        return self.range / self.most

    def __call__(self, sums: Array, gain: Array | None = None, offset: Array | None = None) -> Array:
        """The codes, in place of ``sums`` [..., columns]."""
        scale = sums.dtype.type(1.0 / self.lsb)
        sums *= scale if gain is None else gain.astype(sums.dtype) * scale
        sums += sums.dtype.type(0.5) if offset is None else (offset + 0.5).astype(sums.dtype)
        np.floor(sums, out=sums)
        return np.clip(sums, 0, self.most, out=sums)

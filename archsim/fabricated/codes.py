"""Which level each cell of a crossbar is programmed to, and how the columns make weights again.

A weight ``w`` lies in ``n`` digits of ``b`` bits (bit slicing, :mod:`archsim.accelerators.crossbar.cells`). With
``q_j`` what the converters say of its columns and ``r`` what they say of the reference column (the sum of the inputs):

    sum_i x_i w_i = sign * sum_j place_j q_j + base * r

``differential`` and ``diff``: digits of max(w, 0) with place 2^(b j), of max(-w, 0) with place -2^(b j); sign 1,
base 0.
``offset``: digits of u = w + 2^(bits - 1); sign 1, base -2^(bits - 1) (ISAAC: Shafiee et al., ISCA 2016). A weight of
one bit is -1 or 1: u = (w + 1) / 2, sign 2, base -1.

With ``complement`` the digits of an output are those of 2^(b n) - 1 - u where that lowers the sum of their levels, so
that more cells conduct little (ISAAC stores inverted columns to save a converter bit; SpikeSim, arXiv:2210.12899,
encodes weights so that more cells conduct little): then base -> base + sign * (2^(b n) - 1), and sign -> -sign.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.crossbar.cells import WeightCells
from archsim.accelerators.crossbar.mapping import Placement
from archsim.errors import Problem

Array = NDArray[Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.uint8]


@dataclass(frozen=True)
class Scheme:
    """How the weights of one layer lie in cells."""

    cells: WeightCells
    cell_bits: int
    weight_bits: int

    @property
    def levels(self) -> int:
        """Levels of a cell."""
        return 1 << self.cell_bits

    @property
    def has_reference(self) -> bool:
        """Whether weights are positive digits and an offset."""
        return self.cells.reference_columns > 0

    @property
    def place(self) -> Floats:
        """What 1 of each column of an output is worth, [columns]: the positive ones, then the negative ones."""
        digits = np.ldexp(1.0, self.cell_bits * np.arange(self.cells.slices))
        return digits if self.has_reference else np.concatenate([digits, -digits])

    @property
    def sign(self) -> float:
        """What the digits are worth together."""
        return 2.0 if self.has_reference and self.weight_bits == 1 else 1.0

    @property
    def base(self) -> float:
        """What 1 of the reference column is worth."""
        if not self.has_reference:
            return 0.0
        return -1.0 if self.weight_bits == 1 else -float(1 << (self.weight_bits - 1))

    @property
    def largest(self) -> int:
        """The largest number that the digits hold."""
        return (1 << (self.cell_bits * self.cells.slices)) - 1

    @property
    def limits(self) -> tuple[int, int]:
        """The least and the largest weight that the digits hold."""
        if not self.has_reference:
            return -self.largest, self.largest
        return int(self.base), int(self.sign * self.largest + self.base)

    def digits(self, weights: Array) -> Ints:
        """Levels [..., columns of one output] of whole weights."""
        whole = weights.astype(np.int64)
        if self.has_reference:
            return self._split(np.rint((whole - self.base) / self.sign).astype(np.int64))
        return np.concatenate([self._split(np.maximum(whole, 0)), self._split(np.maximum(-whole, 0))], axis=-1)

    def _split(self, numbers: Ints) -> Ints:
        shifts = self.cell_bits * np.arange(self.cells.slices)
        return numbers[..., None] >> shifts & (self.levels - 1)


def scheme_of(placement: Placement) -> Scheme:
    """The scheme of a placed layer."""
    return Scheme(placement.cells, placement.hierarchy.cell_bits, placement.layer.weight_bits)


def range_problems(scheme: Scheme, weights: Array, name: str) -> list[Problem]:
    """Weights that no digits hold: one bit more than the magnitudes have, or a 0 where a bit is a sign."""
    low, high = scheme.limits
    if weights.min() < low or weights.max() > high:
        worst = weights.min() if weights.min() < low else weights.max()
        text = f"layer '{name}' has a weight that its {scheme.cells.slices} cells do not hold"
        return [Problem(text, key="crossbar.signed", value=int(worst), allowed=f"{low}..{high}; offset holds one more")]
    if scheme.has_reference and scheme.weight_bits == 1 and (weights == 0).any():
        text = f"layer '{name}' has weights of one bit that are 0; with an offset a bit is -1 or 1"
        return [Problem(text, key="crossbar.signed", value="offset", allowed="differential, diff, or more weight bits")]
    return []


class Block(NamedTuple):
    """The weights of one crossbar: those from the inputs ``reduction`` to the filters ``outputs`` of ``group``."""

    crossbar: int
    group: int
    outputs: slice
    reduction: Ints
    sign: int


def blocks(placement: Placement) -> Iterator[Block]:
    """The crossbars of a placement in its order."""
    for x in range(placement.crossbars):
        start, first = int(placement.output[x]), int(placement.first[x])
        reduction = first + placement.step * np.arange(int(placement.rows[x]))
        outputs = slice(start, start + int(placement.outputs[x]))
        yield Block(x, int(placement.group[x]), outputs, reduction, int(placement.sign[x]))


def columns_here(scheme: Scheme, sign: int) -> slice:
    """Which columns of an output lie in a crossbar: all, or those of one sign."""
    slices = scheme.cells.slices
    return slice(None) if sign == 0 else slice(0, slices) if sign > 0 else slice(slices, None)


def inverted(scheme: Scheme, weights: Array) -> NDArray[np.bool_]:
    """Which outputs' digits have a complement of lower levels, [groups, outputs]; none without an offset."""
    if not scheme.has_reference:
        return np.zeros(weights.shape[:2], np.bool_)
    digits = scheme.digits(weights)
    most = (scheme.levels - 1) * digits[0, 0].size
    return np.asarray(2 * digits.sum(axis=(2, 3)) > most)


def levels_of(placement: Placement, weights: Array, shape: tuple[int, int], flipped: NDArray[np.bool_]) -> Codes:
    """Levels [X, rows, columns] of all crossbars for whole ``weights`` [groups, outputs, reduction]."""
    scheme = scheme_of(placement)
    levels = np.zeros((placement.crossbars, *shape), np.uint8)
    for block in blocks(placement):
        digits = scheme.digits(weights[block.group, block.outputs][:, block.reduction].T)
        digits = digits[..., columns_here(scheme, block.sign)]
        digits = np.where(flipped[block.group, block.outputs, None], scheme.levels - 1 - digits, digits)
        rows, outputs, columns = digits.shape
        into = levels[block.crossbar, shape[0] - rows :]
        into[:, : outputs * columns] = digits.reshape(rows, -1)
        into[:, outputs * columns : outputs * columns + scheme.cells.reference_columns] = 1
    return levels

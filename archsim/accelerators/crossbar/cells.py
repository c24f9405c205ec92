"""How one weight lies in cells: slices of its bits, and what carries its sign.

A weight of ``w`` bits is cut into slices of ``b`` bits, one cell each (bit slicing). Its sign is carried by

* ``differential``: a positive and a negative column side by side; magnitudes of w - 1 bits, both columns are converted;
* ``diff``: the same in two crossbars, whose results a subtractor (SpikeSim's DIFF module) takes from each other;
* ``offset``: the weight plus 2**(w-1), w bits; one column of each crossbar holds ones, and its result (the sum of the
  inputs) times 2**(w-1) is subtracted (ISAAC, Shafiee et al., ISCA 2016).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Signed = Literal["differential", "diff", "offset"]


class WeightCells(NamedTuple):
    """Cells of one weight, and of the rows that its crossbars have."""

    slices: int  # cells in a row for each of the planes
    planes: int  # columns side by side for positive and negative parts
    crossbars: int  # crossbars that the same block of weights takes (2: positive and negative ones apart)
    reference_columns: int  # of each crossbar, beside those of the weights

    @property
    def columns(self) -> int:
        """Physical columns of one crossbar that one output takes."""
        return self.slices * self.planes

    @property
    def cells(self) -> int:
        """Cells that hold one weight, reference columns apart."""
        return self.columns * self.crossbars


def weight_cells(weight_bits: int, cell_bits: int, signed: Signed) -> WeightCells:
    """Cells of a weight: ``ceil((w - 1) / b)`` slices of its magnitude, or ``ceil(w / b)`` with an offset.

    A one-bit weight is a sign: one slice.
    """
    if signed == "offset":
        return WeightCells(-(-weight_bits // cell_bits), 1, 1, 1)
    slices = max(1, -(-(weight_bits - 1) // cell_bits))
    return WeightCells(slices, 2, 1, 0) if signed == "differential" else WeightCells(slices, 1, 2, 0)

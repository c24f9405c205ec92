"""Weights that make up for the wires: what is written is what gives the wanted current behind the wires.

A cell passes on the share ``a = G_eff / G`` of its ideal current, known from the design (wires and conductances without
their errors). To get ``s w`` from the digits of an output, the number that they hold is

    w' = (s w + b (a_r - a)) / a,    b = -base,

where a is the mean share of the output's cells in that row, a_r that of the reference column, and s the largest scale
with which all but a thousandth of the weights fit their digits; the digital side divides by s. The shares depend on
what is written, so it is repeated (M. Hu et al., "Dot-product engine for neuromorphic computing", DAC 2016, convert a
matrix to conductances behind wires in the same spirit).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.fabricated.cells import Cells, Programmer
from archsim.fabricated.codes import blocks, columns_here, levels_of

Array = NDArray[Any]
Floats = NDArray[np.float64]
ROUNDS = 3
CLIPPED = 1e-3


def compensated(programmer: Programmer, weights: Array) -> tuple[Array, float]:
    """Whole weights [groups, outputs, reduction] to be written instead, and the scale s."""
    if not programmer.arch.crossbar.wires.any:
        return weights, 1.0
    scheme, plain = programmer.scheme, np.zeros(weights.shape[:2], np.bool_)
    low, high = scheme.limits
    written, scale = weights, 1.0
    for _ in range(ROUNDS):
        cells = programmer.nominal(levels_of(programmer.placement, written, programmer.shape, plain))
        share, of_reference = _shares(cells, weights.shape)
        wanted = np.abs(weights) / share
        most = float(np.quantile(wanted, 1 - CLIPPED))
        scale = min(1.0, high / most) if most > 0 else 1.0
        exact = (scale * weights - scheme.base * (of_reference - share)) / share
        written = np.clip(np.rint(exact), low, high)
    return written, scale


def _shares(cells: Cells, shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """The mean share of each weight's cells, and that of its reference cell, [groups, outputs, reduction]."""
    share, of_reference = np.ones(shape), np.ones(shape)
    parts = np.zeros(shape)
    for block in blocks(cells.placement):
        x, rows = block.crossbar, cells.rows(block.crossbar)
        passed = cells.effective_s[x, rows] / cells.conductance_s[x, rows]
        filters = np.arange(block.outputs.start, block.outputs.stop)
        here = np.ix_(np.array([block.group]), filters, block.reduction)
        outputs = len(filters)
        columns = len(range(len(cells.scheme.place))[columns_here(cells.scheme, block.sign)])
        mean = passed[:, : outputs * columns].reshape(len(passed), outputs, columns).mean(axis=2)
        share[here] = (share[here] * parts[here] + mean.T) / (parts[here] + 1)
        parts[here] += 1
        if cells.scheme.has_reference:
            of_reference[here] = passed[:, outputs * columns][None, None]
    return share, of_reference

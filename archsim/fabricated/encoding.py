"""Weights that make up for the wires: what is written is what gives the wanted current behind the wires.

A cell passes on the share ``a = G_eff / G`` of its ideal current, known from the design (wires and conductances without
their errors). With ``h = G_0 / dG``, digits ``d_j`` of an output and the place ``p_j`` of each, a row counts for

    e(d) = sum_j p_j (a_j (d_j + h) - a_dummy h) + base (a_r (1 + h) - a_dummy h)

(without dummy and reference with ``differential`` and ``diff``). Of all numbers that the digits hold the one is written
whose e is nearest to ``s w``; s is the largest scale up to 1 with which all but a thousandth of the weights can be
reached, and the digital side divides by it. The shares depend on what is written, so it is repeated. M. Hu et al.
("Dot-product engine for neuromorphic computing", DAC 2016) convert a matrix to conductances behind wires in this
spirit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from archsim.fabricated.cells import Cells, Programmer
from archsim.fabricated.codes import Block, blocks, columns_here, levels_of

Array = NDArray[Any]
Floats = NDArray[np.float64]
ROUNDS = 3
UNREACHED = 1e-3


class _Rows(NamedTuple):
    """The same weights in one crossbar or two: where they stand among the layer's, and what each number counts for.

    ``constant`` [rows, outputs], ``factor`` [rows, outputs, columns of an output]: e = constant + digits . factor.
    """

    weights: tuple[Array, ...]
    constant: Floats
    factor: Floats


def compensated(programmer: Programmer, weights: Array) -> tuple[Array, float]:
    """Whole weights [groups, outputs, reduction] to be written instead, and the scale s."""
    if not programmer.arch.crossbar.wires.any:
        return weights, 1.0
    scheme, plain = programmer.scheme, np.zeros(weights.shape[:2], np.bool_)
    low, high = scheme.limits
    numbers = np.arange(low, high + 1, int(scheme.sign))
    digits = scheme.digits(numbers).astype(np.float64)
    written, scale = weights, 1.0
    for _ in range(ROUNDS):
        cells = programmer.nominal(levels_of(programmer.placement, written, programmer.shape, plain))
        every = list(_rows(cells, float(programmer.states_s[0]) / programmer.step_s))
        scale = _scale(every, weights, digits[[0, -1]])
        written = np.empty_like(weights)
        for rows in every:
            wanted = scale * weights[rows.weights]
            written[rows.weights] = numbers[_nearest(rows, digits, wanted)]
    return written, scale


def _nearest(rows: _Rows, digits: Floats, wanted: Floats) -> Array:
    """Of which number the count is nearest to the wanted one, [outputs, rows]."""
    found = np.empty(wanted.shape, np.int64)
    for row in range(len(rows.constant)):
        counts = rows.factor[row] @ digits.T + rows.constant[row][:, None]
        found[:, row] = np.abs(counts - wanted[:, row, None]).argmin(axis=1)
    return found


def _scale(every: list[_Rows], weights: Array, ends: Floats) -> float:
    """The scale with which nearly all weights are between the counts of the least and the largest number."""
    ratios = []
    for rows in every:
        wanted = weights[rows.weights].T
        least, most = np.moveaxis(rows.factor @ ends.T + rows.constant[..., None], -1, 0)
        limit = np.where(wanted > 0, most, least)
        ratios.append((limit[wanted != 0] / wanted[wanted != 0]).ravel())
    found = np.concatenate(ratios)
    return min(1.0, float(np.quantile(found, UNREACHED))) if len(found) else 1.0


def _rows(cells: Cells, offset: float) -> Iterator[_Rows]:
    """The rows of every block of weights, once for all replicas."""
    together: dict[tuple[int, int, int], list[Block]] = {}
    for block in blocks(cells.placement):
        if cells.placement.replica[block.crossbar] == 0:
            key = block.group, block.outputs.start, int(block.reduction[0])
            together.setdefault(key, []).append(block)
    scheme = cells.scheme
    for same in together.values():
        filters = np.arange(same[0].outputs.start, same[0].outputs.stop)
        factor = np.empty((len(same[0].reduction), len(filters), len(scheme.place)))
        constant = np.zeros(factor.shape[:2])
        for block in same:
            rows, here = cells.rows(block.crossbar), columns_here(scheme, block.sign)
            share = cells.effective_s[block.crossbar, rows] / cells.conductance_s[block.crossbar, rows]
            place = scheme.sign * scheme.place[here]
            of_digits = share[:, : len(filters) * len(place)].reshape(len(share), len(filters), len(place))
            factor[..., here] = of_digits * place
            constant += (factor[..., here] * offset).sum(axis=-1)
            if cells.dummy is not None:
                at_rest = share[:, cells.dummy] * offset
                reference = share[:, len(filters) * len(place)] * (1 + offset) - at_rest
                constant += (scheme.base * reference - place.sum() * at_rest)[:, None]
        where = np.full((1, 1), same[0].group), filters[:, None], same[0].reduction[None, :]
        yield _Rows(where, constant, factor)

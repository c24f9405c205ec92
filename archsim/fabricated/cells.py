"""The cells of one layer's crossbars on one chip: conductances as they were made, and what its columns answer.

The answer of a column to a row is its current over the read voltage, in steps between two levels:

    response[i, j] = (G_eff[i, j] - G_eff[i, dummy]) / dG,    dG = (G_top - G_0) / (levels - 1)

so that ideal cells answer with their level. ``G_eff`` is exact for driven rows (:mod:`archsim.analog.circuit`). The
dummy, a column of cells at the lowest level that the converters measure against (NeuroSim V2.1 has one), is there with
``signed: offset`` only; with ``differential`` and ``diff`` the offset G_0 / dG of both columns cancels behind the
converters. Unused cells are at the lowest level. A block lies in the rows nearest the converters and in the columns
nearest the drivers; the dummy is the last column of a crossbar, or one behind it where all are used.

What is drawn (variation, stuck cells, drift) depends on the chip's number, the layer and the crossbar only: a cell that
is programmed again keeps its deviation.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.crossbar.mapping import Placement
from archsim.accelerators.crossbar.schema import CrossbarArchitecture
from archsim.analog import effective_conductance
from archsim.fabricated.codes import Codes, Scheme, scheme_of
from archsim.snn.execute import products_on_one_thread

Array = NDArray[Any]
Floats = NDArray[np.float64]
AT_ONCE = 8
"""Crossbars whose networks are solved together."""
US_PER_S = 1e6
LEAST_S = 1e-15
"""Of a cell whose conductance a normal draw would make zero or negative."""


@dataclass(frozen=True)
class Cells:
    """The crossbars of one layer on one chip, in the order of its placement; all conductances in siemens.

    ``conductance_s``, ``effective_s`` [X, R, C]; ``sigma_s`` [X, R, C] of one read, as it reaches the column, or None.
    """

    placement: Placement
    scheme: Scheme
    conductance_s: Floats
    effective_s: Floats
    sigma_s: Floats | None
    step_s: float

    def rows(self, crossbar: int) -> slice:
        """Rows of a crossbar that hold weights: those nearest the converters."""
        rows = self.conductance_s.shape[1]
        return slice(rows - int(self.placement.rows[crossbar]), rows)

    def columns(self, crossbar: int) -> slice:
        """Columns of a crossbar that are converted: those of weights, then the reference."""
        cells = self.scheme.cells
        return slice(0, int(self.placement.outputs[crossbar]) * cells.columns + cells.reference_columns)

    @property
    def dummy(self) -> int | None:
        """The column that the converters measure against."""
        return self.conductance_s.shape[2] - 1 if self.scheme.has_reference else None

    def response(self, crossbar: int) -> Floats:
        """What the used columns answer to 1 in each used row, in level steps, [rows, columns]."""
        return self.relative(self.effective_s[crossbar, self.rows(crossbar)], crossbar)

    def relative(self, found: Floats, crossbar: int) -> Floats:
        """Conductances or currents [..., C] of a crossbar's columns over the dummy's, in units of a level step."""
        used = found[..., self.columns(crossbar)]
        return np.asarray((used if self.dummy is None else used - found[..., [self.dummy]]) / self.step_s)

    def noise(self, crossbar: int) -> Floats | None:
        """Variance of one read of the used cells as their columns show it, in square level steps, [rows, columns]."""
        if self.sigma_s is None:
            return None
        variance = (self.sigma_s[crossbar, self.rows(crossbar)] / self.step_s) ** 2
        used = variance[:, self.columns(crossbar)]
        return np.asarray(used if self.dummy is None else used + variance[:, [self.dummy]])


class Programmer:
    """Makes the cells of a placed layer on the chip of a number."""

    def __init__(self, arch: CrossbarArchitecture, placement: Placement, number: int) -> None:
        self.arch, self.placement, self.number = arch, placement, number
        self.scheme = scheme_of(placement)
        self.device = arch.crossbar.imperfect_cell
        self.age_s = arch.crossbar.age_s
        self.states_s = np.array(arch.crossbar.states_us) / US_PER_S
        self.step_s = float(self.states_s[-1] - self.states_s[0]) / (len(self.states_s) - 1)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of a crossbar, a dummy behind the last one included."""
        crossbar, cells = self.arch.crossbar, self.scheme.cells
        if not self.scheme.has_reference:
            return crossbar.rows, crossbar.cols
        used = int(self.placement.outputs.max()) * cells.columns + cells.reference_columns
        return crossbar.rows, max(crossbar.cols, used + 1)

    def program(self, levels: Codes, before: Cells | None = None) -> Cells:
        """Cells that were told to take ``levels`` [X, R, C], at the age that the chip states.

        ``before``: cells at other levels whose wires are taken to pass on the same share of every current, so that no
        network is solved.
        """
        made_s = np.stack([self._made(x, one) for x, one in enumerate(self.states_s[levels])])
        passed_on = None if before is None else before.effective_s / before.conductance_s
        effective_s = self.solved(made_s) if passed_on is None else made_s * passed_on
        sigma_s = None
        if self.device.read_noise is not None:
            sigma_s = self.device.read_sigma_s(made_s, self.age_s) * (effective_s / made_s)
        return Cells(self.placement, self.scheme, made_s, effective_s, sigma_s, self.step_s)

    def nominal(self, levels: Codes) -> Cells:
        """The cells as they are designed: exact conductances, with the wires of the chip."""
        exact_s = self.states_s[levels]
        return Cells(self.placement, self.scheme, exact_s, self.solved(exact_s), None, self.step_s)

    def solved(self, conductance_s: Floats) -> Floats:
        """What each column passes on of each row, through the wires."""
        wires, found = self.arch.crossbar.wires, np.empty_like(conductance_s)
        if not wires.any:
            return conductance_s

        def solve(chosen: slice) -> None:
            found[chosen] = effective_conductance(
                conductance_s[chosen], wires.wordline, wires.bitline, wires.driver, wires.sense
            )

        with products_on_one_thread(), ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(solve, _slices(len(conductance_s))))
        return found

    def _made(self, crossbar: int, target_s: Floats) -> Floats:
        """One crossbar's conductances after programming and its age."""
        rng = np.random.default_rng([self.number, self.placement.layer.index, crossbar])
        made_s = self.device.programmed(target_s, rng)
        if self.device.drift is not None:
            made_s = self.device.drifted(made_s, self.age_s, self.device.drift_exponents(target_s, rng))
        return np.maximum(made_s, LEAST_S)


def _slices(count: int) -> Iterator[slice]:
    return (slice(first, first + AT_ONCE) for first in range(0, count, AT_ONCE))

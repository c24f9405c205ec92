"""Crossbars whose rows are all driven: one effective conductance each, by block elimination over the rows.

Cells of a row i lie between its word line and the bit lines, whose potentials at that row are u (volt, one per column).
The word line is a chain from the driver: a current that leaves it at column k drops the potential at column j by
Z_jk = r_driver + (min(j, k) + 1) r_wordline. So the currents of the row into the bit lines are

    i = Y_i (V_i - u),    Y_i = (1 + diag(G_i) Z)^-1 diag(G_i),

exactly, also for Z = 0. What lies above a row is then one admittance matrix A with the short-circuit currents J per
volt of each row above: a row adds (A + Y_i, [J, Y_i 1]); the bit lines' segment below it, r ohm in series with each
column, makes them (1 + r A)^-1 [A, J]. After the last segment, which ends in virtual ground, J is the answer.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from archsim.analog.wires import Floats, Wires, conductances
from archsim.errors import ConfigError

BLOCK = 1 << 14  # entries of the matrices that are eliminated together: they stay in a cache


def effective_conductance(
    conductance_s: npt.ArrayLike,
    r_wordline_ohm: float,
    r_bitline_ohm: float,
    r_driver_ohm: float = 0.0,
    r_sense_ohm: float = 0.0,
) -> Floats:
    """The conductance in siemens, [..., R, C], with which each driven row acts on each bit line: I = V @ G_eff.

    The circuit is that of :func:`archsim.crossbar_currents` with silent rows grounded, solved exactly (float64)
    and once for all inputs. ``conductance_s``: [..., R, C] siemens, each above 0; leading axes are crossbars of their
    own. Without any resistance they are returned as they are. ConfigError lists everything that is wrong.
    """
    wires = Wires(r_wordline_ohm, r_bitline_ohm, r_driver_ohm, r_sense_ohm)
    cells_s, problems = conductances(conductance_s, ("...", "rows", "columns"))
    problems += wires.problems()
    if problems:
        raise ConfigError(problems)
    if not any(wires):
        return cells_s
    crossbars = cells_s.reshape(-1, *cells_s.shape[-2:])
    found = np.empty_like(crossbars)
    at_once = max(1, BLOCK // max(1, cells_s.shape[-1] ** 2))
    for start in range(0, len(crossbars), at_once):
        found[start : start + at_once] = eliminated(crossbars[start : start + at_once], wires)
    return found.reshape(cells_s.shape)


def eliminated(cells_s: Floats, wires: Wires) -> Floats:
    """The effective conductances [B, R, C] of B crossbars [B, R, C], all in siemens; here cells may conduct nothing."""
    crossbars, rows, columns = cells_s.shape
    number, one = np.arange(columns), np.eye(columns)
    chain_ohm = wires.driver + wires.wordline * (1 + np.minimum.outer(number, number))
    above_s = np.zeros((crossbars, columns, columns))
    short_s = np.empty((crossbars, columns, rows))
    for row in range(rows):
        of_row_s = cells_s[:, row, :, None] * one
        if wires.wordline or wires.driver:
            of_row_s = np.asarray(np.linalg.solve(one + cells_s[:, row, :, None] * chain_ohm, of_row_s))
        above_s = above_s + of_row_s
        short_s[:, :, row] = of_row_s.sum(axis=2)
        series_ohm = wires.bitline + (wires.sense if row == rows - 1 else 0.0)
        if series_ohm:
            both_s = np.concatenate([above_s, short_s[:, :, : row + 1]], axis=2)
            both_s = np.asarray(np.linalg.solve(one + series_ohm * above_s, both_s), dtype=np.float64)
            above_s, short_s[:, :, : row + 1] = both_s[:, :, :columns], both_s[:, :, columns:]
    return short_s.transpose(0, 2, 1)

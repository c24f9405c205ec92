"""The currents of a resistive crossbar with wire resistance.

Cell (i, j) joins node (i, j) of word line i with node (i, j) of bit line j; its current is linear in the voltage
across it, G_ij (w_ij - b_ij). With the conductances g_w and g_b of a segment, Kirchhoff's law at every node says

    g_w (w_i,j-1 - w_ij) + g_w (w_i,j+1 - w_ij) = G_ij (w_ij - b_ij)
    g_b (b_i-1,j - b_ij) + g_b (b_i+1,j - b_ij) = G_ij (b_ij - w_ij)

One segment lies before the first column, where the driver holds V_i, and one after the last row, where the bit line
ends in virtual ground; r_driver and r_sense are in series with these two. Column 0 is nearest the driver, row 0
farthest from the sense end. The currents into virtual ground are the answer. This is the modified nodal analysis of
badcrossbar (D. Joksas, A. Mehonic, SoftwareX 12, 2020) and A. Chen (IEEE Trans. Electron Devices 60(4), 2013), and is
solved without its 2 * rows * columns unknowns: archsim.analog.driven, archsim.analog.gated.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from archsim.analog.driven import effective_conductance
from archsim.analog.gated import TOLERANCE, gated_currents, relaxed
from archsim.analog.wires import Floats, Wires, conductances, misshapen, no_tolerance, voltages
from archsim.errors import ConfigError, Problem, nearest

__all__ = ["SilentRows", "crossbar_currents", "effective_conductance", "gated_currents"]

SilentRows = Literal["grounded", "gated"]


def crossbar_currents(
    conductance_s: npt.ArrayLike,
    voltage_v: npt.ArrayLike,
    r_wordline_ohm: float,
    r_bitline_ohm: float,
    silent_rows: SilentRows = "grounded",
    *,
    r_driver_ohm: float = 0.0,
    r_sense_ohm: float = 0.0,
    tolerance: float = TOLERANCE,
) -> Floats:
    """The currents in ampere, (..., columns), out of the bit lines of one crossbar.

    ``conductance_s``: (rows, columns) siemens, each above 0. ``voltage_v``: (..., rows) volt. Resistances in ohm, of
    one segment between two cells and in series with the ends. ``silent_rows``: a row at exactly 0 V is ``grounded``
    like any driven one (the circuit is linear: I = V @ effective_conductance(...), exact), or ``gated``: its cells are
    disconnected (solved for every input to ``tolerance``, relative to the column's current without wire resistance).
    Cells conduct linearly, and nothing has a capacitance. ConfigError lists everything that is wrong.
    """
    wires = Wires(r_wordline_ohm, r_bitline_ohm, r_driver_ohm, r_sense_ohm)
    cells_s, problems = conductances(conductance_s, ("rows", "columns"))
    driven_v, wrong = voltages(voltage_v, ("...", "rows"))
    problems += wrong + wires.problems() + no_tolerance(tolerance)
    if cells_s.size and driven_v.ndim and driven_v.size and driven_v.shape[-1] != len(cells_s):
        problems.append(misshapen("voltage_v", driven_v, cells_s))
    known = get_args(SilentRows)
    if silent_rows not in known:
        text, near = "unknown treatment", nearest(str(silent_rows), known)
        allowed = " or ".join(known)
        problems.append(Problem(text, key="silent_rows", value=silent_rows, allowed=allowed, nearest=near))
    if problems:
        raise ConfigError(problems)
    if silent_rows == "grounded":
        return np.asarray(driven_v @ effective_conductance(cells_s, *wires))
    inputs_v = driven_v.reshape(-1, len(cells_s))
    currents_a = relaxed(cells_s, inputs_v != 0, inputs_v, wires, tolerance)
    return currents_a.reshape(*driven_v.shape[:-1], cells_s.shape[1])

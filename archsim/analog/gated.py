"""Crossbars whose silent rows are gated off: relaxation line by line, all inputs at once.

The cells of a silent row carry no current, so the network depends on which rows are active and is solved anew for
every input: from bit lines at ground, the word lines are solved exactly with the bit lines' potentials as they are,
then the bit lines with those of the word lines, and so on. One line is a ladder: from its far end, what lies beyond a
node is one admittance a with a short-circuit current q; a cell of G siemens towards the potential u adds (G, G u),
and r ohm in series divide both by 1 + r a. Back from the near end at potential e, a node is at (e + r q) / (1 + r a).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from archsim.analog.driven import eliminated
from archsim.analog.wires import Bools, Floats, Wires, conductances, no_tolerance, truths, voltages
from archsim.errors import ConfigError, Problem

TOLERANCE = 1e-12
MOST_SWEEPS = 100
SLOWEST = 0.99  # the largest factor from one change to the next that an error is estimated with
BLOCK = 1 << 18  # cells of active rows that are relaxed together: they stay in a cache
Indices = npt.NDArray[np.intp]


def gated_currents(
    conductance_s: npt.ArrayLike,
    active: npt.ArrayLike,
    voltage_v: npt.ArrayLike,
    r_wordline_ohm: float,
    r_bitline_ohm: float,
    r_driver_ohm: float = 0.0,
    r_sense_ohm: float = 0.0,
    tolerance: float = TOLERANCE,
) -> Floats:
    """The currents in ampere, (inputs, columns), of one crossbar whose silent rows are disconnected.

    The circuit is that of :func:`archsim.crossbar_currents`. ``conductance_s``: (rows, columns) siemens, each
    above 0; ``active``: (inputs, rows) truth values; ``voltage_v``: what active rows are driven with, one number or
    anything that broadcasts to ``active``. The sweeps end when the error, estimated from the last two changes of an
    input's currents, is at most ``tolerance`` of each column's current; an input that needs
    more than 100 sweeps is solved by elimination instead. ConfigError lists everything that is wrong.
    """
    wires = Wires(r_wordline_ohm, r_bitline_ohm, r_driver_ohm, r_sense_ohm)
    cells_s, problems = conductances(conductance_s, ("rows", "columns"))
    driven_v, wrong = voltages(voltage_v, ("...",))
    problems += wrong + wires.problems() + no_tolerance(tolerance)
    rows_on, wrong = truths(active, "active", cells_s)
    problems += wrong
    if not problems and not _fits(driven_v, rows_on):
        text = "does not broadcast to the shape of `active`"
        problems.append(Problem(text, key="voltage_v", value=driven_v.shape, allowed=f"() or {rows_on.shape}"))
    if problems:
        raise ConfigError(problems)
    return relaxed(cells_s, rows_on, np.broadcast_to(driven_v, rows_on.shape), wires, tolerance)


def _fits(array: Floats, onto: Bools) -> bool:
    """Whether an array broadcasts to the shape of another one."""
    try:
        return np.broadcast_shapes(array.shape, onto.shape) == onto.shape
    except ValueError:
        return False


def relaxed(cells_s: Floats, active: Bools, voltage_v: Floats, wires: Wires, tolerance: float) -> Floats:
    """The currents in ampere, (inputs, columns), of rows that are ``active`` (inputs, rows) at ``voltage_v``.

    Columns are turned round, so that both kinds of line begin at their far end.
    """
    rows, columns = cells_s.shape
    turned_s = np.ascontiguousarray(cells_s[:, ::-1])
    word_ohm = np.full(columns, wires.wordline)
    word_ohm[-1] += wires.driver
    word_keep = _keep(turned_s.T, word_ohm).T
    currents_a = np.zeros((len(active), columns))
    for inputs, order in _batches(active, columns):
        on = np.take_along_axis(active[inputs], order, axis=1)
        below = np.append(order[:, 1:], np.full((len(order), 1), rows), axis=1)
        bit_ohm = np.where(on, below - order, 0.0) * wires.bitline
        bit_ohm[:, -1] += wires.sense
        batch = _Batch(
            cells_s=_inputs_last(turned_s[order] * on[:, :, None]),
            word_keep=_inputs_last(word_keep[order]),
            word_ohm=word_ohm,
            bit_ohm=np.ascontiguousarray(bit_ohm.T),
            volts=np.ascontiguousarray(np.take_along_axis(voltage_v[inputs], order, axis=1).T),
        )
        found_a, settled = _relax(batch, tolerance)
        currents_a[inputs] = found_a.T[:, ::-1]
        for one in inputs[~settled]:
            effective_s = eliminated((cells_s * active[one, :, None])[None], wires)[0]
            currents_a[one] = voltage_v[one] @ effective_s
    return currents_a


class _Batch(NamedTuple):
    """Inputs with about as many active rows each: those rows alone, (rows, columns, inputs)."""

    cells_s: Floats
    word_keep: Floats
    word_ohm: Floats  # (columns,)
    bit_ohm: Floats  # (rows, inputs): down to the next active row
    volts: Floats  # (rows, inputs)


def _batches(active: Bools, columns: int) -> Iterator[tuple[Indices, Indices]]:
    """Inputs with the most active rows first, and their active rows (inputs, rows) in order.

    An input with fewer active rows than the first of its batch has silent ones before them. Inputs without any are left
    out.
    """
    counts = active.sum(axis=1)
    inputs = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
    start = 0
    while start < len(inputs):
        most = int(counts[inputs[start]])
        batch = inputs[start : start + max(1, BLOCK // (most * columns))]
        yield batch, np.argsort(active[batch], axis=1, kind="stable")[:, -most:]
        start += len(batch)


def _inputs_last(array: Floats) -> Floats:
    """(inputs, rows, columns) as (rows, columns, inputs)."""
    return np.ascontiguousarray(array.transpose(1, 2, 0))


def _relax(batch: _Batch, tolerance: float) -> tuple[Floats, Bools]:
    """The currents (columns, inputs) and for which inputs they have settled within the tolerance."""
    bit_keep = _keep(batch.cells_s, batch.bit_ohm)
    shape = batch.cells_s.shape[1:]
    current_a, change = np.zeros(shape), np.ones(shape[1])
    tiny = np.finfo(np.float64).tiny
    potential_v = np.zeros_like(batch.cells_s)
    for _ in range(MOST_SWEEPS):
        potential_v *= batch.cells_s
        _solve(potential_v.swapaxes(0, 1), batch.word_keep.swapaxes(0, 1), batch.word_ohm, batch.volts)
        potential_v *= batch.cells_s
        before_a, before = current_a, change
        current_a = _solve(potential_v, bit_keep, batch.bit_ohm, 0.0)
        change = np.max(np.abs(current_a - before_a) / np.maximum(np.abs(current_a), tiny), axis=0)
        factor = np.minimum(change / np.maximum(before, tiny), SLOWEST)
        settled = np.asarray(change * factor / (1 - factor) <= tolerance)
        if settled.all():
            break
    return current_a, settled


def _keep(shunt_s: Floats, series_ohm: Floats) -> Floats:
    """1 / (1 + r a) at each node of ladders along the first axis, far end first."""
    keep = np.empty_like(shunt_s)
    beyond_s: Floats | float = 0.0
    for node, shunt in enumerate(shunt_s):
        beyond_s = shunt + beyond_s
        keep[node] = 1 / (1 + series_ohm[node] * beyond_s)
        beyond_s = beyond_s * keep[node]
    return keep


def _solve(source_a: Floats, keep: Floats, series_ohm: Floats, end_v: Floats | float) -> Floats:
    """Turns the sources into potentials, in place; the current that a grounded near end would take, in ampere."""
    for node in range(1, len(source_a)):
        source_a[node] += keep[node - 1] * source_a[node - 1]
    current_a = keep[-1] * source_a[-1]
    near_v = end_v
    for node in range(len(source_a) - 1, -1, -1):
        source_a[node] *= series_ohm[node]
        source_a[node] += near_v
        source_a[node] *= keep[node]
        near_v = source_a[node]
    return np.asarray(current_a)

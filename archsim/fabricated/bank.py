"""The crossbars of one replica and group of a layer, ready to read vectors of its inputs.

With the bit planes ``x_p`` of a vector, and for each read ``k`` (rows of a crossbar, or of a PE) the columns

    y_k = x_p response_k + sqrt(x_p noise_k) z,    z standard normal, drawn anew in every read,

what the digital side has is ``sum_p 2^p combine(lsb * sum_k q(y_k))``. Read noise is independent from cell to cell, so
that of a column is exactly normal with the sum of their variances (columns beside a dummy are taken to be read one
after the other, each with noise of the dummy of its own); through wires each cell's is taken to be passed on like its
current. With ``silent_rows: gated`` the columns are those of the network of the active rows alone. A read
without an active row gives exactly 0 where silence is skipped.

Responses and variances are rounded to grids on which every sum of them is exact, and columns of gated rows to
10^-DIGITS of a level step, so that no order of additions changes a code.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.crossbar.schema import CrossbarArchitecture
from archsim.analog import gated_currents
from archsim.fabricated.cells import Cells
from archsim.fabricated.converters import Quantiser
from archsim.fabricated.reading import Read, Reads

Array = NDArray[Any]
Floats = NDArray[np.float64]
Watcher = Callable[[Read, Array], None]
DIGITS = 6
SIGNIFICAND_BITS = {np.dtype(np.float32): 24, np.dtype(np.float64): 53}


@dataclass(frozen=True)
class Prepared:
    """A read with its responses on their grid."""

    read: Read
    inputs: slice | NDArray[np.int64]
    response: Array
    noise: Array | None


class Bank:
    """One replica and group: vectors [n, reduction] of whole numbers become sums [n, outputs]."""

    def __init__(self, arch: CrossbarArchitecture, cells: Cells, reads: Reads, in_bits: int, reduction: int) -> None:
        self.arch, self.cells, self.reads, self.in_bits = arch, cells, reads, in_bits
        self.gated = arch.crossbar.silent_rows == "gated" and arch.crossbar.wires.any
        self.matrix: Floats | None = None
        if arch.adc.ideal and not self.gated and cells.sigma_s is None:
            self.matrix = _on_grid(reads.effective(reduction), np.dtype(np.float64), 1 << in_bits)
        self.dtype = np.dtype(np.float64 if arch.adc.ideal else np.float32)
        self.prepared = [self._prepare(read) for read in reads.reads]

    def __call__(
        self, vectors: Array, quantiser: Quantiser | None, rng: np.random.Generator | None, watch: Watcher | None = None
    ) -> Floats:
        """The sums; ``quantiser`` None: conversions are exact. ``watch`` sees the columns of every read."""
        if self.matrix is not None:
            return np.asarray(vectors.astype(np.float64) @ self.matrix)
        found = np.zeros((len(vectors), self.reads.outputs))
        for plane in range(self.in_bits):
            bits = (vectors >> plane & 1).astype(np.uint8) if self.in_bits > 1 else vectors
            busy = np.flatnonzero(bits.any(axis=1)) if self.arch.adc.skip_silent else np.arange(len(bits))
            if len(busy):
                found[busy] += math.ldexp(1.0, plane) * self._plane(bits[busy], quantiser, rng, watch)
        return found

    def _plane(
        self, bits: Array, quantiser: Quantiser | None, rng: np.random.Generator | None, watch: Watcher | None
    ) -> Floats:
        active = bits.astype(self.dtype)
        total: Array | None = None
        for one in self.prepared:
            rows = active[:, one.inputs]
            columns = self._columns(one, rows, bits)
            if one.noise is not None and rng is not None:
                columns += np.sqrt(rows @ one.noise) * rng.standard_normal(columns.shape, np.float32)
            if watch is not None:
                watch(one.read, columns)
            if quantiser is not None:
                columns = quantiser(columns, one.read.gain, one.read.offset)
                if one.read.offset is not None and self.arch.adc.skip_silent:
                    columns *= (rows.max(axis=1) > 0)[:, None]
            total = columns if total is None else np.add(total, columns, out=total)
        assert total is not None
        lsb = 1.0 if quantiser is None else quantiser.lsb
        return self.reads.combined(total.astype(np.float64)) * lsb

    def _columns(self, one: Prepared, rows: Array, bits: Array) -> Array:
        """The columns of a read, [n, columns], in level steps."""
        if not self.gated:
            return np.asarray(rows @ one.response)
        found = np.zeros((len(rows), one.response.shape[1]))
        wires, crossbar_rows = self.arch.crossbar.wires, self.cells.conductance_s.shape[1]
        for part in one.read.parts:
            here = rows[:, part.inputs] > 0
            patterns, which = np.unique(np.packbits(here, axis=1), axis=0, return_inverse=True)
            driven = np.zeros((len(patterns), crossbar_rows), np.bool_)
            driven[:, part.rows] = np.unpackbits(patterns, axis=1, count=here.shape[1])
            currents = gated_currents(
                self.cells.conductance_s[part.crossbar], driven, 1.0,
                wires.wordline, wires.bitline, wires.driver, wires.sense,
            )  # fmt: skip
            answers = self.cells.relative(currents, part.crossbar)
            found[:, part.columns] += answers[which.ravel()]
        return np.round(found, DIGITS).astype(self.dtype)

    def _prepare(self, read: Read) -> Prepared:
        first, last = int(read.inputs[0]), int(read.inputs[-1])
        is_run = np.array_equal(read.inputs, np.arange(first, last + 1))
        noise = None if read.noise is None else _on_grid(read.noise, self.dtype, 1)
        response = _on_grid(read.response, self.dtype, 1)
        return Prepared(read, slice(first, last + 1) if is_run else read.inputs, response, noise)


def _on_grid(values: Floats, dtype: np.dtype[Any], largest: int) -> Array:
    """Values rounded to multiples of 2^-k, the smallest with which sums of all rows times ``largest`` are exact."""
    most = float(np.abs(values).sum(axis=0).max(initial=0.0)) * largest
    shift = SIGNIFICAND_BITS[dtype] - 1 - max(0, math.ceil(math.log2(most))) if most > 0 else 0
    return np.ldexp(np.rint(np.ldexp(values, shift)), -shift).astype(dtype)

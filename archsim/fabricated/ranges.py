"""The range of a layer's converters that loses least on what they see of a few inputs.

    range = argmin sum |c - e|^2 / sum c . e,    c = combine(lsb q(y)),    e = combine(y),    y [columns] in level steps

over reads and inputs: the error for what is left of the signal, so that what cancels between two columns of a weight
costs nothing, columns of high digits count more, and cutting off everything is no way out of coarse codes. The
candidates are that of one code for each level step, and shares of 1.25 times the largest y seen. An input that nobody
has seen may have larger sums: one of 1.25 times the largest, in the column that is worth most, is taken to be cut off,
too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.fabricated.converters import Quantiser
from archsim.fabricated.reading import Reads

Array = NDArray[Any]
MOST = 1 << 19
"""Values of columns that are kept, at most."""
AT_ONCE = 128
"""Vectors of inputs that are kept of each read of a block, at most."""
CANDIDATES = 100
UNSEEN = 1.25


@dataclass
class Seen:
    """Columns that converters saw, evenly thinned."""

    kept: list[tuple[Reads, Array]] = field(default_factory=list)
    largest: float = 0.0
    thinned: int = 1

    def add(self, reads: Reads, columns: Array) -> None:
        """Columns [n, columns] of one read."""
        self.largest = max(self.largest, float(columns.max(initial=0.0)))
        every = self.thinned * -(-len(columns) // AT_ONCE)
        self.kept.append((reads, columns[::every].copy()))
        while sum(some.size for _, some in self.kept) > MOST and any(len(some) > 1 for _, some in self.kept):
            self.thinned *= 2
            self.kept = [(of, some[::2].copy()) for of, some in self.kept]

    def best(self, bits: int) -> Quantiser:
        """The quantiser that loses least; one code for each level step where nothing was seen."""
        found = Quantiser(bits, float((1 << bits) - 1))
        if self.largest <= 0:
            return found
        least = self._loss(found)
        for share in np.linspace(1.0, 1.0 / CANDIDATES, CANDIDATES):
            candidate = Quantiser(bits, float(UNSEEN * self.largest * share))
            loss = self._loss(candidate)
            if loss < least:
                found, least = candidate, loss
        return found

    def _loss(self, quantiser: Quantiser) -> float:
        unseen = max(0.0, UNSEEN * self.largest - quantiser.range - quantiser.lsb / 2)
        error = (unseen * max(np.abs(reads.scheme.place).max() for reads, _ in self.kept)) ** 2
        signal = 0.0
        for reads, columns in self.kept:
            exact = reads.combined(columns.astype(np.float64))
            coded = reads.combined(quantiser.lsb * quantiser(columns.copy()).astype(np.float64))
            error += float(((coded - exact) ** 2).sum())
            signal += float((coded * exact).sum())
        return float(error / signal) if signal > 0 else np.inf

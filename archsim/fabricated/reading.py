"""What is read and converted at once: rows of one crossbar, or of all crossbars of a PE whose currents are added.

For each replica and group of a layer there is a list of reads. A read takes some of the layer's inputs and gives all
columns of the layer that answer to them: [outputs x columns of an output], then the reference columns of the blocks of
outputs. At most ``crossbar.active_rows`` word lines are driven at once; more are read one group after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.crossbar.schema import CrossbarArchitecture
from archsim.fabricated.cells import Cells
from archsim.fabricated.codes import Block, Scheme, blocks, columns_here
from archsim.fabricated.converters import Mismatch

Array = NDArray[Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """Rows of a crossbar in a read: its ``rows``, the ``inputs`` of the read that drive them, columns of the layer."""

    crossbar: int
    rows: slice
    inputs: slice
    columns: Ints


@dataclass(frozen=True)
class Read:
    """Inputs [R] of a layer's group that are read at once, and what its columns answer.

    ``response`` [R, columns] in level steps; ``noise`` its variance in each read, or None; ``gain`` and ``offset``
    [columns] of the converters, or None.
    """

    inputs: Ints
    response: Floats
    noise: Floats | None
    gain: Floats | None
    offset: Floats | None
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Reads:
    """All reads of one replica and group of a layer.

    ``reference`` [outputs]: the column of each output's reference. ``sign`` and ``base`` [outputs] as in
    :mod:`archsim.fabricated.codes`.
    """

    scheme: Scheme
    sign: Floats
    base: Floats
    reference: Ints | None
    reads: tuple[Read, ...]

    @property
    def outputs(self) -> int:
        """Outputs of the group."""
        return len(self.sign)

    def combined(self, sums: Array) -> Floats:
        """What the digital side makes of columns [..., columns], the codes of all reads added: [..., outputs]."""
        place = self.scheme.place
        weights = sums[..., : self.outputs * len(place)].reshape(*sums.shape[:-1], self.outputs, len(place))
        found = (weights @ place) * self.sign
        if self.reference is not None:
            found += sums[..., self.reference] * self.base
        return np.asarray(found)

    def effective(self, reduction: int) -> Floats:
        """The weights that the columns realise together if nothing is rounded, [reduction, outputs]."""
        found = np.zeros((reduction, self.outputs))
        for read in self.reads:
            found[read.inputs] = self.combined(read.response)
        return found


def reads_of(
    arch: CrossbarArchitecture, cells: Cells, flipped: NDArray[np.bool_], mismatch: Mismatch | None
) -> dict[tuple[int, int], Reads]:
    """The reads of every (replica, group)."""
    placement = cells.placement
    every = list(blocks(placement))
    found = {}
    for replica in range(placement.replicas):
        for group in range(placement.layer.groups):
            mine = [block for block in every if block.group == group and placement.replica[block.crossbar] == replica]
            found[replica, group] = _Builder(arch, cells, flipped[group], mismatch, mine).build()
    return found


class _Builder:
    """Makes the reads of one replica and group."""

    def __init__(
        self, arch: CrossbarArchitecture, cells: Cells, flipped: NDArray[np.bool_], mismatch: Mismatch | None,
        every: Sequence[Block],
    ) -> None:  # fmt: skip
        self.arch, self.cells, self.flipped, self.mismatch = arch, cells, flipped, mismatch
        self.scheme, self.filters = cells.scheme, cells.placement.layer.filters
        self.starts = sorted({block.outputs.start for block in every})
        self.by_rows: dict[int, list[Block]] = {}
        for block in every:
            self.by_rows.setdefault(int(block.reduction[0]), []).append(block)
        per_output = len(self.scheme.place)
        self.width = self.filters * per_output + (len(self.starts) if self.scheme.has_reference else 0)

    def build(self) -> Reads:
        """Every group of rows that is converted together, in the order of the placement."""
        reference = None
        if self.scheme.has_reference:
            block = np.searchsorted(self.starts, np.arange(self.filters), side="right") - 1
            reference = self.filters * len(self.scheme.place) + block
        scheme, reads = self.scheme, tuple(self._read(chosen) for chosen in self._together())
        sign = np.where(self.flipped, -scheme.sign, scheme.sign)
        base = np.where(self.flipped, scheme.base + scheme.sign * scheme.largest, scheme.base)
        return Reads(scheme, sign, base, reference, reads)

    def _together(self) -> Iterator[list[tuple[list[Block], slice]]]:
        """Blocks of rows that are read and added before conversion, with the rows of each that are driven."""
        most = self.arch.crossbar.rows_at_once
        pe = self.cells.placement.pe
        added: dict[int, list[list[Block]]] = {}
        for number, same in enumerate(self.by_rows.values()):
            first = int(pe[same[0].crossbar]) if self.arch.adc.analog_sum else number
            added.setdefault(first, []).append(same)
        for groups in added.values():
            longest = max(len(same[0].reduction) for same in groups)
            for start in range(0, longest, most):
                rows = [(same, slice(start, min(start + most, len(same[0].reduction)))) for same in groups]
                yield [(same, some) for same, some in rows if some.start < some.stop]

    def _read(self, chosen: Sequence[tuple[list[Block], slice]]) -> Read:
        inputs = np.concatenate([same[0].reduction[rows] for same, rows in chosen])
        response = np.zeros((len(inputs), self.width))
        noise = None if self.cells.sigma_s is None else np.zeros_like(response)
        gain, offset = (None, None) if self.mismatch is None else (np.ones(self.width), np.zeros(self.width))
        parts, first = [], 0
        for same, rows in chosen:
            here = slice(first, first + rows.stop - rows.start)
            first = here.stop
            for block in same:
                columns = self._columns(block)
                response[here, columns] = self.cells.response(block.crossbar)[rows]
                if noise is not None:
                    noise[here, columns] = self.cells.noise(block.crossbar)[rows]  # type: ignore[index]
                if self.mismatch is not None and gain is not None and offset is not None:
                    used = self.cells.columns(block.crossbar)
                    gain[columns] = self.mismatch.gain[block.crossbar, used]
                    offset[columns] = self.mismatch.offset[block.crossbar, used]
                of_crossbar = self.cells.rows(block.crossbar).start
                driven = slice(of_crossbar + rows.start, of_crossbar + rows.stop)
                parts.append(Part(block.crossbar, driven, here, columns))
        return Read(inputs, response, noise, gain, offset, tuple(parts))

    def _columns(self, block: Block) -> Ints:
        """Where the columns of a crossbar stand among those of the layer."""
        per_output = len(self.scheme.place)
        here = np.arange(per_output)[columns_here(self.scheme, block.sign)]
        filters = np.arange(block.outputs.start, block.outputs.stop)
        columns = (filters[:, None] * per_output + here).ravel()
        if not self.scheme.has_reference:
            return columns
        return np.append(columns, self.filters * per_output + self.starts.index(block.outputs.start))

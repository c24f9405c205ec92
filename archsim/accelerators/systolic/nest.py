"""Loop nests of tile passes, and which operand tiles must be loaded when.

A nest is a list of loops, outermost first, over ``b`` (batches of timesteps), ``g`` (groups), ``i`` (folds along the
array's rows) and ``j`` (folds along its columns). A loop over blocks has ``step > 1``; the loop inside the block runs
over the rest, and passes beyond ``limit`` do not exist.

Residency: for an operand whose tile depends on the variables ``D``, the longest run of inner loops whose tiles together
fit into the buffer (beside what comes next, unless nothing is left to come) stays resident; each of these tiles is
loaded once per execution of that run, at the first pass that needs it, and its place is free after the last. Everything
follows from the sizes, for all passes at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
NO_ROOM = 1 << 30  # where residency starts if not even one tile fits: nowhere


class Loop(NamedTuple):
    """``for x in range(size)``: adds ``x * step`` to the variable."""

    var: str
    size: int
    step: int = 1


class Room(NamedTuple):
    """Bits of a buffer: for tiles while the next ones come in, and for an operand of which nothing is left to come."""

    tiles: int
    whole: int


class OperandBits(NamedTuple):
    """Size of an operand: of its largest tile, and of all tiles of one batch and group together."""

    tile: int
    whole: int


class Loads(NamedTuple):
    """The loads of one operand: at which passes (ascending), and after which pass each one's place is free."""

    at: Ints
    until: Ints
    resident_from: int  # loops[resident_from:] run without loading a tile twice


@dataclass(frozen=True)
class Nest:
    """Loops, outermost first, and how many values each variable has."""

    loops: tuple[Loop, ...]
    limit: Mapping[str, int]

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the loops."""
        return tuple([loop.size for loop in self.loops])

    @cached_property
    def _dense(self) -> dict[str, Ints]:
        zeros = np.zeros(self.shape, np.int64)
        found = dict.fromkeys((loop.var for loop in self.loops), zeros)
        for axis, loop in enumerate(self.loops):
            if loop.size > 1:
                steps = np.arange(0, loop.size * loop.step, loop.step, dtype=np.int64)
                inner = (1,) * (len(self.loops) - axis - 1)
                found[loop.var] = found[loop.var] + steps.reshape(-1, *inner)
        return {var: index.ravel() for var, index in found.items()}

    @cached_property
    def _valid(self) -> NDArray[np.bool_] | None:
        """Which passes of the full grid exist; None: all."""
        last = dict.fromkeys(self._dense, 0)
        for var, size, step in self.loops:
            last[var] += (size - 1) * step
        ragged = [var for var, index in last.items() if index >= self.limit[var]]
        if not ragged:
            return None
        valid: NDArray[np.bool_] = np.logical_and.reduce([self._dense[var] < self.limit[var] for var in ragged])
        return valid

    @cached_property
    def passes(self) -> int:
        """Number of passes."""
        return prod(self.shape) if self._valid is None else int(self._valid.sum())

    def index(self, var: str) -> Ints:
        """Value of a variable at each pass."""
        dense = self._dense[var]
        return dense if self._valid is None else dense[self._valid]

    def resident_from(self, depends: frozenset[str], size: OperandBits, room: Room) -> int:
        """Smallest ``s`` such that the tiles of ``loops[s:]`` fit together; ``NO_ROOM`` when not even one does."""
        footprint, whole, start = size.tile, size.whole, len(self.loops)
        found = start if footprint <= room.tiles else NO_ROOM
        outer_folds = sum([var in depends for var, _, _ in self.loops if var in "ij"])
        outer = sum([var in depends for var, _, _ in self.loops])
        for var, times, _ in reversed(self.loops):
            start -= 1
            if var in depends:
                outer -= 1
                footprint *= times
                if var in "bg":
                    whole *= times
                else:
                    outer_folds -= 1
            # of all folds, ragged and overlapping tiles count as they are
            most = footprint if outer_folds else min(footprint, whole)
            if most <= (room.tiles if outer else room.whole):
                found = start
        return found

    def keeps_previous(self, var: str, depends: frozenset[str], resident_from: int) -> int:
        """How many loads ago the tile before in the loops of ``var`` came, if it is still there; 0 if it is not."""
        axis = max(axis for axis, loop in enumerate(self.loops) if loop.var == var)
        if resident_from > axis + 1:
            return 0
        return prod(loop.size for loop in self.loops[axis + 1 :] if loop.var in depends)

    def loads(self, depends: frozenset[str], size: OperandBits, room: Room) -> Loads:
        """When the operand's tiles are loaded and freed."""
        start = self.resident_from(depends, size, room)
        flag = np.ones(self.shape, bool)
        offset = 0
        for axis in range(start, len(self.loops)):
            if self.loops[axis].var not in depends:
                cut = [slice(None)] * len(self.loops)
                cut[axis] = slice(1, None)
                flag[tuple(cut)] = False
                offset += (self.loops[axis].size - 1) * prod(self.shape[axis + 1 :])
        dense = flag.ravel()
        if self._valid is None:
            at = dense.nonzero()[0]
            until = at + offset
        else:
            position = np.cumsum(self._valid) - 1
            where = np.flatnonzero(dense & self._valid)
            at, until = position[where], position[np.minimum(where + offset, len(position) - 1)]
        return Loads(at, until, start)

    def loads_of_operand(self, depends: frozenset[str], size: OperandBits, room: Room) -> int:
        """How many tile loads the nest needs, without making them (to compare nests)."""
        start = self.resident_from(depends, size, room)
        return prod([loop.size for axis, loop in enumerate(self.loops) if axis < start or loop.var in depends])

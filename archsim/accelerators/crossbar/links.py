"""How many flits each link of the mesh carries: a check, for links are not queued for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.crossbar.noc import Mesh

Ints = NDArray[np.int64]


class LinkLoads:
    """Flits over every link, by direction; a route goes along the row of its source, then along a column.

    A run of links from a to b is one more at a and one less at b of its row or column; sums of these are the loads.
    """

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh
        height = -(-mesh.tiles // mesh.width)
        self._right, self._left = (np.zeros((height, mesh.width + 1), np.int64) for _ in range(2))
        self._down, self._up = (np.zeros((height + 1, mesh.width), np.int64) for _ in range(2))

    def add(self, source: int, targets: Sequence[int], flits: int, multicast: bool) -> None:
        """So many flits from one tile to each target: one copy along the tree of routes, or one for each route."""
        if not multicast:
            for target in targets:
                self.add(source, (target,), flits, multicast=True)
            return
        y, x = divmod(source, self.mesh.width)
        rows, cols = np.divmod(np.array(targets, np.int64), self.mesh.width)
        self._run(self._right[y], x, int(cols.max(initial=x)), flits)
        self._run(self._left[y], int(cols.min(initial=x)), x, flits)
        for column in np.unique(cols).tolist():
            there = rows[cols == column]
            self._run(self._down[:, column], y, max(y, int(there.max())), flits)
            self._run(self._up[:, column], min(y, int(there.min())), y, flits)

    @staticmethod
    def _run(line: Ints, start: int, stop: int, flits: int) -> None:
        line[start] += flits
        line[stop] -= flits

    @property
    def _loads(self) -> list[Ints]:
        """Flits over the links of each direction."""
        return [line.cumsum(axis=axis) for axis, lines in ((1, (self._right, self._left)), (0, (self._down, self._up)))
                for line in lines]  # fmt: skip

    @property
    def busiest(self) -> int:
        """Most flits over one link."""
        return max(int(load.max(initial=0)) for load in self._loads)

    @property
    def flit_hops(self) -> int:
        """Flits times links, of all."""
        return sum(int(load.sum()) for load in self._loads)

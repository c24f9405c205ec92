"""What delivers maps to the layers that read them: a stage of the chip, or the network's input from DRAM."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.crossbar.chunks import NOTHING, Pieces
from archsim.accelerators.crossbar.steps import Step
from archsim.taskgraph import NONE

Ints = NDArray[np.int64]


class Arrival(NamedTuple):
    """When the chunks of a source are where one replica of a reader needs them: two tasks to wait for [T, chunks].

    ``ported`` is the last task at the reader's port up to the chunk, ``direct`` the chunk's own last task where nothing
    of it passes a port; NONE: nothing to wait for.
    """

    ported: Ints
    direct: Ints


@dataclass
class Source:
    """Chunks that complete maps, in raster order; what is made once serves every timestep."""

    pieces: Pieces
    completed: Mapping[str, Ints]
    done: Step
    home: Ints  # [replicas, channels]: tile that sends each channel, -1: none
    arrivals: dict[tuple[str, int], Arrival] = field(default_factory=dict)

    def senders(self, name: str) -> Ints:
        """Tile that sends each channel of each row of a map: [C, H]."""
        rows = self.pieces.replica[self.completed[name][:, -1]]
        return self.home[rows].T

    def edges(self, reader: str, of_chunk: Ints, wanted: Ints) -> list[Ints]:
        """Tasks to wait for, [T, chunks of the reader]: ``wanted`` names a chunk of this source, or NOTHING.

        ``of_chunk`` is the reader's replica that handles each of its chunks.
        """
        found = []
        known = [self.arrivals[reader, replica] for replica in range(int(of_chunk.max()) + 1)]
        for each in zip(*known, strict=True):
            there = np.stack(each)[of_chunk, :, np.maximum(wanted, 0)].T
            found.append(np.where(wanted == NOTHING, NONE, there))
        return found

    def last_tasks(self, reader: str, timestep: int) -> list[int]:
        """The tasks behind which everything of a timestep has arrived at a reader."""
        at = min(timestep, len(self.done.ids) - 1)
        found = set(self.done.last_of(at))
        for (name, _), arrival in self.arrivals.items():
            if name == reader:
                found |= {int(arrival.ported[at, mine[-1]]) for mine, _ in self.done.parts}
        return sorted(found - {NONE})


def last_readers(first_wanted: Ints, rows: Ints) -> Ints:
    """The last of a replica's chunks that reads each row: ``first_wanted`` is the first row of each chunk's window."""
    return np.searchsorted(first_wanted, rows, side="right") - 1

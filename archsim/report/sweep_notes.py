"""What must be said beside the points of a sweep, because their numbers alone mislead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archsim.sweeps import Sweep

NODE = "node"
NODES = (
    "Energies at different nodes differ by leakage more than by the shrink: equal SRAM banks do not leak steadily less"
    " from node to node (CACTI's devices change class), and clocks stay as stated; 'archsim run' has the factors."
)


def notes(sweep: Sweep) -> Iterator[str]:
    """Sentences; none where nothing needs a word."""
    if NODE in sweep.keys and len({str(row[NODE]) for row in sweep.rows}) > 1:
        yield NODES

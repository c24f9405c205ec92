"""How long each step of a layer takes, from settings and from the actual spikes.

Per output position and bit plane the crossbars of a layer are read at once: ``read`` cycles until the columns are
settled, then ``phases = min(column_mux, columns)`` conversions one after the other. Where at most so many
``active_rows`` are driven, this happens once for every pass; a last pass of few rows takes as long as any. Where the
crossbars of a PE take turns at its converters (``adc.share: pe`` without an analog sum), the conversions follow each
other for every crossbar that is read; with ``hold`` each is driven only in its turn, with ``sample_hold`` all are
driven at once. What is silent is passed over, if silence is skipped.

Fetching takes a cycle for every ``lines_per_cycle`` lines at the tile that reads most. The wires of a tile move
``wires`` bits per cycle in each direction, and its accumulators add what arrives: fetches and conversions wait for them
if they are slower. ``sharing`` layers and replicas that lie in the same tile divide them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.crossbar.chunks import Chunks
from archsim.accelerators.crossbar.mapping import Placement
from archsim.accelerators.crossbar.reads import Reads
from archsim.accelerators.crossbar.schema import CrossbarArchitecture

Ints = NDArray[np.int64]


def conversion_phases(arch: CrossbarArchitecture, placed: Placement) -> int:
    """Conversions that one converter makes for one read of a crossbar."""
    columns = int(placed.outputs.max()) * placed.cells.columns + placed.cells.reference_columns
    return min(arch.crossbar.column_mux, columns)


def read_cycles(arch: CrossbarArchitecture, events: Reads, chunks: Chunks) -> Ints:
    """Cycles in which rows are driven until the columns are settled: [T, chunks]."""
    held = arch.crossbar.conducts == "hold"
    return chunks.per_chunk(events.turns if held else events.planes) * arch.cycles(arch.crossbar.read_ns)


def convert_cycles(arch: CrossbarArchitecture, placed: Placement, events: Reads, chunks: Chunks, sharing: int) -> Ints:
    """Cycles of the conversions, or of what moves and adds their sums if that is slower: [T, chunks]."""
    each = conversion_phases(arch, placed) * arch.cycles(float(arch.adc.conversion))
    sums = np.where(events.planes > 0, _sum_cycles(arch, placed, sharing), 0)
    return chunks.per_chunk(np.maximum(events.turns * each, sums))


def _sum_cycles(arch: CrossbarArchitecture, placed: Placement, sharing: int) -> int:
    """Cycles in which the sums of a replica's PEs in the fullest tile move to its neurons, where they are added."""
    per_pe = np.unique(np.stack([placed.replica, placed.pe // arch.tile.pes, placed.pe, placed.outputs]), axis=1)
    _, tile = np.unique(per_pe[:2], axis=1, return_inverse=True)
    sums = int(np.bincount(tile.ravel(), weights=per_pe[3]).max())
    return -(-sums * arch.accumulator_bits * sharing // arch.tile.wires)


def converters_of_group(arch: CrossbarArchitecture) -> int:
    """Converters of a crossbar, or of a PE whose crossbars share them."""
    return -(-arch.crossbar.cols // arch.crossbar.column_mux)


def fetch_unit(arch: CrossbarArchitecture, sharing: int) -> str:
    """What fetching takes: ``fetch``, the ports of the buffers, or ``wires``, those of the tile."""
    return "wires" if arch.buffer.lines_per_cycle * arch.buffer.line_bits * sharing > arch.tile.wires else "fetch"


def fetch_cycles(arch: CrossbarArchitecture, lines: Ints, sharing: int) -> Ints:
    """Cycles in which the lines of a window leave their buffer and pass the wires of the tile."""
    buffer = arch.buffer
    return np.maximum(-(-lines // buffer.lines_per_cycle), -(-lines * buffer.line_bits * sharing // arch.tile.wires))

"""How long each step of a layer takes, from settings and from the actual spikes.

Per output position and bit plane the crossbars of a layer are read at once: ``read`` cycles until the columns are
settled, then ``phases = min(column_mux, columns)`` conversions one after the other. Where the crossbars of a PE take
turns at its converters (``adc.share: pe`` without an analog sum), the conversions follow each other for every crossbar
that is read; with ``hold`` each is driven only in its turn, with ``sample_hold`` all are driven at once. What is silent
is passed over, if silence is skipped.

Fetching takes a cycle for every ``lines_per_cycle`` lines at the tile that reads most. The wires of a tile move
``wires`` bits per cycle: conversions wait for them if they are slower.
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


def convert_cycles(arch: CrossbarArchitecture, placed: Placement, events: Reads, chunks: Chunks) -> Ints:
    """Cycles of the conversions, or of the wires behind them: [T, chunks]."""
    each = conversion_phases(arch, placed) * arch.cycles(float(arch.adc.conversion))
    return chunks.per_chunk(np.maximum(events.turns * each, _wire_cycles(arch, placed, events)))


def _wire_cycles(arch: CrossbarArchitecture, placed: Placement, events: Reads) -> Ints:
    """Cycles in which the sums of the PEs of the fullest tile move to its neurons, where any do."""
    per_pe = np.unique(np.stack([placed.pe, placed.outputs]), axis=1)
    sums = np.bincount(per_pe[0] // arch.tile.pes - per_pe[0].min() // arch.tile.pes, weights=per_pe[1])
    most = -(-int(sums.max()) * arch.accumulator_bits // arch.tile.wires)
    return np.where(events.planes > 0, most, 0)

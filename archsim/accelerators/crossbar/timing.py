"""How long each step of a layer takes, from settings and from the actual spikes.

Per output position and bit plane a crossbar is read once: ``read`` cycles until the columns are settled, then
``phases = min(column_mux, columns)`` conversions one after the other (times the crossbars of a PE that share converters
without an analog sum). With ``hold`` the lines conduct until the last conversion, so the next read follows it; with
``sample_hold`` reading and converting overlap. Fetching the window takes ``ceil(bits / port bits)`` cycles and overlaps
with the reads of the position before; a position without an active row takes the fetch only, if silence is skipped.

Neurons: ``ceil(values / units) * cycles_per_update``; pools and adds: ``ceil(values / lanes)``.
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
    """Conversions that one converter makes for one read."""
    columns = int(placed.outputs.max()) * placed.cells.columns + placed.cells.reference_columns
    phases = min(arch.crossbar.column_mux, columns)
    if arch.adc.share == "pe" and not arch.adc.analog_sum:
        sharing = np.bincount(placed.pe - placed.pe.min())
        phases *= int(sharing.max())
    return phases


def fetch_cycles(arch: CrossbarArchitecture, placed: Placement) -> int:
    """Cycles to fetch the inputs of one position."""
    layer = placed.layer
    return -(-layer.reduction * layer.groups * layer.in_bits // arch.buffer.port_bits)


def read_cycles(arch: CrossbarArchitecture, placed: Placement, events: Reads, chunks: Chunks) -> Ints:
    """Cycles of the crossbar stage for each timestep and chunk: [T, chunks]."""
    settle = arch.cycles(float(arch.crossbar.read))
    convert = conversion_phases(arch, placed) * arch.cycles(float(arch.adc.conversion))
    once = max(settle, convert) if arch.crossbar.conducts == "sample_hold" else settle + convert
    fetch = fetch_cycles(arch, placed)
    busy = max(fetch, placed.layer.in_bits * once)
    if not arch.adc.skip_silent:
        return chunks.per_chunk(np.full(events.rows_driven.shape, busy, np.int64))
    return chunks.per_chunk(np.where(events.rows_driven > 0, busy, fetch))


def tail_cycles(arch: CrossbarArchitecture, chunks: Chunks) -> int:
    """Cycles of the neurons, pools and adds behind one chunk: the whole map's over the chunks, rounded up."""
    total = 0
    for op in chunks.stage.tail:
        values = -(-op.elements // chunks.count)
        if op.unit == "neuron":
            total += -(-values // arch.neuron.units) * arch.neuron.cycles_per_update
        else:
            total += -(-values // arch.pool_lanes)
    return total


def partial_sum_cycles(arch: CrossbarArchitecture, outputs: int, positions: int) -> int:
    """Flits in which one tile's partial sums of so many positions arrive, one a cycle."""
    return positions * -(-outputs * arch.accumulator_bits // arch.noc.flit_bits)

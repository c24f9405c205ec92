"""What the reads and conversions of a layer count, under the names of the parts in ``components``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from archsim.accelerators.crossbar.noc import PartialSums
from archsim.accelerators.crossbar.steps import Step
from archsim.accelerators.crossbar.timing import conversion_phases

if TYPE_CHECKING:
    from archsim.accelerators.crossbar.emit import StageEmitter


def count_reads(stage: StageEmitter, fetch: Step, read: Step) -> None:
    """Input bits to the PEs, driven rows, and cells that conduct: until settled, and with ``hold`` in every phase."""
    events, chunk = stage.events, stage.chunks.per_chunk
    fetch.count(stage.arch.tile.wiring, "bit", chunk(events.row_bits))
    read.count("wordline_driver", "drive", chunk(events.rows_driven))
    read.count("cells", "read", chunk(events.cells_read))
    read.count("cells", "sop", chunk(events.products))


def count_conversions(stage: StageEmitter, adc: Step, crossing: Sequence[PartialSums]) -> None:
    """Conversions, what is made of them in the PE, and the sums at the tile, those of other tiles included."""
    events, chunk, arch = stage.events, stage.chunks.per_chunk, stage.arch
    conversions = chunk(events.conversions)
    if arch.crossbar.conducts == "hold":
        adc.count("cells", "hold", chunk(events.cells_read) * conversion_phases(arch, stage.placed))
    adc.count("column_mux", "select", conversions)
    if arch.adc.resolution == "full":
        adc.count("adc", "convert", conversions)
    else:
        adc.count("adc", "decide", chunk(events.bits_decided))
        adc.count("popcount", "op", chunk(events.groups_converted))
    if stage.placed.cells.slices > 1 or stage.layer.in_bits > 1:
        adc.count("shift_add", "op", conversions)
    results, sums = chunk(events.results), chunk(events.pe_results)
    adc.count("subtractor", "op", results)
    adc.count("pe_accumulator", "op", results)
    adc.count(arch.tile.wiring, "bit", sums * arch.accumulator_bits)
    if stage.layer.bias and stage.stage.biased_neurons is None:
        sums = sums + stage.tail.places(stage.layer.name) * int(stage.tail.present.sum())
    flits, routers, hops = (np.zeros_like(events.planes) for _ in range(3))
    arrived = np.zeros_like(events.planes)
    for one in crossing:
        sent, any_ = stage.sent_sums(one)
        stage.chip.links.add(one.source, (one.target,), int(sent.sum()), multicast=True)
        links = stage.chip.mesh.hops(one.source, one.target)
        flits, hops, routers = flits + sent, hops + sent * links, routers + sent * (links + 1)
        arrived = arrived + any_ * one.outputs
    adc.count("tile_accumulator", "op", sums + chunk(arrived))
    adc.count("router", "flit", chunk(routers))
    adc.count("link", "bit", chunk(hops) * arch.noc.flit_bits)

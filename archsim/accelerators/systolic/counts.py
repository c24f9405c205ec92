"""What the tasks of a stage count, under the names of :mod:`archsim.accelerators.systolic.components`."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.neurons import encoder_actions, update_actions, vector_component, vector_ops
from archsim.accelerators.stages import TailOp
from archsim.accelerators.systolic.components import SCRATCHPAD_WORD_BITS
from archsim.accelerators.systolic.geometry import ceil_div
from archsim.accelerators.systolic.statistics import spikes_fired
from archsim.taskgraph import Span

if TYPE_CHECKING:
    from archsim.accelerators.systolic.emit import StageEmitter

Ints = NDArray[np.int64]


def count_pass(emitter: StageEmitter, array: Span) -> None:
    """Counts of the array passes: PEs, scratchpads, buffers, DRAM and encoder."""
    _count_datapath(emitter, array)
    _count_scratchpads(emitter, array)
    _count_buffers(emitter, array)
    _count_loads(emitter, array)
    _count_stores(emitter, array)


def _count_datapath(emitter: StageEmitter, array: Span) -> None:
    passes, builder = emitter.passes, emitter.builder
    gated = passes.arch.sparsity != "none"
    products = passes.active if gated else passes.slots
    output_stationary = passes.flow.stationary == "ofmap"
    if passes.geometry.width.on_multiplier:
        builder.count("pe_multiplier", "op", array, products)
    else:
        builder.count("pe_and", "op", array, passes.slots)
    builder.count("pe_adder", "op", array, products)
    # in a stationary-weight array the partial sum moves on every cycle, silent or not
    builder.count("pe_accumulator", "write", array, products if output_stationary else passes.slots)
    if emitter.stage.layer.bias and emitter.stage.biased_neurons is None:
        builder.count("pe_adder", "op", array, np.where(passes.last_of_reduction, passes.outputs, 0))
    builder.count("pe_adder", "sop", array, passes.synaptic)
    builder.count("pe_input_register", "write", array, _forwarded_inputs(emitter))
    builder.count("pe_weight_register", "write", array, _forwarded_weights(emitter))
    if passes.arch.sparsity.startswith("skip"):
        builder.count("spike_scanner", "op", array, ceil_div(passes.scanned_bits, 8))
    if passes.arch.sparsity == "skip_row":
        moved = passes.fetched_rows * passes.used("filters")
        builder.count("row_fifo", "push", array, moved)
        builder.count("row_fifo", "pop", array, moved)


def _forwarded_inputs(emitter: StageEmitter) -> Ints:
    """Register writes as inputs move along the array: each streamed value passes every used PE of its lane.

    A stationary input moves into place through the rows above its own: r (r + 1) / 2 writes for each of c columns.
    """
    passes = emitter.passes
    if passes.flow.stationary == "ifmap":
        into_place = passes.rows_used * (passes.rows_used + 1) // 2 * passes.cols_used
        return np.where(passes.loads_stationary, into_place, 0)
    return passes.slots


def _forwarded_weights(emitter: StageEmitter) -> Ints:
    """Register writes of weights: streamed past every used PE, or moved into place."""
    passes = emitter.passes
    if passes.flow.stationary == "weight":
        into_place = passes.rows_used * (passes.rows_used + 1) // 2 * passes.cols_used
        return np.where(passes.loads_stationary, into_place, 0)
    return passes.weight_uses


def _count_scratchpads(emitter: StageEmitter, array: Span) -> None:
    passes, pad, builder = emitter.passes, emitter.arch.pe.scratchpad, emitter.builder
    weight_bits = emitter.stage.layer.weight_bits
    words = -(-weight_bits // SCRATCHPAD_WORD_BITS)
    if pad.spike:
        width = passes.geometry.width
        bits = passes.slots // width.cycles * width.bits if width.on_multiplier else passes.slots
        spike_words = ceil_div(bits, SCRATCHPAD_WORD_BITS)
        builder.count("spike_scratchpad", "write", array, spike_words)
        builder.count("spike_scratchpad", "read", array, spike_words)
    if pad.weight:
        if passes.flow.stationary == "weight":
            written = np.where(passes.loads_stationary, passes.rows_used * passes.cols_used, 0)
        elif passes.geometry.weights_held:  # all of them at once, for every PE
            written = np.where(passes.holds_weights, 0, passes.rows_used * passes.cols_used * passes.used("reduction"))
        else:
            written = passes.weight_uses
        read = passes.weight_uses
        if emitter.arch.gate_weight_read and emitter.arch.sparsity != "none":
            read = np.minimum(passes.active, read)
        builder.count("weight_scratchpad", "write", array, words * written)
        builder.count("weight_scratchpad", "read", array, words * read)


def _count_buffers(emitter: StageEmitter, array: Span) -> None:
    passes, builder = emitter.passes, emitter.builder
    builder.count("ifmap_buffer", "element_read", array, passes.ifmap_elements)
    builder.count("ifmap_buffer", "line_read", array, passes.ifmap_lines)
    builder.count("weight_buffer", "element_read", array, passes.weight_elements)
    lines = passes.weight_lines
    if emitter.stage.layer.bias:
        bias = ceil_div(passes.used("filters") * passes.arch.pe.accumulator_bits, emitter.arch.buffers.weight.line_bits)
        lines = lines + np.where(passes.last_of_reduction, bias, 0)
    builder.count("weight_buffer", "line_read", array, lines)
    if passes.reduction_is_cut:
        _count_partial_sums(emitter, array)


def _count_partial_sums(emitter: StageEmitter, array: Span) -> None:
    """Partial sums between folds of the reduction: through the ofmap buffer, and through DRAM where they do not fit."""
    passes, builder = emitter.passes, emitter.builder
    builder.count("ofmap_buffer", "element_read", array, passes.partial_sums_read)
    builder.count("ofmap_buffer", "element_write", array, passes.partial_sums_written)
    builder.count("ofmap_buffer", "line_read", array, passes.partial_sum_lines_read)
    builder.count("ofmap_buffer", "line_write", array, passes.partial_sum_lines_written)
    if emitter.partial_sums_spill:
        accumulator = passes.arch.pe.accumulator_bits
        read, written = passes.partial_sums_read * accumulator, passes.partial_sums_written * accumulator
        line = emitter.arch.buffers.ofmap.line_bits
        emitter.dram.count(array, "read", read)
        emitter.dram.count(array, "write", written)
        builder.count("ofmap_buffer", "line_write", array, ceil_div(read, line))
        builder.count("ofmap_buffer", "line_read", array, ceil_div(written, line))


def _count_loads(emitter: StageEmitter, array: Span) -> None:
    """Tiles from DRAM, counted at their loads; at the passes that need them first where DRAM takes no time."""
    for operand, tiles in (("weight", emitter.tiles.weight), ("ifmap", emitter.tiles.ifmap)):
        span, bits = tiles.span, tiles.bits
        if span is None:
            span, bits = array, np.zeros(array.count, np.int64)
            bits[tiles.loads.at] = tiles.bits
        emitter.dram.count(span, "read", bits)
        if operand == "ifmap":
            bits = _count_encoder(emitter, span, bits)
        line_bits = getattr(emitter.arch.buffers, operand).line_bits
        emitter.builder.count(f"{operand}_buffer", "line_write", span, ceil_div(bits, line_bits))


def _count_encoder(emitter: StageEmitter, span: Span, bits: Ints) -> Ints:
    """An encoded input is fetched as pixels and becomes the spikes of all the tile's timesteps on its way in.

    Returns the bits that arrive in the buffer.
    """
    width, count = emitter.geometry.width, emitter.builder.count
    if not width.pixel_bits:
        return bits
    values = bits // width.pixel_bits * emitter.geometry.batch
    for component, action, counts in encoder_actions(emitter.workload.network, values):
        count(component, action, span, counts)
    return values * width.bits


def _count_stores(emitter: StageEmitter, array: Span) -> None:
    """Completed maps: through the ofmap buffer to DRAM, each pass at its own timestep."""
    outputs, builder = emitter.wayout.outputs, emitter.builder
    line = emitter.arch.buffers.ofmap.line_bits
    elements = reduce(np.add, [outputs.spread(part.elements) for part in emitter.stage.stored])
    bits = emitter.wayout.stored_bits
    lines = outputs.per_pass(ceil_div(bits, line))
    builder.count("ofmap_buffer", "element_write", array, outputs.per_pass(elements))
    builder.count("ofmap_buffer", "line_write", array, lines)
    builder.count("ofmap_buffer", "line_read", array, lines)
    builder.count("dram", "write_bit", array, outputs.per_pass(bits))
    builder.count("dram", "activate", array, outputs.per_pass(emitter.wayout.rows_opened(bits)))


def count_tail(emitter: StageEmitter, span: Span, ops: list[TailOp]) -> None:
    """Counts of one tail task: neuron updates, pools, adds."""
    for op in ops:
        values = emitter.wayout.outputs.spread(op.elements)
        if op.unit == "neuron":
            _count_neurons(emitter, span, op, values)
            continue
        name = vector_component(op.layer.kind, op.layer.in_max)
        emitter.builder.count(name, "op", span, vector_ops(name, values))
        if op.skip is not None:
            _count_skip(emitter, span, values * op.skip_bits)


def _count_skip(emitter: StageEmitter, span: Span, bits: Ints) -> None:
    """The other operand of a residual add: from DRAM through the ifmap buffer."""
    builder, lines = emitter.builder, ceil_div(bits, emitter.arch.buffers.ifmap.line_bits)
    builder.count("dram", "read_bit", span, bits)
    builder.count("dram", "activate", span, emitter.wayout.rows_opened(bits))
    builder.count("ifmap_buffer", "line_write", span, lines)
    builder.count("ifmap_buffer", "line_read", span, lines)


def _count_neurons(emitter: StageEmitter, span: Span, op: TailOp, updates: Ints) -> None:
    neuron, count = op.layer.neuron, emitter.builder.count
    assert neuron is not None
    if emitter.wayout.outputs.untouched_if_silent(op):
        updates = _with_input(emitter)
    has_bias = op is emitter.stage.biased_neurons
    for component, action, counts in update_actions(neuron, updates, _spikes(emitter, op), has_bias):
        count(component, action, span, counts)
    _count_membrane_home(emitter, span, op)


def _with_input(emitter: StageEmitter) -> Ints:
    """Updates of neurons with at least one input spike in their timestep."""
    passes = emitter.passes
    heard = (passes.spikes_at_positions() > 0).reshape(passes.batches.count, emitter.stage.layer.groups, -1)
    starts = passes.geometry.tiles["positions"].starts
    if not passes.geometry.interleaved:
        starts = starts // passes.geometry.stream_batch * passes.batches.size
    active = np.add.reduceat(heard, starts, axis=2, dtype=np.int64)
    every = active[passes.b, passes.g, passes.of("positions")] * passes.used("filters")
    return emitter.wayout.outputs.of(every)


def _spikes(emitter: StageEmitter, op: TailOp) -> Ints:
    """Output spikes of a neuron layer, timestep by timestep exact, spread over the passes."""
    batches = emitter.passes.batches
    if not op.layer.spiking:
        return np.zeros(emitter.wayout.outputs.count, np.int64)
    per_step = spikes_fired(emitter.workload.activity, op.layer, emitter.sample)[batches.timesteps()]
    return emitter.wayout.outputs.spread_totals(per_step.reshape(batches.count, batches.size).sum(axis=1))


def _count_membrane_home(emitter: StageEmitter, span: Span, op: TailOp) -> None:
    if emitter.wayout.visits == 1 and not emitter.geometry.interleaved:
        return
    traffic, home, builder = emitter.wayout.membrane(op), emitter.wayout.membrane_home(op), emitter.builder
    buffer = emitter.arch.buffers.membrane
    if home == "register":
        builder.count("neuron_membrane", "read", span, traffic.words_read)
        builder.count("neuron_membrane", "write", span, traffic.words_written)
        return
    if buffer is not None:
        builder.count("membrane_buffer", "element_read", span, traffic.words_read)
        builder.count("membrane_buffer", "element_write", span, traffic.words_written)
        read, written = ceil_div(traffic.bits_read, buffer.line_bits), ceil_div(traffic.bits_written, buffer.line_bits)
        through = 2 if home == "dram" else 1  # on the way to or from DRAM a line is written and read
        builder.count("membrane_buffer", "line_read", span, read + (written if through == 2 else 0))
        builder.count("membrane_buffer", "line_write", span, written + (read if through == 2 else 0))
    if home == "dram":
        emitter.dram.count(span, "read", traffic.bits_read)
        emitter.dram.count(span, "write", traffic.bits_written)
        builder.count("dram", "element_read", span, traffic.words_read)
        builder.count("dram", "element_write", span, traffic.words_written)

"""SCALE-Sim's scratchpads, exactly: addresses in demand order, the flushing read buffer, the line-wise write buffer.

The peer walks a matrix of addresses cycle by cycle. Its read buffer (CALC mode) is a set that is emptied whenever half
of the capacity has been filled with distinct addresses; its write buffer stores lines of one word per array column and
pads a line when it must drain. Both depend on the order of the demands only, so they are replayed here over arrays:
an access is a miss if the address was last asked for before the set was last emptied.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from archsim.peers.layers import PeerLayer

Addresses = NDArray[np.int32]


def epoch_words(buffer_words: int, fraction_percent: int = 50) -> int:
    """Distinct words after which the read buffer is emptied: ``fraction`` sets of floor(words / 100) words each."""
    return fraction_percent * (buffer_words // 100)


def window_addresses(layer: PeerLayer) -> tuple[Addresses, Addresses, NDArray[np.bool_] | None]:
    """Addresses of the im2col matrix as ``base[P] + offset[K]`` (channels innermost), and which of them exist.

    The validity [P, K] is None when every window lies inside the map; SCALE-Sim's rounding up lets windows hang over.
    """
    rows, columns = layer.out_shape
    top = np.repeat(np.arange(rows, dtype=np.int32) * layer.stride, columns)
    left = np.tile(np.arange(columns, dtype=np.int32) * layer.stride, rows)
    down = np.repeat(np.arange(layer.kernel_h, dtype=np.int32), layer.kernel_w * layer.channels)
    right = np.tile(np.repeat(np.arange(layer.kernel_w, dtype=np.int32), layer.channels), layer.kernel_h)
    channel = np.tile(np.arange(layer.channels, dtype=np.int32), layer.kernel_h * layer.kernel_w)
    base = (top * layer.width + left) * layer.channels
    offset = (down * layer.width + right) * layer.channels + channel
    inside = None
    if top[-1] + layer.kernel_h > layer.height or left[-1] + layer.kernel_w > layer.width:
        inside = (top[:, None] + down < layer.height) & (left[:, None] + right < layer.width)
    return base, offset, inside


def skewed_order(steps: int, lanes: int) -> tuple[Addresses, Addresses]:
    """(step, lane) of every entry of a ``steps`` x ``lanes`` tile fed through a skew: by step + lane, then lane."""
    cycle = np.arange(steps + lanes - 1, dtype=np.int32)[:, None]
    lane = np.arange(lanes, dtype=np.int32)[None, :]
    step = cycle - lane
    live = (step >= 0) & (step < steps)
    return step[live], np.broadcast_to(lane, step.shape)[live]


def _tiled(base: Addresses, offset: Addresses, inside: NDArray[np.bool_] | None, lanes: int) -> Addresses:
    """Addresses of ``base[lane axis] + offset[step axis]`` tile by tile of ``lanes``, each tile skewed; flat, misses of
    ``inside`` [lane axis, step axis] removed."""
    parts = []
    full = len(base) // lanes * lanes
    for first, last in ((0, full), (full, len(base))):
        if first == last:
            continue
        width = min(lanes, last - first)
        step, lane = skewed_order(len(offset), width)
        tiles = base[first:last].reshape(-1, width)
        addresses = tiles[:, lane] + offset[step]
        if inside is not None:
            there = inside[first:last].reshape(-1, width, len(offset))[:, lane, step]
            parts.append(addresses[there])
        else:
            parts.append(addresses.ravel())
    return np.concatenate(parts)


def os_input_stream(layer: PeerLayer, rows: int) -> Addresses:
    """Input addresses of one column fold, output stationary: pixels across the rows, the reduction in time."""
    base, offset, inside = window_addresses(layer)
    return _tiled(base, offset, inside, rows)


def ws_input_stream(layer: PeerLayer, rows: int) -> Addresses:
    """Input addresses of one column fold, weight stationary: the reduction across the rows, pixels in time."""
    base, offset, inside = window_addresses(layer)
    return _tiled(offset, base, None if inside is None else inside.T, rows)


def is_input_stream(layer: PeerLayer, rows: int, columns: int) -> Addresses:
    """Input addresses of the whole layer, input stationary: tiles of rows x columns, loaded from the last row up."""
    base, offset, inside = window_addresses(layer)
    parts = []
    for left in range(0, len(base), columns):
        for top in range(0, len(offset), rows):
            tile = base[None, left : left + columns] + offset[top : top + rows, None]
            if inside is None:
                parts.append(tile[::-1].ravel())
            else:
                there = inside[left : left + columns, top : top + rows].T
                parts.append(tile[::-1][there[::-1]])
    return np.concatenate(parts)


def previous_use(stream: Addresses) -> Addresses:
    """Where each entry's address was last asked for when the stream repeats without end; negative: a repetition ago."""
    length = len(stream)
    order = stream.astype(np.int64)
    order <<= 32
    order |= np.arange(length, dtype=np.int64)
    order.sort()
    starts = np.flatnonzero((order[1:] >> 32) != (order[:-1] >> 32)) + 1
    starts = np.concatenate((np.zeros(1, dtype=np.int64), starts))
    ends = np.append(starts[1:], length) - 1
    position = (order & 0xFFFFFFFF).astype(np.int32)
    before = np.empty(length, dtype=np.int32)
    before[1:] = position[:-1]
    before[starts] = position[ends] - length
    found = np.empty(length, dtype=np.int32)
    found[position] = before
    return found


def flushing_reads(stream: Addresses, repeats: int, words: int) -> int:
    """DRAM reads of a stream asked for ``repeats`` times through a set that is emptied at ``words`` distinct addresses.

    A set that holds all distinct addresses is never emptied; otherwise the count proceeds epoch by epoch, an epoch
    ending with the access that brings the ``words``-th miss.
    """
    before = previous_use(stream)
    length = len(stream)
    distinct = int(np.count_nonzero(before < 0))
    if distinct < words:
        return distinct
    total = length * repeats
    reads = start = 0
    while start < total:
        start, missed = _epoch(before, start, total, words)
        reads += missed
    return reads


def _epoch(before: Addresses, start: int, limit: int, words: int) -> tuple[int, int]:
    """End position and misses of the epoch that starts at ``start``, looking no further than ``limit``."""
    length = len(before)
    missed, cursor, reach = 0, start, 2 * words
    while cursor < limit:
        period, inner = divmod(cursor, length)
        size = min(limit - cursor, length - inner, reach)
        fresh = before[inner : inner + size] < start - period * length
        found = int(np.count_nonzero(fresh))
        if missed + found >= words:
            last = int(np.flatnonzero(fresh)[words - missed - 1])
            return cursor + last + 1, words
        missed += found
        cursor += size
    return cursor, missed


def repeated_tile_reads(tiles: tuple[int, ...], repeats: int, words: int) -> int:
    """DRAM reads of tiles of distinct words, each asked for ``repeats`` times in a row, through the flushing set."""
    reads = held = 0
    for tile in tiles:
        start, total = 0, tile * repeats
        while start < total:
            fresh = min(tile, total - start)
            if held + fresh < words:
                held += fresh
                reads += fresh
                break
            taken = words - held
            reads += taken
            start += taken
            held = 0
    return reads


@lru_cache(maxsize=1024)
def drained_writes(words: int, line_words: int, buffer_words: int) -> int:
    """DRAM writes that SCALE-Sim counts for ``words`` outputs: padding of a line counts unless it ends its drain.

    The buffer holds lines of ``line_words``. When more than half of it is taken, the open line is closed (padded) and
    ceil(half / line) lines are drained; only the padding of a drain's last line is left out of the count.
    """
    half = buffer_words - -(-buffer_words // 2)
    per_drain = -(-half // line_words)
    taken = written = counted = 0
    partial: list[tuple[int, int]] = []  # (line number, padding) of closed lines not yet drained
    lines = drained = 0  # closed lines so far, drained lines so far
    open_words = 0
    while written < words:
        fresh = min(half + 1 - taken, words - written)
        written += fresh
        taken += fresh
        closed, open_words = divmod(open_words + fresh, line_words)
        lines += closed
        if taken <= half:
            break
        if open_words:
            partial.append((lines, line_words - open_words))
            lines, open_words = lines + 1, 0
        end = min(drained + per_drain, lines)
        moved = (end - drained) * line_words - sum(pad for line, pad in partial if line == end - 1)
        partial = [(line, pad) for line, pad in partial if line >= end]
        counted, taken, drained = counted + moved, taken - moved, end
    if open_words:
        partial.append((lines, line_words - open_words))
        lines += 1
    ends = {min(first + per_drain, lines) - 1 for first in range(drained, lines, per_drain)}
    return counted + (lines - drained) * line_words - sum(pad for line, pad in partial if line in ends)

"""A literal, slow SCALE-Sim: demand matrices walked cycle by cycle through the read set and the write lines.

Written from the peer's behaviour, element by element and without a closed form, to check the vectorised port.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from archsim.peers.layers import PeerLayer

NOTHING = -1
Matrix = list[list[int]]


def input_matrix(layer: PeerLayer) -> Matrix:
    """[P][K] addresses, channels innermost; NOTHING where the window hangs over the map."""
    rows = math.ceil((layer.height - layer.kernel_h + layer.stride) / layer.stride)
    columns = math.ceil((layer.width - layer.kernel_w + layer.stride) / layer.stride)
    matrix = []
    for out_row in range(rows):
        for out_column in range(columns):
            line = []
            for kernel_row in range(layer.kernel_h):
                for kernel_column in range(layer.kernel_w):
                    for channel in range(layer.channels):
                        y, x = out_row * layer.stride + kernel_row, out_column * layer.stride + kernel_column
                        inside = y < layer.height and x < layer.width
                        line.append((y * layer.width + x) * layer.channels + channel if inside else NOTHING)
            matrix.append(line)
    return matrix


def weight_matrix(layer: PeerLayer) -> Matrix:
    """[K][M] addresses."""
    reduction = layer.kernel_h * layer.kernel_w * layer.channels
    return [[filt * reduction + k for filt in range(layer.filters)] for k in range(reduction)]


def skew(tile: Matrix) -> Matrix:
    """Delay column c by c cycles."""
    width = len(tile[0])
    cycles = len(tile) + width - 1
    out = [[NOTHING] * width for _ in range(cycles)]
    for time, line in enumerate(tile):
        for column, address in enumerate(line):
            out[time + column][column] = address
    return out


def cut(matrix: Matrix, top: int, height: int, left: int, width: int) -> Matrix:
    """A tile of exactly height x width, filled up with NOTHING."""
    tile = []
    for y in range(top, top + height):
        line = matrix[y] if y < len(matrix) else []
        tile.append([line[x] if x < len(line) else NOTHING for x in range(left, left + width)])
    return tile


def transposed(matrix: Matrix) -> Matrix:
    return [list(column) for column in zip(*matrix, strict=True)]


def blank(height: int, width: int) -> Matrix:
    return [[NOTHING] * width for _ in range(height)]


@dataclass
class Demands:
    """What the array asks for, one line per cycle."""

    ifmap: Matrix
    filters: Matrix
    ofmap: Matrix


def demands(layer: PeerLayer, rows: int, cols: int, dataflow: str) -> Demands:
    inputs, weights = input_matrix(layer), weight_matrix(layer)
    positions, reduction, filters = len(inputs), len(weights), layer.filters
    outputs = [[p * filters + f for f in range(filters)] for p in range(positions)]
    out = Demands([], [], [])
    if dataflow == "os":
        for left in range(0, filters, cols):
            for top in range(0, positions, rows):
                streamed = transposed(cut(inputs, top, rows, 0, reduction))
                out.ifmap += skew(streamed + blank(cols - 1, rows))
                out.filters += skew(cut(weights, 0, reduction, left, cols) + blank(rows - 1, cols))
                out.ofmap += skew(blank(reduction - 1, cols) + cut(outputs, top, rows, left, cols)[::-1])
        return out
    if dataflow == "ws":
        for left in range(0, filters, cols):
            for top in range(0, reduction, rows):
                held = cut(weights, top, rows, left, cols)[::-1]
                out.filters += held + blank(rows + cols + positions - 2, cols)
                out.ifmap += skew(blank(rows, rows) + cut(inputs, 0, positions, top, rows) + blank(cols - 1, rows))
                out.ofmap += skew(blank(2 * rows - 1, cols) + cut(outputs, 0, positions, left, cols))
        return out
    for left in range(0, positions, cols):
        for top in range(0, reduction, rows):
            held = cut(transposed(inputs), top, rows, left, cols)[::-1]
            out.ifmap += held + blank(rows + cols + filters - 2, cols)
            moved = transposed(cut(weights, top, rows, 0, filters))
            out.filters += skew(blank(rows, rows) + moved + blank(cols - 1, rows))
            out.ofmap += skew(blank(2 * rows - 1, cols) + transposed(cut(outputs, left, cols, 0, filters)))
    return out


def read_buffer(lines: Matrix, size_bytes: int, active_sets: int = 50) -> int:
    """DRAM reads through a list of sets of which only those since the last flush count."""
    words_per_set = size_bytes // 100
    sets: list[set[int]] = [set()]
    oldest = reads = 0
    for line in lines:
        for address in line:
            if address == NOTHING or any(address in held for held in sets[oldest:]):
                continue
            sets[-1].add(address)
            reads += 1
            if len(sets[-1]) == words_per_set:
                if len(sets) == oldest + active_sets:
                    oldest += active_sets
                sets.append(set())
    return reads


def write_buffer(lines: Matrix, line_words: int, size_bytes: int) -> int:
    """DRAM writes through a buffer of lines, drained in the background at one line per cycle."""
    drain_words = size_bytes - math.ceil(size_bytes * 0.5)
    lines_per_drain = math.ceil(drain_words / line_words)
    stored: list[list[int]] = []
    current: list[int] = []
    free, first, count, drain_end = size_bytes, 0, 0, 0

    def close() -> None:
        nonlocal current
        if current:
            stored.append(current + [NOTHING] * (line_words - len(current)))
            current = []

    def drain(cycle: int) -> int:
        nonlocal first, free, count
        chunk = stored[first : first + lines_per_drain]
        moved = len(chunk) * line_words - chunk[-1].count(NOTHING)
        count, free, first = count + moved, free + moved, first + len(chunk)
        return cycle + len(chunk) - 1

    for cycle, line in enumerate(lines):
        for address in line:
            if address == NOTHING:
                continue
            current.append(address)
            free -= 1
            if len(current) == line_words:
                close()
            if cycle < drain_end:
                assert free > 0, "the write buffer would stall the array"
            elif free < size_bytes - drain_words:
                close()
                drain_end = drain(cycle)
    close()
    while first < len(stored):
        drain(0)
    return count


def span(lines: Matrix) -> tuple[int, int]:
    """Indices of the first and last line that asks for anything."""
    busy = [index for index, line in enumerate(lines) if any(address != NOTHING for address in line)]
    return busy[0], busy[-1]


def requests(lines: Matrix) -> int:
    return sum(address != NOTHING for line in lines for address in line)

"""What the spikes of a layer's input do at its output positions: active products, windows, unions over positions.

All statistics come from the values themselves, vectorised over timesteps and positions. With ``x[t, c, y, x]`` the
input and window ``W(p)`` of output position ``p``:

* ``weight[t, g, p] = sum over W(p) and the channels of group g of w(x)`` with ``w`` the set bits (bit-serial) or
  ``x != 0``;
* ``union[tile] = |{k : some (t, p) of the tile has x[t, p, k] != 0}|``, by OR over the tile's rows of the bit-packed
  windows;
* ``longest[tile] = max over (t, p) of the tile of |{k : x[t, p, k] != 0}|``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.workload import Layer

Ints = NDArray[np.int64]
Values = NDArray[np.generic]


def set_bits(values: Values, bits: int) -> NDArray[np.uint8]:
    """Set bits of each value (values of one bit are their own count)."""
    return values.astype(np.uint8, copy=False) if bits == 1 else np.bitwise_count(values)


def nonzero(values: Values, bits: int) -> NDArray[np.uint8]:
    """1 where a value is not zero."""
    return values.astype(np.uint8, copy=False) if bits == 1 else (values != 0).astype(np.uint8)


def per_position(counts: NDArray[np.uint8], layer: Layer) -> Ints:
    """Sum of ``counts`` [T, C, H, W] over each output position's window: [T, groups, positions].

    Channels are summed first; the window is then a box sum of kh * kw shifted maps.
    """
    steps, channels, height, width = counts.shape
    by_group = counts.reshape(steps, layer.groups, channels // layer.groups, height, width)
    total: NDArray[np.int64] = np.add.reduce(by_group, axis=2, dtype=np.int32)
    if layer.kernel == (1, 1) and layer.stride == (1, 1) and layer.padding == (0, 0):
        only: Ints = total.reshape(steps, layer.groups, -1).astype(np.int64)
        return only
    padded: Ints = padded_maps(total, layer)
    sums: Ints = np.zeros((steps, layer.groups, *layer.out_shape[1:]), np.int64)
    for rows, cols in window_slices(layer):
        sums += padded[:, :, rows, cols]
    return sums.reshape(steps, layer.groups, -1)


def per_index(counts: NDArray[np.uint8], layer: Layer) -> Ints:
    """Sum of ``counts`` over all positions for each reduction index (channel outermost): [T, groups, K]."""
    steps, channels = counts.shape[:2]
    padded = padded_maps(counts, layer)
    sums = [np.add.reduce(padded[:, :, rows, cols], axis=(2, 3), dtype=np.int64) for rows, cols in window_slices(layer)]
    return np.stack(sums, axis=2).reshape(steps, layer.groups, channels // layer.groups * len(sums))


def windows(values: Values, layer: Layer) -> Values:
    """All windows of one timestep laid out flat (im2col): [C, H, W] -> [groups, positions, K], channel outermost."""
    channels = values.shape[0]
    padded = padded_maps(values[None], layer)[0]
    stacked = np.stack([padded[:, rows, cols].reshape(channels, -1) for rows, cols in window_slices(layer)], axis=1)
    grouped = stacked.reshape(layer.groups, channels // layer.groups * len(window_slices(layer)), -1)
    return np.ascontiguousarray(grouped.transpose(0, 2, 1))


def union_per_tile(active: NDArray[np.uint8], layer: Layer, tile_starts: Ints, batch: int, interleaved: bool) -> Ints:
    """Reduction indices at which any row of the tile is active: [batches, groups, tiles].

    ``tile_starts`` index (position) rows, or (position * batch + t) rows when the batch's timesteps are ``interleaved``
    along the array's rows; otherwise the batch's timesteps are OR-ed (they stream together).
    """
    steps = active.shape[0]
    packed = _packed_windows(active, layer)  # [T, groups, positions, offsets, bytes]
    result = []
    for first in range(0, steps, batch):
        part = packed[first : first + batch]
        if interleaved:
            rows = part.transpose(1, 2, 0, 3, 4).reshape(part.shape[1], -1, *part.shape[3:])
        else:
            rows = np.bitwise_or.reduce(part, axis=0)
        merged = np.bitwise_or.reduceat(rows, tile_starts[tile_starts < rows.shape[1]], axis=1)
        result.append(np.bitwise_count(merged).sum(axis=(2, 3), dtype=np.int64))
    return np.stack(result)


def _packed_windows(active: NDArray[np.uint8], layer: Layer) -> NDArray[np.uint8]:
    """Every position's window, bit-packed along the channels of its group: [T, groups, positions, kh * kw, bytes]."""
    steps, channels, height, width = active.shape
    grouped = active.reshape(steps, layer.groups, channels // layer.groups, height, width)
    packed = np.packbits(grouped.transpose(0, 1, 3, 4, 2), axis=-1)  # [T, groups, H, W, bytes]
    (pad_y, pad_x) = layer.padding
    packed = np.pad(packed, ((0, 0), (0, 0), (pad_y, pad_y), (pad_x, pad_x), (0, 0)))
    shape = (steps, layer.groups, -1, packed.shape[-1])
    views = [packed[:, :, rows, cols].reshape(shape) for rows, cols in window_slices(layer)]
    return np.stack(views, axis=3)


def padded_maps(maps: NDArray[Any], layer: Layer) -> NDArray[Any]:
    """Maps [..., H, W] with the layer's padding around them."""
    pad_y, pad_x = layer.padding
    if not (pad_y or pad_x):
        return maps
    return np.pad(maps, ((0, 0),) * (maps.ndim - 2) + ((pad_y, pad_y), (pad_x, pad_x)))


def window_slices(layer: Layer) -> list[tuple[slice, slice]]:
    """For each kernel offset (row-major), the slices of the padded map that its products read."""
    (height, width), (step_y, step_x), (high, wide) = layer.out_shape[1:], layer.stride, layer.reach
    return [
        (slice(y, y + (height - 1) * step_y + 1, step_y), slice(x, x + (width - 1) * step_x + 1, step_x))
        for y in range(0, high, layer.dilation[0])
        for x in range(0, wide, layer.dilation[1])
    ]

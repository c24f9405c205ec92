"""Currents summed in a fixed order: one input after the other, the bias last.

Whether a potential changes is a question of its last bit, and that depends on the order in which a current was summed.
A library's matrix product may choose another order for another number of cores or samples. Here it is ascending over
the inputs (channel, then row and column of the kernel), as matrix kernels sum along one column, so that the same
network always gives the same answer; a framework whose kernels sum otherwise may count a few updates more or fewer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from archsim.workload import Layer

Array = NDArray[Any]


class InOrder:
    """A weighted layer on [B, T, C, H, W]; ``weight`` and ``bias`` ([O]) in the type of the sums."""

    def __init__(self, layer: Layer, weight: Array, bias: Array | None, dtype: np.dtype[Any]) -> None:
        self.layer, self.dtype = layer, dtype
        self.weight = weight.reshape(layer.groups, layer.filters, -1).astype(dtype)
        self.bias = None if bias is None else bias.astype(dtype)

    def __call__(self, operands: Sequence[Array]) -> Array:
        """Currents [B, T, C', H', W']."""
        batch, steps = operands[0].shape[:2]
        windows = self._windows(operands[0].reshape(batch * steps, *self.layer.in_shape))
        groups, filters, reduction = self.weight.shape
        windows = windows.reshape(len(windows), groups, reduction, 1, -1)
        sums = np.zeros((len(windows), groups, filters, windows.shape[-1]), self.dtype)
        for place in range(reduction):
            sums += self.weight[:, :, place, None] * windows[:, :, place]
        found = sums.reshape(batch, steps, *self.layer.out_shape)
        return found if self.bias is None else found + self.bias[:, None, None]

    def _windows(self, maps: Array) -> Array:
        """What each weight meets, [M, C, kh, kw, places]; of linear and matmul [M, C, 1, 1, rows]."""
        layer = self.layer
        if layer.kind != "conv2d":
            return maps.reshape(len(maps), layer.in_shape[0], 1, 1, -1).astype(self.dtype)
        (pad_h, pad_w), (step_h, step_w), (far_h, far_w) = layer.padding, layer.stride, layer.dilation
        padded = np.pad(maps.astype(self.dtype), ((0, 0), (0, 0), (pad_h, pad_h), (pad_w, pad_w)))
        by_map, by_channel, by_row, by_column = padded.strides
        shape = (len(maps), layer.in_shape[0], *layer.kernel, *layer.out_shape[1:])
        strides = (by_map, by_channel, far_h * by_row, far_w * by_column, step_h * by_row, step_w * by_column)
        return as_strided(padded, shape, strides).reshape(*shape[:4], -1)

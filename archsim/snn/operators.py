"""What the layers do to the values that reach them, for a batch of inputs and all timesteps at once.

Every operator maps operands [B, T, C, H, W] to currents [B, T, C', H', W']. A time axis of length 1 stands for a value
that is the same at every timestep, so a directly coded first layer is computed once. Sums run in an order that is not
part of the contract: on grids whose sums the type holds exactly, no order can change them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from archsim.workload.network import Layer

Array = NDArray[Any]
Operator = Callable[[Sequence[Array]], Array]


@runtime_checkable
class Numbered(Protocol):
    """An operator that draws something anew for every input, from the input's number."""

    def numbered(self, operands: Sequence[Array], numbers: Array) -> Array:
        """As the operator itself, for the inputs of these ``numbers`` [B]."""
        ...


def applied(operate: Operator, operands: Sequence[Array], numbers: Array) -> Array:
    """What an operator makes of the inputs of these numbers."""
    return operate.numbered(operands, numbers) if isinstance(operate, Numbered) else operate(operands)


COLUMN_BYTES = 1 << 19
"""Unfolded windows that are multiplied at once; they stay in a core's cache."""
GATHER_WEIGHTS = 1 << 20
GATHER_ROWS = 32
"""Rows with at most 1/32 of their values non-zero gather, in matrices of a million weights and more (2 to 9 times
faster there; below, the product is)."""
ONE_THREAD = 1 << 18
PRODUCT_ROWS = 4
"""OpenBLAS spreads products of more multiplications over threads of its own, which then fight with ours."""


class Conv2d:
    """Cross-correlation of [C, H, W] with weight [O, C/groups, kh, kw] as one matrix product per map.

    ``bias``: [O], or [T, O] with one for each timestep. Maps in which nothing spikes are not multiplied.
    """

    def __init__(self, layer: Layer, weight: Array, bias: Array | None, dtype: np.dtype[Any]) -> None:
        self.layer, self.dtype = layer, dtype
        self.weight = np.ascontiguousarray(weight.reshape(layer.groups, layer.filters, -1), dtype)
        self.bias = as_bias(bias, dtype)

    def __call__(self, operands: Sequence[Array]) -> Array:
        """Currents of the batch."""
        batch, steps = operands[0].shape[:2]
        maps = operands[0].reshape(batch * steps, *self.layer.in_shape)
        found = np.zeros((len(maps), *self.layer.out_shape), self.dtype)
        busy = _not_silent(maps)
        if busy is None:
            self._into(maps, found)
        elif len(busy):
            some = np.empty((len(busy), *self.layer.out_shape), self.dtype)
            self._into(maps[busy], some)
            found[busy] = some
        return with_bias(found.reshape(batch, steps, *self.layer.out_shape), self.bias)

    def _into(self, maps: Array, found: Array) -> None:
        groups, filters, reduction = self.weight.shape
        positions = self.layer.positions
        block = max(1, COLUMN_BYTES // (groups * reduction * positions * self.dtype.itemsize))
        for first in range(0, len(maps), block):
            some = maps[first : first + block]
            columns = self._columns(some).reshape(len(some), groups, reduction, positions)
            into = found[first : first + block].reshape(len(some), groups, filters, positions)
            np.matmul(self.weight, columns, out=into)

    def _columns(self, maps: Array) -> Array:
        """The windows of each map, unfolded: [M, C, kh, kw, Ho, Wo]."""
        layer = self.layer
        count, channels, height, width = maps.shape
        (pad_h, pad_w), (step_h, step_w), (far_h, far_w) = layer.padding, layer.stride, layer.dilation
        padded = np.zeros((count, channels, height + 2 * pad_h, width + 2 * pad_w), self.dtype)
        padded[:, :, pad_h : pad_h + height, pad_w : pad_w + width] = maps
        by_map, by_channel, by_row, by_column = padded.strides
        shape = (count, channels, *layer.kernel, *layer.out_shape[1:])
        strides = (by_map, by_channel, far_h * by_row, far_w * by_column, step_h * by_row, step_w * by_column)
        return np.ascontiguousarray(as_strided(padded, shape, strides))


class Linear:
    """Weight [O, I] times the flattened input, plus ``bias`` [O] or [T, O].

    Where the matrix is large, rows with few spikes add up the weights of these only.
    """

    def __init__(self, layer: Layer, weight: Array, bias: Array | None, dtype: np.dtype[Any]) -> None:
        self.layer, self.dtype = layer, dtype
        self.weight = np.ascontiguousarray(weight.T, dtype)
        self.bias = as_bias(bias, dtype)

    def __call__(self, operands: Sequence[Array]) -> Array:
        """Currents of the batch."""
        batch, steps = operands[0].shape[:2]
        rows = operands[0].reshape(batch * steps, len(self.weight))
        found = np.empty((len(rows), self.weight.shape[1]), self.dtype)
        few = np.zeros(len(rows), np.bool_)
        if self.weight.size >= GATHER_WEIGHTS and rows.dtype.kind == "u":
            few = np.count_nonzero(rows, axis=1) * GATHER_ROWS <= rows.shape[1]
        for row in np.flatnonzero(few):
            active = np.flatnonzero(rows[row])
            np.matmul(rows[row, active].astype(self.dtype), self.weight[active], out=found[row])
        if few.any():
            found[~few] = self._products(rows[~few].astype(self.dtype))
        else:
            found = self._products(rows.astype(self.dtype, copy=False))
        return with_bias(found.reshape(batch, steps, *self.layer.out_shape), self.bias)

    def _products(self, rows: Array) -> Array:
        """Rows times weights; small matrices in products so small that no library spreads one over threads."""
        whole = len(rows) // PRODUCT_ROWS * PRODUCT_ROWS
        if self.weight.size * PRODUCT_ROWS > ONE_THREAD or not whole:
            product: Array = np.matmul(rows, self.weight)
            return product
        found = np.empty((len(rows), self.weight.shape[1]), self.dtype)
        by_four = rows[:whole].reshape(-1, PRODUCT_ROWS, rows.shape[1])
        np.matmul(by_four, self.weight, out=found[:whole].reshape(*by_four.shape[:2], -1))
        np.matmul(rows[whole:], self.weight, out=found[whole:])
        return found


class Matmul:
    """Weight [O, I] times every row of a token map [I, rows, 1], plus ``bias`` [O] or [T, O]."""

    def __init__(self, layer: Layer, weight: Array, bias: Array | None, dtype: np.dtype[Any]) -> None:
        self.layer, self.dtype = layer, dtype
        self.weight = np.ascontiguousarray(weight, dtype)
        self.bias = as_bias(bias, dtype)

    def __call__(self, operands: Sequence[Array]) -> Array:
        """Currents of the batch."""
        batch, steps = operands[0].shape[:2]
        rows = operands[0].reshape(batch, steps, *self.layer.in_shape[:2]).astype(self.dtype, copy=False)
        return with_bias(np.matmul(self.weight, rows).reshape(batch, steps, *self.layer.out_shape), self.bias)


WEIGHTED: dict[str, type[Conv2d] | type[Linear] | type[Matmul]] = {
    "conv2d": Conv2d, "linear": Linear, "matmul": Matmul,
}  # fmt: skip


class Pool:
    """The sum, the average (sum / window, padding counted) or the maximum over each window.

    Padding is zeros; in a maximum over currents it never wins, unless a window holds nothing else.
    """

    def __init__(self, layer: Layer, dtype: np.dtype[Any], average: bool) -> None:
        self.layer, self.dtype = layer, dtype
        self.largest = layer.kind == "maxpool2d"
        self.divisor = dtype.type(math.prod(layer.kernel)) if average and not self.largest else None

    def __call__(self, operands: Sequence[Array]) -> Array:
        """Pooled maps; a maximum keeps the type of its input."""
        values = operands[0]
        if not self.largest:
            values = values.astype(self.dtype, copy=False)
        signed = self.largest and values.dtype.kind == "f"
        values = self._padded(values, -np.inf if signed else 0)
        combine = np.maximum if self.largest else np.add
        pooled = values
        for axis in (0, 1):
            pooled = self._along(pooled, axis, combine)
        if signed and any(self.layer.padding):
            pooled[np.isneginf(pooled)] = 0
        if self.divisor is not None:
            pooled /= self.divisor
        return pooled

    def _padded(self, values: Array, fill: float) -> Array:
        pad_h, pad_w = self.layer.padding
        if not (pad_h or pad_w):
            return values
        return np.pad(values, ((0, 0),) * 3 + ((pad_h, pad_h), (pad_w, pad_w)), constant_values=fill)

    def _along(self, values: Array, axis: int, combine: np.ufunc) -> Array:
        """Combine along the rows (axis 0) or columns (1) of every window."""
        size, stride, places = self.layer.kernel[axis], self.layer.stride[axis], self.layer.out_shape[1 + axis]
        found: Array | None = None
        for start in range(size):
            chosen = slice(start, start + (places - 1) * stride + 1, stride)
            view = values[:, :, :, chosen] if axis == 0 else values[:, :, :, :, chosen]
            found = view.copy() if found is None else combine(found, view, out=found)
        assert found is not None
        return found


class Add:
    """The sum of the operands from left to right, each times its whole number in ``factors`` where there are some."""

    def __init__(self, dtype: np.dtype[Any], factors: Sequence[float] = ()) -> None:
        self.dtype = dtype
        self.factors = tuple(factors)

    def __call__(self, operands: Sequence[Array]) -> Array:
        """Sums of the batch."""
        terms = [operand.astype(self.dtype, copy=False) for operand in operands]
        if self.factors:
            terms = [term * self.dtype.type(factor) for term, factor in zip(terms, self.factors, strict=True)]
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        return total


class Affine:
    """``x * scale + offset``, as in batch norm, each [T or 1, C or 1, H or 1, W or 1]."""

    def __init__(self, scale: Array, offset: Array | None, dtype: np.dtype[Any]) -> None:
        self.scale = scale.astype(dtype)
        self.offset = None if offset is None else offset.astype(dtype)

    def __call__(self, operands: Sequence[Array]) -> Array:
        """Scaled values."""
        found: Array = operands[0].astype(self.scale.dtype, copy=False) * self.scale
        if self.offset is not None:
            found = found + self.offset
        return found


class Reshape:
    """The same values as a map of another shape."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer

    def __call__(self, operands: Sequence[Array]) -> Array:
        """A view."""
        return operands[0].reshape(*operands[0].shape[:2], *self.layer.out_shape)


class Delay:
    """``out[t] = in[t - delay]``, and 0 before."""

    def __init__(self, layer: Layer, timesteps: int) -> None:
        self.delay, self.timesteps = layer.delay, timesteps

    def __call__(self, operands: Sequence[Array]) -> Array:
        """Values of the batch, later."""
        values = operands[0]
        late = np.zeros((len(values), self.timesteps, *values.shape[2:]), values.dtype)
        if self.delay < self.timesteps:
            constant = values.shape[1] == 1
            late[:, self.delay :] = values if constant else values[:, : self.timesteps - self.delay]
        return late


def as_bias(bias: Array | None, dtype: np.dtype[Any]) -> Array | None:
    """As [T or 1, O, 1, 1]."""
    if bias is None:
        return None
    return np.atleast_2d(bias).astype(dtype)[:, :, None, None]


def with_bias(currents: Array, bias: Array | None) -> Array:
    """Currents [B, T or 1, O, H, W] plus a bias [T or 1, O, 1, 1], perhaps in place."""
    if bias is None:
        return currents
    if currents.shape[1] >= len(bias):
        currents += bias
        return currents
    return currents + bias


def _not_silent(maps: Array) -> Array | None:
    """Which maps hold a spike; None if all do, or if they are no spikes."""
    if maps.dtype.kind != "u":
        return None
    busy = maps.reshape(len(maps), -1).max(axis=1) > 0
    return None if busy.all() else np.flatnonzero(busy)

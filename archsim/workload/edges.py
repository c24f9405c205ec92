"""What pools, adds, flattens and folded batch norms do to the values on an edge: exact integer arithmetic."""

from __future__ import annotations

import numpy as np

from archsim.workload.generators import Values, value_type
from archsim.workload.network import Layer


def apply(layer: Layer, operands: list[Values]) -> Values:
    """Values that leave a layer without weights and neurons, from the [T, C, H, W] values of its sources.

    Max-pool takes the window's largest value (an OR on spikes). Sum and average pool both give the window's *sum*: the
    1/k^2 of an average belongs to the next layer's weights. Padding adds zeros. ``add`` sums its operands; ``flatten``
    reshapes; ``delay`` holds values back; ``batchnorm`` and ``scale`` are folded into weights and thresholds and change
    nothing.
    """
    first = operands[0]
    if layer.kind == "add":
        total = np.zeros(first.shape, dtype=value_type(layer.out_max))
        for operand in operands:
            np.add(total, operand, out=total, casting="same_kind")
        return total
    if layer.kind == "maxpool2d":
        return _pool(layer, first, np.maximum)
    if layer.kind in ("avgpool2d", "sumpool2d"):
        return _pool(layer, first, np.add)
    if layer.kind == "delay":
        late = np.zeros_like(first)
        late[layer.delay :] = first[: -layer.delay]
        return late
    return first.reshape(first.shape[0], *layer.out_shape)


def _pool(layer: Layer, values: Values, combine: np.ufunc) -> Values:
    """Combine the kh*kw shifted, strided views of the padded map."""
    (kernel_h, kernel_w), (stride_h, stride_w) = layer.kernel, layer.stride
    _, out_h, out_w = layer.out_shape
    pad_h, pad_w = layer.padding
    padded = np.pad(values, ((0, 0), (0, 0), (pad_h, pad_h), (pad_w, pad_w))) if pad_h or pad_w else values
    pooled = np.zeros((values.shape[0], *layer.out_shape), dtype=value_type(layer.out_max))
    for top in range(kernel_h):
        for left in range(kernel_w):
            rows = slice(top, top + (out_h - 1) * stride_h + 1, stride_h)
            columns = slice(left, left + (out_w - 1) * stride_w + 1, stride_w)
            combine(pooled, padded[:, :, rows, columns], out=pooled, casting="same_kind")
    return pooled

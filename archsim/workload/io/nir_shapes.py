"""Shapes of what leaves convolutions, pools and linear layers of a NIR file, checked against their weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.workload.io.nir_file import Node, Value

Dims = tuple[int, ...] | None
"""[features], [channels, length] or [channels, height, width]; None where a mistake before leaves it unknown."""
Say = Callable[[str], None]
LARGEST = 1 << 24
_DEFAULTS = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}


def show(dims: Sequence[int] | None) -> str:
    """A shape as people write it."""
    return "unknown" if dims is None else "[" + ", ".join(str(size) for size in dims) + "]"


def conv_dims(node: Node, axes: int, before: Dims, say: Say) -> tuple[dict[str, Any] | None, Dims]:
    """Keys of a convolution's layer (None where they contradict each other), and the shape that leaves it."""
    weight = node.array("weight")
    if weight is None or weight.ndim != axes + 2 or 0 in weight.shape:
        if weight is not None:
            names = "out, in / groups, " + ("height, width" if axes == 2 else "length")
            say(f"weight has shape {show(weight.shape)}; a {node.kind} has [{names}]")
        return None, None
    found, groups = _geometry(node, weight.shape[2:], say)
    if found is None:
        return None, None
    if weight.shape[0] % groups:
        say(f"{weight.shape[0]} filters do not make {groups} equal groups")
        return None, None
    keys = {name: _brief(sizes) for name, sizes in found.items()} | {"groups": groups}
    keys = {name: value for name, value in keys.items() if value != _DEFAULTS.get(name)}
    if before is None:
        return keys, None
    if len(before) != axes + 1 or before[0] != weight.shape[1] * groups:
        reads = f"reads {weight.shape[1] * groups} channels on {axes} axes; gets {show(before)}"
        say(f"weight of shape {show(weight.shape)} with groups {groups} {reads}")
        return None, None
    reach = [d * (k - 1) + 1 for d, k in zip(found["dilation"], found["kernel"], strict=True)]
    return keys, _windows(before, weight.shape[0], reach, found["stride"], found["padding"], say)


def _geometry(node: Node, kernel: tuple[int, ...], say: Say) -> tuple[dict[str, tuple[int, ...]] | None, int]:
    """kernel, stride, padding and dilation of a convolution, and its groups; None where one cannot be read."""
    axes = len(kernel)
    stride, dilation = (_sizes(node.fields.get(name), axes, name, 1, say) for name in ("stride", "dilation"))
    groups = _sizes(node.fields.get("groups"), 1, "groups", 1, say)
    if stride is None or dilation is None or groups is None:
        return None, 1
    padding = _padding(node.fields.get("padding"), kernel, stride, dilation, say)
    if padding is None:
        return None, 1
    return {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}, groups[0]


def pool_dims(node: Node, before: Dims, say: Say) -> tuple[dict[str, Any] | None, Dims]:
    """Keys of a pool's layer, and the shape that leaves it."""
    kernel, stride = (_sizes(node.fields.get(name), 2, name, 1, say) for name in ("kernel_size", "stride"))
    padding = _sizes(node.fields.get("padding"), 2, "padding", 0, say)
    if kernel is None or stride is None or padding is None:
        return None, None
    keys: dict[str, Any] = {"kernel": _brief(kernel)}
    if stride != kernel:
        keys["stride"] = _brief(stride)
    if any(padding):
        keys["padding"] = _brief(padding)
    if before is None:
        return keys, None
    if len(before) != 3:
        say(f"pools a map of channels, height and width; gets {show(before)}")
        return keys, None
    return keys, _windows(before, before[0], kernel, stride, padding, say)


def linear_dims(node: Node, before: Dims, say: Say) -> tuple[NDArray[Any] | None, Dims]:
    """The weights [out, in] of a linear layer (None where they contradict what enters), and the shape that leaves."""
    weight = node.array("weight")
    if weight is None:
        return None, None
    if weight.ndim != 2 or 0 in weight.shape:
        say(f"weight has shape {show(weight.shape)}; one of [out, in] is read")
        return None, None
    if before is not None and math.prod(before) != weight.shape[1]:
        say(f"weight of shape {show(weight.shape)} reads {weight.shape[1]} values; gets {show(before)}")
        return None, (weight.shape[0],)
    return weight, (weight.shape[0],)


def _windows(
    before: tuple[int, ...],
    channels: int,
    reach: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    say: Say,
) -> Dims:
    """The shape that windows at their steps make of a map."""
    steps = zip(before[1:], reach, stride, padding, strict=True)
    sizes = [(size + 2 * pad - span) // step + 1 for size, span, step, pad in steps]
    if min(sizes) < 1:
        say(f"a window of {show(reach)} with padding {show(padding)} does not fit into {show(before)}")
        return None
    return (channels, *sizes)


def _sizes(value: Value | None, axes: int, name: str, least: int, say: Say) -> tuple[int, ...] | None:
    """Whole numbers, one for each axis: stated so, or one for all."""
    if value is None:
        return None  # reported as missing
    if isinstance(value, str) or value.size not in (1, axes) or not np.equal(np.mod(value, 1), 0).all():
        say(f"{name} is {value if isinstance(value, str) else value.tolist()}; allowed: {axes} whole numbers, or one")
        return None
    numbers = [int(number) for number in np.asarray(value).reshape(-1)]
    if not all(least <= number <= LARGEST for number in numbers):
        say(f"{name} is {numbers}; allowed: {least} to {LARGEST:,}")
        return None
    return tuple(numbers * axes if len(numbers) == 1 else numbers)


def _padding(
    value: Value | None, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int], say: Say
) -> tuple[int, ...] | None:
    """Zeros on each side, from numbers, ``valid`` or ``same``."""
    if isinstance(value, str) and value == "valid":
        return tuple(0 for _ in kernel)
    if isinstance(value, str) and value == "same":
        both = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        if any(size % 2 for size in both) or any(step != 1 for step in stride):
            say("padding 'same' of an even kernel, or with a stride, is not equal on both sides, and not modelled")
            return None
        return tuple(size // 2 for size in both)
    return _sizes(value, len(kernel), "padding", 0, say)


def _brief(sizes: Sequence[int]) -> int | list[int]:
    """One number where all are equal."""
    return sizes[0] if len(set(sizes)) == 1 else list(sizes)

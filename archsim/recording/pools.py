"""Pools of PyTorch as archsim's: modules and functions, adaptive ones where they are plain pools."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from archsim.recording.graph import Described, Refusal

_NAMES = {
    "avg": ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"),
    "max": ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices"),
}
_FUNCTION = re.compile(r"(adaptive_)?(avg|max)_pool([12])d")
FUNCTIONS = tuple(
    f"{adaptive}{kind}_pool{axes}d" for adaptive in ("adaptive_", "") for kind in ("avg", "max") for axes in (1, 2)
)
"""Pools under ``torch.nn.functional``."""


def of_function(
    name: str, args: Sequence[Any], kwargs: Mapping[str, Any], shape: tuple[int, ...]
) -> Described | Refusal:
    """The pool that a call of a function makes on a tensor of this shape; ``args`` are those behind the tensor."""
    found = _FUNCTION.fullmatch(name)
    assert found is not None
    adaptive, kind, axes = found[1], found[2], int(found[3])
    if adaptive:
        return _adaptive(kind, axes, kwargs.get("output_size", args[0] if args else None), shape)
    return _pool(kind, axes, dict(zip(_NAMES[kind], args, strict=False)) | dict(kwargs), shape)


def of_module(kind: str, axes: int, module: Any, shape: tuple[int, ...]) -> Described | Refusal:
    """The pool of a module: AvgPool, MaxPool (1d, 2d) and their adaptive forms."""
    if hasattr(module, "output_size"):
        return _adaptive(kind, axes, module.output_size, shape)
    settings = {name: getattr(module, name) for name in _NAMES[kind] if hasattr(module, name)}
    return _pool(kind, axes, settings, shape)


def sum_pool(module: Any, shape: tuple[int, ...]) -> Described | Refusal:
    """sinabs' SumPool2d and PyTorch's LPPool2d of norm 1."""
    if module.norm_type != 1:
        return Refusal(f"norm_type {module.norm_type}; only 1, a sum, is a layer of archsim")
    names = ("kernel_size", "stride", "ceil_mode")
    return _pool("sum", 2, {name: getattr(module, name) for name in names}, shape)


def _pool(kind: str, axes: int, settings: Mapping[str, Any], shape: tuple[int, ...]) -> Described | Refusal:
    kernel = sizes(settings["kernel_size"], axes)
    stride = sizes(settings.get("stride") or kernel, axes)
    padding = sizes(settings.get("padding", 0), axes)
    wrong = []
    if any(size != 1 for size in sizes(settings.get("dilation", 1), axes)):
        wrong.append(f"dilation {settings['dilation']}; only 1")
    if settings.get("return_indices"):
        wrong.append("return_indices; only the pooled map")
    if kind == "avg" and any(padding) and not settings.get("count_include_pad", True):
        wrong.append("count_include_pad=False; archsim counts the padding")
    if settings.get("divisor_override") not in (None, 1):
        wrong.append(f"divisor_override {settings['divisor_override']}; only the window, or 1")
    if settings.get("ceil_mode") and not _whole(shape[-axes:], kernel, stride, padding):
        wrong.append("ceil_mode adds windows that hang over the edge; archsim rounds sizes down")
    if wrong:
        return Refusal("; ".join(wrong))
    kind = "sum" if settings.get("divisor_override") == 1 else kind
    return Described(f"{kind}pool{axes}d", _keys(kernel, stride, padding))


def _whole(shape: Sequence[int], kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int]) -> bool:
    """Whether the windows end where the map ends."""
    ends = zip(shape, kernel, stride, padding, strict=True)
    return all((size + 2 * pad - window) % step == 0 for size, window, step, pad in ends)


def _adaptive(kind: str, axes: int, output: Any, shape: tuple[int, ...]) -> Described | Refusal:
    wanted = output if isinstance(output, tuple | list) else (output,) * axes
    there = shape[-axes:]
    places = [size if want is None else int(want) for want, size in zip(wanted, there, strict=True)]
    if any(size % place for size, place in zip(there, places, strict=True)):
        return Refusal(f"an adaptive pool from {list(there)} to {places} has unequal windows; only those of one size")
    kernel = tuple(size // place for size, place in zip(there, places, strict=True))
    return Described(f"{kind}pool{axes}d", _keys(kernel, kernel, (0,) * axes))


def _keys(kernel: tuple[int, ...], stride: tuple[int, ...], padding: tuple[int, ...]) -> dict[str, Any]:
    keys: dict[str, Any] = {"kernel": short(kernel)}
    if stride != kernel:
        keys["stride"] = short(stride)
    if any(padding):
        keys["padding"] = short(padding)
    return keys


def sizes(value: Any, axes: int) -> tuple[int, ...]:
    """One number for each axis."""
    items = value if isinstance(value, tuple | list) else (value,)
    return tuple(int(item) for item in (items if len(items) == axes else tuple(items) * axes))


def short(values: tuple[int, ...]) -> int | list[int]:
    """One number where all are equal."""
    return values[0] if len(set(values)) == 1 else list(values)

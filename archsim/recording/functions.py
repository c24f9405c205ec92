"""What functions and operators between the modules do to the values that are followed: +, views, pools, ``x[t]``."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from archsim.recording import pools
from archsim.recording.graph import EVERY, STILL, Described, Node, Refusal, Value, as_map

if TYPE_CHECKING:
    from archsim.recording.follow import Follower

SAME = (
    "contiguous", "detach", "detach_", "clone", "float", "double", "to", "type", "type_as", "cpu", "alias",
    "requires_grad_",
)  # fmt: skip
"""They change no number."""
VIEWS = ("view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "view_as", "reshape_as")
DROPOUTS = ("dropout", "dropout1d", "dropout2d", "alpha_dropout", "feature_dropout")
ADDS = ("add", "add_", "__add__", "__radd__", "__iadd__")
PRODUCTS = ("mul", "mul_", "__mul__", "__rmul__", "div", "div_", "__truediv__", "true_divide", "multiply")
SWAPS = ("transpose", "permute", "swapaxes", "swapdims", "movedim", "transpose_")
Call = tuple[Sequence[Any], dict[str, Any], Any]
"""Positional and named arguments, and what came out."""


def apply(follower: Follower, name: str, call: Call) -> None:
    """Follow one function: say of what came out what it is, where archsim knows."""
    args, kwargs, out = call
    known = follower.find(args[0]) if args else None
    if name in SAME and known is not None:
        follower.tell(out, known)
    elif name in DROPOUTS and known is not None:
        _dropout(follower, name, known, call)
    elif name in VIEWS and known is not None:
        viewed(follower, known, name, call)
    elif name in SWAPS and known is not None:
        _swapped(follower, name, known, call)
    elif name in ADDS:
        added(follower, "add", call)
    elif name in PRODUCTS:
        _scaled(follower, name, call)
    elif name in pools.FUNCTIONS and known is not None:
        described = pools.of_function(name, args[1:], kwargs, tuple(args[0].shape))
        follower.layer(f"{name}", described, known, out)
    elif name in ("stack", "unbind", "__getitem__", "select"):
        TIME[name](follower, name, call)
    else:
        follower.lost(name, call)


def viewed(follower: Follower, known: Value, name: str, call: Call) -> None:
    """A view: told what it is, or lost."""
    found = view(follower, known, call[2], name)
    if found is None:
        follower.lost(name, call, "mixes samples, timesteps and the map")
    else:
        follower.tell(call[2], found)


def view(follower: Follower, known: Value, out: Any, name: str) -> Value | None:
    """The same values in another shape: other axes in front, or the map flattened. None: the axes are mixed up."""
    shape, steps = tuple(out.shape), follower.timesteps
    axes = known.axes
    if known.when != EVERY:
        if not shape or shape[0] != 1:
            return None
        return Value(_reshaped(follower, known.node, shape[1:], name), known.when, axes)
    fronts = {"TN": (steps, 1), "NT": (1, steps), "T": (steps,)}
    for front in dict.fromkeys((*_as_before(known, shape, fronts), axes, "T", "TN", "NT")):
        sizes = fronts[front]
        if shape[: len(sizes)] == sizes and len(shape) > len(sizes):
            rest = shape[len(sizes) :]
            if math.prod(rest) == math.prod(known.node.shape):
                return Value(_reshaped(follower, known.node, rest, name), known.when, front)
    return None


def _as_before(known: Value, shape: tuple[int, ...], fronts: dict[str, tuple[int, ...]]) -> list[str]:
    """Axes in front under which the map keeps its shape."""
    return [front for front, sizes in fronts.items() if shape == (*sizes, *known.node.shape)]


def _reshaped(follower: Follower, node: Node, shape: tuple[int, ...], name: str) -> Node:
    """The node as a map of another shape: itself where archsim's [C, H, W] stay; flattened; unknown."""
    if shape == node.shape:
        return node
    key = ("view", node, shape)
    if len(shape) in (1, 2, 3) and as_map(shape) == as_map(node.shape):
        return follower.graph.node(key, lambda: Node("flatten", name, (node,), shape, keys={"same": True}))
    if len(shape) in (1, 3) and as_map(shape)[1:] == (1, 1):
        return follower.graph.node(key, lambda: Node("flatten", name, (node,), shape))
    why = f"makes a map {list(shape)} of {list(node.shape)}; archsim only flattens: give the inputs in the map's shape"
    return follower.graph.unknown(name, (node,), shape, why)


def _dropout(follower: Follower, name: str, known: Value, call: Call) -> None:
    args, kwargs, out = call
    stated = dict(zip(("p", "training"), args[1:], strict=False)) | kwargs
    if stated.get("training", True) and stated.get("p", 0.5):
        follower.graph.blame(name, "drops values while training; module.eval(), and training=self.training in the call")
    follower.tell(out, known)


def _swapped(follower: Follower, name: str, known: Value, call: Call) -> None:
    """Time and sample change places."""
    args, _, out = call
    before, after = tuple(args[0].shape), tuple(out.shape)
    front = {"TN": "NT", "NT": "TN"}.get(known.axes)
    moved = [axis for axis, (old, new) in enumerate(zip(args[0].stride(), out.stride(), strict=True)) if old != new]
    if known.when == EVERY and front and after == (before[1], before[0], *before[2:]) and max(moved, default=0) < 2:
        follower.tell(out, Value(known.node, EVERY, front))
    elif after == before and not moved:
        follower.tell(out, known)
    else:
        follower.lost(name, call)


def added(follower: Follower, name: str, call: Call) -> None:
    """A residual +; adding the number 0, as ``sum()`` does, changes nothing."""
    args, kwargs, out = call
    found = [follower.find(arg) for arg in args[:2]]
    known = [value for value in found if value is not None]
    if len(known) == 1 and len(args) > 1:
        other = args[0] if found[0] is None else args[1]
        if isinstance(other, int | float) and other == 0:
            follower.tell(out, known[0])
            return
    if len(known) < 2 or kwargs.get("alpha", 1) != 1:
        follower.lost(name, call, "adds something that is not computed from the input: a constant, or alpha")
        return
    when, axes = together(known)
    first, second = known[0].node, known[1].node
    if when is None:
        why = "adds values of different timesteps: a recurrent connection in forward(); followed are those of RLeaky, "
        follower.lost(name, call, why + "RSynaptic (snnTorch), LIFRecurrent and IAFRecurrent (sinabs)")
    elif first.shape != second.shape:
        follower.lost(name, call, f"adds maps of different shapes: {list(first.shape)}, {list(second.shape)}")
    else:
        follower.layer(name, Described("add"), known[0], out, others=(second,), at=(when, axes))


def together(values: Sequence[Value]) -> tuple[int | None, str]:
    """When and in which axes values meet; None if at different timesteps."""
    moving = [value for value in values if value.when != STILL] or list(values)
    if len({(value.when, value.axes) for value in moving}) > 1:
        return None, ""
    return moving[0].when, moving[0].axes


def _scaled(follower: Follower, name: str, call: Call) -> None:
    args, kwargs, out = call
    factors = [arg for arg in args[:2] if isinstance(arg, int | float) and not isinstance(arg, bool)]
    known = [value for value in map(follower.find, args[:2]) if value is not None]
    dividing = "div" in name
    if len(known) != 1 or len(factors) != 1 or kwargs.get("rounding_mode") or (dividing and factors == [args[0]]):
        follower.lost(name, call, "multiplies values with each other, or with a tensor; archsim multiplies by a number")
        return
    factor = 1.0 / factors[0] if dividing and factors[0] else float(factors[0])
    if factor == 1.0:
        follower.tell(out, known[0])
        return
    described: Described | Refusal = Described("scale", arrays={"scale": np.array(factor)})
    if known[0].node.kind == "input":
        described = Refusal("scales the input; archsim's input.scale does: give the inputs as they are behind it")
    follower.layer(f"{name}-{factors[0]}", described, known[0], out)


def _stacked(follower: Follower, name: str, call: Call) -> None:
    """The values of one node at all timesteps, in order, become one tensor."""
    args, kwargs, out = call
    found = [follower.find(item) for item in args[0]]
    axis = kwargs.get("dim", args[1] if len(args) > 1 else 0)
    values = [value for value in found if value is not None]
    in_order = [value.when for value in values] == list(range(follower.timesteps))
    if len(values) == len(found) and in_order and len({value.node for value in values}) == 1 and axis in (0, 1):
        follower.tell(out, Value(values[0].node, EVERY, "TN" if axis == 0 else "NT"))
    else:
        follower.lost(name, call)


def _unbound(follower: Follower, name: str, call: Call) -> None:
    args, kwargs, out = call
    known, axis = follower.find(args[0]), kwargs.get("dim", args[1] if len(args) > 1 else 0)
    if known is None or known.when != EVERY or known.axes not in ("TN", "NT") or axis != known.axes.index("T"):
        follower.lost(name, call)
        return
    for step, tensor in enumerate(out):
        follower.tell(tensor, Value(known.node, step, "N"))


def _indexed(follower: Follower, name: str, call: Call) -> None:
    """``x[t]`` or ``x[:, t]``: one timestep."""
    args, _, out = call
    known = follower.find(args[0])
    index = args[1] if name == "__getitem__" else (slice(None),) * args[1] + (args[2],)
    step = None if known is None else _step(index, known, follower.timesteps)
    if known is None or step is None:
        follower.lost(name, call)
    else:
        follower.tell(out, Value(known.node, step, "N"))


def _step(index: Any, known: Value, timesteps: int) -> int | None:
    """The timestep that an index takes."""
    if known.when != EVERY or known.axes not in ("TN", "NT"):
        return None
    items = index if isinstance(index, tuple) else (index,)
    axis = known.axes.index("T")
    others = [item for place, item in enumerate(items) if place != axis]
    if len(items) <= axis or not isinstance(items[axis], int) or any(item not in (slice(None), ...) for item in others):
        return None
    return int(items[axis]) % timesteps


TIME: dict[str, Callable[[Follower, str, Call], None]] = {
    "stack": _stacked,
    "unbind": _unbound,
    "__getitem__": _indexed,
    "select": _indexed,
}

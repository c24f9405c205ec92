"""Which modules are followed as one layer, and which layer of archsim each is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from archsim.recording import pools, sinabs, snntorch, spikingjelly
from archsim.recording.graph import NO_LAYER, Array, Described, Refusal, array
from archsim.recording.neurons import FRAMEWORKS, Reader, Supported

Rule = Callable[[Any, tuple[int, ...]], Described | Refusal]
"""The layer that a module is on a map of these sizes."""
ENTERED = {
    "torch": ("Sequential", "ModuleList", "ModuleDict"),
    "sinabs": ("Repeat", "UnflattenTime"),
    "spikingjelly": ("MultiStepContainer", "SeqToANNContainer", "StepModeContainer"),
}
"""Modules of the frameworks that are followed inside, like those that users write."""
SUPPORTED: dict[str, Supported] = {
    "snntorch": snntorch.SUPPORTED,
    "spikingjelly": spikingjelly.SUPPORTED,
    "sinabs": sinabs.SUPPORTED,
}


@dataclass(frozen=True)
class Leaf:
    """How a module is followed: as a layer on maps of ``rank`` axes, a neuron, a view, or something without effect.

    ``refused`` ones matter where a layer reads them; ``always``, because they have a state or weights of their own.
    """

    kind: str
    rank: int = 0
    rule: Rule | None = None
    reader: Reader | None = None
    why: str = ""
    always: bool = False


def leaf_of(module: Any) -> Leaf | None:
    """How a module is followed; None: inside, module by module."""
    own: Any = type(module)
    root = _root(own)
    if own.__name__ in ENTERED.get(root, ()) or (root == "spikingjelly" and ".model." in own.__module__):
        return None
    for cls in own.__mro__:
        found = _known(_root(cls), cls.__name__)
        if found is not None:
            if own.forward is not cls.forward:
                return Leaf("refused", why=f"overrides forward() of {_root(cls)}'s {cls.__name__}", always=True)
            return found
    if root in FRAMEWORKS or root == "torch":
        return Leaf("refused", why=_why_not(root, own.__name__), always=root == "norse" or _keeps_something(module))
    return None


def _keeps_something(module: Any) -> bool:
    """Whether a module has weights or a state."""
    numbers = (*module.parameters(), *module.buffers())
    return bool(numbers) or hasattr(module, "reset") or hasattr(module, "reset_states")


def _known(root: str, name: str) -> Leaf | None:
    if root in SUPPORTED and name in SUPPORTED[root].readers:
        return Leaf("neuron", reader=SUPPORTED[root].readers[name])
    if root in ("torch", "spikingjelly", "sinabs"):
        return STATELESS.get(name)
    return None


def _root(cls: type) -> str:
    return cls.__module__.split(".")[0]


def _why_not(root: str, name: str) -> str:
    if root == "torch":
        return NO_LAYER
    if root not in SUPPORTED:
        return f"of {root} passes its state along by hand; followed are the neurons of {', '.join(SUPPORTED)}"
    return SUPPORTED[root].told.get(name, "is not followed")


def followed(parts: Iterable[tuple[Any, Leaf]], layers: bool) -> list[str]:
    """What is followed instead of refused modules, once for each framework; ``layers``: also PyTorch's."""
    roots = dict.fromkeys(_root(type(part)) for part, leaf in parts if leaf.kind == "refused")
    found = [f"neurons of {root}: {', '.join(SUPPORTED[root].readers)}" for root in roots if root in SUPPORTED]
    if layers:
        found.insert(0, f"{', '.join(sorted(STATELESS))}, and neurons of {', '.join(SUPPORTED)}")
    return found


def _weighted(kind: str) -> Rule:
    def conv(module: Any, shape: tuple[int, ...]) -> Described | Refusal:
        axes = 1 if kind == "conv1d" else 2
        wrong = [] if module.padding_mode == "zeros" else [f"padding_mode '{module.padding_mode}'; only zeros"]
        kernel, stride, dilation = (tuple(getattr(module, name)) for name in ("kernel_size", "stride", "dilation"))
        padding = _padding(module.padding, kernel, dilation, axes)
        if padding is None:
            wrong.append("padding 'same' of an even kernel pads one side more; only the same on both")
        if wrong or padding is None:
            return Refusal("; ".join(wrong))
        keys: dict[str, Any] = {"out_channels": int(module.out_channels), "kernel": pools.short(kernel)}
        settings = (("stride", stride, 1), ("padding", padding, 0), ("dilation", dilation, 1))
        keys |= {name: pools.short(sizes) for name, sizes, usual in settings if set(sizes) != {usual}}
        if module.groups != 1:
            keys["groups"] = int(module.groups)
        return Described(kind, keys, _weights(module))

    return conv


def _padding(padding: Any, kernel: tuple[int, ...], dilation: tuple[int, ...], axes: int) -> tuple[int, ...] | None:
    """Zeros on each side; None if the sides differ."""
    if padding == "valid":
        return (0,) * axes
    if padding == "same":
        total = [step * (size - 1) for step, size in zip(dilation, kernel, strict=True)]
        return None if any(size % 2 for size in total) else tuple(size // 2 for size in total)
    return tuple(padding)


def _linear(module: Any, shape: tuple[int, ...]) -> Described | Refusal:
    return Described("linear", {"out_features": int(module.out_features)}, _weights(module))


def _weights(module: Any) -> dict[str, Array]:
    found = {"weight": array(module.weight)}
    if module.bias is not None:
        found["bias"] = array(module.bias)
    return found


def _batch_norm(module: Any, shape: tuple[int, ...]) -> Described | Refusal:
    """y = x * scale + offset, with the multiplications and additions in PyTorch's order."""
    if module.running_mean is None:
        return Refusal("track_running_stats=False: every batch is normed by itself")
    if module.training:
        return Refusal("norms by the batch while training; module.eval() first")
    scale = 1 / (module.running_var + module.eps) ** 0.5
    if module.weight is not None:
        scale = scale * module.weight
    offset = -module.running_mean * scale
    if module.bias is not None:
        offset = module.bias + offset
    return Described("batchnorm", {}, {"scale": array(scale), "offset": array(offset)})


def _pool(kind: str, axes: int) -> Leaf:
    return Leaf("layer", 1 + axes, lambda module, shape: pools.of_module(kind, axes, module, shape))


STATELESS: dict[str, Leaf] = {
    "Conv1d": Leaf("layer", 2, _weighted("conv1d")),
    "Conv2d": Leaf("layer", 3, _weighted("conv2d")),
    "Linear": Leaf("layer", 1, _linear),
    "BatchNorm1d": Leaf("layer", 0, _batch_norm),
    "BatchNorm2d": Leaf("layer", 3, _batch_norm),
    "SumPool2d": Leaf("layer", 3, pools.sum_pool),
    "LPPool2d": Leaf("layer", 3, pools.sum_pool),
    "Flatten": Leaf("view"),
    "Unflatten": Leaf("view"),
    "FlattenTime": Leaf("view"),
    "Identity": Leaf("same"),
    "Dropout": Leaf("dropout"),
    "Dropout1d": Leaf("dropout"),
    "Dropout2d": Leaf("dropout"),
    "Merge": Leaf("add"),
} | {
    f"{adaptive}{kind.capitalize()}Pool{axes}d": _pool(kind, axes)
    for adaptive in ("", "Adaptive")
    for kind in ("avg", "max")
    for axes in (1, 2)
}

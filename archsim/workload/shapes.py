"""Shapes and value widths of one layer, from the edge that enters it. Sizes behind conv and pool are rounded down."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from archsim.workload.layer_schema import (
    AddSpec,
    AnyLayer,
    Conv1dSpec,
    Conv2dSpec,
    DelaySpec,
    LinearSpec,
    MatmulSpec,
    Pool1dSpec,
    PoolSpec,
    RecurrenceSpec,
    WeightedSpec,
)
from archsim.workload.network import InputCode, Neuron, Recurrence, Shape
from archsim.workload.schema import InputSpec

MAX_VALUE_BITS = 32
MAX_VALUES = 1 << 30
"""Values of one edge over all timesteps of a sample: they are held in memory at once."""
MAX_PRODUCTS = 1 << 50
"""Products of one layer over all timesteps of a sample."""
Blame = Callable[..., None]
"""Report a problem of the layer at hand: ``blame(key, message, value=..., allowed=...)``."""


@dataclass(frozen=True)
class Edge:
    """The values between two layers: [C, H, W] per timestep, each at most ``maximum``; signed: currents."""

    shape: Shape
    maximum: int
    signed: bool = False

    @property
    def bits(self) -> int:
        """Bits that hold one value: ceil(log2(maximum + 1))."""
        return self.maximum.bit_length()


def pair(size: int | tuple[int, int]) -> tuple[int, int]:
    """``3`` means 3 x 3."""
    return (size, size) if isinstance(size, int) else size


def widened(spec: AnyLayer) -> AnyLayer:
    """The layer as one on maps: what works along one axis works on a map of width 1."""
    if not isinstance(spec, Conv1dSpec | Pool1dSpec):
        return spec
    two: dict[str, Any] = {"type": spec.type.replace("1d", "2d"), "kernel": (spec.kernel, 1)}
    two |= {"stride": None if spec.stride is None else (spec.stride, 1), "padding": (spec.padding, 0)}
    if isinstance(spec, Pool1dSpec):
        return PoolSpec.model_construct(**dict(spec) | two)
    return Conv2dSpec.model_construct(**dict(spec) | two | {"dilation": (spec.dilation, 1)})


def full_shape(sizes: list[int]) -> Shape:
    """A stated shape with the axes that were left out: [N] means N features, [C, H] a map of width 1."""
    channels, height, width = (*sizes, 1, 1)[:3]
    return channels, height, width


def input_code(spec: InputSpec | None) -> InputCode:
    """How the network's input travels, where the file says so."""
    stated = {} if spec is None else spec.model_dump(exclude_none=True, exclude={"shape", "encoding"})
    return InputCode(**stated)


def stated_shape(spec: AnyLayer, sizes: list[int]) -> Shape:
    """A shape as a layer states it: the two entries of a matmul are [rows, features], all else is as on any map."""
    return full_shape(sizes[::-1] if isinstance(spec, MatmulSpec) and len(sizes) == 2 else sizes)


def show(shape: Shape) -> str:
    """The shape as a workload file writes it."""
    return f"[{', '.join(str(size) for size in shape)}]"


def own_input_shape(spec: AnyLayer) -> Shape | None:
    """The input shape that a layer of an independent table states, if it does."""
    if spec.input_shape is not None:
        return stated_shape(spec, spec.input_shape)
    if isinstance(spec, LinearSpec) and spec.in_features is not None:
        return spec.in_features, 1, 1
    if isinstance(spec, MatmulSpec) and spec.in_features is not None and spec.rows is not None:
        return spec.in_features, spec.rows, 1
    return None


def same_values(spec: AnyLayer, stated: Shape, delivered: Shape) -> bool:
    """Whether a stated input shape is what is delivered: to the letter, or as the layer flattens it."""
    if isinstance(spec, LinearSpec):
        return math.prod(stated) == math.prod(delivered)
    if isinstance(spec, MatmulSpec):
        return stated[0] == delivered[0] and math.prod(stated) == math.prod(delivered)
    return stated == delivered


def entering_shape(spec: AnyLayer, shape: Shape, blame: Blame) -> Shape:
    """How the layer sees a map of that shape: linear flattens it, matmul takes its places as rows."""
    channels, height, width = shape
    if isinstance(spec, LinearSpec):
        features = math.prod(shape)
        if spec.in_features not in (None, features):
            blame("in_features", f"contradicts its input of {features} values", value=spec.in_features)
        return features, 1, 1
    if isinstance(spec, MatmulSpec):
        for key, stated, found in (("in_features", spec.in_features, channels), ("rows", spec.rows, height * width)):
            if stated not in (None, found):
                blame(key, f"contradicts its input {show(shape)}: {found}", value=stated)
        return channels, height * width, 1
    return shape


def leaving_shape(spec: AnyLayer, shape: Shape, blame: Blame) -> Shape | None:
    """Output shape of a layer from its input shape. None, with the reasons reported, if there is none."""
    channels, height, width = shape
    if isinstance(spec, Conv2dSpec):
        sizes = _windows(spec, shape, blame)
        if spec.in_channels not in (None, channels):
            blame("in_channels", f"contradicts its input, which has {channels} channels", value=spec.in_channels)
        check_groups(spec, channels, blame)
        return (spec.out_channels, *sizes) if sizes is not None else None
    if isinstance(spec, PoolSpec):
        sizes = _windows(spec, shape, blame)
        return (channels, *sizes) if sizes is not None else None
    if isinstance(spec, LinearSpec | MatmulSpec):
        return spec.out_features, height, width
    if spec.type == "flatten":
        return math.prod(shape), 1, 1
    return shape


def lost_shape(spec: AnyLayer, blame: Blame) -> Shape | None:
    """Output shape of a layer whose input shape is not known, where that does not matter; what is wrong anyway."""
    if isinstance(spec, Conv2dSpec):
        check_groups(spec, spec.in_channels, blame)
    return (spec.out_features, 1, 1) if isinstance(spec, LinearSpec) else None


def check_groups(spec: Conv2dSpec, channels: int | None, blame: Blame) -> None:
    """Report groups that do not divide the output channels, or the input channels where these are known."""
    undivided = [
        f"{count} {what} channels"
        for what, count in (("input", channels), ("output", spec.out_channels))
        if count is not None and count % spec.groups
    ]
    if undivided:
        blame("groups", f"does not divide the {' and the '.join(undivided)}", value=spec.groups)


def _windows(spec: Conv2dSpec | PoolSpec, shape: Shape, blame: Blame) -> tuple[int, int] | None:
    """Places of the window along height and width: floor((size + 2 padding - reach) / stride) + 1.

    A window reaches over dilation * (kernel - 1) + 1 values.
    """
    kernel, padding = pair(spec.kernel), pair(spec.padding)
    stride = kernel if spec.stride is None else pair(spec.stride)
    if isinstance(spec, Conv2dSpec):
        dilation = pair(spec.dilation)
        kernel = dilation[0] * (kernel[0] - 1) + 1, dilation[1] * (kernel[1] - 1) + 1
    padded = shape[1] + 2 * padding[0], shape[2] + 2 * padding[1]
    if kernel[0] > padded[0] or kernel[1] > padded[1]:
        text = f"is larger than the padded input of {padded[0]} x {padded[1]}, so nothing would be left"
        blame("kernel", text, value=spec.kernel)
        return None
    return (padded[0] - kernel[0]) // stride[0] + 1, (padded[1] - kernel[1]) // stride[1] + 1


def leaving_edge(
    spec: AnyLayer, shape: Shape, entering: list[Edge], neuron: Neuron | None, membrane_bits: int, blame: Blame
) -> Edge | None:
    """The edge behind a layer, by the width rules.

    Neurons send 0..max_spikes, or their potentials. Weighted layers without neurons, and whatever follows them without
    weights, send signed currents as wide as the membrane (they saturate there). Sum and average pools over a window of
    k values send up to k times the maximum, adds the sum of the maxima; all else keeps it.
    """
    if neuron is not None and neuron.spiking:
        edge = Edge(shape, neuron.max_spikes)
    elif neuron is not None or isinstance(spec, WeightedSpec) or any(edge.signed for edge in entering):
        edge = current(shape, membrane_bits)
    elif isinstance(spec, PoolSpec) and spec.type != "maxpool2d":
        edge = Edge(shape, entering[0].maximum * math.prod(pair(spec.kernel)))
    elif isinstance(spec, AddSpec):
        edge = Edge(shape, sum(one.maximum for one in entering))
    else:
        edge = Edge(shape, entering[0].maximum)
    if edge.bits > MAX_VALUE_BITS:
        blame("kernel", f"makes values of {edge.bits} bits; at most {MAX_VALUE_BITS} are modelled")
        return None
    return edge


def current(shape: Shape, membrane_bits: int) -> Edge:
    """An edge of currents: signed, as wide as the membrane potential."""
    return Edge(shape, (1 << membrane_bits) - 1, signed=True)


def geometry(spec: AnyLayer) -> dict[str, Any]:
    """Kernel, stride, padding, groups, dilation, bias and delay, where the specification of the layer has them."""
    found: dict[str, Any] = {}
    if isinstance(spec, Conv2dSpec | PoolSpec):
        kernel = pair(spec.kernel)
        stride = kernel if spec.stride is None else pair(spec.stride)
        found |= {"kernel": kernel, "stride": stride, "padding": pair(spec.padding)}
    if isinstance(spec, Conv2dSpec):
        found |= {"groups": spec.groups, "dilation": pair(spec.dilation)}
    if isinstance(spec, WeightedSpec):
        found["bias"] = spec.bias
    if isinstance(spec, DelaySpec):
        found["delay"] = spec.steps
    return found


def recurrence(spec: RecurrenceSpec) -> Recurrence:
    """How a layer's neurons feed themselves."""
    return Recurrence(spec.type, pair(spec.kernel or 1), spec.bias)

"""From placed NIR nodes to the layers of a workload file and the arrays of its weights file."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.workload.io.chain import layer_names, state_spiking, without_flattens
from archsim.workload.io.dialects import Dialect
from archsim.workload.io.nir_file import Node
from archsim.workload.io.nir_graph import NEURONS, Placed
from archsim.workload.io.nir_neurons import Neurons, Stepped
from archsim.workload.io.nir_shapes import Dims, conv_dims, linear_dims, pool_dims, show
from archsim.workload.network import INPUT

Array = NDArray[Any]
Blame = Callable[[str, str], None]


@dataclass
class Layers:
    """Layers in order, arrays by ``LAYER.PART``, and what the user should know."""

    layers: list[dict[str, Any]] = field(default_factory=list)
    arrays: dict[str, Array] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def layers_of(
    found: Sequence[Placed], nodes: Mapping[str, Node], entry: Dims, dialect: Dialect, dt: float, blame: Blame
) -> Layers:
    """The layers of placed nodes behind an input of shape ``entry`` (None: unknown), as ``dialect`` steps neurons."""
    walk = _Walk(nodes, entry, dialect, dt, blame, layer_names([one.name for one in found]))
    for one in found:
        walk.visit(one)
    state_spiking(walk.out.layers)
    walk.out.layers = without_flattens(walk.out.layers)
    return walk.out


class _Walk:
    """One pass over the nodes, remembering the shape behind each."""

    def __init__(
        self, nodes: Mapping[str, Node], entry: Dims, dialect: Dialect, dt: float, blame: Blame, names: dict[str, str]
    ) -> None:
        self.nodes, self.dialect, self.dt, self.names, self.blame = nodes, dialect, dt, names, blame
        self.dims: dict[str, Dims] = {INPUT: entry}
        self.out = Layers()
        self.out.notes += [f"node '{node}' is layer '{name}'" for node, name in names.items() if node != name]

    def visit(self, one: Placed) -> None:
        """Add the layer of one node, and before it an ``add`` where several edges lead into it."""
        sources = [self.names.get(source, source) for source in one.sources]
        if one.node.kind == "Output":
            self._put({"name": self.names[one.name], "type": "add", "inputs": sources})
            self._same_dims(one)
            return
        before = self._same_dims(one)
        if len(sources) > 1:
            name = f"{self.names[one.name]}.sum"
            self._put({"name": name, "type": "add", "inputs": sources})
            sources = [name]
        layer: dict[str, Any] = {"name": self.names[one.name], "type": "?"}
        layer["from"] = sources[0] if sources else INPUT  # one without sources is refused
        make = getattr(self, f"_{one.node.kind.lower()}", None) if one.node.kind not in NEURONS else self._neurons
        assert make is not None
        layer |= make(one, before)
        self._put(layer)

    def _put(self, layer: dict[str, Any]) -> None:
        self.out.layers.append(layer)

    def _same_dims(self, one: Placed) -> Dims:
        """The shape that enters a node: that of all its sources."""
        found = {source: self.dims.get(source) for source in one.sources}
        shapes = set(found.values())
        if len(shapes) > 1 and None not in shapes:
            listed = ", ".join(f"{source} {show(dims)}" for source, dims in found.items())
            self.blame(one.name, f"the edges into this node bring maps of different shapes: {listed}")
        first = next(iter(found.values()), None) if len(shapes) == 1 else None
        self.dims[one.name] = first
        return first

    def _keep(self, one: Placed, part: str, values: Array) -> None:
        small = values if values.dtype.kind == "f" and values.dtype.itemsize <= 8 else values.astype(np.float64)
        self.out.arrays[f"{self.names[one.name]}.{part}"] = small

    def _bias(self, one: Placed, size: int, layer: dict[str, Any]) -> None:
        """A bias, unless all of it is 0: exporters write zeros where there is none."""
        bias = one.node.array("bias")
        if bias is None:
            return
        if bias.size != size:
            self.blame(one.name, f"bias has shape {show(bias.shape)}; there are {size} outputs")
        elif bias.any():
            layer["bias"] = True
            self._keep(one, "bias", bias.reshape(size))

    def _conv2d(self, one: Placed, before: Dims) -> dict[str, Any]:
        axes = 2 if one.node.kind == "Conv2d" else 1
        geometry, self.dims[one.name] = conv_dims(one.node, axes, before, partial(self.blame, one.name))
        if geometry is None:
            return {}
        weight = one.node.array("weight")
        assert weight is not None
        self._keep(one, "weight", weight if axes == 2 else weight[..., None])
        layer = {"type": f"conv{axes}d", "out_channels": weight.shape[0], **geometry}
        self._bias(one, weight.shape[0], layer)
        return layer

    _conv1d = _conv2d

    def _linear(self, one: Placed, before: Dims) -> dict[str, Any]:
        weight, self.dims[one.name] = linear_dims(one.node, before, partial(self.blame, one.name))
        if weight is None:
            return {}
        self._keep(one, "weight", weight)
        layer = {"type": "linear", "out_features": weight.shape[0]}
        self._bias(one, weight.shape[0], layer)
        return layer

    _affine = _linear

    def _avgpool2d(self, one: Placed, before: Dims) -> dict[str, Any]:
        geometry, self.dims[one.name] = pool_dims(one.node, before, partial(self.blame, one.name))
        return {"type": one.node.kind.lower(), **(geometry or {})}

    _sumpool2d = _avgpool2d

    def _flatten(self, one: Placed, before: Dims) -> dict[str, Any]:
        start, end = one.node.array("start_dim"), one.node.array("end_dim")
        if before is not None:
            self.dims[one.name] = (math.prod(before),)
            ends = [int(axis.flat[0]) for axis in (start, end) if axis is not None and axis.size == 1]
            if len(before) > 1 and ends not in ([0, -1], [0, len(before) - 1]):
                text = f"'{one.name}' flattens axes {ends} of {show(before)}; here it flattens all, in the same order"
                self.out.notes.append(text)
        return {"type": "flatten"}

    def _scale(self, one: Placed, before: Dims) -> dict[str, Any]:
        scale = one.node.array("scale")
        if scale is not None and (values := self._on_map(one, "scale", scale, before)) is not None:
            self._keep(one, "scale", values)
        return {"type": "scale"}

    def _on_map(self, one: Placed, name: str, values: Array, dims: Dims) -> Array | None:
        """Values that lie on a map [C, H, W]: one number, or one for each value or channel."""
        if values.size == 1:
            return values.reshape(())
        if dims is None:
            return None
        full = (*dims, 1, 1)[:3]
        if values.size == math.prod(dims):
            return values.reshape(full)
        if values.shape == dims[:1]:
            return values
        self.blame(one.name, f"{name} has shape {show(values.shape)}; it meets a map of {show(dims)}")
        return None

    def _delay(self, one: Placed, before: Dims) -> dict[str, Any]:
        delay = one.node.array("delay")
        if delay is None or delay.size == 0:
            return {"type": "delay", "steps": 1}
        if not self.dt:
            self.blame(one.name, "a delay needs a step, which this dialect has none of (--dt)")
            return {"type": "delay", "steps": 1}
        steps = float(delay.flat[0]) / self.dt
        if not (delay == delay.flat[0]).all():
            self.blame(one.name, "its delays differ from each other; a delay layer has one")
        elif not 1 <= round(steps) <= 100_000 or abs(steps - round(steps)) > 1e-3:
            text = f"delays by {float(delay.flat[0]):g}, which is {steps:g} steps of {self.dt:g}"
            self.blame(one.name, f"{text}; allowed: a whole number from 1")
        return {"type": "delay", "steps": max(1, round(min(steps, 100_000)))}

    def _neurons(self, one: Placed, before: Dims) -> dict[str, Any]:
        if one.node.kind == "Threshold":
            found = self._threshold(one, before)
        elif one.node.kind not in self.dialect.writes:
            return {"type": "neuron"}  # refused by its type
        else:
            stepped = Stepped(one.node, before, self.dialect, self.dt, partial(self.blame, one.name))
            found = stepped.neurons(one.feedback is not None)
        for part, values in found.parts.items():
            self._keep(one, part, values)
        layer: dict[str, Any] = {"type": "neuron", "neuron": found.keys}
        if one.feedback is not None:
            if one.node.kind not in ("IF", "LIF", "CubaLIF"):
                self.blame(one.name, f"only spikes come back as recurrence; {one.node.kind} sends none with a memory")
            layer["recurrent"] = self._recurrence(one, before)
        return layer

    def _threshold(self, one: Placed, before: Dims) -> Neurons:
        """A comparison without memory: a neuron that forgets everything."""
        found = Neurons({"model": "lif", "leak": 0.0, "reset": "none", "compare": ">"})
        stated = one.node.array("threshold")
        values = None if stated is None else self._on_map(one, "threshold", stated.astype(np.float64), before)
        if values is not None:
            if (values <= 0).any():
                self.blame(one.name, "threshold is not above 0")
            found.put("threshold", values, stated is not None and stated.dtype.itemsize <= 4)
        return found

    def _recurrence(self, one: Placed, before: Dims) -> dict[str, Any]:
        """What the weighted node that feeds a neuron back says of the neuron's layer."""
        assert one.feedback is not None
        if one.feedback == one.name:
            self._keep(one, "recurrent_weight", np.asarray(1.0))
            return {"type": "elementwise"}
        node = self.nodes[one.feedback]
        ways = {"Scale": self._fed_by_scale, "Conv2d": self._fed_by_kernel}
        spec, weight = ways.get(node.kind, self._fed_by_matrix)(one, node, before)
        if weight is None:
            return spec
        self._keep(one, "recurrent_weight", weight)
        bias = node.array("bias")
        if bias is None:
            return spec
        if bias.ndim != 1 or (spec["type"] != "elementwise" and bias.size != weight.shape[0]):
            self.blame(one.feedback, f"bias has shape {show(bias.shape)}; it meets weights of {show(weight.shape)}")
            return spec
        values = self._on_map(one, "bias", bias, before) if spec["type"] == "elementwise" else bias
        if values is None or not values.any():
            return spec
        self._keep(one, "recurrent_bias", values)
        return spec | {"bias": True}

    def _fed_by_scale(self, one: Placed, node: Node, before: Dims) -> tuple[dict[str, Any], Array | None]:
        scale = node.array("scale")
        return {"type": "elementwise"}, None if scale is None else self._on_map(one, "scale", scale, before)

    def _fed_by_kernel(self, one: Placed, node: Node, before: Dims) -> tuple[dict[str, Any], Array | None]:
        say = partial(self.blame, one.feedback or "")
        geometry, after = conv_dims(node, 2, before, say)
        weight = node.array("weight")
        if geometry is None or weight is None:
            return {"type": "conv2d"}, None
        kernel = weight.shape[2:]
        if after != before or geometry.keys() & {"stride", "dilation", "groups"} or not all(k % 2 for k in kernel):
            say("as recurrence a convolution has an odd kernel, keeps the size, and no stride, dilation or groups")
        return {"type": "conv2d", "kernel": list(kernel)}, weight

    def _fed_by_matrix(self, one: Placed, node: Node, before: Dims) -> tuple[dict[str, Any], Array | None]:
        """All to all; each to itself where the matrix is diagonal."""
        say = partial(self.blame, one.feedback or "")
        weight, _ = linear_dims(node, before, say)
        if weight is None or before is None:
            return {"type": "linear"}, None
        if weight.shape[0] != math.prod(before):
            say(f"makes {weight.shape[0]} values; it feeds {math.prod(before)} neurons")
        elif weight.shape[0] > 1 and not (weight - np.diag(np.diag(weight))).any():
            return {"type": "elementwise"}, self._on_map(one, "weight", np.diag(weight).copy(), before)
        return {"type": "linear"}, weight

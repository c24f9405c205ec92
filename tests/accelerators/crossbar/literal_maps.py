"""A network spelled out in plain Python: values on every edge, stages, and the position that completes each place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from archsim.workload import Layer, Network

INPUT = "input"
Place = tuple[int, int]
Map = list[list[list[int]]]  # [C][H][W]
Values = dict[str, list[Map] | None]  # [T] maps by the name of the edge; None: currents, which nobody knows


class Stage(NamedTuple):
    """A weighted layer and the layers on its way out."""

    layer: Layer
    members: list[Layer]  # the weighted layer first

    @property
    def names(self) -> list[str]:
        return [layer.name for layer in self.members]


def stages_of(network: Network) -> list[Stage]:
    found: list[Stage] = []
    for layer in network.layers:
        if layer.kind in ("conv2d", "linear", "matmul"):
            found.append(Stage(layer, []))
        found[-1].members.append(layer)
    return found


def values_of(network: Network, given: Mapping[str, Any]) -> Values:
    """All edges from the input and from the spikes that leave the neurons."""
    found: Values = {name: all_.tolist() for name, all_ in given.items()}
    for layer in network.layers:
        if layer.name in found:
            continue
        before = [found[name] for name in layer.sources]
        if layer.out_signed or any(one is None for one in before):
            found[layer.name] = None
        elif before:
            found[layer.name] = [_applied(layer, [one[t] for one in before]) for t in range(network.timesteps)]
    return found


def _applied(layer: Layer, operands: list[Map]) -> Map:
    if layer.kind == "flatten":
        return [[[value]] for channel in operands[0] for row in channel for value in row]
    channels, height, width = layer.out_shape
    return [[[_value(layer, operands, c, y, x) for x in range(width)] for y in range(height)] for c in range(channels)]


def _value(layer: Layer, operands: list[Map], c: int, y: int, x: int) -> int:
    if not layer.kind.endswith("pool2d"):
        return sum(operand[c][y][x] for operand in operands)
    window = [operands[0][c][v][u] for v, u in window_of(layer, y, x)]
    return max(window) if layer.kind == "maxpool2d" else sum(window)


def window_of(layer: Layer, y: int, x: int) -> Iterator[Place]:
    """Places of the input map (none of the padding) under the kernel at an output place."""
    for i in range(layer.kernel[0]):
        for j in range(layer.kernel[1]):
            v, u = y * layer.stride[0] - layer.padding[0] + i, x * layer.stride[1] - layer.padding[1] + j
            if 0 <= v < layer.in_shape[1] and 0 <= u < layer.in_shape[2]:
                yield v, u


def places_of(shape: tuple[int, int, int]) -> list[Place]:
    return [(y, x) for y in range(shape[1]) for x in range(shape[2])]


def completed_by(stage: Stage) -> dict[str, dict[Place, int]]:
    """For each map of a stage, the output position of the weighted layer that completes each of its places."""
    width = stage.layer.out_shape[2]
    found = {stage.layer.name: {(y, x): y * width + x for y, x in places_of(stage.layer.out_shape)}}
    for layer in stage.members[1:]:
        inside = [found[name] for name in layer.sources if name in found]
        here = {}
        for place in places_of(layer.out_shape):
            if layer.kind == "flatten":
                needed = list(inside[0])
            else:
                needed = list(window_of(layer, *place)) if layer.kind.endswith("pool2d") else [place]
            here[place] = max(before[one] for before in inside for one in needed)
        found[layer.name] = here
    return found


def sent_as(network: Network, name: str) -> str:
    """The map that leaves a stage under a name: a flattened one is sent as what it is made of."""
    while name in [layer.name for layer in network.layers] and network.layer(name).kind == "flatten":
        name = network.layer(name).sources[0]
    return name


def element(layer: Layer, shape: tuple[int, int, int], group: int, k: int, position: int) -> tuple[int, int, int]:
    """Channel, row and column of the map of that ``shape`` at reduction index ``k`` of an output position."""
    if is_vector(layer, shape):
        return k // (shape[1] * shape[2]), k // shape[2] % shape[1], k % shape[2]
    if layer.kind == "matmul":
        return k, position // shape[2], position % shape[2]
    taps = layer.kernel[0] * layer.kernel[1]
    channel, tap = group * (layer.in_shape[0] // layer.groups) + k // taps, k % taps
    y, x = divmod(position, layer.out_shape[2])
    return (
        channel,
        y * layer.stride[0] - layer.padding[0] + tap // layer.kernel[1] * layer.dilation[0],
        x * layer.stride[1] - layer.padding[1] + tap % layer.kernel[1] * layer.dilation[1],
    )


def is_vector(layer: Layer, shape: tuple[int, int, int]) -> bool:
    """Whether a layer reads all of a map of that ``shape`` at once."""
    return layer.kind == "linear" or (layer.kind == "matmul" and layer.in_shape[0] != shape[0])


def inside(shape: tuple[int, int, int], y: int, x: int) -> bool:
    return 0 <= y < shape[1] and 0 <= x < shape[2]

"""What the peers know of a network: a flat list of convolutions and fully connected layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from archsim.errors import Problem, UnsupportedError

if TYPE_CHECKING:
    from archsim.workload.network import Layer, Network


@dataclass(frozen=True)
class PeerLayer:
    """One weighted layer as SCALE-Sim's topology file and SATA_Sim's workload file state it.

    ``height`` and ``width`` are of the input map without padding; ``padding`` is what the network really uses (the
    peers have no field for it: SCALE-Sim assumes 0, SATA_Sim's operation counts assume 1). ``limits`` names what the
    peers' description of this layer leaves out.
    """

    name: str
    height: int
    width: int
    kernel_h: int
    kernel_w: int
    channels: int
    filters: int
    stride: int = 1
    kind: Literal["conv", "fc"] = "conv"
    padding: tuple[int, int] = (0, 0)
    limits: tuple[str, ...] = ()

    @property
    def reduction(self) -> int:
        """Length of one dot product: kernel area times channels."""
        return self.kernel_h * self.kernel_w * self.channels

    @property
    def out_shape(self) -> tuple[int, int]:
        """Output rows and columns of SCALE-Sim: ceil((H - kernel + stride) / stride), no padding, rounded up."""
        rows = -(-(self.height - self.kernel_h + self.stride) // self.stride)
        columns = -(-(self.width - self.kernel_w + self.stride) // self.stride)
        return rows, columns

    @property
    def positions(self) -> int:
        """Output positions P of SCALE-Sim."""
        rows, columns = self.out_shape
        return rows * columns

    def true_out_shape(self) -> tuple[int, int]:
        """Output rows and columns of the network's layer: floor((H + 2 padding - kernel) / stride) + 1."""
        rows = (self.height + 2 * self.padding[0] - self.kernel_h) // self.stride + 1
        columns = (self.width + 2 * self.padding[1] - self.kernel_w) // self.stride + 1
        return rows, columns

    def padded(self) -> PeerLayer:
        """The layer with its padding written into the map, cut so that SCALE-Sim's rounding gives the true size."""
        rows, columns = self.true_out_shape()
        return replace(
            self,
            height=(rows - 1) * self.stride + self.kernel_h,
            width=(columns - 1) * self.stride + self.kernel_w,
            padding=(0, 0),
        )


def gemm_layer(name: str, positions: int, reduction: int, filters: int) -> PeerLayer:
    """A dense product of P x K by K x F as SCALE-Sim reads it: a 1 x K window sliding down a P x K map."""
    return PeerLayer(name, positions, reduction, 1, reduction, 1, filters, 1, "conv")


def layers_of(network: Network) -> tuple[PeerLayer, ...]:
    """The weighted layers of a network as a user of the peers would have to write them.

    Grouped convolutions become one entry per group, a matmul of several rows a 1 x 1 convolution over a column of
    positions; everything else (pooling, batch norm, residual adds) does not exist for the peers. Raises
    ``UnsupportedError`` naming every layer that their files cannot express.
    """
    found: list[PeerLayer] = []
    problems: list[Problem] = []
    for layer in network.layers:
        if not layer.weighted:
            continue
        here = _inexpressible(layer)
        problems += here
        if not here:
            found.extend(_entries(layer))
    if problems:
        raise UnsupportedError(problems)
    return tuple(found)


def _inexpressible(layer: Layer) -> list[Problem]:
    where, found = f"layer '{layer.name}'", []
    if layer.stride[0] != layer.stride[1]:
        found.append(Problem(f"{where}: the peers have one stride for both axes", value=layer.stride))
    if layer.dilation != (1, 1):
        found.append(Problem(f"{where}: the peers know no dilation", value=layer.dilation, allowed="(1, 1)"))
    if layer.recurrent is not None:
        found.append(
            Problem(f"{where}: the peers know no recurrent connections", value=layer.recurrent.kind, allowed="none")
        )
    return found


def stated_limits(layers: Sequence[PeerLayer], counted_padding: tuple[int, int] | None = None) -> tuple[str, ...]:
    """What these layers lose in the peers' description, one line per kind of loss with the layers' names.

    ``counted_padding``: the padding that the peer assumes when it counts operations, if it does.
    """
    convolutions = [layer for layer in layers if layer.kind == "conv"]
    ignored = [layer.name for layer in convolutions if layer.padding != (0, 0)]
    found = list(dict.fromkeys(limit for layer in layers for limit in layer.limits))
    if ignored:
        found.append(f"padding is ignored in cycles and accesses: {', '.join(ignored)}")
    wrong = [f"{layer.name} {layer.padding}" for layer in convolutions if layer.padding != counted_padding]
    if counted_padding is not None and wrong:
        found.append(f"operations are counted with padding {counted_padding[0]} instead of: {', '.join(wrong)}")
    return tuple(found)


def _entries(layer: Layer) -> tuple[PeerLayer, ...]:
    if layer.kind == "conv2d":
        return _convolution(layer)
    if layer.kind == "matmul" and layer.positions > 1:
        limit = f"{layer.name}: a matmul of {layer.positions} rows is written as a 1 x 1 convolution"
        return (
            PeerLayer(
                layer.name, layer.positions, 1, 1, 1, layer.reduction, layer.filters, 1, "conv", (0, 0), (limit,)
            ),
        )
    return (PeerLayer(layer.name, 1, 1, 1, 1, layer.reduction, layer.filters, 1, "fc"),)


def _convolution(layer: Layer) -> tuple[PeerLayer, ...]:
    channels, height, width = layer.in_shape
    limits = []
    if layer.groups > 1:
        limits.append(f"{layer.name}: {layer.groups} groups are written as {layer.groups} separate layers")
    base = PeerLayer(
        layer.name,
        height,
        width,
        layer.kernel[0],
        layer.kernel[1],
        channels // layer.groups,
        layer.filters,
        layer.stride[0],
        "conv",
        (layer.padding[0], layer.padding[1]),
        tuple(limits),
    )
    if layer.groups == 1:
        return (base,)
    return tuple(replace(base, name=f"{layer.name}[{group}]") for group in range(layer.groups))

"""What SpikeSim knows of a network: channels and map sizes of one convolution after the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from archsim.errors import Problem, UnsupportedError, nearest
from archsim.peers.spikesim_config import Conventions, SpikeSimConfig

if TYPE_CHECKING:
    from archsim.workload.network import Layer, Network

Map = tuple[int, int]
_PASSED = ("neuron", "batchnorm", "scale", "avgpool2d", "sumpool2d", "maxpool2d")


@dataclass(frozen=True)
class SpikeSimLayer:
    """One entry of SpikeSim's four lists, and what the entry leaves out.

    ``out_map`` is what the layer computes, ``pooled_map`` what is left of it behind its pool (equal without a pool):
    SpikeSim's shipped list holds the latter. Maps are (height, width). ``density`` is the fraction of non-zero inputs.
    """

    name: str
    in_channels: int
    out_channels: int
    in_map: Map
    out_map: Map
    pooled_map: Map
    kind: Literal["conv", "fc"] = "conv"
    kernel: tuple[int, int] = (3, 3)
    in_bits: int = 1
    density: float = 1.0
    limits: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        sizes = {
            "in_channels": (self.in_channels,),
            "out_channels": (self.out_channels,),
            "in_map": self.in_map,
            "out_map": self.out_map,
            "pooled_map": self.pooled_map,
            "kernel": self.kernel,
            "in_bits": (self.in_bits,),
        }
        problems = [
            Problem(f"layer '{self.name}': must be positive", key=key, value=getattr(self, key))
            for key, values in sizes.items()
            if min(values) < 1
        ]
        if not 0 <= self.density <= 1:
            problems.append(Problem(f"layer '{self.name}': outside [0, 1]", key="density", value=self.density))
        if problems:
            raise UnsupportedError(problems)

    @property
    def inputs(self) -> int:
        """Elements of the input map."""
        return self.in_channels * self.in_map[0] * self.in_map[1]

    def positions(self, rules: Conventions) -> int:
        """Output positions: behind the pool as shipped, of the convolution with ``conv_output_sizes``."""
        height, width = self._counted(rules)
        return height * width

    def pes(self, crossbar: int) -> int:
        """PEs: ceil(Cin / X) ceil(Cout / X), each with a crossbar per kernel position."""
        return -(-self.in_channels // crossbar) * -(-self.out_channels // crossbar)

    def _counted(self, rules: Conventions) -> Map:
        return self.out_map if rules.conv_output_sizes else self.pooled_map

    def unequal_sides(self, rules: Conventions) -> tuple[Map, ...]:
        """The maps among those counted that have no single size."""
        return tuple(one for one in (self.in_map, self._counted(rules)) if one[0] != one[1])


def layers_of(network: Network, densities: Mapping[str, float] | None = None) -> tuple[SpikeSimLayer, ...]:
    """The weighted layers of a network as a user of SpikeSim would have to list them, fully connected ones included.

    Both output sizes are kept, the conventions choose. ``densities``: non-zero inputs per layer name; 1 where missing.
    Grouped convolutions become one entry per group, a matmul of several rows a map of that many rows; whatever carries
    no weights shows only in the sizes. ``UnsupportedError`` names every density that fits no weighted layer,
    and every layer with dilation or recurrent connections.
    """
    stated = dict(densities or {})
    known = [layer.name for layer in network.weighted_layers]
    problems = [
        Problem("density of a layer that the network does not have", key=name, nearest=nearest(name, known))
        for name in stated
        if name not in known
    ]
    problems += [
        Problem(f"layer '{layer.name}': SpikeSim knows no dilation", value=layer.dilation, allowed="(1, 1)")
        for layer in network.weighted_layers
        if layer.dilation != (1, 1)
    ]
    problems += [
        Problem(
            f"layer '{layer.name}': SpikeSim knows no recurrent connections", value=layer.recurrent.kind, allowed="none"
        )
        for layer in network.weighted_layers
        if layer.recurrent is not None
    ]
    if problems:
        raise UnsupportedError(problems)
    return tuple(
        entry
        for layer in network.weighted_layers
        for entry in _entries(layer, _pooled_map(network, layer), stated.get(layer.name, 1.0))
    )


def listed(layers: Iterable[SpikeSimLayer], config: SpikeSimConfig) -> tuple[SpikeSimLayer, ...]:
    """The entries that SpikeSim is given: convolutions, and with ``fc_layers`` the fully connected ones.

    ``UnsupportedError`` if none is left, or for every map that is not square (unless ``any_shape``).
    """
    rules = config.conventions
    entries = tuple(layer for layer in layers if rules.fc_layers or layer.kind == "conv")
    problems = []
    if not entries:
        problems.append(
            Problem("SpikeSim has nothing to run: no convolution; with fc_layers it would take linear ones")
        )
    if not rules.any_shape:
        problems += [
            Problem(
                f"layer '{layer.name}': SpikeSim has one size for both axes; with any_shape height x width is taken",
                value=layer.unequal_sides(rules),
            )
            for layer in entries
            if layer.unequal_sides(rules)
        ]
    if problems:
        raise UnsupportedError(problems)
    return entries


def losses(layers: Iterable[SpikeSimLayer], config: SpikeSimConfig) -> tuple[str, ...]:
    """What these layers lose in SpikeSim's description, one line per kind of loss with the layers' names."""
    rules = config.conventions
    every = tuple(layers)
    kept = tuple(layer for layer in every if rules.fc_layers or layer.kind == "conv")
    found = [line for layer in kept for line in layer.limits]
    kernels = [] if rules.own_kernels else [one.name for one in kept if one.kernel != (config.kernel, config.kernel)]
    sizes = [] if rules.conv_output_sizes else [layer.name for layer in kept if layer.out_map != layer.pooled_map]
    wide = [layer.name for layer in kept if layer.in_bits > 1]
    kinds = {
        "fully connected layers do not exist": [layer.name for layer in every if layer not in kept],
        f"the kernel is taken as {config.kernel} x {config.kernel}": kernels,
        "positions and neurons are counted behind the pool": sizes,
        "inputs of several bits are driven as binary spikes": wide,
    }
    return tuple(found + [f"{what}: {', '.join(names)}" for what, names in kinds.items() if names])


def _pooled_map(network: Network, layer: Layer) -> Map:
    """Height and width of the layer's output behind the neurons and pools that follow it alone."""
    found = layer.out_shape
    consumers = network.consumers(layer.name)
    while len(consumers) == 1 and consumers[0].kind in _PASSED:
        found = consumers[0].out_shape
        consumers = network.consumers(consumers[0].name)
    return found[1], found[2]


def _entries(layer: Layer, pooled: Map, density: float) -> tuple[SpikeSimLayer, ...]:
    rows, columns = layer.in_shape[1:] if layer.kind != "linear" else (1, 1)
    if layer.kind != "conv2d":
        return (
            SpikeSimLayer(
                layer.name, layer.reduction, layer.filters, (rows, columns), layer.out_shape[1:], pooled, "fc", (1, 1),
                layer.in_bits, density,
            ),
        )  # fmt: skip
    base = SpikeSimLayer(
        layer.name, layer.in_shape[0] // layer.groups, layer.filters, (rows, columns), layer.out_shape[1:], pooled,
        "conv", layer.kernel, layer.in_bits, density,
    )  # fmt: skip
    if layer.groups == 1:
        return (base,)
    limit = f"{layer.name}: {layer.groups} groups are listed as {layer.groups} layers, one after the other"
    limits = [(limit,), *[()] * (layer.groups - 1)]
    return tuple(replace(base, name=f"{layer.name}[{group}]", limits=one) for group, one in enumerate(limits))

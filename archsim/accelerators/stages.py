"""Stages: a weighted layer with everything that its outputs pass through before they are stored.

Pools, adds and neurons behind a weighted layer are executed on the way out of the array; so the unit of mapping is the
stage, not the layer. What leaves a stage is stored, and so is every inner map that a later stage reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from archsim.errors import Problem, UnsupportedError
from archsim.workload import Layer, Network
from archsim.workload.network import INPUT

TailUnit = Literal["neuron", "vector"]


@dataclass(frozen=True)
class TailOp:
    """One step on the way out: ``elements`` values handled per timestep; ``skip``: the map a residual add reads."""

    layer: Layer
    unit: TailUnit
    elements: int
    skip: str | None = None
    skip_bits: int = 0  # of each value of that map


@dataclass(frozen=True)
class StoredMap:
    """A map that leaves the chip's compute: elements per timestep and bits of each."""

    layer: Layer
    elements: int
    bits: int


@dataclass(frozen=True)
class Stage:
    """A weighted layer, its tail and the maps that it stores."""

    index: int
    layer: Layer
    tail: tuple[TailOp, ...]
    stored: tuple[StoredMap, ...]
    members: tuple[str, ...]  # names of the layers executed here
    from_input: bool
    is_last: bool

    @property
    def biased_neurons(self) -> TailOp | None:
        """The neurons that add the bias of the weighted layer to their input; None: no bias, or no neurons."""
        if not self.layer.bias:
            return None
        return next((op for op in self.tail if op.unit == "neuron"), None)

    @property
    def neurons(self) -> tuple[Layer, ...]:
        """Layers of this stage that update neurons, in order."""
        return tuple(op.layer for op in self.tail if op.unit == "neuron")


def elements(shape: tuple[int, int, int]) -> int:
    """Values of a map."""
    channels, height, width = shape
    return channels * height * width


def stages_of(network: Network) -> tuple[Stage, ...]:
    """Group the layers; UnsupportedError names every layer that no chip executes.

    These are delays, recurrent connections, and what cannot be executed on the way out of the layer before.
    """
    groups: list[list[Layer]] = []
    problems = _needs_memory_of_spikes(network)
    for layer in network.layers:
        if layer.weighted:
            groups.append([layer])
        elif groups and groups[-1][-1].name in layer.sources:
            groups[-1].append(layer)
        elif layer.kind != "delay":
            problems.append(
                Problem(
                    f"'{layer.kind}' is executed on the way out of the layer before it, "
                    "so it must follow a weighted layer and read its output",
                    key=f"layers.{layer.index}", value=layer.name,
                    allowed="a conv2d, linear or matmul right before it in the list, whose output it reads",
                )
            )  # fmt: skip
    if problems:
        raise UnsupportedError(problems)
    return tuple(_stage(network, index, group, index == len(groups) - 1) for index, group in enumerate(groups))


def _needs_memory_of_spikes(network: Network) -> list[Problem]:
    """Layers that read spikes of earlier timesteps, which no chip keeps."""
    problems = []
    for layer in network.layers:
        if layer.kind == "delay":
            problems.append(
                Problem(
                    f"layer '{layer.name}' delays its input (steps: {layer.delay}), and the chip has no delay lines",
                    key=f"layers.{layer.index}", value=layer.name,
                    allowed="a network without delays, trained or converted so",
                )
            )  # fmt: skip
        if layer.recurrent is not None:
            problems.append(
                Problem(
                    f"spikes of layer '{layer.name}' come back to it a timestep later, and the chip does not keep them",
                    key=f"layers.{layer.index}.recurrent", value=layer.recurrent.kind,
                    allowed="layers without recurrent: what the chips execute is fed forward",
                )
            )  # fmt: skip
    return problems


def _bits_of(network: Network, name: str) -> int:
    """Bits of one value of the map that ``name`` produces."""
    return network.input_max.bit_length() if name == INPUT else network.layer(name).out_bits


def _stage(network: Network, index: int, group: list[Layer], is_last: bool) -> Stage:
    head = group[0]
    inside = {layer.name for layer in group}
    tail = [TailOp(head, "neuron", head.neurons)] if head.neuron is not None else []
    for layer in group[1:]:
        if layer.kind == "neuron":
            tail.append(TailOp(layer, "neuron", layer.neurons))
        elif layer.kind == "add":
            size, outside = elements(layer.out_shape), [name for name in layer.sources if name not in inside]
            tail += [TailOp(layer, "vector", size, name, _bits_of(network, name)) for name in outside]
            inner = len(layer.sources) - len(outside)
            tail += [TailOp(layer, "vector", size) for _ in range(inner - 1)]
        elif layer.kind.endswith("pool2d"):
            tail.append(TailOp(layer, "vector", elements(layer.in_shape)))
    stored = []
    for layer in group:
        consumers = network.consumers(layer.name)
        if layer is group[-1] or any(consumer.name not in inside for consumer in consumers):
            stored.append(StoredMap(layer, elements(layer.out_shape), layer.out_bits))
    from_input = head.sources == ("input",) or (
        not network.chained and index == 0 and network.encoding is not None and head.in_shape == network.input_shape
    )
    return Stage(index, head, tuple(tail), tuple(stored), tuple(layer.name for layer in group), from_input, is_last)

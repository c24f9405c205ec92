"""What a module computes, as found while it runs: nodes that are the same at every timestep, and values at one.

A node stands for one operation of the network. The same operation on the same nodes, at another timestep or for another
sample, is the same node; so a loop over time folds into one network, and one that does not is noticed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Features = tuple[int, ...]
"""Sizes of one sample at one timestep: (features,), (channels, length) or (channels, height, width)."""
EVERY = -1
"""All timesteps in one tensor, as :attr:`Value.axes` say."""
STILL = -2
"""The same at every timestep."""
WEIGHTED = ("conv1d", "conv2d", "linear")
POOLS = tuple(f"{kind}pool{axes}d" for kind in ("avg", "sum", "max") for axes in (1, 2))
NO_LAYER = "is no layer of archsim"
LAYERS = (*WEIGHTED, *POOLS, "batchnorm", "neuron")


@dataclass(frozen=True)
class Refusal:
    """Why archsim has no layer for something."""

    why: str


@dataclass(frozen=True)
class Described:
    """A layer as archsim knows it: its kind, the keys of its YAML mapping, and its arrays by part."""

    kind: str
    keys: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, Array] = field(default_factory=dict)


@dataclass(eq=False)
class Node:
    """One operation of the network. ``name``: the path of its module, or of its function what it is called.

    ``kind``: one of :data:`LAYERS`, ``input``, ``add``, ``scale``, ``flatten``; ``state`` (a potential that a neuron
    gives out beside its spikes); ``unknown``, which archsim has no layer for, because of ``why``.
    """

    kind: str
    name: str
    inputs: tuple[Node, ...]
    shape: Features
    keys: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, Array] = field(default_factory=dict)
    why: str = ""


class Value(NamedTuple):
    """A node's value: at timestep ``when`` (or :data:`EVERY`, :data:`STILL`), in a tensor that starts with ``axes``.

    ``axes``: ``N`` one sample; of several timesteps ``TN``, ``NT``, or ``T`` (both in one). N is 1.
    """

    node: Node
    when: int
    axes: str


class Graph:
    """All nodes in the order in which they were first computed, and what is wrong with the way they hang together."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.problems: dict[str, str] = {}
        self._known: dict[Hashable, Node] = {}

    def node(self, key: Hashable, make: Callable[[], Node]) -> Node:
        """The node of this key, made where it is new."""
        if key not in self._known:
            self._known[key] = made = make()
            self.nodes.append(made)
        return self._known[key]

    def unknown(self, name: str, inputs: tuple[Node, ...], shape: Features, why: str) -> Node:
        """A node that archsim has no layer for."""
        return self.node(("unknown", name, inputs, shape), lambda: Node("unknown", name, inputs, shape, why=why))

    def blame(self, name: str, why: str) -> None:
        """Note one reason why the module is refused; one of each."""
        self.problems.setdefault(f"{name}: {why}", name)

    def layers(self) -> list[Node]:
        """What the network consists of: all that reaches a layer with weights or neurons, in order."""
        kept: set[Node] = set()
        for node in reversed(self.nodes):
            if node.kind in (*WEIGHTED, "neuron") or node in kept:
                kept |= {node, *node.inputs}
        return [node for node in self.nodes if node in kept]

    def readers_of(self, node: Node) -> list[Node]:
        """Who of the layers reads a node."""
        return [one for one in self.layers() if node in one.inputs]


def as_map(shape: Features) -> tuple[int, int, int]:
    """The sizes as [C, H, W]."""
    channels, height, width = (*shape, 1, 1)[:3]
    return channels, height, width


def array(tensor: Any) -> Array:
    """A tensor's numbers."""
    found: Array = tensor.detach().cpu().numpy()
    return np.array(found)

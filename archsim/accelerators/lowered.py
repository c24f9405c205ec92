"""What a family's lowering hands over: the graph, the parts of the chip, and facts for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from archsim.cost.component import Component
from archsim.taskgraph import TaskGraph

OF_EVERY_FAMILY = (
    "everything leaks all the time: nothing is switched off while it has no work",
    "clock tree and control are not modelled",
)
"""Assumptions in the same words for all: sides of a comparison that assume the same do not differ."""


@dataclass(frozen=True)
class LayerFacts:
    """Facts of one mapped layer that are not counts: where it lies and how well it fills the array."""

    name: str
    kind: str
    folds: int
    passes: int
    utilisation: float  # used PEs / all PEs, mean over passes
    dense_products: int  # products if no value were zero, all timesteps
    density: float  # active product slots / product slots
    in_bits: int
    out_shape: tuple[int, int, int]
    members: tuple[str, ...]  # this layer and those executed on its way out


@dataclass(frozen=True)
class Lowered:
    """A workload on a chip, ready to be executed and priced."""

    graph: TaskGraph
    components: tuple[Component, ...]
    layers: tuple[LayerFacts, ...]
    assumptions: tuple[str, ...]
    least_cycles: Mapping[str, int] = field(default_factory=dict, kw_only=True)  # what an input needs of untimed parts
    busy_units: Mapping[str, Mapping[str, float]]  # by cost level: units that keep parts of it busy, and what share

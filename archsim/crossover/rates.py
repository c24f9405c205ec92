"""Spike rates: what one number says of all layers, and which densities give a stated rate.

The spike rate is the mean density of the edges on which spikes of the network's own neurons travel, each weighted by
its number of values: non-zero values per value and timestep at the inputs of the weighted layers. Layers keep their
ratios: ``d = min(1, f * own density)``, with the factor f that gives the rate.

The network's input, and what pools make of it, is data: both networks get the same, at every rate. A direct-coded
image keeps its density; spikes keep theirs, and the ANN's pixels are non-zero where any of T timesteps has one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from archsim.errors import Problem, WorkloadError
from archsim.workload import Network, Workload
from archsim.workload.activity import SyntheticActivity
from archsim.workload.densities import Stated, resolve_densities
from archsim.workload.network import INPUT


@dataclass(frozen=True)
class Edge:
    """The values that some weighted layers read: how many per timestep, and their own density."""

    readers: tuple[str, ...]
    values: int
    density: float


@dataclass(frozen=True)
class SpikeRates:
    """The edges of one workload; ``spikes``: those that are scaled, ``fixed``: those that the input gives."""

    spikes: tuple[Edge, ...]
    fixed: tuple[Edge, ...]
    stated: Stated
    uniform: bool
    coded: bool
    """Whether the input is coded in spikes, others at each timestep; else it is one image at all of them."""

    @cached_property
    def values(self) -> int:
        """Values per timestep on all edges with spikes."""
        return sum(edge.values for edge in self.spikes)

    @cached_property
    def own(self) -> float:
        """The workload's own spike rate."""
        return sum(edge.values * edge.density for edge in self.spikes) / self.values

    @cached_property
    def most(self) -> float:
        """The largest rate that can be reached: edges that are silent stay silent."""
        return 1.0 if self.uniform else sum(edge.values for edge in self.spikes if edge.density) / self.values

    def factor(self, rate: float) -> float:
        """f for a rate; infinite where every edge is at its cap."""
        wanted = rate * self.values
        capped = 0
        edges = sorted((edge for edge in self.spikes if edge.density), key=lambda edge: -edge.density)
        for number, edge in enumerate(edges):
            factor = (wanted - capped) / sum(other.values * other.density for other in edges[number:])
            if factor * edge.density <= 1.0:
                return factor
            capped += edge.values
        return math.inf

    def densities(self, rate: float) -> list[float]:
        """Density of each edge of ``spikes`` at a rate."""
        if self.uniform:
            return [rate for _ in self.spikes]
        if rate == self.own:
            return [edge.density for edge in self.spikes]
        factor = self.factor(rate)
        return [min(1.0, factor * edge.density) if edge.density else 0.0 for edge in self.spikes]

    def capped(self, rate: float) -> tuple[str, ...]:
        """Layers whose input is as dense as can be at a rate, though it is not by itself."""
        found = zip(self.spikes, self.densities(rate), strict=True)
        return tuple(name for edge, density in found if density == 1.0 > edge.density for name in edge.readers)

    def at(self, rate: float) -> Stated:
        """What to draw for a spike rate."""
        return self._stated(self.densities(rate), [edge.density for edge in self.fixed])

    def of_ann(self, density: float, timesteps: int) -> Stated:
        """What to draw for the ANN: activations of one density.

        A pixel of an input that the SNN gets as spikes is non-zero where any of T timesteps has one: 1 - (1 - d)^T,
        as spikes are drawn independently.
        """
        steps = timesteps if self.coded else 1
        pixels = [edge.density if steps == 1 else 1.0 - (1.0 - edge.density) ** steps for edge in self.fixed]
        return self._stated([density for _ in self.spikes], pixels)

    def _stated(self, spikes: Sequence[float], fixed: Sequence[float]) -> Stated:
        found = zip((*self.spikes, *self.fixed), (*spikes, *fixed), strict=True)
        return replace(
            self.stated, overall=None, by_layer={name: density for edge, density in found for name in edge.readers}
        )


def rates_of(workload: Workload, samples: Sequence[int], uniform: bool) -> SpikeRates:
    """The rates of a workload: densities as stated, or as counted in recorded or simulated samples.

    Raises WorkloadError where no neuron spikes.
    """
    network, activity = workload.network, workload.activity
    stated = activity.densities.stated if isinstance(activity, SyntheticActivity) else Stated()
    own = {
        layer.name: math.fsum(activity.density_of(layer, sample) for sample in samples) / len(samples)
        for layer in network.weighted_layers
    }
    edges = _edges(workload, own)
    fixed = [name for name in edges if _is_input(network, name)]
    found = SpikeRates(
        tuple(edge for name, edge in edges.items() if name not in fixed), tuple(edges[name] for name in fixed), stated,
        uniform, network.encoding != "direct",
    )  # fmt: skip
    problem = _silent(workload, found)
    if problem is not None:
        raise WorkloadError(problem)
    return found


def _silent(workload: Workload, rates: SpikeRates) -> Problem | None:
    if not rates.spikes:
        text = "no layer with weights reads spikes of the network's own neurons, so there is no spike rate"
        return workload.document.problem(("layers",), text)
    if not rates.own and not rates.uniform:
        text = "nothing spikes behind the input of this workload, so its densities cannot be scaled"
        return workload.document.problem(("activity",), text, allowed="other densities, or --uniform")
    return None


def _is_input(network: Network, edge: str) -> bool:
    """Whether an edge carries the network's input, or what layers without weights and neurons make of it alone."""
    if edge == INPUT:
        return True
    layer = next((layer for layer in network.layers if layer.name == edge), None)
    if layer is None or layer.weighted or layer.neuron is not None or not layer.sources:
        return False
    return all(_is_input(network, source) for source in layer.sources)


def _edges(workload: Workload, own: Mapping[str, float]) -> dict[str, Edge]:
    """By name, every edge that weighted layers read."""
    network: Network = workload.network
    densities, problems = resolve_densities(network, Stated(by_layer=own), workload.document.problem)
    if problems:
        raise WorkloadError(problems)
    readers: dict[str, list[str]] = {}
    for layer, edge in densities.readers.items():
        readers.setdefault(edge, []).append(layer)
    return {
        edge: Edge(tuple(names), math.prod(densities.edges[edge].shape), own[names[0]])
        for edge, names in readers.items()
    }

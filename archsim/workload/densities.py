"""Stated densities, resolved: which edges are drawn at random, at which density, from which random stream.

A density belongs to an edge, not to a reader of it: weighted layers that read the same edge must not state two.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from archsim.errors import Problem, nearest
from archsim.workload.network import INPUT, POOLS, WEIGHTED, Layer, Network, Shape

DEFAULT = "default"
"""The key of a density mapping that holds for every layer that is not named."""
DENSE_UNLESS_STATED = 1.0
_TRANSPARENT = ("flatten", "batchnorm")
Report = Callable[..., Problem]
"""Makes a problem at a place of the workload file: :meth:`archsim.config.Document.problem`."""


@dataclass(frozen=True)
class Stated:
    """The ``activity`` entry of a workload file that gives densities."""

    overall: float | None = None
    by_layer: Mapping[str, float] | None = None
    generator: Literal["bernoulli", "clustered"] = "bernoulli"
    dispersion: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class DrawnEdge:
    """An edge whose values come out of a generator; ``constant``: the same image at every timestep."""

    shape: Shape
    density: float
    maximum: int
    stream: str
    constant: bool = False


@dataclass(frozen=True)
class Densities:
    """Every drawn edge of a network, and the density at the input of each weighted layer."""

    stated: Stated
    at_input: Mapping[str, float]
    edges: Mapping[str, DrawnEdge]
    readers: Mapping[str, str]

    @property
    def generator(self) -> str:
        """``bernoulli`` or ``clustered``."""
        return self.stated.generator

    @property
    def dispersion(self) -> float:
        """How unlike channels and places are (0: all alike)."""
        return self.stated.dispersion

    @property
    def seed(self) -> int:
        """The seed of every stream."""
        return self.stated.seed

    def edge_of(self, layer: Layer) -> str:
        """The edge that a weighted layer reads."""
        return self.readers[layer.name]

    def drawn_edge(self, name: str) -> DrawnEdge | None:
        """How the edge is drawn; None if it follows from others."""
        return self.edges.get(name)

    def describe(self) -> str:
        """Generator, densities and seed in a few words."""
        if self.stated.by_layer is not None:
            values = sorted(self.at_input.values()) or [0.0]
            what = f"densities {values[0]:g}..{values[-1]:g} of {len(self.at_input)} layers"
        elif self.stated.overall is not None:
            what = f"density {self.stated.overall:g}"
        else:
            what = "density 1 (the workload states no activity)"
        spread = f" dispersion {self.dispersion:g}" if self.generator == "clustered" else ""
        return f"{self.generator}{spread} {what} seed {self.seed}"


def resolve_densities(network: Network, stated: Stated, report: Report) -> tuple[Densities, list[Problem]]:
    """Find every drawn edge. Problems: densities for layers that have none, missing ones, two for one edge."""
    problems = unknown_names({layer.name: layer.kind for layer in network.layers}, stated.by_layer or (), report)
    readers = {layer.name: _edge_read_by(network, layer) for layer in network.weighted_layers}
    by_edge: dict[str, list[Layer]] = {}
    for layer in network.weighted_layers:
        by_edge.setdefault(readers[layer.name], []).append(layer)
    at_input: dict[str, float] = {}
    drawn: dict[str, DrawnEdge] = {}
    missing: list[str] = []
    for edge, group in by_edge.items():
        constant = edge == INPUT and network.encoding == "direct"
        density, found = _density_of_edge(group, stated, constant, report)
        problems += found
        if density is None:
            missing += [layer.name for layer in group]
            density = DENSE_UNLESS_STATED
        at_input.update((layer.name, density) for layer in group)
        shape = _shape_of(network, edge, group[0])
        drawn[edge] = DrawnEdge(shape, density, group[0].in_max, group[0].name, constant)
    if missing:
        text = f"no density is stated for {', '.join(missing)}; state each, or '{DEFAULT}'"
        problems.append(report(("activity", "density"), text))
    drawn.update(_edges_without_reader(network, drawn, at_input, stated))
    return Densities(stated, at_input, drawn, readers), problems


def unknown_names(kinds: Mapping[str, str | None], stated: Iterable[str], report: Report) -> list[Problem]:
    """Densities stated for layers that do not exist or have no weights; ``kinds``: layer -> kind, None if unknown."""
    known = [name for name, kind in kinds.items() if kind in WEIGHTED or kind is None]
    problems = []
    for name in stated:
        if name in known or name == DEFAULT:
            continue
        if name in kinds:
            text = f"is a {kinds[name]} layer; a density is stated at the input of a layer with weights"
            problems.append(report(("activity", "density", name), text))
        else:
            near = nearest(name, [*known, DEFAULT])
            problems.append(report(("activity", "density", name), "there is no layer of this name", nearest=near))
    return problems


def _edge_read_by(network: Network, layer: Layer) -> str:
    """The edge at a layer's input, seen through layers that change no value."""
    if not layer.sources:
        return f"{layer.name}:in"
    source = layer.sources[0]
    while source != INPUT and network.layer(source).kind in _TRANSPARENT and not network.layer(source).in_signed:
        source = network.layer(source).sources[0]
    return source


def _shape_of(network: Network, edge: str, reader: Layer) -> Shape:
    if edge == INPUT and network.input_shape is not None:
        return network.input_shape
    return reader.in_shape if edge.endswith(":in") else network.layer(edge).out_shape


def _density_of_edge(
    group: list[Layer], stated: Stated, constant: bool, report: Report
) -> tuple[float | None, list[Problem]]:
    by_layer = stated.by_layer or {}
    named = {layer.name: by_layer[layer.name] for layer in group if layer.name in by_layer}
    problems = []
    if len(set(named.values())) > 1:
        first, *rest = named
        text = f"{' and '.join([first, *rest])} read the same values, so they have one density"
        problems.append(report(("activity", "density", rest[-1]), text))
    if named:
        return next(iter(named.values())), problems
    if constant:
        return DENSE_UNLESS_STATED, problems
    return _unnamed(stated), problems


def _unnamed(stated: Stated) -> float | None:
    """The density of a layer that is not named: None if it would have to be."""
    if stated.by_layer is not None:
        return stated.by_layer.get(DEFAULT)
    return DENSE_UNLESS_STATED if stated.overall is None else stated.overall


def _edges_without_reader(
    network: Network, drawn: Mapping[str, DrawnEdge], at_input: Mapping[str, float], stated: Stated
) -> dict[str, DrawnEdge]:
    """Edges that no weighted layer reads directly: neuron maps before pools and adds, last layers, lone table rows."""
    edges: dict[str, DrawnEdge] = {}
    for layer in network.layers:
        density = _density_behind(network, layer.name, layer.index, at_input, stated)
        if layer.spiking and layer.name not in drawn:
            edges[layer.name] = DrawnEdge(layer.out_shape, density, layer.out_max, f"{layer.name}:out")
        if not layer.weighted and not layer.sources and not layer.in_signed:
            edges[f"{layer.name}:in"] = DrawnEdge(layer.in_shape, density, layer.in_max, layer.name)
    if network.input_shape is not None and network.consumers(INPUT) and INPUT not in drawn:
        constant = network.encoding == "direct"
        density = DENSE_UNLESS_STATED if constant else _density_behind(network, INPUT, -1, at_input, stated)
        edges[INPUT] = DrawnEdge(network.input_shape, density, network.input_max, INPUT, constant)
    return edges


def _density_behind(network: Network, name: str, index: int, at_input: Mapping[str, float], stated: Stated) -> float:
    """Density of an edge that gives the first weighted layer behind it the density stated there.

    A pool over w values leaves 1 - (1 - d)^w of density d, which is solved for d; adds are passed over. In a table the
    layer behind is the next row. With none behind, the density of layers that are not named, else the layer's own.
    """
    reached = _first_behind(network, name) if network.chained else None
    if reached is not None:
        reader, window = reached
        density = at_input[reader.name]
        return density if window == 1 or density == 1.0 else -math.expm1(math.log1p(-density) / window)
    later = [other for other in network.weighted_layers if other.index > index]
    if later and not network.chained:
        return at_input[later[0].name]
    before = [other for other in network.weighted_layers if other.index <= index]
    overall = _unnamed(stated)
    if overall is None or name in (stated.by_layer or {}):
        return at_input[before[-1].name] if before else DENSE_UNLESS_STATED
    return overall


def _first_behind(network: Network, name: str) -> tuple[Layer, int] | None:
    """The first weighted layer that an edge reaches, and the values that the pools on the way make one."""
    front, seen = [(name, 1)], {name}
    while front:
        readers = [(reader, window) for one, window in front for reader in network.consumers(one)]
        weighted = [(reader, window) for reader, window in readers if reader.weighted]
        if weighted:
            return min(weighted, key=lambda found: found[0].index)
        front = [(reader.name, window * _window(reader)) for reader, window in readers if reader.name not in seen]
        seen.update(one for one, _ in front)
    return None


def _window(layer: Layer) -> int:
    return math.prod(layer.kernel) if layer.kind in POOLS else 1

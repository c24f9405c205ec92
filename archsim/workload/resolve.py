"""From what a workload file says to a :class:`Network`, or to every contradiction in it at once.

A layer whose input is unknown because of an earlier mistake is judged only by what does not depend on that input. The
walk goes on from where a shape is known again: behind a linear layer, and where a layer states its own ``input_shape``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from archsim.config import Document
from archsim.errors import Problem
from archsim.workload import shapes
from archsim.workload.graph import carries_neuron, find_sources
from archsim.workload.layer_schema import (
    AnyLayer,
    NeuronLayerSpec,
    NeuronSpec,
    WeightedSpec,
)
from archsim.workload.network import INPUT, Layer, Network, Neuron, Precision, Readout, Recurrence, Shape
from archsim.workload.neurons import merged
from archsim.workload.schema import InputSpec, PrecisionSpec
from archsim.workload.shapes import Blame, Edge

_NEURON = NeuronSpec()
_PRECISION = PrecisionSpec()


@dataclass(frozen=True)
class Draft:
    """The parts of a workload file that could be read; ``None`` for those that could not."""

    layers: list[AnyLayer | None]
    names: list[str | None]
    chained: bool = True
    input: InputSpec | None = None
    neuron: NeuronSpec = _NEURON
    precision: PrecisionSpec = _PRECISION
    name: str = ""
    timesteps: int = 1
    description: str = ""
    source: str = ""
    readout: Readout | None = None


def resolve(draft: Draft, document: Document) -> tuple[Network, list[Problem]]:
    """The network of a draft, and all problems; with any, the network lacks the layers that could not be resolved."""
    walk = _Walk(draft, document)
    layers = tuple(layer for layer in map(walk.visit, range(len(draft.layers))) if layer is not None)
    stated = draft.input
    precision = Precision(**draft.precision.model_dump())
    network = Network(
        name=draft.name,
        timesteps=draft.timesteps,
        layers=layers,
        input_shape=None if stated is None else shapes.full_shape(stated.shape),
        encoding=None if stated is None else stated.encoding,
        precision=precision,
        chained=draft.chained,
        description=draft.description,
        source=draft.source,
        code=shapes.input_code(stated),
        readout=_readout(draft, layers, document, walk.problems),
    )
    return network, walk.problems


class _Walk:
    """One pass over the layers in order, remembering the edge behind each."""

    def __init__(self, draft: Draft, document: Document) -> None:
        self.draft, self.document = draft, document
        self.layers = [None if spec is None else shapes.widened(spec) for spec in draft.layers]
        self.sources, self.labels, self.problems = find_sources(draft.layers, draft.names, draft.chained, document)
        self.spiking = carries_neuron(draft.layers, self.labels, self.sources)
        self.membrane_bits = draft.precision.membrane_bits
        self.edges: dict[str, Edge] = {}
        if draft.input is not None:
            direct = draft.input.encoding == "direct"
            maximum = (1 << draft.precision.input_bits) - 1 if direct else draft.input.max_spikes or 1
            edge = Edge(shapes.full_shape(draft.input.shape), maximum)
            if self._fits(edge.shape, self._blame_input, "shape"):
                self.edges[INPUT] = edge

    def visit(self, index: int) -> Layer | None:
        """Resolve one layer; None if a mistake, here or before, leaves it unknown."""
        spec = self.layers[index]
        if spec is None:
            return None
        blame, before = self._blame(index), len(self.problems)
        neuron = self._neuron(spec, index, blame)
        sources, entering = self._entering(spec, index, blame)
        leaving = self._leaving(spec, entering, neuron, blame)
        recurrent = self._recurrence(spec, neuron, blame)
        if leaving is None:
            return None
        self.edges[self.labels[index]] = leaving
        if not entering or len(self.problems) > before:
            return None
        layer = self._layer(spec, index, sources, entering, leaving, neuron, recurrent)
        products = layer.macs * self.draft.timesteps
        if products > shapes.MAX_PRODUCTS:
            blame("name", f"makes {products:,} products per input; at most {shapes.MAX_PRODUCTS:,} are modelled")
        return layer

    def _blame(self, index: int) -> Blame:
        def blame(key: str, message: str, **hints: Any) -> None:
            self.problems.append(self.document.problem(("layers", index, key), message, **hints))

        return blame

    def _blame_input(self, key: str, message: str, **hints: Any) -> None:
        self.problems.append(self.document.problem(("input", key), message, **hints))

    def _fits(self, shape: Shape, blame: Blame, key: str) -> bool:
        """Whether the values of an edge can be held; if not, a problem at ``key``."""
        values = math.prod(shape) * self.draft.timesteps
        if values > shapes.MAX_VALUES:
            text = f"{shapes.show(shape)} is {values:,} values over all timesteps"
            blame(key, f"{text}; at most {shapes.MAX_VALUES:,} are modelled")
        return values <= shapes.MAX_VALUES

    def _entering(self, spec: AnyLayer, index: int, blame: Blame) -> tuple[tuple[str, ...], list[Edge]]:
        """Sources and the edges from them as the layer sees them; no edges if one is unknown."""
        if not self.draft.chained:
            sources, found = self._row(spec, index, blame)
        else:
            sources, found = self.sources[index] or (), []
            if all(name in self.edges for name in sources):
                found = [self.edges[name] for name in sources]
            found = _one_shape(found, sources, blame)
            if spec.input_shape is not None:
                found = _as_stated(spec, spec.input_shape, found, sources, blame)
        if not all(self._fits(edge.shape, blame, "input_shape") for edge in found[:1]):
            return sources, []
        return sources, [replace(edge, shape=shapes.entering_shape(spec, edge.shape, blame)) for edge in found]

    def _row(self, spec: AnyLayer, index: int, blame: Blame) -> tuple[tuple[str, ...], list[Edge]]:
        """Input of a row of a table: its own shape; the network's input where that is the first row's shape."""
        shape = shapes.own_input_shape(spec)
        if shape is None:
            blame("input_shape", "is missing: in a table (chained: false) every layer states it")
            return (), []
        if index == 0 and INPUT in self.edges and self.edges[INPUT].shape == shape:
            return (INPUT,), [self.edges[INPUT]]
        if isinstance(spec, NeuronLayerSpec):
            return (), [shapes.current(shape, self.membrane_bits)]
        return (), [Edge(shape, self.draft.neuron.max_spikes or 1)]

    def _leaving(self, spec: AnyLayer, entering: list[Edge], neuron: Neuron | None, blame: Blame) -> Edge | None:
        shape = shapes.leaving_shape(spec, entering[0].shape, blame) if entering else shapes.lost_shape(spec, blame)
        if spec.output_shape is not None:
            stated = shapes.stated_shape(spec, spec.output_shape)
            if shape not in (None, stated):
                made = "nothing" if shape is None else shapes.show(shape)
                blame("output_shape", f"contradicts the layer, which makes {made}", value=spec.output_shape)
            shape = stated
        if shape is None:
            return None
        if not self._fits(shape, blame, "name"):
            return None
        return shapes.leaving_edge(spec, shape, entering or [Edge(shape, 1)], neuron, self.membrane_bits, blame)

    def _neuron(self, spec: AnyLayer, index: int, blame: Blame) -> Neuron | None:
        """The layer's neuron: its own keys over the workload's, over the defaults."""
        own = spec.neuron if isinstance(spec, WeightedSpec | NeuronLayerSpec) else None
        if not self.spiking[index]:
            if own is not None:
                blame("neuron", "this layer carries no neuron: 'spiking' is false, or a neuron layer follows")
            return None
        return merged(self.draft.neuron, own, blame)

    def _recurrence(self, spec: AnyLayer, neuron: Neuron | None, blame: Blame) -> Recurrence | None:
        """How the layer's neurons feed themselves; only spikes travel back."""
        if not isinstance(spec, WeightedSpec | NeuronLayerSpec) or spec.recurrent is None:
            return None
        if neuron is None or not neuron.spiking:
            blame("recurrent", "spikes travel back, and this layer sends none", allowed="a layer with spiking neurons")
        return shapes.recurrence(spec.recurrent)

    def _layer(
        self,
        spec: AnyLayer,
        index: int,
        sources: tuple[str, ...],
        entering: list[Edge],
        leaving: Edge,
        neuron: Neuron | None,
        recurrent: Recurrence | None,
    ) -> Layer:
        widest = max(entering, key=lambda edge: edge.maximum)
        own_bits = spec.weight_bits if isinstance(spec, WeightedSpec) else None
        return Layer(
            index=index,
            name=spec.name,
            kind=spec.type,
            sources=sources,
            in_shape=entering[0].shape,
            out_shape=leaving.shape,
            in_bits=widest.bits,
            out_bits=leaving.bits,
            in_max=widest.maximum,
            out_max=leaving.maximum,
            weight_bits=own_bits or self.draft.precision.weight_bits,
            neuron=neuron,
            recurrent=recurrent,
            in_signed=any(edge.signed for edge in entering),
            out_signed=leaving.signed,
            **shapes.geometry(spec),
        )


def _readout(draft: Draft, layers: Sequence[Layer], document: Document, problems: list[Problem]) -> Readout:
    """What of the last layer predicts: of potentials the last, of all else the sum, unless stated."""
    last = layers[-1] if layers else None
    if draft.readout == "first" and last is not None and not last.spiking:
        text = f"the last layer, '{last.name}', sends no spikes, so none is first"
        problems.append(document.problem(("readout",), text, value="first", allowed="sum, last, max"))
    return draft.readout or ("last" if last is not None and last.neuron is not None and not last.spiking else "sum")


def _one_shape(edges: list[Edge], sources: tuple[str, ...], blame: Blame) -> list[Edge]:
    """The edges, if all have one shape (only an add has several)."""
    if len({edge.shape for edge in edges}) <= 1:
        return edges
    found = ", ".join(f"{name} {shapes.show(edge.shape)}" for name, edge in zip(sources, edges, strict=True))
    blame("inputs", f"adds maps of different shapes: {found}")
    return []


def _as_stated(
    spec: AnyLayer, sizes: list[int], edges: list[Edge], sources: tuple[str, ...], blame: Blame
) -> list[Edge]:
    """The edges with the shape that the layer states; a problem if they deliver another one."""
    stated = shapes.stated_shape(spec, sizes)
    if not edges:
        return [Edge(stated, 1)] * max(1, len(sources))
    delivered = edges[0].shape
    if not shapes.same_values(spec, stated, delivered):
        text = f"contradicts what '{sources[0]}' delivers, {shapes.show(delivered)}"
        blame("input_shape", text, value=sizes)
        return [replace(edge, shape=stated) for edge in edges]
    return edges

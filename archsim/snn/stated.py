"""A network as a chip with the workload's weight and membrane bits executes it: integers, bit for bit.

Every edge carries integers times a ``unit``. Weights are integers times a step (``archsim.snn.grids``), biases the
nearest integers in the unit of the currents, and currents exact sums. Spikes have the unit 1, a direct input 1 / scale,
an average over k values 1 / k of its input's unit. Operands of an add are brought to the smallest of their units by
whole factors: the identity path of a residual block is a weight of 1 on the grid of the currents beside it. A current
that leaves a layer without neurons is a word of ``membrane_bits``: shifted right (rounded, halves up) by the smallest k
with which its largest possible value fits. Neurons: ``archsim.snn.integer_neurons``.

The integers are carried by floats that hold them exactly, so neither the order of additions nor the number of inputs or
threads can change one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.errors import ArchsimError, Problem, UnsupportedError
from archsim.snn.folding import Folded, fold
from archsim.snn.grids import bounds, quantised
from archsim.snn.integer_neurons import IntegerNeurons, exact_type
from archsim.snn.operators import Add, Operator, Reshape, applied
from archsim.snn.plan import Plan, Step, feedback_of, last_readers, operator_of
from archsim.workload.network import INPUT, Layer, Network
from archsim.workload.weights import Weights

Array = NDArray[Any]
_CLOSE = 1e-9
FINEST = 1 << 16
"""By what the unit of a sum may be finer than that of its operands."""


@dataclass(frozen=True)
class Edge:
    """Integers up to ``largest`` (in magnitude) times ``unit``; ``current``: sums of weights, not spikes."""

    unit: float
    largest: float
    current: bool = False


Weighted = Callable[[Layer, Mapping[str, Array], np.dtype[Any]], Operator]
"""Makes what a weighted layer does of its integer weights (and bias), and the type that holds its exact sums."""


def stated_plan(network: Network, weights: Weights | None, weighted: Weighted | None = None) -> Plan:
    """The network in integers. Raises UnsupportedError with every layer that integers cannot express.

    ``weighted``: what executes weighted layers in place of exact sums (crossbars, which err).
    """
    folded = fold(network, weights)
    problems = list(folded.problems)
    walk = _Walk(network, folded, weighted)
    steps = []
    for layer in () if problems else network.layers:
        try:
            steps.append(walk.step(layer))
        except ArchsimError as error:
            problems += error.problems
            walk.edges.setdefault(layer.name, Edge(1.0, 1.0))
    if problems:
        raise UnsupportedError(problems)
    return Plan(network, tuple(steps), np.dtype(np.float64), 1.0, last_readers(network))


class _Walk:
    """One pass over the layers, remembering the edge behind each."""

    def __init__(self, network: Network, folded: Folded, weighted: Weighted | None) -> None:
        self.network, self.folded, self.weighted = network, folded, weighted
        self.bits = network.precision.membrane_bits
        scale = network.code.scale if network.encoding == "direct" else 1.0
        self.edges = {INPUT: Edge(1.0 / scale, float(network.input_max))}

    def step(self, layer: Layer) -> Step:
        """The layer in integers."""
        entering = [self.edges[source] for source in layer.sources]
        operate, edge = self._operator(layer, entering)
        neurons = None
        if layer.neuron is not None:
            operate, edge, feedback = self._with_feedback(layer, operate, edge)
            parts, steps = self.folded.parts[layer.name], self.network.timesteps
            neurons = IntegerNeurons(layer, parts, edge.unit, edge.largest, self.bits, steps)
            if feedback is not None:
                neurons.feedback = feedback(neurons.dtype)
            if layer.spiking:
                edge = Edge(1.0, layer.neuron.max_spikes)
            else:
                edge = Edge(neurons.step, float(1 << (self.bits - 1)), current=True)
        elif edge.current and self._stored(layer):
            operate, edge = self._word(operate, edge)
        self.edges[layer.name] = edge
        return Step(layer, operate, neurons, edge.unit)

    def _operator(self, layer: Layer, entering: list[Edge]) -> tuple[Operator, Edge]:
        edge, steps = entering[0], self.network.timesteps
        if layer.weighted:
            return self._weighted(layer, edge)
        if layer.kind == "add":
            factors, edge = _aligned(f"'{layer.name}' adds", layer.weight_bits, entering)
            return Add(exact_type(edge.largest, layer.name), factors), edge
        if layer.kind == "scale" and layer.name not in self.folded.gone:
            return self._scaled(layer, edge)
        if layer.kind in ("avgpool2d", "sumpool2d"):
            window = math.prod(layer.kernel)
            unit = edge.unit / window if layer.kind == "avgpool2d" else edge.unit
            edge = Edge(unit, edge.largest * window, edge.current)
            return operator_of(layer, {}, steps, exact_type(edge.largest, layer.name), average=False), edge
        if layer.kind in ("batchnorm", "scale"):
            return Reshape(layer), edge
        return operator_of(layer, {}, steps, exact_type(edge.largest, layer.name)), edge

    def _weighted(self, layer: Layer, edge: Edge) -> tuple[Operator, Edge]:
        parts, step = self.folded.parts[layer.name], self.folded.step[layer.name]
        whole = {"weight": quantised(parts["weight"], step, layer.weight_bits)}
        sums = np.abs(whole["weight"]).reshape(len(whole["weight"]), -1).sum(axis=1) * edge.largest
        unit = step * edge.unit
        if "bias" in parts:
            whole["bias"] = np.rint(parts["bias"] / unit)
            sums = sums + np.abs(whole["bias"])
        largest = float(sums.max())
        dtype = exact_type(largest, f"layer '{layer.name}'")
        if self.weighted is not None:
            return self.weighted(layer, whole, dtype), Edge(unit, largest, current=True)
        return operator_of(layer, whole, self.network.timesteps, dtype), Edge(unit, largest, current=True)

    def _scaled(self, layer: Layer, edge: Edge) -> tuple[Operator, Edge]:
        scale = float(self.folded.parts[layer.name]["scale"].flat[0])
        if scale == 0:
            raise UnsupportedError(Problem(f"'{layer.name}' scales by 0, so nothing is left", key="scale"))
        dtype = exact_type(edge.largest, layer.name)
        return Add(dtype, (math.copysign(1.0, scale),)), Edge(edge.unit * abs(scale), edge.largest, edge.current)

    def _with_feedback(
        self, layer: Layer, operate: Operator, edge: Edge
    ) -> tuple[Operator, Edge, Callable[[np.dtype[Any]], Any] | None]:
        """Currents and the layer's own feedback in one unit."""
        if layer.recurrent is None:
            return operate, edge, None
        assert layer.neuron is not None
        parts, step = self.folded.parts[layer.name], self.folded.step[layer.name]
        weight = quantised(parts["recurrent_weight"], step, layer.weight_bits)
        reach = np.abs(weight)
        if layer.recurrent.kind != "elementwise":
            reach = reach.reshape(len(weight), -1).sum(axis=1)
        bias = parts.get("recurrent_bias")
        own = Edge(step, float(reach.max()) * layer.neuron.max_spikes, current=True)
        (of_input, of_own), both = _aligned(f"'{layer.name}' adds", layer.weight_bits, [edge, own])
        whole = {"recurrent_weight": weight * of_own}
        largest = both.largest
        if bias is not None:
            whole["recurrent_bias"] = np.rint(bias / both.unit)
            largest += float(np.abs(whole["recurrent_bias"]).max())
        scaled = _Scaled(operate, of_input, exact_type(largest, f"layer '{layer.name}'"))
        return scaled, Edge(both.unit, largest, current=True), lambda dtype: feedback_of(layer, whole, dtype)

    def _stored(self, layer: Layer) -> bool:
        """Whether a layer's currents are written down: as the network's output, or for weights to read."""
        readers = self.network.consumers(layer.name)
        return layer is self.network.layers[-1] or any(reader.weighted for reader in readers)

    def _word(self, operate: Operator, edge: Edge) -> tuple[Operator, Edge]:
        """A current as a word of ``membrane_bits``."""
        high = bounds(self.bits)[1]
        shift = 0
        while math.ceil(edge.largest / 2**shift) > high:
            shift += 1
        if shift == 0:
            return operate, edge
        exact_type(2 * edge.largest, "a current")  # a half more, before it is rounded
        narrow = Edge(math.ldexp(edge.unit, shift), math.ceil(edge.largest / 2**shift), current=True)
        return _Shifted(operate, shift), narrow


class _Scaled:
    """Another operator's currents times a whole number."""

    def __init__(self, operate: Operator, factor: float, dtype: np.dtype[Any]) -> None:
        self.operate, self.factor, self.dtype = operate, dtype.type(factor), dtype

    def __call__(self, operands: Sequence[Array]) -> Array:
        found: Array = self.operate(operands).astype(self.dtype, copy=False)
        return found if self.factor == 1 else found * self.factor


class _Shifted:
    """Another operator's currents shifted right, rounded, halves up."""

    def __init__(self, operate: Operator, shift: int) -> None:
        self.operate, self.factor = operate, math.ldexp(1.0, -shift)

    def __call__(self, operands: Sequence[Array]) -> Array:
        return self._shifted(self.operate(operands))

    def numbered(self, operands: Sequence[Array], numbers: Array) -> Array:
        return self._shifted(applied(self.operate, operands, numbers))

    def _shifted(self, found: Array) -> Array:
        return np.floor(found.astype(np.float64) * self.factor + 0.5)


def _aligned(what: str, bits: int, edges: Sequence[Edge]) -> tuple[list[float], Edge]:
    """Whole factors that bring the edges to one unit; the edge of their sum.

    The unit is the smallest of the currents' (of the spikes', where there are only spikes) divided by the smallest n up
    to FINEST with which these are whole multiples of it, and spikes beside currents are so to within 2^-bits.
    """
    mixed = any(edge.current for edge in edges)
    least = min(edge.unit for edge in edges if edge.current or not mixed)
    finer = np.arange(1.0, FINEST + 1)
    fits = np.ones(FINEST, np.bool_)
    for edge in edges:
        wanted = edge.unit / least * finer
        near = math.ldexp(1.0, -bits) if mixed and not edge.current else _CLOSE
        fits &= np.abs(np.rint(wanted) - wanted) <= near * wanted
    if not fits.any():
        units = " and ".join(f"{edge.unit:g}" for edge in edges)
        text = f"{what} values of units without a whole ratio ({units}); simulate with precision 'float'"
        raise UnsupportedError(Problem(text, key="precision"))
    unit = least / finer[np.argmax(fits)]
    factors = [float(np.rint(edge.unit / unit)) for edge in edges]
    largest = sum(edge.largest * factor for edge, factor in zip(edges, factors, strict=True))
    return factors, Edge(unit, largest, mixed)

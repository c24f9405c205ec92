"""The real values on the edges of a network, from its spikes: what a connection layer of a framework would see.

Chips carry integers: an image's pixels, the *sum* of a pool's window. A framework divides these (pixel / scale,
average) and so decides otherwise what is a single spike; and a batch norm's offset makes zeros to something.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.measures.connections import Connection
from archsim.measures.ordered import InOrder
from archsim.snn.neurons import FloatNeurons
from archsim.snn.operators import Reshape
from archsim.snn.plan import feedback_of, operator_of
from archsim.workload import Layer, Network, Weights
from archsim.workload.network import INPUT

Array = NDArray[Any]
FLOAT = np.dtype(np.float32)


class Travelling:
    """Values on the edges of B inputs, [B, T, C, H, W]; a T of 1 stands for the same at every timestep.

    ``spikes``: of every layer with neurons that spike; ``given``: the network's input as it travelled, integers.
    """

    def __init__(self, network: Network, weights: Weights | None, given: Array, spikes: Mapping[str, Array]) -> None:
        self.network, self.weights = network, weights
        self._edges: dict[str, Array] = {INPUT: real_input(network, given), **spikes}

    def at(self, connection: Connection) -> Array:
        """What reaches the weights: the layer's input, or its own spikes of the timestep before."""
        shape = connection.geometry.in_shape
        if not connection.recurrent:
            values = self._edge(connection.layer.sources[0])
            return values.reshape(*values.shape[:2], *shape)
        sent = self._edge(connection.layer.name)
        before = np.zeros_like(sent)
        before[:, 1:] = sent[:, :-1]
        return before.reshape(*sent.shape[:2], *shape)

    def potentials(self) -> tuple[dict[str, Array], bool]:
        """The potentials of all neurons, before the reset, in float32; and whether they spike as it is known."""
        found: dict[str, Array] = {}
        same = True
        for layer in self.network.layers:
            if layer.neuron is not None:
                sent, found[layer.name] = self._fire(layer)
                same = same and (not layer.spiking or np.array_equal(sent, self._edges[layer.name]))
        return found, same

    def _edge(self, name: str) -> Array:
        if name not in self._edges:
            self._edges[name] = self._leaving(self.network.layer(name))
        return self._edges[name]

    def _leaving(self, layer: Layer) -> Array:
        """What leaves a layer that sends no spikes."""
        return self._currents(layer) if layer.neuron is None else self._fire(layer)[0]

    def _currents(self, layer: Layer) -> Array:
        """What reaches the layer's neurons, or leaves it where there are none."""
        parts = self._parts(layer)
        operands = [self._edge(source) for source in layer.sources]
        if layer.kind in ("batchnorm", "scale") and not parts:
            return Reshape(layer)(operands)
        if layer.weighted:
            return InOrder(layer, parts["weight"], parts.get("bias"), FLOAT)(operands)
        return operator_of(layer, parts, self.network.timesteps, FLOAT)(operands)

    def _fire(self, layer: Layer) -> tuple[Array, Array]:
        """What the layer's neurons send, and their potentials."""
        parts, currents = self._parts(layer), self._currents(layer)
        neurons = FloatNeurons(layer, parts, FLOAT, feedback_of(layer, parts, FLOAT))
        shape = (len(currents), self.network.timesteps, *layer.out_shape)
        sent, potentials = np.zeros(shape, neurons.out_type), np.zeros(shape, FLOAT)
        neurons.run(currents, sent, potentials)
        return sent, potentials

    def _parts(self, layer: Layer) -> Mapping[str, Array]:
        return {} if self.weights is None else self.weights.of(layer.name)


def real_input(network: Network, given: Array) -> Array:
    """The input as a framework gets it: of a direct code integer / scale."""
    scale = network.code.scale
    if network.encoding != "direct" or given.dtype.kind == "f" or scale == 1.0:
        return given
    return (given / np.float64(scale)).astype(FLOAT)

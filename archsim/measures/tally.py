"""Counting: chunks of samples in, per-sample figures out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.measures.connections import Connection, single_spikes
from archsim.measures.neurons import operations_each, updates
from archsim.measures.rows import ConnectionRow, NeuronRow
from archsim.workload import Layer, Network

Array = NDArray[Any]


@dataclass(frozen=True)
class Chunk:
    """B samples: what reaches a connection, [B, T or 1, C, H, W]; spikes and potentials of layers [B, T, C, H, W]."""

    samples: int
    reaching: Callable[[Connection], Array]
    spikes: Mapping[str, Array]
    potentials: Mapping[str, Array] | None
    correct: int | None = None


@dataclass
class Tally:
    """Sums over the chunks seen so far, sample by sample where a batch decides."""

    network: Network
    connections: tuple[Connection, ...]
    samples: int = 0
    correct: int | None = 0
    updated: bool = True
    _operations: dict[str, list[Array]] = field(default_factory=dict)
    _single: dict[str, list[Array]] = field(default_factory=dict)
    _active: dict[str, int] = field(default_factory=dict)
    _updates: dict[str, int] = field(default_factory=dict)

    def add(self, chunk: Chunk) -> None:
        """Count one more chunk."""
        shape = chunk.samples, self.network.timesteps
        for connection in self.connections:
            values = chunk.reaching(connection)
            for kept, found in (
                (self._operations, connection.operations(values)), (self._single, single_spikes(values)),
            ):  # fmt: skip
                kept.setdefault(connection.name, []).append(np.broadcast_to(found, shape))
        for name, spikes in chunk.spikes.items():
            self._active[name] = self._active.get(name, 0) + int(np.count_nonzero(spikes))
        self.updated = self.updated and chunk.potentials is not None
        for name, potentials in (chunk.potentials or {}).items():
            self._updates[name] = self._updates.get(name, 0) + int(updates(potentials).sum())
        self.correct = None if self.correct is None or chunk.correct is None else self.correct + chunk.correct
        self.samples += chunk.samples

    @property
    def accuracy(self) -> float | None:
        """Fraction of right predictions, where they and the labels are known."""
        return None if self.correct is None else self.correct / self.samples

    @property
    def activation_sparsity(self) -> float | None:
        """Zeros among the outputs of neurons, over all layers, timesteps and samples; None without neurons."""
        every = self.samples * self.network.timesteps * sum(self._layer(name).neurons for name in self._active)
        return (every - sum(self._active.values())) / every if every else None

    def connection_rows(self, batch: int) -> tuple[ConnectionRow, ...]:
        """Operations per sample: a timestep of a batch is ACs if all that reaches the layer then are single spikes."""
        rows = []
        for connection in self.connections:
            operations = np.concatenate(self._operations[connection.name])
            single = np.concatenate(self._single[connection.name])
            acs = 0
            for first in range(0, self.samples, batch):
                some = slice(first, first + batch)
                acs += int(operations[some][:, single[some].all(axis=0)].sum())
            every = int(operations.sum())
            rows.append(
                ConnectionRow(
                    connection.name, connection.geometry.kind, acs / self.samples, (every - acs) / self.samples,
                    connection.dense * self.network.timesteps,
                )
            )  # fmt: skip
        return tuple(rows)

    def neuron_rows(self) -> tuple[NeuronRow, ...]:
        """Sparsity, updates and operations of every layer with neurons."""
        return tuple(self._neurons(layer) for layer in self.network.layers if layer.neuron is not None)

    def _neurons(self, layer: Layer) -> NeuronRow:
        assert layer.neuron is not None
        steps, each = self.network.timesteps, operations_each(layer)
        updated = self._updates[layer.name] / self.samples if self.updated else None
        every = layer.neurons * steps * self.samples
        return NeuronRow(
            layer.name, layer.neuron.model, layer.neurons,
            (every - self._active[layer.name]) / every if layer.name in self._active else None,
            updated, None if updated is None or each is None else updated * each,
            None if each is None else float(layer.neurons * steps * each),
        )  # fmt: skip

    def _layer(self, name: str) -> Layer:
        return self.network.layer(name)

"""What is measured, as tables that describe themselves. Immutable."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from archsim.op_count import AC, MAC, OpCount


@dataclass(frozen=True)
class FootprintRow:
    """One part of a network's memory: a trained parameter, a number of neurons, or what the framework adds."""

    layer: str
    part: str
    owner: Literal["parameter", "neuron", "framework"]
    elements: int
    bytes: int


@dataclass(frozen=True)
class ConnectionRow:
    """Synaptic operations of one connection layer, per sample."""

    name: str
    kind: str
    effective_acs: float
    effective_macs: float
    dense: int

    @property
    def effective(self) -> float:
        """Both."""
        return self.effective_acs + self.effective_macs


@dataclass(frozen=True)
class NeuronRow:
    """Neurons of one layer, per sample; None where it cannot be known."""

    name: str
    model: str
    neurons: int
    activation_sparsity: float | None
    membrane_updates: float | None
    operations: float | None
    dense_operations: float | None


@dataclass(frozen=True)
class Metrics:
    """NeuroBench's metrics of one workload, its layers' shares, and the energy of its operations.

    None: not known, and ``notes`` says why. ``batch``: samples among which an input of several bits makes all MACs.
    """

    workload: str
    source: str
    samples: tuple[int, ...]
    timesteps: int
    batch: int
    precision: str
    framework: str
    parameter_count: int
    connection_sparsity: float | None
    activation_sparsity: float | None
    classification_accuracy: float | None
    footprint: tuple[FootprintRow, ...]
    connections: tuple[ConnectionRow, ...]
    neurons: tuple[NeuronRow, ...]
    notes: tuple[str, ...] = ()

    @property
    def footprint_bytes(self) -> int:
        """Of all parts."""
        return sum(row.bytes for row in self.footprint)

    @property
    def effective_acs(self) -> float:
        """Accumulates per sample."""
        return self._all([row.effective_acs for row in self.connections]) or 0.0

    @property
    def effective_macs(self) -> float:
        """Multiply-accumulates per sample."""
        return self._all([row.effective_macs for row in self.connections]) or 0.0

    @property
    def dense(self) -> int:
        """Operations per sample if no input and no weight were zero."""
        return sum(row.dense for row in self.connections)

    @property
    def membrane_updates(self) -> float | None:
        """Per sample."""
        return self._all([row.membrane_updates for row in self.neurons])

    @property
    def neuron_operations(self) -> tuple[float | None, float | None]:
        """Effective and dense, per sample."""
        effective = self._all([row.operations for row in self.neurons])
        return effective, self._all([row.dense_operations for row in self.neurons])

    @property
    def op_count(self) -> OpCount:
        """What an op-count estimate prices."""
        return OpCount(self.effective_acs, self.effective_macs)

    def neurobench(self) -> dict[str, Any]:
        """The figures under NeuroBench's own names."""
        effective, dense = self.neuron_operations
        return {
            "Footprint": self.footprint_bytes,
            "ConnectionSparsity": self.connection_sparsity,
            "ParameterCount": self.parameter_count,
            "ActivationSparsity": self.activation_sparsity,
            "SynapticOperations": {
                "Effective_MACs": self.effective_macs, "Effective_ACs": self.effective_acs, "Dense": float(self.dense),
            },
            "MembraneUpdates": self.membrane_updates,
            "ClassificationAccuracy": self.classification_accuracy,
            "NeuronOperations": {"Effective Neuron Ops": effective, "Neuron Dense Ops": dense},
        }  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """The one object that ``--json`` prints."""
        body: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("workload", "source", "samples", "timesteps", "batch", "precision", "framework")
        }
        body["neurobench"] = self.neurobench()
        body["op_count"] = {"estimated_pj": self.op_count.estimated_pj, "prices": [asdict(AC), asdict(MAC)]}
        for name in ("footprint", "connections", "neurons"):
            body[name] = [asdict(row) for row in getattr(self, name)]
        return body | {"notes": list(self.notes)}

    def to_text(self) -> str:
        """:meth:`to_json` as text."""
        return json.dumps(self.to_json(), allow_nan=False)

    def footprint_by_owner(self) -> Mapping[str, int]:
        """Bytes of parameters, of neurons' numbers, and of what the framework adds."""
        sums = {"parameter": 0, "neuron": 0, "framework": 0}
        for row in self.footprint:
            sums[row.owner] += row.bytes
        return sums

    def _all(self, means: Sequence[float | None]) -> float | None:
        """The mean over samples of what layers have in total, from their means: whole numbers, added up first."""
        known = [round(mean * len(self.samples)) for mean in means if mean is not None]
        return sum(known) / len(self.samples) if len(known) == len(means) else None

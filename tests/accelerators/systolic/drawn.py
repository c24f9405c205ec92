"""Chips and single-layer networks written in the test, with input values drawn by hand or by a seed."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from archsim.accelerators import Architecture, Lowered, load_architecture
from archsim.engine import Execution, execute
from archsim.workload import Layer, Network, Workload, load_workload
from archsim.workload.activity import Activity


class Drawn(Activity):
    """Values given outright: of the network's input, and of every layer with neurons (silent unless given)."""

    synthetic = True

    def __init__(self, network: Network, given: Mapping[str, Any]) -> None:
        super().__init__(network)
        self._given = given

    def describe(self) -> str:
        return "drawn by hand"

    @property
    def samples(self) -> range:
        return range(1)

    def density_of(self, layer: Layer, sample: int = 0) -> float:
        values = self.inputs_of(layer, sample)
        return float(np.count_nonzero(values)) / values.size

    def _make_edge(self, name: str, sample: int) -> np.ndarray[Any, Any]:
        if name in self._given:
            values = np.asarray(self._given[name])
            return values.astype(np.uint8 if values.max(initial=0) < 256 else np.uint16)
        layer = self.network.layer(name)
        if layer.spiking:
            return np.zeros((self.network.timesteps, *layer.out_shape), np.uint8)
        return self._computed(layer, sample)


def architecture(description: Mapping[str, Any]) -> Architecture:
    """A chip from plain data, through the same door as a file."""
    with tempfile.TemporaryDirectory() as folder:
        return load_architecture(_written(folder, description))


def workload(description: Mapping[str, Any], given: Mapping[str, Any] | None = None) -> Workload:
    """A network from plain data; its values ``given`` per edge, or as its ``activity`` says."""
    with tempfile.TemporaryDirectory() as folder:
        loaded = load_workload(_written(folder, {"activity": {"density": 0.5}, **description}))
    if given is None:
        return loaded
    return Workload(loaded.network, Drawn(loaded.network, given), loaded.document, loaded.hash)


def _written(folder: str, description: Mapping[str, Any]) -> str:
    path = Path(folder) / "drawn.yaml"
    path.write_text(json.dumps(description), encoding="utf-8")  # JSON is YAML
    return str(path)


BUFFER = {"size": "64 KiB", "line": "32 B", "banks": 2}


def chip(**changes: Any) -> dict[str, Any]:
    """A 2 x 2 output-stationary chip without DRAM stalls and port limits; keys are replaced whole."""
    base: dict[str, Any] = {
        "family": "systolic",
        "name": "by hand",
        "clock": 1000,
        "array": {"rows": 2, "cols": 2, "dataflow": "output_stationary"},
        "timesteps": {"scope": "layer", "order": "sequential"},
        "sparsity": "none",
        "neuron": {"membrane": {"home": "sram"}},
        "buffers": {"ifmap": BUFFER, "weight": BUFFER, "ofmap": BUFFER, "membrane": BUFFER, "port_limited": False},
        "dram": {"bandwidth": "unlimited"},
    }
    return {**base, **changes}


@dataclass(frozen=True)
class Done:
    """A lowered and executed run, asked for its counts and start cycles."""

    lowered: Lowered
    execution: Execution

    def count(self, component: str, action: str, timestep: int | None = None) -> int:
        ledger = self.execution.ledger
        rows = (ledger.component == component) & (ledger.action == action)
        if timestep is not None:
            rows &= ledger.timestep == timestep
        return int(ledger.count[rows].sum())

    def starts(self, unit: str) -> list[int]:
        """Start cycles of the unit's tasks, in issue order."""
        return self.execution.start[self._at(unit)].tolist()

    def durations(self, unit: str) -> list[int]:
        return self.execution.graph.duration[self._at(unit)].tolist()

    def _at(self, unit: str) -> np.ndarray[Any, Any]:
        names = [known.name for known in self.execution.graph.units]
        wanted = names.index(unit) if unit in names else -1
        return np.flatnonzero(self.execution.graph.unit == wanted)


def run(chip_description: Mapping[str, Any], network: Workload, engine: Any = "des") -> Done:
    """Lower and execute one input."""
    loaded = architecture(chip_description)
    lowered = loaded.family.lower(loaded.chip, network, 0)
    return Done(lowered, execute(lowered.graph, engine))

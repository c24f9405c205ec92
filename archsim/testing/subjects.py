"""What is checked: a chip and a network, small ones of which are made here."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from archsim.accelerators import Architecture, Lowered, load_architecture
from archsim.engine import EngineName, Execution, execute
from archsim.workload import Workload, load_workload


@dataclass(frozen=True)
class Subject:
    """A chip and a network on it, lowered and executed when asked."""

    architecture: Architecture
    workload: Workload
    sample: int = 0

    @cached_property
    def lowered(self) -> Lowered:
        """The network on the chip."""
        return self.lower()

    def lower(self) -> Lowered:
        """The network on the chip, lowered anew."""
        return self.architecture.family.lower(self.architecture.chip, self.workload, self.sample)

    @cached_property
    def execution(self) -> Execution:
        """The run, by the reference engine."""
        return self.executed("des")

    def executed(self, engine: EngineName) -> Execution:
        """The run by the engine of that name."""
        return execute(self.lowered.graph, engine)

    def count(self, component: str, action: str, layer: int | None = None) -> int:
        """Total of one action."""
        return self.execution.ledger.total(component, action, layer)


_BUFFER = {"size": "8 KiB", "line": "8 B"}
SMALL_CHIP: Mapping[str, Any] = {
    "family": "systolic",
    "name": "conformance",
    "clock": "500 MHz",
    "pe": {"scratchpad": {"weight": "9 B"}},
    "timesteps": {"scope": "layer", "order": "sequential"},
    "sparsity": "gate",
    "neuron": {"units": "per_column", "membrane": {"home": "sram"}},
    "buffers": {"ifmap": _BUFFER, "weight": _BUFFER, "ofmap": _BUFFER, "membrane": _BUFFER},
    "dram": {"bandwidth": "1 GB/s", "latency": "20 ns"},
}
SMALL_LAYERS: tuple[Mapping[str, Any], ...] = (
    {"name": "first", "type": "conv2d", "out_channels": 5, "kernel": 3, "padding": 1},
    {"name": "strided", "type": "conv2d", "out_channels": 6, "kernel": 2, "stride": 2},
    {"name": "flat", "type": "flatten"},
    {"name": "last", "type": "linear", "out_features": 3},
)


def chip(dataflow_name: str, rows: int = 3, cols: int = 4, **changes: Any) -> Architecture:
    """A small systolic chip with that dataflow; ``changes`` replace top-level keys of its description."""
    array = {"rows": rows, "cols": cols, "dataflow": dataflow_name}
    with tempfile.TemporaryDirectory() as folder:
        return load_architecture(_written(folder, {**SMALL_CHIP, "array": array, **changes}))


def network(timesteps: int = 3, density: float = 0.3, encoding: str = "events", **changes: Any) -> Workload:
    """Two convolutions and a linear layer with synthetic spikes; ``changes`` replace top-level keys of its file."""
    described = {
        "name": "conformance",
        "timesteps": timesteps,
        "input": {"shape": [2, 5, 6], "encoding": encoding},
        "layers": [dict(layer) for layer in SMALL_LAYERS],
        "activity": {"density": density, "seed": 1},
        **changes,
    }
    with tempfile.TemporaryDirectory() as folder:
        return load_workload(_written(folder, described))


def subject(dataflow_name: str, workload: Workload | None = None, **changes: Any) -> Subject:
    """A small chip of that dataflow with a small network."""
    return Subject(chip(dataflow_name, **changes), network() if workload is None else workload)


def _written(folder: str, description: Mapping[str, Any]) -> str:
    path = Path(folder) / "conformance.yaml"
    path.write_text(json.dumps(description), encoding="utf-8")  # JSON is YAML
    return str(path)

"""Small crossbar chips and networks with given spikes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from archsim.accelerators.crossbar.schema import CrossbarArchitecture
from archsim.config import parse_document, validate
from archsim.engine import Execution
from archsim.workload import Workload, load_workload
from archsim.workload.activity import Activity


class Given(Activity):
    """Spikes of the input and of every layer, given outright."""

    synthetic = True

    def __init__(self, network: Any, given: dict[str, Any]) -> None:
        super().__init__(network)
        self._given = given

    def describe(self) -> str:
        return "given"

    @property
    def samples(self) -> range:
        return range(1)

    def density_of(self, layer: Any, sample: int = 0) -> float:
        return float(np.mean(self.inputs_of(layer, sample) != 0))

    def _make_edge(self, name: str, sample: int) -> Any:
        if name in self._given:
            return np.asarray(self._given[name], np.uint8)
        layer = self.network.layer(name)
        if layer.neuron is None:
            return self._computed(layer, sample)
        return np.zeros((self.network.timesteps, *layer.out_shape), np.uint8)


def chip(**changes: Any) -> CrossbarArchitecture:
    """4 x 4 crossbars at 1 GHz: a read settles in 2 cycles, a conversion takes 3; two columns share a converter.

    A weight of 3 bits is a sign and one 2-bit cell: two columns, so that a crossbar has 2 outputs.
    """
    base: dict[str, Any] = {
        "family": "crossbar", "name": "by hand", "clock": 1000,
        "crossbar": {"rows": 4, "cols": 4, "device": "rram-20k-200k", "read": 2, "cell_bits": 2, "column_mux": 2},
        "adc": {"bits": 4, "conversion": 3},
        "buffer": {"line": 1}, "neuron": {"units": 2, "membrane": {"line": 4}},
        "noc": {"flit_bits": 4, "router_cycles": 5}, "granularity": "row",
    }  # fmt: skip
    for key, value in changes.items():
        base[key] = {**base[key], **value} if isinstance(value, dict) and key in base else value
    return validate(CrossbarArchitecture, parse_document(json.dumps(base), "drawn"))


def network(folder: Path, layers: list[dict[str, Any]], given: dict[str, Any], shape: Any = (2, 2, 2)) -> Workload:
    """Two timesteps of event input with the given spikes."""
    described = {
        "name": "by hand", "timesteps": 2, "input": {"shape": list(shape), "encoding": "events"},
        "precision": {"weight_bits": 3}, "layers": layers, "activity": {"density": 0.5},
    }  # fmt: skip
    file = folder / "net.yaml"
    file.write_text(json.dumps(described))
    loaded = load_workload(str(file))
    return Workload(loaded.network, Given(loaded.network, given), loaded.document, loaded.hash)


CONV: dict[str, Any] = {"name": "a", "type": "conv2d", "out_channels": 2, "kernel": 3, "padding": 1}


def starts(done: Execution, unit: str) -> list[int]:
    """Start cycles of a unit's tasks."""
    graph = done.graph
    number = [one.name for one in graph.units].index(unit)
    return [int(cycle) for cycle in done.start[graph.unit == number]]


def counts(done: Execution, layer: int | None = None) -> dict[tuple[str, str], tuple[int, ...]]:
    """Counts at each timestep, by component and action."""
    found: dict[tuple[str, str], list[int]] = {}
    for at, step, component, action, count in done.ledger.rows():
        if layer is None or at == layer:
            found.setdefault((component, action), [0] * done.graph.timesteps)[step] += count
    return {name: tuple(steps) for name, steps in found.items()}

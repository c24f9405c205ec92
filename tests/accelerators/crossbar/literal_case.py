"""A drawn chip and network, and the values on the network's edges."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from archsim.accelerators import Architecture, family
from archsim.accelerators.crossbar.schema import CrossbarArchitecture
from archsim.config import parse_document, validate
from archsim.workload import Layer, Network, Workload, load_workload
from archsim.workload.activity import Activity


@dataclass(frozen=True)
class Case:
    """A chip, a network, and the values of its input and of its neurons."""

    chip: dict[str, Any]
    network: dict[str, Any]
    seed: int
    density: float

    def architecture(self) -> Architecture:
        document = parse_document(json.dumps(self.chip), "drawn")
        return Architecture(family("crossbar"), validate(CrossbarArchitecture, document), document)

    def workload(self) -> Workload:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "drawn.yaml"
            file.write_text(json.dumps(self.network), encoding="utf-8")
            loaded = load_workload(str(file))
        return Workload(loaded.network, Known(loaded.network, self.given(loaded.network)), loaded.document, loaded.hash)

    def given(self, network: Network) -> dict[str, Any]:
        """[T, C, H, W] of the network's input and of everything that leaves neurons."""
        rng = np.random.default_rng(self.seed)

        def drawn(shape: Any, largest: int, steps: int = network.timesteps) -> Any:
            density = self.density if self.density in (0, 1) or rng.random() < 0.8 else float(rng.integers(2))
            values = rng.integers(1, largest + 1, (steps, *shape)) * (rng.random((steps, *shape)) < density)
            stored = np.uint8 if largest < 256 else np.uint16
            return np.broadcast_to(values.astype(stored), (network.timesteps, *shape))

        found = {}
        if network.input_shape is not None:
            steps = 1 if network.encoding == "direct" else network.timesteps
            found["input"] = drawn(network.input_shape, network.input_max, steps)
        for layer in network.layers:
            if not layer.sources:
                found[f"input of {layer.name}"] = drawn(layer.in_shape, layer.in_max)
            if layer.neuron is not None and layer.neuron.model not in ("li", "cuba_li"):
                found[layer.name] = drawn(layer.out_shape, layer.neuron.max_spikes)
        return found


class Known(Activity):
    """Values given outright."""

    synthetic = True

    def __init__(self, network: Network, given: dict[str, Any]) -> None:
        super().__init__(network)
        self.given = given

    def describe(self) -> str:
        return "drawn"

    @property
    def samples(self) -> range:
        return range(1)

    def density_of(self, layer: Layer, sample: int = 0) -> float:
        return float(np.mean(self.inputs_of(layer, sample) != 0))

    def inputs_of(self, layer: Layer, sample: int = 0) -> Any:
        return super().inputs_of(layer, sample) if layer.sources else self.given[f"input of {layer.name}"]

    def _make_edge(self, name: str, sample: int) -> Any:
        return self.given[name].view() if name in self.given else self._computed(self.network.layer(name), sample)

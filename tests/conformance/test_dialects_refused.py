"""What no chip and no peer executes is refused by name, every layer at once; what is not counted is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archsim import load_architecture, testing
from archsim.errors import UnsupportedError
from archsim.peers import layers as peer_layers
from archsim.peers import spikesim_layers
from archsim.workload import Workload, load_workload
from archsim.workload.weights import write_weights

MEMORY: tuple[dict[str, Any], ...] = (
    {"name": "a", "type": "conv2d", "out_channels": 2, "kernel": 1, "recurrent": {"type": "elementwise"}},
    {"name": "late", "type": "delay", "steps": 2},
    {"name": "pool", "type": "maxpool2d", "kernel": 2},
    {"name": "b", "type": "linear", "out_features": 3, "recurrent": {"type": "linear"}},
    {"name": "later", "type": "delay", "steps": 1},
)


@pytest.mark.parametrize("chip", ["sata", "spikeflow"])
def test_delays_and_recurrence_are_refused_by_name(chip: str) -> None:
    architecture, network = load_architecture(chip), testing.network(layers=list(MEMORY))
    with pytest.raises(UnsupportedError) as caught:
        architecture.family.lower(architecture.chip, network, 0)
    found = [(problem.key, problem.value) for problem in caught.value.problems]
    assert found == [
        ("layers.0.recurrent", "elementwise"), ("layers.1", "late"), ("layers.3.recurrent", "linear"),
        ("layers.4", "later"),
    ]  # fmt: skip
    assert "no delay lines" in str(caught.value) and all(problem.allowed for problem in caught.value.problems)


@pytest.mark.parametrize("of", [peer_layers.layers_of, spikesim_layers.layers_of])
def test_peers_refuse_what_they_cannot_express(of: Any) -> None:
    dilated = [
        {"name": name, "type": "conv2d", "out_channels": 2, "kernel": 2, "dilation": 2} for name in ("one", "two")
    ]
    network = testing.network(layers=[*dilated, MEMORY[3]]).network
    with pytest.raises(UnsupportedError) as caught:
        of(network)
    text = str(caught.value)
    assert all(word in text for word in ("'one'", "'two'", "no dilation", "'b'", "no recurrent connections"))


def with_weights(folder: Path, **parts: Any) -> Workload:
    """One linear layer of 3 neurons, and parameters of these in the weights file."""
    write_weights(
        folder / "net-weights.npz", {"fc.weight": np.ones((3, 2)), **{f"fc.{k}": v for k, v in parts.items()}}
    )
    (folder / "net.yaml").write_text(
        "name: net\ntimesteps: 2\ninput: {shape: [2], encoding: events}\nneuron: {leak: 0.875}\n"
        "layers:\n  - {name: fc, type: linear, out_features: 3}\n"
        "activity: {density: 0.5}\nweights: net-weights.npz\n"
    )
    return load_workload(str(folder / "net.yaml"))


@pytest.mark.parametrize("chip", ["sata", "spikeflow"])
def test_parameters_of_single_neurons_are_an_assumption(tmp_path: Path, chip: str) -> None:
    architecture = load_architecture(chip)

    def assumed(**parts: Any) -> str:
        lowered = architecture.family.lower(architecture.chip, with_weights(tmp_path, **parts), 0)
        return "\n".join(lowered.assumptions)

    assert "threshold" not in assumed() and "leak in the" not in assumed()
    assert "threshold differs from neuron to neuron of 'fc'" in assumed(threshold=np.array([1.0, 2.0, 1.0]))
    assert "differs from neuron" not in assumed(threshold=np.array([2.0, 2.0, 2.0]))
    assert "the leak in the workload's file costs" in assumed(leak=np.float32(0.9))
    assert "the leak in the workload's file costs" not in assumed(leak=np.full(3, 0.875, np.float32))

"""Measure two networks with NeuroBench itself: figures and arrays that the tests compare archsim.metrics with.

    pip install torch snntorch neurobench
    python scripts/make_neurobench_fixture.py tests/golden/snn

writes neurobench_own.npz (inputs, weights, spikes) and neurobench_own.json (what NeuroBench says, and the versions).
All numbers are multiples of small powers of two, so that float32 holds every sum exactly and no order of additions can
change a potential. The first network has real inputs, stride, padding, groups, an average pool before a convolution
(its inputs are no single spikes), zero weights and a batch norm, and six of its images hold only 0 and 1, so that
the size of a batch decides what is an AC; the second a synaptic current and a recurrence.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import snntorch as snn
import torch
from neurobench.benchmarks import Benchmark
from neurobench.metrics.static import ConnectionSparsity, Footprint, ParameterCount
from neurobench.metrics.workload import (
    ActivationSparsity,
    ClassificationAccuracy,
    MembraneUpdates,
    NeuronOperations,
    SynapticOperations,
)
from neurobench.models import SNNTorchModel
from neurobench.processors.postprocessors import ChooseMaxCount
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SAMPLES, STEPS = 16, 6
WORKLOAD = [ActivationSparsity, SynapticOperations, MembraneUpdates, ClassificationAccuracy]


def dyadic(shape: tuple[int, ...], rng: np.random.Generator, unit: float, most: int, zeros: float = 0) -> torch.Tensor:
    whole = rng.integers(-most // 2, most + 1, shape) * (rng.random(shape) >= zeros)
    return torch.tensor(whole * unit, dtype=torch.float32)


def conv_net(rng: np.random.Generator) -> tuple[nn.Sequential, torch.Tensor]:
    norm = nn.BatchNorm2d(6, eps=0.0)
    norm.weight.data, norm.bias.data = dyadic((6,), rng, 0.5, 3) + 1.0, dyadic((6,), rng, 0.125, 2)
    net = nn.Sequential(
        nn.Conv2d(2, 6, 3, stride=2, padding=1, bias=False), norm,
        snn.Leaky(beta=0.5, threshold=1.0, init_hidden=True, reset_mechanism="subtract"),
        nn.AvgPool2d(2),
        nn.Conv2d(6, 8, 3, padding=1, groups=2),
        snn.Leaky(beta=0.5, threshold=0.5, init_hidden=True, reset_mechanism="zero"),
        nn.Flatten(), nn.Linear(72, 5),
        snn.Leaky(beta=0.5, threshold=1.0, init_hidden=True, reset_mechanism="subtract", output=True),
    )  # fmt: skip
    net[0].weight.data = dyadic(tuple(net[0].weight.shape), rng, 1 / 16, 6, zeros=0.3)
    net[4].weight.data = dyadic(tuple(net[4].weight.shape), rng, 1 / 16, 8, zeros=0.2)
    net[4].bias.data = dyadic((8,), rng, 1 / 32, 2)
    net[7].weight.data, net[7].bias.data = dyadic((5, 72), rng, 1 / 32, 4, zeros=0.5), dyadic((5,), rng, 1 / 32, 2)
    images = rng.integers(0, 17, (SAMPLES, 1, 2, 12, 12)) * (rng.random((SAMPLES, 1, 2, 12, 12)) < 0.5)
    images[:6] = 16 * (images[:6] > 8)
    return net, torch.tensor(images / 16, dtype=torch.float32).expand(-1, STEPS, -1, -1, -1)


def recurrent_net(rng: np.random.Generator) -> tuple[nn.Sequential, torch.Tensor]:
    net = nn.Sequential(
        nn.Linear(20, 12),
        snn.Synaptic(alpha=0.5, beta=0.5, threshold=1.0, init_hidden=True, reset_mechanism="subtract"),
        nn.Linear(12, 5),
        snn.RLeaky(0.5, threshold=0.5, linear_features=5, init_hidden=True, reset_mechanism="subtract", output=True),
    )  # fmt: skip
    for layer, shape in ((net[0], (12, 20)), (net[2], (5, 12)), (net[3].recurrent, (5, 5))):
        layer.weight.data, layer.bias.data = dyadic(shape, rng, 1 / 8, 4, zeros=0.25), dyadic(shape[:1], rng, 1 / 8, 1)
    return net, torch.tensor(rng.random((SAMPLES, STEPS, 20)) < 0.3, dtype=torch.float32)


def measure(net: nn.Module, inputs: torch.Tensor, labels: torch.Tensor, batch: int, operations: bool) -> dict:
    loader = DataLoader(TensorDataset(inputs, labels), batch_size=batch)
    chosen = WORKLOAD + ([NeuronOperations] if operations else [])
    static = [Footprint, ConnectionSparsity, ParameterCount]
    return Benchmark(SNNTorchModel(net), loader, [], [ChooseMaxCount()], [static, chosen]).run(quiet=True)


def spikes_of(net: nn.Module, inputs: torch.Tensor) -> dict[str, np.ndarray]:
    recorded: dict[str, list[np.ndarray]] = {}
    for name, module in net.named_children():
        if isinstance(module, snn.SpikingNeuron):
            module.register_forward_hook(
                lambda _, __, out, name=name: recorded.setdefault(name, []).append(
                    (out[0] if isinstance(out, tuple) else out).numpy().astype(np.uint8)
                )
            )
    with torch.no_grad():
        SNNTorchModel(net)(inputs)
    return {name: np.stack(steps, axis=1) for name, steps in recorded.items()}


def main(folder: Path) -> None:
    arrays, figures = {}, {}
    for name, make, operations in (("conv", conv_net, True), ("recurrent", recurrent_net, False)):
        torch.manual_seed(0)
        rng = np.random.default_rng(7)
        labels = torch.tensor(rng.integers(0, 5, SAMPLES))
        figures[name] = {}
        for batch in (SAMPLES, 2):
            net, inputs = make(np.random.default_rng(7))
            figures[name][f"batch {batch}"] = measure(net, inputs, labels, batch, operations)
        net, inputs = make(np.random.default_rng(7))
        for part, value in net.named_parameters():
            arrays[f"{name}/{part}"] = value.detach().numpy()
        arrays |= {f"{name}/spikes/{layer}": np.packbits(spikes) for layer, spikes in spikes_of(net, inputs).items()}
        arrays |= {f"{name}/input": (inputs.numpy() * 16).astype(np.uint8), f"{name}/labels": labels.numpy()}
    np.savez_compressed(folder / "neurobench_own.npz", **arrays)
    names = ("neurobench", "snntorch", "torch")
    source = {"source": "scripts/make_neurobench_fixture.py", "versions": {one: version(one) for one in names}}
    (folder / "neurobench_own.json").write_text(json.dumps(source | figures, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

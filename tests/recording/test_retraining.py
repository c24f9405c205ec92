"""Retraining in the loop: gradients straight through a chip, weights that a file gives back, and a loss that falls."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pytest

from archsim.accelerators import load_architecture
from archsim.datasets import load_inputs
from archsim.fabricated import fabricate
from archsim.workload import load_workload

torch = pytest.importorskip("torch")
pytest.importorskip("mlxtend")
functional = torch.nn.functional
SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
IDEAL = ("crossbar.signed=differential", "adc.ideal=true")
BAD = (
    "crossbar.signed=differential", "adc.analog_sum=false", "mapping.unroll=flat", "adc.range=full",
    "crossbar.errors.variation={distribution: normal, proportional: 0.3}",
)  # fmt: skip


@pytest.fixture
def retraining(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    import retrain_on_chip

    yield retrain_on_chip
    for name in ("retrain_on_chip", "train_cnn_mnist"):
        sys.modules.pop(name, None)


@pytest.fixture
def on_chip(retraining):
    """The network on chip 7 of a description."""

    def make(*overrides):
        network = retraining.OnChip(load_architecture("spikeflow", overrides).chip, load_workload("cnn-mnist"))
        network.renew(7, digits(4))
        return network

    return make


def digits(count):
    return load_inputs(f"mnist:1000..{999 + count}").values


def in_software(retraining, network, pixels):
    """The network in plain torch with the same whole weights, which are leaves: readout, weights."""
    weights = {
        name: torch.tensor(network.whole(name) * network.step[name], dtype=torch.float32, requires_grad=True)
        for name in network.step
    }

    def by_timestep(spikes, layer):
        return layer(spikes.flatten(0, 1)).reshape(len(pixels), 8, -1)

    first = retraining.spikes_of(functional.conv2d(pixels, weights["conv1"], padding=1)[:, None])
    pooled = functional.max_pool2d(first.flatten(0, 1), 2)
    second = retraining.spikes_of(functional.conv2d(pooled, weights["conv2"], padding=1).reshape(-1, 8, 16, 14, 14))
    third = by_timestep(second, lambda maps: functional.max_pool2d(maps, 2).flatten(1) @ weights["fc1"].T)
    third = retraining.spikes_of(third)
    return by_timestep(third, lambda spikes: spikes @ weights["fc2"].T).sum(dim=1), weights


def test_on_ideal_crossbars_outputs_and_gradients_are_those_of_torch(retraining, on_chip):
    network, pixels, labels = on_chip(*IDEAL), torch.from_numpy(digits(4)).float(), torch.tensor([3, 1, 4, 1])
    readout, _ = network(pixels)
    expected, weights = in_software(retraining, network, pixels)
    assert torch.allclose(readout, expected, rtol=1e-5, atol=1e-5) and expected.std() > 0.1
    for found in (readout, expected):
        functional.cross_entropy(found / 8, labels).backward()
    for name, weight in weights.items():
        unit = network.step[name] * network.most[name]
        assert weight.grad.abs().max() > 0
        assert torch.allclose(network.master[name].grad, weight.grad * unit, rtol=1e-3, atol=1e-6), name


def test_on_a_bad_chip_the_gradient_of_the_last_layer_is_that_of_its_own_spikes(on_chip):
    network = on_chip(*BAD)
    readout, spikes = network(torch.from_numpy(digits(4)).float())
    wanted = torch.arange(40.0).reshape(4, 10)
    (readout * wanted).sum().backward()
    by_hand = wanted.T @ spikes["fc1"].sum(dim=1).flatten(1) * network.step["fc2"] * network.most["fc2"]
    assert by_hand.abs().max() > 0
    assert torch.allclose(network.master["fc2"].grad, by_hand, rtol=1e-5)


def test_the_chip_that_is_made_from_the_file_holds_the_trained_levels(retraining, on_chip, tmp_path):
    network = on_chip(*BAD)
    with torch.no_grad():
        for count, master in enumerate(network.master.values()):
            generator = torch.Generator().manual_seed(count)
            master.add_(torch.randn(master.shape, generator=generator), alpha=0.02)
    network.program()
    workload = load_workload(retraining.write_retrained(network, tmp_path, "a test"))
    made = fabricate(network.arch, workload, 7)
    before = fabricate(network.arch, load_workload("cnn-mnist"), 7)
    for name, layer in network.chip.layers.items():
        assert np.array_equal(made.layers[name].written.levels, layer.written.levels)
        assert np.array_equal(made.layers[name].cells.conductance_s, layer.cells.conductance_s)
        assert (before.layers[name].written.levels != layer.written.levels).mean() > 1e-3


def test_a_few_batches_lower_the_loss_on_a_bad_chip(retraining, on_chip):
    network, given = on_chip(*BAD), load_inputs("mnist:1000..1099")
    pixels, labels = torch.from_numpy(given.values[:32]).float(), torch.from_numpy(given.labels[:32])

    def loss():
        network.renew(7, given.values)
        with torch.no_grad():
            return float(functional.cross_entropy(network(pixels)[0] / 8, labels))

    before = loss()
    options = argparse.Namespace(
        chip_numbers=range(7, 8), epochs=2, learning_rate=4e-3, renew=3, seed=1, density_weight=5.0
    )
    every = retraining.Digits(given.values, given.labels, np.arange(100), np.arange(0))
    first, last = retraining.train_on_chip(network, every, options)
    assert last[0] < 0.8 * first[0] and last[1] > first[1]
    assert loss() < 0.7 * before

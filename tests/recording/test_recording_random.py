"""Random networks of each framework in single precision: whatever their layers and neurons, spikes are equal."""

from __future__ import annotations

import random

import numpy as np
import pytest

import archsim

torch = pytest.importorskip("torch")
nn = torch.nn


def of_snntorch(rng):
    snn = pytest.importorskip("snntorch")

    def neurons(shape):
        own = {"init_hidden": True, "threshold": rng.choice([0.5, 1.0, torch.rand(shape) + 0.5])}
        kind, reset = rng.choice(["leaky", "leaky", "synaptic", "recurrent"]), rng.choice(["subtract", "none"])
        if kind == "leaky":
            reset = rng.choice(["zero", reset])
            return snn.Leaky(beta=rng.choice([0.5, 0.9, torch.rand(shape)]), reset_mechanism=reset, **own)
        if kind == "synaptic":
            return snn.Synaptic(alpha=rng.random(), beta=rng.random(), reset_mechanism=reset, **own)
        return snn.RLeaky(beta=0.8, all_to_all=False, V=rng.choice([-0.5, 0.3]), **own)

    return nn, neurons, {}


def of_spikingjelly(rng):
    neuron = pytest.importorskip("spikingjelly.activation_based.neuron")
    layer = pytest.importorskip("spikingjelly.activation_based.layer")
    mode = {"step_mode": rng.choice(["s", "m"])}

    def neurons(shape):
        return rng.choice(
            [
                lambda: neuron.IFNode(v_reset=rng.choice([None, 0.0, -0.3]), **mode),
                lambda: neuron.LIFNode(rng.choice([2.0, 3.0, 1.4]), rng.random() < 0.5, v_reset=None, **mode),
                lambda: neuron.LIFNode(rng.choice([2.0, 3.0, 1.4]), rng.random() < 0.5, **mode),
                lambda: neuron.ParametricLIFNode(rng.choice([2.0, 3.0]), rng.random() < 0.5, **mode),
            ]
        )()

    return layer, neurons, mode


def of_sinabs(rng):
    layers, act = pytest.importorskip("sinabs.layers"), pytest.importorskip("sinabs.activation")
    one = {"batch_size": 1}

    def neurons(shape):
        leaky = {"tau_mem": rng.choice([3.0, 10.0]), "tau_syn": rng.choice([None, 4.0])}
        return rng.choice(
            [
                lambda: layers.IAFSqueeze(min_v_mem=rng.choice([None, -1.0]), **one),
                lambda: layers.IAFSqueeze(spike_fn=act.SingleSpike, **one),
                lambda: layers.LIFSqueeze(norm_input=rng.random() < 0.5, **leaky, **one),
            ]
        )()

    return nn, neurons, one


def network(of, rng):
    """One or two convolutions with or without norms, neurons and pools behind, and a linear layer with neurons."""
    layers, neurons, mode = of(rng)
    mode = mode if "step_mode" in mode else {}
    channels, size = rng.choice([1, 2, 3]), rng.choice([8, 9, 10])
    parts, shape = [], (channels, size, size)
    for _ in range(rng.choice([1, 2])):
        filters, padding = rng.choice([2, 4, 6]), rng.choice([0, 1])
        parts.append(layers.Conv2d(channels, filters, 3, padding=padding, bias=rng.random() < 0.5, **mode))
        channels, size = filters, size + 2 * padding - 2
        if rng.random() < 0.4:
            parts.append(layers.BatchNorm2d(channels, **mode))
        parts.append(neurons((channels, size, size)))
        if size >= 6 and rng.random() < 0.5:
            parts.append(rng.choice([layers.AvgPool2d, layers.MaxPool2d])(2, **mode))
            size //= 2
    parts += [layers.Flatten(**mode), layers.Linear(channels * size * size, 8, **mode), neurons((8,))]
    return nn.Sequential(*parts).eval(), shape


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("of", [of_snntorch, of_spikingjelly, of_sinabs])
def test_random_networks(of, seed):
    rng = random.Random(seed)
    torch.manual_seed(seed)
    net, shape = network(of, rng)
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.ndim > 1:
                parameter.mul_(2.5)
    inputs = (torch.rand(8, 3, *shape) < 0.4).float()
    recording = archsim.record(net, inputs, name="net")
    assert recording.dtype == "float32"
    assert sum(np.count_nonzero(spikes) for spikes in recording.spikes.values()) > 0

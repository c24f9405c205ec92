"""Networks of SpikingJelly, step by step and over all timesteps: recorded, and simulated again spike for spike."""

from __future__ import annotations

import numpy as np
import pytest

import archsim
from archsim.errors import UnsupportedError

torch = pytest.importorskip("torch")
sj = pytest.importorskip("spikingjelly.activation_based")
pytest.importorskip("spikingjelly.activation_based.neuron")
from spikingjelly.activation_based import functional, layer, neuron, surrogate  # noqa: E402

nn = torch.nn


def spikes_of(recording):
    assert recording.spikes
    for name, spikes in recording.spikes.items():
        assert 0 < np.count_nonzero(spikes) < spikes.size, f"{name} shows nothing"
    return recording.spikes


def network(mode="s", node=neuron.IFNode, **own):
    net = nn.Sequential(
        layer.Conv2d(2, 6, 3, padding=1, bias=False), layer.BatchNorm2d(6), node(**own), layer.MaxPool2d(2),
        layer.Dropout(0.5), layer.Flatten(), layer.Linear(96, 10), node(**own),
    )  # fmt: skip
    functional.set_step_mode(net, mode)
    return net


NODES = {
    "if": (neuron.IFNode, {}),
    "if soft": (neuron.IFNode, {"v_reset": None, "v_threshold": 1.5}),
    "if from -0.5": (neuron.IFNode, {"v_reset": -0.5}),
    "lif": (neuron.LIFNode, {"tau": 2.0}),
    "lif soft": (neuron.LIFNode, {"tau": 2.0, "v_reset": None, "decay_input": False}),
    "lif tau": (neuron.LIFNode, {"tau": 1.3, "v_threshold": 0.7, "decay_input": False}),
    "lif from 0.25": (neuron.LIFNode, {"tau": 4.0, "v_reset": 0.25, "v_threshold": 0.75}),
    "plif": (neuron.ParametricLIFNode, {"init_tau": 1.7}),
    "plif soft": (neuron.ParametricLIFNode, {"init_tau": 3.0, "decay_input": False, "v_reset": None}),
}


@pytest.mark.parametrize("kind", NODES)
def test_neurons_in_both_step_modes(lively, events, kind):
    node, own = NODES[kind]
    single = lively(network("s", node, **own).double(), 0.5 if own.get("decay_input") is False else 1.5)
    inputs = events(6, 2, 2, 8, 8)
    one = archsim.record(single, inputs, name="net")
    functional.set_step_mode(single, "m")
    every = archsim.record(single, inputs, name="net")
    assert all(np.array_equal(spikes, every.spikes[name]) for name, spikes in spikes_of(one).items())
    assert any("step" in note for note in one.notes) and any("time_first" in note for note in every.notes)
    assert one.workload.hash == every.workload.hash
    functional.reset_net(single)
    with torch.no_grad():
        out = single(inputs.double()).numpy()
    assert np.array_equal(one.spikes["fc6"][..., 0, 0], out.swapaxes(0, 1))


def test_single_precision(lively, events):
    recording = archsim.record(lively(network("m", neuron.LIFNode)), events(6, 2, 2, 8, 8), name="net")
    spikes_of(recording)
    assert recording.dtype == "float32"


class Block(nn.Module):
    """Stateless layers on all timesteps folded into the batch, neurons over the sequence, and a residual +."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.lif1 = neuron.LIFNode(step_mode="m")
        self.body = layer.SeqToANNContainer(nn.Conv2d(6, 6, 3, padding=1), nn.BatchNorm2d(6))
        self.lif2 = neuron.LIFNode(step_mode="m")
        self.last = layer.MultiStepContainer(nn.Flatten(), nn.Linear(96, 4), neuron.IFNode())

    def forward(self, x):
        steps, samples = x.shape[:2]
        x = self.bn1(self.conv1(x.flatten(0, 1)))
        x = self.lif1(x.view(steps, samples, *x.shape[1:]))
        x = self.lif2(self.body(x) + x)
        x = functional.seq_to_ann_forward(x, nn.AvgPool2d(2))
        return self.last(x).mean(0)


def test_a_block_over_all_timesteps(lively, costs_the_same):
    images = torch.randint(0, 256, (2, 1, 8, 8), generator=torch.Generator().manual_seed(3)) / 255
    recording = archsim.record(lively(Block().double(), 1.5), images, name="net", timesteps=5)
    assert set(spikes_of(recording)) == {"lif1", "lif2", "last.1"}
    costs_the_same(recording)
    kinds = [layer.kind for layer in recording.workload.network.layers]
    assert kinds == ["conv2d", "batchnorm", "neuron", "conv2d", "batchnorm", "add", "neuron", "avgpool2d", "linear"]


def test_what_is_refused(events):
    net = nn.Sequential(
        layer.Conv2d(2, 2, 3), neuron.QIFNode(), layer.Conv2d(2, 2, 3),
        neuron.LIFNode(surrogate_function=surrogate.Sigmoid(spiking=False)), layer.SynapseFilter(),
        layer.Flatten(), layer.Linear(32, 4), neuron.IFNode(v_threshold=0.5, v_reset=1.0),
    ).eval()  # fmt: skip
    with pytest.raises(UnsupportedError) as caught:
        archsim.record(net, events(3, 1, 2, 8, 8), name="net")
    found = {problem.key: problem.message for problem in caught.value.problems}
    assert set(found) == {"1", "3", "4", "7", None}
    assert found[None] == "followed are neurons of spikingjelly: IFNode, LIFNode, ParametricLIFNode"
    assert "is not followed" in found["1"] and "spiking=False" in found["3"]
    assert "synaptic current without neurons" in found["4"] and "threshold -0.5" in found["7"]


def test_what_votes_behind_the_last_layer_is_left_out(lively, events):
    net = nn.Sequential(*network("m", neuron.LIFNode), layer.VotingLayer(2, step_mode="m"))
    recording = archsim.record(lively(net), events(4, 2, 2, 8, 8), name="net")
    assert recording.workload.network.layers[-1].name == "fc6"


def test_a_mix_of_step_modes_is_told(events):
    net = network("m").eval()
    net[2].step_mode = "s"
    with pytest.raises(UnsupportedError, match="2: steps once in each call"):
        archsim.record(net, events(3, 1, 2, 8, 8), name="net")

"""Networks of sinabs, on [N, T, ...] and folded: recorded, and simulated again spike for spike."""

from __future__ import annotations

import numpy as np
import pytest

import archsim
from archsim.errors import UnsupportedError

torch = pytest.importorskip("torch")
pytest.importorskip("sinabs")
import sinabs.activation as act  # noqa: E402
import sinabs.layers as sl  # noqa: E402

nn = torch.nn


def spikes_of(recording):
    assert recording.spikes
    for name, spikes in recording.spikes.items():
        assert 0 < np.count_nonzero(spikes) < spikes.size, f"{name} shows nothing"
    return recording.spikes


NEURONS = {
    "iaf": lambda cls, **own: cls["IAF"](**own),
    "iaf single": lambda cls, **own: cls["IAF"](spike_fn=act.SingleSpike, min_v_mem=-1.0, **own),
    "iaf most": lambda cls, **own: cls["IAF"](spike_fn=act.MaxSpike(2), reset_fn=act.MembraneReset(), **own),
    "lif": lambda cls, **own: cls["LIF"](tau_mem=5.0, spike_threshold=torch.tensor(0.3), **own),
    "lif current": lambda cls, **own: cls["LIF"](tau_mem=10.0, tau_syn=3.0, norm_input=False, **own),
    "lif alphas": lambda cls, **own: cls["LIF"](tau_mem=4.0, train_alphas=True, norm_input=False, **own),
}
PLAIN = {"IAF": sl.IAF, "LIF": sl.LIF}
SQUEEZED = {"IAF": sl.IAFSqueeze, "LIF": sl.LIFSqueeze}


@pytest.mark.parametrize("kind", NEURONS)
def test_neurons_folded(lively, events, kind):
    net = nn.Sequential(
        nn.Conv2d(2, 6, 3, bias=False), NEURONS[kind](SQUEEZED, batch_size=4), sl.SumPool2d(2), nn.Flatten(),
        nn.Linear(54, 8), NEURONS[kind](SQUEEZED, batch_size=4),
    )  # fmt: skip
    lively(net, 0.8)
    inputs = events(4, 6, 2, 8, 8)
    recording = archsim.record(net, inputs, name="net", order="NT")
    spikes = spikes_of(recording)
    assert net[1].batch_size == 4 and any("folded" in note for note in recording.notes)
    with torch.no_grad():
        out = net(inputs.flatten(0, 1)).unflatten(0, (4, 6)).numpy()
    assert np.array_equal(spikes["fc4"][..., 0, 0], out)
    most = {"iaf single": 1, "iaf most": 2}.get(kind, 255)
    assert recording.workload.network.layer("fc4").neuron.max_spikes == most
    assert any("any number" in note for note in recording.notes) == (most == 255)


def test_several_spikes_of_an_input(lively, costs_the_same):
    net = nn.Sequential(nn.Linear(12, 20), sl.IAF(), nn.Linear(20, 5), sl.ExpLeak(tau_mem=8.0))
    inputs = torch.randint(0, 4, (3, 5, 12), generator=torch.Generator().manual_seed(1)).float()
    recording = archsim.record(lively(net), inputs, name="net", order="NT")
    assert spikes_of(recording)["fc0"].max() > 1 and list(recording.spikes) == ["fc0"]
    network = recording.workload.network
    costs_the_same(recording)
    assert (network.code.max_spikes, network.layer("fc2").neuron.model, network.readout) == (3, "li", "last")


@pytest.mark.parametrize("kind", ["IAFRecurrent", "LIFRecurrent", "conv"])
def test_recurrent_neurons(lively, events, kind):
    if kind == "conv":
        back = nn.Conv2d(3, 3, 3, padding=1, bias=False)
        neurons = sl.LIFRecurrent(tau_mem=4.0, rec_connect=back, norm_input=False)
        net = nn.Sequential(sl.Repeat(nn.Conv2d(2, 3, 3)), neurons)
        inputs = events(2, 6, 2, 8, 8)
    else:
        back = nn.Linear(16, 16, bias=False)
        own = {"tau_mem": 4.0, "norm_input": False} if kind == "LIFRecurrent" else {}
        net = nn.Sequential(nn.Linear(10, 16), getattr(sl, kind)(rec_connect=back, spike_fn=act.SingleSpike, **own))
        inputs = events(2, 6, 10)
    recording = archsim.record(lively(net.double(), 0.5), inputs, name="net", order="NT")
    spikes_of(recording)
    assert recording.workload.network.layers[0].recurrent.kind == ("conv2d" if kind == "conv" else "linear")


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.flat, self.conv = sl.FlattenTime(), nn.Conv2d(2, 4, 3, padding=1, bias=False)
        self.back, self.spike = sl.UnflattenTime(batch_size=3), sl.IAF()
        self.body, self.merge, self.out = sl.Repeat(nn.Conv2d(4, 4, 3, padding=1)), sl.Merge(), sl.IAF()

    def forward(self, x):
        x = self.spike(self.back(self.conv(self.flat(x))))
        return self.out(self.merge(self.body(x), x))


def test_branches(lively, events):
    recording = archsim.record(lively(Branches().double(), 0.7), events(3, 5, 2, 6, 6), name="net", order="NT")
    assert set(spikes_of(recording)) == {"conv", "out"}
    assert recording.workload.network.layer("merge").sources == ("body.module", "conv")


def test_what_is_refused(events):
    rec = nn.Linear(8, 8)
    nn.init.ones_(rec.bias)
    net = nn.Sequential(
        nn.Linear(12, 8), sl.ALIF(tau_mem=5.0, tau_adapt=5.0), nn.Linear(8, 8),
        sl.LIFRecurrent(tau_mem=4.0, rec_connect=rec), nn.Linear(8, 8),
        sl.IAF(reset_fn=act.MembraneReset(0.5), min_v_mem=0.5), nn.Linear(8, 8),
        sl.IAF(reset_fn=act.MembraneSubtract(0.5)), nn.Linear(8, 4), sl.ExpLeak(tau_mem=4.0, min_v_mem=-1.0),
    )  # fmt: skip
    with pytest.raises(UnsupportedError) as caught:
        archsim.record(net, events(1, 3, 12), name="net", order="NT")
    told: dict[str, str] = {}
    for problem in caught.value.problems:
        told[str(problem.key)] = f"{told.get(str(problem.key), '')}; {problem.message}"
    assert set(told) == {"1", "3", "5", "7", "9", "None"}
    assert told["None"].startswith("; followed are neurons of sinabs: ") and "ExpLeak" in told["None"]
    assert "adapts its threshold" in told["1"] and "bias" in told["3"] and "min_v_mem" in told["9"]
    assert "MembraneReset(" in told["5"] and "min_v_mem above 0" in told["5"] and "MembraneSubtract(" in told["7"]


def test_a_network_of_two(events):
    from sinabs.from_torch import from_model

    network = from_model(nn.Sequential(nn.Linear(6, 4), nn.ReLU()), batch_size=1)
    with pytest.raises(UnsupportedError, match="spiking_model"):
        archsim.record(network, events(1, 3, 6), name="net", order="NT")
    assert archsim.record(network.spiking_model, events(1, 3, 6), name="net", order="NT").spikes

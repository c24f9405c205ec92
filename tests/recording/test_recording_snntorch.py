"""Networks of snnTorch: recorded, and simulated again spike for spike."""

from __future__ import annotations

import numpy as np
import pytest

import archsim
from archsim.errors import UnsupportedError

torch = pytest.importorskip("torch")
snn = pytest.importorskip("snntorch")
utils = pytest.importorskip("snntorch.utils")
nn = torch.nn


def spikes_of(recording):
    """Every layer's spikes; each of them spikes somewhere, and is silent somewhere."""
    assert recording.spikes
    for layer, spikes in recording.spikes.items():
        assert 0 < np.count_nonzero(spikes) < spikes.size, f"{layer} shows nothing"
    return recording.spikes


def hooked(module, inputs):
    """Spikes of a Sequential's neurons, stepped by hand: [T, N, ...] -> path: [N, T, ...]."""
    found = {}
    for path, part in module.named_modules():
        if isinstance(part, snn.SpikingNeuron):
            part.reset_mem()
            part.register_forward_hook(
                lambda _, __, out, path=path: found.setdefault(path, []).append(
                    (out[0] if isinstance(out, tuple) else out).detach().numpy().copy()
                )
            )
    with torch.no_grad():
        for step in inputs:
            module(step)
    return {path: np.stack(spikes, axis=1) for path, spikes in found.items()}


def test_a_network_stepped_from_outside(lively, events):
    net = nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1), snn.Leaky(beta=0.9, init_hidden=True), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(96, 10), snn.Leaky(beta=0.8, init_hidden=True, reset_mechanism="zero", output=True),
    )  # fmt: skip
    inputs = events(6, 3, 2, 8, 8)
    recording = archsim.record(lively(net), inputs, name="net", labels=torch.tensor([1, 0, 2]))
    spikes = spikes_of(recording)
    expected = hooked(net, inputs)
    assert np.array_equal(spikes["conv0"], expected["1"])
    assert np.array_equal(spikes["fc4"].reshape(3, 6, 10), expected["5"])
    assert recording.modules == {"conv0": "0", "pool2": "2", "fc4": "4"}
    assert recording.dtype == "float32"
    assert any("TN" in note for note in recording.notes) and any("call='step'" in note for note in recording.notes)


@pytest.mark.parametrize("mechanism", ["subtract", "zero", "none"])
@pytest.mark.parametrize("delay", [True, False])
def test_resets(lively, events, mechanism, delay):
    lif = snn.Leaky(beta=0.75, threshold=2.0, init_hidden=True, reset_mechanism=mechanism, reset_delay=delay)
    recording = archsim.record(lively(nn.Sequential(nn.Linear(20, 30), lif), 0.7), events(8, 4, 20), name="net")
    spikes_of(recording)
    neuron = recording.workload.network.layer("fc0").neuron
    wanted = {"subtract": "delayed_subtract" if delay else "subtract", "zero": "hard", "none": "none"}
    assert (neuron.reset, neuron.compare, neuron.leak, neuron.threshold) == (wanted[mechanism], ">", 0.75, 2.0)


@pytest.mark.parametrize("kind", ["Synaptic", "RLeaky"])
def test_zero_at_once(lively, events, kind):
    """Without the delay, no input is lost behind a spike."""
    own = {"init_hidden": True, "reset_mechanism": "zero", "reset_delay": False}
    neurons = {
        "Synaptic": lambda: snn.Synaptic(alpha=0.5, beta=0.75, **own),
        "RLeaky": lambda: snn.RLeaky(beta=0.75, all_to_all=False, V=torch.linspace(-0.5, 0.5, 24), **own),
    }
    net = nn.Sequential(nn.Linear(20, 24), neurons[kind]())
    recording = archsim.record(lively(net, 0.4), events(8, 4, 20), name="net")
    spikes_of(recording)
    assert recording.workload.network.layer("fc0").neuron.reset == "hard"


@pytest.mark.parametrize("kind", ["Synaptic", "Lapicque", "RLeaky", "RSynaptic", "one to one", "conv"])
def test_other_neurons(lively, events, kind):
    own = {"init_hidden": True, "threshold": 1.5}
    neurons = {
        "Synaptic": lambda: snn.Synaptic(alpha=0.5, beta=0.75, **own),
        "Lapicque": lambda: snn.Lapicque(beta=0.75, **own),
        "RLeaky": lambda: snn.RLeaky(beta=0.75, linear_features=24, **own),
        "RSynaptic": lambda: snn.RSynaptic(alpha=0.5, beta=0.75, linear_features=24, **own),
        "one to one": lambda: snn.RLeaky(beta=0.75, all_to_all=False, V=-0.5, **own),
        "conv": lambda: snn.RLeaky(beta=0.75, conv2d_channels=3, kernel_size=3, **own),
    }
    net, inputs = nn.Sequential(nn.Linear(20, 24), neurons[kind]()), events(8, 4, 20)
    if kind == "conv":
        net, inputs = nn.Sequential(nn.Conv2d(2, 3, 3), neurons[kind]()), events(6, 2, 2, 8, 8)
    gain = 2.0 if kind == "Lapicque" else 0.5
    recording = archsim.record(lively(net.double(), gain), inputs, name="net")
    spikes_of(recording)
    (layer,) = recording.workload.network.layers
    assert layer.neuron.has_current == ("Syn" in kind)
    kinds = {"RLeaky": "linear", "RSynaptic": "linear", "one to one": "elementwise", "conv": "conv2d"}
    assert (layer.recurrent.kind if layer.recurrent else None) == kinds.get(kind)


def test_parameters_of_every_neuron(lively, events):
    beta = torch.linspace(0.5, 1.2, 12)  # snnTorch clamps leaks to 1
    threshold = torch.rand(4, 6, 6) + 0.5
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3), snn.Leaky(beta=0.5, threshold=threshold, init_hidden=True, learn_threshold=True),
        nn.Flatten(), nn.Linear(144, 12), snn.Leaky(beta=beta, init_hidden=True, learn_beta=True),
        nn.Linear(12, 5), snn.Leaky(beta=torch.full((5,), 0.25), threshold=2.0, init_hidden=True),
    )  # fmt: skip
    recording = archsim.record(lively(net), events(5, 2, 1, 8, 8), name="net")
    weights, network = recording.workload.weights, recording.workload.network
    assert np.array_equal(weights.part("conv0", "threshold"), threshold.numpy())
    assert np.array_equal(weights.part("fc3", "leak"), beta.clamp(0, 1).numpy())
    assert weights.part("fc5", "leak") is None and network.layer("fc5").neuron.leak == 0.25
    assert network.layer("fc3").neuron.leak == pytest.approx(float(beta.clamp(0, 1).mean()), rel=1e-6)


class Loop(nn.Module):
    """As in snnTorch's tutorials: the state passed by hand, the loop inside."""

    def __init__(self, steps, over="image"):
        super().__init__()
        self.steps, self.over = steps, over
        self.conv1 = nn.Conv2d(1, 4, 3)
        self.lif1 = snn.Leaky(beta=0.9)
        self.fc2 = nn.Linear(36, 10)
        self.lif2 = snn.Synaptic(alpha=0.5, beta=0.8)

    def forward(self, x):
        mem1 = self.lif1.reset_mem()
        syn2, mem2 = self.lif2.reset_mem()
        spikes, potentials = [], []
        for step in range(self.steps if self.over == "image" else x.size(0)):
            current = torch.nn.functional.max_pool2d(self.conv1(x if self.over == "image" else x[step]), 2)
            spk1, mem1 = self.lif1(current, mem1)
            spk2, syn2, mem2 = self.lif2(input_=self.fc2(spk1.flatten(1)), mem=mem2, syn=syn2)
            spikes.append(spk2)
            potentials.append(mem2)
        return torch.stack(spikes).sum(0), torch.stack(potentials)


def test_a_loop_inside_over_a_still_image(lively):
    image = torch.randint(0, 256, (3, 1, 8, 8), generator=torch.Generator().manual_seed(3)) / 255
    recording = archsim.record(lively(Loop(7)), image, name="net", timesteps=7)
    assert {layer: spikes.shape for layer, spikes in spikes_of(recording).items()} == {
        "lif1": (3, 7, 4, 3, 3), "fc2": (3, 7, 10, 1, 1)
    }  # fmt: skip
    network = recording.workload.network
    assert [(layer.name, layer.kind) for layer in network.layers] == [
        ("conv1", "conv2d"), ("max_pool2d", "maxpool2d"), ("lif1", "neuron"), ("fc2", "linear")
    ]  # fmt: skip
    assert (network.encoding, network.code.scale, network.precision.input_bits) == ("direct", 255, 8)


def test_a_loop_inside_over_spikes(lively, events):
    net = lively(Loop(0, "spikes"))
    recording = archsim.record(net, events(6, 2, 1, 8, 8), name="net")
    spikes_of(recording)
    other = archsim.record(net, events(6, 2, 1, 8, 8).swapaxes(0, 1), name="net", order="NT")
    assert all(np.array_equal(recording.spikes[layer], other.spikes[layer]) for layer in recording.spikes)


def test_an_image_repeated_from_outside_equals_one_inside(lively):
    """The current of a still image, computed once before the loop."""

    class Once(Loop):
        def forward(self, x):
            mem1, (syn2, mem2) = self.lif1.reset_mem(), self.lif2.reset_mem()
            current = torch.nn.functional.max_pool2d(self.conv1(x), 2)
            for _ in range(self.steps):
                spk1, mem1 = self.lif1(current, mem1)
                spk2, syn2, mem2 = self.lif2(self.fc2(torch.flatten(spk1, 1)), syn2, mem2)
            return spk2

    image = torch.randint(0, 16, (2, 1, 8, 8), generator=torch.Generator().manual_seed(3))
    inside, once = lively(Loop(5), 0.3), Once(5)
    once.load_state_dict(inside.state_dict())
    one = archsim.record(inside, image, name="net", timesteps=5)
    two = archsim.record(once, image, name="net", timesteps=5)
    assert all(np.array_equal(spikes_of(one)[layer], two.spikes[layer]) for layer in one.spikes)
    assert one.workload.network.precision.input_bits == 4


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        lif = {"beta": 0.5, "init_hidden": True}
        self.stem = nn.Sequential(nn.Conv2d(2, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), snn.Leaky(**lif))
        self.body = nn.Sequential(
            nn.Conv2d(8, 8, 3, padding="same", groups=4), nn.BatchNorm2d(8), snn.Leaky(**lif), nn.Dropout(0.5),
            nn.Conv2d(8, 8, (3, 1), padding=(2, 0), dilation=(2, 1)), nn.BatchNorm2d(8),
        )  # fmt: skip
        self.out = snn.Leaky(**lif)
        self.skip = nn.Identity()
        self.pool = nn.AdaptiveAvgPool2d(2)
        self.head = nn.Linear(32, 5)

    def forward(self, x):
        x = self.stem(x)
        x = self.out(self.body(x) + self.skip(x))
        return self.head(self.pool(x).flatten(1))


def test_a_residual_block_with_batch_norm(lively, events, costs_the_same):
    net = Residual()
    net.train()
    with torch.no_grad():
        for norm in (part for part in net.modules() if isinstance(part, nn.BatchNorm2d)):
            norm.running_mean.uniform_(-0.2, 0.2)
            norm.running_var.uniform_(0.5, 1.5)
            norm.weight.uniform_(0.5, 1.5)
            norm.bias.uniform_(-0.1, 0.1)
    recording = archsim.record(lively(net.double()), events(5, 2, 2, 8, 8), name="net")
    spikes_of(recording)
    network = recording.workload.network
    assert set(network.layer("add").sources) == {"body.5", "stem.2"} or set(network.layer("add").sources) == {
        "bn.body.5", "stem.2"
    }  # fmt: skip
    assert network.layer("pool").kernel == (4, 4) and not network.layer("head").spiking
    costs_the_same(recording)
    again = archsim.record(net, events(5, 2, 2, 8, 8), name="net")
    assert again.workload.hash == recording.workload.hash  # the module is left as it was


class ThroughTime(nn.Module):
    """A batch norm of its own at each timestep; the currents of the first layer are the same at all of them."""

    def __init__(self, steps):
        super().__init__()
        self.fc1, self.norm1 = nn.Linear(12, 20), snn.BatchNormTT1d(20, steps)
        self.fc2, self.norm2 = nn.Linear(20, 8), snn.BatchNormTT1d(8, steps)
        self.lif1, self.lif2 = snn.Leaky(beta=0.5, init_hidden=True), snn.Leaky(beta=0.5, init_hidden=True)
        for norm in (*self.norm1, *self.norm2):
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            norm.running_mean.uniform_(-0.5, 0.5)

    def forward(self, x):
        current = self.fc1(x)
        for norm1, norm2 in zip(self.norm1, self.norm2, strict=True):
            out = self.lif2(norm2(self.fc2(self.lif1(norm1(current)))))
        return out


def test_batch_norm_through_time(lively):
    image = torch.randint(0, 16, (3, 12), generator=torch.Generator().manual_seed(3))
    net = ThroughTime(4)
    weights = [norm.weight.detach().numpy() for norm in net.norm1]
    recording = archsim.record(lively(net, 0.2), image, name="net", timesteps=4, call="inside")
    assert {layer: spikes.shape for layer, spikes in spikes_of(recording).items()} == {
        "lif1": (3, 4, 20, 1, 1), "lif2": (3, 4, 8, 1, 1)
    }  # fmt: skip
    scale = recording.workload.weights.part("norm1", "scale")
    assert np.allclose(scale, np.array(weights), rtol=1e-4)


def test_batch_norm_of_another_timestep(events):
    class Reversed(ThroughTime):
        def forward(self, x):
            for step, norm in zip(x, reversed(self.norm1), strict=True):
                out = self.lif1(norm(self.fc1(step)))
            return out

    found = reasons(Reversed(4).eval(), events(4, 1, 12), call="time_first")
    assert "is the batch norm of timestep 3, and gets timestep 0" in found["norm1.3"]


def test_conv1d(lively, events):
    net = nn.Sequential(
        nn.Conv1d(3, 6, 5, stride=2, padding=2), nn.BatchNorm1d(6), snn.Leaky(beta=0.5, init_hidden=True),
        nn.MaxPool1d(2), nn.Conv1d(6, 4, 3), snn.Leaky(beta=0.5, init_hidden=True), nn.AvgPool1d(2), nn.Flatten(),
        nn.Linear(12, 4),
    )  # fmt: skip
    recording = archsim.record(lively(net), events(5, 2, 3, 32), name="net")
    assert spikes_of(recording)["neuron2"].shape == (2, 5, 6, 16, 1)


def test_briefly_trained(events):
    """Learned leaks and thresholds, and weights that gradients made."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Linear(30, 40), snn.Leaky(beta=0.9, learn_beta=True, learn_threshold=True, init_hidden=True),
        nn.Linear(40, 2), snn.Leaky(beta=0.9, init_hidden=True, output=True),
    )  # fmt: skip
    inputs, labels = events(6, 64, 30), torch.arange(64) % 2
    inputs[:, labels == 1, :10] = 1.0
    optimiser = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(15):
        utils.reset(net)
        potentials = torch.stack([net(step)[1] for step in inputs])
        optimiser.zero_grad()
        nn.functional.cross_entropy(potentials.sum(0), labels).backward()
        optimiser.step()
    recording = archsim.record(net, inputs, name="net", labels=labels)
    spikes_of(recording)
    assert recording.workload.network.layer("fc0").neuron.leak != 0.9
    assert (recording.predictions == labels.numpy()).mean() > 0.8


def reasons(module, *args, **options):
    with pytest.raises(UnsupportedError) as caught:
        archsim.record(module, *args, name="net", **options)
    found: dict[str, str] = {}
    for problem in caught.value.problems:
        found[str(problem.key)] = f"{found.get(str(problem.key), '')} {problem.message}"
    return found


@pytest.mark.filterwarnings("ignore:Inhibition")
def test_everything_unsupported_is_told_at_once(events):
    net = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding_mode="circular", padding=1), snn.Leaky(beta=0.5, inhibition=True, init_hidden=True),
        nn.Upsample(scale_factor=2), nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3), nn.ReLU(), nn.Dropout(),
        snn.RLeaky(beta=0.5, reset_mechanism="zero", all_to_all=False, init_hidden=True),
        snn.Alpha(alpha=0.9, beta=0.8, init_hidden=True), nn.Flatten(), nn.Linear(576, 3),
    )  # fmt: skip
    found = reasons(net, events(3, 1, 2, 8, 8))
    assert set(found) >= {"0", "1", "2", "4", "5", "6", "7", "8"}
    assert "padding_mode" in found["0"] and "inhibition" in found["1"] and "no layer of archsim" in found["2"]
    assert "put neurons between" in found["4"] and "eval()" in found["6"] and "loses the input" in found["7"]
    assert "synaptic currents" in found["8"]


@pytest.mark.filterwarnings("ignore:Inhibition")
def test_what_is_followed_is_said_once_and_last(events):
    leaky = {"beta": 0.5, "init_hidden": True}
    net = nn.Sequential(
        nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8), nn.Sigmoid(), nn.Linear(8, 8),
        snn.Alpha(alpha=0.9, beta=0.8, init_hidden=True), nn.Linear(8, 4), snn.Leaky(**leaky),
    )  # fmt: skip
    with pytest.raises(UnsupportedError) as caught:
        archsim.record(net, events(3, 1, 8), name="net")
    *told, layers, neurons = map(str, caught.value.problems)
    assert [one.split(" ")[0] for one in told] == ["1:", "3:", "5:"]
    assert not any("followed are" in one or "Leaky" in one for one in told)
    assert layers.startswith("followed are AdaptiveAvgPool1d, ") and "Conv2d" in layers and "sinabs" in layers
    assert neurons == "followed are neurons of snntorch: Leaky, Lapicque, Synaptic, RLeaky, RSynaptic"
    lines = reasons(nn.Sequential(nn.Linear(8, 8), snn.Leaky(**leaky, inhibition=True)), events(3, 1, 8))
    assert set(lines) == {"1"}  # nothing has no layer there


class Step(torch.autograd.Function):
    """Several functions, one of them on what another made."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.exp(x).gt(1.0).float()

    @staticmethod
    def backward(ctx, grad):
        return grad


class Act(nn.Module):
    def forward(self, x, own=True):
        return Step.apply(x) if own else torch.exp(x)


class Placed(nn.Module):
    def __init__(self, act):
        super().__init__()
        self.block = nn.ModuleDict({"fc": nn.Linear(8, 8), "act": Act()})
        self.act, self.fc2, self.lif = act, nn.Linear(8, 4), snn.Leaky(beta=0.5, init_hidden=True)

    def forward(self, x):
        return self.lif(self.fc2(self.act(self.block["act"], self.block["fc"](x))))


@pytest.mark.parametrize(
    ("act", "key"),
    [
        (lambda act, x: act(x), "autograd Function Step in block.act"),
        (lambda act, x: act(x, own=False), "exp in block.act"),
        (lambda act, x: Step.apply(x), "autograd Function Step"),
        (lambda act, x: torch.exp(x), "exp"),
    ],
)
def test_functions_are_named_with_the_module_and_the_autograd_function_that_call_them(events, act, key):
    found = reasons(Placed(act), events(3, 1, 8))
    assert found[key].strip() == "is no layer of archsim (behind 'block.fc', read by 'fc2')"
    assert set(found) == {key, "None"} and "followed are" in found["None"]


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.back = nn.Linear(8, 8), nn.Linear(8, 8)
        self.lif = snn.Leaky(beta=0.5)

    def forward(self, x):
        spk, mem = torch.zeros(1, 8), self.lif.reset_mem()
        for step in range(x.shape[0]):
            spk, mem = self.lif(self.fc(x[step]) + self.back(spk), mem)
        return spk


class Depends(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.lif = nn.Linear(8, 8), snn.Leaky(beta=0.5, init_hidden=True)

    def forward(self, x):
        spk = self.lif(self.fc(x))
        return spk * 2 if spk.sum() > 3 else spk


class Masked(nn.Module):
    """A map that is changed in place behind its neurons."""

    def __init__(self):
        super().__init__()
        self.fc1, self.lif, self.fc2 = nn.Linear(8, 8), snn.Leaky(beta=0.5, init_hidden=True), nn.Linear(8, 2)

    def forward(self, x):
        spikes = self.lif(self.fc1(x))
        spikes[:, 3:] = 0
        return self.fc2(spikes)


class Potentials(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.lif1, self.fc2 = nn.Linear(8, 8), snn.Leaky(beta=0.5), nn.Linear(8, 2)
        self.mem = None

    def forward(self, x):
        _, mem = self.lif1(self.fc1(x), torch.zeros(1, 8))
        return self.fc2(mem)


class Late(nn.Module):
    """The state of two timesteps before."""

    def __init__(self):
        super().__init__()
        self.fc, self.lif = nn.Linear(8, 8), snn.Leaky(beta=0.5)

    def forward(self, x):
        states = [torch.zeros(1, 8)]
        for step in x:
            spk, mem = self.lif(self.fc(step), states[-1 if len(states) < 3 else -2])
            states.append(mem)
        return spk


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.lif = nn.Linear(8, 8), nn.Linear(8, 8), snn.Leaky(beta=0.5, init_hidden=True)

    def forward(self, x):
        return self.lif(self.fc2(self.lif(self.fc1(x))))


@pytest.mark.parametrize(
    ("module", "key", "part", "call"),
    [
        (Recurrent, "back", "not computed from the network's input", None),
        (Depends, "lif", "depends on its values", None),
        (Potentials, "lif1", "not its own of the timestep before", "step"),
        (Potentials, "fc2", "carries spikes only", "step"),
        (Late, "lif", "not its own of the timestep before", None),
        (Masked, "__setitem__", "read by 'fc2'", None),
        (Shared, "lif", "one module for each place", None),
        (lambda: nn.Sequential(nn.Linear(8, 4), snn.Leaky(0.5, init_hidden=True)), "1", "all timesteps", "time_first"),
        (lambda: Loop(3), "Loop", "raised", None),
    ],
)
def test_ways_of_writing_it_that_are_refused(events, module, key, part, call):
    found = reasons(module(), events(4, 1, 8), call=call)
    assert part in found[key], found


def test_another_number_of_timesteps_inside(lively):
    image = torch.randint(0, 16, (2, 1, 8, 8), generator=torch.Generator().manual_seed(3))
    found = reasons(lively(Loop(5)), image, timesteps=6)
    assert "timesteps=5" in found["lif1"] and "timesteps=5" in found["lif2"]

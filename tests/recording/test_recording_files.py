"""What a recording is written to, what a chip says of it, and what it is held against."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import archsim
from archsim.errors import ArchsimError, ConfigError, UnsupportedError, WorkloadError
from archsim.snn import simulate

torch = pytest.importorskip("torch")
snn = pytest.importorskip("snntorch")
nn = torch.nn


def small(**own):
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), snn.Leaky(beta=0.5, init_hidden=True, **own), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(64, 6), snn.Leaky(beta=0.5, init_hidden=True),
    )  # fmt: skip


@pytest.fixture
def images():
    return torch.randint(0, 256, (4, 1, 8, 8), generator=torch.Generator().manual_seed(3)) / 255


@pytest.fixture
def recording(lively, images):
    return archsim.record(lively(small()), images, name="my net", labels=[3, 1, 4, 1], timesteps=5)


def test_three_files(recording, tmp_path):
    path = recording.save(tmp_path / "new" / "other")
    assert path == tmp_path / "new" / "other.yaml"
    assert sorted(file.name for file in path.parent.iterdir()) == ["other-weights.npz", "other.npz", "other.yaml"]
    workload = archsim.load_workload(path)
    assert workload.name == "my net" and workload.network == recording.workload.network
    trace = workload.activity.trace
    assert np.array_equal(trace.labels, [3, 1, 4, 1]) and np.array_equal(trace.predictions, recording.predictions)
    for layer, spikes in recording.spikes.items():
        assert all(np.array_equal(trace.values(layer, sample), spikes[sample]) for sample in range(4))
    assert recording.save(tmp_path).name == "my-net.yaml"  # a folder: the network's name
    assert (tmp_path / "my-net-weights.npz").exists() and not list(tmp_path.glob(".recording*"))


def test_written_whole_or_not_at_all(recording, tmp_path):
    (tmp_path / "net.npz").mkdir()
    with pytest.raises(ArchsimError, match="in the way"):
        recording.save(tmp_path / "net.yaml")
    assert [path.name for path in tmp_path.iterdir()] == ["net.npz"]
    (tmp_path / "file").write_text("")
    with pytest.raises(ArchsimError, match="cannot write the recording"):
        recording.save(tmp_path / "file" / "net")


def test_a_trace_of_the_framework_and_one_of_archsim_cost_the_same(recording, images, tmp_path):
    path = recording.save(tmp_path / "net")
    own = simulate(recording.workload, np.asarray(recording.input))
    own.save(tmp_path / "own.npz", labels=np.array([3, 1, 4, 1]))
    text = path.read_text().replace("trace: net.npz", "trace: own.npz")
    (tmp_path / "own.yaml").write_text(text)
    for arch in ("sata", "eyeriss-snn", "spikeflow"):
        theirs = archsim.simulate(arch, path, samples="all")
        ours = archsim.simulate(arch, tmp_path / "own.yaml", samples="all")
        assert theirs.energy_pj == ours.energy_pj and theirs.cycles == ours.cycles
        assert theirs.counts == ours.counts and theirs.layers == ours.layers
    first = archsim.simulate("sata", recording.workload)
    assert first.energy_pj == archsim.simulate("sata", path).energy_pj > 0


def test_every_layer_that_differs_is_named(lively, images):
    """Neurons that fire at another threshold than they say."""
    net = lively(small(spike_grad=lambda excess: (excess > 0.3).to(excess.dtype)))
    with pytest.raises(WorkloadError) as caught:
        archsim.record(net, images, name="net", timesteps=5)
    *differing, remedy = caught.value.problems
    assert [problem.key for problem in differing] == ["1", "5"]
    assert "sample 0, timestep 0" in differing[0].message and "values differ" in differing[0].message
    assert "module.double()" in remedy.message


def test_values_behind_the_last_spikes_are_held_against_archsims(lively, images):
    """A last layer without neurons, whose module multiplies what it says."""
    lif = snn.Leaky(beta=0.5, init_hidden=True)
    net = lively(nn.Sequential(nn.Flatten(), nn.Linear(64, 20), lif, nn.Linear(20, 3)))
    assert archsim.record(net, images, name="net", timesteps=5).spikes.keys() == {"fc1"}
    net[3].register_forward_hook(lambda module, args, out: out * 1.5)
    with pytest.raises(WorkloadError) as caught:
        archsim.record(net, images, name="net", timesteps=5)
    assert [problem.key for problem in caught.value.problems] == ["3", None]
    assert "differ by up to" in caught.value.problems[0].message


def test_the_module_is_left_as_it_was(lively, images):
    net = lively(small())
    before = {name: value.clone() for name, value in net.state_dict().items()}
    threads = torch.get_num_threads()
    archsim.record(net, images, name="net", timesteps=5)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in net.modules())
    assert torch.get_num_threads() == threads and net[1].mem.numel() == 0


def test_samples_are_counted(lively, images):
    seen = []
    archsim.record(lively(small()), images, name="net", timesteps=5, progress=lambda *done: seen.append(done))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_widths(lively, images):
    options = {"input_bits": 10, "precision": {"weight_bits": 4, "membrane_bits": 12}}
    network = archsim.record(lively(small()), images, name="net", timesteps=5, **options).workload.network
    assert (network.precision.input_bits, network.precision.weight_bits, network.precision.membrane_bits) == (10, 4, 12)


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        ({"name": "a/b"}, ["name"]),
        ({"labels": [1, 2]}, ["labels"]),
        ({"labels": [0.5] * 4}, ["labels"]),
        ({"input_bits": 3}, ["input_bits"]),
        ({"precision": {"weights_bits": 4}}, ["precision.weights_bits"]),
        ({"precision": {"weight_bits": 99}}, ["precision.weight_bits"]),
        ({"call": "steps"}, ["call"]),
        ({"timesteps": None, "encoding": "events"}, ["inputs"]),
        ({"name": "", "labels": [1], "call": "x"}, ["name", "labels", "call"]),
    ],
)
def test_arguments_that_are_wrong(images, options, keys):
    with pytest.raises(ConfigError) as caught:
        archsim.record(small().eval(), images, **{"name": "net", "timesteps": 5, **options})
    assert [problem.key for problem in caught.value.problems] == keys


def test_what_is_no_module(images):
    with pytest.raises(ConfigError, match="no PyTorch module"):
        archsim.record(lambda x: x, images, name="net", timesteps=5)
    with pytest.raises(ConfigError, match=r"module.float\(\)"):
        archsim.record(small().half(), images, name="net", timesteps=5)


class Pools(nn.Module):
    """Each pool on its own branch of the same spikes; their maps are added."""

    def __init__(self):
        super().__init__()
        self.conv, self.lif = nn.Conv2d(2, 3, 3, padding=1), snn.Leaky(beta=0.5, init_hidden=True)
        pools = nn.MaxPool2d(3, stride=2, padding=1), nn.AvgPool2d(3, 2, 1), nn.AdaptiveMaxPool2d(4)
        self.pools = nn.ModuleList(pools)
        self.out, self.head = snn.Leaky(beta=0.5, threshold=2.0, init_hidden=True), nn.Linear(48, 4)

    def forward(self, x):
        spikes = self.lif(self.conv(x))
        maps = [pool(spikes) for pool in self.pools]
        maps.append(nn.functional.avg_pool2d(spikes, 2, divisor_override=1))
        maps.append(nn.functional.adaptive_avg_pool2d(spikes, (4, 4)))
        maps.append(nn.functional.max_pool2d(spikes, kernel_size=2, ceil_mode=True))
        return self.head(self.out(sum(maps) * 0.5).view(x.size(0), -1))


def test_pools(lively, events):
    recording = archsim.record(lively(Pools().double()), events(4, 2, 2, 8, 8), name="net")
    network = recording.workload.network
    kinds = {"maxpool2d": 3, "avgpool2d": 2, "sumpool2d": 1}
    assert {kind: sum(layer.kind == kind for layer in network.layers) for kind in kinds} == kinds
    assert network.layer("pools.0").padding == (1, 1) and network.layer("pools.2").kernel == (2, 2)
    assert 0 < recording.spikes["out"].mean() < 1


@pytest.mark.parametrize(
    ("pool", "part"),
    [
        (nn.AvgPool2d(3, 2, 1, count_include_pad=False), "count_include_pad"),
        (nn.MaxPool2d(3, ceil_mode=True), "ceil_mode"),
        (nn.MaxPool2d(2, dilation=2), "dilation"),
        (nn.AdaptiveAvgPool2d(3), "unequal windows"),
        (nn.Unflatten(1, (2, 2)), "only flattens"),
        (nn.Sigmoid(), "no layer of archsim"),
        (nn.BatchNorm2d(4, track_running_stats=False), "by itself"),
    ],
)
def test_layers_that_archsim_has_not(events, pool, part):
    net = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), snn.Leaky(beta=0.5, init_hidden=True), pool, nn.Flatten(), nn.LazyLinear(3),
        snn.Leaky(beta=0.5, init_hidden=True),
    ).eval()  # fmt: skip
    inputs = events(3, 1, 2, 8, 8)
    net(inputs[0])
    with pytest.raises(UnsupportedError, match=part) as caught:
        archsim.record(net, inputs, name="net")
    assert "2" in {problem.key for problem in caught.value.problems}


class Reused(nn.Module):
    """An MLP on flattened images whose middle layer, pool-free, is used twice."""

    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(64, 20), nn.Linear(20, 20)
        self.lifs = nn.ModuleList([snn.Leaky(beta=0.5, init_hidden=True) for _ in range(3)])

    def forward(self, x):
        x = self.lifs[0](self.fc1(x.reshape(x.shape[0], -1)))
        return self.lifs[2](self.fc2(self.lifs[1](self.fc2(x))))


def test_a_layer_that_is_used_twice(lively, images):
    recording = archsim.record(lively(Reused()), images, name="net", timesteps=5)
    network = recording.workload.network
    assert [layer.name for layer in network.layers] == ["fc1", "fc2", "fc2-2"]
    assert all(0 < spikes.mean() < 1 for spikes in recording.spikes.values())
    weights = recording.workload.weights
    assert np.array_equal(weights.part("fc2", "weight"), weights.part("fc2-2", "weight"))


def test_neurons_behind_neurons(lively, images):
    """Whose own layer the second ones are, and which the first."""
    lif = {"beta": 0.5, "init_hidden": True}
    second = snn.Leaky(beta=0.9, threshold=2.0, init_hidden=True)
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 20), snn.Leaky(**lif), second)
    recording = archsim.record(lively(net), images, name="net", timesteps=5)
    assert [layer.kind for layer in recording.workload.network.layers] == ["linear", "neuron", "neuron"]
    assert all(0 < spikes.mean() < 1 for spikes in recording.spikes.values())


@pytest.mark.parametrize(
    ("layers", "part"),
    [
        ((nn.Linear(64, 4),), "none of its neurons"),
        ((snn.Leaky(beta=0.5, init_hidden=True),), "no Conv1d, Conv2d or Linear"),
        ((nn.Linear(32, 4), snn.Leaky(beta=0.5, init_hidden=True)), "raised RuntimeError"),
    ],
)
def test_modules_that_are_no_network(images, layers, part):
    with pytest.raises(UnsupportedError, match=part):
        archsim.record(nn.Sequential(nn.Flatten(), *layers), images, name="net", timesteps=5)


def test_modules_that_override_what_they_are(events):
    class Standardised(nn.Conv2d):
        def forward(self, x):
            return nn.functional.conv2d(x, self.weight - self.weight.mean(), self.bias)

    class Plain(nn.Conv2d):
        pass

    lif = {"beta": 0.5, "init_hidden": True}
    net = nn.Sequential(Standardised(1, 2, 3), snn.Leaky(**lif), Plain(2, 2, 3), snn.Leaky(**lif)).eval()
    with pytest.raises(UnsupportedError) as caught:
        archsim.record(net, events(2, 1, 1, 8, 8), name="net")
    assert [problem.key for problem in caught.value.problems] == ["0"]
    assert "overrides forward()" in caught.value.problems[0].message


def test_frameworks_that_are_not_loaded_stay_so(tmp_path):
    """archsim imports none of them on its own."""
    import subprocess
    import sys

    code = "import sys, json, archsim.recording; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert not {"torch", "snntorch", "sinabs", "spikingjelly", "norse"} & set(json.loads(done.stdout))

"""Networks whose neurons really spike: weights drawn large enough, seeds fixed."""

from __future__ import annotations

from dataclasses import replace

import pytest

import archsim
from archsim.snn import simulate
from archsim.workload import RecordedActivity


@pytest.fixture
def torch():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    return torch


@pytest.fixture
def lively(torch):
    """Weights of all layers drawn anew, so that about every fourth neuron spikes; the module, ready to be recorded."""

    def enliven(module, gain=1.0, seed=1):
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for name, parameter in module.named_parameters():
                if parameter.ndim > 1 and "weight" in name:
                    fan = parameter[0].numel()
                    drawn = torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype)
                    parameter.copy_((drawn + 0.3) * gain * 1.5 / fan**0.5)
        return module.eval()

    return enliven


@pytest.fixture
def events(torch):
    """Spikes [T, N, ...] of a density."""

    def draw(*shape, density=0.4, seed=2):
        generator = torch.Generator().manual_seed(seed)
        return (torch.rand(*shape, generator=generator) < density).float()

    return draw


@pytest.fixture
def costs_the_same():
    """Hold the energy of the framework's spikes against that of archsim's own, to the last digit."""

    def check(recording, arch="sata"):
        own = simulate(recording.workload, recording.input, dtype=recording.dtype)
        ours = replace(recording.workload, activity=RecordedActivity(recording.workload.network, own.trace()))
        theirs = archsim.simulate(arch, recording.workload, samples="all")
        again = archsim.simulate(arch, ours, samples="all")
        assert theirs.energy_pj == again.energy_pj > 0
        assert theirs.counts == again.counts and theirs.cycles == again.cycles

    return check

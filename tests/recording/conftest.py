"""Networks whose neurons really spike: weights drawn large enough, seeds fixed."""

from __future__ import annotations

import pytest


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

"""The shipped crossbar chips: what they state of themselves agrees with what they cost."""

from __future__ import annotations

import pytest

import archsim
from archsim.accelerators import load_architecture
from archsim.config import names

CHIPS = [name for name in names("arch") if load_architecture(name).family.name == "crossbar"]


@pytest.mark.parametrize("name", CHIPS)
def test_the_neuron_module_takes_a_tenth_of_the_area_or_more_where_spikesim_says_so(name: str) -> None:
    """SpikeSim (Moitra et al.): more than 11 % of the area."""
    result = archsim.simulate(name, "vgg9-cifar10", engine="fast")
    neurons = sum(part.area_um2 for part in result.components if part.level == "neuron module")
    assert neurons / result.area_um2 > (0.11 if name == "spikeflow" else 0.05)

"""Numbers that no task can last: refused before anything wraps around."""

from __future__ import annotations

import pytest

import archsim
from archsim.errors import ArchsimError


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("clock=1e30", "at most 1000000"),
        ("dram.latency=1e300", "at most 2,147,483,647 can be timed"),
        ("dram.bandwidth=1e-300", "at most 2,147,483,647 can be timed"),
        ("neuron.cycles_per_update=2147483647", "at most 2,147,483,647 can be timed"),
        ("neuron.cycles_per_update=2147483648", "from 1 to 2147483647"),
        ("neuron.latency_cycles=2147483648", "from 0 to 2147483647"),
    ],
)
def test_endless_tasks_are_refused(setting, message):
    with pytest.raises(ArchsimError, match=message):
        archsim.simulate("eyeriss-snn", "cnn-mnist", overrides=[setting])

"""Both engines on every shipped chip, with a recorded and a drawn network: equal start cycles of every task."""

from __future__ import annotations

import numpy as np
import pytest

from archsim import load_architecture, load_workload
from archsim.config import names
from archsim.engine import des, fast


@pytest.mark.slow
@pytest.mark.parametrize("workload", ["cnn-mnist", "icassp-bntt"])
@pytest.mark.parametrize("arch", names("arch"))
def test_start_cycles_are_equal(arch: str, workload: str) -> None:
    chip = load_architecture(arch)
    graph = chip.family.lower(chip.chip, load_workload(workload), 0).graph
    expected = des.start_cycles(graph)
    assert np.all(expected >= 0)
    assert np.array_equal(fast.start_cycles(graph, compiled=False), expected)
    assert np.array_equal(fast.start_cycles(graph), expected)

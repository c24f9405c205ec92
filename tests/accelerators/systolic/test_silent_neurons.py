"""Which neurons are left untouched when they hear nothing, by hand: one spike for the first of four neurons."""

from __future__ import annotations

from typing import Any

import pytest
from drawn import chip, run, workload

SPIKES = [[[[1, 0], [0, 0]]], [[[0, 0], [0, 0]]]]  # at t = 0 at the first place of 2 x 2, at t = 1 nowhere


@pytest.mark.parametrize(
    ("neuron", "updates"),
    [
        ({"model": "lif", "reset": "subtract"}, 1),
        ({"model": "lif", "minimum": -1.0, "gain": 2.0, "update": "euler"}, 1),
        ({"model": "lif", "rest": 0.5}, 8),
        ({"model": "lif", "reset": "none"}, 8),
        ({"model": "li"}, 8),
        ({"model": "cuba_li"}, 8),
    ],
)
def test_updates_without_input(neuron: dict[str, Any], updates: int) -> None:
    described = {
        "name": "silent",
        "timesteps": 2,
        "input": {"shape": [1, 2, 2], "encoding": "events"},
        "layers": [{"name": "conv", "type": "conv2d", "out_channels": 1, "kernel": 1, "neuron": neuron}],
    }
    touched = chip(neuron={"update": "event", "membrane": {"home": "sram"}})
    done = run(touched, workload(described, {"input": SPIKES}))
    assert done.count("neuron_membrane", "update") == updates
    words = 2 if neuron["model"] == "cuba_li" else 1
    restored = 0 if updates == 1 else 4 * words  # what hears nothing at t = 1 is not restored then
    assert done.count("membrane_buffer", "element_read") == restored

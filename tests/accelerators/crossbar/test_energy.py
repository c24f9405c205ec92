"""Energy follows the spikes: none, and it is leakage and neurons; each one more, and it is more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from by_hand import CONV, chip, network

from archsim.accelerators import Architecture, family
from archsim.config import Document
from archsim.cost.table import load_costs
from archsim.result import Result
from archsim.run import run_once
from archsim.simulation import result_of

DENSITIES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0)
WAYS = (
    {},
    {"adc": {"share": "pe", "analog_sum": True}, "noc": {"packets": "aer"}},
    {"adc": {"resolution": "active_rows", "bits": 8}, "crossbar": {"signed": "diff", "conducts": "sample_hold"}},
    {"mapping": {"replicate": 2, "unroll": "flat"}, "noc": {"cast": "unicast"}, "dram": {"bandwidth": "1 GB/s"}},
)


def run(folder: Path, density: float, way: dict[str, object]) -> Result:
    """Two layers; the spikes of a density are among those of every higher one."""
    rng = np.random.default_rng(5)
    given = {"input": rng.random((2, 2, 6, 6)) < density, "a": rng.random((2, 6, 6, 6)) < density}
    net = network(folder, [{**CONV, "out_channels": 6}, {**CONV, "name": "b"}], given, (2, 6, 6))
    table = load_costs()
    architecture = Architecture(family("crossbar"), chip(buffer={"line": 4}, **way), Document({}, "drawn", {}, None))
    return result_of(run_once(architecture, net, table, 0, "fast"), table)


@pytest.mark.parametrize("way", WAYS)
def test_more_spikes_cost_more(tmp_path: Path, way: dict[str, object]) -> None:
    runs = [run(tmp_path, density, way) for density in DENSITIES]
    for what in ("dynamic_pj", "energy_pj", "cycles"):
        values = [getattr(one, what) for one in runs]
        assert values == sorted(values), what
    energies = [one.dynamic_pj for one in runs]
    assert len(set(energies)) == len(energies)


@pytest.mark.parametrize("way", WAYS[:3])
def test_without_spikes_there_are_leakage_and_neurons_only(tmp_path: Path, way: dict[str, object]) -> None:
    silent = run(tmp_path, 0.0, way)
    spending = {part.name for part in silent.components if part.dynamic_pj}
    assert spending and all(name.startswith("neuron_") or name == "membrane_buffer" for name in spending)
    assert silent.static_pj > 0

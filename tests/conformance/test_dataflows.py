"""The conformance suite on every built-in dataflow, and on one registered from outside by a plugin file, end to end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import archsim
from archsim import testing
from archsim.accelerators import load_architecture, load_plugin
from archsim.accelerators.systolic import dataflows
from archsim.accelerators.systolic.dataflows import CycleModel, Dataflow, dataflow_names, register
from archsim.errors import ConfigError
from archsim.testing.systolic import check_every_product_once
from archsim.workload import load_workload

HERE = Path(__file__).parent
PLUGIN = HERE / "transposed_dataflow.py"
FROM_OUTSIDE = "transposed_output_stationary"
BUILT_IN = ("output_stationary", "weight_stationary", "input_stationary")
PRESETS = ("sata", "eyeriss-snn", "scalesim-os", "scalesim-ws", "scalesim-is")


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is forgotten afterwards."""
    dataflow_names()
    monkeypatch.setattr(dataflows, "_registered", dict(dataflows._registered))


@pytest.mark.parametrize("check", testing.DATAFLOW_CHECKS, ids=testing.name_of)
@pytest.mark.parametrize("name", [*BUILT_IN, FROM_OUTSIDE])
def test_dataflow_conforms(name: str, check: Callable[[str], None]) -> None:
    if name == FROM_OUTSIDE:
        load_plugin(str(PLUGIN))
    check(name)


@pytest.mark.parametrize("check", testing.FAMILY_CHECKS, ids=testing.name_of)
@pytest.mark.parametrize("preset", PRESETS)
def test_presets_conform_on_a_recorded_digit(preset: str, check: Callable[[testing.Subject], None]) -> None:
    check(testing.Subject(load_architecture(preset), load_workload("cnn-mnist")))


def test_the_suite_runs_on_wide_values_too() -> None:
    for name in BUILT_IN:
        for wide in ("bit_serial", "multiplier"):
            case = testing.subject(name, testing.network(encoding="direct"), pe={"wide_values": wide})
            for check in testing.FAMILY_CHECKS:
                check(case)


def test_a_dataflow_is_unknown_without_its_plugin_and_the_nearest_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        testing.chip(FROM_OUTSIDE)
    assert "output_stationary" in str(caught.value)


def test_transposing_swaps_the_array() -> None:
    """Filters along R rows and positions along C columns take the time of positions along C rows, filters along R."""
    load_plugin(str(PLUGIN))
    ours = testing.Subject(testing.chip(FROM_OUTSIDE, rows=3, cols=5, neuron={"units": "ideal"}), testing.network())
    theirs = testing.Subject(
        testing.chip("output_stationary", rows=5, cols=3, neuron={"units": "ideal"}), testing.network()
    )
    assert ours.execution.cycles == theirs.execution.cycles
    for action in (("weight_buffer", "element_read"), ("ifmap_buffer", "element_read"), ("dram", "read_bit")):
        assert ours.count(*action) == theirs.count(*action) > 0


def test_the_plugin_runs_through_the_python_door() -> None:
    result = archsim.simulate(
        "sata", "cnn-mnist", overrides=[f"array.dataflow={FROM_OUTSIDE}"], plugins=[str(PLUGIN)], engine="des"
    )
    normal = archsim.simulate("sata", "cnn-mnist")
    assert result.synaptic_operations == normal.synaptic_operations
    assert result.cycles != normal.cycles  # 16 x 8 is not square


def test_the_plugin_runs_through_the_command_line(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
    command = [sys.executable, "-m", "archsim", "run", "sata", "cnn-mnist", "--json"]
    chosen = ["--set", f"array.dataflow={FROM_OUTSIDE}"]
    done = subprocess.run(
        [*command, *chosen, "--plugin", str(PLUGIN)], capture_output=True, text=True, check=True, cwd=tmp_path, env=env
    )
    assert json.loads(done.stdout)["inputs"]["plugins"] == [str(PLUGIN)]
    refused = subprocess.run([*command, *chosen], capture_output=True, text=True, check=False, cwd=tmp_path, env=env)
    assert refused.returncode == 2
    assert "unknown dataflow" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    "cycles",
    [
        lambda stream, rows, cols: stream // (rows * cols),
        lambda stream, rows, cols: stream * 0,
    ],
    ids=["too fast", "no time"],
)
def test_the_suite_finds_a_dataflow_that_is_faster_than_its_array(cycles: CycleModel) -> None:
    register(Dataflow("broken", "positions", "filters", "reduction", fold_cycles=cycles))
    with pytest.raises(AssertionError, match="products in"):
        check_every_product_once("broken")

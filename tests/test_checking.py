"""`archsim check`: what it takes a file for, and what it loads first."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

import archsim
from archsim.accelerators.systolic import dataflows
from archsim.catalog import preset_text
from archsim.cli import app
from archsim.errors import ConfigError

PLUGIN = """
from archsim.accelerators.systolic.dataflows import Dataflow, register
register(Dataflow("turned", rows="filters", cols="positions", stream="reduction", description="filters along the rows"))
"""


@pytest.fixture
def chip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A chip that names a dataflow of a plug-in; what the plug-in registers is forgotten afterwards."""
    dataflows.dataflow_names()  # the built-ins are there
    monkeypatch.setattr(dataflows, "_registered", dict(dataflows._registered))
    (tmp_path / "turned.py").write_text(PLUGIN)
    path = tmp_path / "chip.yaml"
    path.write_text(preset_text("sata").replace("dataflow: output_stationary", "dataflow: turned"))
    return path


def test_a_chip_of_a_plugin_is_checked_with_it(chip: Path) -> None:
    with pytest.raises(ConfigError, match="turned"):
        archsim.check(chip)
    (found,) = archsim.check(chip, plugins=[chip.parent / "turned.py"])
    assert (found.kind, found.summary) == ("arch", "'sata', systolic")


def test_the_command_line_loads_it_too(chip: Path) -> None:
    done = CliRunner().invoke(app, ["check", str(chip), "--plugin", str(chip.parent / "turned.py")])
    assert (done.exit_code, done.output) == (0, f"{chip}: chip 'sata', systolic: ok\n")


def test_a_plugin_that_is_not_there_is_told_with_the_rest(chip: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        archsim.check(chip, plugins=["nowhere.py"])
    assert [problem.key for problem in caught.value.problems] == ["--plugin", "array.dataflow"]


def test_a_result_is_called_what_it_is(tmp_path: Path) -> None:
    archsim.simulate("sata", "cnn-mnist").save(tmp_path / "run")
    with pytest.raises(ConfigError) as caught:
        archsim.check(tmp_path / "run" / "result.json")
    (problem,) = caught.value.problems
    assert problem.message == "this is the result of a run" and problem.allowed == (
        "chip, workload, cost table, device, cost overlay, sweep"
    )

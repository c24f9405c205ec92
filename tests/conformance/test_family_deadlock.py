"""A family from outside whose buffer is too small for any progress: a named deadlock in both engines, exit code 2."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import archsim
from archsim import accelerators
from archsim.errors import DeadlockError

HERE = Path(__file__).parent
PLUGIN = str(HERE / "deadlocked_family.py")
ENGINES = ("des", "fast")


@pytest.fixture
def chip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    accelerators.family_names()
    monkeypatch.setattr(accelerators, "_families", dict(accelerators._families))  # forgotten afterwards
    path = tmp_path / "stuck.yaml"
    path.write_text("family: deadlocked\nname: stuck\n")
    return str(path)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_buffer_cycle_is_a_named_deadlock(chip: str, engine: str) -> None:
    with pytest.raises(DeadlockError) as caught:
        archsim.simulate(chip, "cnn-mnist", plugins=[PLUGIN], engine=engine)
    text = str(caught.value)
    for word in (
        "deadlock",
        "operands",
        "port task 1 (conv1)",
        "multiplier task 2 (conv1)",
        "holds 1, with 2 the deadlock is gone",
    ):
        assert word in text


@pytest.mark.parametrize("engine", ENGINES)
def test_the_capacity_that_the_error_names_is_enough(chip: str, engine: str) -> None:
    result = archsim.simulate(chip, "cnn-mnist", overrides=["places=2"], plugins=[PLUGIN], engine=engine)
    assert result.cycles == 3 + 3 + 5


@pytest.mark.parametrize("engine", ENGINES)
def test_the_command_line_ends_with_exit_code_2(chip: str, engine: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "archsim", "run", chip, "cnn-mnist", "--plugin", PLUGIN, "--engine", engine]
    out = tmp_path / "out"
    done = subprocess.run(
        [*command, "-o", str(out)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
    )
    assert done.returncode == 2
    assert "deadlock" in done.stderr
    assert "operands" in done.stderr
    assert "Traceback" not in done.stderr
    assert not out.exists()

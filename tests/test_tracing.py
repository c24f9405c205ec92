"""Runs with a trace and figures over time, from the command line: executed anew, one input, nothing half-written."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import archsim
from archsim.cli import app
from archsim.result import load_result


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["run", *words])


def test_trace_and_figures_of_a_run_that_is_stored_already() -> None:
    store = ("--store", "known.sqlite")
    assert run("sata", "cnn-mnist", *store).exit_code == 0
    done = run("sata", "cnn-mnist", *store, "--trace", "t.json", "--timeline", "-o", "run")
    assert done.exit_code == 0, done.stderr
    assert "from the store" not in done.stderr
    assert [line for line in done.stderr.splitlines() if line.startswith("saved:")] == [
        "saved: run/result.json", "saved: t.json", "saved: run/gantt.png", "saved: run/power.png",
    ]  # fmt: skip
    assert load_result("run").energy_pj == archsim.simulate("sata", "cnn-mnist").energy_pj
    assert Path("t.json").read_bytes() == archsim.trace("sata", "cnn-mnist", "twin.json").read_bytes()
    assert "from the store" in run("sata", "cnn-mnist", *store).stderr


def test_without_a_store_and_with_json() -> None:
    done = run("sata", "cnn-mnist", "--no-store", "--trace", "t.json", "--json")
    assert done.exit_code == 0 and done.stdout.startswith('{"arch"')
    assert [path.name for path in Path().iterdir()] == ["t.json"]


@pytest.mark.parametrize("samples", ["0..3", "all", "0,1"])
def test_everything_that_is_wrong_at_once(samples: str) -> None:
    done = run("sat", "cnn-mnist", "--no-store", "--trace", "t.yaml", "--timeline", "--samples", samples)
    assert done.exit_code == 2
    for part in ("did you mean 'sata'", "allowed: FILE.json", "with -o DIR", "a timeline shows one input"):
        assert part in done.stderr, part
    assert list(Path().iterdir()) == []


def test_a_trace_never_overwrites_something_else() -> None:
    chip = Path("chip.yaml")
    chip.write_text("x")
    assert run("sata", "cnn-mnist", "--no-store", "--trace", "chip.yaml").exit_code == 2
    assert run("sata", "cnn-mnist", "--no-store", "--trace", "out/result.json", "-o", "out").exit_code == 2
    assert run("sata", "cnn-mnist", "--no-store", "-o", "out").exit_code == 0
    assert run("sata", "cnn-mnist", "--no-store", "--trace", "out/result.json").exit_code == 2
    assert chip.read_text() == "x" and load_result("out").arch == "sata"


def test_another_sample_and_overrides_reach_the_trace() -> None:
    one = archsim.timeline("sata", "cnn-mnist", sample=1, overrides="clock=200 MHz")
    zero = archsim.timeline("sata", "cnn-mnist")
    assert (one.samples, one.clock_mhz) == ((1,), 200.0)
    assert one.energy_pj.sum() != zero.energy_pj.sum()
    assert archsim.timeline("sata", "cnn-mnist", sample=np.int64(1)).samples == (1,)  # type: ignore[arg-type]
    for sample, message in ((99, r"0\.\.15"), ([0, 1], "one input"), ({0, 1}, "one input")):
        with pytest.raises(archsim.ArchsimError, match=message):
            archsim.timeline("sata", "cnn-mnist", sample=sample)  # type: ignore[arg-type]


def test_the_page_on_timelines_shows_python_that_works() -> None:
    page = (Path(__file__).parent.parent / "docs" / "timeline.md").read_text()
    for block in re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE):
        exec(compile(block, "timeline.md", "exec"), {})
    assert sorted(path.name for path in Path().iterdir()) == ["gantt.svg", "t.json"]

"""Where the command line writes: folders that are in the way, streams that take no more, runs that are replaced."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from archsim.cli import app

ROOT = Path(__file__).parent.parent
RUN = ("run", "sata", "cnn-mnist", "--no-store")
DISTURBING = """
from dataclasses import replace
from pathlib import Path
from archsim.accelerators import family, register_family
systolic = family("systolic")
def lower(*words):
    Path("PLACE").write_text("made while the run was executed")
    return systolic.lower(*words)
register_family(replace(systolic, lower=lower))
"""


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def call(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def errors(*words: str) -> list[str]:
    done = call(*words)
    assert (done.exit_code, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert all(line.startswith("error: ") for line in lines)
    return lines


def test_wrong_options_are_reported_with_the_errors_of_the_files() -> None:
    Path("chip.yaml").write_text(call("show", "sata").stdout.replace("rows: 16", "rowz: 16"))
    Path("file").write_text("x")
    lines = errors(
        "run", "chip.yaml", "cnn-mnits", "--set", "clock", "--set", "workload.y", "--engine", "quick", "--samples", "a",
        "--against", "sata_sim", "-o", "file/run", "--costs", "none.yaml", "--plugin", "none.py",
    )  # fmt: skip
    parts = ("array.rowz: unknown key", "array.rows: is missing", "got 'clock'", "got 'workload.y'", "'cnn-mnist'?",
             "'quick'; allowed: auto, des, fast", "--samples: not a sample", "'sata-sim'?", "a file is in the way",
             "none.yaml", "none.py")  # fmt: skip
    for part in parts:
        assert sum(part in line for line in lines) == 1, part
    assert len(lines) == len(parts)


@pytest.mark.parametrize(
    ("output", "part"),
    [("''", "is empty"), ("file", "a file is in"), ("way", "a folder is in"), ("/proc/run", "cannot write here")],
)
def test_a_bad_folder_is_noticed_before_anything_is_executed(output: str, part: str) -> None:
    Path("file").write_text("x")
    Path("way/result.json").mkdir(parents=True)
    Path("plugin.py").write_text(DISTURBING.replace("PLACE", "executed"))
    done = process(f"archsim {' '.join(RUN)} --plugin plugin.py -o {output}")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ") and part in done.stderr
    names = {path.name for path in Path().rglob("*")} - {"__pycache__", "plugin.py"}
    assert names == {"file", "result.json", "way"}


@pytest.mark.parametrize("options", ["", "--json"])
def test_what_cannot_be_saved_in_the_end_is_printed_all_the_same(options: str) -> None:
    Path("plugin.py").write_text(DISTURBING.replace("PLACE", "run"))
    done = process(f"archsim {' '.join(RUN)} --plugin plugin.py -o run {options}")
    assert done.returncode == 2
    assert done.stderr.startswith("error: run: a file is in the way")
    if options:
        assert json.loads(done.stdout)["arch"] == "sata"
    else:
        assert "verdict: " in done.stdout
    assert Path("run").read_text() == "made while the run was executed"


def test_a_second_run_into_a_folder_replaces_the_first() -> None:
    assert call(*RUN, "-o", "run").exit_code == 0
    assert call("plot", "run", "--by", "layer").exit_code == 0
    Path("run/notes.txt").write_text("mine")
    assert call(*RUN, "--set", "array.rows=32", "-o", "run").exit_code == 0
    assert sorted(path.name for path in Path("run").iterdir()) == ["notes.txt", "result.json"]
    assert json.loads(Path("run/result.json").read_text())["inputs"]["arch"]["array"]["rows"] == 32


def test_explain_knows_what_was_meant() -> None:
    assert call(*RUN, "-o", "run").exit_code == 0
    (line,) = errors("explain", "run", "weight_bufer.line_read")
    assert line.endswith("did you mean 'weight_buffer.line_read'?)")
    (line,) = errors("explain", "run", "weight_bufer.leakge")
    assert line.endswith("did you mean 'weight_buffer.leakage'?)")
    assert call("explain", "run", "dram.background").stdout == call("explain", "run", "dram.leakage").stdout
    (line,) = errors("explain", "run", "weight_buffer.background")
    assert "no such action" in line


def process(command: str) -> subprocess.CompletedProcess[str]:
    python = f"{sys.executable} -m archsim.cli"
    return subprocess.run(
        ["bash", "-c", command.replace("archsim", python)], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device without room")
@pytest.mark.parametrize("words", [" ".join(RUN), "list", "show sata", "--help"])
def test_a_full_device_is_one_error(words: str) -> None:
    done = process(f"archsim {words} > /dev/full")
    assert (done.returncode, done.stderr) == (2, "error: cannot write the output: No space left on device\n")


@pytest.mark.skipif(os.name == "nt", reason="pipes")
@pytest.mark.parametrize("words", [" ".join(RUN), "show sata"])
def test_a_reader_that_goes_away_is_no_error(words: str) -> None:
    done = process(f"archsim {words} | true")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.skipif(os.name == "nt", reason="shell")
def test_without_any_output_the_result_is_saved() -> None:
    done = process(f"archsim {' '.join(RUN)} -o run >&-")
    assert (done.returncode, done.stderr) == (0, "saved: run/result.json\n")
    assert Path("run/result.json").is_file()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes")
def test_pipes_and_devices_are_refused_instead_of_waited_for() -> None:
    os.mkfifo("pipe.yaml")
    for words in (("check", "pipe.yaml"), ("check", "./pipe.yaml", "/dev/zero"), ("run", "./pipe.yaml", "cnn-mnist")):
        for line in errors(*words):
            assert "is no regular file" in line


def test_a_trace_from_outside_names_the_option() -> None:
    Path("below").mkdir()
    shown = call("show", "cnn-mnist").stdout
    for name in ("cnn-mnist.npz", "cnn-mnist-weights.npz"):
        shown = shown.replace(f" {name}", f" ../{name}").replace(f"{{trace: {name}", f"{{trace: ../{name}")
        Path(name).write_bytes((ROOT / "workloads" / name).read_bytes())
    Path("below/net.yaml").write_text(shown)
    lines = errors("check", "below/net.yaml")
    assert len(lines) == 2 and all("--allow-outside" in line for line in lines)
    assert call("check", "below/net.yaml", "--allow-outside").exit_code == 0

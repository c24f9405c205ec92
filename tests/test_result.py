"""A saved result: what is written, what stays in the folder, and what is refused when it is read back."""

from __future__ import annotations

import copy
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import archsim
from archsim.cli import app
from archsim.errors import ArchsimError
from archsim.report.plots import FIGURES, makers_of
from archsim.result import Result, folder, mean_and_spread, writable_folder


@pytest.fixture(scope="module")
def result() -> Result:
    return archsim.simulate("sata", "cnn-mnist", samples=[0, 1], against="sata-sim:steps=none", vary_costs=True)


@pytest.fixture(scope="module")
def body(result: Result) -> Any:
    return json.loads(result.to_text())


def test_read_back_it_is_equal(result: Result, tmp_path: Path) -> None:
    result.save(tmp_path)
    assert json.loads(archsim.load_result(tmp_path).to_text()) == json.loads(result.to_text())


DAMAGE: dict[str, tuple[tuple[str | int, ...], Any]] = {
    "no rows": (("layers",), [1]),
    "no list": (("counts",), {"a": 1}),
    "nothing": (("components",), None),
    "text for a number": (("energy_pj",), "12"),
    "list for a number": (("layers", 0, "cycles"), [1]),
    "number for a text": (("components", 0, "name"), 3),
    "unit": (("units", 0, "starved"), [1]),
    "spread": (("spread",), {"energy_pj": 3}),
    "against": (("against",), {"sata-sim": 3}),
    "waterfall": (("against", "sata-sim:steps=none"), {"waterfall": {"start": 1}}),
    "no waterfall": (("against", "sata-sim:steps=none"), {"waterfall": None}),
    "swing": (("vary_costs", 0), {"constant": "x"}),
    "parts": (("inputs", "components"), [1]),
    "part": (("inputs", "components", 0, "attributes"), {"bits": [1]}),
    "overlay": (("inputs", "costs"), [None]),
    "inputs": (("inputs",), 1),
    "strange component": (("counts", 0, "component"), "drum"),
    "strange level": (("counts", 0, "level"), "nowhere"),
    "other part": (("inputs", "components", 0, "name"), "drum"),
    "endless": (("latency_ns",), float("inf")),
    "not a number": (("layers", 0, "density"), float("nan")),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_wrong_types_inside_end_with_2_and_name_the_place(case: str, body: Any, tmp_path: Path) -> None:
    path, value = DAMAGE[case]
    changed = copy.deepcopy(body)
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    (tmp_path / "result.json").write_text(json.dumps(changed))
    for words in (["plot", str(tmp_path)], ["explain", str(tmp_path), "dram.read_bit"]):
        done = CliRunner().invoke(app, words)
        assert (done.exit_code, done.stdout) == (2, "")
        assert all(line.startswith("error: ") for line in done.stderr.splitlines())
        assert "a damaged result" in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["result.json"]


@pytest.mark.parametrize("text", ["", "[]", "[" * 100_000, "{}", '{"format": "archsim-result-1"}', "\udcff", "nul"])
def test_what_is_no_result_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "result.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ArchsimError, match="not a result"):
        archsim.load_result(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes")
def test_a_pipe_is_no_result(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "result.json")
    with pytest.raises(ArchsimError, match="no regular file"):
        archsim.load_result(tmp_path)


def test_figures_of_the_run_that_is_replaced_are_removed_and_nothing_else(result: Result, tmp_path: Path) -> None:
    (tmp_path / "layer.png").write_text("of nobody's run")
    result.save(tmp_path)
    assert (tmp_path / "layer.png").exists()  # there was no run to replace
    drawn = archsim.plot(tmp_path)
    assert len(drawn) == len(makers_of(result))
    for name in ("notes.txt", "mine.png", "layer.pdf"):
        (tmp_path / name).write_text("kept")
    result.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["layer.pdf", "mine.png", "notes.txt", "result.json"]


def test_what_is_removed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = ["run", "sata", "cnn-mnist", "--no-store", "-o", "mine"]
    first = CliRunner().invoke(app, run)
    archsim.plot("mine", by="layer")
    archsim.plot("mine", by="area", output="mine/area.svg")
    second, third = CliRunner().invoke(app, run), CliRunner().invoke(app, run)
    said = "removed: layer.png (figures of the result that was in mine)"
    assert [said in done.stderr for done in (first, second, third)] == [False, True, False]
    assert sorted(path.name for path in Path("mine").iterdir()) == ["area.svg", "result.json"]


def test_folders_are_made_by_every_verb_that_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("space.yaml").write_text("archs: [sata]\nworkloads: [cnn-mnist]\nspace: {array.rows: [8, 16]}")
    store = ["--store", "s/t/runs.sqlite"]
    verbs = [
        ["run", "sata", "cnn-mnist", "-o", "a/run", *store, "--trace", "b/c/t.json"], ["plot", "a/run", "-o", "d/e"],
        ["plot", "a/run", "--by", "layer", "-o", "f/g/layer.svg"], ["report", "a/run", "-o", "h/i/run.html"],
        ["compare", "a/run", "./a/run", "-o", "j/k", "--figure", "l/m/x.png"],
        ["profile", "sata", "cnn-mnist", "-o", "n/o"], ["sweep", "space.yaml", "-o", "p/q"],
        ["pareto", "p/q", "energy_pj", "area_um2", "-o", "r/s/front.png"],
        ["runs", "export", "-o", "u/v/runs.csv", *store],
    ]  # fmt: skip
    for words in verbs:
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, (words, done.output)
    made = {str(path.parent) for path in Path().rglob("*.*") if path.is_file()}
    assert made >= {"a/run", "b/c", "d/e", "f/g", "h/i", "j/k", "l/m", "n/o", "p/q", "r/s", "s/t", "u/v"}


def test_a_figure_that_a_run_has_not_says_how_to_get_it(result: Result) -> None:
    for by, option in (("costs", "a run with --vary-costs"), ("against-spikesim", "a run with --against PEER")):
        with pytest.raises(ArchsimError, match=f"allowed: {option}"):
            archsim.plot(replace(result, vary_costs=(), against={}), by=by, output="x.png")


def test_equal_samples_have_no_spread() -> None:
    for value in (0.1, 298e6 / 3, 7.0):
        values = [value, value * (1 + 1e-16), value * (1 + 3e-16)] * 11
        assert mean_and_spread(values)["std"] == 0
    assert mean_and_spread([1.0, 1.0 + 1e-9])["std"] == pytest.approx(5e-10, rel=1e-3)


def test_every_figure_has_a_name_that_is_known_to_be_one() -> None:
    assert set(FIGURES) <= set(folder.FIGURES)


def test_a_place_is_tried_and_left_as_it_was(tmp_path: Path) -> None:
    writable_folder(tmp_path / "new" / "run")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "result.json").mkdir()
    with pytest.raises(ArchsimError, match=r"a folder is in the way of result\.json"):
        folder.place_for_result(tmp_path)


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 5000])
def test_names_that_no_folder_can_have(name: str) -> None:
    with pytest.raises(ArchsimError, match=r"empty|cannot write here"):
        writable_folder(name)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="a folder in which nobody can write")
def test_a_place_without_room_is_refused_whoever_asks() -> None:
    with pytest.raises(ArchsimError, match="cannot write here"):
        writable_folder("/proc/run")

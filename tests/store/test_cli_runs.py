"""The store from the command line: run asks it, runs lists, shows, removes and exports, other verbs take ids."""

from __future__ import annotations

import csv
import itertools
import json
import os
import resource
import sqlite3
import subprocess
import sys
from pathlib import Path

import pandas
import pytest
from typer.testing import CliRunner

import archsim
from archsim.cli import app

ROOT = Path(__file__).parents[2]
RUN = ("run", "sata", "cnn-mnist")


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARCHSIM_STORE", str(tmp_path / "runs.sqlite"))
    return tmp_path / "runs.sqlite"


def call(*words: str, code: int = 0):
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == code, done.output
    return done


def ids(*options: str) -> list[str]:
    return [row["id"] for row in json.loads(call("runs", "list", "--json", *options).stdout)]


@pytest.mark.parametrize("options", [(), ("--json",), ("--against", "sata-sim", "--vary-costs")])
def test_the_second_answer_comes_from_the_store_and_is_the_same(options):
    first, second = call(*RUN, *options), call(*RUN, *options)
    (run,) = ids()
    assert first.stderr == f"stored: run {run}\n"
    assert second.stderr.startswith(f"from the store: run {run}, executed 20") and second.stderr.count("\n") == 1
    fresh = call(*RUN, *options, "--no-store")
    assert first.stdout == second.stdout == fresh.stdout and fresh.stderr == ""


def test_what_is_saved_from_the_store_is_the_same_file():
    call(*RUN, "-o", "one")
    call(*RUN, "-o", "two")
    assert Path("one/result.json").read_bytes() == Path("two/result.json").read_bytes()


def test_without_the_store_it_is_neither_read_nor_written(place):
    call(*RUN, "--no-store")
    assert not place.exists()
    call(*RUN)
    assert call(*RUN, "--no-store").stderr == ""


def test_a_store_of_ones_own(place):
    call(*RUN, "--store", "mine/runs.sqlite")
    assert Path("mine/runs.sqlite").exists() and not place.exists()
    assert "from the store" in call(*RUN, "--store", "mine/runs.sqlite").stderr
    assert ids() == [] and len(ids("--store", "mine/runs.sqlite")) == 1
    done = call(*RUN, "--store", "mine/runs.sqlite", "--no-store", code=2)
    assert done.stderr == "error: --store: contradicts --no-store (got 'mine/runs.sqlite')\n"


def test_a_wrong_store_that_is_named_is_an_error_before_anything_is_executed():
    Path("text").write_text("no database " * 100)
    done = call("run", "satta", "cnn-mnist", "--store", "text", code=2)
    assert done.stdout == "" and done.stderr.count("error: ") == 2
    assert "error: text: not a store of results" in done.stderr


@pytest.mark.parametrize("content", ["no database " * 100, None])
def test_the_default_store_is_not_needed(place, monkeypatch, content):
    if content is None:
        monkeypatch.setenv("ARCHSIM_STORE", "/proc/archsim/runs.sqlite")
    else:
        place.write_text(content)
    done = call(*RUN)
    assert "verdict: " in done.stdout
    assert done.stderr.startswith("not stored: ") and done.stderr.count("\n") == 1
    assert "error: " in call("runs", "list", code=2 if content else 0).stderr or content is None


def test_a_full_disk_costs_an_error_and_not_the_answer():
    command = [sys.executable, "-m", "archsim.cli", *RUN, "--json", "--store", "full.sqlite"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)),
    )  # fmt: skip
    assert done.returncode == 2 and "error: full.sqlite: cannot " in done.stderr
    assert json.loads(done.stdout)["arch"] == "sata"


def test_list_show_and_rm():
    assert "0 runs in " in call("runs", "list").stdout
    printed = call(*RUN).stdout
    call(*RUN, "--set", "array.rows=32")
    first, second = ids()
    listed = call("runs", "list").stdout
    assert first in listed and second in listed and "array.rows=32" in listed and "2 runs in " in listed
    assert call("runs", "show", first[:6]).stdout == printed
    assert json.loads(call("runs", "show", second, "--json").stdout)["inputs"]["overrides"] == ["array.rows=32"]
    call("runs", "show", second, "-o", "saved")
    assert archsim.load_result("saved") == archsim.load_run(second)
    assert call("runs", "rm", first, "0000", code=2).stderr.startswith("error: ")
    assert ids() == [first, second]
    assert call("runs", "rm", first).stdout == "removed: 1\n"
    assert ids() == [second]


def test_the_listing_says_how_each_run_was_asked_for_and_breaks_no_number(monkeypatch):
    Path("mine.yaml").write_text("prices: {dram.read_bit: {value: 9.5, unit: pJ, node_nm: 28, source: a test}}")
    long = "dram.bandwidth=5.084976199069992"
    asked = [
        (), ("--costs", "mine.yaml"), ("--samples", "0..1"), ("--samples", "3"), ("--against", "sata-sim"),
        ("--vary-costs",), ("--set", "cost.dram.background=112.5", "--set", long, "--set", "array.rows=8"),
    ]  # fmt: skip
    for options in asked:
        call(*RUN, *options)
    monkeypatch.setenv("COLUMNS", "80")
    lines = call("runs", "list").stdout.splitlines()
    told = {line[:10]: "" for line in lines[2:-1] if not line.startswith(" ")}
    for before, line in itertools.pairwise(lines[2:-1]):
        if line.startswith(" "):
            told[before[:10]] = line.strip()
    assert list(told) == ids()
    assert list(told.values()) == [" ".join(word for word in options if word != "--set") for options in asked]
    rows = json.loads(call("runs", "list", "--json").stdout)
    assert [Path(name).name for name in rows[1]["costs"]] == ["mine.yaml"]
    assert (rows[2]["samples"], rows[4]["against"], rows[5]["vary_costs"]) == ([0, 1], ["sata-sim"], True)
    assert rows[6]["overrides"][1] == long and rows[0]["overrides"] == []
    call("runs", "export", "-o", "runs.csv")
    table = pandas.read_csv("runs.csv", dtype=str, keep_default_na=False).astype(str)
    assert len(set(zip(table["samples"], table["overrides"], table["costs"], table["against"], table["vary_costs"],
                       strict=True))) == len(asked)  # fmt: skip


def test_what_an_earlier_archsim_stored_is_listed_with_its_overrides(place):
    call(*RUN, "--set", "array.rows=32")
    with sqlite3.connect(place) as database:
        database.execute("UPDATE runs SET overrides = ?", ('["array.rows=32"]',))
    assert [row["overrides"] for row in json.loads(call("runs", "list", "--json").stdout)] == [["array.rows=32"]]
    assert "array.rows=32" in call("runs", "list").stdout


@pytest.mark.parametrize(
    "words",
    [("runs", "list"), ("runs", "show", "0123abcd"), ("runs", "rm", "0123abcd"), ("runs", "export", "-o", "a.csv"),
     ("explain", "0123abcd", "dram.read_bit"), ("plot", "0123abcd", "-o", "figures"),
     ("report", "0123abcd", "-o", "a.html")],
)  # fmt: skip
def test_a_store_to_read_must_be_there_when_it_is_named(words, tmp_path):
    done = call(*words, "--store", "nofile.sqlite", code=2)
    assert done.stderr == "error: nofile.sqlite: there is no such store of results\n" and not done.stdout
    assert list(tmp_path.iterdir()) == []


def test_verbs_that_take_an_id_look_where_they_are_told():
    call(*RUN, "--store", "mine.sqlite")
    call(*RUN, "-o", "folder", "--no-store")
    (run,) = ids("--store", "mine.sqlite")
    there = ("--store", "mine.sqlite")
    assert call("explain", run, "dram.read_bit", *there).stdout == call("explain", "folder", "dram.read_bit").stdout
    assert call("plot", run, "--by", "layer", "-o", "layer.svg", *there).stdout == "layer.svg\n"
    assert call("report", run, "-o", "run.html", *there).stdout == "run.html\n"
    for words in (("explain", run, "dram.read_bit"), ("plot", run, "-o", "x"), ("report", run, "-o", "x.html")):
        assert "no run of the store has this id" in call(*words, code=2).stderr
        changed = call(words[0], "folder", *words[2:], *there, code=2).stderr
        assert changed.startswith("error: store: changes nothing: ") and changed.count("\n") == 1


@pytest.mark.parametrize(
    "words", [("explain", "foldr", "dram.read_bit"), ("plot", "foldr"), ("compare", "sata", "foldr", "-w", "cnn-mnist")]
)
def test_who_names_no_run_is_told_of_folders_and_ids(words):
    assert "wrote, or the id of a stored run ('archsim runs list')" in call(*words, code=2).stderr


def test_what_users_wrote_stays_text_in_the_listing():
    call(*RUN, "--set", "description='[b]x'")
    assert "description='[b]x'" in call("runs", "list").stdout


def test_other_verbs_take_an_id():
    call(*RUN, "-o", "folder")
    call(*RUN, "--set", "array.rows=32")
    first, second = ids()
    assert call("explain", first, "dram.read_bit").stdout == call("explain", "folder", "dram.read_bit").stdout
    assert call("plot", first, "--by", "layer", "-o", "layer.svg").stdout == "layer.svg\n"
    assert "name a place for the figures of a stored run" in call("plot", first, code=2).stderr
    compared = json.loads(call("compare", first, second, "folder", "--json").stdout)
    assert [side["given"] for side in compared["sides"]] == [first, second, "folder"]
    missing = call("compare", first, "0123abcd", code=2).stderr
    assert "no run of the store has this id (got '0123abcd'" in missing


def test_csv_of_runs_and_of_their_tables():
    call(*RUN)
    call(*RUN, "--set", "array.rows=32", "--samples", "0..1")
    first, second = ids()
    assert call("runs", "export", "-o", "runs.csv").stdout == "runs.csv\n"
    with open("runs.csv", newline="") as file:
        one, two = csv.DictReader(file)
    result = archsim.load_run(second)
    assert (one["id"], two["id"], two["overrides"], two["samples"]) == (first, second, '["array.rows=32"]', "[0, 1]")
    assert (float(two["energy_pj"]), two["verdict"]) == (result.energy_pj, result.verdict)
    call("runs", "export", second, "-o", "counts.csv", "--table", "counts")
    counts = pandas.read_csv("counts.csv", dtype={"id": str})
    assert len(counts) == len(result.counts) and set(counts["id"]) == {second}
    assert counts["energy_pj"].sum() == pytest.approx(result.dynamic_pj)


@pytest.mark.parametrize("table", ["runs", "counts", "layers", "components", "units", "critical_path", "levels"])
def test_parquet_holds_what_csv_holds(table):
    pytest.importorskip("pyarrow")
    call(*RUN)
    for file in ("table.csv", "table.parquet"):
        call("runs", "export", "-o", file, "--table", table)
    one, two = pandas.read_csv("table.csv", dtype={"id": str}), pandas.read_parquet("table.parquet")
    assert len(one) > 0 and list(one) == list(two)
    pandas.testing.assert_frame_equal(one, two, check_dtype=False)


def test_parquet_without_pyarrow_is_one_clear_error():
    call(*RUN)
    code = "import sys; sys.modules['pyarrow'] = None; from archsim.cli import main; main()"
    command = [sys.executable, "-c", code, "runs", "export", "-o", "runs.parquet"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert "needs pyarrow: pip install 'archsim[parquet]'" in done.stderr
    assert not Path("runs.parquet").exists()


def test_export_names_everything_that_is_wrong():
    done = call("runs", "export", "0123", "-o", "runs.xls", "--table", "count", code=2)
    assert [line.split("(")[0] for line in done.stderr.splitlines()] == [
        "error: table: no such table ",
        "error: runs.xls: unknown kind of table file ",
        f"error: {os.environ['ARCHSIM_STORE']}: no run of the store has this id ",
    ]
    assert "the store is empty" in call("runs", "export", "-o", "runs.csv", code=2).stderr
    assert not list(Path().iterdir())

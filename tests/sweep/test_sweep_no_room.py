"""Sweeps, and what is made of runs, on a full disk or in a folder without rights: clear errors, nothing is lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from limits import call, files, refused, with_rights_that_count, with_room
from sweep_processes import answers, finish
from test_sweep_damage import FEW, POINTS, table

import archsim
from archsim.store import Store
from archsim.sweeps.journal import FILE as JOURNAL
from archsim.sweeps.table import FILE as TABLE


@pytest.mark.slow
def test_a_folder_without_rights(write):
    spec = write(FEW)
    for folder in ("there", "above"):
        archsim.sweep(spec, output=f"{folder}/swept")
    read_only = [Path("there/swept"), Path("above")]
    for path in (*read_only, *Path("there/swept").iterdir()):
        path.chmod(path.stat().st_mode & 0o555)
    before = files()
    try:
        for output in ("there/swept", "above/new"):
            done = with_rights_that_count("sweep", str(spec), "-o", output)
            refused(done, f"{output}: cannot write here: permission denied")
        done = with_rights_that_count("sweep", str(spec), "-o", "above/new", "--store", "above/s.db")
        refused(done, "above/new: cannot write here: permission denied", "above: cannot write here: permission denied")
        done = with_rights_that_count("pareto", "there/swept", "energy_pj")
        refused(done, "pareto.png: cannot write the figure: permission denied")
        assert with_rights_that_count("pareto", "there/swept", "energy_pj", "-o", "front.svg").returncode == 0
        Path("front.svg").unlink()
        assert files() == before
    finally:
        for path in read_only:
            path.chmod(0o755)
    Path("there/swept", TABLE).unlink()
    assert with_rights_that_count("sweep", str(spec), "-o", "there/swept").returncode == 2  # a journal of one's own
    Path("there/swept", JOURNAL).chmod(0o644)
    assert with_rights_that_count("sweep", str(spec), "-o", "there/swept").returncode == 0
    assert table("there/swept") == table("above/swept")


@pytest.mark.parametrize("jobs", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_no_room_for_the_journal(write, jobs):
    spec = write(FEW)
    finish(spec, "whole")
    done = with_room(3000, "sweep", str(spec), "-o", "out", "-j", jobs)
    refused(done, "out: cannot write the sweep: file too large; what was written is kept, and the same command goes on")
    assert [path.name for path in Path("out").iterdir()] == [JOURNAL]
    kept = answers("out")
    assert 0 < kept < POINTS
    before = Path("out", JOURNAL).read_bytes()
    whole = before[: before.rfind(b"\n") + 1]
    finish(spec, "out", "-j", jobs)
    assert table("out") == table("whole")
    assert Path("out", JOURNAL).read_bytes().startswith(whole) and answers("out") == POINTS


def test_no_room_for_the_first_line_of_the_journal(write):
    spec = write(FEW)
    refused(with_room(0, "sweep", str(spec), "-o", "out"), "out: cannot write the sweep: file too large")
    assert files()[f"out/{JOURNAL}"] == b""
    finish(spec, "out")
    assert answers("out") == POINTS


def test_no_room_for_the_table(write):
    """An earlier table stays until a new one is there."""
    spec = write(FEW)
    finish(spec, "out")
    earlier = table("out")
    more = write(FEW + "\nconstraints: ['energy_pj < 1', 'latency_ns < 1', 'area_um2 < 1']")  # longer, and known
    refused(with_room(2000, "sweep", str(more), "-o", "out"), "out: cannot write the sweep: file too large")
    assert table("out") == earlier
    assert sorted(os.listdir("out")) == ["made_with.json", JOURNAL, TABLE, "sweep.yaml"]
    finish(more, "out")
    assert table("out") != earlier and answers("out") == POINTS


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_no_room_for_the_store(write, jobs):
    """A sweep that is to fill a store stops where it cannot, so that what its journal has is in the store, too."""
    spec = write("space: {array.rows: {from: 2, to: 31, step: 1}}")
    finish(spec, "whole")
    call("run", "sata", "tiny.yaml", "--store", "s.db")
    room = Path("s.db").stat().st_size + 80_000
    done = with_room(room, "sweep", str(spec), "-o", "out", "--store", "s.db", "-j", jobs)
    refused(done, "s.db: cannot write the store of results: ")
    assert "what was written is kept, and the same command goes on" in done.stderr
    assert 0 < answers("out") < 30 and not Path("out", TABLE).exists()
    assert len(Store("s.db").rows()) >= 1 + answers("out")
    finish(spec, "out", "--store", "s.db", "-j", jobs)
    assert table("out") == table("whole")
    assert len(Store("s.db").rows()) == 1 + 30


@pytest.mark.slow
def test_no_room_to_save_what_a_run_makes(write):
    """The answer is printed all the same; nothing half-written is left, and what was there before stays."""
    write(FEW)
    finish("spec.yaml", "swept")
    for words in (["run", "sata", "tiny.yaml", "--no-store", "-o", "run", "--trace", "t.json"],
                  ["report", "run", "-o", "r.html"], ["report", "swept", "-o", "s.html"],
                  ["pareto", "swept", "energy_pj", "area_um2", "-o", "front.svg"],
                  ["pareto", "swept", "energy_pj", "area_um2"]):  # fmt: skip
        made = call(*words)
        assert made.exit_code == 0, made.stderr
    before = files()
    run = ("run", "sata", "tiny.yaml", "--no-store", "--set", "array.rows=8")
    for words, said in (
        ((*run, "-o", "run"), "run: cannot write the result: file too large"),
        ((*run, "-o", "new"), "new: cannot write the result: file too large"),
        ((*run, "--trace", "t.json"), "t.json: cannot write the trace: file too large"),
        (("report", "run", "-o", "r.html"), "r.html: cannot write the report: file too large"),
        (("report", "swept", "-o", "s.html"), "s.html: cannot write the report: file too large"),
        (("pareto", "swept", "energy_pj", "-o", "front.svg"), "front.svg: cannot write the figure: file too large"),
        (("pareto", "swept", "energy_pj"), "swept/pareto.png: cannot write the figure: file too large"),
    ):
        done = with_room(2000, *words)
        refused(done, said)
        assert files() == before, words
        assert words[0] != "run" or "verdict: " in done.stdout
    assert call(*run, "-o", "run").exit_code == 0 and files() != before

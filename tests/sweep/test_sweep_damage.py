"""Sweeps that ask for nothing or for what is not there, or meet damaged, foreign or newer files: nothing is lost."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from limits import call, files, refused
from sweep_processes import SECONDS, answers, finish, held_up, kill, needs_proc, nothing_left, start, wait_until
from test_sweep_kills import SPACE

import archsim
from archsim.accelerators import family, register_family
from archsim.store import SCHEMA_VERSION
from archsim.store.connecting import APPLICATION_ID
from archsim.sweeps.journal import FILE as JOURNAL
from archsim.sweeps.table import FILE as TABLE

FEW = "space: {array.rows: [2, 4, 8, 16], array.cols: [2, 4, 8]}"
POINTS = 12


def table(folder: str) -> bytes:
    return Path(folder, TABLE).read_bytes()


@pytest.mark.parametrize(
    "how",
    [
        "space: {KEY: [4]}",
        "points: [{array.cols: 2}, {KEY: 4}]",
        "space: {KEY: {from: 2, to: 4}}\nmethod: {random: {points: 3}}",
        "space: {KEY: {from: 2, to: 4}}\nmethod: {latin_hypercube: {points: 3}}",
    ],
)
def test_keys_that_do_not_exist_are_named_with_the_nearest(write, how):
    spec = write(how.replace("KEY", "array.rowz"))
    before = files()
    refused(call("sweep", spec), "did you mean 'array.rows'?")
    spec = write(how.replace("KEY", "workload.timestep"))
    refused(call("sweep", spec), "did you mean 'workload.timesteps'?")
    assert files().keys() == before.keys()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("space: {array.rows: []}", "spec.yaml:3: space.array.rows: must be a list of at least 1"),
        ("points: []", "spec.yaml:3: points: the list of points is empty"),
        ("space:", "spec.yaml:3: space: has no value"),
        ("space: {}\nmethod: {random: {points: 3}}", "method: there is nothing to choose from: the space has no key"),
        ("method: {latin_hypercube: {points: 3}}", "method: there is nothing to choose from: the space has no key"),
    ],
)
def test_an_empty_grid_is_refused(write, text, said):
    spec = write(text)
    before = files()
    refused(call("sweep", spec), said)
    assert files() == before


@pytest.mark.parametrize("text", ["space: {}", "", "points: [{}]"])
def test_no_space_at_all_is_one_point_per_chip_and_network(write, text):
    spec = write(text)
    spec.write_text(spec.read_text().replace("[sata]", "[sata, spikeflow]"))
    done = call("sweep", spec, "--json")
    rows = json.loads(done.stdout)["rows"]
    assert done.exit_code == 0 and [row["arch"] for row in rows] == ["sata", "spikeflow"]
    for row in rows:
        assert row["energy_pj"] == archsim.simulate(row["arch"], "tiny.yaml").energy_pj


def test_a_constraint_that_nothing_meets_says_so_and_keeps_the_points(write):
    done = call("sweep", write(FEW + "\nconstraints: [area_um2 < 1, energy_pj < 1]"), "-o", "out")
    assert done.exit_code == 0 and "no point meets all constraints" in done.stdout
    assert "12 break a constraint (they stay in the table)" in done.stdout
    rows = archsim.load_sweep("out").rows
    assert [(row["status"], row["message"]) for row in rows] == [
        ("constraint", "not area_um2 < 1; not energy_pj < 1")
    ] * POINTS
    assert all(row["energy_pj"] > 1 for row in rows)
    refused(call("pareto", "out", "energy_pj"), "no point has all objectives and meets the constraints")
    relaxed = call("sweep", write(FEW), "-o", "out")
    assert relaxed.exit_code == 0 and answers("out") == POINTS  # and nothing was executed again
    assert call("pareto", "out", "energy_pj").exit_code == 0


def test_a_store_of_a_newer_version_is_refused_by_every_verb_and_left_alone(write):
    spec = write(FEW)
    with sqlite3.connect("new.db") as newer:
        newer.execute("CREATE TABLE runs (x)")
        newer.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        newer.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    newer.close()
    before = files()
    for words in (
        ("sweep", spec, "-o", "out", "--store", "new.db"),
        ("run", "sata", "tiny.yaml", "--store", "new.db", "-o", "run"),
        ("runs", "list", "--store", "new.db"),
        ("runs", "show", "abcd", "--store", "new.db"),
        ("runs", "rm", "abcd", "--store", "new.db"),
        ("runs", "export", "-o", "runs.csv", "--store", "new.db"),
    ):
        refused(call(*words), "new.db: a newer archsim wrote this store of results; update archsim")
    assert files() == before


def test_a_newer_store_by_default_does_not_stop_a_run(write, monkeypatch):
    write(FEW)
    test_a_store_of_a_newer_version_is_refused_by_every_verb_and_left_alone(write)
    monkeypatch.setenv("ARCHSIM_STORE", "new.db")
    done = call("run", "sata", "tiny.yaml")
    assert done.exit_code == 0 and "not stored: new.db: a newer archsim wrote this store" in done.stderr


@pytest.mark.parametrize(
    ("first", "said"),
    [
        ('{"format": "archsim-sweep-2"}', "points.jsonl:1: another version of archsim began this sweep; use that one"),
        ('{"format": 7}', "points.jsonl:1: another version of archsim began this sweep"),
        ("{", "points.jsonl:1: the journal of a sweep begins differently"),
        ("[" * 100_000, "points.jsonl:1: the journal of a sweep begins differently"),
        ("\0" * 400, "points.jsonl:1: the journal of a sweep begins differently"),
    ],
)
def test_a_journal_that_begins_differently_is_refused_and_left_alone(write, first, said):
    spec = write(FEW)
    Path("out").mkdir()
    Path("out", JOURNAL).write_text(first + '\n{"what": "a newer archsim says"}\n')
    before = files()
    refused(call("sweep", spec, "-o", "out"), said)
    assert files() == before


def damages(content: bytes) -> dict[str, bytes]:
    """A journal after what editors and disks do to it."""
    lines = content.splitlines(keepends=True)
    middle = len(content) // 2
    number = json.loads(lines[3])["numbers"]["energy_pj"]
    return {
        "cut out of the middle": content[: middle - 300] + content[middle + 250 :],
        "two halves joined": lines[0] + lines[2][:150] + lines[3][150:] + b"".join(lines[4:]),
        "an edited number": content.replace(str(number).encode(), b"1.5"),
        "an edited message": content.replace(b'"message": ""', b'"message": "x"', 1),
        "a line without a seal": content.replace(b', "seal"', b', "sael"', 1),
        "no numbers": content + b'{"key": "a", "numbers": [], "message": 3}\n[1]\n"x"\nnull\n{}\n\n',
        "bytes of all kinds": lines[0] + bytes(range(256)) * 3 + b"\n" + b"".join(lines[1:]),
        "a tail of zeros": content[:-700] + b"\0" * 4096,
        "deep nesting": content + b"[" * 200_000 + b"\n",
        "other line ends": content.replace(b"\n", b"\r\n").replace(b"\r\n", b"\n", 1),
        "every line twice, and shuffled": lines[0] + b"".join(sorted(lines[1:] * 2, reverse=True)),
    }


def test_damaged_lines_of_the_journal_are_executed_again_and_no_others(write):
    spec = write(FEW)
    archsim.sweep(spec, output="whole")
    content = Path("whole", JOURNAL).read_bytes()
    for name, damaged in damages(content).items():
        shutil.rmtree("out", ignore_errors=True)
        Path("out").mkdir()
        Path("out", JOURNAL).write_bytes(damaged)
        archsim.sweep(spec, output="out")
        assert table("out") == table("whole"), name
        after = Path("out", JOURNAL).read_bytes()
        kept = set(content.splitlines()) & set(damaged.splitlines())
        assert set(after.splitlines()) >= set(content.splitlines()), name
        added = len(after.splitlines()) - len(damaged[: damaged.rfind(b"\n") + 1].splitlines())
        assert added == 1 + POINTS - len(kept), name


@needs_proc
@pytest.mark.parametrize("jobs", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_two_sweeps_in_one_folder_at_once(write, jobs):
    """The first one is held up before its table is there; the second one is refused and disturbs nothing."""
    spec = write(FEW)
    with held_up("out"):
        first = start(spec, "out", "-j", jobs)
        wait_until(lambda: answers("out") == POINTS, first)
        refused(call("sweep", spec, "-o", "out"), "out: another sweep is writing to this folder")
        refused(call("sweep", write(SPACE, "other.yaml"), "-o", "out"), "out: another sweep is writing to this folder")
        assert answers("out") == POINTS and not Path("out", TABLE).exists()
        assert kill(first)
    finish(spec, "out")
    assert len(archsim.load_sweep("out").rows) == POINTS


@needs_proc
def test_of_two_that_start_together_one_is_refused_or_goes_on(write):
    spec = write(FEW)
    finish(spec, "whole")
    both = [start(spec, "out") for _ in range(2)]
    codes = sorted(process.wait(SECONDS) for process in both)
    for process in both:
        nothing_left(process)
    assert codes in ([0, 2], [0, 0])  # the later one may come when the other is done
    assert codes == [0, 0] or "another sweep is writing to this folder" in Path("out.log").read_text()
    assert table("out") == table("whole") and answers("out") == POINTS


def test_the_folder_of_another_sweep_serves_both(write):
    one, two = write(FEW, "one.yaml"), write("space: {array.rows: [2, 32], array.cols: [2, 4, 8]}", "two.yaml")
    alone = {spec: archsim.sweep(spec, output=f"alone-{spec.stem}").to_csv() for spec in (one, two)}
    for spec, known in ((one, 12), (two, 15), (one, 15), (two, 15)):
        assert call("sweep", spec, "-o", "out").exit_code == 0
        assert table("out").decode() == alone[spec] and answers("out") == known
        assert Path("out/sweep.yaml").read_text() == spec.read_text()


def test_a_table_that_is_read_only_or_looked_at_elsewhere_is_replaced(write):
    spec = write(FEW)
    archsim.sweep(spec, output="whole")
    archsim.sweep(write("space: {array.rows: [2]}", "less.yaml"), output="out")
    Path("out", TABLE).chmod(0o444)
    with Path("out", TABLE).open() as elsewhere:
        before = elsewhere.read()
        assert call("sweep", spec, "-o", "out").exit_code == 0
        elsewhere.seek(0)
        assert elsewhere.read() == before
    assert table("out") == table("whole")


def test_a_folder_where_the_table_goes_is_known_before(write):
    spec = write(FEW)
    Path("out", TABLE).mkdir(parents=True)
    Path("out", JOURNAL).touch()
    refused(call("sweep", spec, "-o", "out"), f"out: a folder is in the way of {TABLE}")
    Path("file").touch()
    refused(call("sweep", spec, "-o", "file/out"), "file/out: a file is in the way")
    assert list(Path("out", TABLE).iterdir()) == [] and not Path("out", JOURNAL).read_bytes()


SHAKY = """
from dataclasses import replace
from pathlib import Path
from archsim.accelerators import family, register_family
systolic = family("systolic")
def lower(chip, *words, **more):
    if Path("shaken").exists() and chip.array.rows == 4:
        raise ERROR("not now")
    return systolic.lower(chip, *words, **more)
register_family(replace(systolic, lower=lower))
"""


@pytest.fixture
def _shaken():
    """The plug-in's family goes with the test."""
    before = family("systolic")
    yield
    register_family(before)


@pytest.mark.usefixtures("_shaken")
@pytest.mark.parametrize(
    ("error", "again"), [("MemoryError", True), ("OSError", True), ("PermissionError", True), ("ValueError", False)]
)
def test_what_the_machine_refuses_is_tried_again_what_fails_is_not(write, error, again):
    Path("shaky.py").write_text(SHAKY.replace("ERROR", error))
    spec = write(FEW + "\nplugins: [shaky.py]")
    Path("shaken").touch()
    for _ in range(2):
        done = archsim.sweep(spec, output="out")
        assert {row["message"] for row in done.of("failed")} == {f"{error}: not now"}
        assert len(done.of("failed")) == 3 and answers("out") == (9 if again else POINTS)
    Path("shaken").unlink()
    assert len(archsim.sweep(spec, output="out").of("ok")) == (POINTS if again else 9)
    assert answers("out") == POINTS

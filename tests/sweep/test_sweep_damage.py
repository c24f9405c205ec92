"""Sweeps that meet a full disk, a folder without rights, damaged, foreign or newer files: told, nothing lost."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sweep_processes import ROOT, SECONDS, answers, finish, held_up, kill, needs_proc, nothing_left, start, wait_until
from test_sweep_kills import SPACE
from typer.testing import CliRunner

import archsim
from archsim.cli import app
from archsim.store import SCHEMA_VERSION, Store
from archsim.store.connecting import APPLICATION_ID
from archsim.sweeps.journal import FILE as JOURNAL
from archsim.sweeps.table import FILE as TABLE

FEW = "space: {array.rows: [2, 4, 8, 16], array.cols: [2, 4, 8]}"
POINTS = 12
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2


def call(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


def program(words: tuple[str, ...], prepared: Callable[[], None]) -> subprocess.CompletedProcess[str]:
    """archsim, in a process of its own that was prepared for it."""
    return subprocess.run(
        [sys.executable, "-m", "archsim", *words], capture_output=True, text=True, check=False, timeout=SECONDS,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, preexec_fn=prepared,
    )  # fmt: skip


def with_room(size: int, *words: str) -> subprocess.CompletedProcess[str]:
    """archsim, in a process whose files may not grow beyond so many bytes: writing more really fails."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return program(words, limit)


def refused(done, *said: str) -> None:
    """Exit code 2 and one line of error for each of these, and no more."""
    code = done.exit_code if hasattr(done, "exit_code") else done.returncode
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert code == 2 and len(lines) == len(said), done.stderr
    assert "Traceback" not in done.stderr
    for line, part in zip(lines, said, strict=True):
        assert part in line, line


def files() -> dict[str, bytes]:
    """Everything in the current folder, also what is hidden."""
    return {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file()}


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


def with_rights_that_count(*words: str) -> subprocess.CompletedProcess[str]:
    """archsim, in a process that may not do what files and folders forbid, even if it is root's."""

    def obey() -> None:
        if os.geteuid() == 0:
            for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
                assert ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0

    try:
        return program(words, obey)
    except subprocess.SubprocessError:
        pytest.skip("root cannot give up its rights here")


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
        refused(done, "pareto.png: cannot write the figure: Permission denied")
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
        ((*run, "--trace", "t.json"), "t.json: cannot write the trace: File too large"),
        (("report", "run", "-o", "r.html"), "r.html: cannot write the report: File too large"),
        (("report", "swept", "-o", "s.html"), "s.html: cannot write the report: File too large"),
        (("pareto", "swept", "energy_pj", "-o", "front.svg"), "front.svg: cannot write the figure: File too large"),
        (("pareto", "swept", "energy_pj"), "swept/pareto.png: cannot write the figure: File too large"),
    ):
        done = with_room(2000, *words)
        refused(done, said)
        assert files() == before, words
        assert words[0] != "run" or "verdict: " in done.stdout
    assert call(*run, "-o", "run").exit_code == 0 and files() != before

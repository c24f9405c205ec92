"""Files that are no store, disks that are full, processes that write at once or are killed while they write."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

import archsim
from archsim import ArchsimError, Store
from archsim.request import prepare
from archsim.simulation import fulfil
from archsim.store import SCHEMA_VERSION, answer, key_of
from archsim.store.connecting import APPLICATION_ID

ROOT = Path(__file__).parents[2]
SECONDS = 180  # only what hangs takes so long
WRITER = """
import sys, archsim
from dataclasses import replace
store, first, count = archsim.Store(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
result = archsim.load_result(sys.argv[4])
print("ready", flush=True)
sys.stdin.readline()
for number in range(first, first + count):
    store.put(f"{number:064x}", replace(result, energy_pj=float(number)), 0.0)
    print(number, flush=True)
"""


@pytest.fixture(scope="module")
def result():
    return archsim.simulate("sata", "cnn-mnist")


@pytest.fixture
def saved(result, tmp_path):
    result.save(tmp_path / "saved")
    return tmp_path / "saved"


def writer(store: Path, first: int, count: int, saved: Path) -> subprocess.Popen[str]:
    """A process that puts ``count`` results as soon as it is told to, and says each that it has put."""
    command = [sys.executable, "-c", WRITER, str(store), str(first), str(count), str(saved)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    started = subprocess.Popen(command, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, **pipes)
    assert started.stdout.readline() == "ready\n", started.communicate()
    return started


def whole(path: Path) -> dict[str, float]:
    """Energy by key of all that is in a store, every one of which can be read, in a file without a fault."""
    found = Store(path)
    energies = {row.key: found.get(row.key).energy_pj for row in found.rows()}
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    return energies


def test_processes_that_make_and_write_one_store_at_once_lose_nothing(tmp_path, saved):
    file = tmp_path / "new" / "runs.sqlite"
    writers = [writer(file, first, 20, saved) for first in (0, 100, 110)]  # the last two share half of their keys
    for one in writers:
        one.stdin.write("\n")
        one.stdin.flush()
    for one in writers:
        out, err = one.communicate(timeout=SECONDS)
        assert (one.returncode, err, len(out.split())) == (0, "", 20)
    expected = {*range(20), *range(100, 130)}
    assert whole(file) == {f"{number:064x}": float(number) for number in expected}


@pytest.mark.parametrize("after", [0, 1, 5, 17])
def test_a_process_killed_while_it_writes_leaves_whole_answers(tmp_path, saved, after, result):
    file = tmp_path / "runs.sqlite"
    one = writer(file, 0, 1_000_000, saved)
    one.stdin.write("\n")
    one.stdin.flush()
    said = [one.stdout.readline() for _ in range(after)]
    time.sleep(0.002 * (after % 3))
    one.send_signal(signal.SIGKILL)
    said += one.stdout.read().splitlines()  # what readline has read ahead too, which communicate would miss
    one.stdin.close(), one.stderr.close()
    assert one.wait(timeout=SECONDS) == -signal.SIGKILL
    kept = whole(file) if file.exists() else {}
    assert all(kept[f"{int(number):064x}"] == float(number) for number in said if number.strip())
    assert len(kept) in (len(said), len(said) + 1)
    Store(file).put("f" * 64, result, 1.0)
    assert Store(file).get("f" * 64) == result


def test_a_fork_of_a_process_with_an_open_store_opens_its_own(tmp_path, result):
    store = Store(tmp_path / "runs.sqlite")
    store.put("a" * 64, result, 1.0)

    def put_in_the_child() -> None:
        assert store._connection() is None
        store.put("b" * 64, result, 1.0)

    forked = get_context("fork").Process(target=put_in_the_child)
    forked.start()
    forked.join(SECONDS)
    assert forked.exitcode == 0
    store.put("c" * 64, result, 1.0)
    assert len(whole(store.path)) == 3


def test_a_reader_is_not_kept_waiting_by_a_writer(tmp_path, result):
    store = Store(tmp_path / "runs.sqlite")
    store.put("a" * 64, result, 1.0)
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("DELETE FROM runs")
    assert store.get("a" * 64) == result
    other.execute("ROLLBACK")
    other.close()


def database(path: Path, application: int, version: int, table: str = "CREATE TABLE runs (x)") -> Path:
    with sqlite3.connect(path) as made:
        made.execute(table)
        made.execute(f"PRAGMA application_id = {application}")
        made.execute(f"PRAGMA user_version = {version}")
    made.close()
    return path


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.write_bytes(b"x" * 5000), "not a store of results: file is not a database"),
        (lambda path: path.write_text("short"), "not a store of results: file is not a database"),
        (lambda path: path.mkdir(), "is a folder, not a store of results"),
        (lambda path: database(path, 0, 0), "the database of another program"),
        (lambda path: database(path, 7, 1), "the database of another program"),
        (
            lambda path: database(path, APPLICATION_ID, SCHEMA_VERSION + 1),
            f"a newer archsim wrote this store .*got 'version {SCHEMA_VERSION + 1}'; allowed: version {SCHEMA_VERSION}",
        ),
    ],
)
def test_what_is_no_store_of_this_version_is_refused_and_left_alone(tmp_path, result, make, said):
    file = tmp_path / "runs.sqlite"
    make(file)
    before = file.read_bytes() if file.is_file() else b""
    store = Store(file)
    for step in (store.check, store.rows, lambda: store.get("a" * 64), lambda: store.put("a" * 64, result, 1.0)):
        with pytest.raises(ArchsimError, match=said) as caught:
            step()
        assert caught.value.problems[0].file == str(file)
    assert (file.read_bytes() if file.is_file() else b"") == before
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_an_empty_file_becomes_a_store(tmp_path, result):
    file = tmp_path / "runs.sqlite"
    file.touch()
    assert Store(file).rows() == ()
    Store(file).put("a" * 64, result, 1.0)
    assert Store(file).get("a" * 64) == result


@pytest.mark.parametrize("place", ["/proc/archsim/runs.sqlite", "/dev/null/runs.sqlite"])
def test_a_place_that_cannot_be_written_is_known_before(place, result):
    with pytest.raises(ArchsimError, match=r"cannot write here|a file is in the way"):
        Store(place).check()
    with pytest.raises(ArchsimError, match="cannot open the store of results"):
        Store(place).put("a" * 64, result, 1.0)


def read_without_rights(path: Path, pipe: Connection) -> None:
    """What a user who may only read the folder of a store finds in it."""
    if os.geteuid() == 0:
        os.setuid(65534)
    store, said = Store(path), ""
    try:
        store.check()
    except ArchsimError as error:
        said = str(error)
    pipe.send((store.find("aaaa").arch, len(store.rows()), said))


def test_a_store_in_a_folder_without_rights_is_read():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Store(folder / "runs.sqlite") as store:
            store.put("a" * 64, archsim.simulate("sata", "cnn-mnist"), 1.0)
        store.path.chmod(0o444)
        folder.chmod(0o555)
        here, there = Pipe()
        child = get_context("fork").Process(target=read_without_rights, args=(store.path, there))
        child.start()
        assert here.poll(SECONDS)
        arch, rows, said = here.recv()
        child.join(SECONDS)
        folder.chmod(0o755)
        assert (arch, rows) == ("sata", 1)
        assert "cannot write the store of results: attempt to write a readonly database" in said


def test_a_full_disk_costs_neither_the_answer_nor_what_is_stored(tmp_path, result):
    """The size of files is limited for a process of its own, so that writing really fails."""
    file = tmp_path / "runs.sqlite"
    Store(file).put("a" * 64, result, 1.0)
    size = file.stat().st_size + 60_000
    code = (
        "import archsim, sys, warnings\n"
        "warnings.simplefilter('error')\n"
        "result = archsim.load_result(sys.argv[2])\n"
        "store = archsim.Store(sys.argv[1])\n"
        "for number in range(100):\n"
        "    try:\n        store.put(f'{number:064x}', result, 1.0)\n"
        "    except archsim.ArchsimError as error:\n        print(number, error)\n        break\n"
    )
    result.save(tmp_path / "saved")
    command = [sys.executable, "-c", code, str(file), str(tmp_path / "saved")]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )  # fmt: skip
    put, _, said = done.stdout.partition(" ")
    assert "cannot write the store of results: " in said
    kept = whole(file)
    assert len(kept) == 1 + int(put) and "a" * 64 in kept


def test_a_full_database_gives_the_answer_and_says_that_it_is_not_kept(tmp_path):
    store = Store(tmp_path / "runs.sqlite")
    request = prepare("sata", "cnn-mnist")
    store.put("a" * 64, fulfil(request), 1.0)
    pages = store._connection().execute("PRAGMA page_count").fetchone()[0]
    store._connection().execute(f"PRAGMA max_page_count = {pages}")
    found = answer(request, store, lambda: fulfil(request))
    assert found.result == fulfil(request)
    assert found.origin.startswith("not stored: ") and "database or disk is full" in found.origin
    assert store.get(key_of(request)) is None and len(store.rows()) == 1


def test_a_damaged_answer_is_executed_again_and_replaced(tmp_path, result):
    store = Store(tmp_path / "runs.sqlite")
    request = prepare("sata", "cnn-mnist")
    key = key_of(request)
    store.put(key, replace(result, energy_pj=-1.0), 1.0)
    with sqlite3.connect(store.path) as other:
        content = bytearray(other.execute("SELECT result FROM runs").fetchone()[0])
        content[len(content) // 2] ^= 0xFF
        other.execute("UPDATE runs SET result = ?", (bytes(content),))
    assert store.get(key) is None
    with pytest.raises(ArchsimError, match=f"damaged; 'archsim runs rm {key[:10]}' removes it"):
        store.find(key)
    assert answer(request, store, lambda: result).stored is None
    assert store.get(key) == result

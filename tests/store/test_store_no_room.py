"""The store, by the command line, on a full disk or in a folder without rights: it is read, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from limits import call, files, refused, with_rights_that_count, with_room

from archsim import Store

RUN = ("run", "sata", "cnn-mnist")
OTHER = (*RUN, "--set", "array.rows=8")


@pytest.fixture
def stored(tmp_path, monkeypatch) -> str:
    """The id of a run in s.db, which is the default store, too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARCHSIM_STORE", "s.db")
    assert with_rights_that_count(*RUN).returncode == 0  # a process that ends, and leaves one file
    with Store("s.db") as store:
        return store.rows()[0].id


def table_of(stdout: str) -> str:
    return stdout.partition("verdict")[0]


@pytest.mark.slow
def test_a_store_on_a_full_disk_is_read_and_takes_more_when_there_is_room(stored):
    before = Path("s.db").read_bytes()
    assert stored in with_room(0, "runs", "list").stdout
    assert with_room(0, "runs", "show", stored).returncode == 0
    refused(with_room(0, *RUN, "--store", "s.db"), "s.db: cannot open the store of results: ")
    refused(with_room(0, "runs", "rm", stored), "s.db: cannot open the store of results: ")
    assert Path("s.db").read_bytes() == before
    answered = with_room(0, *OTHER)  # nobody named this store: the answer counts
    assert answered.returncode == 0 and "not stored: s.db: cannot open the store of results: " in answered.stderr
    assert Path("s.db").read_bytes() == before
    again = call(*OTHER)
    assert again.exit_code == 0 and "stored: run" in again.stderr
    assert table_of(again.stdout) == table_of(answered.stdout)
    assert "from the store: run" in call(*OTHER).stderr and len(Store("s.db").rows()) == 2


@pytest.mark.slow
def test_no_room_for_one_more_result_is_told_after_the_answer(stored):
    room = Path("s.db").stat().st_size + 40_000
    done = [with_room(room, *OTHER[:3], "--set", f"array.rows={rows}", "--store", "s.db") for rows in (2, 4, 8, 16)]
    codes = [one.returncode for one in done]
    assert codes[0] in (0, 2) and set(codes) <= {0, 2}
    assert len(Store("s.db").rows()) == 1 + codes.count(0) and stored == Store("s.db").rows()[0].id
    for one in done:
        if one.returncode:
            refused(one, "s.db: cannot ")
    for rows in (2, 4, 8, 16):
        assert call(*OTHER[:3], "--set", f"array.rows={rows}").exit_code == 0
    assert len(Store("s.db").rows()) == 5


@pytest.mark.slow
def test_a_folder_without_rights(stored):
    Path("there").mkdir()
    Path("s.db").rename("there/s.db")
    Path("there/s.db").chmod(0o444)
    Path("there").chmod(0o555)
    before = files()
    try:
        assert stored in with_rights_that_count("runs", "list", "--store", "there/s.db").stdout
        refused(
            with_rights_that_count(*RUN, "--store", "there/s.db"), "there/s.db: cannot write the store of results: "
        )
        refused(
            with_rights_that_count("runs", "rm", stored, "--store", "there/s.db"), "cannot write the store of results"
        )
        refused(with_rights_that_count(*RUN, "--store", "there/new.db"), "there: cannot write here: permission denied")
        assert files() == before
    finally:
        Path("there").chmod(0o755)
        Path("there/s.db").chmod(0o644)
    assert "from the store" in with_rights_that_count(*RUN, "--store", "there/s.db").stderr

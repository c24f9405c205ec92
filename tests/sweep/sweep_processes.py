"""Sweeps as processes of their own, as a user starts them: what they have written, and what is left of them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from archsim.sweeps.journal import FILE as JOURNAL
from archsim.sweeps.table import FILE as TABLE

ROOT = Path(__file__).parents[2]
SECONDS = 120  # far more than anything here takes; only what hangs waits so long
needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")


def start(spec: Path | str, folder: str, *more: str) -> subprocess.Popen[bytes]:
    """A sweep, in a session of its own; what it says goes to FOLDER.log, which no full pipe can hold up."""
    command = [sys.executable, "-m", "archsim", "sweep", str(spec), "-o", folder, *more]
    with Path(f"{folder}.log").open("ab") as log:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip


def finish(spec: Path | str, folder: str, *more: str) -> None:
    """A sweep that nobody disturbs, until its end."""
    process = start(spec, folder, *more)
    assert process.wait(SECONDS) == 0, said(folder)
    nothing_left(process)


def said(folder: str) -> str:
    return Path(f"{folder}.log").read_text()


def answers(folder: str) -> int:
    """How many points the journal holds."""
    journal = Path(folder, JOURNAL)
    return max(journal.read_bytes().count(b"\n") - 1, 0) if journal.exists() else 0


def wait_until(happened: Callable[[], bool], process: subprocess.Popen[bytes] | None = None) -> bool:
    """Whether it happened; it does not once the process has ended."""
    until = time.monotonic() + SECONDS
    while not happened():
        if process is not None and process.poll() is not None:
            return happened()
        assert time.monotonic() < until, "it does not happen"
        time.sleep(0.002)
    return True


@contextmanager
def held_up(folder: str) -> Iterator[Path]:
    """No sweep of the folder gets to its table meanwhile: a named pipe that nobody reads stands where its text goes.

    So a sweep that is to be killed is still there, however slow the killer is.
    """
    Path(folder).mkdir(exist_ok=True)
    Path(folder, JOURNAL).touch()  # as a kill in the journal's first moment leaves it
    pipe = Path(folder, f".{TABLE}.part")
    os.mkfifo(pipe)
    try:
        yield pipe
    finally:
        pipe.unlink()


def kill(process: subprocess.Popen[bytes]) -> bool:
    """SIGKILL for a sweep's own process: whether it was still running, and died of it. Its workers end on their own."""
    process.kill()
    killed = process.wait(SECONDS) < 0
    nothing_left(process)
    return killed


def nothing_left(process: subprocess.Popen[bytes]) -> None:
    """No process of the session outlives the one that began it."""
    wait_until(lambda: not session_of(process.pid))


def session_of(leader: int) -> list[int]:
    """Processes of a session that are alive."""
    found = []
    for entry in Path("/proc").iterdir() if Path("/proc/self").exists() else ():
        if entry.name.isdigit():
            try:
                state, _, _, session = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
            except OSError:
                continue
            if int(session) == leader and state != "Z":
                found.append(int(entry.name))
    return found

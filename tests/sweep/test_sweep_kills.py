"""A sweep that is killed (SIGKILL) at any moment, and started again, ends in the table of one that nobody disturbed."""

from __future__ import annotations

import fcntl
import os
import random
import signal
import time
from pathlib import Path

import pytest
from sweep_processes import (
    SECONDS,
    answers,
    finish,
    kill,
    needs_proc,
    nothing_left,
    said,
    session_of,
    start,
    wait_until,
)

from archsim.sweeps.table import FILE as TABLE

pytestmark = needs_proc
SPACE = "space: {array.rows: {from: 2, to: 21, step: 1}, array.cols: {from: 2, to: 13, step: 1}}"
POINTS = 20 * 12
FEW = "space: {array.rows: [2, 4, 0], array.cols: [2, 4]}"
PART = f".{TABLE}.part"
SEED = "ARCHSIM_TEST_SEED"


@pytest.fixture
def chance() -> random.Random:
    seed = int(os.environ.get(SEED) or random.randrange(1 << 32))
    print(f"{SEED}={seed}")
    return random.Random(seed)


def killed_in_start_up(spec: Path, folder: str, jobs: str, after: float) -> bool:
    """Some time after the start: while modules are loaded, the file is read, the journal is begun."""
    process = start(spec, folder, "-j", jobs)
    time.sleep(after)
    return kill(process)


def killed_at_work(spec: Path, folder: str, jobs: str, number: int, after: float) -> bool:
    """Some time after an answer, perhaps with a line half written."""
    process = start(spec, folder, "-j", jobs)
    wait_until(lambda: answers(folder) >= number, process)
    time.sleep(after)
    return kill(process)


def killed_before_the_table(spec: Path, folder: str, jobs: str, number: int, bytes_read: int = 0) -> bool:
    """After the last answer: a named pipe where the table's text goes holds the sweep up there, or in its middle."""
    pipe = Path(folder, PART)
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe)
    process = start(spec, folder, "-j", jobs)
    wait_until(lambda: answers(folder) == number, process)
    text = b""
    if bytes_read:
        with os.fdopen(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0) as reader:
            fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
            while len(text) < bytes_read:
                text += reader.read(bytes_read) or b""
    killed = kill(process)
    pipe.unlink()
    pipe.write_bytes(text)  # what a disk would hold
    return killed


def five_kills(spec: Path, folder: str, jobs: str, start_up: float, chance: random.Random) -> bool:
    """Whether all five met a running sweep: on a busy machine one may be done before."""
    moments = sorted(chance.randrange(1, POINTS * 3 // 4) for _ in range(3))
    print(folder, "answers at the kills:", moments)
    return (
        killed_in_start_up(spec, folder, jobs, chance.random() * start_up)
        and all(killed_at_work(spec, folder, jobs, number, chance.random() * 0.02) for number in moments)
        and not Path(folder, TABLE).exists()
        and killed_before_the_table(spec, folder, jobs, POINTS, chance.choice((0, 1000)))
    )


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_killed_at_five_random_moments_it_ends_in_the_same_table(write, chance, jobs):
    spec = write(SPACE)
    began = time.monotonic()
    process = start(spec, "whole", "-j", jobs)
    wait_until(lambda: answers("whole") > 0, process)
    start_up = time.monotonic() - began
    assert process.wait() == 0, said("whole")
    folder = next(name for name in map("killed{}".format, range(20)) if five_kills(spec, name, jobs, start_up, chance))
    assert not Path(folder, TABLE).exists()
    finish(spec, folder, "-j", jobs)
    assert Path(folder, TABLE).read_bytes() == Path("whole", TABLE).read_bytes()
    assert answers(folder) == answers("whole") == POINTS  # nothing was executed twice, either
    assert "Traceback" not in said(folder)
    assert sorted(os.listdir(folder)) == sorted(os.listdir("whole"))


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_killed_between_the_last_answer_and_the_table(write, jobs):
    spec = write(FEW)
    finish(spec, "whole")
    Path("killed").mkdir()
    Path("killed/points.jsonl").touch()  # as a kill in the journal's first moment leaves it
    assert killed_before_the_table(spec, "killed", jobs, 6)
    assert not Path("killed", TABLE).exists() and answers("killed") == 6
    finish(spec, "killed", "-j", jobs)
    assert Path("killed", TABLE).read_bytes() == Path("whole", TABLE).read_bytes()
    assert sorted(os.listdir("killed")) == sorted(os.listdir("whole"))


@pytest.mark.slow
def test_killed_many_times_around_its_end(write, chance):
    spec = write(FEW)
    began = time.monotonic()
    finish(spec, "whole")
    whole = time.monotonic() - began
    for number in range(12):
        folder = f"killed{number}"
        killed_in_start_up(spec, folder, "1", (0.7 + 0.3 * chance.random()) * whole)
        finish(spec, folder)
        assert Path(folder, TABLE).read_bytes() == Path("whole", TABLE).read_bytes()
        assert answers(folder) == 6


@pytest.mark.parametrize(
    "ready", [lambda process: len(session_of(process.pid)) > 2, lambda process: answers("out") > 5]
)
def test_ctrl_c_in_a_terminal_keeps_what_is_done_and_leaves_no_process(write, ready):
    """It goes to all processes at once: here while workers are started, and while they work."""
    process = start(write(SPACE), "out", "-j", "2")
    wait_until(lambda: ready(process), process)
    before = answers("out")
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(SECONDS) == 130, said("out")
    nothing_left(process)
    assert said("out") == "interrupted: what is done is kept in out, and the same command goes on\n"
    assert POINTS > answers("out") >= before and not Path("out", TABLE).exists()

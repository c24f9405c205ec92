"""A sweep that is killed (SIGKILL) at any moment, and started again, ends in the table of one that nobody disturbed."""

from __future__ import annotations

import fcntl
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from sweep_processes import (
    SECONDS,
    answers,
    finish,
    held_up,
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
SEED = "ARCHSIM_TEST_SEED"


@pytest.fixture
def chance() -> random.Random:
    seed = int(os.environ.get(SEED) or random.randrange(1 << 32))
    print(f"{SEED}={seed}")
    return random.Random(seed)


def killed_in_its_table(process: subprocess.Popen[bytes], pipe: Path, size: int) -> bytes:
    """Kill a sweep that has written so much of its table, and waits for room; what it has written."""
    text = b""
    with os.fdopen(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0) as reader:
        fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
        while len(text) < size:
            text += reader.read(size) or b""
        assert kill(process)
    return text


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_killed_at_five_random_moments_it_ends_in_the_same_table(write, chance, jobs):
    """In its first second, three times at work, and in the middle of its table."""
    spec = write(SPACE)
    began = time.monotonic()
    process = start(spec, "whole", "-j", jobs)
    wait_until(lambda: answers("whole") > 0, process)
    start_up = time.monotonic() - began
    assert process.wait(SECONDS) == 0, said("whole")
    with held_up("killed") as pipe:
        process = start(spec, "killed", "-j", jobs)
        time.sleep(chance.random() * start_up)
        assert kill(process)
        for number in sorted(chance.randrange(1, POINTS) for _ in range(3)):
            process = start(spec, "killed", "-j", jobs)
            wait_until(lambda number=number: answers("killed") >= number, process)
            time.sleep(chance.random() * 0.02)
            assert kill(process)
        process = start(spec, "killed", "-j", jobs)
        wait_until(lambda: answers("killed") == POINTS, process)
        written = killed_in_its_table(process, pipe, chance.choice((1, 3000)))
    pipe.write_bytes(written)  # what a disk would hold
    assert not Path("killed", TABLE).exists()
    finish(spec, "killed", "-j", jobs)
    assert Path("killed", TABLE).read_bytes() == Path("whole", TABLE).read_bytes()
    assert answers("killed") == answers("whole") == POINTS  # nothing was executed twice, either
    assert "Traceback" not in said("killed")
    assert sorted(os.listdir("killed")) == sorted(os.listdir("whole"))


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_killed_between_the_last_answer_and_the_table(write, jobs):
    spec = write(FEW)
    finish(spec, "whole")
    with held_up("killed"):
        process = start(spec, "killed", "-j", jobs)
        wait_until(lambda: answers("killed") == 6, process)
        assert kill(process)
    assert not Path("killed", TABLE).exists()
    finish(spec, "killed", "-j", jobs)
    assert Path("killed", TABLE).read_bytes() == Path("whole", TABLE).read_bytes()
    assert sorted(os.listdir("killed")) == sorted(os.listdir("whole"))


@pytest.mark.slow
def test_killed_at_many_times_of_its_life(write, chance):
    spec = write(FEW)
    began = time.monotonic()
    finish(spec, "whole")
    whole = time.monotonic() - began
    for number in range(15):
        folder = f"killed{number}"
        process = start(spec, folder)
        time.sleep((0.25 + 0.05 * number + 0.05 * chance.random()) * whole)
        kill(process)
        finish(spec, folder)
        assert Path(folder, TABLE).read_bytes() == Path("whole", TABLE).read_bytes()
        assert answers(folder) == 6


@pytest.mark.parametrize(
    "ready", [lambda process: len(session_of(process.pid)) > 2, lambda process: answers("out") > 5]
)
def test_ctrl_c_in_a_terminal_keeps_what_is_done_and_leaves_no_process(write, ready):
    """It goes to all processes at once: here while workers are started, and while they work."""
    spec = write(SPACE)
    with held_up("out"):
        process = start(spec, "out", "-j", "2")
        wait_until(lambda: ready(process), process)
        before = answers("out")
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(SECONDS) == 130, said("out")
        nothing_left(process)
    assert said("out") == "interrupted: what is done is kept in out, and the same command goes on\n"
    assert answers("out") >= before and not Path("out", TABLE).exists()

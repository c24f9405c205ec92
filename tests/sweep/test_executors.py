"""Worker processes that die take nothing with them, and do not outlive the process that started them."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from sweep_processes import answers, kill, needs_proc, session_of, start, wait_until

from archsim.errors import ArchsimError
from archsim.sweeps.executors import check_executor, performed
from archsim.sweeps.work import Outcome, Task


def task(number: int, folder: Path) -> Task:
    return Task(str(folder), "", (), ((),), (str(number),), 0, "fast", (), "")


def die_once(one: Task) -> tuple[Outcome, ...]:
    marker = Path(one.arch) / "died"
    if one.keys[0] == "3" and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return (Outcome(one.keys[0], {"pid": os.getpid()}),)


def die(one: Task) -> tuple[Outcome, ...]:
    os._exit(1)


def test_a_worker_that_is_killed_is_replaced(tmp_path):
    found = list(performed([task(number, tmp_path) for number in range(12)], 2, None, die_once))
    assert sorted(int(outcome.key) for outcomes in found for outcome in outcomes) == list(range(12))
    assert os.getpid() not in {outcome.numbers["pid"] for outcomes in found for outcome in outcomes}


def test_workers_that_always_die_end_the_sweep(tmp_path):
    with pytest.raises(ArchsimError, match="killed again and again"):
        list(performed([task(0, tmp_path)], 2, None, die))


@pytest.mark.parametrize("jobs", [0, -1, 10_000, True])
def test_numbers_of_processes_that_cannot_be(jobs):
    with pytest.raises(ArchsimError, match="not a number of processes"):
        check_executor(jobs, None)


@needs_proc
def test_workers_end_with_a_killed_parent(write):
    spec = write("space: {array.rows: {from: 2, to: 60, step: 1}, array.cols: {from: 2, to: 9, step: 1}}")
    process = start(spec, "out", "-j", "2")
    wait_until(lambda: answers("out") > 2, process)
    workers = set(session_of(process.pid)) - {process.pid}
    assert len(workers) >= 2
    assert kill(process)  # and waits until nobody is left

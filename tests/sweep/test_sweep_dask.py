"""The same file on a Dask cluster: two worker processes, one of which is killed half-way."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

import archsim
from archsim.errors import ArchsimError
from archsim.sweeps.executors import check_executor

SPACE = "space: {array.rows: {from: 2, to: 31, step: 1}, array.cols: [2, 4]}\n"


def test_losing_a_worker_loses_nothing(write, monkeypatch):
    distributed = pytest.importorskip("distributed")
    spec = write(SPACE)
    archsim.sweep(spec, output="here")
    monkeypatch.setenv("PYTHONPATH", str(Path(archsim.__file__).parents[1]))
    killed = []
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        workers = [worker.pid for worker in cluster.workers.values()]

        def kill_one(done: int, total: int) -> None:
            if done >= total // 3 and not killed:
                killed.append(workers[0])
                os.kill(workers[0], signal.SIGKILL)

        archsim.sweep(spec, output="there", on=f"dask:{cluster.scheduler_address}", progress=kill_one)
    assert killed
    assert Path("there/results.csv").read_bytes() == Path("here/results.csv").read_bytes()


def test_addresses_that_lead_nowhere(write, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("archsim.sweeps.executors.CONNECT_SECONDS", 1)
    with pytest.raises(ArchsimError, match="no Dask scheduler answers"):
        archsim.sweep(write(SPACE), output="out", on="dask:tcp://127.0.0.1:9")
    for on, jobs in (("tcp://127.0.0.1:9", 1), ("dask:", 1), ("dask:tcp://x:1", 2)):
        with pytest.raises(ArchsimError):
            check_executor(jobs, on)


def test_without_the_extra_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ArchsimError, match=r"pip install 'archsim\[cluster\]'"):
        check_executor(1, "dask:tcp://127.0.0.1:9")

"""The same file on a Dask cluster of real processes, which are killed half-way: nothing is lost."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from dask_processes import cluster, kill
from sweep_processes import answers
from test_executors import die, task
from typer.testing import CliRunner

import archsim
from archsim.cli import app
from archsim.errors import ArchsimError
from archsim.sweeps.executors import check_executor, performed

SPACE = "space: {array.rows: {from: 2, to: 31, step: 1}, array.cols: [2, 4]}\n"


@pytest.fixture
def spec(write, monkeypatch):
    """A sweep of 60 points that was done here, and is to be done there."""
    pytest.importorskip("distributed")
    monkeypatch.setenv("DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT", "30s")
    path = write(SPACE)
    archsim.sweep(path, output="here")
    return path


def same() -> bool:
    return Path("there/results.csv").read_bytes() == Path("here/results.csv").read_bytes()


def once(happens):
    """Progress of a sweep: something happens when a third of it is done."""
    happened = []

    def progress(done: int, total: int) -> None:
        if done >= total // 3 and not happened:
            happened.append(done)
            happens()

    return progress


def test_losing_a_worker_loses_nothing(spec):
    with cluster() as running:
        lose = once(lambda: kill(running.workers[0]))
        archsim.sweep(spec, output="there", on=f"dask:{running.address}", progress=lose)
        assert running.workers[0].poll() < 0
    assert same() and answers("there") == 60


@pytest.mark.slow
def test_losing_all_workers_waits_for_new_ones(spec):
    with cluster() as running:

        def lose() -> None:
            running.kill_workers()
            running.start_worker()

        archsim.sweep(spec, output="there", on=f"dask:{running.address}", progress=once(lose))
    assert same() and answers("there") == 60


@pytest.mark.slow
def test_losing_the_scheduler_is_said_and_the_same_command_goes_on(spec):
    with cluster() as running:
        on = f"dask:{running.address}"
        with pytest.raises(ArchsimError, match="the Dask scheduler is gone; what is done is kept, and the same"):
            archsim.sweep(spec, output="there", on=on, progress=once(lambda: kill(running.scheduler)))
        kept = Path("there/points.jsonl").read_bytes()
        assert 20 <= answers("there") < 60 and not Path("there/results.csv").exists()
        running.start_scheduler()
        running.start_worker()
        done = CliRunner().invoke(app, ["sweep", str(spec), "-o", "there", "--on", on])
        assert done.exit_code == 0, done.stderr
    assert same() and answers("there") == 60
    assert Path("there/points.jsonl").read_bytes().startswith(kept)


@pytest.mark.slow
def test_a_point_that_kills_every_worker_ends_the_sweep(tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.chdir(tmp_path)
    with cluster(Path(__file__).parent, workers=0) as running:
        running.start_worker("--nanny")
        with pytest.raises(ArchsimError, match="cannot execute the points: KilledWorker"):
            list(performed([task(0, tmp_path)], 1, f"dask:{running.address}", die))


@pytest.mark.slow
def test_workers_of_another_archsim_are_refused(spec, tmp_path):
    """Their answers would be kept as if they were this one's."""
    other = tmp_path / "other"
    (other / "archsim").mkdir(parents=True)
    for path in Path(archsim.__file__).parent.rglob("*.py"):
        copy = other / "archsim" / path.relative_to(Path(archsim.__file__).parent)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    with (other / "archsim/errors.py").open("a") as changed:
        changed.write("# changed\n")
    with cluster(workers=0) as running:
        running.folders = os.pathsep.join((str(other), running.folders))
        running.start_worker()
        with pytest.raises(ArchsimError, match="a worker of the Dask cluster has another archsim than this one"):
            archsim.sweep(spec, output="there", on=f"dask:{running.address}")
        assert answers("there") == 0


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

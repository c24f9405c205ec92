"""A Dask cluster of processes as an administrator starts them: one scheduler, and workers that come and go."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sweep_processes import ROOT, SECONDS, nothing_left, wait_until


class Cluster:
    """Scheduler and workers, each with its log in the current folder."""

    def __init__(self, *folders: Path) -> None:
        """Workers import from these folders, too."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.folders = os.pathsep.join(map(str, (ROOT, *folders)))
        self.workers: list[subprocess.Popen[bytes]] = []
        self.started: list[subprocess.Popen[bytes]] = []
        self.start_scheduler()

    def start_scheduler(self) -> None:
        self.scheduler = self._start("dask_scheduler", "--host", "127.0.0.1", "--port", str(self.port))
        wait_until(self._answers)

    def _answers(self) -> bool:
        assert self.scheduler.poll() is None
        try:
            socket.create_connection(("127.0.0.1", self.port), SECONDS).close()
        except OSError:
            return False
        return True

    def start_worker(self, keeper: str = "--no-nanny") -> None:
        self.workers.append(self._start("dask_worker", self.address, "--nthreads", "1", keeper))

    def kill_workers(self) -> None:
        while self.workers:
            kill(self.workers.pop())

    def _start(self, program: str, *words: str) -> subprocess.Popen[bytes]:
        with Path(f"{program}.log").open("ab") as log:
            started = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{program}", *words, "--no-dashboard"], start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": self.folders},
            )  # fmt: skip
        self.started.append(started)
        return started


def kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait(SECONDS)


@contextmanager
def cluster(*folders: Path, workers: int = 2) -> Iterator[Cluster]:
    running = Cluster(*folders)
    try:
        for _ in range(workers):
            running.start_worker()
        yield running
    finally:
        for process in running.started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # a nanny together with its worker
            process.wait(SECONDS)
            nothing_left(process)

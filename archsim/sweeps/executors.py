"""Where a sweep's executions happen: in this process, in several on this machine, or on a Dask cluster.

All are fed through ``concurrent.futures``. Worker processes end with the process that started them, however it ends.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import Any

from archsim.errors import ArchsimError, ConfigError, Problem
from archsim.sweeps.work import Outcome, Task, perform

DASK = "dask:"
TASKS_AHEAD = 4
TASKS_AHEAD_OF_CLUSTER = 1024
MOST_PROCESSES = 1024
CONNECT_SECONDS = 10
CHECK_SECONDS = 5
BREAKS_IN_A_ROW = 3

Outcomes = tuple[Outcome, ...]
Work = Callable[[Task], Outcomes]
Perform = Callable[[Iterable[Task]], Iterator[Outcomes]]


def check_executor(jobs: int, on: str | None) -> None:
    """ConfigError for a number of processes or an address that cannot be."""
    problems = []
    if isinstance(jobs, bool) or not isinstance(jobs, int) or not 1 <= jobs <= MOST_PROCESSES:
        problems.append(Problem("not a number of processes", key="jobs", value=jobs, allowed=f"1 to {MOST_PROCESSES}"))
    if on is not None and (not on.startswith(DASK) or not on.removeprefix(DASK)):
        problems.append(Problem("not a cluster", key="on", value=on, allowed="dask:tcp://HOST:PORT"))
    if on is not None and jobs != 1:
        problems.append(Problem("the cluster has its own number of processes", key="jobs", value=jobs))
    if problems:
        raise ConfigError(problems)
    if on is not None:
        _client_class()


@contextmanager
def performing(jobs: int, on: str | None, work: Work = perform) -> Iterator[Perform]:
    """Yield what turns tasks into their outcomes, in the order in which they are finished; its processes stay."""
    if on is not None:
        with _quiet("distributed.client", "tornado.application"), _cluster(on) as client:
            yield lambda tasks: _on_cluster(client, list(tasks), on, work)
    elif jobs == 1:
        yield lambda tasks: map(work, tasks)
    else:
        with _Processes(jobs, work) as processes:
            yield processes.perform


def performed(tasks: Iterable[Task], jobs: int, on: str | None, work: Work = perform) -> Iterator[Outcomes]:
    """The outcomes of the tasks, in the order in which they are finished."""
    with performing(jobs, on, work) as perform_all:
        yield from perform_all(tasks)


class _Processes:
    """Processes of this machine, started when there is work; replaced where one dies (out of memory)."""

    def __init__(self, jobs: int, work: Work) -> None:
        self._jobs, self._work = jobs, work
        self._executor: Executor | None = None
        self._others: set[Any] = set()

    def __enter__(self) -> _Processes:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            self._stop()
        elif self._executor is not None:
            self._executor.shutdown()

    def perform(self, tasks: Iterable[Task]) -> Iterator[Outcomes]:
        """Processes are replaced as long as the tasks get anywhere."""
        left = {task.keys[0]: task for task in tasks}
        breaks = 0
        while left:
            try:
                for outcomes in _streamed(self._started(), list(left.values()), TASKS_AHEAD * self._jobs, self._work):
                    breaks = 0
                    del left[outcomes[0].key]
                    yield outcomes
            except BrokenExecutor:
                self._stop()
                breaks += 1
                if breaks == BREAKS_IN_A_ROW:
                    text = "worker processes are killed again and again (no memory left?); what is done is kept"
                    raise ArchsimError(Problem(text, key="jobs", value=self._jobs, allowed="fewer processes")) from None

    def _started(self) -> Executor:
        if self._executor is None:
            self._others = set(multiprocessing.active_children())
            context = multiprocessing.get_context("spawn")
            self._executor = ProcessPoolExecutor(self._jobs, mp_context=context, initializer=_become_worker)
        return self._executor

    def _stop(self) -> None:
        """End the processes with what they are doing."""
        if self._executor is not None:
            for process in set(multiprocessing.active_children()) - self._others:
                process.terminate()
            self._executor.shutdown(cancel_futures=True)
        self._executor = None


def _streamed(
    executor: Executor, tasks: Iterable[Task], ahead: int, work: Work, check: Callable[[], None] = lambda: None
) -> Iterator[Outcomes]:
    """Keep the executor fed with up to ``ahead`` tasks, and yield what is finished; ``check`` raises if no more is."""
    waiting = iter(tasks)
    under_way = {_submitted(executor, work, task) for task in islice(waiting, ahead)}
    while under_way:
        finished, unfinished = wait(under_way, timeout=CHECK_SECONDS, return_when=FIRST_COMPLETED)
        if not finished:
            check()
        for future in finished:
            yield future.result()
        under_way = unfinished | {_submitted(executor, work, task) for task in islice(waiting, len(finished))}


def _submitted(executor: Executor, work: Work, task: Task) -> Future[Outcomes]:
    """A task under way."""
    with _interrupted_later():
        return executor.submit(work, task)


@contextmanager
def _interrupted_later() -> Iterator[None]:
    """Ctrl-C waits until a process is wholly started, and that one never hears of it: it takes over which signals are
    blocked, and Ctrl-C in a terminal hits it before it can ignore it."""
    if not hasattr(signal, "pthread_sigmask") or threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))  # any thread may take the signal in
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        signal.signal(signal.SIGINT, handler)
        if heard:
            signal.raise_signal(signal.SIGINT)


def _become_worker() -> None:
    """Leave Ctrl-C to the process that started this one, and end when that one does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)


def _on_cluster(client: Any, tasks: Iterable[Task], on: str, work: Work) -> Iterator[Outcomes]:
    """A task whose worker is lost goes to another one, or waits for it. ArchsimError where the cluster gives up."""
    alike = partial(_alike, _source(), work)

    def check() -> None:
        if client.status not in ("running", "connecting"):
            raise CancelledError

    try:
        yield from _streamed(client.get_executor(pure=False), tasks, TASKS_AHEAD_OF_CLUSTER, alike, check)
    except CancelledError:
        raise _lost("the Dask scheduler is gone", on) from None
    except ArchsimError:
        raise
    except Exception as error:  # of the cluster: what goes wrong with a point is its outcome
        raise _lost(f"the Dask cluster cannot execute the points: {type(error).__name__}: {error}", on) from None


def _lost(text: str, on: str) -> ArchsimError:
    return ArchsimError(Problem(f"{text}; what is done is kept, and the same command goes on", key="on", value=on))


def _source() -> str:
    from archsim.store.key import PACKAGE, package_source

    return package_source(PACKAGE)


def _alike(source: str, work: Work, task: Task) -> Outcomes:
    """The work, by a worker whose answers are those that are asked for."""
    if _source() != source:
        raise ArchsimError(Problem("a worker of the Dask cluster has another archsim than this one", key="on"))
    return work(task)


@contextmanager
def _cluster(on: str) -> Iterator[Any]:
    """A client of a Dask cluster."""
    address = on.removeprefix(DASK)
    try:
        client = _client_class()(address, timeout=CONNECT_SECONDS)
    except (OSError, TimeoutError, ValueError) as error:
        reason = f"no Dask scheduler answers: {error}"
        raise ArchsimError(Problem(reason, key="on", value=on, allowed="dask:tcp://HOST:PORT")) from None
    try:
        yield client
    finally:
        client.close()


@contextmanager
def _quiet(*loggers: str) -> Iterator[None]:
    """What is told by an error, or mended, is not told in tracebacks as well."""
    levels = {logging.getLogger(name): logging.getLogger(name).level for name in loggers}
    try:
        for logger in levels:
            logger.setLevel(logging.CRITICAL)
        yield
    finally:
        for logger, level in levels.items():
            logger.setLevel(level)


def _client_class() -> Any:
    try:
        from distributed import Client
    except ImportError:
        text = "a cluster needs the package 'distributed': pip install 'archsim[cluster]'"
        raise ConfigError(Problem(text, key="on")) from None
    return Client

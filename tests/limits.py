"""archsim in processes of their own, on a full disk (files may not grow) or without the rights that root has."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from archsim.cli import app

ROOT = Path(__file__).parents[1]
SECONDS = 300  # only what hangs takes so long
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2


def call(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


def program(words: tuple[str, ...], prepared: Callable[[], None]) -> subprocess.CompletedProcess[str]:
    """archsim, in a process of its own that was prepared for it."""
    return subprocess.run(
        [sys.executable, "-m", "archsim", *words], capture_output=True, text=True, check=False, timeout=SECONDS,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, preexec_fn=prepared,
    )  # fmt: skip


def with_room(size: int, *words: str) -> subprocess.CompletedProcess[str]:
    """archsim, in a process whose files may not grow beyond so many bytes: writing more really fails."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return program(words, limit)


def with_rights_that_count(*words: str) -> subprocess.CompletedProcess[str]:
    """archsim, in a process that may not do what files and folders forbid, even if it is root's."""

    def obey() -> None:
        if os.geteuid() == 0:
            for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
                assert ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0

    try:
        return program(words, obey)
    except subprocess.SubprocessError:
        pytest.skip("root cannot give up its rights here")


def refused(done, *said: str) -> None:
    """Exit code 2 and one line of error for each of these, and no more."""
    code = done.exit_code if hasattr(done, "exit_code") else done.returncode
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert code == 2 and len(lines) == len(said), done.stderr
    assert "Traceback" not in done.stderr
    for line, part in zip(lines, said, strict=True):
        assert part in line, line


def files() -> dict[str, bytes]:
    """Everything in the current folder, also what is hidden."""
    return {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file()}

"""The process that opens NIR files (:mod:`archsim.workload.io.nir_reader`): started once, and again after a crash."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock, Timer

from archsim.workload.io import nir_reader

LEAST_S = 20.0
BYTES_PER_S = 5e6
_lock = Lock()
_running: dict[int, subprocess.Popen[bytes]] = {}


class UnreadableError(Exception):
    """The process did not survive the file; the message says how it ended."""


def answer_of(path: Path) -> bytes:
    """What the reader says of a file. UnreadableError where it crashes, or takes 20 s and 1 s more per 5 MB of it."""
    limit_s = LEAST_S + path.stat().st_size / BYTES_PER_S
    with _lock:
        process = _process()
        assert process.stdin is not None and process.stdout is not None
        late = Event()
        timer = Timer(limit_s, _give_up, (process, late))
        timer.start()
        try:
            process.stdin.write(json.dumps(str(path.resolve())).encode() + b"\n")
            process.stdin.flush()
            head = process.stdout.read(8)
            content = process.stdout.read(int.from_bytes(head, "big"))
        except OSError:
            head = content = b""
        timer.cancel()
        if len(head) == 8 and len(content) == int.from_bytes(head, "big"):
            return content
        process.kill()
        process.communicate()
    raise UnreadableError(f"libhdf5 does not end within {limit_s:.0f} s" if late.is_set() else "libhdf5 crashes on it")


def _process() -> subprocess.Popen[bytes]:
    """The running process of this one (a fork has none of its own yet)."""
    process = _running.get(os.getpid())
    if process is None or process.poll() is not None:
        pipe = subprocess.PIPE
        command = [sys.executable, "-P", nir_reader.__file__]
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
        _running[os.getpid()] = process
        atexit.register(_ended, process)
    return process


def _give_up(process: subprocess.Popen[bytes], late: Event) -> None:
    late.set()
    process.kill()


def _ended(process: subprocess.Popen[bytes]) -> None:
    with suppress(OSError, ValueError):
        process.kill()
        process.communicate()

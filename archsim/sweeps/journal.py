"""What a sweep has answered so far: one line of JSON per point, appended and fsynced, whole after a kill at any moment.

A line that a killed process left unfinished is cut off when the journal is opened again, and one that is not as it was
written (a disk's fault, an editor) is not believed: each is sealed with a hash of itself. A journal has one writer at
a time: it holds an advisory lock that ends with its process.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from archsim.errors import ArchsimError, Problem
from archsim.result import writable_folder
from archsim.sweeps.table import FILE as TABLE_FILE
from archsim.sweeps.table import FORMAT, JOURNAL
from archsim.sweeps.work import Outcome

FILE = JOURNAL
_HEAD = json.dumps({"format": FORMAT}).encode() + b"\n"
_SEAL = b', "seal": '


def place_for_sweep(folder: str | Path) -> None:
    """ArchsimError where no sweep can be written, or where something else lies: only sweeps are continued."""
    writable_folder(folder)
    path = Path(folder)
    if path.is_dir() and any(path.iterdir()) and not (path / FILE).is_file():
        text = "the folder is not empty, and what it holds is no sweep"
        raise ArchsimError(Problem(text, file=str(folder), allowed="a new folder, or one with an earlier sweep"))
    if (path / TABLE_FILE).is_dir():
        raise ArchsimError(Problem(f"a folder is in the way of {TABLE_FILE}", file=str(folder)))


class Journal:
    """The points of a sweep's folder that are answered; a context manager that holds the folder's lock."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.outcomes: dict[str, Outcome] = {}
        self._stream: BinaryIO | None = None

    def __enter__(self) -> Journal:
        place_for_sweep(self.folder)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._stream = (self.folder / FILE).open("a+b")
            _lock(self._stream, self.folder)
            self._read(self._stream)
        except BaseException as error:
            self._close()
            if isinstance(error, OSError):
                raise _unwritable(self.folder, error) from error
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        if self._stream is not None:
            with suppress(OSError):  # what add() could not write is known already
                self._stream.close()

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Keep outcomes; they are on the disk when this returns, those apart that another time may be others.

        ArchsimError where they cannot be written.
        """
        assert self._stream is not None
        added = list(outcomes)
        try:
            self._stream.write(b"".join(_line(one) for one in added if not one.passing))
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise _unwritable(self.folder, error) from error
        self.outcomes |= {one.key: one for one in added}

    def write_table(self, text: str, beside: Mapping[str, bytes]) -> Path:
        """Write the sweep's table, and the files beside it, each whole or not at all."""
        for name, content in {**beside, TABLE_FILE: text.encode()}.items():
            path = self.folder / name
            part = path.with_name(f".{path.name}.part")
            try:
                with part.open("wb") as stream:
                    stream.write(content)
                    stream.flush()
                    os.fsync(stream.fileno())
                part.replace(path)
            except OSError as error:
                with suppress(OSError):
                    part.unlink(missing_ok=True)
                raise _unwritable(self.folder, error) from error
        return self.folder / TABLE_FILE

    def _read(self, stream: BinaryIO) -> None:
        stream.seek(0)
        content = stream.read()
        whole = content[: content.rfind(b"\n") + 1]
        if whole and not whole.startswith(_HEAD):
            raise ArchsimError(_of_another_version(whole.splitlines()[0], self.folder / FILE))
        if len(whole) < len(content):
            stream.truncate(len(whole))
        if not whole:
            stream.write(_HEAD)
            stream.flush()
        for line in whole.splitlines()[1:]:
            found = _outcome(line)
            if found is not None:
                self.outcomes[found.key] = found


def _of_another_version(first: bytes, file: Path) -> Problem:
    """What is wrong with a journal's first line."""
    try:
        found = json.loads(first)["format"]
    except (ValueError, KeyError, TypeError, RecursionError):
        text, begin = "the journal of a sweep begins differently", _HEAD.decode().strip()
        return Problem(text, file=str(file), line=1, allowed=begin)
    text = "another version of archsim began this sweep; use that one, or another folder"
    return Problem(text, file=str(file), line=1, value=found, allowed=FORMAT)


def _line(outcome: Outcome) -> bytes:
    """An outcome as JSON whose last key seals the rest."""
    body = json.dumps({"key": outcome.key, "numbers": outcome.numbers, "message": outcome.message}).encode()[:-1]
    return body + _SEAL + _sealed(body) + b"\n"


def _outcome(line: bytes) -> Outcome | None:
    """A line's outcome; None for one that is not as it was written, whose point is then executed again."""
    body, _, seal = line.rpartition(_SEAL)
    if seal != _sealed(body):
        return None
    found: Any = json.loads(body + b"}")
    return Outcome(found["key"], found["numbers"], found["message"])


def _sealed(body: bytes) -> bytes:
    return f'"{hashlib.sha256(body).hexdigest()[:12]}"}}'.encode()


def _lock(stream: BinaryIO, folder: Path) -> None:
    try:
        import fcntl
    except ImportError:  # a system without advisory locks
        return
    try:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ArchsimError(Problem("another sweep is writing to this folder", file=str(folder))) from None


def _unwritable(folder: Path, error: OSError) -> ArchsimError:
    reason = (error.strerror or str(error)).lower()
    text = f"cannot write the sweep: {reason}; what was written is kept, and the same command goes on"
    return ArchsimError(Problem(text, file=str(folder)))

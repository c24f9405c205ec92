"""What a sweep has answered so far: one line of JSON per point, appended and fsynced, whole after a kill at any moment.

A line that a killed process left unfinished is cut off when the journal is opened again. A journal has one writer at
a time: it holds an advisory lock that ends with its process.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from archsim.errors import ArchsimError, Problem
from archsim.result import writable_folder
from archsim.sweeps.table import FILE as TABLE_FILE
from archsim.sweeps.table import FORMAT
from archsim.sweeps.work import Outcome

FILE = "points.jsonl"
_HEAD = json.dumps({"format": FORMAT}).encode() + b"\n"


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
        except OSError as error:
            raise _unwritable(self.folder, error) from error
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            with suppress(OSError):  # what add() could not write is known already
                self._stream.close()

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Keep outcomes; they are on the disk when this returns. ArchsimError where they cannot be written."""
        assert self._stream is not None
        added = list(outcomes)
        lines = [json.dumps({"key": one.key, "numbers": one.numbers, "message": one.message}) + "\n" for one in added]
        try:
            self._stream.write("".join(lines).encode())
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
                part.write_bytes(content)
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
            raise ArchsimError(Problem("not the journal of a sweep of this version", file=str(self.folder / FILE)))
        if len(whole) < len(content):
            stream.truncate(len(whole))
        if not whole:
            stream.write(_HEAD)
            stream.flush()
        for line in whole.splitlines()[1:]:
            found = _outcome(line)
            if found is not None:
                self.outcomes[found.key] = found


def _outcome(line: bytes) -> Outcome | None:
    """A line's outcome; None for one that is damaged, whose point is then executed again."""
    try:
        body: Any = json.loads(line)
        numbers: Mapping[str, float | None] | None = body["numbers"]
        return Outcome(str(body["key"]), numbers, str(body["message"]))
    except (ValueError, KeyError, TypeError):
        return None


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

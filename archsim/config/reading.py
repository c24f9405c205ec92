"""What was read: the bytes of files that went into what was loaded, for those who must know whether they still hold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

_watched: ContextVar[tuple[dict[str, str], ...]] = ContextVar("watched", default=())


@contextmanager
def watch() -> Iterator[dict[str, str]]:
    """While it is entered, path (absolute) to SHA-256 of every file that is read to load something."""
    found: dict[str, str] = {}
    token = _watched.set((*_watched.get(), found))
    try:
        yield found
    finally:
        _watched.reset(token)


def was_read(path: Path, content: bytes) -> None:
    """Said by whoever reads a file that a user names."""
    for found in _watched.get():
        found[str(Path(path).resolve())] = hashlib.sha256(content).hexdigest()

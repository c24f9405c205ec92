"""A YAML file as plain data that remembers on which line every key stands."""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archsim.config.reader import compose
from archsim.config.reading import was_read
from archsim.config.tree import build
from archsim.errors import ConfigError, Problem

Key = tuple[str | int, ...]

MAX_BYTES = 16 * 2**20
OVERRIDE = "--set"
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Document:
    """Plain data plus where each key stands.

    ``lines`` maps a path such as ``("layers", 3, "kernel")`` to the 1-based line of the key (of the item, for list
    items; the first line of the content for the empty path). ``overridden`` holds the paths that came from the command
    line instead of from the file.
    """

    data: Any
    file: str
    lines: Mapping[Key, int]
    folder: Path | None = None
    overridden: frozenset[Key] = field(default_factory=frozenset)
    doubled: tuple[Problem, ...] = ()  # keys that stand twice, if the reader of the document will report them

    def line(self, path: Key) -> int | None:
        """The line of the deepest known prefix of ``path``; None for what an override has set."""
        return self.where(path)[1]

    def where(self, path: Key) -> tuple[str, int | None]:
        """File (or ``--set``) and line to blame for ``path``."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.overridden:
                return OVERRIDE, None
            if path[:end] in self.lines:
                return self.file, self.lines[path[:end]]
        return self.file, None

    def problem(
        self, path: Key, message: str, *, value: Any = None, allowed: str | None = None, nearest: str | None = None
    ) -> Problem:
        """A problem at ``path``, with file, line and dotted key filled in."""
        file, line = self.where(path)
        return Problem(message, file, line, dotted(path) or None, value, allowed, nearest)


def dotted(path: Key) -> str:
    """The path as people write it: ``layers.3.kernel``."""
    return ".".join(str(part) for part in path)


def load_document(path: Path, shown_as: str | None = None, doubled_keys: bool = False) -> Document:
    """Read one YAML file of at most 16 MiB; every way in which it can be unreadable is a ConfigError.

    ``doubled_keys``: keys that stand twice are left to the caller, who reports them with whatever else is wrong.
    """
    shown = str(path) if shown_as is None else shown_as
    shown = shown.encode("utf-8", "backslashreplace").decode("utf-8")
    text = read_text(path, shown)
    document = _parse(text, shown, Path(path).parent)
    if document.doubled and not doubled_keys:
        raise ConfigError(document.doubled)
    return document


def read_text(path: Path, shown: str) -> str:
    """The text of a regular UTF-8 file of at most 16 MiB; everything else is a ConfigError that calls it ``shown``."""
    try:
        if not stat.S_ISREG(mode := Path(path).stat().st_mode) and not stat.S_ISDIR(mode):
            raise ConfigError(Problem("is no regular file (a device, a pipe or a socket)", shown))
        with Path(path).open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
        was_read(path, raw)
    except FileNotFoundError:
        raise ConfigError(Problem("file not found", shown)) from None
    except IsADirectoryError:
        raise ConfigError(Problem("is a folder, not a file", shown)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(Problem(f"cannot be read: {reason}", shown)) from None
    if len(raw) > MAX_BYTES:
        raise ConfigError(Problem(f"larger than {MAX_BYTES // 2**20} MiB", shown))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(Problem("not UTF-8 text", shown, line)) from None


def parse_document(text: str, shown_as: str) -> Document:
    """Read YAML from a string; ``shown_as`` is the file name that errors give."""
    document = _parse(text, shown_as, None)
    if document.doubled:
        raise ConfigError(document.doubled)
    return document


def _parse(text: str, shown: str, folder: Path | None) -> Document:
    text = text.removeprefix("\ufeff")
    bad = _UNPRINTABLE.search(text)
    if bad is not None:
        line = text.count("\n", 0, bad.start()) + 1
        raise ConfigError(Problem(f"control character U+{ord(bad.group()):04X}", shown, line))
    data, lines, doubled = build(compose(text, shown), shown)
    return Document(data, shown, lines, folder, doubled=tuple(doubled))

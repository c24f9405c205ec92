"""Finding a trace, or weights, beside the workload file: nowhere else, unless asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from archsim.config.reading import was_read
from archsim.workload.npz import MAX_UNPACKED_BYTES


class RefusedError(Exception):
    """The file cannot be read from there; the message says why."""


def locate(name: str, folder: Path, roots: Sequence[Path], allow_outside: bool) -> Path:
    """The regular file that ``name`` names relative to ``folder``.

    Links are followed first; what they lead to must lie in or below one of the ``roots`` unless ``allow_outside``.
    Raises RefusedError for other places, missing files, folders and devices.
    """
    try:
        path = (folder / name).resolve()
        inside = any(path.is_relative_to(root.resolve()) for root in roots)
        if not inside and not allow_outside:
            raise RefusedError(
                "lies outside the workload file's folder; --allow-outside (allow_outside=True) permits that"
            )
        if inside and Path(name).is_absolute() and not allow_outside:
            raise RefusedError("is an absolute path; state it relative to the workload file")
        if not path.exists():
            raise RefusedError("this file does not exist")
        if not path.is_file():
            raise RefusedError("this is no regular file")
        if path.stat().st_size > MAX_UNPACKED_BYTES:
            raise RefusedError(f"is larger than {MAX_UNPACKED_BYTES:,} bytes")
    except (OSError, ValueError, RuntimeError) as error:
        raise RefusedError(f"cannot be read: {error}") from None
    return path


def read(path: Path) -> bytes:
    """The file's bytes. Raises RefusedError if the system refuses."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RefusedError(f"cannot be read: {error.strerror or error}") from None
    was_read(path, content)
    return content

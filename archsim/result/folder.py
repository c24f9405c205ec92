"""The folder that a run is written to: whether it can be, its one file, and the figures drawn of an earlier run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from archsim.errors import ArchsimError, Problem

FILE = "result.json"
FORMAT = "archsim-result-2"
FIGURES = (
    "layer", "component", "timestep", "level", "utilisation", "area", "time", "costs", "against-*", "gantt", "power",
)  # fmt: skip
"""Names of the PNG files that ``archsim plot`` and ``archsim run --timeline`` put beside a result."""


def writable_folder(folder: str | Path) -> None:
    """ArchsimError where no folder can be made or written to: a file is in the way, rights or room are missing.

    Tried with a temporary file in the folder, or in the nearest one above it that exists; nothing is left there.
    """
    if not str(folder):
        raise ArchsimError(Problem("the name of the folder to write to is empty"))
    path = Path(folder)
    there = path
    try:
        with suppress(FileNotFoundError, NotADirectoryError):
            path.lstat()  # refuses names that no folder can have
        while not there.exists() and there != there.parent:
            there = there.parent
        if not there.is_dir():
            text = "a file is in the way of the folder to write to"
            raise ArchsimError(Problem(text, file=str(path), value=str(there)))
        with tempfile.TemporaryFile(dir=there):
            pass
    except (OSError, ValueError) as error:
        raise ArchsimError(Problem(f"cannot write here: {_reason(error)}", file=str(path))) from None


def place_for_result(folder: str | Path) -> None:
    """ArchsimError where ``folder/result.json`` cannot be written."""
    writable_folder(folder)
    if (Path(folder) / FILE).is_dir():
        raise ArchsimError(Problem(f"a folder is in the way of {FILE}", file=str(folder)))


def write(text: str, folder: str | Path) -> Path:
    """Write ``folder/result.json`` whole or not at all, and remove the figures of the run that it replaces."""
    place_for_result(folder)
    path = Path(folder)
    with written_whole(path / FILE, "the result", shown=path) as part:
        part.write_text(text, encoding="utf-8")
        for figure in figures_in(path):
            figure.unlink()
    return path / FILE


@contextmanager
def written_whole(path: Path, what: str, shown: Path | None = None) -> Iterator[Path]:
    """A file beside ``path`` to write its content to, moved there once that is done; gone again where it fails.

    Missing folders are made. ArchsimError that names ``what`` and the file (or ``shown``) where it cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            path.lstat()  # refuses names that no file can have
    except (OSError, ValueError) as error:
        raise _unwritten(what, shown or path, error) from error
    try:
        yield part
        part.replace(path)
    except OSError as error:
        raise _unwritten(what, shown or path, error) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _unwritten(what: str, shown: Path, error: Exception) -> ArchsimError:
    return ArchsimError(Problem(f"cannot write {what}: {_reason(error)}", file=str(shown)))


def figures_in(folder: str | Path) -> tuple[Path, ...]:
    """Figures of the result that lies in a folder; they go with it when another one is written there."""
    path = Path(folder)
    if not (path / FILE).exists():
        return ()
    return tuple(figure for name in FIGURES for figure in sorted(path.glob(f"{name}.png")))


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return text[:1].lower() + text[1:]

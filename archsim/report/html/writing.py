"""Writing the page: what is wrong with its subject and with the place, at once; the file whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from archsim.errors import ArchsimError, Problem
from archsim.report.html.subject import Subject, subject_of
from archsim.result import writable_folder, written_whole
from archsim.store import Store

SUFFIXES = (".html", ".htm")


def html_report(
    subject: Subject, *, objectives: Sequence[str] | None = None, store: Store | str | Path | None = None
) -> str:
    """The report of a run or a sweep as HTML text (see :func:`write_report`)."""
    return subject_of(subject, objectives, store)()


def write_report(
    subject: Subject, output: str | Path, *, objectives: Sequence[str] | None = None,
    store: Store | str | Path | None = None,
) -> Path:
    """Write one self-contained HTML file about a run or a sweep; returns where it is.

    ``subject`` is a result or a sweep's table, the folder that one was written to, or the id of a run of ``store``
    (of the default one unless stated).
    ``objectives`` are the numbers that the fronts of a sweep are of (energy_pj, latency_ns, area_um2 unless stated).
    ArchsimError for a subject that is not there, objectives that no result has, and a place that cannot be written, all
    at once. A file that is there is replaced, but never by half a report.
    """
    problems: list[Problem] = []
    found: list[Callable[[], str]] = []
    path = Path(output)
    try:
        _check(path)
    except ArchsimError as error:
        problems += error.problems
    try:
        found.append(subject_of(subject, objectives, store))
    except ArchsimError as error:
        problems += error.problems
    if problems:
        raise ArchsimError(problems)
    return _write(found[0](), path)


def _check(path: Path) -> None:
    if path.suffix.lower() not in SUFFIXES:
        allowed = f"a name that ends in {' or '.join(SUFFIXES)}"
        raise ArchsimError(Problem("a report is an HTML file", key="output", value=str(path), allowed=allowed))
    with suppress(OSError, ValueError):  # names that no file can have are refused with the folder
        if path.is_dir():
            raise ArchsimError(Problem("is a folder, not a file", file=str(path)))
    writable_folder(path.parent)


def _write(text: str, path: Path) -> Path:
    with written_whole(path, "the report") as part:
        part.write_text(text, encoding="utf-8", errors="replace")
    return path

"""Writing the page: what is wrong with the run and with the place, at once; the file whole or not at all."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from archsim.errors import ArchsimError, Problem
from archsim.result import Result, writable_folder
from archsim.store import load_run

SUFFIXES = (".html", ".htm")


def html_report(run: Result | str | Path) -> str:
    """The report of a result, or of a run by its folder or id, as HTML text. ArchsimError if there is no such run."""
    return _page(load_run(run), run)


def write_report(run: Result | str | Path, output: str | Path) -> Path:
    """Write one self-contained HTML file about a result, or a run by its folder or id; returns where it is.

    ArchsimError for a run that is not there and for a place that cannot be written, both at once. A file that is there
    is replaced, but never by half a report.
    """
    problems: list[Problem] = []
    found: list[Result] = []
    path = Path(output)
    try:
        _check(path)
    except ArchsimError as error:
        problems += error.problems
    try:
        found.append(load_run(run))
    except ArchsimError as error:
        problems += error.problems
    if problems:
        raise ArchsimError(problems)
    return _write(_page(found[0], run), path)


def _page(result: Result, run: Result | str | Path) -> str:
    from archsim.report.html.page import page

    return page(result, _folder(run))


def _folder(run: Result | str | Path) -> Path | None:
    """The folder that a run lies in; None for one in memory or in the store."""
    if isinstance(run, Result) or not Path(run).exists():
        return None
    return Path(run) if Path(run).is_dir() else Path(run).parent


def _check(path: Path) -> None:
    if path.suffix.lower() not in SUFFIXES:
        allowed = f"a name that ends in {' or '.join(SUFFIXES)}"
        raise ArchsimError(Problem("a report is an HTML file", key="output", value=str(path), allowed=allowed))
    with suppress(OSError, ValueError):  # names that no file can have are refused with the folder
        if path.is_dir():
            raise ArchsimError(Problem("is a folder, not a file", file=str(path)))
    writable_folder(path.parent)


def _write(text: str, path: Path) -> Path:
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8", errors="replace")
        part.replace(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ArchsimError(Problem(f"cannot write the report: {reason}", file=str(path))) from error
    finally:
        with suppress(OSError, ValueError):
            part.unlink(missing_ok=True)
    return path

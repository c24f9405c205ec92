"""What a report is about: a run or a sweep, by itself, by its folder, or (a run) by its id in the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from archsim.errors import ArchsimError, Problem
from archsim.result import FILE as RUN_FILE
from archsim.result import Result
from archsim.store import Store
from archsim.store.loading import is_id, named_run
from archsim.sweeps import Sweep
from archsim.sweeps.journal import FILE as JOURNAL_FILE
from archsim.sweeps.table import FILE as SWEEP_FILE
from archsim.sweeps.table import GOES_ON

Subject = Result | Sweep | str | Path
ALLOWED = "a folder that 'archsim run -o' or 'archsim sweep' wrote, or the id of a stored run"


def subject_of(
    subject: Subject, objectives: Sequence[str] | None, store: Store | str | Path | None = None
) -> Callable[[], str]:
    """What makes the subject's page. ArchsimError: there is no such run or sweep, or the options make no sense."""
    if isinstance(subject, Sweep) or (not isinstance(subject, Result) and _is_sweep(subject)):
        from archsim.report.html.sweep.page import sweep_page
        from archsim.report.html.sweep.study import study_of

        if store is not None:
            raise ArchsimError(Problem("changes nothing: a sweep comes from its folder", key="store"))
        return partial(sweep_page, study_of(subject, objectives))
    problems = []
    if objectives is not None:
        text = "a run has no objectives, a sweep has"
        problems.append(Problem(text, key="objectives", value=",".join(objectives)))
    try:
        result = named_run(subject, store)
    except ArchsimError as error:
        raise ArchsimError([*problems, *error.problems]) from error
    if problems:
        raise ArchsimError(problems)
    from archsim.report.html.page import page

    return partial(page, result, _folder(subject))


def _is_sweep(place: str | Path) -> bool:
    """Whether a sweep lies there. ArchsimError: neither a run nor a finished sweep does, or both do."""
    if is_id(place):
        return False
    with suppress(OSError, ValueError):  # names that no file can have hold nothing
        path = Path(place)
        if path.is_file():
            return path.suffix == ".csv"
        run, table, journal = ((path / name).exists() for name in (RUN_FILE, SWEEP_FILE, JOURNAL_FILE))
        if run and table:
            text = "holds a run and a sweep; name the file of one of them"
            raise ArchsimError(Problem(text, file=str(place), allowed=f"{path / RUN_FILE}, {path / SWEEP_FILE}"))
        if journal and not table:
            raise ArchsimError(Problem(f"the sweep is not finished: {GOES_ON}", file=str(place)))
        if run or table:
            return table
    raise ArchsimError(Problem("no result here: neither a run nor a sweep", file=str(place), allowed=ALLOWED))


def _folder(run: Result | Sweep | str | Path) -> Path | None:
    """The folder that a run lies in; None for one in memory or in the store."""
    if isinstance(run, Result | Sweep) or not Path(run).exists():
        return None
    return Path(run) if Path(run).is_dir() else Path(run).parent

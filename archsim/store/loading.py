"""Runs as people name them: a folder that a run was written to, or the id of a run in the store."""

from __future__ import annotations

import os
import string
from pathlib import Path

from archsim.errors import ArchsimError, Problem
from archsim.result import Result, load_result
from archsim.store.database import SHORTEST_ID, Store

RUNS = "a folder that 'archsim run ... -o FOLDER' wrote, or the id of a stored run ('archsim runs list')"


def is_id(name: object) -> bool:
    """Whether a name is the id of a run: hexadecimal digits, and no file or folder is called so."""
    text = name if isinstance(name, str) else ""
    return len(text) >= SHORTEST_ID and not set(text) - set(string.hexdigits) and not os.path.exists(text)


def existing_store(store: Store | str | Path | None = None) -> Store:
    """A store to read: itself, its file, which must be there, or the default one, which may be empty yet."""
    found = store if isinstance(store, Store) else Store(store)
    if store is not None and not found.path.exists():
        raise ArchsimError(Problem("there is no such store of results", file=str(found.path)))
    return found


def load_run(run: Result | str | Path, store: Store | str | Path | None = None) -> Result:
    """A run, by itself, by its folder, or by its id in a store (the default one unless stated).

    A file or folder goes before an id. ArchsimError where there is none.
    """
    if isinstance(run, Result):
        return run
    if is_id(run):
        return existing_store(store).find(str(run))
    if not os.path.exists(run):
        raise ArchsimError(Problem("no result here", file=str(run), allowed=RUNS))
    return load_result(run)


def named_run(run: Result | str | Path, store: Store | str | Path | None) -> Result:
    """:func:`load_run`; ArchsimError also for a store that is stated though the run is not named by an id."""
    if store is None or is_id(run):
        return load_run(run, store)
    text = "changes nothing: only runs that are named by an id come from a store"
    problem = Problem(text, key="store", value=str(store.path if isinstance(store, Store) else store))
    try:
        load_run(run)
    except ArchsimError as error:
        raise ArchsimError([problem, *error.problems]) from None
    raise ArchsimError(problem)

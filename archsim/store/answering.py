"""Asking the store first, and keeping what it did not know."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from archsim.errors import ArchsimError, ConfigError, Problem
from archsim.store.database import ID_LENGTH, Store, StoredRun
from archsim.store.key import key_of

if TYPE_CHECKING:
    from archsim.request import Request
    from archsim.result import Result


@dataclass(frozen=True)
class Answer:
    """A result, and where it came from: ``stored`` is the store's line if it was there, None if it was executed now.

    ``key`` is empty where no store was asked; ``unsaved`` says why a fresh result is not kept.
    """

    result: Result
    key: str = ""
    stored: StoredRun | None = None
    unsaved: ArchsimError | None = None

    @property
    def origin(self) -> str:
        """One line for people: that the answer was stored (id, when) or is now, or why not; empty without a store."""
        if self.unsaved is not None:
            return f"not stored: {self.unsaved.problems[0]}"
        if self.stored is None:
            return f"stored: run {self.key[:ID_LENGTH]}" if self.key else ""
        took = f"executed {self.stored.when} in {self.stored.seconds:.2g} s"
        return f"from the store: run {self.stored.id}, {took} by engine {self.result.engine}"


def opened(store: Store | str | Path) -> Store:
    """A store, from itself or from its file; ArchsimError where nothing could be put into it."""
    found = store if isinstance(store, Store) else Store(store)
    found.check()
    return found


def chosen(file: str | Path | None, wanted: bool = True) -> Store | ArchsimError | None:
    """The store of a command: the file that it names, the default one, or None where none is ``wanted``.

    What is wrong with a file that was named is raised; what is wrong with the default one is returned, as nobody asked
    for it and the command can do without.
    """
    if file is not None and not wanted:
        raise ConfigError(Problem("contradicts --no-store", key="--store", value=str(file)))
    if file is not None:
        return opened(file)
    try:
        return opened(Store()) if wanted else None
    except ArchsimError as error:
        return error


def answer(
    request: Request, store: Store | ArchsimError | None, execute: Callable[[], Result], anew: bool = False
) -> Answer:
    """The stored answer to a request, or the one that ``execute`` gives, which is then kept.

    ``anew`` executes what is stored, too: for callers that watch the execution, which is not stored.
    A result that cannot be kept (a full disk, a default store that is unusable) is returned all the same. ArchsimError
    of the execution, and for a store that cannot be read.
    """
    if not isinstance(store, Store):
        return Answer(execute(), unsaved=store)
    key = key_of(request)
    known = None if anew else store.get(key)
    if known is not None:
        return Answer(known, key, store.row(key))
    began = time.perf_counter()
    result = execute()
    try:
        store.put(key, result, time.perf_counter() - began)
    except ArchsimError as error:
        return Answer(result, key, unsaved=error)
    return Answer(result, key)

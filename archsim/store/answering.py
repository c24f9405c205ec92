"""Asking the store first, and keeping what it did not know."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from archsim.errors import ArchsimError
from archsim.request import Request
from archsim.result import Result
from archsim.store.database import ID_LENGTH, Store, StoredRun
from archsim.store.key import key_of


@dataclass(frozen=True)
class Answer:
    """A result, and where it came from: ``stored`` is the store's line if it was there, None if it was executed now.

    ``unsaved`` says why a fresh result could not be kept.
    """

    result: Result
    key: str
    stored: StoredRun | None = None
    unsaved: ArchsimError | None = None

    @property
    def origin(self) -> str:
        """One line for a stored answer: its id, when it was executed and how long that took; else nothing."""
        if self.stored is None:
            return ""
        return f"from the store: run {self.key[:ID_LENGTH]}, executed {self.stored.when} in {self.stored.seconds:.3g} s"


def opened(store: Store | str | Path) -> Store:
    """A store, from itself or from its file; ArchsimError where nothing could be put into it."""
    found = store if isinstance(store, Store) else Store(store)
    found.check()
    return found


def answer(request: Request, store: Store, execute: Callable[[], Result]) -> Answer:
    """The stored answer to a request, or the one that ``execute`` gives, which is then kept.

    A result that cannot be kept (a full disk) is returned all the same. ArchsimError of the execution, and for a store
    that cannot be read.
    """
    key = key_of(request)
    known = store.get(key)
    if known is not None:
        return Answer(known, key, store.row(key))
    began = time.perf_counter()
    result = execute()
    try:
        store.put(key, result, time.perf_counter() - began)
    except ArchsimError as error:
        return Answer(result, key, unsaved=error)
    return Answer(result, key)

"""Runs as people name them: a folder that a run was written to, or the id of a run in the store."""

from __future__ import annotations

import os
import string
from pathlib import Path

from archsim.result import Result, load_result
from archsim.store.database import SHORTEST_ID, Store


def is_id(name: object) -> bool:
    """Whether a name is the id of a run: hexadecimal digits, and no file or folder is called so."""
    text = name if isinstance(name, str) else ""
    return len(text) >= SHORTEST_ID and not set(text) - set(string.hexdigits) and not os.path.exists(text)


def load_run(run: Result | str | Path, store: Store | None = None) -> Result:
    """A run, by itself, by its folder, or by its id in a store (the default one unless stated).

    A file or folder goes before an id. ArchsimError where there is none.
    """
    if isinstance(run, Result):
        return run
    return (store or Store()).find(str(run)) if is_id(run) else load_result(run)

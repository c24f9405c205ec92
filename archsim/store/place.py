"""Where the store lies when nobody says."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from archsim.errors import ArchsimError, Problem

VARIABLE = "ARCHSIM_STORE"
FILE = "runs.sqlite"


def default_place() -> Path:
    """``$ARCHSIM_STORE``, else ``archsim/runs.sqlite`` in the user's data folder.

    That folder is %LOCALAPPDATA%, ~/Library/Application Support, or by the XDG rules ``$XDG_DATA_HOME`` or
    ~/.local/share. ArchsimError where the user has no home.
    """
    if named := os.environ.get(VARIABLE):
        return Path(named)
    try:
        return _data_folder() / "archsim" / FILE
    except RuntimeError:
        text = f"no home folder for the store of results; name a file in ${VARIABLE}"
        raise ArchsimError(Problem(text)) from None


def _data_folder() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    named = os.environ.get("XDG_DATA_HOME", "")
    return Path(named) if os.path.isabs(named) else Path.home() / ".local" / "share"

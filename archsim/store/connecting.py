"""Opening the store's file: made where it is missing, refused where it is something else, tried again while busy."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

from archsim.errors import ArchsimError, Problem

BUSY_SECONDS = 30.0
APPLICATION_ID = 0x61724D31  # in the file's header: a store of archsim, and not another program's database
_CANNOT_MAKE = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN)
TABLE = """
CREATE TABLE runs (
    key TEXT PRIMARY KEY, arch TEXT NOT NULL, workload TEXT NOT NULL, stored_at TEXT NOT NULL,
    energy_pj REAL NOT NULL, latency_ns REAL NOT NULL, area_um2 REAL NOT NULL, seconds REAL NOT NULL,
    overrides TEXT NOT NULL, result BLOB NOT NULL
)
"""


def connect(path: Path, schema_version: int, for_writing: bool) -> sqlite3.Connection | None:
    """A connection to a store of this version, which is made when it is to be written; None where there is none yet.

    ArchsimError for what is no store or a newer one; sqlite3.Error or OSError for what cannot be opened.
    """
    if path.is_dir():
        raise ArchsimError(Problem("is a folder, not a store of results", file=str(path)))
    if for_writing:
        path.parent.mkdir(parents=True, exist_ok=True)
    elif not path.exists():
        return None
    try:
        return _store_in(path, schema_version, for_writing)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        raise ArchsimError(Problem(f"not a store of results: {error}", file=str(path))) from None


def _store_in(path: Path, schema_version: int, for_writing: bool) -> sqlite3.Connection | None:
    database = _open(path, for_writing)
    try:
        if _checked(database, path, schema_version):
            return database
        if for_writing:
            _create(database, path, schema_version)
            return database
        database.close()
        return None
    except BaseException:
        database.close()
        raise


def _open(path: Path, for_writing: bool) -> sqlite3.Connection:
    """Open a file. Where the files that WAL needs cannot be made beside it (no rights; to read it, no room either), it
    is opened as it is, to be read only, unless somebody's writing waits in them."""
    try:
        database = _plain(str(path))
        database.execute("PRAGMA schema_version")
        return database
    except sqlite3.OperationalError as error:
        no_rights = not os.access(path.parent, os.W_OK)
        no_room = not for_writing and error.sqlite_errorcode & 0xFF in _CANNOT_MAKE
        if not path.exists() or _has_log(path) or not (no_rights or no_room):
            raise
    database = _plain(f"{path.resolve().as_uri()}?immutable=1", uri=True)
    database.execute("PRAGMA query_only = 1")
    return database


def only_reads(database: sqlite3.Connection) -> bool:
    """Whether a connection was opened where nothing can be written."""
    return bool(database.execute("PRAGMA query_only").fetchone()[0])


def _has_log(path: Path) -> bool:
    log = path.with_name(path.name + "-wal")
    return log.exists() and log.stat().st_size > 0


def _plain(name: str, uri: bool = False) -> sqlite3.Connection:
    database = sqlite3.connect(name, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, uri=uri)
    database.execute("PRAGMA synchronous = NORMAL")
    return database


def _checked(database: sqlite3.Connection, path: Path, schema_version: int) -> bool:
    """Whether it is a store of this version; False for an empty file."""
    (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (application,) = database.execute("PRAGMA application_id").fetchone()
    (found,) = database.execute("PRAGMA user_version").fetchone()
    if application == 0 and tables == 0:
        return False
    if application != APPLICATION_ID:
        raise ArchsimError(Problem("not a store of results: the database of another program", file=str(path)))
    if found > schema_version:
        text = "a newer archsim wrote this store of results; update archsim, or name another file with --store"
        allowed = f"version {schema_version}"
        raise ArchsimError(Problem(text, file=str(path), value=f"version {found}", allowed=allowed))
    return True


def _create(database: sqlite3.Connection, path: Path, schema_version: int) -> None:
    """Make the table in one transaction; of several processes that come at once, the first one does."""
    _write_ahead(database)
    database.execute("BEGIN IMMEDIATE")
    try:
        if not _checked(database, path, schema_version):
            database.execute(TABLE)
            database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            database.execute(f"PRAGMA user_version = {schema_version}")
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def _write_ahead(database: sqlite3.Connection) -> None:
    """Readers never wait for writers from here on; SQLite does not wait by itself while others do the same."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)

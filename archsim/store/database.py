"""The SQLite file: one table of runs, each a result as compressed JSON beside the columns that listings show."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from archsim.errors import ArchsimError, Problem, nearest
from archsim.result import Result, writable_folder
from archsim.store.asked import Asked, asked_of, read_asked
from archsim.store.connecting import connect, only_reads
from archsim.store.packing import DamagedError, pack, unpack
from archsim.store.place import default_place

T = TypeVar("T")
SCHEMA_VERSION = 1
ID_LENGTH = 10
SHORTEST_ID = 4
ROOM_BYTES = 1 << 16
COLUMNS = "key, arch, workload, stored_at, energy_pj, latency_ns, area_um2, seconds, overrides"
PUT = f"INSERT OR REPLACE INTO runs ({COLUMNS}, result) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True)
class StoredRun:
    """One line of the listing; ``id`` is a prefix of ``key``, ``when`` is UTC, ``seconds`` is what executing took."""

    id: str
    arch: str
    workload: str
    when: str
    energy_pj: float
    latency_ns: float
    area_um2: float
    seconds: float
    key: str
    asked: Asked

    @property
    def overrides(self) -> tuple[str, ...]:
        """Of ``asked``."""
        return self.asked.overrides

    def to_data(self) -> dict[str, Any]:
        """The line as plain data, what was asked among the rest."""
        data = asdict(self)
        asked: dict[str, Any] = data.pop("asked")
        return data | asked


class Store:
    """Results by the hash of their question (``archsim.store.key_of``).

    ``path`` is the SQLite file; without one it is ``$ARCHSIM_STORE`` or lies in the user's data folder. Folder and file
    are made when something is first put. Several processes may read and write at once, and a process that is killed
    leaves whole answers only. A store may be handed to other processes and threads. Every method raises ArchsimError
    for a file that is no store, that a newer archsim wrote, or that cannot be read or written.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        if path is not None and not str(path):
            raise ArchsimError(Problem("the name of the store's file is empty", key="store"))
        self.path = default_place() if path is None else Path(path)
        self._connections = threading.local()

    def __repr__(self) -> str:
        return f"Store({str(self.path)!r})"

    def __reduce__(self) -> tuple[type[Store], tuple[Path]]:
        return Store, (self.path.absolute(),)  # another process may stand in another folder

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(self, key: str) -> Result | None:
        """The result that was put under a key; None where there is none, or a damaged one."""
        found = self._read("SELECT result FROM runs WHERE key = ?", (key,))
        try:
            return unpack(found[0][0]) if found else None
        except DamagedError:
            return None

    def row(self, key: str) -> StoredRun | None:
        """The line of the listing for a key; None where there is none."""
        found = self._read(f"SELECT {COLUMNS} FROM runs WHERE key = ?", (key,))
        return _stored_run(found[0]) if found else None

    def put(self, key: str, result: Result, seconds: float) -> None:
        """Keep a result that took ``seconds`` to compute; it replaces what stood under the key, whole or not at all."""
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        overrides = json.dumps(asdict(asked_of(result)))
        values = (
            key, result.arch, result.workload, now, result.energy_pj, result.latency_ns, result.area_um2, seconds,
            overrides, pack(result),
        )  # fmt: skip
        self._write(lambda database: database.execute(PUT, values))

    def rows(self) -> tuple[StoredRun, ...]:
        """All runs, the oldest first."""
        return tuple(_stored_run(row) for row in self._read(f"SELECT {COLUMNS} FROM runs ORDER BY rowid"))

    def resolve(self, id_prefix: str) -> str:
        """The key that begins with an id. ArchsimError where none does (with the nearest id), or several do."""
        text = str(id_prefix).lower()
        if len(text) < SHORTEST_ID:
            allowed = f"at least {SHORTEST_ID} digits"
            raise ArchsimError(Problem("too short for the id of a run", value=id_prefix, allowed=allowed))
        found = [row[0] for row in self._read("SELECT key FROM runs WHERE substr(key, 1, ?) = ?", (len(text), text))]
        if len(found) == 1:
            return str(found[0])
        if found:
            listed = ", ".join(key[: max(ID_LENGTH, len(text) + 2)] for key in found[:5])
            raise ArchsimError(Problem("several runs of the store begin so", value=id_prefix, allowed=listed))
        near = nearest(text[:ID_LENGTH], (row.id for row in self.rows()))
        raise ArchsimError(Problem("no run of the store has this id", file=str(self.path), value=id_prefix,
                                   allowed="an id that 'archsim runs list' shows", nearest=near))  # fmt: skip

    def find(self, id_prefix: str) -> Result:
        """The result whose key begins with an id. ArchsimError where none does, several do, or it is damaged."""
        key = self.resolve(id_prefix)
        try:
            return unpack(self._read("SELECT result FROM runs WHERE key = ?", (key,))[0][0])
        except (DamagedError, IndexError):
            text = f"this run is damaged; 'archsim runs rm {key[:ID_LENGTH]}' removes it"
            raise ArchsimError(Problem(text, file=str(self.path), value=id_prefix)) from None

    def remove(self, ids: str | Iterable[str]) -> int:
        """Remove runs by id and return how many; nothing is removed while an id is wrong."""
        problems: list[Problem] = []
        keys: set[str] = set()
        for text in (ids,) if isinstance(ids, str) else ids:
            try:
                keys.add(self.resolve(text))
            except ArchsimError as error:
                problems += error.problems
        if problems:
            raise ArchsimError(problems)
        if keys:
            named = [(key,) for key in sorted(keys)]
            self._write(lambda database: database.executemany("DELETE FROM runs WHERE key = ?", named))
        return len(keys)

    def check(self) -> None:
        """ArchsimError where nothing could be put: the folder, the file or its version is wrong. Makes nothing."""
        database = self._opened(for_writing=False)
        if database is None:
            writable_folder(self.path.parent)
        else:
            self._write(lambda opened: opened.execute("DELETE FROM runs WHERE key = ''"))

    def close(self) -> None:
        """Close this thread's connection; the next call opens it again."""
        database = self._connection()
        if database is not None:
            database.close()
        self._connections.held = None

    def _read(self, query: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        database = self._opened(for_writing=False)
        return [] if database is None else self._named(lambda: database.execute(query, values).fetchall(), "read")

    def _write(self, change: Callable[[sqlite3.Connection], Any]) -> None:
        database = self._opened(for_writing=True)
        assert database is not None

        def transaction() -> None:
            with database:
                database.execute("BEGIN IMMEDIATE")
                change(database)

        self._named(transaction, "write")

    def _connection(self) -> sqlite3.Connection | None:
        """This thread's open connection; one that a parent process opened is never used, nor closed."""
        held = getattr(self._connections, "held", None)
        return held[1] if held is not None and held[0] == os.getpid() else None

    def _opened(self, for_writing: bool) -> sqlite3.Connection | None:
        database = self._connection()
        if database is not None and for_writing and only_reads(database):
            self.close()  # by now there may be room to write
            database = None
        if database is None:
            database = self._named(lambda: connect(self.path, SCHEMA_VERSION, for_writing), "open")
            if database is not None:
                self._connections.inherited = getattr(self._connections, "held", None)
                self._connections.held = (os.getpid(), database)
        return database

    def _named(self, step: Callable[[], T], verb: str) -> T:
        """Run a step; what SQLite or the system says against it becomes one ArchsimError."""
        try:
            return step()
        except (sqlite3.Error, OSError, ValueError) as error:
            reason = "no space left on device" if self._is_full() else getattr(error, "strerror", None) or str(error)
            text = f"cannot {verb} the store of results: {reason[:1].lower() + reason[1:]}"
            raise ArchsimError(Problem(text, file=str(self.path))) from error

    def _is_full(self) -> bool:
        """Whether the disk has no room for what SQLite needs; it says no more than 'disk I/O error' then."""
        try:
            return shutil.disk_usage(self.path.parent).free < ROOM_BYTES
        except OSError:
            return False


def _stored_run(row: tuple[Any, ...]) -> StoredRun:
    key, arch, workload, stored_at, energy_pj, latency_ns, area_um2, seconds, overrides = row
    return StoredRun(
        key[:ID_LENGTH], arch, workload, stored_at, energy_pj, latency_ns, area_um2, seconds, key,
        read_asked(json.loads(overrides)),
    )  # fmt: skip

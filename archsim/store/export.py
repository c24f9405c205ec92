"""Stored runs as one table for other tools: CSV, or Parquet where pyarrow is installed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.errors import ArchsimError, Problem, nearest
from archsim.result import TABLES, Result, writable_folder, written_whole
from archsim.store.asked import asked_of
from archsim.store.database import Store, StoredRun
from archsim.store.loading import existing_store

if TYPE_CHECKING:
    import pandas as pd

RUNS = "runs"
KINDS = (RUNS, *TABLES)
ENDINGS = (".csv", ".parquet")
LARGEST = 2**63 - 1  # that a column of whole numbers holds
FIGURES = (
    "engine", "timesteps", "tasks", "clock_mhz", "node_nm", "cycles", "latency_ns", "energy_pj", "dynamic_pj",
    "static_pj", "edp_pj_ns", "area_um2", "power_mw", "peak_power_mw", "throughput_per_s", "interval_cycles",
    "steady_energy_pj", "synaptic_operations", "synthetic", "verdict",
)  # fmt: skip


def export_runs(
    file: str | Path, ids: str | Iterable[str] = (), table: str = RUNS, store: Store | str | Path | None = None
) -> Path:
    """Write stored runs (all of them, or those of the given ids) to a .csv or .parquet file, whole or not at all.

    ``table`` is ``runs``, one line per run with its figures, or a table of results (``counts``, ``layers``, ...), the
    lines of all runs under each other with the run's id in front. Cells that hold several values are JSON. ArchsimError
    for an unknown table, ending or id, for Parquet without pyarrow, and for a file that cannot be written.
    """
    path = Path(file)
    source = existing_store(store)
    problems = [*_wrong_table(table), *_wrong_file(path)]
    keys: set[str] = set()
    for text in (ids,) if isinstance(ids, str) else ids:
        try:
            keys.add(source.resolve(text))
        except ArchsimError as error:
            problems += error.problems
    if problems:
        raise ArchsimError(problems)
    _write(_frame(source, keys, table), path)
    return path


def _wrong_table(table: str) -> list[Problem]:
    if table in KINDS:
        return []
    near = nearest(table, KINDS)
    return [Problem("no such table", key="table", value=table, allowed=", ".join(KINDS), nearest=near)]


def _wrong_file(path: Path) -> list[Problem]:
    if path.suffix not in ENDINGS:
        return [Problem("unknown kind of table file", file=str(path), allowed=", ".join(ENDINGS))]
    if path.suffix == ".parquet" and find_spec("pyarrow") is None:
        text = "writing Parquet needs pyarrow: pip install 'archsim[parquet]', or name a .csv file"
        return [Problem(text, file=str(path))]
    if path.is_dir():
        return [Problem("is a folder, not a file", file=str(path))]
    try:
        writable_folder(path.parent)
    except ArchsimError as error:
        return list(error.problems)
    return []


def _frame(store: Store, keys: set[str], table: str) -> pd.DataFrame:
    import pandas

    lines: list[dict[str, Any]] = []
    for row in store.rows():
        if keys and row.key not in keys:
            continue
        result = store.get(row.key)
        if result is None:
            text = f"this run is damaged or gone; 'archsim runs rm {row.id}' removes it"
            raise ArchsimError(Problem(text, file=str(store.path), value=row.id))
        lines += [_line(row, result)] if table == RUNS else _lines(row, result, table)
    if not lines:
        text = "there is nothing to export: the runs have no such lines" if store.rows() else "the store is empty"
        raise ArchsimError(Problem(text, file=str(store.path)))
    return pandas.DataFrame(lines)


def _line(row: StoredRun, result: Result) -> dict[str, Any]:
    first = {"id": row.id, "arch": row.arch, "workload": row.workload, "when": row.when, "seconds": row.seconds}
    asked = asdict(asked_of(result))
    figures = {name: getattr(result, name) for name in FIGURES}
    hashes = {f"{name}_sha256": value for name, value in result.hashes.items()}
    return {name: _cell(value) for name, value in {**first, **asked, **figures, **hashes, "key": row.key}.items()}


def _lines(row: StoredRun, result: Result, table: str) -> Iterator[dict[str, Any]]:
    first = {"id": row.id, "arch": row.arch, "workload": row.workload}
    rows = (
        [{"level": level, "dynamic_pj": dynamic, "static_pj": static} for level, (dynamic, static) in _levels(result)]
        if table == "levels"
        else [asdict(one) for one in getattr(result, table)]
    )
    for one in rows:
        of_run = {(f"{table}_{name}" if name in first else name): _cell(value) for name, value in one.items()}
        yield first | of_run


def _levels(result: Result) -> Iterable[tuple[str, tuple[float, float]]]:
    return result.levels().items()


def _cell(value: Any) -> Any:
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value)
    return float(value) if isinstance(value, int) and abs(value) > LARGEST else value


def _write(frame: pd.DataFrame, path: Path) -> None:
    with written_whole(path, "the table") as part:
        if path.suffix == ".csv":
            frame.to_csv(part, index=False)
        else:
            frame.to_parquet(part, index=False)

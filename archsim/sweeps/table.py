"""A Sweep: one row per point, in the order of the points; written as CSV and read back. Immutable."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.errors import ArchsimError, Problem, nearest

if TYPE_CHECKING:
    import pandas as pd

    from archsim.result import OnChips, Result

OF_CHIPS = ("chip_accuracy", "chip_accuracy_spread", "chip_accuracy_worst")
METRICS = (
    "energy_pj", "dynamic_pj", "static_pj", "latency_ns", "area_um2", "edp_pj_ns", "throughput_per_s", "peak_power_mw",
    "power_mw", "cycles", "synaptic_operations", "accuracy", *OF_CHIPS,
)  # fmt: skip
FIRST, LAST = ("id", "arch", "workload"), ("status", "message")
OK, BROKEN, FAILED = "ok", "constraint", "failed"
FILE, JOURNAL, FORMAT = "results.csv", "points.jsonl", "archsim-sweep-1"
GOES_ON = "the same 'archsim sweep' command goes on"
WRITES_ANEW = "the same 'archsim sweep' command writes it anew"
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Sweep:
    """Every point of a sweep: what was varied, the numbers of its result, and how it went (ok, constraint, failed)."""

    name: str
    keys: tuple[str, ...]
    rows: tuple[Row, ...]
    objectives: tuple[str, ...] = ()  # of a search

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the table's columns, in order."""
        return (*FIRST, *self.keys, *METRICS, *LAST)

    def of(self, status: str) -> tuple[Row, ...]:
        """The rows of one status."""
        return tuple(row for row in self.rows if row["status"] == status)

    def frame(self) -> pd.DataFrame:
        """The table as a pandas DataFrame."""
        import pandas

        return pandas.DataFrame(list(self.rows), columns=list(self.columns))

    def to_csv(self) -> str:
        """The table as CSV (RFC 4180, lines end in a line feed); a missing number is an empty cell."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([_cell(row.get(column)) for column in self.columns] for row in self.rows)
        return text.getvalue()

    def to_text(self) -> str:
        """The one JSON object that ``--json`` prints."""
        sought = {"objectives": self.objectives} if self.objectives else {}
        body = {"format": FORMAT, "name": self.name, "keys": self.keys, **sought, "rows": self.rows}
        return json.dumps(body, indent=1, allow_nan=False)


def numbers_of(result: Result) -> dict[str, float | None]:
    """The numbers of a result that a sweep keeps."""
    known = {name: getattr(result, name) for name in METRICS}
    return known | {"accuracy": None if result.accuracy is None else result.accuracy.fraction}


def of_chips(found: OnChips | None) -> dict[str, float | None]:
    """The numbers of the accuracy on chips."""
    if found is None:
        return dict.fromkeys(OF_CHIPS)
    return dict(zip(OF_CHIPS, (found.mean, found.spread, found.worst), strict=True))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def load_sweep(folder: str | Path) -> Sweep:
    """Read the table that a sweep wrote. ArchsimError if it is not there or not a sweep's."""
    path = Path(folder) / FILE if Path(folder).is_dir() else Path(folder)
    try:
        lines = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    except (OSError, ValueError, csv.Error) as error:
        if _has_journal(path) and not path.exists():
            raise ArchsimError(Problem(f"the sweep is not finished: {GOES_ON}", file=str(folder))) from error
        hint = "a folder that 'archsim sweep' wrote"
        raise ArchsimError(Problem(f"no table of a sweep here{_anew(path)}", file=str(folder), allowed=hint)) from error
    header = tuple(lines[0]) if lines else ()
    if header[: len(FIRST)] != FIRST or header[-len(LAST) - len(METRICS) :] != (*METRICS, *LAST):
        text = f"not the table of a sweep of this version{_anew(path)}"
        raise ArchsimError(Problem(text, file=str(path), line=1))
    short = [number for number, line in enumerate(lines, start=1) if len(line) != len(header)]
    if short:
        raise ArchsimError(Problem(f"a damaged table: cells are missing{_anew(path)}", file=str(path), line=short[0]))
    keys = header[len(FIRST) : -len(LAST) - len(METRICS)]
    rows = tuple(_row(header, line, path, number) for number, line in enumerate(lines[1:], start=2))
    return Sweep(path.resolve().parent.name, keys, rows)


def _row(header: Sequence[str], line: Sequence[str], path: Path, number: int) -> Row:
    row: dict[str, Any] = dict(zip(header, line, strict=True))
    for name in METRICS:
        try:
            row[name] = float(row[name]) if row[name] else None
        except ValueError:
            text = f"a damaged table: not a number{_anew(path)}"
            raise ArchsimError(Problem(text, file=str(path), line=number, key=name, value=row[name])) from None
    return row


def _anew(path: Path) -> str:
    """How a table is mended whose points are kept beside it."""
    return f"; {WRITES_ANEW}" if _has_journal(path) else ""


def _has_journal(path: Path) -> bool:
    return (path.parent / JOURNAL).is_file()


def known_metric(name: str) -> str:
    """The name, if results have such a number; ArchsimError with the nearest one."""
    if name not in METRICS:
        near = nearest(name, METRICS)
        raise ArchsimError(Problem("no such number", value=name, allowed=", ".join(METRICS), nearest=near))
    return name

"""A result as compressed JSON and back, number by number the same."""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict, fields
from operator import attrgetter
from typing import Any

from archsim.result import FORMAT, Accuracy, ComponentRow, CountRow, LayerRow, OnChips, PathRow, Result, UnitRow

LEVEL = 3  # within a tenth of the best size, several times faster
ROWS: dict[str, type] = {
    "layers": LayerRow, "components": ComponentRow, "counts": CountRow, "units": UnitRow, "critical_path": PathRow
}  # fmt: skip
COLUMNS = {name: [field.name for field in fields(row_of)] for name, row_of in ROWS.items()}
VALUES = {name: attrgetter(*columns) for name, columns in COLUMNS.items()}
MEMBERS = COLUMNS["layers"].index("members")
TUPLES = ("samples", "assumptions", "per_sample", "vary_costs")
ACCURACIES: dict[str, type] = {"accuracy": Accuracy, "on_chips": OnChips}
"""Parts that a result may have; runs that were stored before there were any have none."""
NAMES = tuple(field.name for field in fields(Result))


class DamagedError(ValueError):
    """What the store holds is not a result."""


def pack(result: Result) -> bytes:
    """The result as JSON, its tables as lists of values under their columns' names, compressed with a checksum.

    ArchsimError for figures that are not finite.
    """
    body: dict[str, Any] = {name: getattr(result, name) for name in NAMES}
    for name, values_of in VALUES.items():
        body[name] = [values_of(row) for row in body[name]]
    try:
        text = json.dumps({"format": FORMAT, "columns": COLUMNS, **body}, allow_nan=False, default=asdict)
    except ValueError:
        result.to_text()  # names the figures
        raise
    return zlib.compress(text.encode(), LEVEL)


def unpack(content: bytes) -> Result:
    """The result that was packed. Whole numbers stay whole, so that its text is the same, byte by byte."""
    try:
        body = json.loads(zlib.decompress(content))
        if (body["format"], body["columns"]) != (FORMAT, COLUMNS):
            raise DamagedError(f"not a result of this version: {body['format']}")
        return _result(body)
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise DamagedError(str(error)) from error


def _result(body: dict[str, Any]) -> Result:
    given = {name: body[name] for name in NAMES if name in body or name not in ACCURACIES}
    for name, kind in ACCURACIES.items():
        if given.get(name) is not None:
            parts = {key: tuple(part) if isinstance(part, list) else part for key, part in given[name].items()}
            given[name] = kind(**parts)
    for values in given["layers"]:
        values[MEMBERS] = tuple(values[MEMBERS])
    for name, row_of in ROWS.items():
        given[name] = tuple(row_of(*values) for values in given[name])
    for name in TUPLES:
        given[name] = tuple(given[name])
    return Result(**given)

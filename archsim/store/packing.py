"""A result as compressed JSON and back, number by number the same."""

from __future__ import annotations

import json
import zlib
from dataclasses import fields
from typing import Any

from archsim.result import FORMAT, ComponentRow, CountRow, LayerRow, PathRow, Result, UnitRow

LEVEL = 3  # within a tenth of the best size, several times faster
ROWS: dict[str, type] = {
    "layers": LayerRow, "components": ComponentRow, "counts": CountRow, "units": UnitRow, "critical_path": PathRow
}  # fmt: skip
TUPLES = ("samples", "assumptions", "per_sample", "vary_costs")
NAMES = tuple(field.name for field in fields(Result))


class DamagedError(ValueError):
    """What the store holds is not a result."""


def pack(result: Result) -> bytes:
    """The JSON that :meth:`Result.to_text` gives, compressed; its checksum is part of the format."""
    return zlib.compress(result.to_text().encode(), LEVEL)


def unpack(content: bytes) -> Result:
    """The result that was packed. Whole numbers stay whole, so that its text is the same, byte by byte."""
    try:
        body = json.loads(zlib.decompress(content))
        if body["format"] != FORMAT:
            raise DamagedError(f"not a result of this version: {body['format']}")
        return _result(body)
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise DamagedError(str(error)) from error


def _result(body: dict[str, Any]) -> Result:
    given = {name: body[name] for name in NAMES}
    for name, row_of in ROWS.items():
        given[name] = tuple(row_of(**row) for row in given[name])
    given["layers"] = tuple(LayerRow(**(row | {"members": tuple(row["members"])})) for row in body["layers"])
    for name in TUPLES:
        given[name] = tuple(given[name])
    return Result(**given)

"""The CSV grids beside a cost table: gates by width, SRAM banks, converters, factors between nodes."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final

from archsim.config.reading import was_read
from archsim.cost.schema import GridModel
from archsim.errors import ConfigError, Problem

Row = dict[str, str]
TEXT_COLUMNS: Final = ("primitive", "cell", "vdd_source")
WHOLE_COLUMNS: Final = ("depth", "bits")
SIGNED_COLUMNS: Final = ("depth", "hp_a2", "hp_a1", "hp_a0", "lp_a2", "lp_a1", "lp_a0")
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "gates": ("primitive", "depth", "bits", "area_um2", "dynamic_mw", "leakage_uw"),
    "sram": ("node_nm", "cell", "size_bytes", "line_bytes", "read_pj", "write_pj", "leakage_mw", "area_um2"),
    "scaling": ("node_nm", "area", "hp_a2", "hp_a1", "hp_a0", "lp_a2", "lp_a1", "lp_a0", "vdd_v", "vdd_source"),
    "adc": ("node_nm", "bits", "samples_per_s", "convert_pj", "leakage_mw", "area_um2"),
}


@dataclass(frozen=True)
class Grid:
    """The rows of one CSV file (lines that start with # are provenance), with the source that all of them share."""

    kind: str
    model: GridModel
    text: str
    rows: tuple[Row, ...]

    @cached_property
    def gates(self) -> dict[str, dict[str, dict[tuple[int, int], float]]]:
        """primitive -> quantity (dynamic_mw, leakage_uw, area_um2) -> (depth, bits) -> figure."""
        tables: dict[str, dict[str, dict[tuple[int, int], float]]] = {}
        for row in self.rows:
            quantities = tables.setdefault(row["primitive"], {})
            for name in ("dynamic_mw", "leakage_uw", "area_um2"):
                quantities.setdefault(name, {})[int(row["depth"]), int(row["bits"])] = float(row[name])
        return tables

    @cached_property
    def sram(self) -> dict[tuple[float, str], dict[str, dict[tuple[float, float], float]]]:
        """(node, cell) -> quantity (read_pj, write_pj, leakage_mw, area_um2) -> (bank bytes, line bytes) -> figure."""
        tables: dict[tuple[float, str], dict[str, dict[tuple[float, float], float]]] = {}
        for row in self.rows:
            quantities = tables.setdefault((float(row["node_nm"]), row["cell"]), {})
            place = float(row["size_bytes"]), float(row["line_bytes"])
            for name in ("read_pj", "write_pj", "leakage_mw", "area_um2"):
                quantities.setdefault(name, {})[place] = float(row[name])
        return tables

    @cached_property
    def adc(self) -> dict[int, dict[str, dict[tuple[float, float], float]]]:
        """bits -> quantity (convert_pj, leakage_mw, area_um2) -> (node, samples per second) -> figure."""
        tables: dict[int, dict[str, dict[tuple[float, float], float]]] = {}
        for row in self.rows:
            quantities = tables.setdefault(int(row["bits"]), {})
            place = float(row["node_nm"]), float(row["samples_per_s"])
            for name in ("convert_pj", "leakage_mw", "area_um2"):
                quantities.setdefault(name, {})[place] = float(row[name])
        return tables


def read_grid(kind: str, model: GridModel, folder: Path | None, blame: Callable[[str], Problem]) -> Grid:
    """Read and check one CSV file; ``blame(message)`` says which key of which file named it.

    ConfigError: not found, not text, columns missing, figures that are not numbers.
    """
    path = (folder or Path()) / model.file
    try:
        content = path.read_bytes()
        text = content.decode("utf-8").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise ConfigError(blame(f"the table cannot be read: {getattr(error, 'strerror', None) or error}")) from None
    was_read(path, content)
    return _grid_of(kind, model, text)


@lru_cache(maxsize=16)
def _grid_of(kind: str, model: GridModel, text: str) -> Grid:
    """The grid of a file's text; those read last are kept, as every cost overlay lies over the same ones."""
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line and not line.startswith("#")]
    rows = list(csv.DictReader(line for _, line in lines))
    _check(kind, model.file, [number for number, _ in lines[1:]], rows)
    return Grid(kind, model, text, tuple(rows))


def _check(kind: str, file: str, lines: Sequence[int], rows: Sequence[Row]) -> None:
    missing = [name for name in COLUMNS[kind] if not rows or name not in rows[0]]
    if missing:
        raise ConfigError(
            Problem(f"columns missing: {', '.join(missing)}", file, allowed=", ".join(COLUMNS[kind]))
        )  # fmt: skip
    problems = []
    for number, row in zip(lines, rows, strict=False):
        for name in COLUMNS[kind]:
            fault = _fault(name, row[name])
            if fault:
                problems.append(Problem(fault, file, number, name, row[name]))
    if problems:
        raise ConfigError(problems)


def _fault(column: str, text: str | None) -> str | None:
    if not (text or "").strip():
        return "is missing"
    if column in TEXT_COLUMNS or text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        return "is not a finite number"
    if number <= 0 and column not in SIGNED_COLUMNS:
        return "must be above zero"
    return "is not a whole number" if column in WHOLE_COLUMNS and not number.is_integer() else None

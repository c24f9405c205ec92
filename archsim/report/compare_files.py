"""A comparison as files: its folder (``compare.json``, figures, tables as CSV), and one of its figures alone."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping
from functools import partial
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from archsim.comparison import TABLES
from archsim.comparison.folder import (
    DATA_FILE,
    FIGURES,
    OVERVIEW,
    figure_of,
    place_for_comparison,
    place_for_figure,
    write_whole,
)
from archsim.report.compare_figure import compared
from archsim.report.compare_waterfall import waterfall
from archsim.report.style import paper

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from archsim.comparison import Comparison

CLIP_PATH = re.compile(rb"(?<=[#\"])p[0-9a-f]{10}(?=[)\"])")
MAKERS: Mapping[str, Callable[[Comparison], Figure]] = {
    OVERVIEW: compared,
    "energy": partial(waterfall, quantity="energy"),
    "latency": partial(waterfall, quantity="latency"),
    "area": partial(waterfall, quantity="area"),
}


def save_comparison(
    comparison: Comparison, folder: str | Path | None = None, figure: str | Path | None = None, draw: str = OVERVIEW
) -> tuple[Path, ...]:
    """Write data (``compare.json``, a CSV file for each table) and all figures into ``folder``, and one to ``figure``.

    Either may be left out; ``draw`` (overview, energy, latency or area) says which figure goes to the file ``figure``
    (.png, .svg or .pdf). An earlier comparison in the folder is replaced. All files are written, or none: ArchsimError
    for a folder that holds something else, for an unknown ending or figure, and where there are no rights or room.
    """
    figure_of(draw, figure)
    files: dict[Path, bytes] = {}
    if folder is not None:
        place_for_comparison(folder)
        path = Path(folder)
        files[path / DATA_FILE] = comparison.to_text(indent=1).encode()
        files |= {path / f"{table}.csv": _csv(comparison, table) for table in TABLES}
        files |= {path / file: _drawn(comparison, name, ".png") for name, file in FIGURES.items()}
    if figure is not None:
        place_for_figure(figure)
        files[Path(figure)] = _drawn(comparison, draw, Path(figure).suffix)
    return write_whole(files)


def _csv(comparison: Comparison, table: str) -> bytes:
    """The table with a line of column names, which stands alone where there are no rows."""
    rows = comparison.rows(table)
    stream = StringIO(newline="")
    writer = csv.DictWriter(stream, list(rows[0]) if rows else ["key", *(side.label for side in comparison.sides)])
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().encode()


def _drawn(comparison: Comparison, what: str, ending: str) -> bytes:
    stream = BytesIO()
    with paper():
        metadata = {"Date": None} if ending == ".svg" else None
        MAKERS[what](comparison).savefig(stream, format=ending.removeprefix("."), metadata=metadata)
    return _numbered(stream.getvalue()) if ending == ".svg" else stream.getvalue()


def _numbered(svg: bytes) -> bytes:
    """The same with clip paths numbered as they come: their names are hashes of lengths whose last digits vary."""
    names = dict.fromkeys(CLIP_PATH.findall(svg))
    number = {name: b"clip%d" % at for at, name in enumerate(names, 1)}
    return CLIP_PATH.sub(lambda found: number[found.group()], svg)

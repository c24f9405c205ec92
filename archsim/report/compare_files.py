"""A comparison as files: its folder (``compare.json`` and ``compare.png``), and its figure alone."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from archsim.comparison.folder import (
    DATA_FILE,
    FIGURE_FILE,
    place_for_comparison,
    place_for_figure,
    write_whole,
)
from archsim.report.compare_figure import compared
from archsim.report.style import paper

if TYPE_CHECKING:
    from archsim.comparison import Comparison

CLIP_PATH = re.compile(rb"(?<=[#\"])p[0-9a-f]{10}(?=[)\"])")


def save_comparison(
    comparison: Comparison, folder: str | Path | None = None, figure: str | Path | None = None
) -> tuple[Path, ...]:
    """Write ``compare.json`` and ``compare.png`` into ``folder``, and the figure alone to the file ``figure``.

    Either may be left out; figures are .png, .svg or .pdf. An earlier comparison in the folder is replaced. All files
    are written, or none: ArchsimError for a folder that holds something else, for an unknown ending, and where there
    are no rights or room.
    """
    files: dict[Path, bytes] = {}
    if folder is not None:
        place_for_comparison(folder)
        files[Path(folder) / DATA_FILE] = comparison.to_text(indent=1).encode()
        files[Path(folder) / FIGURE_FILE] = _drawn(comparison, ".png")
    if figure is not None:
        place_for_figure(figure)
        files[Path(figure)] = _drawn(comparison, Path(figure).suffix)
    return write_whole(files)


def _drawn(comparison: Comparison, ending: str) -> bytes:
    stream = BytesIO()
    with paper():
        metadata = {"Date": None} if ending == ".svg" else None
        compared(comparison).savefig(stream, format=ending.removeprefix("."), metadata=metadata)
    return _numbered(stream.getvalue()) if ending == ".svg" else stream.getvalue()


def _numbered(svg: bytes) -> bytes:
    """The same with clip paths numbered as they come: their names are hashes of lengths whose last digits vary."""
    names = dict.fromkeys(CLIP_PATH.findall(svg))
    number = {name: b"clip%d" % at for at, name in enumerate(names, 1)}
    return CLIP_PATH.sub(lambda found: number[found.group()], svg)

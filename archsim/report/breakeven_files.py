"""A break-even as files: ``breakeven.json`` and its figure in one folder, and the figure alone."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from archsim.report.breakeven_figures import over_rates
from archsim.report.style import paper
from archsim.result import writable_folder, written_whole

if TYPE_CHECKING:
    from archsim.crossover import Breakeven

DATA_FILE, FIGURE_FILE = "breakeven.json", "breakeven.png"


def save_breakeven(
    answer: Breakeven, folder: str | Path | None = None, figure: str | Path | None = None
) -> tuple[Path, ...]:
    """Write ``breakeven.json`` and ``breakeven.png`` into ``folder``, and the figure to ``figure`` (.png, .svg, .pdf).

    Either may be left out. Returns the paths; ArchsimError where that cannot be written.
    """
    files: dict[Path, bytes] = {}
    if folder is not None:
        writable_folder(folder)
        files[Path(folder) / DATA_FILE] = answer.to_text().encode()
        files[Path(folder) / FIGURE_FILE] = _drawn(answer, ".png")
    if figure is not None:
        files[Path(figure)] = _drawn(answer, Path(figure).suffix)
    for path, content in files.items():
        with written_whole(path, "the break-even") as part:
            part.write_bytes(content)
    return tuple(files)


def _drawn(answer: Breakeven, ending: str) -> bytes:
    stream = BytesIO()
    with paper():
        metadata = {"Date": None} if ending.lower() == ".svg" else None
        over_rates(answer).savefig(stream, format=ending.lower().removeprefix("."), metadata=metadata)
    return stream.getvalue()

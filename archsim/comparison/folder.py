"""Where a comparison is written: whether it can be, and writing all of its files or none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from archsim.errors import ArchsimError, Problem, nearest
from archsim.result import writable_folder

FORMAT = "archsim-comparison-1"
DATA_FILE, OVERVIEW = "compare.json", "overview"
FIGURES = {
    OVERVIEW: "compare.png", "energy": "waterfall_energy.png", "latency": "waterfall_latency.png",
    "area": "waterfall_area.png",
}  # fmt: skip
"""What can be drawn, and the file of a comparison's folder that it goes to."""
FIGURE_ENDINGS = (".png", ".svg", ".pdf")


def place_for_comparison(folder: str | Path) -> None:
    """ArchsimError where no comparison can be written, or where something else lies: only earlier ones are replaced."""
    writable_folder(folder)
    path = Path(folder)
    if not path.is_dir() or not any(path.iterdir()):
        return
    if not _holds_comparison(path):
        text = "the folder is not empty, and what it holds is no comparison"
        raise ArchsimError(Problem(text, file=str(folder), allowed="a new folder, or one with an earlier comparison"))
    in_the_way = [name for name in FIGURES.values() if (path / name).is_dir()]
    if in_the_way:
        raise ArchsimError(Problem(f"a folder is in the way of {in_the_way[0]}", file=str(folder)))


def _holds_comparison(path: Path) -> bool:
    try:
        found = json.loads((path / DATA_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and str(found.get("format")).startswith(FORMAT.rpartition("-")[0])


def figure_of(draw: str, file: str | Path | None) -> None:
    """ArchsimError for what cannot be drawn, and for a choice where no figure is asked for."""
    if draw not in FIGURES:
        near = nearest(draw, FIGURES)
        raise ArchsimError(Problem("no such figure", key="draw", value=draw, allowed=", ".join(FIGURES), nearest=near))
    if file is None and draw != OVERVIEW:
        raise ArchsimError(Problem("changes nothing: no figure is asked for (--figure FILE)", key="draw", value=draw))


def place_for_figure(file: str | Path) -> None:
    """ArchsimError where no figure can be written: an unknown ending, a folder in the way, no rights."""
    path = Path(file)
    if path.suffix not in FIGURE_ENDINGS:
        allowed = ", ".join(FIGURE_ENDINGS)
        raise ArchsimError(Problem("unknown kind of figure", key="figure", value=str(file), allowed=allowed))
    if path.is_dir():
        raise ArchsimError(Problem("is a folder, not a file", key="figure", value=str(file)))
    writable_folder(path.parent)


def write_whole(files: Mapping[Path, bytes]) -> tuple[Path, ...]:
    """Write all files or none; folders are made, and those that were made go again where something fails."""
    made: list[Path] = []
    parts = {path: path.with_name(f".{path.name}.part") for path in files}
    try:
        for path, content in files.items():
            _make_folder(path.parent, made)
            parts[path].write_bytes(content)
        for path, part in parts.items():
            part.replace(path)
    except OSError as error:
        for part in parts.values():
            with suppress(OSError):
                part.unlink(missing_ok=True)
        for folder in reversed(made):
            with suppress(OSError):
                folder.rmdir()
        where = str(error.filename or next(iter(files)).parent)
        raise ArchsimError(Problem(f"cannot write the comparison: {error.strerror}", file=where)) from error
    return tuple(files)


def _make_folder(folder: Path, made: list[Path]) -> None:
    if folder.is_dir():
        return
    if folder.parent != folder:
        _make_folder(folder.parent, made)
    folder.mkdir(exist_ok=True)
    made.append(folder)

"""Figures of a run, as files: every one of them, or one by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from archsim.errors import ArchsimError, Problem, nearest
from archsim.report import chip_figures, comparison_figures, energy_figures
from archsim.report.style import paper
from archsim.result import Result, writable_folder
from archsim.store.loading import is_id, load_run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Maker = Callable[[Result], "Figure"]
FIGURES: Mapping[str, Maker] = {
    "layer": energy_figures.by_layer,
    "component": energy_figures.by_component,
    "timestep": energy_figures.by_timestep,
    "level": energy_figures.by_level,
    "utilisation": chip_figures.by_utilisation,
    "area": chip_figures.by_area,
    "time": chip_figures.by_time,
}
SUFFIXES = (".png", ".svg", ".pdf")


def plot(run: Result | str | Path, by: str | None = None, output: str | Path | None = None) -> tuple[Path, ...]:
    """Draw a result, the run in a folder or of an id, and return the files that were written.

    One figure ``by`` (a key of ``FIGURES``) goes to ``output`` (.png, .svg, .pdf). Without ``by`` every figure is drawn
    as PNG into the folder ``output``. The default place is the run's own folder; other runs have none.
    ArchsimError for an unknown figure, ending or place.
    """
    result = load_run(run)
    makers = makers_of(result)
    if by is not None and by not in makers:
        raise ArchsimError(
            Problem("no such figure", key="by", value=by, allowed=", ".join(makers), nearest=nearest(by, makers))
        )
    chosen = makers if by is None else {by: makers[by]}
    places = _places(run, by, output, tuple(chosen))
    return tuple(_draw(maker, result, place) for maker, place in zip(chosen.values(), places, strict=True))


def makers_of(result: Result) -> dict[str, Maker]:
    """The figures that this result has: the usual ones, one per peer with a waterfall, one if costs were varied."""
    makers = dict(FIGURES)
    for key, answer in result.against.items():
        if "waterfall" in answer:
            makers[f"against-{key}"] = partial(comparison_figures.waterfall, key=key, found=answer["waterfall"])
    if result.vary_costs:
        makers["costs"] = comparison_figures.tornado
    return makers


def _places(run: Result | str | Path, by: str | None, output: str | Path | None, names: tuple[str, ...]) -> list[Path]:
    if output is None and (isinstance(run, Result) or is_id(run)):
        text = f"name a place for the figures of a {'result' if isinstance(run, Result) else 'stored run'}"
        raise ArchsimError(Problem(text, key="output", allowed="a file or folder"))
    if output is not None and by is not None:
        return [_checked_file(Path(output))]
    folder = Path(str(output if output is not None else run))
    if output is not None and folder.suffix in SUFFIXES:
        raise ArchsimError(Problem("one file holds one figure; say which", key="by", allowed=", ".join(names)))
    folder = folder.parent if folder.is_file() and output is None else folder
    writable_folder(folder)
    return [folder / f"{name.replace(':', '-').replace('/', '-')}.png" for name in names]


def _checked_file(path: Path) -> Path:
    if path.suffix not in SUFFIXES:
        allowed = ", ".join(SUFFIXES)
        raise ArchsimError(Problem("unknown kind of figure", key="output", value=str(path), allowed=allowed))
    if path.is_dir():
        raise ArchsimError(Problem("is a folder, not a file", file=str(path)))
    writable_folder(path.parent)
    return path


def _draw(maker: Maker, result: Result, path: Path) -> Path:
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with paper():
            maker(result).savefig(part, metadata={"Date": None} if path.suffix == ".svg" else None)
        part.replace(path)
    except OSError as error:
        raise ArchsimError(Problem(f"cannot write the figure: {error.strerror}", file=str(path))) from error
    finally:
        part.unlink(missing_ok=True)
    return path

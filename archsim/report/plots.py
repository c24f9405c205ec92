"""Figures of a run, as files: every one of them, or one by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from archsim.analysis.timeline import Timeline
from archsim.errors import ArchsimError, Problem, nearest
from archsim.report import chip_figures, comparison_figures, energy_figures, timeline_figures
from archsim.report.style import paper
from archsim.result import Result, writable_folder
from archsim.store import Store
from archsim.store.loading import is_id, named_run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Maker = Callable[[Result], "Figure"]
Drawing = Callable[[], "Figure"]
FIGURES: Mapping[str, Maker] = {
    "layer": energy_figures.by_layer,
    "component": energy_figures.by_component,
    "timestep": energy_figures.by_timestep,
    "level": energy_figures.by_level,
    "utilisation": chip_figures.by_utilisation,
    "area": chip_figures.by_area,
    "time": chip_figures.by_time,
}
OVER_TIME: Mapping[str, Callable[[Timeline], Figure]] = {  # of a timeline
    "gantt": timeline_figures.gantt,
    "power": timeline_figures.power,
}
COSTS, AGAINST = "costs", "against-"
SUFFIXES = (".png", ".svg", ".pdf")


def plot(
    run: Result | Timeline | str | Path, by: str | None = None, output: str | Path | None = None,
    store: Store | str | Path | None = None,
) -> tuple[Path, ...]:
    """Draw a result, a timeline, the run in a folder or of an id, and return the files that were written.

    One figure ``by`` (a key of ``FIGURES``, of a timeline one of ``OVER_TIME``) goes to ``output`` (.png, .svg, .pdf).
    Without ``by`` every figure is drawn as PNG into the folder ``output``. The default place is the run's own folder;
    other runs have none. An id is one of ``store``, of the default one unless stated. ArchsimError for an unknown
    figure, ending or place.
    """
    figures: Mapping[str, Drawing]
    if isinstance(run, Timeline):
        figures = {name: partial(maker, run) for name, maker in OVER_TIME.items()}
    else:
        result = named_run(run, store)
        figures = {name: partial(maker, result) for name, maker in makers_of(result).items()}
    if by is not None and by not in figures:
        raise ArchsimError(_no_figure(by, figures))
    chosen = figures if by is None else {by: figures[by]}
    places = _places(run, by, output, tuple(chosen))
    return tuple(_draw(drawing, place) for drawing, place in zip(chosen.values(), places, strict=True))


def _no_figure(by: str, figures: Mapping[str, Drawing]) -> Problem:
    if by in OVER_TIME:
        text = "a saved run does not hold what happened when; this figure is drawn while it is executed"
        return Problem(text, key="by", value=by, allowed="with archsim run ... -o DIR --timeline")
    if by == COSTS:
        return Problem("prices were not varied in this run", key="by", value=by, allowed="a run with --vary-costs")
    if by.startswith(AGAINST):
        text = "this run was not compared with that peer, or the peer has no answer for it"
        others = ", ".join(name for name in figures if name.startswith(AGAINST))
        allowed = "a run with --against PEER" + (f"; this run has {others}" if others else "")
        return Problem(text, key="by", value=by, allowed=allowed, nearest=nearest(by, figures))
    return Problem("no such figure", key="by", value=by, allowed=", ".join(figures), nearest=nearest(by, figures))


def makers_of(result: Result) -> dict[str, Maker]:
    """The figures that this result has: the usual ones, one per peer with a waterfall, one if costs were varied."""
    makers = dict(FIGURES)
    for key, answer in result.against.items():
        if "waterfall" in answer:
            makers[f"{AGAINST}{key}"] = partial(comparison_figures.waterfall, key=key, found=answer["waterfall"])
    if result.vary_costs:
        makers[COSTS] = comparison_figures.tornado
    return makers


def _places(
    run: Result | Timeline | str | Path, by: str | None, output: str | Path | None, names: tuple[str, ...]
) -> list[Path]:
    if output is None and (isinstance(run, Result | Timeline) or is_id(run)):
        what = {Result: "result", Timeline: "timeline"}.get(type(run), "stored run")
        text = f"name a place for the figures of a {what}"
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


def _draw(drawing: Drawing, path: Path) -> Path:
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with paper():
            drawing().savefig(part, metadata={"Date": None} if path.suffix == ".svg" else None)
        part.replace(path)
    except OSError as error:
        raise ArchsimError(Problem(f"cannot write the figure: {error.strerror}", file=str(path))) from error
    finally:
        part.unlink(missing_ok=True)
    return path

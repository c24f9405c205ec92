"""The Pareto front of a sweep as a figure: every pair of objectives, the front in colour, what it beats in grey."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.errors import ArchsimError, Problem
from archsim.report.style import GREY, TITLE_LETTERS, TOTAL, UP, paper, shortened
from archsim.report.sweep_units import ladder_of, named
from archsim.report.units import scale_for

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from archsim.sweeps import Front
    from archsim.sweeps.table import Row

ENDINGS = (".png", ".svg", ".pdf")
MOST_OBJECTIVES = 4
LOG_FROM = 30.0  # an axis whose largest value is so many times its smallest is logarithmic


def check_figure(front_of: Sequence[str], file: str | Path) -> None:
    """ArchsimError for a file that is no figure, or for more objectives than are drawn."""
    problems = []
    if Path(file).suffix not in ENDINGS:
        problems.append(Problem("unknown kind of figure", key="output", value=str(file), allowed=", ".join(ENDINGS)))
    if len(front_of) > MOST_OBJECTIVES:
        problems.append(Problem("too many objectives to draw", value=len(front_of), allowed=f"up to {MOST_OBJECTIVES}"))
    if problems:
        raise ArchsimError(problems)


def draw_front(front: Front, file: str | Path) -> Path:
    """Draw the front into a .png, .svg or .pdf; written whole or not at all."""
    check_figure(front.objectives, file)
    path = Path(file)
    stream = BytesIO()
    with paper():
        metadata = {"Date": None} if path.suffix == ".svg" else None
        front_figure(front).savefig(stream, format=path.suffix.removeprefix("."), metadata=metadata)
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(stream.getvalue())
        part.replace(path)
    except OSError as error:
        raise ArchsimError(Problem(f"cannot write the figure: {error.strerror}", file=str(path))) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return path


def front_figure(front: Front) -> Figure:
    """A panel for each pair of objectives; of a single objective, its values in ascending order."""
    from matplotlib.figure import Figure

    pairs: list[tuple[str | None, str]] = list(combinations(front.objectives, 2)) or [(None, front.objectives[0])]
    columns = min(len(pairs), 3)
    rows = -(-len(pairs) // columns)
    figure = Figure(figsize=(max(3.5 * columns, 5.2) + 0.2, 3.1 * rows + 0.75), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (across, up) in zip(panels, pairs, strict=True):
        _draw(axes, front, across, up)
    what = " × ".join(named(name) for name in front.objectives)
    figure.suptitle(f"Pareto front of {what}: {_subject(front)}", x=0.01, ha="left", fontsize=10,
                    weight="bold")  # fmt: skip
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=3, columnspacing=1.2, handletextpad=0.2)
    return figure


def _subject(front: Front) -> str:
    """Chip and network where there is one of each, else the sweep's name."""
    chips, networks = ({str(row[name]) for row in front.sweep.rows} for name in ("arch", "workload"))
    one_of_each = len(chips) == len(networks) == 1
    return shortened(f"{chips.pop()} × {networks.pop()}" if one_of_each else front.sweep.name, TITLE_LETTERS)


def _draw(axes: Axes, front: Front, across: str | None, up: str) -> None:
    on_front = {id(row) for row in front.rows}
    beaten = [row for row in front.candidates if id(row) not in on_front]
    broken = [row for row in front.sweep.of("constraint") if all(row[name] is not None for name in front.objectives)]
    everything = [*front.candidates, *broken]
    groups: list[tuple[Sequence[Row], str, dict[str, Any]]] = [
        (broken, f"{len(broken):,} break a constraint", {"marker": "x", "color": UP, "s": 12, "linewidths": 0.7}),
        (beaten, f"{len(beaten):,} beaten", {"color": GREY, "s": 10, "linewidths": 0}),
        (front.rows, f"{len(front.rows):,} on the front", {"color": TOTAL, "s": 22, "zorder": 3}),
    ]
    everything.sort(key=lambda row: float(row[up]))
    x_of, y_of = _axis(axes, "x", across, everything), _axis(axes, "y", up, everything)
    for rows, label, look in groups:
        if rows:
            axes.scatter([x_of(row) for row in rows], [y_of(row) for row in rows], label=label, **look)
    if across is not None and len(front.objectives) == 2:
        places = sorted((x_of(row), y_of(row)) for row in front.rows)
        axes.plot([x for x, _ in places], [y for _, y in places], color=TOTAL, linewidth=0.9)
    axes.grid(True)


def _axis(axes: Axes, side: str, metric: str | None, rows: Sequence[Row]) -> Any:
    """Label the axis and return what gives a row's place on it."""
    if metric is None:
        getattr(axes, f"set_{side}label")("points in ascending order")
        ranks = {id(row): rank for rank, row in enumerate(rows)}
        return lambda row: ranks[id(row)]
    values = [row[metric] for row in rows]
    scale = scale_for(values, ladder_of(metric))
    unit = f" ({scale.printed_unit})" if scale.printed_unit else ""
    getattr(axes, f"set_{side}label")(f"{named(metric)}{unit}")
    if min(values) > 0 and max(values) / min(values) >= LOG_FROM:
        getattr(axes, f"set_{side}scale")("log")
    return lambda row: scale(row[metric])

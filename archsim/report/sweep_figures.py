"""The Pareto front of a sweep as a figure: every pair of objectives, the front in large marks, what it beats in small.

Chips differ in shape and colour; each network has its own front and its own panels.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.errors import ArchsimError, Problem
from archsim.report.saving import save_figure
from archsim.report.style import GREY, TITLE_LETTERS, TOTAL, UP, shortened
from archsim.report.sweep_units import ladder_of, named
from archsim.report.units import scale_for
from archsim.sweeps.front import LARGER_IS_BETTER

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from archsim.sweeps import Front
    from archsim.sweeps.table import Row

ENDINGS = (".png", ".svg", ".pdf")
MOST_OBJECTIVES = 4
MOST_NETWORKS = 4
LOG_FROM = 10.0  # an axis whose largest value is so many times its smallest is logarithmic
MOST_CHIPS = 9
CHIP_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#AA4499", "#8A6100", "#56B4E9")
_SHAPES = ("o", "s", "^", "D", "v", "P")
_INK = "#1A1A1A"


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
    return save_figure(lambda: front_figure(front), file)


def front_figure(front: Front) -> Figure:
    """A panel for each network and pair of objectives; of a single objective, its values in ascending order."""
    from matplotlib.figure import Figure

    networks = list(dict.fromkeys(str(row["workload"]) for row in front.candidates))
    drawn = networks[:MOST_NETWORKS]
    pairs: list[tuple[str | None, str]] = list(combinations(front.objectives, 2)) or [(None, front.objectives[0])]
    panels = [(network, *pair) for network in drawn for pair in pairs]
    columns = min(len(pairs), 3) if len(pairs) > 1 else min(len(panels), 2)
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(max(3.5 * columns, 5.2) + 0.2, 3.1 * rows + 0.95), layout="constrained")
    every = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (network, across, up) in zip(every, panels, strict=False):
        _Panel(front, network).draw(axes, across, up)
        if len(networks) > 1:
            axes.set_title(shortened(network, TITLE_LETTERS), loc="left", fontsize=9)
    for axes in every[len(panels) :]:
        axes.set_visible(False)
    what = " × ".join(named(name) for name in front.objectives)
    left = len(networks) - len(drawn)
    more = f" ({left} more networks are not drawn)" if left else ""
    figure.suptitle(f"Pareto front of {what}: {_subject(front)}{more}", x=0.01, ha="left", fontsize=10,
                    weight="bold")  # fmt: skip
    handles = _legend(front, drawn)
    figure.legend(handles=handles, loc="outside lower left", ncols=min(len(handles), 3 if columns < 3 else 6),
                  columnspacing=1.2, handletextpad=0.3)  # fmt: skip
    return figure


def _subject(front: Front) -> str:
    """Chip and network where there is one of each, else the sweep's name."""
    chips, networks = ({str(row[name]) for row in front.sweep.rows} for name in ("arch", "workload"))
    one_of_each = len(chips) == len(networks) == 1
    return shortened(f"{chips.pop()} × {networks.pop()}" if one_of_each else front.sweep.name, TITLE_LETTERS)


def _chips(front: Front) -> list[str]:
    return list(dict.fromkeys(str(row["arch"]) for row in front.candidates))


def _broken(front: Front) -> list[Row]:
    return [row for row in front.sweep.of("constraint") if all(row[name] is not None for name in front.objectives)]


def _legend(front: Front, networks: Sequence[str]) -> list[Any]:
    """What the marks mean: chips if there are several, then the front, what it beats, and what breaks a constraint."""
    from matplotlib.lines import Line2D

    def entry(label: str, marker: str, size: float, colour: str, edge: str) -> Line2D:
        return Line2D([], [], linestyle="", label=label, marker=marker, markersize=size, markerfacecolor=colour,
                      markeredgecolor=edge)  # fmt: skip

    chips = _chips(front)
    handles = []
    if len(chips) > 1:
        looks = [(chip, *_look(at)) for at, chip in enumerate(chips[:MOST_CHIPS])]
        handles = [entry(shortened(chip), shape, 6, colour, colour) for chip, shape, colour in looks]
    many = [sum(str(row["workload"]) in networks for row in rows)
            for rows in (front.rows, front.candidates, _broken(front))]  # fmt: skip
    fill = "white" if len(chips) > 1 else TOTAL
    handles.append(entry(f"{many[0]:,} on the front", "o", 6, fill, _INK))
    handles += [entry(f"{many[1] - many[0]:,} beaten", "o", 3.5, GREY, GREY)] if many[1] > many[0] else []
    handles += [entry(f"{many[2]:,} break a constraint", "x", 4, UP, UP)] if many[2] else []
    return handles


def _look(rank: int) -> tuple[str, str]:
    """Shape and colour of the chip of this rank."""
    return _SHAPES[(rank + rank // len(CHIP_COLOURS)) % len(_SHAPES)], CHIP_COLOURS[rank % len(CHIP_COLOURS)]


class _Panel:
    """The points of one network."""

    def __init__(self, front: Front, network: str) -> None:
        self.objectives = front.objectives
        self.front, self.candidates, self.broken = (
            [row for row in rows if str(row["workload"]) == network]
            for rows in (front.rows, front.candidates, _broken(front))
        )
        self.looks = {chip: _look(rank) for rank, chip in enumerate(_chips(front))}

    def draw(self, axes: Axes, across: str | None, up: str) -> None:
        """Two objectives, or one over the rank of its points."""
        everything = sorted([*self.candidates, *self.broken], key=lambda row: float(row[up]))
        x_of, y_of = _axis(axes, "x", across, everything), _axis(axes, "y", up, everything)
        on_front = {id(row) for row in self.front}
        beaten = [row for row in self.candidates if id(row) not in on_front]
        axes.scatter([*map(x_of, self.broken)], [*map(y_of, self.broken)], marker="x", color=UP, s=10, linewidths=0.6,
                     alpha=0.6)  # fmt: skip
        small: dict[str, Any] = {"s": 10, "linewidths": 0, "alpha": 0.7}
        large: dict[str, Any] = {"s": 24, "linewidths": 0.6, "edgecolors": _INK, "zorder": 3}
        for chip, (shape, colour) in self.looks.items():
            for rows, look in ((beaten, small), (self.front, large)):
                own = [row for row in rows if str(row["arch"]) == chip]
                pale = rows is beaten and len(self.looks) == 1
                axes.scatter([*map(x_of, own)], [*map(y_of, own)], marker=shape, color=GREY if pale else colour, **look)
        if across is not None and len(self.objectives) == 2:
            self._line(axes, [(x_of(row), y_of(row)) for row in self.front], up)
        axes.grid(True)

    def _line(self, axes: Axes, points: Sequence[tuple[float, float]], up: str) -> None:
        """The front in steps over the corners that its points leave: between them nothing better is known."""
        places = sorted(points)
        across = next(name for name in self.objectives if name != up)
        where: Any = "pre" if across in LARGER_IS_BETTER else "post"
        axes.step([x for x, _ in places], [y for _, y in places], where=where, color=TOTAL, linewidth=0.9)


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
        _plain_numbers(getattr(axes, f"{side}axis"), max(values) / min(values))
    return lambda row: scale(row[metric])


def _plain_numbers(axis: Any, ratio: float) -> None:
    """Ticks of a logarithmic axis as plain numbers, with 2 and 5 between the powers of ten where there is room."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if ratio < 300 else (1.0,)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.4g}"))
    axis.set_minor_formatter(NullFormatter())

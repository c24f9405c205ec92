"""How a waterfall is drawn: lying bars from one total to another one, each beginning where the one above it ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from archsim.report.style import DOWN, GREY, TOTAL, UP, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from archsim.report.units import Scale

BAR: dict[str, Any] = {"height": 0.72}
NOTE = "#444444"
INCHES_PER_BAR, AXIS_INCHES, NOTE_INCHES, EDGE_INCHES, LEAST_INCHES = 0.24, 0.55, 0.15, 0.12, 0.02
ROOM = 0.12
"""For the figures behind the bars, as a share of what is drawn, where it is not told how wide the axis is."""
LETTER_INCHES, MOST_ROOM = 0.075, 0.8
NARROW = 0.25
"""Where all ends of bars lie in this share of the axis, it does not begin at 0."""
SLASH = 0.012


@dataclass(frozen=True)
class Bar:
    """One step: the values before and after it, and what stands behind it."""

    before: float
    after: float
    label: str


@dataclass(frozen=True)
class Totals:
    """The bars at both ends: values, and what stands behind them."""

    values: tuple[float, float]
    labels: tuple[str, str]


def panels(bars: Sequence[int], width: float, notes: Sequence[Sequence[str]] = ()) -> tuple[Figure, list[Axes]]:
    """Charts under each other, each as high as its number of bars needs, with lines of text under each."""
    from matplotlib.figure import Figure

    charts = [AXIS_INCHES + INCHES_PER_BAR * count for count in bars]
    texts = [NOTE_INCHES * len(text) + EDGE_INCHES if text else LEAST_INCHES for text in notes]
    heights = [height for pair in zip(charts, texts, strict=True) for height in pair] if any(notes) else charts
    figure = Figure(figsize=(width, sum(heights)), layout="constrained")
    cells: list[Axes] = list(figure.subplots(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0])
    if not any(notes):
        return figure, cells
    for cell, text in zip(cells[1::2], notes, strict=True):
        _write(cell, text)
    return figure, cells[::2]


def _write(axes: Axes, lines: Sequence[str]) -> None:
    """Text from the left edge of the figure in place of a chart."""
    from matplotlib.transforms import blended_transform_factory

    axes.axis("off")
    place = blended_transform_factory(axes.get_figure().transFigure, axes.transAxes)  # type: ignore[union-attr]
    text = axes.text(0.01, 1.0, "\n".join(lines), transform=place, va="top", fontsize=7.5, color=NOTE)
    text.set_in_layout(False)


def name_bars(axes: Axes, names: Sequence[str], most: int) -> None:
    """A row for each name, the first on top; those of more than ``most`` letters are shortened."""
    axes.set_yticks(range(len(names)), [shortened(name, most) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")


def draw_bars(
    axes: Axes, totals: Totals, bars: Sequence[Bar], scale: Scale, zoom: bool = False, inches: float | None = None
) -> float:
    """Draw the totals and the bars between them, and return where the axis begins, in base units.

    That is 0; with ``zoom`` it is higher where the bars would be too narrow to be seen otherwise, and the totals are
    drawn with a cut. ``inches`` is how wide the axis will be, so that there is room for what stands behind the bars.
    """
    ends = [*totals.values, *(end for bar in bars for end in (bar.before, bar.after))]
    low, high = min(ends), max(ends)
    begin = low - (high - low) / 2 if zoom and 0 < high - low < NARROW * high else 0.0
    last = len(bars) + 1
    _total(axes, 0, scale(begin), scale(totals.values[0]), totals.labels[0])
    for at, bar in enumerate(bars, start=1):
        colour = UP if bar.after > bar.before else DOWN
        axes.barh(at, scale(bar.after - bar.before), left=scale(bar.before), color=colour, **BAR)
        axes.text(scale(max(bar.before, bar.after)), at, f" {bar.label}", va="center", fontsize=8)
    _total(axes, last, scale(begin), scale(totals.values[1]), totals.labels[1])
    for at, value in enumerate([totals.values[0], *(bar.after for bar in bars)]):
        axes.plot([scale(value)] * 2, [at, at + 1], color=GREY, linewidth=0.8, zorder=0.5)
    labels = [(totals.values[0], totals.labels[0]), (totals.values[1], totals.labels[1])]
    labels += [(max(bar.before, bar.after), bar.label) for bar in bars]
    end = high + ROOM * (high - begin) if inches is None else _end(labels, begin, inches)
    axes.set_xlim(scale(begin), scale(end) or 1e-12)
    if begin:
        _cut(axes, (0, last), lambda share: scale(begin + share * (high - begin)))
    return begin


def _end(labels: Sequence[tuple[float, str]], begin: float, inches: float) -> float:
    """Where the axis ends so that every label has room behind its bar."""
    ends = []
    for value, label in labels:
        share = min(LETTER_INCHES * (len(label) + 1) / inches, MOST_ROOM)
        ends.append(begin + (value - begin) / (1 - share))
    return max(ends)


def _total(axes: Axes, at: int, begin: float, value: float, label: str) -> None:
    axes.barh(at, value - begin, left=begin, color=TOTAL, **BAR)
    axes.text(value, at, f" {label}", va="center", fontsize=8, weight="bold")


def _cut(axes: Axes, rows: Sequence[int], place: Callable[[float], float]) -> None:
    """A white slash through bars that do not begin at 0."""
    for at in rows:
        axes.plot([place(SLASH), place(2 * SLASH)], [at + 0.42, at - 0.42], color="white", linewidth=2.5)

"""How figures look: colours that colour-blind readers tell apart (Okabe and Ito 2008), sizes, hatches, fonts."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from archsim.analysis.timeline import Timeline
    from archsim.result import Result

LEVEL_COLOURS = {
    "compute": "#E69F00",
    "neuron module": "#D55E00",
    "scratchpad": "#CC79A7",
    "global buffer": "#0072B2",
    "DRAM": "#009E73",
    "interconnect": "#56B4E9",
    "input/output": "#F0E442",
}
TIME_COLOURS = {
    "busy": "#0072B2",
    "starved": "#E69F00",
    "blocked": "#D55E00",
    "arbitration": "#CC79A7",
    "idle": "#D9D9D9",
}
UP, DOWN, TOTAL, GREY = "#D55E00", "#009E73", "#0072B2", "#BDBDBD"
LEAKAGE_HATCH = "////"
LABEL_LETTERS, TITLE_LETTERS = 24, 40
FEWEST_BARS = 4  # fewer stand in the middle, so that one does not fill the figure
MARGIN_INCHES, TITLE_INCHES, LINE_INCHES, LETTERS_PER_INCH = 0.08, 0.19, 0.15, 14.0
DOTS_PER_INCH = 200
_RC: dict[str, Any] = {
    "font.size": 9.0, "axes.titlesize": 10.0, "axes.titleweight": "bold", "axes.labelsize": 9.0,
    "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True, "axes.grid": False,
    "grid.color": "#E5E5E5", "grid.linewidth": 0.6, "hatch.linewidth": 0.7, "legend.frameon": False,
    "legend.fontsize": 8.5, "svg.fonttype": "none", "pdf.fonttype": 42, "savefig.dpi": DOTS_PER_INCH,
    "svg.hashsalt": "archsim",
}  # fmt: skip


@contextmanager
def paper() -> Iterator[None]:
    """matplotlib's settings for the figures that are made (and saved) inside the block."""
    import matplotlib as mpl

    settings: Any = _RC
    with mpl.rc_context(settings):
        yield


def new_figure(width: float, height: float) -> tuple[Figure, Axes]:
    """An empty figure of that many inches whose parts make room for each other."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def shortened(name: str, most: int = LABEL_LETTERS) -> str:
    """The name, or its two ends around an ellipsis if it has more letters than that."""
    if len(name) <= most:
        return name
    tail = (most - 1) // 2
    return f"{name[: most - 1 - tail]}…{name[len(name) - tail :]}"


def bar_chart(labels: Sequence[str], height: float = 3.6) -> tuple[Figure, Axes]:
    """Upright bars, one per label: as wide as they need, long labels shortened, turned once they would touch."""
    shown = [shortened(label) for label in labels]
    longest = max((len(label) for label in shown), default=0)
    width = min(max(5.6, 2.8 + 0.27 * len(shown)), 15.0)
    widest = max((len(one) + len(two) for one, two in pairwise(shown)), default=0) / 2  # of two that could touch
    turned = 0.08 * len(shown) * (widest + 1) > width - 2.2
    figure, axes = new_figure(width, height + (0.05 * longest if turned else 0.0))
    axes.set_xticks(range(len(shown)), shown, rotation=90 if turned else 0, fontsize=8 if turned else 9)
    spare = max(FEWEST_BARS - len(shown), 0) / 2
    axes.set_xlim(-0.6 - spare, len(shown) - 0.4 + spare)
    axes.tick_params(axis="x", length=0)
    axes.grid(axis="y")
    return figure, axes


def side_chart(labels: Sequence[str], width: float = 6.4, most: int = LABEL_LETTERS) -> tuple[Figure, Axes]:
    """Lying bars, one per label, the first on top; labels of more than ``most`` letters are shortened."""
    figure, axes = new_figure(width, 0.8 + 0.24 * max(len(labels), 2))
    axes.set_yticks(range(len(labels)), [shortened(label, most) for label in labels])
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    return figure, axes


def name_figure(axes: Axes, result: Result | Timeline, what: str, *notes: str) -> None:
    """A line above the axes: what is shown; then chip x network, whether its activity is synthetic, and notes.

    Names are shortened and lines are broken where the figure ends; it grows by the height that this takes.
    """
    parts = [f"{shortened(result.arch, TITLE_LETTERS)} × {shortened(result.workload, TITLE_LETTERS)}"]
    if result.synthetic:
        parts.append("synthetic activity")
    if len(result.samples) > 1:
        parts.append(f"mean of {len(result.samples)} samples")
    figure: Any = axes.figure
    width, height = figure.get_size_inches()
    lines = textwrap.wrap(", ".join([*parts, *notes]), int((width - 2 * MARGIN_INCHES) * LETTERS_PER_INCH))
    taken = MARGIN_INCHES + TITLE_INCHES + LINE_INCHES * len(lines)
    height += taken
    figure.set_size_inches(width, height)
    figure.get_layout_engine().set(rect=(0, 0, 1, 1 - taken / height))
    left, top = MARGIN_INCHES / width, 1 - MARGIN_INCHES / height
    figure.text(left, top, what, va="top", fontsize=10, weight="bold")
    under = top - TITLE_INCHES / height
    figure.text(left, under, "\n".join(lines), va="top", fontsize=8.5, color="#444444", linespacing=1.25)


def level_legend(axes: Axes, levels: Sequence[str], *, leakage: bool) -> None:
    """Colours of the levels from the top of a stack down; plain for dynamic energy, hatched for leakage."""
    from matplotlib.patches import Patch

    handles = [Patch(facecolor=LEVEL_COLOURS.get(level, GREY), label=level) for level in reversed(levels)]
    if leakage:
        handles.append(Patch(facecolor="#999999", label="dynamic"))
        handles.append(Patch(facecolor="white", edgecolor="#555555", hatch=LEAKAGE_HATCH, label="leakage"))
    legend_beside(axes, handles)


def legend_beside(axes: Axes, handles: Sequence[Any] | None = None, columns: int = 1) -> None:
    """The legend to the right of the axes, where nothing is drawn."""
    options: dict[str, Any] = {"ncols": max(columns, 1)} | ({} if handles is None else {"handles": handles})
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0, **options)


def leaking(colour: str) -> dict[str, Any]:
    """Bar settings of leakage: the level's colour, pale, hatched."""
    from matplotlib.colors import to_rgb

    red, green, blue = (1 - 0.45 * (1 - part) for part in to_rgb(colour))
    return {"facecolor": (red, green, blue), "edgecolor": colour, "hatch": LEAKAGE_HATCH, "linewidth": 0.0}

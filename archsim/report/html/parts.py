"""What the page is made of, as plain data: tables with values to sort by, charts of bars, titled sections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from archsim.report.html.drawing import Panels
from archsim.report.style import shortened
from archsim.report.units import percent, significant, whole

MOST_ROWS = 300
MOST_LETTERS = 120
MOST_SPOKEN = 12
LEAST_PERCENT = 0.005  # a bar of 1,000 pixels does not show less


@dataclass(frozen=True)
class Cell:
    """One entry: what is read, and the number that a sort goes by (None: the text itself)."""

    text: str
    value: float | None = None

    @property
    def sort_key(self) -> str:
        """The value for the page; the same for 3 and 3.0."""
        return "" if self.value is None else f"{self.value:.12g}"


@dataclass(frozen=True)
class Table:
    """Rows under named columns; ``texts`` columns from the left are words, the others numbers.

    ``columns`` of the index ``words`` and later are words again (remarks). ``foot`` rows keep their place in a sort.
    """

    key: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    texts: int = 1
    words: int | None = None
    foot: tuple[tuple[Cell, ...], ...] = ()
    note: str = ""
    sortable: bool = True
    kind: str = field(default="table", init=False)

    def is_number(self, column: int) -> bool:
        """Whether a column holds numbers."""
        return column >= self.texts and (self.words is None or column < self.words)


@dataclass(frozen=True)
class Segment:
    """A piece of a bar, in per cent of the chart's width, in a colour or hatched in it."""

    start: float
    width: float
    colour: str
    hatched: bool = False

    @property
    def fill(self) -> str:
        """The SVG paint: the colour, or the pattern of that colour that the page defines."""
        return f"url(#hatch-{self.colour.lstrip('#')})" if self.hatched else self.colour


@dataclass(frozen=True)
class Bar:
    """A labelled bar with what stands behind it."""

    label: str
    segments: tuple[Segment, ...]
    text: str


@dataclass(frozen=True)
class Chart:
    """Lying bars under a title. ``legend``: names of colours, hatched or not."""

    key: str
    title: str
    bars: tuple[Bar, ...]
    legend: tuple[tuple[str, Segment], ...] = ()
    note: str = ""
    kind: str = field(default="chart", init=False)

    @property
    def spoken(self) -> str:
        """The chart in words: its first bars with their figures."""
        said = "; ".join(f"{bar.label}: {bar.text}" for bar in self.bars[:MOST_SPOKEN])
        more = len(self.bars) - MOST_SPOKEN
        return f"Bar chart. {self.title}. {said}{f'; and {more} more' if more > 0 else ''}."


@dataclass(frozen=True)
class Picture:
    """A figure of dots that the page carries in itself; ``alt`` says what it shows."""

    key: str
    title: str
    alt: str
    uri: str
    width: int
    height: int
    kind: str = field(default="picture", init=False)


@dataclass(frozen=True)
class Prose:
    """A paragraph, or a list of remarks."""

    lines: tuple[str, ...]
    listed: bool = False
    kind: str = field(default="prose", init=False)


@dataclass(frozen=True)
class Folded:
    """Parts that are shown on demand, or the lines of a file."""

    summary: str
    parts: tuple[Part, ...] = ()
    source: str = ""
    kind: str = field(default="folded", init=False)


@dataclass(frozen=True)
class Derivations:
    """Names, each with the lines that say where its price comes from."""

    entries: tuple[tuple[str, tuple[str, ...]], ...]
    kind: str = field(default="derivations", init=False)


Part = Table | Chart | Panels | Picture | Prose | Folded | Derivations


@dataclass(frozen=True)
class Section:
    """A region of the page with a heading; ``key`` is its anchor."""

    key: str
    title: str
    parts: tuple[Part, ...]


def name(text: str) -> Cell:
    """A name from somebody's file: names of any length are shortened."""
    return Cell(shortened(text, MOST_LETTERS))


def number(value: float, text: str | None = None) -> Cell:
    """A number with three significant digits, or as the text says."""
    return Cell(significant(value) if text is None else text, value)


def count(value: float) -> Cell:
    """A number of things."""
    return Cell(whole(value), value)


def share(part: float, all_of: float) -> Cell:
    """A part in per cent of something."""
    return Cell(percent(part, all_of), part / all_of if all_of else 0.0)


def stacked(pieces: Sequence[tuple[float, str, bool]], full: float) -> tuple[Segment, ...]:
    """Segments one behind the other; ``full`` is what the whole width stands for."""
    found, start = [], 0.0
    for value, colour, hatched in pieces:
        width = 100.0 * value / full if full else 0.0
        if width >= LEAST_PERCENT:
            found.append(Segment(round(start, 2), round(width, 2), colour, hatched))
        start += width
    return tuple(found)


def most(place: str, rows: Sequence[tuple[Cell, ...]]) -> tuple[tuple[tuple[Cell, ...], ...], str]:
    """The first rows of an ordered table, and what is left out of it; ``place`` has them all."""
    left = len(rows) - MOST_ROWS
    note = f"{left:,} more rows are left out; {place} has them all" if left > 0 else ""
    return tuple(rows[:MOST_ROWS]), note

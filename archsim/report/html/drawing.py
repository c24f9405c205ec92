"""What a drawing is made of, as plain data: rules, labels, marks. Places are in SVG user units, y pointing down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise


@dataclass(frozen=True)
class Rule:
    """A straight line: ``grid`` or ``axis``."""

    x1: float
    y1: float
    x2: float
    y2: float
    look: str


@dataclass(frozen=True)
class Label:
    """A line of text at a place: ``anchor`` is start, middle or end; turned ones read upwards."""

    x: float
    y: float
    text: str
    anchor: str
    look: str = "tick"
    turned: bool = False


@dataclass(frozen=True)
class Mark:
    """One path; ``title`` is what a pointer over it shows."""

    path: str
    title: str = ""


@dataclass(frozen=True)
class Marks:
    """Paths that look the same. Empty ``fill`` or ``stroke``: none."""

    marks: tuple[Mark, ...]
    fill: str = ""
    stroke: str = ""
    width: float = 0.0
    opacity: float = 1.0
    dashes: str = ""


@dataclass(frozen=True)
class Drawing:
    """A picture in words and in marks: ``title`` names it, ``spoken`` says what it shows."""

    key: str
    title: str
    spoken: str
    width: float
    height: float
    rules: tuple[Rule, ...]
    labels: tuple[Label, ...]
    marks: tuple[Marks, ...]


@dataclass(frozen=True)
class Panels:
    """Drawings side by side under one title and one legend; ``wide`` ones scroll in their own box."""

    key: str
    title: str
    drawings: tuple[Drawing, ...]
    legend: tuple[tuple[str, Marks], ...] = ()
    note: str = ""
    wide: bool = False
    kind: str = field(default="panels", init=False)


Place = tuple[float, float]
_CORNERS: tuple[tuple[Place, ...], ...] = (  # of shapes of about the same area as a circle of radius 1
    (),  # the circle itself
    ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    ((0, -1.2), (1.2, 0.95), (-1.2, 0.95)),
    ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
    ((0, 1.2), (-1.2, -0.95), (1.2, -0.95)),
    ((-0.45, -1.3), (0.45, -1.3), (0.45, -0.45), (1.3, -0.45), (1.3, 0.45), (0.45, 0.45), (0.45, 1.3), (-0.45, 1.3),
     (-0.45, 0.45), (-1.3, 0.45), (-1.3, -0.45), (-0.45, -0.45)),
)  # fmt: skip
SHAPES = len(_CORNERS)


def shape(which: int, x: float, y: float, radius: float) -> str:
    """The path of a closed shape around a place: circle, square, triangle, diamond, triangle upside down, plus."""
    corners = _CORNERS[which]
    if not corners:
        r, whole = _short(radius), _short(2 * radius)
        return f"M{_short(x - radius)},{_short(y)}a{r},{r} 0 1 0 {whole},0a{r},{r} 0 1 0 -{whole},0z"
    return line_through([(x + radius * across, y + radius * down) for across, down in corners]) + "z"


def cross(x: float, y: float, radius: float) -> str:
    """The path of an ×, to be stroked."""
    r = _short(2 * radius)
    return f"M{_short(x - radius)},{_short(y - radius)}l{r},{r}m0,-{r}l-{r},{r}"


def line_through(places: Sequence[Place]) -> str:
    """The path from place to place: the first as it is, every other one from the one before."""
    rounded = [(round(x, 1), round(y, 1)) for x, y in places]
    steps = (f"l{_short(two[0] - one[0])},{_short(two[1] - one[1])}" for one, two in pairwise(rounded))
    return f"M{_short(rounded[0][0])},{_short(rounded[0][1])}" + "".join(steps)


def _short(value: float) -> str:
    """One digit behind the point, none where it is 0."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text

"""What stands beside archsim's own answer: peers' answers with their ways, and the constants' swings."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table as TerminalTable
from rich.text import Text

from archsim.report.comparison import comparison_parts
from archsim.report.html.parts import Bar, Cell, Chart, Part, Prose, Section, Segment, Table
from archsim.report.style import DOWN, TOTAL, UP, shortened
from archsim.report.units import ENERGY, printed, scale_for, signed, significant
from archsim.report.waterfalls import PeerWaterfall, waterfalls_of

if TYPE_CHECKING:
    from archsim.result import Result

NEGLIGIBLE = 0.001
CHANGES = (("less", Segment(0, 100, DOWN)), ("more", Segment(0, 100, UP)))


def comparisons(result: Result) -> Iterator[Section]:
    """A section per peer and one for varied constants, with the tables of the terminal and a chart of each."""
    numbers = count(1)
    keys = iter(result.against)
    for group in comparison_parts(result):
        heading, *rest = group.renderables if isinstance(group, Group) else (group,)
        peer = next(keys, None)
        charts = [_swings(result)] if peer is None else [_way(peer, way) for way in waterfalls_of(result.against[peer])]
        key = "costs-varied" if peer is None else f"against-{next(numbers)}"
        title = str(heading).partition(" (")[0]
        parts = [part for piece in rest for part in _converted(piece, key, title, numbers)]
        yield Section(key, title, (*(chart for chart in charts if chart.bars), *parts))


def _converted(piece: RenderableType, key: str, title: str, numbers: Iterator[int]) -> Iterator[Part]:
    """A piece of the terminal's report as a part of the page."""
    if isinstance(piece, Padding):
        yield from _converted(piece.renderable, key, title, numbers)
    elif isinstance(piece, Group):
        for inner in piece.renderables:
            yield from _converted(inner, key, title, numbers)
    elif isinstance(piece, TerminalTable):
        yield _table(piece, f"{key}-table-{next(numbers)}", title)
    elif isinstance(piece, Text):
        lines = piece.plain.split("\n")
        listed = all(line.startswith("- ") for line in lines)
        yield Prose(tuple(line.removeprefix("- ") for line in lines), listed=listed)


def _table(table: TerminalTable, key: str, title: str) -> Table:
    heads = tuple(str(column.header) for column in table.columns)
    texts = next((at for at, column in enumerate(table.columns) if column.justify == "right"), len(heads))
    rows = zip(*([Cell(str(cell)) for cell in column.cells] for column in table.columns), strict=True)
    words = heads[0]
    way = words.startswith("from ")
    said = words if way else "one by one" if words else "side by side"
    first = "step" if way else words or "answer"
    return Table(key, f"{title}: {said}", (first, *heads[1:]), tuple(rows), max(texts, 1), sortable=False)


def _way(peer: str, way: PeerWaterfall) -> Chart:
    """Bars from the peer's figure over every step to archsim's."""
    found = way.found
    rows = [row for row in found["rows"] if abs(row["difference"]) >= NEGLIGIBLE * abs(found["end"])]
    points = [0.0, found["start"], found["end"], *(row["after"] for row in rows)]
    points += [row["after"] - row["difference"] for row in rows]
    low, scale = min(points), scale_for(points, way.ladder)
    full = max(points) - low or 1.0

    def bar(label: str, one: float, two: float, colour: str, said: float, sign: bool) -> Bar:
        start, width = 100 * (min(one, two) - low) / full, 100 * abs(two - one) / full
        text = f"{signed(scale(said)) if sign else significant(scale(said))} {scale.printed_unit}"
        return Bar(shortened(label, 80), (Segment(round(start, 2), round(width, 2), colour),), text)

    bars = [bar("the peer's answer", 0.0, found["start"], TOTAL, found["start"], False)]
    for row in rows:
        colour = UP if row["difference"] > 0 else DOWN
        bars.append(bar(row["name"], row["after"] - row["difference"], row["after"], colour, row["difference"], True))
    bars.append(bar("archsim's answer", 0.0, found["end"], TOTAL, found["end"], False))
    left = len(found["rows"]) - len(rows)
    note = f"{left} steps below {NEGLIGIBLE:.1%} are not drawn" if left else ""
    key = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in f"{peer}-{way.quantity}")
    return Chart(f"chart-way-{key}", f"From the {way.quantity} of {peer} to archsim's", tuple(bars), CHANGES, note)


def _swings(result: Result) -> Chart:
    """Change of the energy with one constant at its lowest and at its highest."""
    nominal = result.vary_costs[0]["nominal_pj"]
    rows = [row for row in result.vary_costs if row["swing_pj"] >= NEGLIGIBLE * nominal]
    reach = max((abs(row[f"at_{end}_pj"] - nominal) for row in rows for end in ("low", "high")), default=0.0) or 1.0
    bars = []
    for row in rows:
        changes = [(row[f"at_{end}_pj"] - nominal, colour) for end, colour in (("low", DOWN), ("high", UP))]
        segments = tuple(
            Segment(round(50 + 50 * min(change, 0.0) / reach, 2), round(50 * abs(change) / reach, 2), colour)
            for change, colour in changes
        )
        said = " / ".join(("+" if change > 0 else "") + printed(change, ENERGY) for change, _ in changes)
        bars.append(Bar(shortened(row["constant"], 80), segments, said))
    legend = (("constant at its lowest", Segment(0, 100, DOWN)), ("constant at its highest", Segment(0, 100, UP)))
    note = f"change from {printed(nominal, ENERGY)}, which is the middle"
    return Chart("chart-costs", "Which constants the energy hangs on, one at a time", tuple(bars), legend, note)

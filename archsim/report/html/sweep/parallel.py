"""Parallel coordinates: an axis per varied key and objective, a line per point (Inselberg 1985)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from archsim.report.html.drawing import Drawing, Label, Mark, Marks, Panels, Rule, line_through
from archsim.report.html.parts import name
from archsim.report.html.sweep.axes import Axis, better, key_axis, metric_axis
from archsim.report.html.sweep.effects import CHIP
from archsim.report.html.sweep.looks import BEATEN, drawn_of, sampled, sampled_front
from archsim.report.html.sweep.scatter import point_title
from archsim.report.html.sweep.study import Group, Study
from archsim.report.style import shortened
from archsim.report.sweep_units import named, shown
from archsim.sweeps.table import Row

BODY, FOOT, LINE = 330.0, 40.0, 16.0
FAINTEST, BOLDEST = 0.28, 0.8  # grey lines: many are faint, a few are not
WIDEST, NARROWEST, ROOM = 160.0, 96.0, 970.0
LEAST_LEFT, RIGHT, LETTER = 70.0, 66.0, 7.6
MOST_AXES = 12
MOST_LINES = 300
TITLE_LETTERS, TITLE_LINES = 15, 3
FRONT = "#5B9BD5"
BESTS = (("#D55E00", ""), ("#009E73", "9 4"), ("#AA4499", "3 3"), ("#1A1A1A", "12 3 3 3"))  # colour and dashes


def parallel(study: Study, group: Group, key: str, most: int) -> Panels | None:
    """The lines of the front and of other points that competed, at most ``most`` of each. None: nothing competed.

    The keys that move the objectives most have axes; those that do not fit are left out and named.
    """
    if group.front is None:
        return None
    room = MOST_AXES - len(study.objectives) - (len(study.chips) > 1)
    keys = [key for key in (*group.influences, *study.keys) if key != CHIP]
    fit = [key for key in study.keys if key in list(dict.fromkeys(keys))[:room]]
    axes = _axes(study, group, fit)
    beaten, front = sampled(group.beaten, most), sampled_front(group, most)
    left = [key for key in study.keys if key not in fit]
    notes = [drawn_of([(front, group.front.rows, "points on the front"), (beaten, group.beaten, "beaten points")])]
    named_left = ", ".join(name(key).text for key in left)
    notes.append(f"without {named_left}, which move the objectives least" if left else "")
    title = f"All dimensions at once{study.suffix(group)}"
    drawing = _drawing(study, group, f"{key}-1", title, axes, front, beaten)
    return Panels(key, title, (drawing,), _legend(study, group), "; ".join(filter(None, notes)), wide=True)


def _axes(study: Study, group: Group, keys: Sequence[str]) -> list[Axis]:
    assert group.front is not None
    axes = [key_axis(CHIP, study.chips)] if len(study.chips) > 1 else []
    axes = [replace(axis, title="chip") for axis in axes]
    axes += [key_axis(key, study.texts(key)) for key in keys]
    return axes + [metric_axis(objective, group.front.candidates) for objective in study.objectives]


def _drawing(
    study: Study, group: Group, key: str, title: str, axes: Sequence[Axis], front: Sequence[Row], beaten: Sequence[Row]
) -> Drawing:
    step = min(max(ROOM / max(len(axes) - 1, 1), NARROWEST), WIDEST)
    left = max([LEAST_LEFT, *(12 + LETTER * len(text) for _, text in axes[0].ticks)])
    places = [left + step * number for number in range(len(axes))]

    headings = [_heading(axis) for axis in axes]
    top = LINE * (1 + max(map(len, headings)))
    bottom = top + BODY

    def up(part: float | None) -> float:
        assert part is not None
        return bottom - 8 - part * (BODY - 16)

    def path(row: Row) -> str:
        return line_through([(x, up(axis.place(row))) for x, axis in zip(places, axes, strict=True)])

    rules = [Rule(x, top, x, bottom, "axis") for x in places]
    labels: list[Label] = []
    for x, axis, lines in zip(places, axes, headings, strict=True):
        rules += [Rule(x - 4, up(part), x + 4, up(part), "axis") for part, _ in axis.ticks]
        labels += [Label(x - 7, up(part) + 4.5, text, "end", "halo") for part, text in axis.ticks]
        first = top - 10 - LINE * (len(lines) - 1)
        labels += [Label(x, first + LINE * at, line, "middle", "title") for at, line in enumerate(lines)]
    for x, objective in zip(places[-len(study.objectives) :], study.objectives, strict=True):
        labels.append(Label(x, bottom + 26, better(objective), "middle", "note"))
    faint = min(max(30 / max(len(beaten), 1), FAINTEST), BOLDEST)
    marks = [
        Marks(tuple(Mark(path(row)) for row in beaten), stroke=BEATEN, width=0.9, opacity=faint),
        Marks(tuple(Mark(path(row), point_title(study, row)) for row in front), stroke=FRONT, width=1.5, opacity=0.85),
    ]
    for (colour, dashes), (_, row) in zip(BESTS, _bests(study, group), strict=False):
        marks.append(Marks((Mark(path(row), point_title(study, row)),), stroke=colour, width=2.8, dashes=dashes))
    drawn = tuple(found for found in marks if found.marks)
    spoken = _spoken(study, group, axes)
    return Drawing(key, title, spoken, places[-1] + RIGHT, bottom + FOOT, tuple(rules), tuple(labels), drawn)


def _heading(axis: Axis) -> list[str]:
    """The axis' title in lines, broken at dots and underscores; its unit below them."""
    lines = [""]
    for piece in re.findall(r"[^._ ]+[._ ]?|[._ ]", axis.title):
        if len(lines[-1]) + len(piece) > TITLE_LETTERS and lines[-1]:
            lines.append("")
        lines[-1] += piece
    shown_lines = [shortened(line.strip(), TITLE_LETTERS) for line in lines]
    if len(shown_lines) > TITLE_LINES:
        shown_lines = [shown_lines[0], "…", shown_lines[-1]]
    said = ", ".join(filter(None, [axis.unit, "log" if axis.is_log else ""]))
    return shown_lines + ([f"({said})"] if said else [])


def _bests(study: Study, group: Group) -> list[tuple[str, Row]]:
    """The best points, each once, with the objectives that they are best in."""
    found: dict[int, tuple[list[str], Row]] = {}
    for objective in study.objectives:
        row = group.best(objective)
        if row is not None:
            found.setdefault(id(row), ([], row))[0].append(named(objective))
    return [(" and ".join(names), row) for names, row in found.values()]


def _legend(study: Study, group: Group) -> tuple[tuple[str, Marks], ...]:
    assert group.front is not None
    across = (Mark("M0,7h28"),)
    found = [(f"on the front ({len(group.front.rows):,})", Marks(across, stroke=FRONT, width=2.0))]
    if group.beaten:
        found.append((f"beaten ({len(group.beaten):,})", Marks(across, stroke=BEATEN, width=1.2)))
    for (colour, dashes), (names, _) in zip(BESTS, _bests(study, group), strict=False):
        found.append((f"best {names}", Marks(across, stroke=colour, width=3.0, dashes=dashes)))
    return tuple(found)


def _spoken(study: Study, group: Group, axes: Sequence[Axis]) -> str:
    said = [f"Parallel coordinates, one line per point, over {len(axes)} axes: "
            f"{'; '.join(name(axis.label).text for axis in axes)}."]  # fmt: skip
    for names, row in _bests(study, group):
        figures = ", ".join(f"{named(objective)} {shown(objective, row[objective])}" for objective in study.objectives)
        said.append(f"Best {names}: {name(str(row['id'])).text}, {figures}.")
    said.append("The table of the front has the numbers.")
    return " ".join(said)

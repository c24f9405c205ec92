"""Every pair of objectives as a scatter plot, with the front."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from archsim.report.html.drawing import Drawing, Mark, Marks, Panels, Place, cross, line_through
from archsim.report.html.sweep.axes import Axis, better, metric_axis
from archsim.report.html.sweep.frame import Frame
from archsim.report.html.sweep.looks import BROKEN as BROKEN_COLOUR
from archsim.report.html.sweep.looks import CROSS, LARGE, OUTLINE, SMALL, Looks, drawn_of, sampled, sampled_front
from archsim.report.html.sweep.study import Group, Study
from archsim.report.style import shortened
from archsim.report.sweep_units import named, shown
from archsim.sweeps import Sweep, pareto
from archsim.sweeps.front import LARGER_IS_BETTER
from archsim.sweeps.table import Row

LINE = "#0072B2"
MOST_TITLE = 300
MOST_NAMED = 300  # points of a front that say what they are under a pointer


def scatter(study: Study, group: Group, key: str, most: int) -> Panels | None:
    """A panel per pair of objectives; at most ``most`` points of a kind in each. None: no point has all objectives."""
    broken = group.broken(study.objectives)
    competing = () if group.front is None else group.front.candidates
    if not competing and not broken:
        return None
    kept = (sampled_front(group, most), sampled(group.beaten, most), sampled(broken, most))
    kinds = ("points on the front", "beaten points", "points that break a constraint")
    whole = (group.front.rows if group.front else (), group.beaten, broken)
    note = drawn_of(list(zip(kept, whole, kinds, strict=True)))
    pairs = list(combinations(study.objectives, 2))
    drawings = tuple(
        _Panel(study, group, across, up).drawing(f"{key}-{number}", *kept)
        for number, (across, up) in enumerate(pairs, start=1)
    )
    line = (f"front of the two numbers alone{'' if len(pairs) > 1 else ', in steps'}",
            Marks((Mark("M0,3h7v8h7"),), stroke=LINE, width=1.6))  # fmt: skip
    legend = Looks(study).legend(group, study.objectives)
    title = f"Points by their objectives{study.suffix(group)}"
    return Panels(key, title, drawings, (*legend, *((line,) if competing else ())), note)


class _Panel:
    """One pair of objectives: its axes and where they lie."""

    def __init__(self, study: Study, group: Group, across: str, up: str) -> None:
        self.study, self.group, self.names = study, group, (across, up)
        self.looks = Looks(study)
        rows = [*(group.front.candidates if group.front else ()), *group.broken(study.objectives)]
        self.x_axis, self.y_axis = metric_axis(across, rows), metric_axis(up, rows)
        self.frame = Frame(self.x_axis, self.y_axis)

    def drawing(self, key: str, front: Sequence[Row], beaten: Sequence[Row], broken: Sequence[Row]) -> Drawing:
        """The panel as rules, labels and marks, and in words."""
        across, up = self.names
        marks = (*self._others(beaten, broken), *self._line(), *self._front(front))
        title = f"{named(up)} against {named(across)}{self.study.suffix(self.group)}"
        return self.frame.drawing(key, title, self._spoken(), marks)

    def _place(self, row: Row) -> Place:
        x, y = self.x_axis.place(row), self.y_axis.place(row)
        assert x is not None and y is not None
        return self.frame.place(x, y)

    def _others(self, beaten: Sequence[Row], broken: Sequence[Row]) -> list[Marks]:
        crosses = tuple(Mark(cross(*self._place(row), CROSS)) for row in broken)
        found = [Marks(crosses, stroke=BROKEN_COLOUR, width=1.0, opacity=0.75)] if crosses else []
        colours = dict.fromkeys(self.looks.beaten_colour(row) for row in beaten)
        for colour in colours:
            rows = [row for row in beaten if self.looks.beaten_colour(row) == colour]
            paths = "".join(self.looks.outline_of(row, *self._place(row), SMALL) for row in rows)
            found.append(Marks((Mark(paths),), fill=colour, opacity=0.7))
        return found

    def _line(self) -> list[Marks]:
        """The front of the two alone, as steps: between its points nothing better is known."""
        if self.group.front is None:
            return []
        competing = Sweep("", (), self.group.front.candidates)
        places = sorted({self._place(row) for row in pareto(competing, *self.names).rows})
        if len(places) < 2:
            return []
        steps = [places[0]]
        for x, y in places[1:]:
            last_x, last_y = steps[-1]
            steps += [self._corner((last_x, last_y), (x, y)), (x, y)]
        return [Marks((Mark(line_through(steps)),), stroke=LINE, width=1.4)]

    def _corner(self, one: Place, two: Place) -> Place:
        """The worse corner between two points of the front: both numbers as bad as the worse of the two."""
        across, up = (name in LARGER_IS_BETTER for name in self.names)
        return (min if across else max)(one[0], two[0]), (max if up else min)(one[1], two[1])

    def _front(self, front: Sequence[Row]) -> list[Marks]:
        """The points of the front; if they are not too many, each with what it is."""
        found: dict[str, list[Mark]] = {}
        for row in front:
            title = point_title(self.study, row) if len(front) <= MOST_NAMED else ""
            path = self.looks.outline_of(row, *self._place(row), LARGE)
            found.setdefault(self.looks.colour(row), []).append(Mark(path, title))
        return [Marks(tuple(marks), fill=colour, stroke=OUTLINE, width=1.2) for colour, marks in found.items()]

    def _spoken(self) -> str:
        across, up = self.names
        said = [f"Scatter plot: {_of_axis(self.x_axis, across)} across, {_of_axis(self.y_axis, up)} upwards."]
        if self.group.front is None:
            said.append("No point meets all constraints.")
            return " ".join(said)
        said.append(f"{len(self.group.front.rows):,} of {len(self.group.front.candidates):,} points are on the front.")
        for objective in self.names:
            row = self.group.best(objective)
            assert row is not None
            other = up if objective == across else across
            said.append(f"Best {named(objective)}: {shown(objective, row[objective])}, "
                        f"with {named(other)} {shown(other, row[other])}.")  # fmt: skip
        said.append("The table of the front has the numbers.")
        return " ".join(said)


def point_title(study: Study, row: Row) -> str:
    """What a point is, for a pointer over its mark: id, chip, values, objectives."""
    parts = [str(row["id"]), *([row["arch"]] if len(study.chips) > 1 else [])]
    parts += [f"{key} {row[key]}" for key in study.keys]
    parts += [f"{named(objective)} {shown(objective, row[objective])}" for objective in study.objectives]
    return shortened(", ".join(parts), MOST_TITLE)


def _of_axis(axis: Axis, objective: str) -> str:
    return f"{axis.label}, {better(objective)},"

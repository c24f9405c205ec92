"""How a search went: each number that it looked for, design by design, and the best so far."""

from __future__ import annotations

from collections.abc import Iterator

from archsim.report.html.drawing import Drawing, Mark, Marks, Panels, line_through, shape
from archsim.report.html.sweep.axes import count_axis, metric_axis
from archsim.report.html.sweep.frame import Frame
from archsim.report.html.sweep.looks import BEATEN, SMALL, drawn_of, sampled
from archsim.report.html.sweep.study import Group, Study
from archsim.report.sweep_figures import CHIP_COLOURS
from archsim.report.sweep_units import named, shown
from archsim.sweeps.front import LARGER_IS_BETTER
from archsim.sweeps.table import OK, Row

BEST = CHIP_COLOURS[0]
Step = tuple[int, Row]


def progress(study: Study, group: Group, key: str, most: int) -> Panels | None:
    """A panel per objective of the search; at most ``most`` points in each. None: no search, or nothing to see."""
    found = [(metric, _executed(group, metric)) for metric in study.sought]
    drawn = [(metric, steps) for metric, steps in found if steps]
    if not drawn or len(group.rows) < 2:
        return None
    designs = len(group.rows)
    drawings = tuple(
        _drawing(f"{key}-{at}", metric, steps, designs, most) for at, (metric, steps) in enumerate(drawn, start=1)
    )
    ends = ", ".join(f"{named(metric)} at {list(_best(metric, steps))[-1][0]:,}" for metric, steps in drawn)
    notes = [f"last improvements: {ends} of {designs:,} designs"]
    rows = [row for _, row in drawn[0][1]]
    notes.append(drawn_of([(sampled(rows, most), rows, "designs")]))
    legend = (("best so far", Marks((Mark("M0,3h7v8h7"),), stroke=BEST, width=2.0)),
              ("a design within the constraints", Marks((Mark(shape(0, 7, 7, SMALL)),), fill=BEATEN)))  # fmt: skip
    return Panels(key, "The search, design by design", drawings, legend, "; ".join(filter(None, notes)))


def _executed(group: Group, metric: str) -> list[Step]:
    """Designs that count, with their numbers in the search's order, from 1."""
    numbered = enumerate(group.rows, start=1)
    return [(number, row) for number, row in numbered if row["status"] == OK and row[metric] is not None]


def _best(metric: str, steps: list[Step]) -> Iterator[Step]:
    """The designs that were better than all before them."""
    sign = -1.0 if metric in LARGER_IS_BETTER else 1.0
    least = float("inf")
    for number, row in steps:
        value = sign * float(row[metric])
        if value < least:
            least = value
            yield number, row


def _drawing(key: str, metric: str, steps: list[Step], designs: int, most: int) -> Drawing:
    rows = [row for _, row in steps]
    up, across = metric_axis(metric, rows), count_axis("design", designs)
    frame = Frame(across, up)
    ranks = {id(row): (number - 1) / (designs - 1) for number, row in steps}

    def height(row: Row) -> float:
        part = up.place(row)
        assert part is not None
        return part

    dots = "".join(shape(0, *frame.place(ranks[id(row)], height(row)), SMALL) for row in sampled(rows, most))
    improved = list(_best(metric, steps))
    corners = [(ranks[id(improved[0][1])], height(improved[0][1]))]
    for _, row in improved[1:]:
        corners += [(ranks[id(row)], corners[-1][1]), (ranks[id(row)], height(row))]
    corners.append((1.0, corners[-1][1]))
    line = line_through([frame.place(*corner) for corner in corners])
    marks = (Marks((Mark(dots),), fill=BEATEN, opacity=0.7), Marks((Mark(line),), stroke=BEST, width=2.0))
    (_, first), (last, best) = improved[0], improved[-1]
    spoken = (
        f"Best {named(metric)} so far, over {designs:,} designs: from {shown(metric, first[metric])} at the start to"
        f" {shown(metric, best[metric])}, last improved at design {last:,}."
    )
    return frame.drawing(key, f"{named(metric)} of the search", spoken, marks)

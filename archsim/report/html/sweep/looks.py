"""How points look (a chip is told by shape and colour, so that neither is needed alone), and which are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from archsim.report.html.drawing import SHAPES, Mark, Marks, cross, shape
from archsim.report.html.parts import name
from archsim.report.html.sweep.study import Group, Study
from archsim.report.sweep_figures import CHIP_COLOURS
from archsim.sweeps.table import Row

OUTLINE, BEATEN, BROKEN = "#1A1A1A", "#8C8C8C", "#6B6B6B"
SMALL, LARGE, CROSS = 3.0, 5.0, 2.6
MOST_IN_LEGEND = 12
MOST_MARKS = 9_000  # over all drawings of a page
SEED = 0


@dataclass(frozen=True)
class Looks:
    """The looks of a sweep's points."""

    study: Study

    @cached_property
    def _ranks(self) -> dict[str, int]:
        return {chip: rank for rank, chip in enumerate(self.study.chips)}

    @property
    def plain(self) -> bool:
        """Whether there is one chip only."""
        return len(self._ranks) == 1

    def colour(self, row: Row) -> str:
        """The colour of the row's chip."""
        return CHIP_COLOURS[self._ranks[row["arch"]] % len(CHIP_COLOURS)]

    def outline_of(self, row: Row, x: float, y: float, radius: float) -> str:
        """The path of the row's shape."""
        rank = self._ranks[row["arch"]]
        return shape((rank + rank // len(CHIP_COLOURS)) % SHAPES, x, y, radius)

    def beaten_colour(self, row: Row) -> str:
        """Points off the front are grey, or have the colour of their chip where there are several."""
        return BEATEN if self.plain else self.colour(row)

    def legend(self, group: Group, objectives: Sequence[str]) -> tuple[tuple[str, Marks], ...]:
        """What the marks mean, as far as the group has such points."""
        found: list[tuple[str, Marks]] = []
        if not self.plain:
            here = {row["arch"]: row for row in group.executed}
            for chip, row in list(here.items())[:MOST_IN_LEGEND]:
                path = self.outline_of(row, 7, 7, LARGE)
                found.append((name(chip).text, Marks((Mark(path),), fill=self.colour(row))))
            if len(here) > MOST_IN_LEGEND:
                found.append((f"and {len(here) - MOST_IN_LEGEND} more chips", Marks(())))
        any_row = group.rows[0]
        if group.front is not None:
            large = Mark(self.outline_of(any_row, 7, 7, LARGE))
            fill = CHIP_COLOURS[0] if self.plain else "#FFFFFF"
            text = f"on the front ({len(group.front.rows):,}): large, outlined"
            found.append((text, Marks((large,), fill=fill, stroke=OUTLINE, width=1.2)))
        if group.beaten:
            small = Mark(self.outline_of(any_row, 7, 7, SMALL))
            found.append((f"beaten ({len(group.beaten):,}): small", Marks((small,), fill=BEATEN)))
        broken = group.broken(objectives)
        if broken:
            mark = Marks((Mark(cross(7, 7, CROSS + 1)),), stroke=BROKEN, width=1.4)
            found.append((f"breaks a constraint ({len(broken):,})", mark))
        return tuple(found)


def sampled(rows: Sequence[Row], most: int) -> tuple[Row, ...]:
    """All rows, or a random sample of them, the same every time; in their order."""
    if len(rows) <= most:
        return tuple(rows)
    chosen = np.random.default_rng(SEED).choice(len(rows), size=most, replace=False)
    return tuple(rows[at] for at in sorted(chosen.tolist()))


def sampled_front(group: Group, most: int) -> tuple[Row, ...]:
    """The group's front, or a sample of it that has the best point of every objective."""
    rows = group.front.rows if group.front else ()
    wanted = {id(row) for row in (*sampled(rows, most), *(group.best(name) for name in group.objectives))}
    return tuple(row for row in rows if id(row) in wanted)


def drawn_of(parts: Sequence[tuple[Sequence[Row], Sequence[Row], str]]) -> str:
    """What is left out of a drawing, if anything: ``drawn: all 14 on the front, 300 of 9,950 beaten (a sample)``."""
    cut = [f"{len(shown):,} of the {len(there):,} {what}" for shown, there, what in parts if len(shown) < len(there)]
    return f"drawn are a random sample of {', and of '.join(cut)}" if cut else ""

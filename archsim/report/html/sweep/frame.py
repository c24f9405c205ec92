"""The frame of a plot: two axes with ticks, grid and titles, and where things lie between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from archsim.report.html.drawing import Drawing, Label, Marks, Place, Rule
from archsim.report.html.sweep.axes import Axis

WIDTH, HEIGHT = 400.0, 340.0
TOP, RIGHT, BOTTOM, LETTER, INSET = 14.0, 16.0, 48.0, 7.4, 10.0
RIGHT_END, FLOOR = WIDTH - RIGHT, HEIGHT - BOTTOM


@dataclass(frozen=True)
class Frame:
    """One axis across, one upwards."""

    across: Axis
    up: Axis

    @cached_property
    def left(self) -> float:
        """Where the axis upwards stands: there is room for its ticks."""
        return 30.0 + LETTER * max(len(text) for _, text in self.up.ticks)

    def place(self, x: float, y: float) -> Place:
        """From parts of the axes to a place."""
        across = self.left + INSET + x * (RIGHT_END - self.left - 2 * INSET)
        return across, FLOOR - INSET - y * (FLOOR - TOP - 2 * INSET)

    def drawing(self, key: str, title: str, spoken: str, marks: Sequence[Marks]) -> Drawing:
        """The frame with marks in it."""
        return Drawing(key, title, spoken, WIDTH, HEIGHT, self._rules(), self._labels(), tuple(marks))

    def _rules(self) -> tuple[Rule, ...]:
        upright = [self.place(part, 0)[0] for part, _ in self.across.ticks]
        lying = [self.place(0, part)[1] for part, _ in self.up.ticks]
        return (
            *(Rule(x, TOP, x, FLOOR, "grid") for x in upright),
            *(Rule(self.left, y, RIGHT_END, y, "grid") for y in lying),
            Rule(self.left, FLOOR, RIGHT_END, FLOOR, "axis"),
            Rule(self.left, TOP, self.left, FLOOR, "axis"),
        )

    def _labels(self) -> tuple[Label, ...]:
        below = (Label(self.place(part, 0)[0], FLOOR + 17, text, "middle") for part, text in self.across.ticks)
        beside = (Label(self.left - 5, self.place(0, part)[1] + 4.5, text, "end") for part, text in self.up.ticks)
        return (
            *below,
            *beside,
            Label((self.left + RIGHT_END) / 2, HEIGHT - 10, self.across.label, "middle", "title"),
            Label(14, (TOP + FLOOR) / 2, self.up.label, "middle", "title", turned=True),
        )

"""How tables look: one style for all of them."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

HEADING = "bold cyan"
WARNING = "bold yellow"
WIDTH_WHEN_PIPED = 118


def console_for_people() -> Console:
    """Standard output, as wide as the terminal; wide enough for the tables where it is none."""
    plain = {"markup": False, "highlight": False, "emoji": False}
    console = Console(**plain)  # type: ignore[arg-type]
    return console if console.is_terminal else Console(**plain, width=WIDTH_WHEN_PIPED)  # type: ignore[arg-type]


def titled(heading: str, *bodies: RenderableType) -> RenderableType:
    """What stands under a heading, indented."""
    return Group(Text(heading, style=HEADING), *(Padding(body, (0, 0, 0, 2), expand=False) for body in bodies))


def grid_table(*headers: str, texts: int = 1) -> Table:
    """A table whose first ``texts`` columns hold text and whose others hold right-aligned numbers."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for number, header in enumerate(headers):
        is_text = number < texts
        table.add_column(header, justify="left" if is_text else "right", no_wrap=not is_text, overflow="fold")
    return table

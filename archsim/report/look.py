"""How tables look: one style for all of them."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table

HEADING = "bold cyan"
WARNING = "bold yellow"


def grid_table(*headers: str, texts: int = 1) -> Table:
    """A table whose first ``texts`` columns hold text and whose others hold right-aligned numbers."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for number, header in enumerate(headers):
        is_text = number < texts
        table.add_column(header, justify="left" if is_text else "right", no_wrap=not is_text, overflow="fold")
    return table

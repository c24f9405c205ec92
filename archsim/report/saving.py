"""Writing one figure into a file of the user's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from archsim.report.style import paper
from archsim.result import written_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save_figure(make: Callable[[], Figure], file: str | Path) -> Path:
    """Draw into a .png, .svg or .pdf, written whole or not at all; the same figure gives the same bytes."""
    path = Path(file)
    with paper(), written_whole(path, "the figure") as part:
        metadata = {"Date": None} if path.suffix == ".svg" else None
        make().savefig(part, format=path.suffix.removeprefix("."), metadata=metadata)
    return path

"""What stands beside archsim's own answer: peers' answers with their waterfalls, and the constants' swings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType

if TYPE_CHECKING:
    from archsim.result import Result


def comparison_parts(result: Result) -> Iterator[RenderableType]:
    """Tables for ``--against`` and ``--vary-costs``, if they were asked for."""
    yield from ()

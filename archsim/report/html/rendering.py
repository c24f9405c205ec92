"""A page as plain data, filled into the one template."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from archsim.catalog import own_version
from archsim.report.html.parts import Section
from archsim.report.style import GREY, LEVEL_COLOURS

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Page:
    """What stands on a page: ``heading`` is names joined by ×, ``figures`` are name, value and remark."""

    title: str
    heading: tuple[str, ...]
    facts: tuple[str, ...]
    verdict: tuple[str, ...]
    figures: tuple[tuple[str, str, str], ...]
    sections: tuple[Section, ...]
    warning: str = ""


def render(page: Page) -> str:
    """The whole HTML text. Names from files are text in it, whatever letters they have."""
    style, script = (_file(name) for name in ("page.css", "page.js"))
    return _environment().get_template("page.html").render(
        page=page, colours=sorted({*LEVEL_COLOURS.values(), GREY}), style=style, script=script,
        script_hash=_hash(script), version=own_version(),
    )  # fmt: skip


def _file(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    """How the page's own policy names the one script that may run."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip

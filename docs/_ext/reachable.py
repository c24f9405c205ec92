"""What scrolls can be scrolled from the keyboard, and headings of the sidebar have a level (found by axe-core)."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

IN_BODY = (
    ("<pre>", '<pre tabindex="0">'),
    ('<div class="table-wrapper', '<div tabindex="0" class="table-wrapper'),
)
IN_SIDEBAR = (('role="heading"', 'role="heading" aria-level="2"'),)


def complete(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _tree: object) -> None:
    """Add the attributes to a page that is written."""
    for part, pairs in (("body", IN_BODY), ("furo_navigation_tree", IN_SIDEBAR)):
        for found, wanted in pairs:
            context[part] = context.get(part, "").replace(found, wanted)


def setup(app: Sphinx) -> dict[str, bool]:
    """After the theme has made its part."""
    app.connect("html-page-context", complete, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

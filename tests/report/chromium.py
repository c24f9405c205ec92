"""A headless Chromium for the tests of pages: the one of the system, or of playwright.

Where there is none the tests are skipped; where ARCHSIM_TEST_BROWSER is ``required`` they fail instead.
"""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
MS = 180_000
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@contextmanager
def browser() -> Iterator[Any]:
    """The running browser."""
    playwright = _needed("playwright.sync_api", "playwright")
    found = next(filter(None, map(shutil.which, NAMES)), None)
    with playwright.sync_playwright() as driver:
        path = found or driver.chromium.executable_path
        if not Path(path).exists():
            _missing("needs a Chromium: 'apt-get install chromium' or 'playwright install chromium'")
        running = driver.chromium.launch(executable_path=path, args=["--no-sandbox"], timeout=MS)
        try:
            yield running
        finally:
            running.close()


def fresh(running: Any, **options: Any) -> Any:
    """A window of its own, which waits as long as a busy machine needs."""
    context = running.new_context(**options)
    context.set_default_timeout(MS)
    return context


def axe() -> str:
    """The source of axe-core, as the test extra brings it."""
    package = _needed("axe_playwright_python", "axe-playwright-python")
    return (Path(package.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


def violations(tab: Any) -> list[tuple[str, str, str]]:
    """What axe-core finds wrong with the page that is open, everything on it unfolded: rule, impact, first place."""
    tab.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    tab.evaluate(axe())
    found = tab.evaluate("axe.run()")
    assert found["passes"]
    return [(rule["id"], rule["impact"], rule["nodes"][0]["html"]) for rule in found["violations"]]


def _needed(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        _missing(f"needs {package} (extra 'test')")


def _missing(what: str) -> NoReturn:
    if os.environ.get("ARCHSIM_TEST_BROWSER") == "required":
        pytest.fail(what)
    pytest.skip(what)

"""A headless Chromium for the tests of pages: the one of the system, or of playwright; skipped where there is none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@contextmanager
def browser() -> Iterator[Any]:
    """The running browser; the test is skipped if playwright or a Chromium is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (extra 'test')")
    found = next(filter(None, map(shutil.which, NAMES)), None)
    with playwright.sync_playwright() as driver:
        path = found or driver.chromium.executable_path
        if not Path(path).exists():
            pytest.skip("needs a Chromium: 'apt-get install chromium' or 'playwright install chromium'")
        running = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield running
        finally:
            running.close()


def axe() -> str:
    """The source of axe-core, as the test extra brings it."""
    package = pytest.importorskip("axe_playwright_python", reason="needs axe-playwright-python (extra 'test')")
    return (Path(package.__file__).parent / "axe.min.js").read_text(encoding="utf-8")

"""A browser for a module's tests of pages, and a window for each of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from chromium import DESKTOP, browser, fresh


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as running:
        yield running


@pytest.fixture
def tab(chromium: Any) -> Iterator[Any]:
    context = fresh(chromium, viewport=DESKTOP)
    yield context.new_page()
    context.close()

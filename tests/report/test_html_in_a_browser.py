"""The page in a headless Chromium: nothing is loaded, nobody is shut out, tables sort, paper shows everything."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromium import DESKTOP, PHONE, fresh, violations
from PIL import Image

import archsim
from archsim.report.html import html_report
from archsim.result import Result

CASES = ("sata", "spikeflow", "full")


@pytest.fixture(scope="module")
def results() -> dict[str, Result]:
    found = {arch: archsim.simulate(arch, "cnn-mnist") for arch in ("sata", "spikeflow")}
    full = archsim.simulate("sata", "cnn-mnist", samples="0..1", against=["sata-sim", "scalesim"], vary_costs=True)
    mute = {"sata-sim-shipped": {"unsupported": ["buffers.ifmap: not one of the sizes that SATA_Sim has figures for"]}}
    return {**found, "full": replace(full, against={**full.against, **mute})}


@pytest.fixture(scope="module")
def pages(results: dict[str, Result], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The address of each page."""
    folder: Path = tmp_path_factory.mktemp("pages")
    for name, result in results.items():
        result.save(folder / name)
    archsim.plot(archsim.timeline("sata", "cnn-mnist"), output=folder / "full")
    return {name: archsim.write_report(folder / name, folder / f"{name}.html").as_uri() for name in results}


@pytest.mark.parametrize(("case", "size"), [("sata", PHONE), ("spikeflow", PHONE), ("full", DESKTOP)])
def test_axe_finds_nothing(case: str, size: dict[str, int], pages: dict[str, str], tab: Any) -> None:
    tab.set_viewport_size(size)
    tab.goto(pages[case])
    assert violations(tab) == []


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_loaded_and_nothing_fails(case: str, pages: dict[str, str], tab: Any) -> None:
    asked: list[str] = []
    said: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.goto(pages[case])
    tab.locator("table.sortable th button").first.click()
    tab.wait_for_load_state("networkidle")
    assert [url for url in asked if not url.startswith("data:")] == [pages[case]]
    assert said == []


@pytest.mark.parametrize("case", CASES)
def test_a_phone_scrolls_tables_not_the_page(case: str, pages: dict[str, str], tab: Any) -> None:
    tab.set_viewport_size(PHONE)
    tab.goto(pages[case])
    tab.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    wide = "[...document.querySelectorAll('.scroll')].some((box) => box.scrollWidth > box.clientWidth)"
    assert tab.evaluate(wide)
    label = tab.evaluate("parseFloat(getComputedStyle(document.querySelector('.bar .label')).fontSize)")
    assert label >= 12


@pytest.mark.parametrize("case", CASES)
def test_a_desktop_shows_every_column(case: str, pages: dict[str, str], tab: Any) -> None:
    """Tables of a run fit into 1,280 pixels; what must be scrolled for is overlooked."""
    tab.set_viewport_size({"width": 1280, "height": 800})
    tab.goto(pages[case])
    tab.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    cut = """[...document.querySelectorAll('.scroll')].filter((box) => box.scrollWidth > box.clientWidth)
        .map((box) => box.querySelector('table')?.id)"""
    assert tab.evaluate("document.querySelectorAll('.scroll').length") > 5 and tab.evaluate(cut) == []


def test_tables_sort_by_keyboard_both_ways(results: dict[str, Result], pages: dict[str, str], tab: Any) -> None:
    tab.goto(pages["sata"])
    rows = results["sata"].layers
    names = "[...document.querySelectorAll('#layers tbody tr')].map((row) => row.cells[0].textContent)"
    head = tab.locator("#layers thead th").nth(2)
    assert tab.evaluate(names) == [row.name for row in rows]
    assert head.get_attribute("aria-sort") is None
    head.locator("button").focus()
    tab.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert tab.evaluate(names) == [row.name for row in sorted(rows, key=lambda row: -row.cycles)]
    tab.keyboard.press("Space")
    assert head.get_attribute("aria-sort") == "ascending"
    assert tab.evaluate(names) == [row.name for row in sorted(rows, key=lambda row: row.cycles)]
    tab.locator("#layers thead th button").first.click()
    assert head.get_attribute("aria-sort") is None
    assert tab.evaluate(names) == sorted(row.name for row in rows)
    assert tab.locator("#layers tfoot th").inner_text() == "idle"


def test_focus_is_seen_and_the_first_stop_leads_past_the_contents(pages: dict[str, str], tab: Any) -> None:
    tab.goto(pages["sata"])
    tab.keyboard.press("Tab")
    focused = "getComputedStyle(document.activeElement)"
    assert tab.evaluate("document.activeElement.textContent") == "Skip to the figures"
    assert tab.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    tab.locator("#layers thead button").first.focus()
    assert tab.evaluate(f"{focused}.outlineStyle") == "solid" and tab.evaluate(f"{focused}.outlineWidth") == "3px"


def test_the_page_is_whole_without_javascript(chromium: Any, pages: dict[str, str]) -> None:
    context = fresh(chromium, java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["sata"])
    assert page.locator("th button").count() == 0
    assert page.locator("#layers thead th").first.inner_text() == "layer"
    page.locator("#prices summary").first.click()
    assert page.locator("#prices dt").first.is_visible()
    page.emulate_media(media="print")
    assert page.locator("#prices dt").last.bounding_box()["height"] > 0  # opened by the style sheet alone
    context.close()


def test_paper_shows_what_is_folded(pages: dict[str, str], tab: Any) -> None:
    tab.goto(pages["sata"])
    assert tab.locator("#prices dt").last.is_visible() is False
    tab.emulate_media(media="print")
    assert tab.locator("#prices dt").last.bounding_box()["height"] > 0
    assert tab.locator("nav").is_visible() is False
    tab.set_viewport_size({"width": 720, "height": 1000})  # A4 between its margins
    assert tab.evaluate("document.documentElement.scrollWidth") <= 720
    assert tab.pdf(format="A4").count(b"/Type /Page\n") > 3


def test_scripts_in_names_do_not_run_even_if_they_got_in(results: dict[str, Result], tab: Any, tmp_path: Path) -> None:
    text = html_report(results["sata"])
    broken = text.replace(
        "</main>", "<script>document.title = 'taken over'</script><img src=x onerror='alert(1)'></main>"
    )
    path = tmp_path / "broken.html"
    path.write_text(broken, encoding="utf-8")
    asked: list[str] = []
    tab.on("dialog", lambda dialog: asked.append(dialog.message))
    tab.goto(path.as_uri())
    assert tab.title() != "taken over" and asked == []
    assert tab.locator("th button").count() > 0  # while the page's own script does run


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("case", ["sata", "spikeflow"])
def test_bars_are_seen_as_long_as_what_they_show(
    case: str, size: dict[str, int], results: dict[str, Result], pages: dict[str, str], tab: Any
) -> None:
    """A screenshot of each bar: what is not background ends where the level's energy does."""
    tab.set_viewport_size(size)
    tab.goto(pages[case])
    energies = [sum(pair) for pair in results[case].levels().values()]
    found = tab.locator("#chart-levels .bar > svg").all()
    assert len(found) == len(energies)
    for bar, energy in zip(found, energies, strict=True):
        image = np.asarray(Image.open(io.BytesIO(bar.screenshot())).convert("RGB")).astype(int)
        pale = image.min(axis=2) > 236  # the background of a bar, and where its edge fades into the page
        painted = np.flatnonzero(~pale[2:-2].all(axis=0))
        length = painted.max() + 1 if len(painted) else 0
        assert length == pytest.approx(energy / max(energies) * image.shape[1], abs=2.5)

"""The page of a sweep in a headless Chromium: axe finds nothing, phones and paper hold it, what is drawn is seen."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from chromium import DESKTOP, PHONE, fresh, violations
from drawn_sweeps import large, table
from PIL import Image

import archsim
from archsim.report.html import write_report
from archsim.sweeps import Sweep, pareto

OBJECTIVES = ("energy_pj", "latency_ns", "area_um2")
FRONT_COLOUR = (0, 114, 178)
LAPS = """() => {
  const boxes = [...document.querySelectorAll('svg.drawing')].flatMap((drawing) => {
    const frame = drawing.getBoundingClientRect();
    const texts = [...drawing.querySelectorAll('text')].map((text) => [text.textContent, text.getBoundingClientRect()]);
    const cut = texts.filter(([, box]) => box.left < frame.left - 1 || box.right > frame.right + 1
      || box.top < frame.top - 1 || box.bottom > frame.bottom + 1).map(([text]) => `cut: ${text}`);
    const over = texts.flatMap(([one, a], at) => texts.slice(at + 1).filter(([, b]) =>
      Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
      && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3).map(([two]) => `${one} / ${two}`));
    return [...cut, ...over];
  });
  return boxes;
}"""


def sweeps() -> dict[str, Sweep]:
    """Few points, many with failures, several chips and networks with four objectives, and nothing that worked."""
    few = [({"array.rows": rows, "buffers.weight.size": size},
            {"energy_pj": 5e7 / rows, "latency_ns": 2e5 / rows + cost, "area_um2": 1e4 * rows + cost})
           for rows in (8, 16) for size, cost in (("64 KiB", 0.0), ("144 KiB", 900.0))]  # fmt: skip
    return {
        "few": table(few), "many": large(1_000), "several": large(48, networks=2, chips=7, keys=9),
        "failed": table([({"key": at}, None) for at in range(5)]),
        "search": replace(large(130, keys=6), objectives=("energy_pj", "area_um2")),
    }  # fmt: skip


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The address of each page; one of them is of a sweep that was executed."""
    folder = tmp_path_factory.mktemp("pages")
    found = {name: write_report(sweep, folder / f"{name}.html").as_uri() for name, sweep in sweeps().items()}
    four = (*OBJECTIVES, "throughput_per_s")
    found["several"] = write_report(sweeps()["several"], folder / "several.html", objectives=four).as_uri()
    spec = folder / "real.yaml"
    spec.write_text("archs: [sata]\nworkloads: [cnn-mnist]\nspace: {array.rows: [8, 16, 32], array.cols: [8, 16]}\n")
    archsim.sweep(spec, output=folder / "real")
    return found | {"real": write_report(folder / "real", folder / "real.html").as_uri()}


ALL = ("few", "many", "several", "failed", "search", "real")


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("case", [pytest.param("several", marks=pytest.mark.slow), "failed", "real"])
def test_axe_finds_nothing(case: str, size: dict[str, int], pages: dict[str, str], tab: Any) -> None:
    tab.set_viewport_size(size)
    tab.goto(pages[case])
    assert violations(tab) == []


@pytest.mark.parametrize("case", ALL)
def test_a_phone_scrolls_tables_and_wide_drawings_not_the_page(case: str, pages: dict[str, str], tab: Any) -> None:
    tab.set_viewport_size(PHONE)
    tab.goto(pages[case])
    tab.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    heights = "[...document.querySelectorAll('svg.drawing text')].map((text) => text.getBoundingClientRect())"
    shortest = tab.evaluate(f"Math.min(99, ...{heights}.map((box) => Math.min(box.width || 99, box.height)))")
    assert shortest >= 6  # of a single digit; lines are twice as high as it is wide


@pytest.mark.parametrize("case", ALL)
@pytest.mark.parametrize("width", [360, 800, 1280])
def test_no_label_covers_another_and_none_is_cut(case: str, width: int, pages: dict[str, str], tab: Any) -> None:
    tab.set_viewport_size({"width": width, "height": 900})
    tab.goto(pages[case])
    assert tab.evaluate(LAPS) == []


@pytest.mark.parametrize("case", ["several", "search", "real"])
def test_paper_holds_the_drawings(case: str, pages: dict[str, str], tab: Any) -> None:
    tab.goto(pages[case])
    tab.emulate_media(media="print")
    tab.set_viewport_size({"width": 680, "height": 1000})  # A4 between its margins
    assert tab.evaluate("document.documentElement.scrollWidth") <= 680
    drawings = "[...document.querySelectorAll('svg.drawing')]"
    ends = tab.evaluate(f"{drawings}.map((one) => one.getBoundingClientRect().right)")
    assert ends and max(ends) <= 680
    assert tab.pdf(format="A4").count(b"/Type /Page\n") >= 2


def test_nothing_is_loaded_nothing_fails_and_tables_sort(pages: dict[str, str], tab: Any) -> None:
    asked: list[str] = []
    said: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.goto(pages["many"])
    head = tab.locator("#front-points-1 thead th").nth(5)
    head.locator("button").focus()
    tab.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    rows = "[...document.querySelectorAll('#front-points-1 tbody tr')]"
    values = tab.evaluate(f"{rows}.map((row) => Number(row.cells[5].dataset.value))")
    assert values == sorted(values, reverse=True) and len(set(values)) > 3
    assert [url for url in asked if not url.startswith("data:")] == [pages["many"]] and said == []


def test_the_page_is_whole_without_javascript(chromium: Any, pages: dict[str, str]) -> None:
    context = fresh(chromium, java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["real"])
    assert page.locator("svg.drawing").count() == 4 and page.locator("th button").count() == 0
    page.locator("#asked summary").click()
    assert page.locator("#asked pre").is_visible()
    context.close()


def test_a_screen_reader_hears_what_is_drawn(pages: dict[str, str], tab: Any) -> None:
    tab.goto(pages["real"])
    tree = tab.locator("#front-1").aria_snapshot()
    assert 'img "latency against energy"' in tree and 'img "All dimensions at once"' in tree
    described = tab.locator("#scatter-1-1").get_attribute("aria-describedby")
    assert "points are on the front" in tab.locator(f"#{described}").text_content()


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_front_is_seen_where_its_points_are(size: dict[str, int], pages: dict[str, str], tab: Any) -> None:
    """A screenshot: every point of the front has its colour at its place, and most of the rest is white."""
    tab.set_viewport_size(size)
    tab.goto(pages["many"])
    found = tab.locator("#scatter-1-2")
    found.scroll_into_view_if_needed()
    frame = found.bounding_box()
    image = np.asarray(Image.open(io.BytesIO(found.screenshot())).convert("RGB")).astype(int)
    of_front = "(one) => [...one.querySelectorAll('path')].filter((path) => path.querySelector('title'))"
    boxes = f"{of_front}.map((path) => path.getBoundingClientRect())"
    places = found.evaluate(f"{boxes}.map((box) => [box.x, box.y, box.width])")
    assert len(places) == len(pareto(sweeps()["many"], *OBJECTIVES).rows)
    taken = [image[round(y - frame["y"] + width / 2), round(x - frame["x"] + width / 2)] for x, y, width in places]
    hits = [np.abs(pixel - FRONT_COLOUR).max() < 12 for pixel in taken]
    assert sum(hits) > 0.7 * len(hits)  # others are covered by the outlines of their neighbours
    white = (image > 250).all(axis=2).mean()
    assert 0.5 < white < 0.97


def test_chips_are_told_by_shape_where_no_colour_is_seen(pages: dict[str, str], tab: Any) -> None:
    """The legend as a printer without colours shows it: every chip has a picture of its own."""
    tab.goto(pages["several"])
    pictures = []
    for entry in tab.locator("#scatter-1 .legend span").all():
        if entry.inner_text().startswith("chip"):
            grey = Image.open(io.BytesIO(entry.locator("svg").screenshot())).convert("L")
            pictures.append((np.asarray(grey) < 200).tobytes())
    assert len(pictures) == 7 and len(set(pictures)) >= 6  # the seventh chip has a shape again, in another colour

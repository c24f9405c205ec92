"""The page of a run: it holds the result's numbers, needs nothing else, and every name in it stays text."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from page_reader import Element, read_page
from pydantic import TypeAdapter
from typer.testing import CliRunner

import archsim
from archsim.cli import app
from archsim.errors import ArchsimError
from archsim.report.html import html_report, write_report
from archsim.report.html.parts import MOST_ROWS
from archsim.report.units import AREA, ENERGY, TIME, printed, typeset, whole
from archsim.result import Result
from archsim.store import Store

HOSTILE = "<script>alert(1)</script>"
QUOTED = "\"'><img src=x onerror=alert(2)>&amp;{{ 7*7 }}"
MOST_BYTES = 1_000_000


@pytest.fixture(scope="module", params=["sata", "spikeflow"])
def result(request: pytest.FixtureRequest) -> Result:
    return archsim.simulate(request.param, "cnn-mnist")


@pytest.fixture(scope="module")
def full() -> Result:
    return archsim.simulate("sata", "cnn-mnist", samples="0..2", against=["sata-sim", "scalesim"], vary_costs=True)


def renamed(result: Result, names: Mapping[str, str]) -> Result:
    """The result with other texts in it, wherever they stand (files of results may hold any)."""
    body = json.dumps(result.to_json())
    for old, new in names.items():
        body = body.replace(json.dumps(old), json.dumps(new))
    fields = {key: value for key, value in json.loads(body).items() if key in Result.__dataclass_fields__}
    return TypeAdapter(Result).validate_python(fields)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A network whose description, name and layers have every letter that means something in HTML."""
    network = {
        "name": "net", "description": f"</pre></details>{HOSTILE}", "source": QUOTED, "timesteps": 2,
        "input": {"shape": [1, 6, 6], "encoding": "direct"}, "precision": {"weight_bits": 8, "membrane_bits": 16},
        "neuron": {"model": "lif", "leak": 0.5, "threshold": 1.0},
        "layers": [
            {"name": "first", "type": "conv2d", "out_channels": 4, "kernel": 3, "padding": 1},
            {"name": "second", "type": "linear", "out_features": 4},
            {"name": "third", "type": "linear", "out_features": 4},
        ],
        "activity": {"density": {"default": 0.3}, "generator": "bernoulli", "seed": 0},
    }  # fmt: skip
    path = tmp_path_factory.mktemp("hostile") / "net.yaml"
    path.write_text(yaml.safe_dump(network, sort_keys=False))
    names = {"net": f"net {HOSTILE}", "first": HOSTILE, "second": QUOTED, "third": "\u202eevil" + "x" * 5000}
    return renamed(archsim.simulate("sata", path), names)


def table(page: Element, key: str) -> Element:
    (found,) = [element for element in page.all("table") if element.attributes.get("id") == key]
    return found


def column(page: Element, key: str, at: int) -> list[Element]:
    (body,) = table(page, key).all("tbody")
    return [[cell for cell in row.children if cell.tag in ("th", "td")][at] for row in body.all("tr")]


def check_structure(text: str) -> Element:
    """What every page must have; the tree for more."""
    page = read_page(text)
    ids = [element.attributes["id"] for element in page.every() if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    names = ("aria-labelledby", "aria-describedby")
    named = [element.attributes.get(name) for element in page.every() for name in names]
    links = [element.attributes["href"] for element in page.all("a")]
    assert {link[1:] for link in links} | set(filter(None, named)) <= set(ids)
    assert all(link.startswith("#") for link in links)
    levels = [int(element.tag[1]) for element in page.every() if re.fullmatch("h[1-6]", element.tag)]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert [len(page.all(tag)) for tag in ("main", "header", "nav", "footer", "head")] == [1] * 5
    assert len(page.all("head")[0].all("title")) == 1
    (root,) = page.all("html")
    assert root.attributes["lang"] == "en"
    assert all(len(found.all("caption")) == 1 and found.all("caption")[0].text for found in page.all("table"))
    assert all("scope" in cell.attributes for cell in page.all("th"))
    for found in page.all("table"):
        widths = {len([cell for cell in row.children if cell.tag in ("th", "td")]) for row in found.all("tr")}
        assert len(widths) == 1, found.attributes
    pictures = [element for element in page.every() if element.attributes.get("role") == "img"]
    assert all(picture.attributes.get("aria-label") or picture.tag == "svg" for picture in pictures)
    for drawing in page.all("svg"):
        if drawing.attributes.get("role") == "img":
            said = [(found.tag, found.attributes["id"], bool(found.text)) for found in drawing.children[:2]]
            named_by = (drawing.attributes[f"aria-{what}by"] for what in ("labelled", "described"))
            assert said == [("title", next(named_by), True), ("desc", next(named_by), True)]
        else:
            assert "aria-hidden" in drawing.attributes
    return page


def check_self_contained(page: Element) -> None:
    """Nothing in the page is loaded from anywhere, and no element but its own script can run."""
    for element in page.every():
        if element.tag == "img":
            assert (element.attributes.pop("src") or "").startswith("data:image/png;base64,")
            assert element.attributes["alt"]
        for name in ("src", "srcset", "data", "action", "poster", "background", "xlink:href"):
            assert name not in element.attributes, element
        assert not [name for name in element.attributes if name.startswith("on")]
        for value in filter(None, element.attributes.values()):
            assert not re.search(r"url\((?!#)", value)
    assert not re.search(r"@import|url\((?!#)", page.all("style")[0].text)
    assert [link.attributes["href"] for link in page.all("link")] == ["data:,"]
    assert len(page.all("script")) == 1
    assert not {"iframe", "object", "embed", "form", "base"} & {element.tag for element in page.every()}


def test_the_page_is_well_formed_and_needs_nothing_else(result: Result) -> None:
    text = html_report(result)
    check_self_contained(check_structure(text))
    assert len(text.encode()) < MOST_BYTES


def test_the_headline_is_the_results(result: Result) -> None:
    text = read_page(html_report(result)).all("main")[0].text
    for value, ladder in ((result.energy_pj, ENERGY), (result.latency_ns, TIME), (result.area_um2, AREA)):
        assert printed(value, ladder) in text
    assert typeset(result.verdict) in text and " uJ" not in text
    assert all(note in text for note in result.assumptions)
    assert all(value in text for value in (*result.hashes.values(), *result.versions.values()))


def test_tables_hold_the_results_rows_with_values_to_sort_by(result: Result) -> None:
    page = read_page(html_report(result))
    layers = {cell.text: cell for cell in column(page, "layers", 0)}
    assert list(layers) == [row.name for row in result.layers]
    cycles = [float(cell.attributes["data-value"] or "") for cell in column(page, "layers", 2)]
    assert cycles == [row.cycles for row in result.layers]
    assert [cell.text for cell in column(page, "layers", 2)] == [whole(row.cycles) for row in result.layers]
    assert {cell.text for cell in column(page, "components", 0)} == {part.name for part in result.components}
    assert {cell.text for cell in column(page, "units", 0)} == {row.unit for row in result.units} - {"sync"}
    on_path = [float(cell.attributes["data-value"] or "") for cell in column(page, "critical-path", 3)]
    assert sum(on_path) == result.cycles and on_path == sorted(on_path, reverse=True)
    shares = [float(cell.attributes["data-value"] or "") for cell in column(page, "levels", 4)]
    assert sum(shares) == pytest.approx(1)
    counts = {(row.component, row.action) for row in result.counts}
    assert len(column(page, "actions", 0)) == len(counts)


def bars(page: Element, key: str) -> list[float]:
    (figure,) = [element for element in page.all("figure") if element.attributes["id"] == key]
    rows = [element for element in figure.all("div") if element.attributes.get("class") == "bar"]
    return [sum(float((rect.attributes["width"] or "").rstrip("%")) for rect in row.all("rect")) for row in rows]


def test_bars_are_as_long_as_what_they_show(result: Result) -> None:
    page = read_page(html_report(result))
    layers = [row.energy_pj for row in result.layers]
    expected = [100 * energy / max(layers) for energy in layers]
    assert bars(page, "chart-layers") == pytest.approx(expected, abs=0.1)
    levels = [sum(pair) for pair in result.levels().values()]
    assert bars(page, "chart-levels") == pytest.approx([100 * energy / max(levels) for energy in levels], abs=0.1)
    assert bars(page, "chart-units") == pytest.approx([100] * len(bars(page, "chart-units")), abs=0.1)
    cycles = [row.cycles for row in result.layers]
    assert bars(page, "chart-time") == pytest.approx([100 * part / max(cycles) for part in cycles], abs=0.1)


def test_layers_stand_where_they_run(result: Result) -> None:
    page = read_page(html_report(result))
    (figure,) = [found for found in page.all("figure") if found.attributes["id"] == "chart-spans"]
    found = [(float((rect.attributes["x"] or "")[:-1]), float((rect.attributes["width"] or "")[:-1]))
             for rect in figure.all("rect")]  # fmt: skip
    first = [100 * (row.first_cycle or 0.0) / result.cycles for row in result.layers]
    spans = [100 * row.span_cycles / result.cycles for row in result.layers]
    assert [start for start, _ in found] == pytest.approx(first, abs=0.01)
    assert [width for _, width in found] == pytest.approx([max(span, 0.2) for span in spans], abs=0.01)
    assert found[0][0] == 0 and max(map(sum, found)) == pytest.approx(100, abs=0.2)
    old = replace(result, layers=tuple(replace(row, first_cycle=None) for row in result.layers))
    assert "chart-spans" not in html_report(old)


def test_every_priced_action_says_where_its_price_comes_from(result: Result) -> None:
    page = read_page(html_report(result))
    named = {element.text for element in page.all("dt")}
    assert {f"{row.component}.{row.action}" for row in result.counts} <= named
    assert {f"{part.name}.{what}" for part in result.components for what in ("leakage", "area")} <= named
    text = page.text
    what = max(result.counts, key=lambda row: row.energy_pj)
    for line in archsim.explain(result, f"{what.component}.{what.action}")[1:]:
        assert line in text
    assert "changed since this run" not in text


def test_a_cost_table_that_changed_or_went_away_is_stated(result: Result, tmp_path: Path) -> None:
    assert "changed since this run" in html_report(replace(result, hashes={**result.hashes, "costs": "other"}))
    gone = replace(result, inputs={**result.inputs, "costs": [str(tmp_path / "gone.yaml")]})
    assert "cannot be derived again" in html_report(gone) and "gone.yaml" in html_report(gone)


def test_a_result_without_critical_path_components_and_inputs_still_has_a_page(result: Result) -> None:
    text = html_report(replace(result, critical_path=(), units=(), inputs={}, versions={}, hashes={}, assumptions=()))
    check_structure(text)
    assert "holds no critical path" in text and "does not say which components" in text


def test_an_empty_result_still_has_a_page(result: Result) -> None:
    empty = replace(
        result, critical_path=(), units=(), layers=(), counts=(), components=(), inputs={}, cycles=0, latency_ns=0.0,
        energy_pj=0.0, dynamic_pj=0.0, static_pj=0.0, area_um2=0.0, throughput_per_s=None, interval_cycles=None,
    )  # fmt: skip
    check_structure(html_report(empty))


def test_several_samples_peers_and_varied_costs_have_their_sections(full: Result) -> None:
    text = html_report(full)
    page = check_structure(text)
    check_self_contained(page)
    assert [cell.text for cell in column(page, "samples", 0)] == ["0", "1", "2"]
    titles = [element.text for element in page.all("h2")]
    assert {"Against sata-sim", "Against scalesim", "Which constant the energy hangs on"} <= set(titles)
    assert "±" in text
    steps = full.against["sata-sim"]["waterfall"]["rows"]
    assert all(row["name"] in page.text and row["explanation"] in page.text for row in steps)
    assert all(row["constant"] in page.text for row in full.vary_costs)


def test_the_way_from_a_peer_joins_up(full: Result) -> None:
    page = read_page(html_report(full))
    (figure,) = [f for f in page.all("figure") if (f.attributes["id"] or "").startswith("chart-way")]
    rects = [row.all("rect")[0] for row in figure.all("div") if row.attributes.get("class") == "bar"]
    ends = [(float((rect.attributes["x"] or "")[:-1]), float((rect.attributes["width"] or "")[:-1])) for rect in rects]
    found = full.against["sata-sim"]["waterfall"]
    first, last = ends[0][1], ends[-1][1]
    assert first / last == pytest.approx(found["start"] / found["end"], rel=1e-3)
    assert max(start + width for start, width in ends) == pytest.approx(100, abs=0.1)


def test_names_from_files_stay_text(hostile: Result) -> None:
    text = html_report(hostile)
    page = check_structure(text)
    check_self_contained(page)
    assert HOSTILE in [cell.text for cell in column(page, "layers", 0)]
    assert QUOTED in [cell.text for cell in column(page, "layers", 0)]
    assert "alert" not in page.all("script")[0].text
    assert f"net {HOSTILE}" in page.all("h1")[0].text and f"net {HOSTILE}" in page.all("title")[0].text
    assert len(text.encode()) < MOST_BYTES


def test_names_in_every_other_place_stay_text(full: Result) -> None:
    names = ("sata-sim", "fc1", "dram", "global buffer", "array", "cnn-mnist", "numpy", "read_bit", "latency")
    text = html_report(renamed(full, {name: f"{HOSTILE}{name}{QUOTED}" for name in names}))
    check_self_contained(check_structure(text))
    assert "<script>alert" not in text and "onerror=alert(2)>" not in text


def test_long_tables_end_and_say_so(result: Result) -> None:
    unit = result.units[0]
    many = replace(result, units=tuple(replace(unit, unit=f"unit {number}") for number in range(MOST_ROWS + 50)))
    text = html_report(many)
    assert len(column(read_page(text), "units", 0)) == MOST_ROWS
    assert "50 more rows are left out" in text


def test_the_verb_writes_the_page_and_says_where(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result.save("run")
    done = CliRunner().invoke(app, ["report", "run", "-o", "new/run.html"])
    assert (done.exit_code, done.stdout.strip()) == (0, str(Path("new/run.html")))
    assert Path("new/run.html").read_text(encoding="utf-8") == html_report(result)
    assert sorted(path.name for path in Path("new").iterdir()) == ["run.html"]


def test_a_stored_run_is_named_by_its_id(result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHSIM_STORE", str(tmp_path / "store.db"))
    Store().put("0123456789abcdef" * 4, result, 1.0)
    (row,) = Store().rows()
    done = CliRunner().invoke(app, ["report", row.id, "-o", str(tmp_path / "run.html")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "run.html").read_text(encoding="utf-8") == html_report(result)


def test_what_is_wrong_is_said_at_once_and_nothing_is_written(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["report", str(tmp_path / "none"), "-o", str(tmp_path / "run.png")])
    assert done.exit_code == 2
    assert "no result here" in done.stderr and "HTML file" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("place", ["folder.html", "file/run.html", "", "run", "\0.html"])
def test_places_that_cannot_be_written_are_refused(place: str, result: Result, tmp_path: Path) -> None:
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ArchsimError):
        write_report(result, tmp_path / place if place else "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.html"]


def test_a_disk_that_fails_leaves_the_old_page(result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.html"
    path.write_text("old")

    def full_disk(*_: object, **__: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(ArchsimError, match="no space left"):
        write_report(result, path)
    assert path.read_text() == "old" and [entry.name for entry in tmp_path.iterdir()] == ["run.html"]


@pytest.mark.parametrize("arch", ["sata", "spikeflow"])
def test_a_larger_network_is_small(arch: str, tmp_path: Path) -> None:
    found = archsim.simulate(arch, "vgg9-cifar10")
    path = archsim.write_report(found, tmp_path / "run.html")
    assert path.stat().st_size < MOST_BYTES / 2


@pytest.mark.parametrize("arch", ["sata", "spikeflow"])
def test_figures_over_time_in_the_runs_folder_come_along(arch: str, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    found = archsim.simulate(arch, "cnn-mnist")
    found.save(folder)
    assert "--timeline" in html_report(folder) and "<img" not in html_report(folder)
    archsim.plot(archsim.timeline(arch, "cnn-mnist"), output=folder)
    text = html_report(folder)
    page = check_structure(text)
    pictures = [base64.b64decode((element.attributes["src"] or "").partition(",")[2]) for element in page.all("img")]
    assert pictures == [(folder / f"{name}.png").read_bytes() for name in ("gantt", "power")]
    check_self_contained(page)
    assert len(text.encode()) < MOST_BYTES
    with (folder / "gantt.png").open("ab") as file:
        file.write(bytes(MOST_BYTES))
    (folder / "power.png").write_text("no picture")
    text = html_report(folder)
    assert "<img" not in text and "too large for this page" in text and len(text.encode()) < MOST_BYTES

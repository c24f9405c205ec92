"""The page of a sweep: its table's numbers, every front, nothing left out in silence, and every name stays text."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_sweeps import large, row, table
from hypothesis import given, settings
from hypothesis import strategies as st
from page_reader import Element, read_page
from test_html_report import HOSTILE, MOST_BYTES, QUOTED, bars, check_self_contained, check_structure, column
from typer.testing import CliRunner

import archsim
from archsim.cli import app
from archsim.errors import ArchsimError
from archsim.report.html import html_report, write_report
from archsim.report.html.sweep.study import study_of
from archsim.report.units import AREA, ENERGY, TIME, printed
from archsim.sweeps import Sweep, load_sweep, pareto

OBJECTIVES = ("energy_pj", "latency_ns", "area_um2")
SPEC = """# chips of several widths
archs: [sata]
workloads: [cnn-mnist]
space: {array.rows: [8, 16, 32], array.cols: [4, 8], buffers.weight.size: [64 B, 144 KiB]}
constraints: ["area_um2 < 1e6"]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep of twelve points: half of them fail, and some of the others break a constraint."""
    place = tmp_path_factory.mktemp("sweep")
    (place / "wide.yaml").write_text(SPEC)
    archsim.sweep(place / "wide.yaml", output=place / "wide")
    return place / "wide"


@pytest.fixture(scope="module")
def page(folder: Path) -> Element:
    return check_structure(html_report(folder))


def drawing(page: Element, key: str) -> Element:
    (found,) = [element for element in page.all("svg") if element.attributes.get("id") == key]
    return found


def marks(found: Element, **attributes: str) -> list[Element]:
    """The paths of the groups that have these attributes."""
    groups = [group for group in found.all("g") if attributes.items() <= group.attributes.items()]
    return [path for group in groups for path in group.all("path")]


def test_the_page_is_well_formed_and_needs_nothing_else(folder: Path, page: Element) -> None:
    check_self_contained(page)
    assert (folder / "results.csv").exists() and len(html_report(folder).encode()) < MOST_BYTES


def test_the_verdict_says_how_many_points_ended_how_and_which_are_best(folder: Path, page: Element) -> None:
    sweep = load_sweep(folder)
    failed, broken, fine = (len(sweep.of(status)) for status in ("failed", "constraint", "ok"))
    assert failed == 6 and broken and fine
    text = page.all("main")[0].text
    front = pareto(sweep, *OBJECTIVES)
    assert f"12 points: {fine} executed and within the constraints, {broken} break" in text and "6 failed" in text
    assert f"{len(front.rows)} of {fine} points" in text
    for name, ladder in (("energy_pj", ENERGY), ("latency_ns", TIME), ("area_um2", AREA)):
        best = min(front.rows, key=lambda found: found[name])
        assert printed(best[name], ladder) in text and best["id"] in text


def test_tables_hold_the_front_and_every_point(folder: Path, page: Element) -> None:
    sweep = load_sweep(folder)
    front = pareto(sweep, *OBJECTIVES)
    assert [cell.text for cell in column(page, "front-points-1", 0)] == [found["id"] for found in front.rows]
    energies = [float(cell.attributes["data-value"] or "") for cell in column(page, "front-points-1", 4)]
    assert [energy / energies[0] for energy in energies] == pytest.approx(
        [found["energy_pj"] / front.rows[0]["energy_pj"] for found in front.rows]
    )
    assert sorted(cell.text for cell in column(page, "all-points", 0)) == sorted(found["id"] for found in sweep.rows)
    assert [cell.text for cell in column(page, "all-points", 4)].count("failed") == 6


def test_every_front_point_is_drawn_once_in_every_panel_and_says_what_it_is(folder: Path, page: Element) -> None:
    front = pareto(load_sweep(folder), *OBJECTIVES)
    for number in (1, 2, 3):
        drawn = [path for path in drawing(page, f"scatter-1-{number}").all("path") if path.all("title")]
        assert len(drawn) == len(front.rows)
        assert {path.text.split(",")[0] for path in drawn} == {found["id"] for found in front.rows}
    lines = [path for path in drawing(page, "parallel-1-1").all("path") if path.all("title")]
    assert {path.text.split(",")[0] for path in lines} == {found["id"] for found in front.rows}
    spoken = drawing(page, "scatter-1-1").children[1].text
    assert "energy" in spoken and f"{len(front.rows)} of" in spoken


def start(path: Element) -> tuple[float, float]:
    found = re.match(r"M(-?[\d.]+),(-?[\d.]+)", path.attributes["d"] or "")
    assert found
    return float(found[1]), float(found[2])


def test_points_lie_where_their_numbers_are() -> None:
    """Four designs at the corners of a square, both axes linear: places are in the numbers' proportions."""
    numbers = {"energy_pj": (10, 20, 15, 20), "latency_ns": (200, 100, 175, 200)}
    sweep = table([({"key": at}, {"area_um2": 5.0, **{name: float(values[at]) for name, values in numbers.items()}})
                   for at in range(4)])  # fmt: skip
    page = read_page(html_report(sweep, objectives=("energy_pj", "latency_ns")))
    found = drawing(page, "scatter-1-1")
    (beaten,) = marks(found, fill="#8C8C8C")
    (first, middle, last) = sorted(start(path) for path in found.all("path") if path.all("title"))
    assert first[0] < middle[0] < last[0] and first[1] < middle[1] < last[1]  # y points down
    assert (middle[0] - first[0]) / (last[0] - first[0]) == pytest.approx(0.5, abs=0.01)
    assert (middle[1] - first[1]) / (last[1] - first[1]) == pytest.approx(0.25, abs=0.01)
    assert start(beaten)[0] == pytest.approx(last[0], abs=3) and start(beaten)[1] == pytest.approx(first[1], abs=3)
    (steps,) = marks(found, fill="none", stroke="#0072B2")
    assert steps.attributes["d"].count("l") == 4  # from each point of the front over a corner to the next


@pytest.mark.parametrize("better", [("energy_pj", "latency_ns"), ("throughput_per_s", "latency_ns"),
                                    ("energy_pj", "throughput_per_s"), ("throughput_per_s", "cycles")])  # fmt: skip
def test_steps_of_a_front_turn_at_the_worse_corner(better: tuple[str, str]) -> None:
    signs = [-1 if name == "throughput_per_s" else 1 for name in better]
    points = [({"key": at}, {better[0]: 10.0 + signs[0] * at, better[1]: 10.0 - signs[1] * at}) for at in range(4)]
    found = drawing(read_page(html_report(table(points), objectives=better)), "scatter-1-1")
    (line,) = marks(found, fill="none", stroke="#0072B2")
    steps = re.findall(r"[Ml](-?[\d.]+),(-?[\d.]+)", line.attributes["d"] or "")
    places = np.cumsum(np.array(steps, dtype=float), axis=0) * [signs[0], -signs[1]]  # y points down
    assert len(places) == 7
    for at in (1, 3, 5):
        assert (places[at] >= places[[at - 1, at + 1]] - 0.11).all()


def test_the_share_of_a_key_is_that_of_a_worked_example() -> None:
    """y = 3 a + b on a full 2 x 2 grid: the variances of the parts are 9 : 1, and both rise."""
    points = [({"a": a, "b": b}, {"energy_pj": 3.0 * a + b + 1, "latency_ns": 9.0 - a, "area_um2": 1.0})
              for a in (0, 1) for b in (0, 1)]  # fmt: skip
    page = check_structure(html_report(table(points)))
    cells = {cell.text: index for index, cell in enumerate(column(page, "moves-1-shares", 0))}
    shares = [float(cell.attributes["data-value"] or "nan") for cell in column(page, "moves-1-shares", 2)]
    ranks = [cell.text for cell in column(page, "moves-1-shares", 5)]
    assert shares[cells["a"]] == pytest.approx(0.9) and shares[cells["b"]] == pytest.approx(0.1)
    assert ranks[cells["a"]] == "−1.00" and ranks[cells["b"]] == "+0.00"
    assert bars(page, "moves-1-chart-1") == pytest.approx([90, 10])
    means = {(key.text, value.text): mean.text for key, value, mean in zip(
        column(page, "moves-1-means", 0), column(page, "moves-1-means", 1), column(page, "moves-1-means", 7),
        strict=True)}  # fmt: skip
    assert means["a", "1"] == "+50.0 %" and means["b", "0"] == "−16.7 %"


def test_keys_that_do_nothing_have_no_clear_effect() -> None:
    """y = a on drawn points, beside keys of five values that do nothing: few of them pass for a cause, and a does."""
    draw = np.random.default_rng(7)
    points = []
    for _ in range(60):
        keys = {"a": int(draw.integers(5))} | {f"idle{at}": int(draw.integers(5)) for at in range(30)}
        points.append((keys, {"energy_pj": 10.0 + keys["a"] + draw.normal(), "latency_ns": 1.0, "area_um2": 1.0}))
    found = study_of(table(points), ("energy_pj", "area_um2")).groups[0].influences
    clear = [key for key, each in found.items() if each["energy_pj"].is_clear]
    assert clear[0] == "a" and len(clear) <= 6
    page = check_structure(html_report(table(points)))
    assert page.text.count("no clear effect (ρ\u00a0") >= 15
    assert "may get as much by chance, with so many values and points" in page.text


def test_on_a_full_grid_nothing_is_chance() -> None:
    points = [({"a": a, "b": b}, {"energy_pj": 9.0 * a + 0.01 * b + 1, "latency_ns": 1.0, "area_um2": 1.0})
              for a in range(3) for b in range(3)]  # fmt: skip
    assert "no clear effect" not in html_report(table(points))
    assert "no clear effect" in html_report(table(points[:-1]))


@pytest.mark.parametrize(("networks", "chips"), [(1, 1), (3, 2)])
def test_ten_thousand_points_are_small_and_what_is_left_out_is_said(networks: int, chips: int) -> None:
    sweep = large(10_000, networks, chips)
    text = html_report(sweep)
    assert len(text.encode()) < MOST_BYTES
    page = check_structure(text)
    assert "drawn are a random sample of" in page.text and "results.csv in the sweep's folder has them all" in page.text
    (said,) = re.findall(r"Points of the sweep: ([\d,]+) of 10,000", page.text)
    assert len(column(page, "all-points", 0)) == int(said.replace(",", ""))
    for at in range(1, networks + 1):
        of_network = [found for found in sweep.rows if found["workload"] == f"net{at - 1}"]
        front = pareto(Sweep("", sweep.keys, tuple(of_network)), *OBJECTIVES)
        drawn = [path for path in drawing(page, f"scatter-{at}-1").all("path") if path.all("title")]
        assert {path.text.split(",")[0] for path in drawn} == {found["id"] for found in front.rows}


def test_a_front_of_thousands_is_sampled_too_and_keeps_the_best_points() -> None:
    points = [({"key": at}, {"energy_pj": at + 1.0, "latency_ns": 9000.0 - at, "area_um2": 1.0}) for at in range(2500)]
    sweep = table(points)
    text = html_report(sweep)
    page = check_structure(text)
    assert len(text.encode()) < MOST_BYTES
    assert "of the 2,500 points on the front" in page.text
    found = marks(drawing(page, "scatter-1-1"), fill="#0072B2")
    assert len({start(path)[0] for path in found}) > 200
    ends = [min(start(path) for path in found), max(start(path) for path in found)]
    every = [start(path) for path in marks(drawing(page, "scatter-1-1"), stroke="#0072B2")]
    assert ends[0][0] + 5 == pytest.approx(every[0][0], abs=0.2) and ends[1][1] > ends[0][1]
    best = [path.text.split(",")[0] for path in drawing(page, "parallel-1-1").all("path") if path.all("title")]
    assert {sweep.rows[0]["id"], sweep.rows[-1]["id"]} <= set(best)


def test_names_of_any_letters_stay_text_and_the_page_stays_small() -> None:
    sweep = large(3_000, networks=9, chips=8, keys=14, letters=400)
    text = html_report(replace(sweep, name=f"{HOSTILE}{QUOTED}"))
    assert len(text.encode()) < MOST_BYTES
    page = check_structure(text)
    check_self_contained(page)
    assert f"Sweep {HOSTILE}{QUOTED}" in page.all("h1")[0].text
    assert "more networks are not drawn" in page.text and "which move the objectives least" in page.text


def test_networks_without_a_section_are_counted() -> None:
    page = check_structure(html_report(large(80, networks=8)))
    assert "2 more networks are not drawn" in page.text and len(column(page, "networks", 0)) == 8


def test_a_network_that_is_called_like_a_script_stays_text(tmp_path: Path) -> None:
    values = {f"key {HOSTILE}": HOSTILE, "other": QUOTED}
    first = row(1, values, dict.fromkeys(OBJECTIVES, 1.0), workload=HOSTILE, arch=QUOTED)
    rows = [first, row(2, {key: "b" for key in values}, None, workload="net", arch="chip", message=f"{HOSTILE} 3")]
    sweep = Sweep("mine", tuple(values), tuple(rows))
    (tmp_path / "results.csv").write_text(sweep.to_csv())
    (tmp_path / "sweep.yaml").write_text(f"</pre></details>{HOSTILE}")
    (tmp_path / "made_with.json").write_text(json.dumps({"versions": {HOSTILE: QUOTED}, "hashes": [1]}))
    text = html_report(tmp_path)
    page = check_structure(text)
    check_self_contained(page)
    assert "<script>alert" not in text and "onerror=alert(2)>" not in text
    assert HOSTILE in [cell.text for cell in column(page, "networks", 0)]
    assert f"</pre></details>{HOSTILE}" in [found.text for found in page.all("pre")]


def test_each_network_has_its_own_front_and_chips_differ_in_shape_and_colour() -> None:
    sweep = large(60, networks=2, chips=3)
    page = check_structure(html_report(sweep))
    assert {"The front: net0", "The front: net1"} <= {found.text for found in page.all("h2")}
    for at, network in enumerate(("net0", "net1"), start=1):
        own = Sweep("", sweep.keys, tuple(found for found in sweep.rows if found["workload"] == network))
        expected = [found["id"] for found in pareto(own, *OBJECTIVES).rows]
        assert [cell.text for cell in column(page, f"front-points-{at}", 0)] == expected
    swatches = {}
    (figure,) = [found for found in page.all("figure") if found.attributes["id"] == "scatter-1"]
    for entry in figure.all("span"):
        if entry.text.strip().startswith("chip"):
            (group,) = entry.all("g")
            swatches[entry.text.strip()] = group.attributes["fill"], group.all("path")[0].attributes["d"]
    assert len(swatches) == 3
    assert all(len({found[at] for found in swatches.values()}) == 3 for at in (0, 1))


def test_a_sweep_in_which_everything_failed_says_why() -> None:
    page = check_structure(html_report(table([({"key": at}, None) for at in range(5)])))
    assert "5 points: 0 executed, 5 failed." in page.text and "No point was executed" in page.text
    assert [cell.text for cell in column(page, "failures", 4)] == ["does not fit"]
    assert not [found for found in page.all("svg") if "drawing" in (found.attributes.get("class") or "")]


def test_a_constraint_that_nothing_meets_is_said_and_the_points_are_drawn() -> None:
    sweep = table([({"key": at}, dict.fromkeys(OBJECTIVES, at + 1.0)) for at in range(4)])
    rows = tuple({**found, "status": "constraint", "message": "not area_um2 < 0.5; not energy_pj < 9"}
                 for found in sweep.rows)  # fmt: skip
    page = check_structure(html_report(replace(sweep, rows=rows)))
    assert "No point meets all constraints" in page.text
    assert [cell.text for cell in column(page, "constraints", 0)] == ["area_um2 < 0.5", "energy_pj < 9"]
    assert len(marks(drawing(page, "scatter-1-1"), stroke="#6B6B6B")) == 4


def test_messages_that_differ_in_numbers_are_counted_together() -> None:
    sweep = table([({"key": at}, None) for at in range(7)])
    messages = [f"needs {at}.5 KiB" if at < 5 else "other" for at in range(7)]
    rows = tuple({**found, "message": message} for found, message in zip(sweep.rows, messages, strict=True))
    page = check_structure(html_report(replace(sweep, rows=rows)))
    counts = [(number.text, wordings.text) for number, wordings in zip(
        column(page, "failures", 0), column(page, "failures", 2), strict=True)]  # fmt: skip
    assert counts == [("5", "5"), ("2", "1")]


def test_empty_tables_single_points_and_missing_numbers_have_pages() -> None:
    check_structure(html_report(Sweep("nothing", (), ())))
    one = check_structure(html_report(table([({}, dict.fromkeys(OBJECTIVES, 2.0))])))
    assert "1 of 1 points is on the front" in one.text
    numbers = {**dict.fromkeys(OBJECTIVES, 1.0), "throughput_per_s": None}
    lacking = html_report(table([({"key": 1}, numbers)]), objectives=("energy_pj", "throughput_per_s"))
    assert "has energy, throughput, so there is no front" in check_structure(lacking).text


NUMBERS = st.one_of(st.none(), st.sampled_from([0.0, 1.0, -3.5, 1e-300, 1e300, 5e-324]), st.floats(1e-3, 1e12))
VALUES = st.one_of(st.none(), st.integers(), st.floats(), st.booleans(), st.text(max_size=9), st.lists(st.integers()),
                   st.sampled_from(["64 KiB", "3.2 GB/s", "100 MHz", "0", "not set", "nan", "1e999"]))  # fmt: skip
ROWS = st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.tuples(VALUES, VALUES),
                 st.tuples(NUMBERS, NUMBERS, NUMBERS), st.sampled_from(["ok", "constraint", "failed"]))  # fmt: skip


@settings(deadline=None, max_examples=30)
@given(st.lists(ROWS, max_size=12))
def test_whatever_a_table_holds_it_has_a_page(rows: list[Any]) -> None:
    found = []
    for number, (arch, network, values, numbers, status) in enumerate(rows):
        figures = None if status == "failed" else dict(zip(OBJECTIVES, numbers, strict=True))
        more = {"arch": arch, "workload": network, "status": status, "message": "not area_um2 < 1; not x"}
        found.append(row(number, dict(zip(("one", "two"), values, strict=True)), figures, **more))
    page = check_structure(html_report(Sweep("any", ("one", "two"), tuple(found))))
    places = [value for drawing in page.all("svg") for path in drawing.all("path")
              for value in re.findall(r"nan|inf|e[+-]", path.attributes["d"] or "")]  # fmt: skip
    assert places == []


def test_numbers_without_a_place_are_refused() -> None:
    broken = table([({"key": 1}, {**dict.fromkeys(OBJECTIVES, 1.0), "latency_ns": float("inf")})])
    with pytest.raises(ArchsimError, match="latency_ns: not a finite number"):
        html_report(broken)


def test_the_folders_files_come_along(folder: Path, page: Element) -> None:
    assert SPEC.strip() in [found.text.strip() for found in page.all("pre")]
    made = json.loads((folder / "made_with.json").read_text())
    assert all(text in page.text for text in (*made["versions"].values(), *made["hashes"].values()))
    assert {cell.text for cell in column(page, "varied", 0)} == {"array.rows", "array.cols", "buffers.weight.size"}


def test_objectives_are_those_asked_for_or_those_of_a_search(folder: Path, tmp_path: Path) -> None:
    asked = html_report(folder, objectives=("area_um2", "power_mw"))
    assert "front of area × power" in asked and "scatter-1-2" not in asked
    (tmp_path / "results.csv").write_text((folder / "results.csv").read_text())
    (tmp_path / "sweep.yaml").write_text("method: {search: {objectives: [power_mw, area_um2], trials: 9}}")
    assert "front of power × area" in html_report(tmp_path)
    (tmp_path / "sweep.yaml").write_text("method: {search: {objectives: [power_mw]}}")
    assert "front of power × energy × latency × area" in html_report(tmp_path)


def test_a_search_numbers_its_trials_and_that_is_no_key() -> None:
    sweep = table([({"trial": at, "key": at % 2}, dict.fromkeys(OBJECTIVES, at + 1.0)) for at in range(6)])
    page = check_structure(html_report(sweep))
    assert [cell.text for cell in column(page, "moves-1-shares", 0)] == ["key"]


def test_a_search_shows_the_best_so_far_design_by_design() -> None:
    energies = [5.0, 7.0, 4.0, 1.0, 4.5, 2.0, 2.0]  # the fourth breaks a constraint
    sweep = table([({"key": at}, {**dict.fromkeys(OBJECTIVES, 3.0), "energy_pj": energy})
                   for at, energy in enumerate(energies)])  # fmt: skip
    rows = tuple({**found, "status": "constraint" if at == 3 else "ok"} for at, found in enumerate(sweep.rows))
    assert "search-1" not in html_report(replace(sweep, rows=rows))
    page = check_structure(html_report(replace(sweep, rows=rows, objectives=("energy_pj", "area_um2"))))
    assert "last improvements: energy at 6, area at 1 of 7 designs" in page.text
    (line,) = marks(drawing(page, "search-1-1"), stroke="#0072B2")
    steps = np.cumsum(np.array(re.findall(r"[Ml](-?[\d.]+),(-?[\d.]+)", line.attributes["d"] or ""), float), axis=0)
    across, up = (steps[:, 0] - steps[0, 0]) / (steps[-1, 0] - steps[0, 0]), steps[:, 1]
    assert across * 6 == pytest.approx([0, 2, 2, 5, 5, 6], abs=0.02)  # designs 1, 3 and 6 of 7
    assert (up - up[0]) / (up[-1] - up[0]) * 3 == pytest.approx([0, 0, 1, 1, 3, 3], abs=0.02)
    dots = marks(drawing(page, "search-1-1"), fill="#8C8C8C")
    assert len(re.findall("M", dots[0].attributes["d"] or "")) == 6


def test_the_verb_and_its_twin_write_the_same_page(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "sweep.html"
    words = ["report", str(folder), "-o", str(file), "--objectives", "energy_pj, area_um2"]
    done = CliRunner().invoke(app, words)
    assert (done.exit_code, done.stdout.strip()) == (0, str(file))
    assert file.read_text() == html_report(folder, objectives=("energy_pj", "area_um2"))
    assert write_report(folder / "results.csv", tmp_path / "other.html").read_text() == html_report(folder)


def test_what_is_wrong_is_said_at_once(folder: Path, tmp_path: Path) -> None:
    words = ["report", str(folder), "-o", str(tmp_path / "x.png"), "--objectives", "enrgy_pj"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2 and "did you mean 'energy_pj'?" in done.stderr and "HTML file" in done.stderr
    assert "2 to 4 of" in done.stderr and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([], "neither a run nor a sweep"),
        (["points.jsonl"], "not finished"),
        (["result.json", "results.csv"], "holds a run and a sweep"),
        (["results.csv"], "not the table of a sweep"),
    ],
)
def test_folders_that_are_neither_are_refused(files: list[str], said: str, tmp_path: Path) -> None:
    for name in files:
        (tmp_path / name).write_text("{}")
    with pytest.raises(ArchsimError, match=said):
        html_report(tmp_path)


def test_a_run_has_no_objectives(tmp_path: Path) -> None:
    with pytest.raises(ArchsimError, match="a run has no objectives"):
        html_report(archsim.simulate("sata", "cnn-mnist"), objectives=("energy_pj", "area_um2"))

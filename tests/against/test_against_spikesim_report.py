"""What is printed and drawn of SpikeSim beside archsim: three ways, each in its unit, nothing cut."""

from __future__ import annotations

import warnings
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from spikesim_subjects import WAYS, ask, chip, full, printed, vgg9

from archsim.report.comparison_figures import MOST_LABEL
from archsim.report.plots import makers_of
from archsim.report.style import paper
from archsim.result import Result, load_result


def compared() -> Result:
    return replace(full(), against={"spikesim": ask("spikesim", chip(), vgg9(), full())})


def test_three_tables_each_in_its_unit() -> None:
    text = printed(compared())
    heads = [line for line in text.splitlines() if "from the peer's" in line]
    lines = [line.strip() for line in text.splitlines()]
    above = [before for before, line in pairwise(lines) if line.startswith("from the peer's")]
    assert above[1:] == ["", ""]
    for head, name, unit in zip(heads, ("energy", "area", "latency"), ("uJ", "mm2", "ms"), strict=True):
        assert f"from the peer's {name} to archsim's" in head
        assert f"change {unit}" in head and f"{name} {unit}" in head
    first, last = ([line.split()[-1] for line in text.splitlines() if f"{who}'s answer" in line]
                   for who in ("the peer", "archsim"))  # fmt: skip
    assert [float(value) for value in first] == pytest.approx([15.9, 8.43, 62.8])
    ends = (full().energy_pj / 1e6, full().area_um2 / 1e6, full().latency_ns / 1e6)
    assert [float(value) for value in last] == pytest.approx(ends, rel=0.01)
    (peer,) = [line.split() for line in text.splitlines() if line.split()[:2] == ["peer", "15.9"]]
    assert peer == ["peer", "15.9", "uJ", "8.43", "mm2", "62.8", "ms", "48", "6"]


def test_three_charts_that_show_every_bar_and_cut_nothing(tmp_path: Path) -> None:
    found = compared()
    found.save(tmp_path)
    with paper(), warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = makers_of(load_result(tmp_path))["against-spikesim"](found)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
    assert len(figure.axes) == 3
    for axes, way, unit in zip(figure.axes, WAYS, (1e6, 1e6, 1e6), strict=True):
        steps = found.against["spikesim"][way]
        shown = [row for row in steps["rows"] if abs(row["difference"]) >= 0.001 * steps["end"]]
        widths = [patch.get_width() for container in axes.containers for patch in container]
        expected = [steps["start"], *(row["difference"] for row in shown), steps["end"]]
        assert widths == pytest.approx([value / unit for value in expected], rel=1e-9)
        labels = [label.get_text() for label in axes.get_yticklabels()]
        assert labels[1:-1] == [row["name"] for row in shown]
        assert max(len(row["name"]) for row in steps["rows"]) <= MOST_LABEL
        boxes = [label.get_window_extent() for label in axes.get_yticklabels()]
        assert all(above.y0 >= below.y1 for above, below in pairwise(boxes))
        texts = [text.get_window_extent() for text in axes.texts]
        assert all(box.x1 <= figure.bbox.width for box in texts) and all(box.x0 >= 0 for box in boxes)

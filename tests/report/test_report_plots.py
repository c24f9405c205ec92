"""Figures: they show the result's numbers, and end up where they are asked for."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.container import BarContainer

import archsim
from archsim.errors import ArchsimError
from archsim.report.plots import FIGURES, makers_of, plot
from archsim.report.style import paper
from archsim.result import Result


@pytest.fixture(scope="module")
def result() -> Result:
    return archsim.simulate("sata", "cnn-mnist", against=["sata-sim"], vary_costs=True)


def bars(result: Result, by: str, *, lying: bool = False) -> float:
    """Sum of all bars of a figure."""
    with paper():
        (axes,) = makers_of(result)[by](result).axes
    found = [container for container in axes.containers if isinstance(container, BarContainer)]
    return sum(patch.get_width() if lying else patch.get_height() for container in found for patch in container)


def test_bars_sum_to_the_results_energy(result: Result) -> None:
    in_uj = result.energy_pj / 1e6
    assert bars(result, "component", lying=True) == pytest.approx(in_uj)
    assert bars(result, "level", lying=True) == pytest.approx(in_uj)
    assert bars(result, "layer") == pytest.approx(sum(row.energy_pj for row in result.layers) / 1e6)
    assert bars(result, "timestep") == pytest.approx(result.dynamic_pj / 1e6)


def test_stacks_have_no_gaps_and_no_overlaps(result: Result) -> None:
    with paper():
        (axes,) = makers_of(result)["layer"](result).axes
    patches = [patch for container in axes.containers for patch in container]
    for number, row in enumerate(result.layers):
        pieces = sorted(
            (p.get_y(), p.get_y() + p.get_height())
            for p in patches
            if abs(p.get_x() + p.get_width() / 2 - number) < 0.1
        )
        assert pieces[0][0] == 0
        assert all(low == pytest.approx(before) for (_, before), (low, _) in pairwise(pieces))
        assert pieces[-1][1] == pytest.approx(row.energy_pj / 1e6)


def test_other_bars(result: Result) -> None:
    assert bars(result, "area", lying=True) == pytest.approx(result.area_um2 / 1e6)
    assert bars(result, "time", lying=True) == pytest.approx(100 * sum(row.unit != "sync" for row in result.units))
    assert bars(result, "utilisation") == pytest.approx(100 * sum(row.utilisation for row in result.layers))
    found = result.against["sata-sim"]["waterfall"]
    drawn = bars(result, "against-sata-sim", lying=True)
    assert drawn == pytest.approx((found["end"] + found["end"]) / 1e6, rel=0.02)  # start + changes, and the end


@pytest.mark.parametrize("by", [*FIGURES, "against-sata-sim", "costs"])
def test_nothing_hangs_over_the_edge(result: Result, by: str) -> None:
    """40 layers with long names, and every text lies inside the figure."""
    names = [f"layer{k // 10}_{k % 10}_convolution" for k in range(40)]
    many = replace(
        result, layers=tuple(replace(result.layers[k % 4], name=name, members=(name,)) for k, name in enumerate(names))
    )
    for chosen in (result, many):
        with paper():
            figure = makers_of(chosen)[by](chosen)
            FigureCanvasAgg(figure).draw()
            width, height = figure.bbox.width, figure.bbox.height
            box = figure.get_tightbbox().transformed(figure.dpi_scale_trans)
        assert box.x0 >= -1 and box.y0 >= -1
        assert box.x1 <= width + 1 and box.y1 <= height + 1


def test_titles_say_what_was_run(result: Result) -> None:
    with paper():
        for by, maker in makers_of(replace(result, synthetic=True, samples=(0, 1))).items():
            (axes,) = maker(replace(result, synthetic=True, samples=(0, 1))).axes
            text = axes.get_title(loc="left") + " ".join(note.get_text() for note in axes.texts)
            assert "sata" in text
            if by != "area":
                assert "sata × cnn-mnist, synthetic activity, mean of 2 samples" in text


def test_files(result: Result, tmp_path: Path) -> None:
    result.save(tmp_path / "run")
    every = plot(tmp_path / "run")
    assert {path.name for path in every} == {f"{name}.png" for name in makers_of(result)}
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in every)
    assert plot(result, by="area", output=tmp_path / "deep" / "a.svg")[0].read_text().startswith("<?xml")
    assert plot(result, by="area", output=tmp_path / "a.pdf")[0].read_bytes().startswith(b"%PDF")
    assert not [path for path in tmp_path.rglob("*") if "part" in path.name]


def test_figures_are_the_same_every_time(result: Result, tmp_path: Path) -> None:
    one, two = (plot(result, by="layer", output=tmp_path / f"{name}.svg")[0] for name in "ab")
    assert one.read_text() == two.read_text()


def test_refusals(result: Result, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for run, options, message in (
        (result, {}, "name a place"),
        (result, {"by": "layr", "output": "x.png"}, "did you mean 'layer'"),
        (result, {"by": "layer", "output": "x.gif"}, r"\.png, \.svg, \.pdf"),
        (result, {"output": "x.png"}, "one file holds one figure"),
        (result, {"output": tmp_path / "file"}, "a file is in the way"),
        (tmp_path / "nowhere", {}, "no result here"),
    ):
        with pytest.raises(ArchsimError, match=message):
            plot(run, **options)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]

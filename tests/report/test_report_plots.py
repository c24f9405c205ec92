"""Figures: they show the result's numbers, and end up where they are asked for."""

from __future__ import annotations

import warnings
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.container import BarContainer

import archsim
from archsim.errors import ArchsimError
from archsim.report.plots import FIGURES, makers_of, plot
from archsim.report.style import paper, shortened
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
    """Few and 40 layers with long names, 60 components: every text lies inside, without a warning."""
    names = [f"module.features.backbone.stage3.block12.residual_function.conv_bn_relu.0.weight.{k}" for k in range(40)]
    many = replace(result, layers=tuple(
        replace(result.layers[k % 4], name=name, members=(name,)) for k, name in enumerate(names)
    ))  # fmt: skip
    long = replace(result, workload="SEW_ResNet34_WITH_A_VERY_LONG_NAME_" * 3, synthetic=True, samples=(0, 1),
                   layers=many.layers[:4])  # fmt: skip
    parts = tuple(
        replace(result.components[k % len(result.components)], name=f"part{k}_of_sixty_with_a_long_name")
        for k in range(60)
    )
    for chosen in (result, many, long, replace(result, components=parts), replace(result, layers=result.layers[:1])):
        with paper(), warnings.catch_warnings():
            warnings.simplefilter("error")
            figure = makers_of(chosen)[by](chosen)
            FigureCanvasAgg(figure).draw()
            width, height = figure.bbox.width, figure.bbox.height
            box = figure.get_tightbbox().transformed(figure.dpi_scale_trans)
        assert box.x0 >= -1 and box.y0 >= -1
        assert box.x1 <= width + 1 and box.y1 <= height + 1


def test_titles_say_what_was_run(result: Result) -> None:
    with paper():
        mean = replace(result, synthetic=True, samples=(0, 1))
        for by, maker in makers_of(mean).items():
            text = " ".join(note.get_text() for note in maker(mean).texts)
            assert "sata × cnn-mnist, synthetic activity, mean of 2 samples" in " ".join(text.split()), by


def test_names_are_shortened_in_the_middle() -> None:
    assert shortened("conv1") == "conv1"
    assert shortened("a" * 24) == "a" * 24
    assert shortened("module.features.stage3.block12.conv.weight") == "module.featu…conv.weight"
    for most in (24, 25, 40):
        assert len(shortened("x" * 100, most)) == most


def test_the_tornado_shows_changes_and_what_caused_them(result: Result) -> None:
    with paper():
        (axes,) = makers_of(result)["costs"](result).axes
    rows = [row for row in result.vary_costs if row["swing_pj"] >= 0.001 * result.energy_pj]
    drawn = [patch.get_width() * 1e6 for container in axes.containers for patch in container]
    expected = [row[end] - result.energy_pj for row in rows for end in ("at_low_pj", "at_high_pj")]
    assert drawn == pytest.approx(expected, rel=1e-6, abs=1)
    said = {text.get_text().strip() for text in axes.texts}
    assert {"300 MHz", "12.45 pJ/bit", "2.55"} <= said
    assert f"from {result.energy_pj / 1e6:.1f}" in axes.get_xlabel() and axes.get_xlim()[0] < 0 < axes.get_xlim()[1]


def test_timesteps_count_from_zero_and_legends_tell_leakage_from_the_rest(result: Result) -> None:
    with paper():
        (steps,) = makers_of(result)["timestep"](result).axes
        (level,) = makers_of(result)["level"](result).axes
    assert [label.get_text() for label in steps.get_xticklabels()] == [*"01234567", "shared"]
    assert [text.get_text() for text in level.get_legend().get_texts()] == ["dynamic", "leakage"]


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

"""The tables and the figure of a comparison: the results' numbers, nothing cut off, nothing that vanishes."""

from __future__ import annotations

import io
import warnings
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.container import BarContainer
from rich.console import Console

import archsim
from archsim.comparison import Comparison, Side
from archsim.report.compare_figure import compared
from archsim.report.compare_tables import print_comparison
from archsim.report.style import paper
from archsim.result import Result

LONG = "a_chip_with_a_name_that_goes_on_and_on_and_on_"


@pytest.fixture(scope="module")
def results() -> tuple[Result, Result]:
    return archsim.simulate("sata", "cnn-mnist"), archsim.simulate("eyeriss-snn", "cnn-mnist")


def of(*results: Result, names: tuple[str, ...] = ()) -> Comparison:
    named = names or tuple(f"{result.arch}-{number}" for number, result in enumerate(results))
    return Comparison(tuple(Side(name, name, "run", result) for name, result in zip(named, results, strict=True)))


def times(result: Result, energy: float = 1.0, latency: float = 1.0, area: float = 1.0) -> Result:
    parts = tuple(
        replace(part, energy_pj=part.energy_pj * energy, dynamic_pj=part.dynamic_pj * energy,
                static_pj=part.static_pj * energy, area_um2=part.area_um2 * area)
        for part in result.components
    )  # fmt: skip
    return replace(
        result, components=parts, energy_pj=result.energy_pj * energy, latency_ns=result.latency_ns * latency,
        area_um2=result.area_um2 * area, dynamic_pj=result.dynamic_pj * energy, static_pj=result.static_pj * energy,
    )  # fmt: skip


def printed(comparison: Comparison, width: int = 118) -> str:
    stream = io.StringIO()
    print_comparison(comparison, Console(file=stream, width=width, markup=False, highlight=False))
    return stream.getvalue()


def rows(text: str, heading: str) -> dict[str, list[str]]:
    """The rows of the first table under a heading: the name, and the cells behind it."""
    body = text.partition(f"{heading}")[2].split("─\n", 1)[1].split("\n\n")[0]
    lines = [line.strip().split("  ") for line in body.splitlines() if line.strip()]
    return {cells[0]: [cell.strip() for cell in cells[1:] if cell.strip()] for cells in lines}


def drawn(comparison: Comparison) -> Any:
    with paper():
        return compared(comparison)


def lengths(axes: Any) -> list[float]:
    """The length of each row's bar, whose pieces follow each other without gaps and overlaps."""
    patches = [patch for found in axes.containers if isinstance(found, BarContainer) for patch in found]
    ends: dict[int, float] = {}
    for patch in patches:
        at = round(patch.get_y() + patch.get_height() / 2)
        assert patch.get_x() == pytest.approx(ends.get(at, 0.0))
        ends[at] = patch.get_x() + patch.get_width()
    return [ends[at] for at in sorted(ends)]


def test_columns_hold_the_figures_and_their_ratios(results: tuple[Result, Result]) -> None:
    text = printed(of(results[0], times(results[0], energy=2, latency=0.5)))
    found = rows(text, "Side by side")
    assert found["energy"] == ["62.5 uJ", "1.00x", "125 uJ", "2.00x"]
    assert found["latency"][3] == "0.500x" and found["area"][3] == "1.00x"
    assert found["per synaptic operation"][3] == "2.00x"


def test_levels_and_layers_add_up_to_the_energy(results: tuple[Result, Result]) -> None:
    text = printed(of(*results))
    for at, result in enumerate(results):
        in_uj = result.energy_pj / 1e6
        levels = {name: float(cells[2 * at]) for name, cells in rows(text, "Energy by level").items()}
        assert levels.pop("all") == pytest.approx(in_uj, rel=0.01) == pytest.approx(sum(levels.values()), rel=0.01)
    body = text.partition("Layers\n")[2].split("─\n", 1)[1].split("  cycles: ")[0]
    energies = [float(line.split()[1]) for line in body.splitlines() if line.strip()]
    assert sum(energies) == pytest.approx(results[0].energy_pj / 1e6, rel=0.01)


def test_layers_that_stand_for_more_on_one_side_are_named(results: tuple[Result, Result]) -> None:
    one = results[0]
    other = replace(one, layers=(replace(one.layers[0], members=("conv1", "pool0")), replace(one.layers[1], name="odd"),
                                 *one.layers[2:]))  # fmt: skip
    text = printed(of(one, other))
    assert "conv1 and pool0 on sata-1" in text
    assert "layers of sata-1 only: odd" in text and "layers of its own" in text


def test_why_there_is_no_throughput(results: tuple[Result, Result]) -> None:
    none = replace(results[0], throughput_per_s=None, interval_cycles=None, throughput_note="it never settles")
    text = printed(of(results[0], none))
    assert rows(text, "Side by side")["throughput"][2:] == ["-", "-"]
    assert "throughput of sata-1: it never settles" in text


@pytest.mark.parametrize("width", [60, 80, 118, 200])
@pytest.mark.parametrize("count", [2, 4, 9])
def test_any_number_of_sides_on_any_terminal(results: tuple[Result, Result], count: int, width: int) -> None:
    names = tuple(f"{LONG}{number}_{LONG}" for number in range(count))
    text = printed(of(*(results[number % 2] for number in range(count)), names=names), width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert all(name in "".join(text.split()) for name in names)
    energies = [line for line in text.splitlines() if line.strip().startswith("energy  ")]
    blocks = len(energies)
    assert sum(line.count(" uJ") for line in energies) == count + blocks - 1  # the first stands in every block


def test_labels_that_look_alike_when_shortened_are_numbered(results: tuple[Result, Result]) -> None:
    alike = of(*results, names=(f"{LONG}one{LONG}", f"{LONG}two{LONG}"))
    shown = [label.get_text() for label in drawn(alike).axes[0].get_yticklabels()]
    assert [label[:5] for label in shown] == ["1: a_", "2: a_"] and max(map(len, shown)) == 24
    assert "1: a_chi" in printed(alike, 80) and "2: a_chi" in printed(alike, 80)
    apart = of(*results)
    assert [label.get_text() for label in drawn(apart).axes[0].get_yticklabels()] == ["sata-0", "eyeriss-snn-1"]


def test_stacks_sum_to_energy_and_area(results: tuple[Result, Result]) -> None:
    energy, latency, area = drawn(of(*results)).axes
    assert lengths(energy) == pytest.approx([result.energy_pj / 1e6 for result in results])
    assert lengths(latency) == pytest.approx([result.latency_ns / 1e3 for result in results])
    assert lengths(area) == pytest.approx([result.area_um2 / 1e6 for result in results])
    assert [text.get_text() for text in energy.texts] == ["62.5 µJ", "60.4 µJ"]


def test_nothing_vanishes_where_values_lie_far_apart(results: tuple[Result, Result]) -> None:
    small = times(results[1], energy=1e-3, latency=1e-4, area=40)
    shares, energy, latency, area = drawn(of(results[0], small)).axes
    assert lengths(shares) == pytest.approx([100, 100])
    assert [axes.get_xscale() for axes in (shares, energy, latency, area)] == ["linear", "log", "log", "log"]
    for axes, value in (
        (energy, small.energy_pj / 1e6),
        (latency, small.latency_ns / 1e3),
        (area, small.area_um2 / 1e6),
    ):
        low, high = axes.get_xlim()
        (line,) = axes.lines
        assert line.get_xdata()[1] == pytest.approx(value) and low < value < high
    near = drawn(of(results[0], times(results[0], energy=0.2, latency=0.2, area=0.2))).axes
    assert [axes.get_xscale() for axes in near] == ["linear"] * 3


def test_the_head_says_what_is_not_like_for_like(results: tuple[Result, Result]) -> None:
    def head(*chosen: Result) -> str:
        return " ".join(" ".join(text.get_text() for text in drawn(of(*chosen)).texts).split())

    assert "cnn-mnist; like for like" in head(results[0], results[0])
    many = len(of(*results).settings)
    assert many > 6 and f"cnn-mnist; settings: {many}; not like for like: on-chip memory, area" in head(*results)
    faster = archsim.simulate("sata", "cnn-mnist", overrides="dram.latency=40 ns")
    assert "cnn-mnist; settings: dram.latency; like for like" in head(results[0], faster)
    other = replace(results[0], node_nm=65.0, synthetic=True)
    assert "cnn-mnist, synthetic activity; not like for like: activity, node" in head(results[0], other)


@pytest.mark.parametrize("count", [2, 4, 12])
@pytest.mark.parametrize("apart", [False, True], ids=["near", "apart"])
def test_nothing_hangs_over_the_edge_or_covers_anything(
    results: tuple[Result, Result], count: int, apart: bool
) -> None:
    factor = 1e-3 if apart else 0.4
    chosen = [times(results[n % 2], *([factor] * 3)) if n % 3 == 1 else results[n % 2] for n in range(count)]
    names = tuple(f"{LONG}{number}" * 3 for number in range(count))
    with paper(), warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = compared(of(*(replace(r, node_nm=20.0 + n) for n, r in enumerate(chosen)), names=names))
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        box = figure.get_tightbbox().transformed(figure.dpi_scale_trans)
    assert box.x0 >= -1 and box.y0 >= -1
    assert box.x1 <= figure.bbox.width + 1 and box.y1 <= figure.bbox.height + 1
    panels = [axes.get_window_extent() for axes in figure.axes]
    legend = figure.axes[-1].get_legend().get_window_extent()
    rights = [*(panel.x0 for panel in panels[1:]), legend.x0]
    for axes, right in zip(figure.axes, rights, strict=True):
        labels = [text.get_window_extent() for text in axes.texts]
        assert len(labels) == count and all(label.x1 <= right for label in labels)
        assert all(one.y0 >= two.y1 for one, two in pairwise(labels))
        ticks = [tick.get_window_extent() for tick in axes.get_xticklabels() if tick.get_text()]
        assert all(one.x1 <= two.x0 for one, two in pairwise(ticks))


def test_zero_energy_draws(results: tuple[Result, Result]) -> None:
    nothing = times(results[0], energy=0, latency=0, area=0)
    for comparison in (of(nothing, nothing), of(results[0], nothing)):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            FigureCanvasAgg(drawn(comparison)).draw()

"""The waterfalls of a comparison: from total to total without gaps, nothing unnamed, nothing that cannot be read."""

from __future__ import annotations

import io
import warnings
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from rich.console import Console

import archsim
from archsim.comparison import Comparison, Side
from archsim.report.compare_tables import print_comparison
from archsim.report.compare_waterfall import MOST_BARS, Step, merged_steps, waterfall
from archsim.report.style import paper
from archsim.result import Result

EDGE_OF_PAGE_INCHES = 0.06
QUANTITIES = {"energy": "energy_pj", "latency": "latency_ns", "area": "area_um2"}
LONG = "a_chip_with_a_name_that_goes_on_and_on_and_on_"


@pytest.fixture(scope="module")
def sata() -> Result:
    return archsim.simulate("sata", "cnn-mnist")


@pytest.fixture(scope="module")
def near() -> Result:
    return archsim.simulate("sata", "cnn-mnist", overrides="dram.latency=60 ns")


@pytest.fixture(scope="module")
def spikeflow() -> Result:
    return archsim.simulate("spikeflow", "cnn-mnist")


@pytest.fixture(scope="module")
def eyeriss() -> Result:
    return archsim.simulate("eyeriss-snn", "cnn-mnist")


def of(*results: Result, names: tuple[str, ...] = ()) -> Comparison:
    named = names or tuple(f"{result.arch}-{number}" for number, result in enumerate(results))
    return Comparison(tuple(Side(name, name, "run", result) for name, result in zip(named, results, strict=True)))


def drawn(comparison: Comparison, quantity: Any) -> Any:
    with paper(), warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = waterfall(comparison, quantity)
        FigureCanvasAgg(figure).draw()
    return figure


def charts(figure: Any) -> list[Any]:
    return [axes for axes in figure.axes if axes.axison]


def notes(figure: Any) -> list[str]:
    return [text.get_text() for axes in figure.axes if not axes.axison for text in axes.texts]


def bars(axes: Any) -> dict[str, tuple[float, float]]:
    """By name, from the top: where a bar begins and ends."""
    patches = [container.patches[0] for container in axes.containers]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert len(names) == len(patches) == len(set(names))
    return {name: (p.get_x(), p.get_x() + p.get_width()) for name, p in zip(names, patches, strict=True)}


def factor_of(axes: Any) -> float:
    unit = axes.get_xlabel().partition("(")[2].partition(")")[0]
    return {"mJ": 1e9, "µJ": 1e6, "nJ": 1e3, "ms": 1e6, "µs": 1e3, "mm²": 1e6}[unit]


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("others", [("near",), ("spikeflow",), ("eyeriss",), ("spikeflow", "near", "eyeriss")], ids=str)
def test_every_bar_begins_where_the_one_above_ends(
    request: pytest.FixtureRequest, sata: Result, others: tuple[str, ...], quantity: str
) -> None:
    results = [sata, *(request.getfixturevalue(name) for name in others)]
    figure = drawn(of(*results), quantity)
    assert len(charts(figure)) == len(others)
    for axes, result in zip(charts(figure), results[1:], strict=True):
        (first, *steps, last) = bars(axes).values()
        scale = factor_of(axes)
        assert first[1] * scale == pytest.approx(getattr(sata, QUANTITIES[quantity]))
        assert last[1] * scale == pytest.approx(getattr(result, QUANTITIES[quantity]))
        for one, two in pairwise([first, *steps]):
            assert two[0] == pytest.approx(one[1], rel=1e-9)
        assert [first, *steps][-1][1] == pytest.approx(last[1], rel=1e-9)
        sizes = [abs(end - begin) for name, (begin, end) in list(bars(axes).items())[1:-1] if "smaller" not in name]
        alone = [size for size in sizes if size >= 0.01 * sum(sizes)]
        assert alone == sorted(alone, reverse=True)


def test_merged_bars_have_a_number_a_sign_and_names(sata: Result, spikeflow: Result) -> None:
    figure = drawn(of(sata, spikeflow), "energy")
    (axes,) = charts(figure)
    (text,) = notes(figure)
    told = [line for line in text.replace("\n", " ").replace(" smaller", "\n smaller").splitlines() if ":" in line]
    table = of(sata, spikeflow).changes[0].energy_by_component
    pieces = {part.names[0]: part.dynamic[1] - part.dynamic[0] for part in table.parts}
    pieces |= {f"{part.names[0]} leakage": part.static[1] - part.static[0] for part in table.parts}
    drawn_names = {name.removesuffix(" (new)").removesuffix(" (gone)") for name in bars(axes)}
    assert len(told) == 2
    for line, sign in zip(told, (1, -1), strict=True):
        word = "increases" if sign > 0 else "decreases"
        names = [name.strip().rstrip("0123456789 ") for name in line.partition(": ")[2].split(",")]
        (bar,) = [name for name in bars(axes) if name.endswith(f"smaller {word}")]
        assert int(bar.split()[0]) == len(names) and drawn_names.isdisjoint(names)
        begin, end = bars(axes)[bar]
        assert (end - begin) * factor_of(axes) == pytest.approx(sum(pieces[name] for name in names))
        assert all(pieces[name] * sign > 0 for name in names)


def test_no_more_bars_than_can_be_read() -> None:
    steps = [Step(f"layer{number}", (-1.0) ** number * (100 - number)) for number in range(60)]
    shown = merged_steps(steps)
    assert len(shown) == MOST_BARS + 2 and [len(step.merged) for step in shown[-2:]] == [20, 20]
    assert sum(step.difference for step in shown) == pytest.approx(sum(step.difference for step in steps))
    kept = {step.name for step in shown} | {name for step in shown for name in step.merged}
    assert {step.name for step in steps} <= kept
    assert [step.name for step in merged_steps([Step("a", 9.0), Step("b", -0.01), Step("c", 0.02)])] == ["a", "c", "b"]
    assert merged_steps([]) == []


def test_what_only_one_side_has_is_marked(sata: Result, spikeflow: Result) -> None:
    figure = drawn(of(sata, spikeflow), "area")
    names = set(bars(charts(figure)[0]))
    assert {"adc (new)", "weight_buffer (gone)", "pe_accumulator"} <= names
    head = " ".join(" ".join(text.get_text() for text in figure.texts).split())
    assert "From sata-0 to spikeflow-1: area by component" in head
    assert "new: the first has none; gone: only the first has it" in head
    assert "new:" not in " ".join(text.get_text() for text in drawn(of(sata, sata), "area").texts)


def test_small_differences_are_seen_on_a_cut_axis(sata: Result, near: Result) -> None:
    (axes,) = charts(drawn(of(sata, near), "energy"))
    low, high = axes.get_xlim()
    assert low > 0.9 * high and "the axis does not begin at 0" in axes.get_xlabel()
    assert max(end - begin for begin, end in list(bars(axes).values())[1:-1]) > 0.2 * (high - low)
    texts = [text.get_text().strip() for text in axes.texts]
    assert texts[0] == "62.532 µJ" and texts[-1].startswith("62.547 µJ (+0.024 %)")  # as results are printed
    assert texts[0].split()[0] == f"{sata.energy_pj / 1e6:.3f}"


def test_equal_runs_are_said_to_be_equal(sata: Result) -> None:
    for quantity in QUANTITIES:
        (axes,) = charts(drawn(of(sata, sata), quantity))
        assert len(bars(axes)) == 2 and axes.get_xlim()[0] == 0
        assert axes.texts[-1].get_text().endswith("(equal: nothing differs)")


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("count", [2, 4])
def test_nothing_hangs_over_the_edge_or_covers_anything(
    sata: Result, near: Result, spikeflow: Result, count: int, quantity: str
) -> None:
    results = [sata, spikeflow, near, spikeflow][:count]
    names = tuple(f"{LONG}{number}" * 2 for number in range(count))
    long = [replace(result, layers=tuple(replace(row, name=f"{LONG}{row.name}{LONG}") for row in result.layers))
            for result in results]  # fmt: skip
    figure = drawn(of(*long, names=names), quantity)
    box = figure.get_tightbbox().transformed(figure.dpi_scale_trans)
    assert box.x0 >= -1 and box.y0 >= -1
    assert box.x1 <= figure.bbox.width + 1 and box.y1 <= figure.bbox.height + 1
    written = [text.get_window_extent() for axes in figure.axes if not axes.axison for text in axes.texts]
    assert all(text.x0 >= 0 and text.x1 <= figure.bbox.width for text in written)
    least = EDGE_OF_PAGE_INCHES * figure.dpi  # the extent of a text ends within its descenders
    assert all(text.y0 >= least for text in written)
    for axes in charts(figure):
        labels = [text.get_window_extent() for text in axes.texts]
        assert all(one.y0 >= two.y1 for one, two in pairwise(labels))
        assert all(label.x1 <= axes.get_window_extent().x1 for label in labels)
        below = axes.xaxis.label.get_window_extent().y0
        assert all(text.y1 <= below or text.y0 >= axes.get_window_extent().y1 for text in written)


def test_no_energy_no_time_no_area_draws(sata: Result) -> None:
    free = {"energy_pj": 0.0, "dynamic_pj": 0.0, "static_pj": 0.0, "area_um2": 0.0}
    nothing = replace(
        sata, **free, latency_ns=0.0, cycles=0, counts=(), critical_path=(), layers=(),
        components=tuple(replace(part, **free) for part in sata.components),
    )  # fmt: skip
    for pair in ((nothing, nothing), (sata, nothing), (nothing, sata)):
        for quantity in QUANTITIES:
            drawn(of(*pair), quantity)
        stream = io.StringIO()
        print_comparison(of(*pair), Console(file=stream, width=118))
        assert "What differs" in stream.getvalue()


# the tables


def printed(comparison: Comparison, width: int = 118) -> str:
    stream = io.StringIO()
    print_comparison(comparison, Console(file=stream, width=width, markup=False, highlight=False))
    return stream.getvalue()


def table(text: str, heading: str) -> dict[str, list[str]]:
    body = text.partition(heading)[2].split("─\n", 1)[1].split("\n\n")[0]
    lines = [[cell.strip() for cell in line.strip().split("  ") if cell.strip()] for line in body.splitlines()]
    return {cells[0]: cells[1:] for cells in lines if cells}


def test_tables_hold_the_largest_differences_and_add_up(sata: Result, spikeflow: Result) -> None:
    text = printed(of(sata, spikeflow))
    for heading, quantity, factor in (
        ("Energy by component, from", "energy_pj", 1e6), ("Energy by layer, from", "energy_pj", 1e6),
        ("Latency by layer, from", "latency_ns", 1e6), ("Area by component, from", "area_um2", 1e6),
    ):  # fmt: skip
        rows = table(text, heading)
        one, two = (getattr(result, quantity) / factor for result in (sata, spikeflow))
        whole = rows.pop("all")
        assert float(whole[2]) == pytest.approx(two - one, rel=0.01)
        assert whole[3] == f"{100 * (two - one) / one:+.3g} %" or "," in whole[3]
        total = sum(float(cells[2]) for cells in rows.values())
        assert total == pytest.approx(float(whole[2]), abs=0.02 * max(one, two))
    actions = table(text.replace("  counted, each", "\n\n  counted, each"), "Energy by action, from")
    first = of(sata, spikeflow).changes[0].energy_by_action.parts[0]
    assert next(iter(actions)) == ".".join(first.names) and len(actions) == 10
    assert actions[next(iter(actions))][2] == "new"
    for cells in actions.values():
        difference, *_, by_count, by_price = [cell for cell in cells if "%" not in cell]
        least = 0.05 * abs(float(by_count)) + 0.01
        assert float(by_count) + float(by_price) == pytest.approx(float(difference), abs=least)


@pytest.mark.parametrize("width", [80, 118])
def test_difference_tables_fit_the_terminal(sata: Result, spikeflow: Result, near: Result, width: int) -> None:
    text = printed(of(sata, spikeflow, near, names=tuple(f"{LONG}{number}" for number in range(3))), width)
    assert max(len(line) for line in text.splitlines()) <= width
    heads = [line.rpartition("difference")[2].split() for line in text.splitlines() if line.endswith("  by price")]
    assert heads == [["of", "first", "counted", "each", "by", "count", "by", "price"]] * 2

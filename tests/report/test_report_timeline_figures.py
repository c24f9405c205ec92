"""Figures over time: they show the run's work and energy, stay readable, and say what they leave out."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

import archsim
from archsim.analysis.timeline import Steps, Timeline, timeline_of
from archsim.engine import execute
from archsim.errors import ArchsimError
from archsim.report.plots import OVER_TIME, plot
from archsim.report.style import paper
from archsim.report.timeline_figures import DOTS, LEAST_TINT, MOST_UNITS, _busiest, _colour, _picture, dots
from archsim.taskgraph import GraphBuilder


@pytest.fixture(scope="module")
def timeline() -> Timeline:
    return archsim.timeline("sata", "cnn-mnist")


def many(units: int, tasks: int, name: str = "unit") -> Timeline:
    """Units that work one cycle in four, unit ``k`` on layers ``k`` and ``k + 1``; the last ones do least."""
    builder = GraphBuilder([f"layer{k}" for k in range(units + 1)], 1)
    for k in range(units):
        unit = builder.unit(f"{name}{k}")
        for layer in (k, k + 1):
            count = tasks if layer == k else 1
            span = builder.block(2 * count, layer=layer, unit=unit, duration=np.tile([1 + 2 * (units - k), 0], count))
            builder.count("adder", "op", span, 1)
    execution = execute(builder.build(), "fast")
    return timeline_of(
        execution, {("adder", "op"): 1.0}, clock_mhz=100.0, leakage_mw=0.01, arch=name,
        workload="SEW_ResNet34_WITH_A_VERY_LONG_NAME_" * 3, synthetic=True, sample=0,
    )  # fmt: skip


def test_dots_hold_the_busy_share_of_each_lane(timeline: Timeline) -> None:
    """Colours undone: the share that each dot stands for is the unit's work in it."""
    every, lanes, shares = _busiest(timeline)
    picture, layers = _picture(timeline, lanes)
    graph = timeline.execution.graph
    assert every == len(lanes) == 4 and [graph.layers[layer] for layer in layers] == ["conv1", "conv2", "fc1", "fc2"]
    cycles = timeline.execution.cycles
    for lane, unit in enumerate(lanes.tolist()):
        mine = graph.unit == unit
        started, ended = timeline.execution.start[mine], timeline.execution.finish[mine]
        for dot in range(0, DOTS, 97):
            first, last = dot * cycles / DOTS, (dot + 1) * cycles / DOTS
            work = np.clip(np.minimum(ended, last) - np.maximum(started, first), 0, None).sum() / (last - first)
            if np.unique(graph.layer[mine][(started < last) & (ended > first)]).size > 1:
                continue
            tint = LEAST_TINT + (1 - LEAST_TINT) * work if work > 0 else 0.0
            found = (1 - picture[lane, dot]).sum()
            layer = graph.layer[mine][(started < last) & (ended > first) & (ended > started)]
            dark = 3 - sum(_colour(layers.index(int(layer[0])))) if len(layer) else 0.0
            assert found == pytest.approx(tint * dark, abs=1e-6), (unit, dot)
        assert shares[lane] == pytest.approx(graph.duration[mine].sum() / cycles)


def test_the_busiest_units_are_drawn_and_the_others_counted() -> None:
    timeline = many(60, 3)
    every, lanes, _ = _busiest(timeline)
    assert every == 60 and lanes.tolist() == list(range(MOST_UNITS))
    with paper():
        (axes,) = OVER_TIME["gantt"](timeline).axes
    assert axes.get_xlabel().endswith("; 12 units with less work are not drawn")
    assert len(axes.get_yticks()) == MOST_UNITS


def test_dots_of_a_curve_keep_its_integral_and_its_extremes() -> None:
    rng = np.random.default_rng(5)
    at = np.unique(rng.integers(0, 10**6, 50_000))
    curve = Steps("x", at, np.append(rng.random(len(at) - 1), 0.0))
    edges, low, mean, high = dots(curve)
    assert len(mean) == DOTS and np.dot(mean, np.diff(edges)) == pytest.approx(curve.integral, rel=1e-9)
    assert high.max() == curve.value.max() and low.min() == curve.value[:-1].min()
    assert (low <= mean + 1e-9).all() and (mean <= high + 1e-9).all()
    for dot in range(0, DOTS, 101):
        inside = (at[1:] > edges[dot]) & (at[:-1] < edges[dot + 1])
        assert (low[dot], high[dot]) == (curve.value[:-1][inside].min(), curve.value[:-1][inside].max())
    few = Steps("x", np.array([0, 3, 9]), np.array([2.0, 1.0, 0.0]))
    assert [part.tolist() for part in dots(few)] == [[0, 3, 9], [2, 1], [2, 1], [2, 1]]


@pytest.mark.parametrize("by", [*OVER_TIME])
def test_nothing_hangs_over_the_edge(timeline: Timeline, by: str) -> None:
    """A digit; 60 units and layers with long names; 100,000 tasks; a run without slices: all text lies inside."""
    long = many(60, 3, "module.features.backbone.stage3.block12.слой·")
    builder = GraphBuilder(["layer"], 1)
    builder.block(1, layer=0, unit=builder.unit("a"), duration=0)
    empty = replace(long, execution=execute(builder.build()), energy_pj=np.zeros(1))
    for chosen in (timeline, long, many(5, 20_000), many(1, 1), empty):
        with paper(), warnings.catch_warnings():
            warnings.simplefilter("error")
            figure = OVER_TIME[by](chosen)
            FigureCanvasAgg(figure).draw()
            width, height = figure.bbox.width, figure.bbox.height
            box = figure.get_tightbbox().transformed(figure.dpi_scale_trans)
        assert box.x0 >= -1 and box.y0 >= -1
        assert box.x1 <= width + 1 and box.y1 <= height + 1


def test_power_says_its_mean_and_peak(timeline: Timeline) -> None:
    result = archsim.simulate("sata", "cnn-mnist")
    with paper():
        figure = OVER_TIME["power"](timeline)
    texts = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert f"mean {result.power_mw:.0f} mW" in texts and "leakage" in texts
    assert any(f"peak {result.peak_power_mw / 1000:.2f} W" in text.get_text() for text in figure.texts)


def test_files_and_refusals(timeline: Timeline, tmp_path: Path) -> None:
    assert [path.name for path in plot(timeline, output=tmp_path)] == ["gantt.png", "power.png"]
    assert plot(timeline, by="gantt", output=tmp_path / "g.svg")[0].read_text().startswith("<?xml")
    with pytest.raises(ArchsimError, match="name a place for the figures of a timeline"):
        plot(timeline)
    with pytest.raises(ArchsimError, match="did you mean 'gantt'"):
        plot(timeline, by="gant", output=tmp_path / "g.png")
    result = archsim.simulate("sata", "cnn-mnist")
    result.save(tmp_path)
    assert (tmp_path / "gantt.png").exists()
    result.save(tmp_path)  # another run in its place: the figures of the earlier one go
    assert {path.name for path in tmp_path.iterdir()} == {"result.json", "g.svg"}
    with pytest.raises(ArchsimError, match=r"drawn while it is executed.*run .* -o DIR --timeline"):
        plot(result, by="gantt", output=tmp_path / "g.png")

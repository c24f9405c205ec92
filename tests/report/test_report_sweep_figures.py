"""The figure of a front: a panel per network and pair of objectives, every point in one of them, honest steps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from drawn_sweeps import large, table

from archsim.report.style import paper
from archsim.report.sweep_figures import MOST_NETWORKS, front_figure
from archsim.sweeps import pareto

OBJECTIVES = ("energy_pj", "latency_ns", "area_um2", "throughput_per_s")


WAYS = [("energy_pj", "latency_ns"), ("throughput_per_s", "latency_ns"), ("energy_pj", "throughput_per_s"),
        ("throughput_per_s", "synaptic_operations")]  # fmt: skip


def drawn(axes: Any) -> int:
    """How many marks a panel has."""
    return sum(len(found.get_offsets()) for found in axes.collections)


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
def test_every_panel_has_the_points_of_its_network(objectives: int) -> None:
    sweep = large(90, networks=2, chips=3)
    front = pareto(sweep, *OBJECTIVES[:objectives])
    with paper():
        figure = front_figure(front)
    pairs = max(objectives * (objectives - 1) // 2, 1)
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert len(panels) == 2 * pairs
    for axes in panels:
        network = axes.get_title(loc="left")
        of_network = [row for row in sweep.rows if row["workload"] == network and row["status"] != "failed"]
        assert drawn(axes) == len(of_network) > 20
    said = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {"chip0", "chip1", "chip2", f"{len(front.rows)} on the front"} <= set(said)


def test_networks_that_are_not_drawn_are_counted() -> None:
    with paper():
        figure = front_figure(pareto(large(140, networks=MOST_NETWORKS + 2), "energy_pj", "area_um2"))
    assert "(2 more networks are not drawn)" in figure.get_suptitle()


@pytest.mark.parametrize("better", WAYS)
def test_no_corner_of_the_line_beats_a_point_of_the_front(better: tuple[str, str]) -> None:
    """Whichever way is good, the steps run through corners that are as bad as the worse of their two neighbours."""
    signs = [-1 if name in ("throughput_per_s", "synaptic_operations") else 1 for name in better]
    points = [({"key": at}, {better[0]: 10.0 + signs[0] * at, better[1]: 10.0 - signs[1] * at}) for at in range(5)]
    front = pareto(table(points), *better)
    assert len(front.rows) == 5
    with paper():
        figure = front_figure(front)
        figure.canvas.draw()
    (line,) = figure.axes[0].lines
    shown = _steps(line)
    costs = shown * signs
    tops = np.array([[row[name] for name in better] for row in front.rows]) * signs
    for corner in costs[1::2]:
        assert ((tops <= corner).all(axis=1)).sum() == 2


def _steps(line: Any) -> Any:
    from matplotlib.cbook import STEP_LOOKUP_MAP

    return np.array(STEP_LOOKUP_MAP[line.get_drawstyle()](*line.get_data())).T


def test_an_empty_network_does_not_appear() -> None:
    sweep = large(40, networks=2)
    rows = tuple({**row, "status": "failed"} if row["workload"] == "net1" else row for row in sweep.rows)
    with paper():
        figure = front_figure(pareto(replace(sweep, rows=rows), "energy_pj", "area_um2"))
    assert len(figure.axes) == 1 and figure.axes[0].get_title(loc="left") == ""

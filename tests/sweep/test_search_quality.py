"""A search is worth its name: it finds more of a real space's front than as many random draws do.

The space has 432 designs of a SATA-like chip on a recorded network, half of which fail (membranes that do not fit).
The share of the front is that of its hypervolume over the logarithms of the objectives, up to the worst of each.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import archsim
from archsim.sweeps.journal import FILE as JOURNAL

pytest.importorskip("optuna")
pytestmark = pytest.mark.slow

OBJECTIVES = ("energy_pj", "latency_ns", "area_um2")
TRIALS, SEEDS = 80, 6
SPACE = """
archs: [sata]
workloads: [cnn-mnist]
space:
  array.rows: [2, 4, 8, 16, 32, 64]
  array.cols: [2, 4, 8, 16, 32, 64]
  array.dataflow: [output_stationary, weight_stationary]
  buffers.weight.size: [64 KiB, 144 KiB]
  clock: [200 MHz, 400 MHz, 800 MHz]
"""


def hypervolume(points: np.ndarray) -> float:
    """The volume of the unit cube that the points dominate; smaller is better."""
    steps = [np.unique(np.append(column, 1.0)) for column in points.T]
    beaten = np.zeros([len(step) - 1 for step in steps])
    for point in points:
        beaten[tuple(slice(np.searchsorted(step, value), None) for step, value in zip(steps, point, strict=True))] = 1.0
    for step in reversed(steps):
        beaten = beaten @ np.diff(step)
    return float(beaten)


def test_the_hypervolume_of_two_boxes():
    assert hypervolume(np.array([[0.5, 0.5]])) == 0.25
    assert hypervolume(np.array([[0.5, 0.5], [0.25, 0.75], [0.9, 0.9]])) == pytest.approx(0.25 + 0.25 * 0.25)
    assert hypervolume(np.array([[1.0, 0.0, 0.0]])) == 0.0


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quality")
    (folder / "grid.yaml").write_text(SPACE)
    return archsim.sweep(folder / "grid.yaml", output=folder / "grid", jobs=2), folder


@pytest.fixture(scope="module")
def share(grid):
    """The share of the true front's hypervolume that rows reach."""
    best = archsim.pareto(grid[0], *OBJECTIVES)
    costs = np.log([[row[name] for name in OBJECTIVES] for row in best.candidates])
    low, high = costs.min(axis=0), costs.max(axis=0)

    def of(rows) -> float:
        fine = [[row[name] for name in OBJECTIVES] for row in rows if row["status"] == "ok"]
        return hypervolume((np.log(fine) - low) / (high - low)) if fine else 0.0

    whole = of(grid[0].rows)
    return lambda rows: of(rows) / whole


@pytest.mark.parametrize(("sampler", "least"), [("nsga2", 0.92), ("tpe", 0.98)])
def test_a_search_finds_more_of_the_front_than_random_draws(grid, share, sampler, least):
    table, folder = grid
    found = []
    for seed in range(SEEDS):
        place = folder / f"{sampler}{seed}"
        shutil.copytree(folder / "grid", place)
        settings = f"{{sampler: {sampler}, trials: {TRIALS}, seed: {seed}, objectives: [{', '.join(OBJECTIVES)}]}}"
        (folder / "search.yaml").write_text(SPACE + f"method: {{search: {settings}}}\n")
        searched = archsim.sweep(folder / "search.yaml", output=place)
        assert Path(place, JOURNAL).read_bytes() == (folder / "grid" / JOURNAL).read_bytes()
        assert len(searched.rows) == TRIALS
        found.append(share(searched.rows))
    chance = np.random.default_rng(0)
    draws = [
        share([table.rows[at] for at in chance.choice(len(table.rows), TRIALS, replace=False)]) for _ in range(200)
    ]

    assert np.mean(found) >= least and np.mean(found) > np.mean(draws)

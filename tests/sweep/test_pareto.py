"""The front: against its definition, and as people see it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import archsim
from archsim.cli import app
from archsim.errors import ArchsimError
from archsim.sweeps.front import undominated

POINTS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=40)


@given(POINTS)
def test_a_point_is_on_the_front_unless_another_beats_it(points):
    def beats(one, two):
        return all(a <= b for a, b in zip(one, two, strict=True)) and one != two

    expected = [not any(beats(other, point) for other in points) for point in points]
    assert undominated(np.array(points, float)).tolist() == expected


def test_throughput_is_better_when_larger(write):
    table = archsim.sweep(write("space: {array.rows: [2, 4, 8]}"), output="out")
    fastest = archsim.pareto("out", "throughput_per_s").rows
    assert [row["throughput_per_s"] for row in fastest] == [max(row["throughput_per_s"] for row in table.rows)]


def test_each_network_has_its_own_front(write):
    lighter = Path("tiny.yaml").read_text().replace("timesteps: 2", "timesteps: 1").replace("tiny", "light")
    Path("light.yaml").write_text(lighter)
    spec = write("space: {array.rows: [2, 4, 8]}")
    spec.write_text(spec.read_text().replace("[tiny.yaml]", "[tiny.yaml, light.yaml]"))
    table = archsim.sweep(spec, output="out")
    front = archsim.pareto(table, "energy_pj", "area_um2").rows
    assert [row["workload"] for row in front] == sorted((row["workload"] for row in front), reverse=True)
    for network in ("tiny.yaml", "light.yaml"):
        own = replace(table, rows=tuple(row for row in table.rows if row["workload"] == network))
        expected = archsim.pareto(own, "energy_pj", "area_um2").rows
        assert expected and [row for row in front if row["workload"] == network] == list(expected)


def test_the_verbs_print_a_table_and_draw_a_figure(write):
    spec = write("space: {array.rows: [2, 4, 8], buffers.weight.size: [64 KiB, 144 KiB]}")
    swept = CliRunner().invoke(app, ["sweep", str(spec), "--json"])
    assert swept.exit_code == 0 and len(json.loads(swept.stdout)["rows"]) == 6
    shown = CliRunner().invoke(app, ["pareto", "spec-sweep", "energy_pj", "area_um2"])
    assert shown.exit_code == 0 and "on the front of energy_pj × area_um2" in shown.stdout
    assert Path("spec-sweep/pareto.png").read_bytes().startswith(b"\x89PNG")
    for number in ("1", "4"):
        names = ["energy_pj", "latency_ns", "area_um2", "power_mw"][: int(number)]
        drawn = CliRunner().invoke(app, ["pareto", "spec-sweep", *names, "-o", f"{number}.svg"])
        assert drawn.exit_code == 0 and Path(f"{number}.svg").exists()


def test_bad_questions_are_refused(write):
    archsim.sweep(write("space: {array.rows: [2]}"), output="out")
    with pytest.raises(ArchsimError) as caught:
        archsim.pareto("nowhere", "energy", "aera_um2")
    assert len(caught.value.problems) == 3 and "did you mean 'area_um2'" in str(caught.value)
    assert CliRunner().invoke(app, ["pareto", "out", "energy_pj", "-o", "x.gif"]).exit_code == 2

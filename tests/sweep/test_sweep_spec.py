"""What a sweep's file may say, and which points it makes."""

from __future__ import annotations

import math

import pytest

from archsim.errors import ConfigError
from archsim.sweeps import prepare_sweep
from archsim.sweeps.sample import draw_points
from archsim.sweeps.spec import load_spec


def points(path):
    return draw_points(load_spec(path)[0])


def problems(path):
    with pytest.raises(ConfigError) as caught:
        prepare_sweep(path)
    return [str(problem) for problem in caught.value.problems]


def test_a_grid_is_every_combination_with_the_last_key_fastest(write):
    path = write("space: {array.rows: [4, 8], array.cols: {from: 2, to: 6, step: 2}}")
    assert points(path) == [{"array.rows": rows, "array.cols": cols} for rows in (4, 8) for cols in (2, 4, 6)]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("{from: 8, to: 128, steps: 5, scale: log}", [8, 16, 32, 64, 128]),
        ("{from: 1, to: 3, steps: 9}", [1, 2, 3]),  # whole numbers, each once
        ("{from: 0.1, to: 0.5, step: 0.1}", pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])),
        ("{from: 1.0, to: 2.0, steps: 3}", [1.0, 1.5, 2.0]),
        ("{from: 1, to: 10, step: 4}", [1, 5, 9]),
        ("{from: 7, to: 7}", [7]),
    ],
)
def test_ranges(write, text, values):
    found = [point["dram.bandwidth"] for point in points(write(f"space: {{dram.bandwidth: {text}}}"))]
    assert found == values
    assert all(type(value) is type(values[0]) for value in found) if isinstance(values, list) else True


def test_a_latin_hypercube_uses_every_stratum_once_and_is_deterministic(write):
    text = "space: {dram.bandwidth: {from: 1.0, to: 101.0}, clock: {from: 1.0, to: 1e4, scale: log}}\n"
    path = write(text + "method: {latin_hypercube: {points: 50, seed: 7}}")
    found = points(path)
    assert sorted(int((point["dram.bandwidth"] - 1.0) / 2.0) for point in found) == list(range(50))
    assert sorted(int(math.log10(point["clock"]) / 4.0 * 50) for point in found) == list(range(50))
    assert found == points(path)
    assert found != points(write(text + "method: {latin_hypercube: {points: 50, seed: 8}}"))


def test_random_draws_stay_in_range_and_lists_give_their_values(write):
    text = "space: {array.rows: {from: 4, to: 6}, sparsity: [none, gate]}\nmethod: {random: {points: 40, seed: 1}}"
    found = points(write(text))
    assert {point["array.rows"] for point in found} == {4, 5, 6}
    assert {point["sparsity"] for point in found} == {"none", "gate"}


def test_listed_points_are_taken_as_they_are(write):
    assert points(write("points: [{array.rows: 4}, {array.cols: 2}]")) == [{"array.rows": 4}, {"array.cols": 2}]


def test_everything_that_is_wrong_is_said_at_once_with_its_line(write):
    keys = "space:\n  array.rowz: [4]\n  workload.timestep: [2]\n"
    path = write(keys + "constraints: [area < 3, energy_pj]\ncosts: [nil]\n")
    found = problems(path)
    assert [text.rpartition("spec.yaml:")[2].split(":")[0] for text in found] == ["4", "5", "6", "6", "7"]
    assert "did you mean 'array.rows'" in found[0] and "did you mean 'workload.timesteps'" in found[1]
    assert "did you mean 'area_um2'" in found[2] and "NAME < NUMBER" in found[3]
    assert "'nil'" in found[4]


def test_a_key_of_the_other_family_is_known(write):
    path = write("space: {array.rows: [4]}")
    path.write_text(path.read_text().replace("[sata]", "[spikeflow, sata]"))
    assert len(prepare_sweep(path).points) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("space: {array.rows: []}", "space"),
        ("points: []", "the list of points is empty"),
        ("space: {array.rows: {from: 4, to: 8}}", "a grid needs the range's 'steps' or 'step'"),
        ("space: {array.rows: {from: 8, to: 4, steps: 2}}", "ends before it starts"),
        ("space: {clock: {from: 0, to: 4, steps: 2, scale: log}}", "starts above 0"),
        ("method: list", "needs 'points'"),
        ("space: {array.rows: [4]}\npoints: [{array.rows: 4}]", "neither a 'space'"),
        ("repeats: 2\nseeds: [1]", "not both"),
        ("spaces: {}", "did you mean 'space'"),
        ("samples: 0..x", "not a sample"),
        ("space: {array.rows.x: [4]}", "no such key"),
        (
            "space: {array.rows: {from: 1, to: 2000, steps: 2000}, array.cols: {from: 1, to: 2000, steps: 2000}}",
            "makes 4,000,000 points",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(write, text, said):
    assert any(said in problem for problem in problems(write(text)))


def test_recorded_spikes_are_not_repeated_with_seeds(write):
    path = write("repeats: 2")
    path.write_text(path.read_text().replace("tiny.yaml", "cnn-mnist"))
    assert any("recorded spikes have no seed" in text for text in problems(path))


def test_nothing_is_written_while_anything_is_wrong(write, tmp_path):
    problems(write("space: {array.rowz: [4]}"))
    assert not (tmp_path / "spec-sweep").exists()

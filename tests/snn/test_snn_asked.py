"""What is wrong with a request is told at once, with what is allowed."""

from __future__ import annotations

import numpy as np
import pytest
from small import small

from archsim.errors import ArchsimError
from archsim.snn import SimulatedActivity, simulate

CONV = [{"name": "conv", "type": "conv2d", "out_channels": 2, "kernel": 1}]
WEIGHT = {"conv.weight": np.ones((2, 1, 1, 1))}


def image_net(folder, encoding="direct", **keys):
    return small(folder, CONV, WEIGHT, input={"shape": [1, 2, 3], "encoding": encoding}, **keys)


def problems(workload, inputs, **options):
    with pytest.raises(ArchsimError) as error:
        simulate(workload, inputs, **options)
    return [str(problem) for problem in error.value.problems]


def test_everything_at_once(tmp_path):
    told = problems(
        image_net(tmp_path), np.zeros((2, 2)), dtype="float16", precision="state", membranes=["con", "conv"],
        exit_at=1.5, confidence="entrop", numbers=-1, threads=0,
    )  # fmt: skip
    text = "\n".join(told)
    assert len(told) == 7
    for part in ("float16", "did you mean 'stated'", "did you mean 'conv'", "1.5", "'entropy'", "threads",
                 "[1, 2, 3] or [N, 1, 2, 3] or [N, 4, 1, 2, 3]"):  # fmt: skip
        assert part in text


@pytest.mark.parametrize(
    ("encoding", "inputs", "part"),
    [
        ("direct", np.full((1, 2, 3), 256), "allowed: 0..255"),
        ("direct", np.full((1, 2, 3), -1), "got -1"),
        ("direct", np.full((1, 2, 3), np.nan), "no numbers"),
        ("direct", np.full((1, 2, 3), np.inf), "no numbers"),
        ("direct", np.full((1, 2, 3), "x"), "no numbers"),
        ("direct", np.zeros((0, 1, 2, 3), np.uint8), "there is no input"),
        ("direct", np.zeros((5, 1, 2, 3, 1)), "another shape"),
        ("direct", [[1, 2], [1, 2, 3]], "do not all have one shape"),
        ("direct", np.zeros((2, 5, 1, 2, 3)), "another shape"),
        ("rate", np.full((1, 2, 3), 1.5), "fractions"),
        ("ttfs", np.full((1, 2, 3), -0.5), "fractions"),
        ("rate", np.full((1, 2, 3), 300), "0..255"),
        ("rate", np.full((1, 4, 1, 2, 3), 2), "0..1"),
        ("events", np.full((4, 1, 2, 3), 2), "0..1"),
        ("events", np.full((4, 1, 2, 3), 0.5), "whole numbers"),
        ("events", np.zeros((3, 1, 2, 3)), "[4, 1, 2, 3] or [N, 4, 1, 2, 3]"),
        ("events", np.zeros((1, 2, 3)), "another shape"),
    ],
)
def test_inputs_that_do_not_fit(tmp_path, encoding, inputs, part):
    (told,) = problems(image_net(tmp_path, encoding), inputs)
    assert told.startswith("inputs: ") and part in told


def test_real_values_have_no_stated_precision(tmp_path):
    workload = image_net(tmp_path)
    (told,) = problems(workload, np.full((1, 2, 3), 0.5), precision="stated")
    assert "integers" in told
    with pytest.raises(ArchsimError, match="integers"):
        SimulatedActivity(workload, np.full((1, 2, 3), 0.5))


def test_workloads_that_cannot_be_executed(tmp_path):
    bare = small(tmp_path, CONV, input={"shape": [1, 2, 3], "encoding": "direct"})
    assert len(problems(bare, np.full((1, 2, 3), 999))) == 2
    assert "has no weights" in problems(bare, np.zeros((1, 2, 3)))[0]
    rows = [{"name": "fc", "type": "linear", "in_features": 3, "out_features": 2}]
    (told,) = problems(small(tmp_path, rows, chained=False), np.zeros(3))
    assert told.startswith("chained: ") and "table" in told


def test_membranes_given_as_one_name(tmp_path):
    (told,) = problems(image_net(tmp_path), np.zeros((1, 2, 3)), membranes="conv")
    assert "['conv']" in told


@pytest.mark.parametrize(
    ("shape", "given", "wanted"),
    [
        ([3], (3,), (3, 1, 1)), ([3], (5, 3), (5, 3, 1, 1)), ([3], (5, 4, 3), (5, 4, 3, 1, 1)),
        ([3], (3, 1, 1), (3, 1, 1)), ([2, 3], (2, 3), (2, 3, 1)), ([2, 3], (5, 2, 3), (5, 2, 3, 1)),
        ([1, 2, 3], (1, 2, 3), (1, 2, 3)), ([1, 2, 3], (1, 1, 2, 3), (1, 1, 2, 3)),
    ],
)  # fmt: skip
def test_axes_that_are_left_out(tmp_path, shape, given, wanted):
    layers = [{"name": "n", "type": "neuron"}]
    found = simulate(small(tmp_path, layers, input={"shape": shape, "encoding": "direct"}), np.ones(given, np.uint8))
    assert found.input.shape == wanted
    assert found.spikes["n"].ndim == (4 if found.single else 5) and found.predictions.shape == found.steps.shape
    single = len(given) == len(shape) or (len(given) == 3 and len(shape) == 1 and given[1:] == (1, 1))
    assert found.single == single


@pytest.mark.parametrize("labels", [[1, 2, 3], 1, [0.5, 1.0], [[1, 2]]])
def test_labels_that_are_not_one_for_each_input(tmp_path, labels):
    found = simulate(image_net(tmp_path), np.zeros((2, 1, 2, 3), np.uint8))
    for work in (found.accuracy, found.trace, lambda given: found.save(tmp_path / "trace.npz", given)):
        with pytest.raises(ArchsimError, match="labels: there is one integer for each of the 2 inputs"):
            work(labels)
    assert not (tmp_path / "trace.npz").exists()

from __future__ import annotations

import pytest

import archsim
from archsim.errors import ArchsimError

CONV = "type: conv2d, out_channels: 4, kernel: 3, padding: 1"


def test_every_contradiction_of_a_network_is_reported_at_its_line_and_none_twice(problems):
    found = problems("""\
  - {name: ok, type: conv2d, out_channels: 4, kernel: 3, padding: 1}
  - {name: big, type: conv2d, out_channels: 4, kernel: 35, groups: 3}
  - {name: after, type: conv2d, out_channels: 4, kernel: 99}
  - {name: known, type: conv2d, out_channels: 4, kernel: 7, input_shape: [4, 6, 6]}
  - {name: ok, type: maxpool2d, kernel: 2, input_shape: [4, 8, 8]}
  - {name: next, type: linear, in_features: 65, out_features: 2}
  - {name: lost, type: linear, from: nxt, out_features: 2}
  - {name: early, type: flatten, from: late}
  - {name: late, type: add, inputs: [next, ok]}
""")
    assert [(line, key) for line, key, _ in found] == [
        (6, "layers.1.kernel"),
        (6, "layers.1.groups"),
        (8, "layers.3.kernel"),
        (9, "layers.4.name"),
        (10, "layers.5.in_features"),
        (11, "layers.6.from"),
        (12, "layers.7.from"),
        (13, "layers.8.inputs"),
    ]
    text = [message for _, _, message in found]
    assert "padded input of 32 x 32" in text[0]
    assert "4 input channels and the 4 output channels" in text[1]
    assert "layers.0 (line 5)" in text[3]
    assert "64 values" in text[4]
    assert "no layer of this name" in text[5]
    assert "later" in text[6]
    assert "next [2, 1, 1], ok [4, 32, 32]" in text[7]


def test_mistakes_behind_the_first_are_reported_where_their_input_is_known(problems):
    """Wrong groups leave the shape known, a window that does not fit does not; a linear layer's output always is."""
    found = problems("""\
  - {name: a, type: conv2d, out_channels: 4, kernel: 3, padding: 1, groups: 2}
  - {name: b, type: conv2d, out_channels: 4, kernel: 3, padding: 1, groups: 3}
  - {name: c, type: conv2d, out_channels: 8, kernel: 40}
  - {name: d, type: conv2d, out_channels: 9, in_channels: 8, kernel: 3, groups: 8}
  - {name: e, type: linear, in_features: 7, out_features: 10}
  - {name: f, type: linear, in_features: 11, out_features: 2}
  - {name: g, type: add, inputs: [a, b]}
  - {name: h, type: add, inputs: [a, f]}
""")
    assert [(line, key) for line, key, _ in found] == [
        (5, "layers.0.groups"),
        (6, "layers.1.groups"),
        (7, "layers.2.kernel"),
        (8, "layers.3.groups"),
        (10, "layers.5.in_features"),
        (12, "layers.7.inputs"),
    ]
    assert "does not divide the 9 output channels" in found[3][2]
    assert "of 10 values" in found[4][2]


def test_a_stated_shape_that_contradicts_the_chain_is_taken_on_from_there(problems):
    found = problems(f"""\
  - {{name: a, {CONV}, output_shape: [4, 32, 31]}}
  - {{name: b, {CONV}, input_shape: [4, 16, 16]}}
  - {{name: c, type: avgpool2d, kernel: 2, output_shape: [4, 8, 8]}}
""")
    assert [(line, key) for line, key, _ in found] == [(5, "layers.0.output_shape"), (6, "layers.1.input_shape")]
    assert "makes [4, 32, 32]" in found[0][2]
    assert "'a' delivers, [4, 32, 31]" in found[1][2]


def test_mistakes_of_spelling_do_not_hide_mistakes_of_meaning(problems):
    found = problems("""\
  - {name: a, type: conv2d, out_channels: 4, kernel: 3, paddding: 1}
  - {name: b, type: linear, out_features: ten}
  - {name: c, type: conv2d, out_channels: 4, kernel: 5, input_shape: [4, 3, 3]}
  - {name: c, type: flatten}
activity: {density: {a: 1.5, b: 0.1, cc: 0.1}}
""")
    assert [(line, key) for line, key, _ in found] == [
        (5, "layers.0.paddding"),
        (6, "layers.1.out_features"),
        (7, "layers.2.kernel"),
        (8, "layers.3.name"),
        (9, "activity.density.a"),
        (9, "activity.density.cc"),
    ]


@pytest.mark.parametrize(
    ("text", "key", "part"),
    [
        (f"  - {{name: a, {CONV}}}\nactivity: {{density: {{b: 0.5}}}}\n", "activity.density.b", "no layer"),
        (f"  - {{name: a, {CONV}}}\nactivity: {{density: -0.1}}\n", "activity.density", "from 0 to 1"),
        (f"  - {{name: a, {CONV}}}\nactivity: {{}}\n", "activity", "either"),
        (f"  - {{name: a, {CONV}}}\nactivity: {{density: 0.1, trace: x.npz}}\n", "activity", "either"),
        (f"  - {{name: a, {CONV}}}\nactivity: {{trace: x.npz, seed: 1}}\n", "activity.seed", "recorded"),
        (
            f"  - {{name: a, {CONV}}}\nactivity: {{density: 1, generator: clustered}}\n",
            "activity.generator",
            "dispersion",
        ),
        (f"  - {{name: a, {CONV}}}\nactivity: {{density: 1, dispersion: 0.5}}\n", "activity.dispersion", "clustered"),
        ("  - {name: a, type: flatten}\nactivity: {density: {a: 0.5}}\n", "activity.density.a", "weights"),
        (f"  - {{name: input, {CONV}}}\n", "layers.0.name", "'input'"),
        (f"  - {{name: a, {CONV}, spiking: false, neuron: {{leak: 0.5}}}}\n", "layers.0.neuron", "no neuron"),
        (f"  - {{name: a, {CONV}, neuron: {{model: if, leak: 0.5}}}}\n", "layers.0.neuron.leak", "does not leak"),
        ("  - {name: a, type: linear, input_shape: [3071], out_features: 2}\n", "layers.0.input_shape", "delivers"),
        ("  - {name: a, type: matmul, input_shape: [4, 768], out_features: 2}\n", "layers.0.input_shape", "delivers"),
        ("  - {name: a, type: add}\n", "layers.0", "operands"),
        ("  - {name: a, type: conv2d, out_channels: 4, kernel: 0}\n", "layers.0.kernel", "from 1"),
        ("  - {name: a, type: conv2d, out_channels: -4, kernel: 1}\n", "layers.0.out_channels", "from 1"),
        ("  - {name: a, type: conv2d, out_channels: '4', kernel: 1}\n", "layers.0.out_channels", "whole number"),
        ("  - {name: a, type: conv2d, out_channels: 16000000, kernel: 1}\n", "layers.0.name", "at most"),
        ("  - {name: a, type: matmul, rows: 1024, out_features: 16000000}\n", "layers.0.name", "values"),
        ("  []\n", "layers", "1"),
    ],
)
def test_single_mistakes(problems, text, key, part):
    ((_, found, message),) = problems(text)
    assert found == key
    assert part in message


def test_sizes_that_no_memory_holds_are_refused_where_they_are_stated(problems):
    assert [key for _, key, _ in problems("  - {name: a, type: flatten}\n", "input.shape=[9999, 9999, 9999]")] == [
        "input.shape"
    ]
    found = problems("""\
name: n
timesteps: 1
chained: false
layers:
  - {name: a, type: linear, input_shape: [9999, 9999, 9999], out_features: 1}
  - {name: b, type: linear, in_features: 16000000, out_features: 16000000}
  - {name: c, type: matmul, rows: 10, in_features: 1700000, out_features: 1700000}
""", "timesteps=60")  # fmt: skip
    assert [key for _, key, _ in found] == ["layers.0.input_shape", "layers.1.name", "layers.2.name"]


def test_layers_that_chain_need_an_input_and_rows_of_a_table_their_shapes(problems):
    assert [key for _, key, _ in problems("name: n\ntimesteps: 1\nlayers: [{name: a, type: flatten}]\n")] == ["input"]
    found = problems("""\
name: n
timesteps: 1
chained: false
layers:
  - {name: a, type: conv2d, out_channels: 4, kernel: 3}
  - {name: b, type: linear, in_features: 4, out_features: 3, from: a}
  - {name: c, type: add, with: a, input_shape: [1, 2, 3]}
  - {name: d, type: matmul, rows: 4, out_features: 3}
activity: {density: 0.5}
""")
    assert [(line, key) for line, key, _ in found] == [
        (5, "layers.0.input_shape"),
        (6, "layers.1.from"),
        (7, "layers.2"),
        (8, "layers.3.input_shape"),
    ]


def test_missing_densities_are_named_together_and_direct_input_is_dense(problems, load):
    layers = "".join(f"  - {{name: c{number}, {CONV}}}\n" for number in range(4))
    ((line, key, message),) = problems(layers + "activity: {density: {c2: 0.5}}\n")
    assert (line, key) == (9, "activity.density")
    assert "c1, c3" in message and "c0" not in message
    workload = load(layers + "activity: {density: {c2: 0.5, default: 0.25}}\n")
    assert [workload.activity.density_of(layer) for layer in workload.network.layers] == [1.0, 0.25, 0.5, 0.25]


def test_layers_that_read_the_same_values_have_one_density(problems):
    ((_, key, message),) = problems(f"""\
  - {{name: stem, {CONV}}}
  - {{name: a, {CONV}}}
  - {{name: b, {CONV}, from: stem}}
activity: {{density: {{a: 0.5, b: 0.25, stem: 1}}}}
""")
    assert key == "activity.density.b"
    assert "a and b read the same values" in message


def test_overrides_are_blamed_on_the_command_line(problems):
    text = f"  - {{name: a, {CONV}}}\nactivity: {{density: 0.5}}\n"
    ((line, key, _),) = problems(text, "layers.0.kernel=77")
    assert (line, key) == (None, "layers.0.kernel")
    ((_, key, message),) = problems(text, "activity.densty=0.5")
    assert key == "activity.densty" and "unknown" in message


def test_a_trace_of_other_timesteps_is_one_problem_with_ways_out() -> None:
    with pytest.raises(ArchsimError) as caught:
        archsim.load_workload("cnn-mnist", ["timesteps=4"])
    (problem,) = caught.value.problems
    assert "'timesteps' is 8; the workload has 4" in problem.message
    assert "timesteps: 8" in problem.message and "activity: {density: 0.1}" in problem.message
    loaded = archsim.load_workload("cnn-mnist", ["timesteps=4", "activity={density: 0.1}"])
    assert loaded.network.timesteps == 4

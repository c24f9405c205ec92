"""NIR files as workloads: every type of node, nested graphs, recurrence, branches, and what is never guessed."""

from __future__ import annotations

import nir
import numpy as np
import pytest
import yaml
from nir_graphs import chain, conv, euler, every_type, graph, lif, of, ones, written

from archsim.errors import ConfigError
from archsim.importing import import_network
from archsim.snn import simulate
from archsim.workload import load_workload
from archsim.workload.io import import_file
from archsim.workload.io.dialects import DIALECTS
from archsim.workload.io.nir_file import read_nir
from archsim.workload.io.nir_reader import NEEDED


def read(folder, made, **options):
    """The workload file's data, and the imported arrays."""
    options.setdefault("dialect", "euler")
    found = import_file(written(folder, made), **options)
    return yaml.safe_load(found.text_yaml), found


def loaded(folder, made, **options):
    options.setdefault("dialect", "euler")
    return load_workload(import_network(written(folder, made), folder / "out", **options).files[0])


def layer(data, name):
    found = next(one for one in data["layers"] if one["name"] == name)
    return {"neuron": data.get("neuron"), **found}


def test_every_type_of_node_is_read_as_the_nir_package_reads_it(tmp_path):
    made = every_type()
    path = written(tmp_path, made)
    theirs, ours = nir.read(path, type_check=False), read_nir(path)
    seen = set()

    def compare(mine, other):
        seen.add(mine.kind)
        assert mine.kind == type(other).__name__
        for name, values in mine.fields.items():
            if name not in ("input_type", "shape"):
                np.testing.assert_array_equal(values, getattr(other, name))
        if mine.kind == "NIRGraph":
            assert set(mine.nodes) == set(other.nodes) and set(mine.edges) == set(other.edges)
            for name, node in mine.nodes.items():
                compare(node, other.nodes[name])

    compare(ours.graph, theirs)
    assert seen == set(NEEDED) - {"Conv1d"}
    assert ours.version == nir.version


def test_every_type_of_node_becomes_a_layer_that_is_executed(tmp_path):
    workload = loaded(tmp_path, every_type(), timesteps=6)
    kinds = {one.name: one.kind for one in workload.network.layers}
    assert kinds == {
        "conv": "conv2d", "if": "neuron", "sum": "sumpool2d", "avg": "avgpool2d", "scale.sum": "add", "scale": "scale",
        "affine": "linear", "recurrent.lif": "neuron", "linear": "linear", "cuba": "neuron", "delay": "delay",
        "threshold": "neuron", "head": "linear", "li": "neuron", "i": "neuron", "cubali": "neuron",
    }  # fmt: skip
    network = workload.network
    assert network.layer("delay").delay == 3
    assert network.layer("recurrent.lif").recurrent.kind == "linear" and network.layer("recurrent.lif").recurrent.bias
    assert set(network.layer("scale.sum").sources) == {"sum", "avg"}
    assert network.layers[-1].name == "cubali" and not network.layers[-1].spiking
    result = simulate(workload, np.ones((6, 2, 8, 8), np.uint8), membranes=("cubali",))
    assert result.potentials["cubali"].shape == (6, 3, 1, 1)


def test_a_convolution_along_one_axis(tmp_path):
    weight = of(3, 2, 4)
    data, found = read(tmp_path, chain([2, 9], conv(weight, 9, stride=2, padding=1, bias=of(3)), lif(3, 4)))
    assert layer(data, "n0") == {
        "neuron": data["neuron"], "name": "n0", "type": "conv1d", "out_channels": 3, "kernel": 4, "stride": 2,
        "padding": 1, "bias": True,
    }  # fmt: skip
    np.testing.assert_array_equal(found.arrays["n0.weight"], weight[..., None])


@pytest.mark.parametrize("padding, wanted", [("same", 2), ("valid", None), ((0, 1), [0, 1])])
def test_geometry_of_convolutions(tmp_path, padding, wanted):
    made = chain([4, 9, 9], conv(of(6, 2, 3, 3), (9, 9), padding=padding, dilation=2, groups=2))
    data, _ = read(tmp_path, made, dialect=None)
    found = layer(data, "n0")
    assert (found.get("padding"), found["dilation"], found["groups"], found["spiking"]) == (wanted, 2, 2, False)


def test_zeros_that_exporters_write_are_no_bias(tmp_path):
    data, found = read(tmp_path, chain([3], nir.Affine(of(2, 3), np.zeros(2))), dialect=None)
    assert "bias" not in layer(data, "n0") and "n0.bias" not in found.arrays


def test_flat_cycles_are_recurrence(tmp_path):
    weight, bias = of(4, 4), of(4)
    nodes = {
        "input": nir.Input(np.array([3])),
        "fc": nir.Linear(of(4, 3)),
        "lif": lif(4),
        "w_rec": nir.Affine(weight, bias),
        "output": nir.Output(np.array([4])),
    }
    edges = [("input", "fc"), ("fc", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")]
    data, found = read(tmp_path, graph(nodes, edges))
    assert layer(data, "lif")["recurrent"] == {"type": "linear", "bias": True}
    np.testing.assert_array_equal(found.arrays["lif.recurrent_weight"], weight)
    np.testing.assert_array_equal(found.arrays["lif.recurrent_bias"], bias)


@pytest.mark.parametrize(
    "node, weights",
    [
        (nir.Linear(np.diag([1.0, 2.0, 3.0, 4.0])), [1.0, 2.0, 3.0, 4.0]),
        (nir.Scale(ones(4, value=2)), [2.0] * 4),
        (None, [1.0]),
    ],
)
def test_neurons_that_feed_themselves_one_by_one(tmp_path, node, weights):
    nodes = {"input": nir.Input(np.array([4])), "lif": lif(4), "output": nir.Output(np.array([4]))}
    edges = [("input", "lif"), ("lif", "output")]
    if node is None:
        edges.append(("lif", "lif"))
    else:
        nodes["back"] = node
        edges += [("lif", "back"), ("back", "lif")]
    data, found = read(tmp_path, graph(nodes, edges))
    assert layer(data, "lif")["recurrent"] == {"type": "elementwise"}
    values = found.arrays["lif.recurrent_weight"].reshape(-1)
    assert values.tolist() == weights


def test_a_map_that_feeds_itself_through_a_kernel(tmp_path):
    weight = of(2, 2, 3, 3)
    nodes = {
        "input": nir.Input(np.array([2, 5, 5])), "lif": lif(2, 5, 5), "back": conv(weight, (5, 5), padding=(1, 1)),
        "output": nir.Output(np.array([2, 5, 5])),
    }  # fmt: skip
    edges = [("input", "lif"), ("lif", "back"), ("back", "lif"), ("lif", "output")]
    data, found = read(tmp_path, graph(nodes, edges))
    assert layer(data, "lif")["recurrent"] == {"type": "conv2d", "kernel": [3, 3]}
    np.testing.assert_array_equal(found.arrays["lif.recurrent_weight"], weight)


def test_several_edges_into_the_output_are_a_sum(tmp_path):
    nodes = {
        "input": nir.Input(np.array([3])), "a": nir.Linear(of(2, 3)), "b": nir.Linear(of(2, 3)),
        "output": nir.Output(np.array([2])),
    }  # fmt: skip
    edges = [("input", "a"), ("input", "b"), ("a", "output"), ("b", "output")]
    data, _ = read(tmp_path, graph(nodes, edges), dialect=None)
    assert data["layers"][-1] == {"name": "output", "type": "add", "inputs": ["a", "b"]}
    assert data["layers"][1]["from"] == "input"


def test_every_branch_is_followed_to_its_end(tmp_path):
    nodes = {"input": nir.Input(np.array([3])), "output": nir.Output(np.array([2]))}
    edges = []
    for side in "ab":
        nodes |= {f"1{side}": nir.Linear(of(2, 3)), f"2{side}": lif(2), f"3{side}": nir.Linear(of(2, 2))}
        edges += [("input", f"1{side}"), (f"1{side}", f"2{side}"), (f"2{side}", f"3{side}"), (f"3{side}", "output")]
    data, _ = read(tmp_path, graph(nodes, edges))
    assert [one["name"] for one in data["layers"]] == ["1a", "2a", "3a", "1b", "2b", "3b", "output"]


def test_graphs_within_graphs_are_opened(tmp_path):
    def box(node, size):
        ends = {"in": nir.Input(np.array([size])), "out": nir.Output(np.array([size]))}
        return graph({**ends, "x": node}, [("in", "x"), ("x", "out")])

    made = chain([3], box(box(nir.Linear(of(3, 3)), 3), 3), lif(3))
    data, _ = read(tmp_path, made)
    assert [one["name"] for one in data["layers"]] == ["n0.x.x", "n1"]


def test_names_that_no_layer_may_have_are_changed_and_it_is_said(tmp_path):
    nodes = {"input": nir.Input(np.array([3])), "a:b": nir.Linear(of(3, 3)), "default": lif(3)}
    nodes["output"] = nir.Output(np.array([3]))
    data, found = read(tmp_path, graph(nodes, [("input", "a:b"), ("a:b", "default"), ("default", "output")]))
    assert [one["name"] for one in data["layers"]] == ["a_b", "default_2"]
    assert "node 'a:b' is layer 'a_b'" in found.notes and "node 'default' is layer 'default_2'" in found.notes


def test_parameters_that_differ_from_neuron_to_neuron_are_arrays(tmp_path):
    node = lif(3)
    node.tau, node.v_threshold = np.array([2e-4, 5e-4, 1e-3]), np.array([0.5, 1.0, 2.0])
    _, found = read(tmp_path, chain([3], node))
    np.testing.assert_allclose(found.arrays["n0.leak"].reshape(-1), [0.5, 0.8, 0.9], rtol=1e-12)
    assert found.arrays["n0.threshold"].reshape(-1).tolist() == [0.5, 1.0, 2.0]
    assert loaded(tmp_path, chain([3], node)).weights is not None


@pytest.mark.parametrize("kind", ["I", "IF", "LI", "LIF", "CubaLI", "CubaLIF"])
def test_euler_is_nir_s_own_equations(tmp_path, kind):
    keys = {
        "tau": (3e-4, 1e-3), "tau_mem": (3e-4, 1e-3), "tau_syn": (2e-4, 6e-4), "v_leak": (-0.2, 0.2), "w_in": (1, 3),
        "r": (1e4, 2e4) if kind in ("I", "IF") else (1, 3), "v_threshold": (0.4, 0.9), "v_reset": (-0.2, 0.1),
    }  # fmt: skip
    own = getattr(nir, kind).__dataclass_fields__
    node = getattr(nir, kind)(**{name: of(8, low=low, high=high) for name, (low, high) in keys.items() if name in own})
    spikes = np.random.default_rng(1).integers(0, 2, (25, 8)).astype(np.uint8)
    workload = loaded(tmp_path, chain([8], nir.Scale(ones(8, value=0.75)), node), timesteps=25)
    wanted = euler(node, spikes * 0.75)
    result = simulate(workload, spikes[:, :, None, None], dtype="float64", membranes=("n1",))
    if kind in ("I", "LI", "CubaLI"):
        np.testing.assert_allclose(result.potentials["n1"][..., 0, 0], wanted, rtol=1e-10, atol=1e-12)
    else:
        assert 0 < wanted.sum() < wanted.size
        np.testing.assert_array_equal(result.spikes["n1"][..., 0, 0], wanted)


def test_without_neurons_no_dialect_is_needed(tmp_path):
    data, _ = read(tmp_path, chain([3], nir.Linear(of(2, 3)), nir.Threshold(ones(2, value=0.5))), dialect=None)
    assert data["neuron"] == {"model": "lif", "leak": 0.0, "reset": "none", "compare": ">", "threshold": 0.5}
    assert "dialect" not in data["source"]


def test_a_dialect_that_alone_can_have_written_the_file_needs_no_name(tmp_path):
    data, found = read(tmp_path, chain([3], nir.I(ones(3, value=1e4))), dialect=None)
    assert data["neuron"] == {"model": "li", "leak": 1.0} and "dialect euler" in data["source"]
    assert any(note.startswith("dialect: euler;") for note in found.notes)


def test_dialects_that_fit_are_listed_with_what_each_means(tmp_path):
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, chain([3], lif(3, r=5.0)), dialect=None)
    keys = [problem.key for problem in caught.value.problems]
    fit = ["snntorch", "snntorch-subtract", "snntorch-loaded", "spikingjelly", "rockpool", "euler"]
    assert keys == ["dialect", *(f"--dialect {name}" for name in fit)]
    assert [problem.message for problem in caught.value.problems[1:]] == [DIALECTS[name].meaning for name in fit]
    first = str(caught.value.problems[0])
    assert first.endswith(f"; possible for this file: {', '.join(fit)}") and "sinabs" not in first


def test_a_step_of_one_s_own(tmp_path):
    data, _ = read(tmp_path, chain([3], lif(3, tau=5e-3), nir.Delay(ones(3, value=2e-3))), dt=1e-3)
    assert data["neuron"]["leak"] == 0.8 and layer(data, "n1")["steps"] == 2 and "dt 0.001" in data["source"]


@pytest.mark.parametrize("node", [nir.Linear(of(2, 6)), conv(of(2, 3, 2, 1), (2, 1))])
def test_the_input_s_shape_comes_from_what_reads_it_where_the_file_leaves_it_out(tmp_path, node):
    made = chain([6], node)
    path = written(tmp_path, made)
    import h5py

    with h5py.File(path, "r+") as file:
        del file["node/nodes/input/shape"]
    data = yaml.safe_load(import_file(path).text_yaml)
    assert data["input"]["shape"] == ([6] if isinstance(node, nir.Linear) else [3, 2, 1])


SCALE = "input.scale: 1, integers as they are; a network trained on pixels / 255 needs --input-scale 255"


@pytest.mark.parametrize(
    ("options", "scale", "noted"),
    [
        ({"encoding": "direct"}, None, True),
        ({"encoding": "direct", "input_scale": 255.0}, 255, False),
        ({"encoding": "direct", "input_scale": 2.5}, 2.5, False),
        ({"encoding": "rate"}, None, False),
        ({}, None, False),
    ],
)
def test_the_scale_of_direct_coded_integers_is_written_or_its_absence_said(tmp_path, options, scale, noted):
    data, found = read(tmp_path, chain([4], nir.Linear(of(2, 4))), dialect=None, **options)
    assert data["input"].get("scale") == scale and not isinstance(data["input"].get("scale"), str)
    assert (SCALE in found.notes) == noted == (f"# {SCALE}\n" in found.text_yaml)


def test_an_imported_scale_divides_what_the_first_layer_reads(tmp_path):
    path = written(tmp_path, chain([4], nir.Linear(np.eye(4)), nir.Threshold(ones(4, value=0.5))))
    spikes = {}
    for scale in (None, 255):
        options = {"timesteps": 1, "encoding": "direct", "input_scale": scale}
        files = import_network(path, tmp_path / f"net-{scale}", **options).files
        image = np.array([0, 100, 200, 255], np.uint8).reshape(1, 4, 1, 1)
        spikes[scale] = simulate(load_workload(files[0]), image).spikes["n1"].ravel().tolist()
    assert spikes == {None: [0, 1, 1, 1], 255: [0, 0, 1, 1]}


def test_another_shape_of_the_same_size_is_taken_and_said(tmp_path):
    data, found = read(tmp_path, chain([4], nir.Linear(of(2, 4))), dialect=None, input_shape=(1, 2, 2))
    assert data["input"]["shape"] == [1, 2, 2]
    assert "the file calls its input [4]; it is read as [1, 2, 2], in the same order" in found.notes

"""NIR files that are wrong, hostile or of another dialect: everything at once, exit code 2, and nothing written."""

from __future__ import annotations

import gzip
import os
from contextlib import suppress
from pathlib import Path

import nir
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nir_graphs import chain, conv, every_type, graph, lif, of, ones, written
from typer.testing import CliRunner

from archsim.cli import app
from archsim.errors import ArchsimError, ConfigError
from archsim.importing import import_network
from archsim.workload.io import import_file, nir_process

h5py = pytest.importorskip("h5py")
GOLDEN = Path(__file__).parents[2] / "golden" / "snn"


def problems(path, **options):
    with pytest.raises(ArchsimError) as caught:
        import_file(path, **options)
    return [f"{problem.key}: {problem.message}" for problem in caught.value.problems]


def changed(folder, made, change):
    """A NIR file with something changed by hand."""
    path = written(folder, made)
    with h5py.File(path, "r+") as file:
        change(file["node"])
    return path


def net():
    return chain([3], nir.Affine(of(4, 3), of(4)), lif(4))


def put(group, name, value):
    if name in group:
        del group[name]
    group[name] = value


def test_what_is_no_hdf5_file_is_told_in_a_line(tmp_path):
    path = tmp_path / "x.nir"
    for content in (b"", b"not HDF5", b"\x89HDF\r\n\x1a\n" + b"\0" * 100):
        path.write_bytes(content)
        (told,) = problems(path)
        assert told.startswith("None: is no NIR file, or a damaged one")


def test_without_h5py_it_is_said_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr("archsim.workload.io.nir_file.find_spec", lambda name: None)
    (told,) = problems(written(tmp_path, net()))
    assert told == "None: reading NIR needs the package 'h5py': pip install 'archsim[nir]'"


def test_hdf5_that_is_no_nir(tmp_path):
    with h5py.File(tmp_path / "x.nir", "w") as file:
        file["other"] = 1
    assert problems(tmp_path / "x.nir") == ["None: is an HDF5 file, but no NIR file: it has no group 'node'"]


def test_all_nodes_that_are_not_supported_are_named_at_once(tmp_path):
    def change(node):
        put(node, "nodes/n0/type", "Izhikevich")
        put(node, "nodes/n1/type", "LIFF")

    path = changed(tmp_path, net(), change)
    with pytest.raises(ConfigError) as caught:
        import_file(path, dialect="euler")
    first, second = caught.value.problems
    assert (first.key, first.value, second.key, second.value) == ("n0", "Izhikevich", "n1", "LIFF")
    assert second.nearest == "LIF" and "CubaLIF" in second.allowed


def test_missing_parameters_and_values_that_are_no_numbers_at_once(tmp_path):
    def change(node):
        del node["nodes/n1/tau"]
        node["nodes/n0/weight"][1, 2] = np.nan
        node["nodes/n0/bias"][:] = np.inf

    told = problems(changed(tmp_path, net(), change), dialect="snntorch")
    assert told == [
        "n0.weight: 1 values are no finite numbers, the first (nan) at [1, 2]",
        "n0.bias: 4 values are no finite numbers, the first (inf) at [0]",
        "n1: LIF without tau",
    ]


def test_texts_complex_and_empty_values_in_place_of_numbers(tmp_path):
    def change(node):
        put(node, "nodes/n0/weight", "heavy")
        put(node, "nodes/n0/bias", np.array([1 + 2j]))
        put(node, "nodes/n1/tau", h5py.Empty("f4"))

    assert problems(changed(tmp_path, net(), change), dialect="euler") == [
        "n0.weight: holds object; allowed: numbers",
        "n0.bias: holds complex128; allowed: numbers",
        "n1: LIF without tau",
    ]


def test_feedback_of_another_shape_than_the_neurons(tmp_path):
    nodes = {"input": nir.Input(np.array([3])), "lif": lif(3), "output": nir.Output(np.array([3]))}
    nodes |= {"back": nir.Affine(of(3, 3), of(3)), "other": lif(3), "wide": nir.Linear(of(4, 3))}
    edges = [("input", "lif"), ("lif", "back"), ("back", "lif"), ("lif", "other"), ("other", "wide"), ("wide", "other")]
    path = written(tmp_path, graph(nodes, [*edges, ("other", "output")]))
    with h5py.File(path, "r+") as file:
        put(file["node"], "nodes/back/bias", 0.5)
    assert problems(path, dialect="euler") == [
        "back: bias has shape []; it meets weights of [3, 3]",
        "wide: makes 4 values; it feeds 3 neurons",
    ]


def test_shapes_that_contradict_each_other_are_all_told(tmp_path):
    nodes = [conv(of(4, 3, 3, 3), (8, 8)), lif(4, 5, 5), nir.Linear(of(2, 7)), nir.Linear(of(3, 5))]
    path = written(tmp_path, chain([2, 8, 8], *nodes))
    assert problems(path, dialect="euler") == [
        "n0: weight of shape [4, 3, 3, 3] with groups 1 reads 3 channels on 2 axes; gets [2, 8, 8]",
        "n3: weight of shape [3, 5] reads 5 values; gets [2]",
    ]


def test_parameters_of_another_shape_than_the_map(tmp_path):
    path = written(tmp_path, chain([3], nir.Linear(of(4, 3)), lif(5)))
    assert problems(path, dialect="euler") == [
        "n1: r, tau, v_leak, v_reset, v_threshold: shape [5]; its neurons are a map of [4]"
    ]


def test_the_input_s_shape_is_needed_and_must_agree(tmp_path):
    def change(node):
        del node["nodes/input/shape"]

    made = chain([3], lif(3))
    (told,) = problems(changed(tmp_path, made, change), dialect="euler")
    assert told == "input: the file does not state the shape of its input; name it with --input-shape"
    (told,) = problems(written(tmp_path, made), dialect="euler", input_shape="4")
    assert told == "input_shape: contradicts the file, whose input is [3]"


@pytest.mark.parametrize(
    "dialect, node, said",
    [
        ("sinabs", nir.CubaLIF(*(ones(3) for _ in range(5))), "has no such neurons: n0 (CubaLIF)"),
        ("snntorch", nir.IF(ones(3), ones(3)), "has no such neurons: n0 (IF)"),
        ("snntorch", lif(3, r=2.0), "r * dt / tau is 0.4, and 1 in all files of this dialect"),
        ("sinabs", lif(3, r=2.0), "r is 2, and 1 in all files of this dialect"),
        ("norse", lif(3, tau=1e-7), "dt / tau is 10 at the dt of this dialect, 1e-06; it is at most 1"),
        ("spikingjelly", lif(3, v_reset=0.2), "v_reset is not 0"),
        ("rockpool", lif(3, r=-1.0), "r and tau are not above 0, and say no step"),
        ("euler", lif(3, tau=0.0), "tau is not above 0"),
        ("euler", lif(3, threshold=0.0), "v_threshold is not above 0"),
    ],
)
def test_a_dialect_that_cannot_have_written_the_file_is_refused(tmp_path, dialect, node, said):
    (told,) = problems(written(tmp_path, chain([3], node)), dialect=dialect)
    assert said in told


def test_unknown_dialects_have_a_nearest_one_beside_the_file_s_own_problems(tmp_path):
    path = written(tmp_path, chain([3], nir.Linear(of(2, 4)), lif(2)))
    with pytest.raises(ConfigError) as caught:
        import_file(path, dialect="snntorch-substract", encoding="rates", timesteps=0)
    keys = {problem.key: problem.nearest for problem in caught.value.problems}
    assert keys == {"dialect": "snntorch-subtract", "encoding": "rate", "timesteps": None, "n0": None}


@pytest.mark.parametrize("scale", [0, -1.0, float("inf"), float("nan"), True])
def test_scales_of_the_input_that_are_none(tmp_path, scale):
    path = written(tmp_path, chain([3], nir.Linear(of(2, 3))))
    assert problems(path, encoding="direct", input_scale=scale) == ["input_scale: must be a number above 0"]


def test_a_scale_is_that_of_direct_coded_integers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path, chain([3], nir.Linear(of(2, 3))))
    for encoding in (None, "rate"):
        (told,) = problems(path, encoding=encoding, input_scale=255)
        assert told.startswith("input_scale: only direct-coded integers are divided by it")
    assert invoke(path, "--input-scale", 255, "-o", "net").exit_code == 2 and not Path("net.yaml").exists()
    assert invoke(path, "--input-scale", 255, "--encoding", "direct", "-o", "net").exit_code == 0
    assert "scale: 255}" in Path("net.yaml").read_text()


def test_where_no_dialect_fits_that_is_said(tmp_path):
    told = problems(written(tmp_path, chain([3], lif(3, tau=1e-9), nir.CubaLI(*(ones(3) for _ in range(4))))))
    assert told[0].startswith("dialect: no dialect can have written this file") and len(told) == 1


@pytest.mark.parametrize("value", [0.0, 0.5])
def test_a_bias_of_another_length_than_the_outputs(tmp_path, value):
    made = chain([1, 4, 4], conv(of(2, 1, 3, 3), (4, 4)), nir.Flatten({"input": np.array([2, 2, 2])}, 0, -1))
    made = changed(tmp_path, made, lambda node: put(node, "nodes/n0/bias", np.full(7, value)))
    (told,) = problems(made)
    assert told == "n0: bias has shape [7]; there are 2 outputs"
    path = changed(tmp_path, net(), lambda node: put(node, "nodes/n0/bias", np.full(7, value)))
    assert problems(path, dialect="euler") == ["n0: bias has shape [7]; there are 4 outputs"]


@pytest.mark.parametrize("value", [0.0, 0.5])
def test_a_bias_of_a_feedback_of_another_length(tmp_path, value):
    nodes = {"input": nir.Input(np.array([3])), "lif": lif(3), "output": nir.Output(np.array([3]))}
    nodes |= {"back": nir.Affine(of(3, 3), of(3))}
    made = graph(nodes, [("input", "lif"), ("lif", "back"), ("back", "lif"), ("lif", "output")])
    path = changed(tmp_path, made, lambda node: put(node, "nodes/back/bias", np.full(2, value)))
    assert problems(path, dialect="euler") == ["back: bias has shape [2]; it meets weights of [3, 3]"]


def test_cycles_that_are_no_recurrence_are_named(tmp_path):
    nodes = {
        "input": nir.Input(np.array([3])), "a": lif(3), "w": nir.Linear(of(3, 3)), "b": lif(3),
        "v": nir.Linear(of(3, 3)), "output": nir.Output(np.array([3])),
    }  # fmt: skip
    edges = [("input", "a"), ("a", "w"), ("w", "b"), ("b", "v"), ("v", "a"), ("b", "output")]
    (told,) = problems(written(tmp_path, graph(nodes, edges)), dialect="euler")
    assert told.startswith("a, b, v, w: these nodes feed each other")


def test_edges_to_nothing_and_nodes_that_nothing_feeds(tmp_path):
    made = net()
    made.nodes["alone"] = nir.Linear(of(2, 2))
    made.edges.append(("n0x", "n1"))
    told = problems(written(tmp_path, made), dialect="euler")
    assert told == [
        "n0x: an edge names this node, and there is none; did you mean 'n0'?",
        "alone: nothing feeds this node",
    ]


def test_several_inputs_and_outputs(tmp_path):
    made = net()
    made.nodes |= {"second": nir.Input(np.array([3])), "out2": nir.Output(np.array([4]))}
    assert problems(written(tmp_path, made), dialect="euler") == [
        "None: the graph has 2 Input nodes; a workload has one: input, second",
        "None: the graph has 2 Output nodes; a workload has one: out2, output",
    ]


def test_delays_that_are_no_whole_steps(tmp_path):
    made = chain([3], nir.Delay(ones(3, value=2.5e-4)), nir.Delay(np.array([1e-4, 2e-4, 3e-4])))
    told = problems(written(tmp_path, made), dialect="euler")
    assert told == [
        "n0: delays by 0.00025, which is 2.5 steps of 0.0001; allowed: a whole number from 1",
        "n1: its delays differ from each other; a delay layer has one",
    ]


def test_links_never_lead_out_of_the_file(tmp_path):
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["weight"] = ones(4, 3)

    def change(node):
        del node["nodes/n0/weight"], node["nodes/n1"]
        node["nodes/n0/weight"] = h5py.ExternalLink("secret.h5", "weight")
        node["nodes/n1"] = h5py.SoftLink("/node/nodes/n0")

    told = problems(changed(tmp_path, net(), change), dialect="euler")
    assert told == ["n0.weight: holds no values in this file", "n1: is no group of this file"]


def test_a_graph_within_itself_ends(tmp_path):
    def change(node):
        put(node, "nodes/n1", node)

    (told,) = problems(changed(tmp_path, net(), change), dialect="euler")
    assert "is too much: at most 10,000 nodes, and 16 graphs in each other" in told


@pytest.mark.slow
def test_too_many_nodes(tmp_path):
    def many(node):
        put(node, "nodes/n0", node)
        put(node, "nodes/n1", node)  # 2 ** 16 graphs, were all of them read

    (told,) = problems(changed(tmp_path, net(), many), dialect="euler")
    assert "at most 10,000 nodes" in told


def test_too_many_bytes(tmp_path):
    def large(node):
        del node["nodes/n0/weight"]
        node.create_dataset("nodes/n0/weight", shape=(1 << 20, 1 << 20), dtype="f4", chunks=(16, 16))

    assert any("at most so many are read" in one for one in problems(changed(tmp_path, net(), large), dialect="euler"))


def test_what_a_network_cannot_be_is_refused_before_anything_is_written(tmp_path):
    path = written(tmp_path, chain([3], nir.Linear(of(2, 3))))
    with pytest.raises(ConfigError, match="the network is no workload"):
        import_network(path, tmp_path / "out" / "net", name="not/a/name")
    assert [one for one in (tmp_path / "out").rglob("*")] == []


@settings(max_examples=60)
@given(data=st.data())
def test_damaged_files_end_in_an_error_or_a_network(tmp_path_factory, data):
    whole = gzip.decompress((GOLDEN / "snntorch_rleaky_subtract.nir.gz").read_bytes())
    content = bytearray(whole[: data.draw(st.integers(0, len(whole)))] if data.draw(st.booleans()) else whole)
    for _ in range(data.draw(st.integers(1, 8)) if content else 0):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "x.nir"
    path.write_bytes(bytes(content))
    try:
        found = import_file(path, dialect="snntorch-subtract")
    except ArchsimError as error:
        assert error.problems
    else:
        assert found.text_yaml


@pytest.mark.parametrize(
    "at, byte", [(8321, 62), (1824, 89)]
)  # libhdf5 2.0 crashes on one, and never ends on the other
def test_files_that_end_libhdf5_do_not_end_archsim(tmp_path, monkeypatch, at, byte):
    content = bytearray(gzip.decompress((GOLDEN / "snntorch_ties_zero.nir.gz").read_bytes()))
    content[at] = byte
    (tmp_path / "x.nir").write_bytes(bytes(content))
    monkeypatch.setattr(nir_process, "LEAST_S", 1.0)
    with suppress(ConfigError):  # other versions may read them
        import_file(tmp_path / "x.nir", dialect="snntorch")
    assert import_file(written(tmp_path, net()), dialect="euler").arrays


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_what_is_never_read_to_its_end_is_given_up(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe.nir")  # opening it waits for someone who writes
    monkeypatch.setattr(nir_process, "LEAST_S", 0.5)
    with pytest.raises(nir_process.UnreadableError, match="does not end within 0 s"):
        nir_process.answer_of(tmp_path / "pipe.nir")
    assert problems(tmp_path / "pipe.nir") == ["None: is no regular file"]


def invoke(*arguments):
    return CliRunner().invoke(app, ["import", *map(str, arguments)])


def test_the_verb_writes_both_files_or_neither(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path, net())
    wrong = invoke(path, "--dialect", "snntorch", "-o", "sub/net")
    assert wrong.exit_code == 2 and "error:" in wrong.output and not (tmp_path / "sub").exists()
    done = invoke(path, "--dialect", "euler", "--timesteps", 4, "--encoding", "rate", "-o", "sub/net")
    assert done.exit_code == 0, done.output
    assert {one.name for one in (tmp_path / "sub").iterdir()} == {"net.yaml", "net-weights.npz"}
    assert CliRunner().invoke(app, ["check", "sub/net.yaml"]).exit_code == 0
    before = (tmp_path / "sub" / "net.yaml").read_bytes()
    again = invoke(path, "--dialect", "euler", "-o", "sub/net.yaml")
    assert again.exit_code == 2 and again.output.count("is there already; --force") == 2
    assert (tmp_path / "sub" / "net.yaml").read_bytes() == before
    assert invoke(path, "--dialect", "euler", "-o", "sub/net", "--force").exit_code == 0
    assert (tmp_path / "sub" / "net.yaml").read_bytes() != before


def test_places_that_cannot_be_written_to_are_told_with_the_file_s_problems(tmp_path):
    path = written(tmp_path, chain([3], nir.Linear(of(2, 4))))
    (tmp_path / "taken.yaml").mkdir()
    told = invoke(path, "-o", tmp_path / "taken")
    assert told.exit_code == 2 and "a folder is in the way" in told.output and "reads 4 values; gets [3]" in told.output
    told = invoke(path, "-o", path / "net")
    assert told.exit_code == 2 and "a file is in the way" in told.output


def test_every_type_survives_the_verb(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert invoke(written(tmp_path, every_type()), "--dialect", "euler", "-o", "all").exit_code == 0
    assert CliRunner().invoke(app, ["check", "all.yaml"]).exit_code == 0

"""Topologies of SCALE-Sim: what is imported gives SCALE-Sim's own figures; every wrong line is named."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import yaml

import archsim
from archsim.errors import ArchsimError
from archsim.peers import scalesim
from archsim.peers.layers import layers_of
from archsim.workload import load_workload
from archsim.workload.io import import_file

GOLDEN = Path(__file__).parents[2] / "golden"
CONVOLUTIONS = (
    "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
    "conv1,34,34,3,3,3,64,1,\n"
    "conv2_1a,34,34,3,3,64,64,1,\n"
    "conv3_1a,34,34,3,3,64,128,2,\n"
    "conv3_s,32,32,1,1,64,128,2,\n"
    "fc,1,1,1,1,512,10,1,\n"
)
SMALL = CONVOLUTIONS.splitlines(keepends=True)[0] + (
    "conv1,18,18,3,3,3,64,1,\nconv2_1a,18,18,3,3,64,64,1,\nconv3_s,16,16,1,1,64,128,2,\nfc,1,1,1,1,512,10,1,\n"
)
PRODUCTS = (
    "Layer Name, M, N, K,\nTest1, 128, 64, 256,\nFC_gemv, 1, 256, 2048,\nViT_qk, 64, 64, 96,\nSkinny, 196, 40, 128,\n"
)
TOPOLOGIES = {"resnet18_cifar_head": CONVOLUTIONS, "resnet18_cifar_small": SMALL, "gemm_small": PRODUCTS}
COLUMNS = {
    "total_cycles": "total_cycles",
    "mapping_eff": "mapping_efficiency",
    "SRAM_IFMAP_Reads": "sram_ifmap_reads",
    "SRAM_Filter_Reads": "sram_filter_reads",
    "SRAM_OFMAP_Writes": "sram_ofmap_writes",
    "DRAM_IFMAP_Reads": "dram_ifmap_reads",
    "DRAM_Filter_Reads": "dram_filter_reads",
    "DRAM_OFMAP_Writes": "dram_ofmap_writes",
}


@pytest.fixture
def imported(tmp_path):
    """The workload of a topology file's text, and the importer's notes."""

    def of(text, **options):
        source = tmp_path / "topology.csv"
        source.write_text(text)
        found = import_file(source, **options)
        assert found.arrays is None
        target = tmp_path / f"{found.name}.yaml"
        target.write_text(found.text_yaml)
        return load_workload(target), found.notes, target

    return of


@pytest.fixture
def wrong(tmp_path):
    """(line, message with its hints) of every problem of a topology file's text."""

    def of(text, **options):
        source = tmp_path / "topology.csv"
        source.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(ArchsimError) as caught:
            import_file(source, **options)
        assert all(problem.file == str(source) for problem in caught.value.problems)
        return [(problem.line, str(problem)) for problem in caught.value.problems]

    return of


def reported():
    lines = (GOLDEN / "scalesim_calc.csv").read_text().splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def test_the_files_are_those_that_scalesim_was_run_on():
    known = json.loads((GOLDEN / "scalesim_topologies.json").read_text())["layers"]
    for name, text in (("resnet18_cifar_head", CONVOLUTIONS), ("resnet18_cifar_small", SMALL)):
        rows = [line.rstrip(",").split(",") for line in text.splitlines()[1:]]
        assert {row[0]: [int(field) for field in row[1:]] for row in rows} == known[name]


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_what_is_imported_gives_every_figure_that_scalesim_reported(topology, imported):
    workload, _, _ = imported(TOPOLOGIES[topology])
    layers = {layer.name: layer for layer in layers_of(workload.network)}
    rows = [row for row in reported() if row["topology"] == topology]
    assert len(rows) > 20
    for row in rows:
        array_rows, array_cols = map(int, row["array"].split("x"))
        config = scalesim.ScaleSimConfig(array_rows, array_cols, row["dataflow"])
        found = scalesim.answer([layers[row["layer"]]], config).layers[0]
        assert {column: getattr(found, name) for column, name in COLUMNS.items()} == {
            column: pytest.approx(float(row[column]), rel=1e-12) for column in COLUMNS
        }


@pytest.mark.parametrize("flow", ["os", "ws", "is"])
def test_archsim_takes_as_many_cycles(flow, imported):
    """On the preset that is SCALE-Sim's machine; where SCALE-Sim rounds a map up, the convolution is smaller."""
    for topology in ("gemm_small", "resnet18_cifar_small"):
        _, _, file = imported(TOPOLOGIES[topology], name=topology)
        result = archsim.simulate(f"scalesim-{flow}", file, against="scalesim")
        expected = {
            row["layer"]: int(float(row["total_cycles"])) + 1
            for row in reported()
            if (row["topology"], row["array"], row["dataflow"], row["version"]) == (topology, "32x32", flow, "v2")
        }
        answered = {layer["name"]: layer["cycles"] for layer in result.against["scalesim"]["layers"]}
        ours = {layer.name: layer.cycles for layer in result.layers}
        assert answered == expected
        assert [name for name in ours if ours[name] != expected[name]] == ["conv3_s"] * (topology != "gemm_small")


def test_rounded_maps_are_named_with_their_line(imported):
    workload, notes, _ = imported(CONVOLUTIONS)
    assert workload.network.layer("conv3_1a").out_shape == (128, 16, 16)
    rounded = [note for note in notes if "rounds up" in note]
    assert [note.split(":")[0] for note in rounded] == ["line 4", "line 5"]
    assert all("16 x 16" in note and "17 x 17" in note for note in rounded)


def test_layers_that_follow_from_each_other_are_chained(imported):
    header = CONVOLUTIONS.splitlines()[0]
    workload, notes, _ = imported(f"{header}\na,10,12,3,3,2,4,1,\nb,8,10,2,2,4,6,2,\nfc,1,1,1,1,120,10,1,\n")
    network = workload.network
    assert network.chained and network.encoding == "events" and network.input_shape == (2, 10, 12)
    assert [layer.in_shape for layer in network.layers] == [(2, 10, 12), (4, 8, 10), (120, 1, 1)]
    assert any("so they are chained" in note for note in notes)
    apart, notes, _ = imported(f"{header}\na,10,12,3,3,2,4,1,\nb,8,10,2,2,5,6,2,\n")
    assert not apart.network.chained and any("independent layers" in note for note in notes)


def test_options_that_mean_something(imported):
    workload, _, _ = imported(CONVOLUTIONS, timesteps=4, encoding="direct", name="mine")
    network = workload.network
    assert (network.name, network.timesteps) == ("mine", 4)
    assert network.layer("conv1").in_max == 255 and network.layer("conv2_1a").in_max == 1


def test_depthwise_layers_become_groups(imported):
    workload, _, _ = imported(CONVOLUTIONS.splitlines()[0] + "\nConvDP1,9,9,3,3,8,2,1,\n")
    (layer,) = workload.network.layers
    assert (layer.groups, layer.in_shape, layer.out_shape) == (8, (8, 9, 9), (16, 7, 7))
    parts = layers_of(workload.network)
    assert [(part.channels, part.filters) for part in parts] == [(1, 2)] * 8


def test_commas_and_spaces_and_empty_lines(imported):
    text = CONVOLUTIONS.replace(",\n", "\n\n").replace(",", " , ")
    assert imported(text)[0].network.layers == imported(CONVOLUTIONS)[0].network.layers
    assert (
        imported("\ufeff" + CONVOLUTIONS.replace("\n", "\r\n"))[0].network.layers
        == imported(CONVOLUTIONS)[0].network.layers
    )


def test_dense_ratios_and_single_batches_are_fine(imported):
    header = "Layer Name, M, N, K, Sparsity, Batch,"
    workload, _, _ = imported(f"{header}\na, 3, 5, 16, 4:4, 1,\nb, 3, 5, 16, , ,\n")
    assert [layer.macs for layer in workload.network.layers] == [240, 240]


@pytest.mark.parametrize(
    "name",
    [
        "1e5",
        "yes",
        "null",
        "0x1F",
        "12",
        "1_000",
        "on",
        "1.5",
        "y",
        "é conv",
        "a: b",
        "#x",
        "-",
        "a'b\"c",
        "{d}",
        "x" * 300,
    ],
)
def test_any_name_is_kept_or_renamed_with_a_note(name, imported):
    header = "Layer Name, M, N, K,"
    workload, notes, _ = imported(f"{header}\n{name}, 3, 5, 16,\n{name}, 3, 5, 17,\n")
    first, second = (layer.name for layer in workload.network.layers)
    assert second == f"{first}-2"
    renamed = [note for note in notes if "is called" in note]
    assert len(renamed) == 1 + (first != name) and any("line 3" in note for note in renamed)


def test_names_that_mean_something_in_a_workload_are_changed(imported):
    workload, notes, _ = imported("Layer, M, N, K,\ninput, 3, 5, 16,\ndefault, 3, 5, 17,\n")
    assert [layer.name for layer in workload.network.layers] == ["input-2", "default-2"]
    assert len([note for note in notes if "is called" in note]) == 2


def test_every_wrong_line_is_named(wrong):
    text = (
        "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides, Sparsity,\n"
        "good,34,34,3,3,3,64,1,1:1,\n"
        "short,34,34,3,3,\n"
        "\n"
        "words,34,x,3,3,3,64,0,\n"
        "sparse,34,34,3,3,3,64,1,2:4,\n"
        "kernel,3,34,5,3,3,64,1,\n"
        "more,34,34,3,3,3,64,1,1:1,what,\n"
        ",34,34,3,3,3,64,1,\n"
        "float,34.0,34,3,3,3,-64,1,\n"
    )
    found = wrong(text)
    assert [line for line, _ in found] == [3, 5, 5, 6, 7, 8, 9, 10, 10]
    for (_, message), part in zip(
        found,
        [
            "5 columns in place of 8",
            "IFMAP Width",
            "Strides",
            "2:4",
            "filter of 5 x 3",
            "what",
            "without a name",
            "34.0",
            "-64",
        ],
        strict=True,
    ):
        assert part in message


def test_products_that_are_not_supported(wrong):
    found = wrong("Layer, M, N, K, Sparsity, Batch,\na, 3, 5, 16, 1:4,\nb, 3, 5, 16, 1:1, 12,\n")
    assert [line for line, _ in found] == [2, 3]
    assert "Sparsity" in found[0][1] and "Batch" in found[1][1]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "no layer"),
        (CONVOLUTIONS.splitlines()[0], "no layer"),
        (CONVOLUTIONS.split("\n", 1)[1], "holds headings"),
        ("Layer, M, K, N,\na, 1, 2, 3,\n", "got 'M, K, N'; allowed: M, N, K"),
        (b"\xff\xfe\x00", "not UTF-8"),
        ("Layer, M, N, K,\na, 16777216, 16777216, 16777216,\n", "at most"),
    ],
)
def test_other_files(text, part, wrong):
    assert any(part in message for _, message in wrong(text))


def test_what_archsim_cannot_hold_stands_on_its_line(wrong):
    found = wrong("Layer, M, N, K,\na, 1, 2, 3,\n\nb, 16777216, 2, 16777216,\n")
    assert {line for line, _ in found} == {4}


def test_more_layers_than_a_workload_file_holds(wrong):
    found = wrong("Layer, M, N, K,\n" + "".join(f"layer{index}, 1, 2, 3,\n" for index in range(10_100)))
    assert len(found) == 1


def test_options_that_mean_nothing_are_refused_with_the_rest(wrong):
    options = {"dialect": "norse", "dt": 1e-3, "input_shape": (3, 4, 4), "encoding": "direct", "input_scale": 255}
    found = wrong("Layer, M, N, K,\na, 1, 2,\n", **options)
    assert len(found) == 5 and all(key in str(found) for key in options if key != "encoding")


def test_nothing_but_plain_yaml_is_written(imported):
    _, _, file = imported(CONVOLUTIONS)
    data = yaml.safe_load(file.read_text())
    assert data["activity"] == {"density": 1.0} and data["timesteps"] == 1
    assert "topology.csv" in data["source"] and "/" not in data["source"]

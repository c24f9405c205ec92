"""Workload files of SATA_Sim: what is imported gives SATA_Sim's own figures; every wrong line is named."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import yaml

import archsim
from archsim.errors import ArchsimError
from archsim.peers import sata_sim
from archsim.peers.layers import layers_of
from archsim.workload import SyntheticActivity, load_workload
from archsim.workload.io import import_file

GOLDEN = Path(__file__).parents[2] / "golden"
NETWORKS = json.loads((GOLDEN / "sata_sim_networks.json").read_text())
ATTRIBUTES = NETWORKS["columns"][1:]
SMALL = """\
General:
  timestep: 4
  sparsity: 0.85

Layers:
  - name: Conv1
    attributes:
      IFMAP Height: 8
      IFMAP Width: 8
      Filter Height: 3
      Filter Width: 3
      Channels: 3
      Num Filter: 16
      Strides: 1
  - name: FC1
    attributes: {IFMAP Height: 1, IFMAP Width: 1, Filter Height: 1, Filter Width: 1, Channels: 64, Num Filter: 10,
                 Strides: 1}
"""


def text_of(name):
    """One of SATA_Sim's files, from its figures."""
    network = NETWORKS["networks"][name]
    layers = [
        {"name": label, "attributes": dict(zip(ATTRIBUTES, sizes, strict=True))} for label, *sizes in network["layers"]
    ]
    return yaml.safe_dump(
        {"General": {"timestep": network["timesteps"], "sparsity": network["sparsity"]}, "Layers": layers},
        sort_keys=False,
    )


def summary(workload, arch="sata-config"):
    lines = (GOLDEN / "sata_sim_summary.csv").read_text().splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    return next(row for row in rows if (row["workload"], row["arch"]) == (workload, arch))


@pytest.fixture
def imported(tmp_path):
    def of(text, **options):
        source = tmp_path / "theirs.yaml"
        source.write_text(text)
        found = import_file(source, output=tmp_path / "mine", **options)
        target = tmp_path / "mine.yaml"
        target.write_text(found.text_yaml)
        return load_workload(target), found.notes, target

    return of


@pytest.fixture
def wrong(tmp_path):
    def of(text, **options):
        source = tmp_path / "theirs.yaml"
        source.write_text(text)
        with pytest.raises(ArchsimError) as caught:
            import_file(source, **options)
        assert all(problem.file == str(source) for problem in caught.value.problems)
        return [(problem.line, str(problem)) for problem in caught.value.problems]

    return of


TOTALS = {  # SATA_Sim at d447058, its current script on sata-config: cycles, MACs, neuron updates
    "direct": (87425155, 993918975, 5995520),
    "bntt": (18726463, 167392051, 3717120),
    "lth": (95410747, 227056025, 7210240),
    "sbp": (44617153, 464977919, 9292800),
    "tdbn": (79977597, 1362336153, 5768192),
    "tssl": (49381270, 496959487, 2997760),
}


def answer_of(workload):
    """SATA_Sim's answer for an imported workload."""
    network, activity = workload.network, workload.activity
    assert isinstance(activity, SyntheticActivity)
    sparsity = sata_sim.sparsity_of(activity.densities.stated.overall)
    return sata_sim.answer(layers_of(network), network.timesteps, sparsity).summary()


@pytest.mark.parametrize("name", TOTALS)
def test_what_is_imported_gives_sata_sims_totals(name, imported):
    found = answer_of(imported(text_of(name))[0])
    assert (found["total_cycles"], found["total_mac_ops"], found["total_lif_ops"]) == TOTALS[name]


@pytest.mark.parametrize("name", ["direct", "lth", "ttsnn_baseline"])
def test_what_is_imported_gives_sata_sims_energies(name, imported):
    found, expected = answer_of(imported(text_of(name))[0]), summary(name)
    for key in ("timestep", "sparsity", "layers", "total_cycles", "total_mac_ops", "comp_total_nJ", "dram_total_nJ",
                "sram_total_nJ", "total_nJ"):  # fmt: skip
        assert found[key] == pytest.approx(float(expected[key]), rel=1e-9), key


def test_a_run_beside_sata_sim_gives_its_reference(imported):
    _, _, file = imported(text_of("bntt"))
    answer = archsim.simulate("sata", file, against="sata-sim").against["sata-sim"]
    assert (answer["total_cycles"], answer["total_mac_ops"], answer["total_lif_ops"]) == TOTALS["bntt"]
    assert answer["total_nJ"] == pytest.approx(5.265e6, rel=1e-3)


def test_a_preset_of_the_same_file_has_the_same_layers(imported):
    ours = imported(text_of("tdbn"))[0].network.layers
    preset = load_workload("icassp-tdbn").network.layers
    same = [(layer.kind, layer.in_shape, layer.out_shape, layer.kernel, layer.stride, layer.padding) for layer in ours]
    assert same == [
        (layer.kind, layer.in_shape, layer.out_shape, layer.kernel, layer.stride, layer.padding) for layer in preset
    ]


def test_conventions_are_noted(imported):
    workload, notes, _ = imported(SMALL.replace("Height: 3", "Height: 1").replace("Width: 3", "Width: 1"))
    assert workload.network.layer("Conv1").padding == (0, 0)
    said = " ".join(notes)
    assert "no padding here" in said and "Conv1" in said and "independent layers" in said
    assert "--encoding direct" in said and "assumed" in said
    assert "padding 1, with which" in " ".join(imported(SMALL)[1])


def test_the_first_layer_is_an_image_if_asked(imported):
    plain = imported(SMALL)[0].network
    assert plain.encoding is None and plain.layer("Conv1").in_max == 1
    direct = imported(SMALL, encoding="direct")[0].network
    assert direct.layer("Conv1").in_max == 255 and direct.layer("FC1").in_max == 1


def test_layers_that_follow_from_each_other_are_chained(imported):
    workload, notes, _ = imported(SMALL.replace("Channels: 64", "Channels: 1024"))
    assert workload.network.chained and workload.network.layer("FC1").in_shape == (1024, 1, 1)
    assert any("so they are chained" in note for note in notes)


def test_layers_that_sata_sim_skips_are_named(imported):
    workload, notes, _ = imported(SMALL + "  - name: Pool1\n    attributes: {size: 2}\n")
    assert [layer.name for layer in workload.network.layers] == ["Conv1", "FC1"]
    assert any(note.startswith("line 18: 'Pool1' is left out") for note in notes)


def test_every_wrong_line_is_named(wrong):
    text = """\
General:
  timesteps: 4
  sparsity: 1.5
Layers:
  - name: Conv1
    attributes: {IFMAP Height: 8, IFMAP Width: eight, Filter Height: 3, Filter Width: 3, Channels: 0, Strides: 1}
  - attributes: {}
  - name: FC1
    attributes: {IFMAP Height: 2, IFMAP Width: 1, Filter Height: 1, Filter Width: 1, Channels: 64, Num Filter: 10,
                 Strides: 1}
  - name: Conv2
    atributes: {}
  - name: Conv3
    attributes: {IFMAP Height: 2, IFMAP Width: 9, Filter Height: 5, Filter Width: 3, Channels: 4, Num Filter: 1,
                 Strides: 1}
Extra: 1
"""
    found = wrong(text)
    expected = [
        (1, "General.timestep"),
        (2, "did you mean 'timestep'?"),
        (3, "got 1.5"),
        (6, "Num Filter is missing"),
        (6, "got 'eight'"),
        (6, "Channels"),
        (7, "name and attributes"),
        (9, "1 x 1; its inputs are its Channels"),
        (11, "attributes are missing"),
        (12, "did you mean 'attributes'?"),
        (14, "filter of 5 x 3"),
        (16, "no such key"),
    ]
    assert sorted(line for line, _ in found) == [line for line, _ in expected]
    for line, part in expected:
        assert any(at == line and part in message for at, message in found), (line, part, found)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "is empty"),
        ("name: net\nlayers: []\n", "no workload file of SATA_Sim"),
        ("- 1\n", "no workload file of SATA_Sim"),
        ("General: {timestep: 1, sparsity: 0}\n", "lists the layers"),
        ("General: {timestep: 1, sparsity: 0}\nLayers: [{name: Pool}]\n", "Conv or FC in its name"),
        ("General: {timestep: true, sparsity: no}\nLayers: []\n", "no number of timesteps"),
        ("General: [", "YAML"),
    ],
)
def test_other_files(text, part, wrong):
    assert any(part in message for _, message in wrong(text))


def test_options_that_contradict_or_mean_nothing(wrong):
    found = wrong(SMALL, timesteps=5, dialect="sinabs", dt=1.0, input_shape="3,8,8", encoding="direct", input_scale=255)
    assert len(found) == 5 and any(line == 2 and "--timesteps 5" in message for line, message in found)

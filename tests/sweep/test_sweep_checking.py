"""``archsim check`` and ``archsim schema`` know sweeps, and still everything else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic.json_schema import models_json_schema
from typer.testing import CliRunner

import archsim
from archsim.cli import app
from archsim.errors import ArchsimError
from archsim.sweeps.spec import SweepFile


def call(*words: str):
    return CliRunner().invoke(app, [*words])


def test_a_sweep_is_recognised_by_what_it_says(write):
    write("space: {array.rows: [2, 4], workload.timesteps: [1, 2]}")
    write("points: [{array.rows: 2}, {array.cols: 2}]", "listed.yaml")
    write("seeds: [3]", "plain.yaml")
    done = call("check", "spec.yaml", "listed.yaml", "plain.yaml", "tiny.yaml", "sata")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines()[:3] == [
        "spec.yaml: sweep of sata × tiny.yaml over array.rows, workload.timesteps: ok",
        "listed.yaml: sweep of sata × tiny.yaml over array.rows, array.cols: ok",
        "plain.yaml: sweep of sata × tiny.yaml over no key: ok",
    ]
    assert "tiny.yaml: workload" in done.stdout and "sata: chip" in done.stdout
    assert sorted(path.name for path in Path().iterdir()) == ["listed.yaml", "plain.yaml", "spec.yaml", "tiny.yaml"]


def test_all_that_is_wrong_with_a_sweep_is_said_at_once_as_by_the_sweep_itself(write):
    wrong = "space:\n  array.rowz: [4]\n  workload.timestep: [2]\nconstraints: [area < 3]\nsamples: 9..x\n"
    spec = str(write(wrong))
    done = call("check", spec)
    assert (done.exit_code, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    for number, said in ((4, "'array.rows'"), (5, "'workload.timesteps'"), (6, "'area_um2'"), (7, "not a sample")):
        assert any(f"spec.yaml:{number}: " in line and said in line for line in lines), (number, said, lines)
    assert call("sweep", spec).stderr == done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("archs: [satta]\nworkloads: [cnn-mnits]\n", "did you mean 'cnn-mnist'"),
        ("arches: [sata]\nworkload: [cnn-mnist]\n", "did you mean 'archs'"),
        ("archs: [sata]\n", "workloads: is missing"),
        ("archs: sata\nworkloads: cnn-mnist\n", "archs"),
        ("space: {array.rows: []}\narchs: [sata]\nworkloads: [cnn-mnist]\n", "array.rows"),
    ],
)
def test_a_sweep_with_errors_is_still_taken_for_one(write, text, said):
    Path("wrong.yaml").write_text(text)
    done = call("check", "wrong.yaml")
    assert done.exit_code == 2 and said in done.stderr and "wrong.yaml:" in done.stderr


def test_the_other_kinds_are_still_recognised(write):
    copies = {"sata": "arch", "spikeflow": "arch", "cnn-mnist": "workload"}
    copies |= {entry.name: "device" for entry in archsim.entries("devices")}
    for name, kind in copies.items():
        text = archsim.preset_text(name).replace("trace: cnn-mnist.npz", "density: 0.2")
        Path("copy.yaml").write_text(text.replace("weights: cnn-mnist-weights.npz\n", ""))
        assert archsim.check("copy.yaml")[0].kind == kind
    Path("over.yaml").write_text("name: mine\nconstants:\n  dram.read_bit: {value: 1, source: a test}\n")
    assert archsim.check("over.yaml")[0].kind == "overlay"
    Path("none.yaml").write_text("colour: red\n")
    with pytest.raises(ArchsimError, match=r"a device or a sweep.*sweep: accuracy, archs, constraints"):
        archsim.check("none.yaml")


def test_the_schema_of_sweeps_is_that_of_the_model(write):
    schema = json.loads(call("schema", "sweep").stdout)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert set(schema["properties"]) == set(SweepFile.model_fields) and schema["required"] == ["archs", "workloads"]
    assert schema["additionalProperties"] is False
    assert "from" in schema["$defs"]["Range"]["properties"]
    assert models_json_schema([(SweepFile, "validation")])[1]["$defs"]["Range"] == schema["$defs"]["Range"]
    nearest = call("schema", "sweeps")
    assert nearest.exit_code == 2 and "did you mean 'sweep'" in nearest.stderr

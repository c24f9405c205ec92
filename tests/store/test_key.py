"""The key of a question changes with everything that changes the answer, and with nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from archsim.accelerators import load_architecture
from archsim.accelerators.systolic.dataflows import Dataflow, _registered, dataflow_names, register
from archsim.request import prepare
from archsim.store import key_of
from archsim.store.key import PACKAGE, package_source
from archsim.workload import load_workload

PLUGIN = """
from archsim.accelerators.systolic.dataflows import Dataflow, register
register(Dataflow("mine", "positions", "filters", "reduction", "NOTE"))
"""
OVERLAY = "prices:\n  pe_adder.op: {value: VALUE, unit: pJ, node_nm: 28, source: mine}\n"


def key(arch="sata", workload="cnn-mnist", **options):
    return key_of(prepare(arch, workload, **options))


@pytest.fixture(autouse=True)
def no_dataflow_stays():
    dataflow_names()
    before = dict(_registered)
    yield
    _registered.clear()
    _registered.update(before)


def test_the_same_question_has_the_same_key():
    assert key() == key()
    assert len(key()) == 64


@pytest.mark.parametrize("engine", ["des", "fast"])
def test_the_engine_is_no_part_of_the_key(engine):
    assert key(engine=engine) == key()


def test_everything_that_changes_the_answer_changes_the_key():
    keys = [
        key(), key("sata", "vgg9-cifar10"), key(samples=1), key(samples="0..2"),
        key(samples="2,1,0"), key(samples="0,1,2,3"), key(overrides="array.rows=32"), key(overrides="array.rows=64"),
        key("sata", "vgg9-cifar10", overrides="workload.timesteps=3"), key(vary_costs=True), key(against="sata-sim"),
        key(against="sata-sim:act_bits=4"), key(against="scalesim"), key(against=["sata-sim", "scalesim"]),
    ]  # fmt: skip
    assert len(set(keys)) == len(keys)


def test_one_sample_of_several_has_the_key_of_that_sample_alone():
    several = prepare("sata", "cnn-mnist", samples="0..3")
    assert key_of(several, sample=2) == key(samples=2)
    assert key_of(several) != key_of(several, sample=0)


def test_copies_that_were_changed_in_python_are_other_questions():
    chip, workload = load_architecture("sata"), load_workload("cnn-mnist")
    assert key(chip, workload) == key()
    slower = replace(chip, chip=chip.chip.model_copy(update={"clock": 1.0}))
    assert slower.content == chip.content and key(slower, workload) != key()
    network = replace(workload.network, layers=workload.network.layers[:1])
    assert key(chip, replace(workload, network=network)) != key()
    other = replace(chip.family, lower=lambda *_: chip.family.lower(chip.chip, workload, 1))
    assert key(replace(chip, family=other), workload) != key()


def test_a_file_counts_by_its_content(tmp_path):
    from archsim.catalog import preset_text

    chip = tmp_path / "chip.yaml"
    chip.write_text(preset_text("sata"))
    first = key(chip)
    chip.write_text("# a comment\n" + preset_text("sata"))
    assert key(chip) == first
    chip.write_text(preset_text("sata").replace("clock: 400 MHz", "clock: 401 MHz"))
    assert key(chip) != first


def test_an_overlay_counts_by_its_content_and_its_place(tmp_path):
    overlay = tmp_path / "prices.yaml"
    overlay.write_text(OVERLAY.replace("VALUE", "1.5"))
    first = key(costs=overlay)
    assert first == key(costs=overlay) != key()
    overlay.rename(tmp_path / "moved.yaml")
    assert key(costs=tmp_path / "moved.yaml") != first
    overlay.write_text(OVERLAY.replace("VALUE", "1.25"))
    assert key(costs=overlay) != first


def test_recorded_spikes_count_by_their_bytes(tmp_path):
    import numpy as np

    from archsim.catalog import preset_text
    from archsim.config.presets import find

    trace = tmp_path / "cnn-mnist.npz"
    (tmp_path / "net.yaml").write_text(preset_text("cnn-mnist"))
    for name in ("cnn-mnist.npz", "cnn-mnist-weights.npz"):
        shutil.copy(find("workload", "cnn-mnist")[0].with_name(name), tmp_path)
    first = key(workload=tmp_path / "net.yaml")
    with np.load(trace) as found:
        arrays = dict(found)
    arrays["spikes/conv1"] = arrays["spikes/conv1"].copy()
    arrays["spikes/conv1"][0, 0, 0] ^= 1
    np.savez_compressed(trace, **arrays)
    assert key(workload=tmp_path / "net.yaml") != first


def test_a_plug_in_counts_by_its_source(tmp_path):
    plugin = tmp_path / "plugin.py"
    plugin.write_text(PLUGIN)
    first = key(plugins=plugin)
    assert key(plugins=plugin) == first
    plugin.write_text(PLUGIN + "# other source\n")
    assert key(plugins=plugin) != first


def test_what_a_plug_in_imports_beside_itself_counts(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "archsim_test_neighbour.py").write_text("NOTE = 'one'\n")
    (tmp_path / "plugin.py").write_text("import archsim_test_neighbour\n" + PLUGIN)
    first = key(plugins=tmp_path / "plugin.py")
    (tmp_path / "archsim_test_neighbour.py").write_text("NOTE = 'two'\n")
    assert key(plugins=tmp_path / "plugin.py") != first


def test_what_is_registered_without_a_plug_in_counts():
    first = key()
    register(Dataflow("output_stationary", "filters", "positions", "reduction", "another one of that name"))
    second = key()
    register(Dataflow("output_stationary", "filters", "positions", "reduction", "another one of that name",
                      load_cycles=lambda rows, cols: rows + cols))  # fmt: skip
    assert len({first, second, key()}) == 3


@pytest.fixture
def copied(tmp_path):
    """A folder with a copy of the package that may be changed."""
    for folder in ("arch_configs", "workloads"):
        (tmp_path / folder).symlink_to(PACKAGE.parent / folder)
    shutil.copytree(PACKAGE, tmp_path / "archsim", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def printed(folder: Path, seed: str) -> str:
    """The key of one question in a process of its own, from the package in a folder."""
    code = "from archsim.request import prepare; from archsim.store import key_of"
    command = [sys.executable, "-B", "-c", f"{code}; print(key_of(prepare('sata', 'cnn-mnist')))"]
    environment = {"PYTHONPATH": str(folder), "PYTHONHASHSEED": seed}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=folder)
    return done.stdout.strip()


def test_a_change_of_the_package_changes_the_key(copied, tmp_path_factory):
    first = printed(copied, "1")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(copied, elsewhere, dirs_exist_ok=True)
    assert printed(elsewhere, "2") == first
    file = copied / "archsim" / "engine" / "fast.py"
    file.write_text(file.read_text() + "\n")
    assert printed(copied, "1") != first


def test_the_source_of_a_package_is_its_names_and_bytes(tmp_path):
    def digest(**files: str) -> str:
        package_source.cache_clear()
        for file in tmp_path.glob("*.py"):
            file.unlink()
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text(text)
        return package_source(tmp_path)

    found = [digest(a="1", b="2"), digest(a="2", b="1"), digest(a="1", c="2"), digest(a="12"), digest(a="1", b="2")]
    assert len(set(found)) == 4 and found[0] == found[-1]
    package_source.cache_clear()

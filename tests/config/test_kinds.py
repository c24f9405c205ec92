"""Files that were swapped are told in one line, by their top-level keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import archsim
from archsim.catalog import preset_text
from archsim.config import find, load_document, names
from archsim.config.kinds import Kind, kinds_of
from archsim.config.presets import Kind as PresetKind
from archsim.cost.table import load_costs
from archsim.errors import ConfigError

SWEEP = "archs: [sata]\nworkloads: [cnn-mnist]\nspace: {array.cols: [8, 16]}\n"
NETWORK = """
name: small
timesteps: 2
input: {shape: [4], encoding: events}
layers: [{name: fc, type: linear, out_features: 2}]
activity: {density: 0.5}
"""
LOADERS: dict[str, Callable[[str], object]] = {
    "a chip": archsim.load_architecture,
    "a network": archsim.load_workload,
    "a sweep": archsim.sweep,
    "a cost table": lambda path: load_costs(overlays=[path]),
}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.chdir(tmp_path)
    Path("net.yaml").write_text(NETWORK)
    archsim.simulate("sata", "net.yaml").save("run")
    texts = {"a chip": preset_text("sata"), "a sweep": SWEEP, "a network": Path("net.yaml").read_text()}
    for noun, text in texts.items():
        Path(f"{noun[2:]}.yaml").write_text(text)
    return {noun: f"./{noun[2:]}.yaml" for noun in texts} | {"the result of a run": "run/result.json"}


@pytest.mark.parametrize("kind", ["arch", "workload", "cost", "device"])
def test_every_preset_shows_what_it_is(kind: PresetKind) -> None:
    found: list[list[Kind]] = [kinds_of(load_document(find(kind, name)[0]).data) for name in names(kind)]
    assert found == [[kind]] * len(found) and found


@pytest.mark.parametrize("wanted", LOADERS)
def test_a_swapped_file_is_one_problem(files: dict[str, str], wanted: str) -> None:
    for noun, path in files.items():
        if noun == wanted:
            continue
        with pytest.raises(ConfigError) as caught:
            LOADERS[wanted](path)
        (problem,) = caught.value.problems
        assert problem.message == f"this is {noun}; {wanted} is wanted here"
        assert problem.file is not None and Path(problem.file) == Path(path)


def test_chip_and_network_swapped_are_one_problem_each(files: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as caught:
        archsim.simulate(files["a network"], files["a chip"], overrides=["array.rows=4", "nonsense"])
    texts = [problem.message for problem in caught.value.problems]
    assert (
        texts[0] == "this is a network; a chip is wanted here" and "this is a chip; a network is wanted here" in texts
    )
    assert len(texts) == 3  # and the override that is none


def test_files_that_show_no_kind_or_two_are_judged_key_by_key(tmp_path: Path) -> None:
    for text in ("name: x\n", "family: systolic\nlayers: []\n", "- 1\n"):
        (tmp_path / "odd.yaml").write_text(text)
        with pytest.raises(ConfigError) as caught:
            archsim.load_workload(tmp_path / "odd.yaml")
        assert "is wanted here" not in str(caught.value)

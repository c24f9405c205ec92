"""The public functions from Python: what they take, what they refuse, and that everything wrong is said at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import archsim
from archsim.errors import ArchsimError

ROOT = Path(__file__).parent.parent


def refusals(*words: Any, **options: Any) -> list[str]:
    with pytest.raises(ArchsimError) as caught:
        archsim.simulate(*words, **options)
    return [str(problem) for problem in caught.value.problems]


def test_overrides_of_loaded_objects_are_refused_one_by_one() -> None:
    chip, network = archsim.load_architecture("sata"), archsim.load_workload("cnn-mnist")
    found = refusals(chip, network, overrides=["array.rows=32", "workload.timesteps=2", "array.cols=2"])
    assert len(found) == 3
    assert all("this override cannot be applied" in text for text in found)
    for text, override, noun in zip(
        found, ("array.rows=32", "array.cols=2", "workload.timesteps=2"), ("chip", "chip", "workload"), strict=True
    ):
        assert f"got '{override}'" in text
        assert f"the {noun} is loaded already" in text
    assert "load_architecture(NAME, overrides=[...])" in found[0]
    assert "load_workload(NAME, overrides=[...])" in found[2]


def test_overrides_of_the_other_one_still_apply() -> None:
    network = archsim.load_workload("cnn-mnist")
    assert archsim.simulate("sata", network, overrides=["array.rows=32"]).inputs["arch"]["array"]["rows"] == 32


def test_single_texts_numbers_and_paths_are_taken() -> None:
    plain = archsim.simulate("sata", "cnn-mnist", samples=[3], overrides=["array.rows=32"])
    chip, network = ROOT / "arch_configs/systolic/sata.yaml", ROOT / "workloads/cnn-mnist.yaml"
    found = archsim.simulate(chip, network, samples=3, overrides="array.rows=32", against="scalesim")
    assert (found.samples, found.energy_pj, list(found.against)) == ((3,), plain.energy_pj, ["scalesim"])
    assert archsim.load_architecture(chip, "array.rows=32").chip.array.rows == 32
    assert archsim.load_workload(network, "timesteps=8").hash == archsim.load_workload("cnn-mnist").hash
    assert archsim.simulate("sata", "cnn-mnist", samples="1,2").samples == (1, 2)
    assert [checked.kind for checked in archsim.check(chip, network)] == ["arch", "workload"]


@pytest.mark.parametrize(
    ("words", "options", "part"),
    [
        ((None, "cnn-mnist"), {}, "a chip is named by a preset's name or a path, not by NoneType"),
        (("sata", 7), {}, "a workload is named by a preset's name or a path, not by int (got 7)"),
        (("sata", "cnn-mnist"), {"engine": "xx"}, "engine: no such engine (got 'xx'; allowed: auto, des, fast)"),
        (("sata", "cnn-mnist"), {"engine": None}, "engine: no such engine (allowed: auto, des, fast)"),
        (("sata", "cnn-mnist"), {"samples": 2.5}, "samples: not a sample (float)"),
        (("sata", "cnn-mnist"), {"samples": [True]}, "samples: not a sample (bool)"),
        (("sata", "cnn-mnist"), {"samples": ["1"]}, "samples: not a sample (str)"),
        (("sata", "cnn-mnist"), {"samples": []}, "samples: no sample is named"),
        (("sata", "cnn-mnist"), {"samples": -1}, "samples: no such samples (got '-1'; allowed: 0..15)"),
        (("sata", "cnn-mnist"), {"overrides": 3}, "overrides: must be a text or a list of texts (got 3)"),
        (("sata", "cnn-mnist"), {"costs": [3]}, "costs: must be a text or a list of texts (got [3])"),
    ],
)
def test_what_is_no_request_is_refused(words: tuple[Any, ...], options: dict[str, Any], part: str) -> None:
    (text,) = refusals(*words, **options)
    assert part in text


def test_everything_wrong_is_said_at_once() -> None:
    found = refusals(
        "satta", "cnn-mnits", overrides=["rows", "workload.x"], costs="none.yaml", engine="dos", samples="x",
        against="sata_sim", plugins="none.py",
    )  # fmt: skip
    parts = ("none.py", "'sata'?", "got 'rows'", "'cnn-mnist'?", "got 'workload.x'", "none.yaml: file not found",
             "did you mean 'des'?", "got 'x'", "did you mean 'sata-sim'?")  # fmt: skip
    for part in parts:
        assert sum(part in text for text in found) == 1, part
    assert len(found) == len(parts)


def test_an_override_that_cannot_be_applied_does_not_hide_what_is_wrong_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "chip.yaml"
    file.write_text(archsim.preset_text("sata").replace("rows: 16", "rowz: 16"))
    found = refusals(file, "cnn-mnist", overrides=["clock", "node.x=2", "clock=fast"])
    assert sum("unknown key" in text for text in found) == 1
    assert any("got 'clock'" in text for text in found)
    assert any("node: holds a single value" in text for text in found)
    assert any("--set: clock: must be a number of MHz" in text for text in found)


def test_the_public_names_can_be_listed() -> None:
    assert set(archsim.__all__) <= set(dir(archsim))


def test_frames_of_all_tables() -> None:
    pytest.importorskip("pandas")
    result = archsim.simulate("sata", "cnn-mnist")
    levels = result.frame("levels")
    assert list(levels.columns) == ["level", "dynamic_pj", "static_pj"]
    assert levels["dynamic_pj"].sum() + levels["static_pj"].sum() == pytest.approx(result.energy_pj)
    for table in ("counts", "layers", "components", "units", "critical_path"):
        assert len(result.frame(table)) == len(getattr(result, table))
    with pytest.raises(ArchsimError, match="did you mean 'levels'"):
        result.frame("level")


def test_a_peer_of_another_family_is_refused_with_the_rest_and_before_anything_is_executed() -> None:
    found = refusals("spikeflow", "cnn-mnist", against=["sata-sim", "spikesim", "scalesim"], engine="quick")
    assert [text.partition(" (")[2] for text in found[1:]] == [
        f"got '{peer}'; allowed: spikesim)" for peer in ("sata-sim", "scalesim")
    ]
    assert len(found) == 3 and "no such engine" in found[0]

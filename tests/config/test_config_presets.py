"""Presets by name, in a checkout and in an installed package."""

from __future__ import annotations

from pathlib import Path

import pytest

from archsim.config import find, names, presets
from archsim.errors import ConfigError


@pytest.fixture(params=["checkout", "wheel"])
def root(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = tmp_path / "archsim"
    root = tmp_path if request.param == "checkout" else package / "_presets"
    files = ("systolic/sata", "crossbar/rram", "cost/45nm", "device/pcm")
    for name in (*(f"arch_configs/{file}" for file in files), "workloads/mlp"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / f"{name}.yaml").write_text("name: x\n")
    (root / "workloads/mlp.npz").write_bytes(b"")
    package.mkdir(exist_ok=True)
    monkeypatch.setattr(presets, "_PACKAGE", package)
    return root


def test_names_by_kind(root: Path) -> None:
    assert names("arch") == ["rram", "sata"]
    assert names("workload") == ["mlp"]
    assert names("cost") == ["45nm"]
    assert names("device") == ["pcm"]


def test_a_name_is_a_preset(root: Path) -> None:
    assert find("arch", "sata") == (root / "arch_configs/systolic/sata.yaml", "sata (preset)")
    assert find("cost", "45nm") == (root / "arch_configs/cost/45nm.yaml", "45nm (preset)")


@pytest.mark.parametrize("text", ["sata.yaml", "sata.yml", "cells.csv", "./sata", "../x/sata", "/x/sata.yaml"])
def test_a_path_is_taken_as_it_is(root: Path, text: str) -> None:
    assert find("arch", text) == (Path(text), text)


def test_unknown_names_list_all_and_the_nearest(root: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        find("arch", "satta")
    assert str(caught.value) == (
        "no chip preset has this name (a path contains '/' or ends in .yaml) "
        "(got 'satta'; allowed: rram, sata; did you mean 'sata'?)"
    )


@pytest.mark.parametrize("text", ["", ".."])
def test_odd_names_are_unknown(root: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="no chip preset has this name"):
        find("arch", text)


@pytest.mark.parametrize(("text", "noun"), [("45nm", "cost table"), ("mlp", "workload")])
def test_a_preset_of_another_kind_is_called_what_it_is(root: Path, text: str, noun: str) -> None:
    with pytest.raises(ConfigError) as caught:
        find("arch", text)
    assert str(caught.value) == f"this is a {noun}; a chip is wanted here (got '{text}'; allowed: rram, sata)"


def test_the_presets_of_this_checkout_are_found() -> None:
    for kind in ("arch", "workload", "cost", "device"):
        for name in names(kind):
            assert find(kind, name)[0].is_file()

"""From a name or path, with overrides, to what is built: all problems together."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import archsim
from archsim.config import Document, build_from, load_document
from archsim.config.overrides import malformed, overridden
from archsim.config.presets import find
from archsim.errors import ConfigError


def rows(document: Document, _: Path) -> int:
    found = document.data["rows"]
    if not isinstance(found, int):
        raise ConfigError(document.problem(("rows",), "is no number", value=found))
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "x.yaml"
    path.write_text("rows: 3\nsize: {a: 1}\n")
    return path


def problems(path: Path, *assignments: str) -> list[tuple[str | None, int | None, str | None]]:
    with pytest.raises(ConfigError) as caught:
        build_from("arch", path, assignments, rows)
    return [(problem.file, problem.line, problem.key) for problem in caught.value.problems]


def test_overrides_are_applied_before_building(file: Path) -> None:
    assert build_from("arch", file, (), rows) == 3
    assert build_from("arch", str(file), ["rows=5"], rows) == 5
    assert build_from("arch", file, "rows=5", rows) == 5


def test_wrong_overrides_and_what_is_built_are_reported_together(file: Path) -> None:
    assert problems(file, "rows.x=3", "rows", "rows=a") == [
        ("--set", None, "rows"), ("--set", None, None), ("--set", None, "rows"),
    ]  # fmt: skip
    file.write_text("rows: many\n")
    assert problems(file, "nonsense") == [("--set", None, None), (str(file), 1, "rows")]


def test_of_a_file_that_cannot_be_read_malformed_overrides_are_reported_all_the_same(tmp_path: Path) -> None:
    missing = tmp_path / "none.yaml"
    assert problems(missing, "rows", "rows=4") == [(str(missing), None, None), ("--set", None, None)]
    assert [problem.value for problem in malformed(["a=1", "b", "=3"])] == ["b", "=3"]


def test_what_can_be_applied_is_applied(file: Path) -> None:
    document, found = overridden(load_document(file), ["rows=7", "oops", "size.b=2"])
    assert document.data == {"rows": 7, "size": {"a": 1, "b": 2}}
    assert [problem.value for problem in found] == ["oops"]


def test_a_path_object_is_a_path_and_other_things_are_refused() -> None:
    assert find("arch", Path("sata")) == (Path("sata"), "sata")
    with pytest.raises(ConfigError, match="a workload is named by a preset's name or a path, not by NoneType"):
        find("workload", None)  # type: ignore[arg-type]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes")
def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(ConfigError, match="is no regular file"):
            load_document(place)
    with pytest.raises(ConfigError, match="is a folder"):
        load_document(tmp_path)


def test_a_doubled_key_does_not_hide_other_mistakes(tmp_path):
    file = tmp_path / "chip.yaml"
    text = (Path(archsim.__file__).parent.parent / "arch_configs/systolic/sata.yaml").read_text()
    text = text.replace("node: 28 nm", "node: 28 nm\nnode: 22 nm\nclok: 1")
    file.write_text(text.replace("output_stationary}", "oss}"))
    with pytest.raises(ConfigError) as caught:
        archsim.load_architecture(str(file))
    assert [problem.key for problem in caught.value.problems] == ["node", "clok", "array.dataflow"]
    assert all(problem.line for problem in caught.value.problems)

"""What the documentation tells people to type works as written; what it links to is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import archsim
from archsim.cli import app
from archsim.workload.schema import (
    ActivitySpec,
    AddSpec,
    Conv2dSpec,
    InputSpec,
    LinearSpec,
    MatmulSpec,
    NeuronLayerSpec,
    NeuronSpec,
    PoolSpec,
    PrecisionSpec,
    WorkloadFile,
)
from archsim.workload.trace import write_trace

ROOT = Path(__file__).parent.parent
WORKLOADS = ROOT / "docs" / "workloads.md"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)


def commands(page: Path) -> list[list[str]]:
    found = []
    for block in blocks(page, "sh"):
        for line in block.splitlines():
            for part in line.split(" && "):
                words = shlex.split(part, comments=True)
                if words and words[0] == "archsim":
                    found.append(words[1:])
    return found


def write_files(page: Path, folder: Path) -> list[str]:
    """The YAML files that a page shows (the first line names them), and what its Python writes beside them."""
    named = [re.match(r"# (\S+\.yaml)\n", block) for block in blocks(page, "yaml")]
    for match in filter(None, named):
        (folder / match[1]).write_text(match.string)
    if page == WORKLOADS:
        for block in blocks(page, "python"):
            exec(compile(block, page.name, "exec"), {})
    return [match[1] for match in named if match]


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=lambda page: page.name)
def test_commands_of_a_page_work_one_after_the_other(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_files(page, tmp_path)
    for command in commands(page):
        words, target = command, None
        if ">" in command:
            words, target = command[: command.index(">")], command[command.index(">") + 1]
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, (words, done.output)
        if target is not None:
            Path(target).write_text(done.stdout)


def test_python_of_the_readme_works(capsys):
    for block in blocks(ROOT / "README.md", "python"):
        exec(compile(block, "README.md", "exec"), {})
    assert "energy:" in capsys.readouterr().out


def test_workloads_that_the_page_shows_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = write_files(WORKLOADS, tmp_path)
    assert files == ["chain.yaml", "recorded.yaml", "table.yaml"]
    for file in files:
        result = archsim.simulate("sata", file)
        assert result.energy_pj > 0 and result.synthetic == (file != "recorded.yaml")


def test_the_page_on_workloads_names_every_key_of_the_schema():
    text = WORKLOADS.read_text()
    models = [WorkloadFile, InputSpec, NeuronSpec, PrecisionSpec, ActivitySpec, Conv2dSpec, LinearSpec, MatmulSpec,
              PoolSpec, AddSpec, NeuronLayerSpec]  # fmt: skip
    keys = {field.alias or name for model in models for name, field in model.model_fields.items()}
    assert not [key for key in sorted(keys) if not re.search(rf"\b{key}\b", text)]


def test_the_trace_snippet_writes_what_write_trace_writes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_files(WORKLOADS, tmp_path)
    shapes = {"input": (2, 8, 8), "conv1": (8, 8, 8), "lif": (8, 8, 8)}
    spikes = {name: np.random.default_rng(0).random((16, 4, *shape)) < 0.1 for name, shape in shapes.items()}
    write_trace("ours.npz", 4, spikes.pop("input").astype(np.uint8), spikes)
    with np.load("recorded.npz") as one, np.load("ours.npz") as two:
        assert set(one) == set(two)
        assert all(np.array_equal(one[name], two[name]) for name in one)


def test_the_readme_starts_with_exactly_two_commands():
    first_screen = (ROOT / "README.md").read_text().split("\n## ")[0]
    assert len(re.findall(r"^```sh$", first_screen, re.MULTILINE)) == 2


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target

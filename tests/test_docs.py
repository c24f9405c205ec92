"""What the documentation tells people to type works as written and prints what it shows; what it links to is there."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from pages import FENCE, Bash, Said, Step, differs, play, steps
from typer.testing import CliRunner

import archsim
from archsim.cli import app
from archsim.workload.layer_schema import (
    AddSpec,
    Conv1dSpec,
    Conv2dSpec,
    DelaySpec,
    LinearSpec,
    MatmulSpec,
    NeuronLayerSpec,
    NeuronSpec,
    Pool1dSpec,
    PoolSpec,
    RecurrenceSpec,
)
from archsim.workload.schema import ActivitySpec, InputSpec, PrecisionSpec, WorkloadFile
from archsim.workload.trace import write_trace

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
WORKLOADS = DOCS / "workloads.md"
PAGES = [ROOT / "README.md", *sorted(page for page in DOCS.rglob("*.md") if "_build" not in page.parts)]
PLAYED = [page for page in PAGES if steps(page.read_text())]
NEEDS = {
    "cluster.md": "distributed", "data.md": "mlxtend", "import.md": "nir", "record.md": "snntorch",
    "searching.md": "optuna",
}  # fmt: skip
IN_BASH = {"cluster.md", "store.md"}  # variables and background jobs
SLOW = {"breakeven.md", "tutorial.md", "crossbar.md", "figures.md", "cluster.md", "store.md"}


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


class Here:
    """Steps within this process: ``archsim`` is called, not started; environments are not made."""

    def __call__(self, step: Step) -> list[Said]:
        if step.kind == "file":
            Path(step.name).write_text(step.text)
            return []
        if step.kind == "python":
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(compile(step.text, "page", "exec"), {"__name__": "__main__"})
            return [Said(0, out.getvalue(), "")]
        return [self.line(line) for line in step.lines]

    def line(self, line: str) -> Said:
        if line.startswith("python3 -m venv"):  # .ci/run does that
            return Said(0, "", "")
        said = Said(0, "", "")
        for part in line.split(" && "):
            one = self.command(part)
            said = Said(one.code, said.stdout + one.stdout, said.stderr + one.stderr)
            if one.code:
                break
        return said

    def command(self, text: str) -> Said:
        words = shlex.split(text, comments=True)
        if words[0] != "archsim":
            done = subprocess.run(["bash", "-c", text], capture_output=True, text=True, check=False)
            return Said(done.returncode, done.stdout, done.stderr)
        target = None
        if ">" in words:
            words, target = words[: words.index(">")], words[words.index(">") + 1]
        result = CliRunner().invoke(app, words[1:])
        if target is None:
            return Said(result.exit_code, result.stdout, result.stderr)
        Path(target).write_text(result.stdout)
        return Said(result.exit_code, "", result.stderr)


def parameters(pages: list[Path]) -> list[object]:
    return [pytest.param(page, id=name_of(page), marks=[pytest.mark.slow] * (page.name in SLOW)) for page in pages]


@pytest.mark.parametrize("page", parameters(PLAYED))
def test_a_page_works_as_written(page, tmp_path, tmp_path_factory, monkeypatch):
    if page.name in NEEDS:
        pytest.importorskip(NEEDS[page.name])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARCHSIM_STORE", str(tmp_path / "runs.sqlite"))
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    scratch = tmp_path_factory.mktemp("printed")
    with Bash(scratch) if page.name in IN_BASH else contextlib.nullcontext(Here()) as player:
        wrong = list(play(page.read_text(), player))
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.parametrize(
    ("shown", "agrees"),
    [
        ("a   b\nc", True),
        ("a b\n...\n", True),
        ("...\nc", True),
        ("... b\nc", True),
        ("a b", False),
        ("c\na b", False),
        ("...\nb\n...", False),
        ("a b\n...\nd", False),
    ],
)
def test_what_a_page_shows_is_compared(shown, agrees):
    assert differs(shown, "a b \n\nc\n") is not agrees


LYING = """
```text
# a.csv
1
```

```sh
tail -n 1 a.csv
```

```text
{}
```

```sh
ls x  # exits with 2
```
"""


@pytest.mark.parametrize("player", [lambda _: contextlib.nullcontext(Here()), Bash], ids=["here", "bash"])
def test_a_page_that_lies_is_found_out(player, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with player(tmp_path) as execute:
        assert not list(play(LYING.format("1"), execute))
        assert "but the page shows" in next(play(LYING.format("2"), execute))
        assert "ended with 2" in next(play(LYING.format("1").replace("# exits", "#"), execute))


def test_python_that_fails_is_found_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Bash(tmp_path) as execute:
        assert "failed" in next(play("```python\n1 / 0\n```\n", execute))


def test_workloads_that_the_page_shows_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = [step for step in steps(WORKLOADS.read_text()) if step.kind in ("file", "python")]
    here = Here()
    for step in files:
        here(step)
    for name in ("chain.yaml", "recorded.yaml", "table.yaml"):
        result = archsim.simulate("sata", name)
        assert result.energy_pj > 0 and result.synthetic == (name != "recorded.yaml")


def test_the_page_on_workloads_names_every_key_of_the_schema():
    text = WORKLOADS.read_text()
    models = [WorkloadFile, InputSpec, NeuronSpec, PrecisionSpec, ActivitySpec, Conv1dSpec, Conv2dSpec, LinearSpec,
              MatmulSpec, Pool1dSpec, PoolSpec, AddSpec, DelaySpec, NeuronLayerSpec, RecurrenceSpec]  # fmt: skip
    keys = {field.alias or name for model in models for name, field in model.model_fields.items()}
    assert not [key for key in sorted(keys) if not re.search(rf"\b{key}\b", text)]


def test_the_trace_snippet_writes_what_write_trace_writes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for step in steps(WORKLOADS.read_text()):
        if step.kind == "python":
            Here()(step)
    shapes = {"input": (2, 8, 8), "conv1": (8, 8, 8), "lif": (8, 8, 8)}
    spikes = {name: np.random.default_rng(0).random((16, 4, *shape)) < 0.1 for name, shape in shapes.items()}
    write_trace("ours.npz", 4, spikes.pop("input").astype(np.uint8), spikes)
    with np.load("recorded.npz") as one, np.load("ours.npz") as two:
        assert set(one) == set(two)
        assert all(np.array_equal(one[name], two[name]) for name in one)


def test_the_readme_starts_with_exactly_two_commands():
    first_screen = (ROOT / "README.md").read_text().split("\n## ")[0]
    assert len(re.findall(r"^```sh$", first_screen, re.MULTILINE)) == 2


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub and MyST make it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_within_sentences_exist(page):
    prose = FENCE.sub("", page.read_text())
    for words in map(str.split, re.findall(r"`archsim ([a-z][^`]*)`", prose)):
        command = typer.main.get_command(app)
        while hasattr(command, "commands") and words:
            assert words[0] in command.commands, words
            command = command.commands[words.pop(0)]
        known = {option for parameter in command.params for option in parameter.opts}
        assert not [word for word in words if re.match(r"--?[a-z]", word) and word not in known], words


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if "://" in target:
            continue
        if Path(target).parent.name == "figures":  # made when the site is built, which the site's test does
            assert Path(target).stem in (ROOT / "scripts" / "make_docs_figures.py").read_text()
            continue
        file, _, anchor = target.partition("#")
        other = page.parent / file if file else page
        assert other.exists(), target
        headings = re.findall(r"^#+ (.*)$", other.read_text(), re.MULTILINE) if anchor else []
        assert not anchor or anchor in map(slug, headings), target


def rows_of(text: str) -> list[list[str]]:
    """The lines of Markdown tables, cell by cell."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("| ").split("|")] for line in lines]


@pytest.mark.slow
@pytest.mark.parametrize("script", ["reproduce_icassp2024.py", "reproduce_spikesim.py"])
def test_the_tables_of_the_validation_page_are_what_the_scripts_print(script):
    line = [sys.executable, ROOT / "scripts" / script]
    printed = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    shown = rows_of((DOCS / "validation.md").read_text())
    assert len(rows_of(printed)) >= 7
    assert not [row for row in rows_of(printed) if row not in shown]


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", ["bench_engine.py sata cnn-mnist --repeat 1", "bench_sweep.py --points 8 --jobs 1 --again 2 --prices 20"]
)
def test_what_the_performance_page_measures_with_runs(words, tmp_path):
    script, *options = words.split()
    assert f"scripts/{script}" in (DOCS / "performance.md").read_text()
    line = [sys.executable, ROOT / "scripts" / script, *options]
    done = subprocess.run(line, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0 and "equal: False" not in done.stdout, done.stdout + done.stderr

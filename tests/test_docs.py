"""What the documentation tells people to type works as written and prints what it shows; what it links to is there."""

from __future__ import annotations

import contextlib
import importlib
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
from report.chromium import axe, browser
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
DOCS = ROOT / "docs"
WORKLOADS = DOCS / "workloads.md"
PAGES = [ROOT / "README.md", *sorted(page for page in DOCS.rglob("*.md") if "_build" not in page.parts)]
PLAYED = [page for page in PAGES if steps(page.read_text())]
NEEDS = {"cluster.md": "distributed", "searching.md": "optuna"}
IN_BASH = {"cluster.md", "store.md"}  # variables and background jobs
SLOW = {"tutorial.md", "crossbar.md", "figures.md", "cluster.md", "store.md"}


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
    models = [WorkloadFile, InputSpec, NeuronSpec, PrecisionSpec, ActivitySpec, Conv2dSpec, LinearSpec, MatmulSpec,
              PoolSpec, AddSpec, NeuronLayerSpec]  # fmt: skip
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
        file, _, anchor = target.partition("#")
        other = page.parent / file if file else page
        assert other.exists(), target
        headings = re.findall(r"^#+ (.*)$", other.read_text(), re.MULTILINE) if anchor else []
        assert not anchor or anchor in map(slug, headings), target


@pytest.fixture(scope="module")
def generated():
    """The module that writes the reference."""
    sys.path.insert(0, str(DOCS / "_ext"))
    try:
        yield importlib.import_module("generated")
    finally:
        sys.path.remove(str(DOCS / "_ext"))


def keys_of(schema: dict[str, object]) -> set[str]:
    """Every key that a JSON Schema knows, at any depth."""
    definitions = [schema, *schema.get("$defs", {}).values()]
    return {key for definition in definitions for key in definition.get("properties", {})}


@pytest.mark.parametrize("kind", ["systolic", "crossbar", "workload", "cost", "overlay", "device", "sweep"])
def test_the_reference_names_every_key(generated, kind):
    text = generated.text_of(kind)
    model = generated.file_models()[kind]
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| `")]
    assert keys_of(model.model_json_schema()) == {row[0].strip("| `") for row in rows}
    assert all(len(row) == 4 and all(cell.strip(" |") for cell in row) for row in rows), "a cell is empty"


def test_the_reference_names_every_verb_and_option(generated):
    text = generated.text_of("commands")
    for name, command in generated.verbs(typer.main.get_command(app)):
        part = text.split(f"\n## {name}\n")[1].split("\n## ")[0]
        shown = CliRunner().invoke(app, [*name.split()[1:], "--help"], env={"COLUMNS": "200"}).output
        options = set(re.findall(r"(?<=[\s│])(--[a-z-]+)", shown)) - {"--help"}
        assert options <= set(re.findall(r"--[a-z-]+", part)), name
        assert part.count("\n| `") == len(options) + sum(not one.opts[0].startswith("-") for one in command.params)


@pytest.fixture(scope="module")
def site(generated, tmp_path_factory):
    """The folder of the site, built without a warning."""
    for name in ("sphinx", "myst_parser", "furo"):
        pytest.importorskip(name, reason="needs the extra 'docs'")
    folder = tmp_path_factory.mktemp("site")
    words = f"-m sphinx -q -W --keep-going -n -d {folder / 'trees'} {DOCS} {folder / 'html'}"
    done = subprocess.run([sys.executable, *words.split()], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "html"


def test_no_page_takes_the_name_of_one_that_sphinx_makes():
    assert not {"search.md", "genindex.md", "py-modindex.md"} & {page.name for page in DOCS.glob("*.md")}


@pytest.mark.slow
def test_the_site_has_everything_and_loads_nothing_from_elsewhere(site):
    python = (site / "reference" / "python.html").read_text()
    assert not [name for name in archsim.__all__ if f'id="archsim.{name}"' not in python]
    for page in site.rglob("*.html"):
        loaded = re.findall(r'<(?:script|img|iframe)[^>]* src="([^"]+)"|<link[^>]* href="([^"]+)"', page.read_text())
        assert not [target for pair in loaded for target in pair if "//" in target], page


@pytest.mark.slow
def test_the_site_can_be_read_on_a_phone(site):
    with browser() as running:
        for name in ("index", "tutorial", "systolic", "how-to/plugins", "reference/systolic", "reference/python"):
            page = running.new_page(viewport={"width": 390, "height": 800})
            page.goto((site / f"{name}.html").as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
            page.evaluate(axe())
            found = page.evaluate("axe.run()")["violations"]
            grave = [one for one in found if one["impact"] in ("serious", "critical")]
            assert not [(one["id"], one["nodes"][0]["html"]) for one in grave], name
            page.close()


def test_the_glossary_has_the_words_of_the_design():
    design = (DOCS / "design.md").read_text()
    words = set(re.findall(r"\*\*([a-z][a-z ]*)\*\*", design)) | {"critical path", "TaskGraph", "Workload", "Result"}
    assert {"task", "unit", "edge", "buffer"} <= words
    terms = re.findall(r"^(\w.*)\n  \S", (DOCS / "reference" / "glossary.md").read_text(), re.MULTILINE)
    assert not {word.lower() for word in words} - {term.lower() for term in terms}
    assert terms == sorted(terms, key=str.lower), "glossary in the order of the alphabet"


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

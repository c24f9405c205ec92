"""The reference names every key and option; the site builds, holds what it should, and can be read on a phone."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from report.chromium import axe, browser
from typer.testing import CliRunner

import archsim
from archsim.cli import app

DOCS = Path(__file__).parent.parent / "docs"


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

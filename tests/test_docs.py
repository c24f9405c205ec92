"""What the documentation tells people to type works as written; what it links to is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from archsim.cli import app

ROOT = Path(__file__).parent.parent
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


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=lambda page: page.name)
def test_commands_of_a_page_work_one_after_the_other(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
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


def test_the_readme_starts_with_exactly_two_commands():
    first_screen = (ROOT / "README.md").read_text().split("\n## ")[0]
    assert len(re.findall(r"^```sh$", first_screen, re.MULTILINE)) == 2


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target

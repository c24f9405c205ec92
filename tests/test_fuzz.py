"""Mutated shipped files meet no traceback and no exit code but 0 and 2.

Keys are deleted, doubled, renamed and retyped. ``ARCHSIM_FUZZ_CASES`` says how many cases there are
(scripts/fuzz_inputs.py: 10,000).
"""

from __future__ import annotations

import copy
import os
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from archsim.cli import app
from archsim.config import find, names

CASES = int(os.environ.get("ARCHSIM_FUZZ_CASES", "2000"))
LOADER, DUMPER = (getattr(yaml, f"C{name}", getattr(yaml, name)) for name in ("SafeLoader", "SafeDumper"))
SMALL = ("cnn-mnist", "icassp-bntt")
VALUES = (
    -1,
    0,
    1,
    3,
    7.5,
    1e-12,
    1e30,
    float("nan"),
    2**40,
    "x",
    "",
    "8 KiB",
    "rows",
    [],
    {},
    None,
    True,
    [1, 2],
    {"skip": "row"},
)


KINDS = (("arch",), ("workload",), ("cost", "device"))


def sources(kinds: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(kind, name) for kind in kinds for name in names(kind)]


def paths_of(node, here=()):
    """Every path to a value in the document."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield (*here, key)
        yield from paths_of(value, (*here, key))


def parent_of(document, path):
    for key in path[:-1]:
        document = document[key]
    return document


@st.composite
def mutated(draw, kinds):
    kind, name = draw(st.sampled_from(sources(kinds)))
    text = find(kind, name)[0].read_text()
    for _ in range(draw(st.integers(1, 3))):
        how = draw(st.sampled_from(["delete", "double", "rename", "retype", "retype", "cut"]))
        if not text.strip():
            return kind, name, text
        if how == "double":
            lines = text.splitlines(keepends=True)
            at = draw(st.integers(0, len(lines) - 1))
            text = "".join(lines[: at + 1] + lines[at:])
            continue
        if how == "cut":
            if draw(st.integers(0, 9)) == 0:
                text = text[: draw(st.integers(0, len(text)))]
            continue
        try:
            document = yaml.load(text, LOADER)
        except yaml.YAMLError:
            return kind, name, text
        paths = list(paths_of(document))
        if not paths:
            return kind, name, text
        document, path = copy.deepcopy(document), draw(st.sampled_from(paths))
        parent = parent_of(document, path)
        if how == "retype":
            parent[path[-1]] = draw(st.sampled_from(VALUES))
        elif how == "delete":
            del parent[path[-1]]
        elif isinstance(parent, dict):
            parent[draw(st.sampled_from([f"{path[-1]}x", str(path[-1])[:-1], "rows", "name"]))] = parent.pop(path[-1])
        text = yaml.dump(document, Dumper=DUMPER, sort_keys=False)
    return kind, name, text


def command(kind: str, name: str, file: Path) -> list[str]:
    if kind == "arch":
        return ["run", str(file), "cnn-mnist", "--json"]
    if kind == "workload" and name in SMALL:
        return ["run", "sata", str(file), "--json"]
    return ["check", str(file)]


@pytest.mark.slow
@pytest.mark.parametrize("kinds", KINDS, ids="-".join)
def test_mutated_files_end_with_an_answer_or_with_errors(kinds, tmp_path_factory):
    cases = CASES * len(sources(kinds)) // len(sources(sum(KINDS, ())))
    folder = tmp_path_factory.mktemp("fuzz")
    for trace in find("workload", "cnn-mnist")[0].parent.glob("*.npz"):
        (folder / trace.name).write_bytes(trace.read_bytes())
    endings = {0: 0, 2: 0}

    @settings(max_examples=cases, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(mutated(kinds))
    def ends_well(case):
        kind, name, text = case
        file = folder / "mutated.yaml"
        file.write_text(text)
        before = sorted(folder.iterdir())
        done = CliRunner().invoke(app, command(kind, name, file))
        assert done.exception is None or isinstance(done.exception, SystemExit), repr(done.exception)
        assert done.exit_code in endings, (done.exit_code, done.output)
        if done.exit_code == 2:
            assert "error: " in done.output
        assert sorted(folder.iterdir()) == before
        endings[done.exit_code] += 1

    ends_well()
    assert min(endings.values()) > cases // 20, endings

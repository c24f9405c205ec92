from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from archsim.errors import ArchsimError
from archsim.workload import Workload, load_workload

HEAD = """\
name: net
timesteps: 3
input: {shape: [3, 32, 32], encoding: direct}
layers:
"""


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Workload]:
    """Load a workload from YAML text; a text without a head gets one of 3 x 32 x 32, T = 3, and starts at line 5."""

    def from_text(text: str, *overrides: str, **options: bool) -> Workload:
        path = tmp_path / "net.yaml"
        path.write_text(text if text.startswith("name:") else HEAD + text)
        return load_workload(str(path), overrides, **options)

    return from_text


@pytest.fixture
def problems(load: Callable[..., Workload]) -> Callable[..., list[tuple[int | None, str | None, str]]]:
    """(line, key, message) of every problem that loading finds, in order."""

    def from_text(text: str, *overrides: str, **options: bool) -> list[tuple[int | None, str | None, str]]:
        with pytest.raises(ArchsimError) as caught:
            load(text, *overrides, **options)
        return [(problem.line, problem.key, problem.message) for problem in caught.value.problems]

    return from_text

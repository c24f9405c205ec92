"""What is asked for: ``mnist``, ``mnist:0..15``, ``mnist@max=15:all``, ``events-mnist@T=20:0,3``, ``mine.npz:0..9``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from archsim.datasets.digits import OPTION
from archsim.datasets.events import DURATION_MS
from archsim.datasets.known import DATASETS, Dataset
from archsim.errors import ConfigError, Problem, nearest
from archsim.samples import parse_samples

ALLOWED = f"{', '.join(DATASETS)}, or a file whose name ends in .npz"
LARGEST = 65_535
_FILE = re.compile(r"(.+\.npz)(?::(.*))?", re.DOTALL)
_LIMITS = {"T": DURATION_MS, "max": LARGEST}
Numbers = tuple[int, ...] | Literal["all"]


@dataclass(frozen=True)
class Asked:
    """A dataset by name, or a file of the user's; which samples; and what was stated behind the @."""

    dataset: Dataset | None
    file: str | None
    numbers: Numbers
    settings: Mapping[str, int]

    def chosen(self, available: int) -> tuple[tuple[int, ...], list[Problem]]:
        """The sample numbers, and the problem that some of them do not exist."""
        if self.numbers == "all":
            return tuple(range(available)), []
        outside = [number for number in self.numbers if number >= available]
        if not outside:
            return self.numbers, []
        text = f"there {'is' if len(outside) == 1 else 'are'} no sample{'s'[: len(outside) > 1]} {_few(outside)}"
        return (), [Problem(text, key=OPTION, allowed=f"0..{available - 1}")]


def parse_spec(spec: str) -> tuple[Asked | None, list[Problem]]:
    """Read NAME[@KEY=VALUE,...][:RANGE] or FILE.npz[:RANGE]; no range: all samples. Every problem, under --inputs."""
    text = spec.strip()
    file = _FILE.fullmatch(text)
    if file is not None:
        numbers, problems = _numbers(file[2])
        return Asked(None, file[1], numbers, {}), problems
    head, colon, tail = text.partition(":")
    numbers, problems = _numbers(tail if colon else None)
    name, at, stated = (part.strip() for part in head.partition("@"))
    dataset = DATASETS.get(name)
    if dataset is None:
        near = nearest(name, DATASETS)
        return None, [Problem("no such dataset", key=OPTION, value=name, allowed=ALLOWED, nearest=near), *problems]
    settings, wrong = _settings(dataset, stated if at else None)
    return Asked(dataset, None, numbers, settings), [*wrong, *problems]


def _numbers(text: str | None) -> tuple[Numbers, list[Problem]]:
    if text is None:
        return "all", []
    try:
        return parse_samples(text), []
    except ConfigError as error:
        return (), [replace(problem, key=OPTION) for problem in error.problems]


def _settings(dataset: Dataset, text: str | None) -> tuple[Mapping[str, int], list[Problem]]:
    found: dict[str, int] = {}
    problems = []
    for part in () if text is None else text.split(","):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        known = dataset.settings
        where = f"{OPTION} {dataset.name}"
        if not equals:
            allowed = ", ".join(f"{name}=NUMBER" for name in known)
            problems.append(Problem("not of the form KEY=NUMBER", key=where, value=part.strip(), allowed=allowed))
        elif key not in known:
            near = nearest(key, known)
            problems.append(Problem("no such setting", key=where, value=key, allowed=", ".join(known), nearest=near))
        elif not re.fullmatch(r"\d{1,9}", value, re.ASCII) or not 1 <= int(value) <= _LIMITS[key]:
            allowed = f"1..{_LIMITS[key]}"
            problems.append(Problem("not a number in range", key=f"{where}@{key}", value=value, allowed=allowed))
        else:
            found[key] = int(value)
    return found, problems


def _few(numbers: list[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:3])
    return shown if len(numbers) <= 3 else f"{shown} and {len(numbers) - 3} more"

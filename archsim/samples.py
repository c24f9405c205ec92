"""Which recorded inputs to execute, as people write it: ``3``, ``0..15``, ``0,3,5``, ``0..3,7`` or ``all``."""

from __future__ import annotations

import re
from typing import Literal

from archsim.errors import ConfigError, Problem

_RANGE = re.compile(r"(\d{1,9})(?:\.\.(\d{1,9}))?", re.ASCII)
MOST = 100_000
ALLOWED = "a number, a range such as 0..15, several with commas, or all"


def parse_samples(text: str) -> tuple[int, ...] | Literal["all"]:
    """Sample numbers in the order in which they are named, each once. ConfigError with every part that is none."""
    if text.strip() == "all":
        return "all"
    chosen: list[int] = []
    problems = []
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        if match is None:
            problems.append(Problem("not a sample", key="--samples", value=part.strip(), allowed=ALLOWED))
            continue
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            problems.append(Problem("the range ends before it starts", key="--samples", value=part.strip()))
        elif last - first >= MOST:
            problems.append(Problem(f"more than {MOST} samples", key="--samples", value=part.strip()))
        else:
            chosen += range(first, last + 1)
    if problems:
        raise ConfigError(problems)
    return tuple(dict.fromkeys(chosen))

"""Reading back what :meth:`Result.save` wrote, with every wrong type in it named."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from archsim.errors import ArchsimError, Problem
from archsim.result.folder import FILE, FORMAT
from archsim.result.tables import Result, not_finite

MOST_PROBLEMS = 10


def load_result(folder: str | Path) -> Result:
    """Read what :meth:`Result.save` wrote. ArchsimError if it is not there or not a result."""
    path = Path(folder)
    path = path / FILE if path.is_dir() else path
    text = _text(path, str(folder))
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ArchsimError(Problem("not a result: the file is not JSON", file=str(path))) from error
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        found = body.get("format") if isinstance(body, dict) else None
        raise ArchsimError(Problem("not a result of this version", file=str(path), value=found, allowed=FORMAT))
    endless = [Problem("a damaged result: not a finite number", file=str(path), key=key) for key in not_finite(body)]
    for key in ("clock_mhz", "node_nm"):
        if isinstance(value := body.get(key), int | float) and value <= 0:
            endless.append(Problem("a damaged result: not above zero", file=str(path), key=key, value=value))
    if endless:
        raise ArchsimError(endless)
    return _checked(text, str(path))


def _text(path: Path, shown: str) -> str:
    hint = "a folder that 'archsim run ... -o FOLDER' wrote"
    try:
        if path.exists() and not path.is_file():
            raise ArchsimError(Problem("no result here: this is no regular file", file=shown, allowed=hint))
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ArchsimError(Problem("not a result: the file is not text", file=str(path))) from error
    except (OSError, ValueError) as error:
        raise ArchsimError(Problem("no result here", file=shown, allowed=hint)) from error


@dataclass(frozen=True)
class _Step:
    name: str
    explanation: str
    after: float
    difference: float


@dataclass(frozen=True)
class _Waterfall:
    start: float
    end: float
    rows: tuple[_Step, ...]


@dataclass(frozen=True)
class _Answer:
    waterfall: _Waterfall = _Waterfall(0.0, 0.0, ())
    area_waterfall: _Waterfall = _Waterfall(0.0, 0.0, ())
    latency_waterfall: _Waterfall = _Waterfall(0.0, 0.0, ())


@dataclass(frozen=True)
class _Swing:
    constant: str
    nominal_pj: float
    at_low_pj: float
    at_high_pj: float


@dataclass(frozen=True)
class _Component:
    name: str
    primitive: str
    level: str
    attributes: Mapping[str, float | int | str]
    count: int
    on_chip: bool
    description: str


@dataclass(frozen=True)
class _Inputs:
    components: tuple[_Component, ...] = ()
    costs: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Loose:
    """What the parts of a Result that are plain data must hold where they are read again."""

    against: Mapping[str, _Answer] = field(default_factory=dict)
    vary_costs: tuple[_Swing, ...] = ()
    inputs: _Inputs = _Inputs()


def _checked(text: str, shown: str) -> Result:
    """The result; ArchsimError for every part that has another type than it should."""
    from pydantic import TypeAdapter, ValidationError

    problems: list[Problem] = []
    results: list[Result] = []
    for kind in (Result, _Loose):
        try:
            found = TypeAdapter(kind).validate_json(text, strict=True)
        except ValidationError as error:
            problems += _problems(error.errors(include_url=False), shown)
        else:
            results += [found] if isinstance(found, Result) else []
    if not problems:
        problems = _strangers(results[0], shown)
    if problems:
        raise ArchsimError(problems)
    return results[0]


def _problems(errors: Iterable[Any], shown: str) -> list[Problem]:
    return [
        Problem(f"a damaged result: {error['msg']}", file=shown, key=".".join(str(step) for step in error["loc"]))
        for error in islice(errors, MOST_PROBLEMS)
    ]


def _strangers(result: Result, shown: str) -> list[Problem]:
    """Counts and prices of components that the result does not have."""
    known = {part.name: part.level for part in result.components}
    named = {(row.component, row.level) for row in result.counts}
    named |= {(part["name"], part["level"]) for part in result.inputs.get("components", ())}
    strange = sorted((name, level) for name, level in named if known.get(name) != level)
    text = "a damaged result: it has no such component at this level"
    return [Problem(text, file=shown, key=name, value=level) for name, level in strange[:MOST_PROBLEMS]]

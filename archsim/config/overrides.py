"""Dotted overrides from the command line: ``array.rows=32``, ``layers.0.name=x``, ``sparsity=skip: union``."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from archsim.config.document import OVERRIDE, Document, Key, dotted, parse_document
from archsim.errors import ConfigError, Problem

_KEY = re.compile(r"[^\x00-\x20\x7f-\x9f\ud800-\udfff.=]+(\.[^\x00-\x20\x7f-\x9f\ud800-\udfff.=]+)*\Z")


class _RefusedError(Exception):
    """One assignment cannot be applied."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def apply_overrides(document: Document, assignments: Sequence[str]) -> Document:
    """The document with ``KEY=VALUE`` assignments applied in order; the given document stays as it is.

    VALUE is read as YAML. Missing parents are created as mappings, so that the schema can say what is unknown; list
    items are addressed by number and must exist. A key that itself contains dots is found when it exists. A single
    text is one assignment. ConfigError lists every assignment that is malformed or does not fit the data.
    """
    changed, problems = overridden(document, assignments)
    if problems:
        raise ConfigError(problems)
    return changed


def malformed(assignments: Sequence[str]) -> list[Problem]:
    """What is wrong with assignments whatever document they are for."""
    return assigned(assignments)[1]


def assigned(assignments: Sequence[str]) -> tuple[list[tuple[str, Any]], list[Problem]]:
    """The dotted key and the value of each assignment, and the problems of those that are malformed."""
    found, problems = [], []
    for assignment in _each(assignments):
        try:
            parts, value = _split(assignment)
        except _RefusedError as refused:
            problems.append(refused.problem)
        else:
            found.append((".".join(parts), value))
    return found, problems


def overridden(document: Document, assignments: Sequence[str]) -> tuple[Document, list[Problem]]:
    """The document with the assignments that can be applied, and the problems of the others."""
    if not assignments:
        return document, []
    data = copy.deepcopy(document.data)
    paths = set(document.overridden)
    problems: list[Problem] = []
    for assignment in _each(assignments):
        try:
            parts, value = _split(assignment)
            data, path = _assign(data, parts, value)
        except _RefusedError as refused:
            problems.append(refused.problem)
        else:
            paths.add(path)
    lines = {path: line for path, line in document.lines.items() if not _is_within(path, paths)}
    return replace(document, data=data, lines=lines, overridden=frozenset(paths)), problems


def _each(assignments: Sequence[str]) -> Sequence[str]:
    return (assignments,) if isinstance(assignments, str) else assignments


def _split(assignment: str) -> tuple[list[str], Any]:
    key, equals, text = assignment.partition("=")
    key = key.strip()
    if not equals or not _KEY.match(key):
        raise _RefusedError(Problem("not of the form KEY=VALUE, such as array.rows=32", OVERRIDE, value=assignment))
    if not text.strip():
        raise _RefusedError(Problem("has no value; write null for nothing", OVERRIDE, key=key))
    try:
        value = parse_document(text, OVERRIDE).data
    except ConfigError as error:
        reason = "; ".join(problem.message for problem in error.problems)
        raise _RefusedError(Problem(reason, OVERRIDE, key=key, value=text)) from None
    return key.split("."), value


def _assign(data: Any, parts: list[str], value: Any) -> tuple[Any, Key]:
    """Set ``value``; returns the data and the topmost path that did not exist before (or the path itself)."""
    if not isinstance(data, dict | list):
        raise _RefusedError(Problem("the file holds a single value, nothing can be set below it", OVERRIDE, value=data))
    place: Any = data
    path: Key = ()
    created: Key | None = None
    rest = parts
    while True:
        step, rest = _step(place, rest, path)
        path = (*path, step)
        if created is None and isinstance(place, dict) and step not in place:
            created = path
        if not rest:
            place[step] = value
            return data, created or path
        below = place[step] if created is None else None
        if not isinstance(below, dict | list):
            if below is not None:
                text = f"holds a single value, so {'.'.join(rest)} cannot be set below it"
                raise _RefusedError(Problem(text, OVERRIDE, key=dotted(path), value=below))
            place[step] = below = {}
            created = created or path
        place = below


def _step(place: dict[str, Any] | list[Any], parts: list[str], path: Key) -> tuple[str | int, list[str]]:
    """The next key or index, and the parts after it."""
    if isinstance(place, list):
        if parts[0].isascii() and parts[0].isdigit() and len(parts[0]) < 10 and int(parts[0]) < len(place):
            return int(parts[0]), parts[1:]
        allowed = f"0 to {len(place) - 1}" if place else "none, the list is empty"
        raise _RefusedError(Problem("no such list item", OVERRIDE, key=dotted((*path, parts[0])), allowed=allowed))
    for end in range(len(parts), 1, -1):
        if ".".join(parts[:end]) in place:
            return ".".join(parts[:end]), parts[end:]
    return parts[0], parts[1:]


def _is_within(path: Key, tops: set[Key]) -> bool:
    return any(path[:end] in tops for end in range(len(path) + 1))

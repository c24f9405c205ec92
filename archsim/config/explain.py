"""Pydantic's errors in the words of the file: the user's key path, what is allowed there, and the nearest key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from archsim.config.adapt import CarriedError
from archsim.config.describe import describe, listed
from archsim.config.document import Key
from archsim.config.places import (
    MISSING,
    Place,
    Trail,
    fields_of,
    literals_of,
    lookup,
    place_of,
    tags_of,
    walk,
)
from archsim.errors import Problem, nearest

_WRONG_TYPE = frozenset({"literal_error", "enum", "int_from_float", "none_required", "is_instance_of"})
_OWN_TEXT = frozenset({"value_error", "assertion_error"})


@dataclass(frozen=True)
class Finding:
    """One problem at a path of the data; ``complete`` is a problem that already names its file."""

    path: Key
    message: str
    value: Any = None
    allowed: str | None = None
    nearest: str | None = None
    complete: Problem | None = None


@dataclass(frozen=True, eq=False)
class _Error:
    """An error of pydantic and where it stands."""

    kind: str
    trail: Trail
    data: Any
    context: Mapping[str, Any]
    text: str

    @property
    def value(self) -> Any:
        """The offending value, unless it is too long to show."""
        found = lookup(self.data, self.trail.path)
        return None if found is MISSING or isinstance(found, dict) else found

    @property
    def is_wrong_type(self) -> bool:
        return self.kind.endswith("_type") or self.kind in _WRONG_TYPE


def explain(model: type[BaseModel], data: Any, errors: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """All findings for ``data`` that was refused by ``model`` with pydantic's ``errors``, each once."""
    root = place_of(model)
    located = [
        _Error(error["type"], walk(root, data, error["loc"]), data, error.get("ctx", {}), error["msg"])
        for error in errors
    ]
    unique: dict[tuple[Key, str, str], Finding] = {}
    for finding in _resolve(located, 0):
        unique.setdefault((finding.path, finding.message, str(finding.complete)), finding)
    return list(unique.values())


def _resolve(errors: Sequence[_Error], depth: int) -> list[Finding]:
    """Findings, with the errors of all members of a union made into those of the member that was meant."""
    groups: dict[Key | int, list[_Error]] = {}
    for index, error in enumerate(errors):
        forks = error.trail.forks
        groups.setdefault(forks[depth].path if len(forks) > depth else index, []).append(error)
    findings: list[Finding] = []
    for key, group in groups.items():
        findings += _explain_one(group[0]) if isinstance(key, int) else _resolve_union(group, depth)
    return findings


def _resolve_union(errors: Sequence[_Error], depth: int) -> list[Finding]:
    fork = errors[0].trail.forks[depth]
    members: dict[str, list[_Error]] = {}
    for error in errors:
        members.setdefault(error.trail.forks[depth].label, []).append(error)
    deeper = [some for some in members.values() if any(len(error.trail.path) > len(fork.path) for error in some)]
    if deeper or len(members) == 1:
        candidates = [_resolve(some, depth + 1) for some in deeper or members.values()]
        return min(candidates, key=lambda found: (len(found), -sum(finding.nearest is not None for finding in found)))
    meant = [some for some in members.values() if not all(error.is_wrong_type for error in some)]
    if len(meant) == 1:
        return _resolve(meant[0], depth + 1)
    return [_misfit(errors[0], fork.union)]


def _explain_one(error: _Error) -> list[Finding]:
    carried = error.context.get("error")
    if isinstance(carried, CarriedError):
        return [_carried(problem, error.trail.path) for problem in carried.error.problems]
    if error.trail.is_key:
        return [Finding(error.trail.path, error.text.replace("Input should", "key should", 1))]
    if error.kind in _OWN_TEXT:
        shown = error.value if fields_of(error.trail.place) else lookup(error.data, error.trail.path)
        return [Finding(error.trail.path, str(carried or error.text), shown)]
    explainer = _EXPLAINERS.get(error.kind)
    return [_misfit(error, error.trail.place) if explainer is None else explainer(error)]


def _carried(problem: Problem, path: Key) -> Finding:
    if problem.file is not None:
        return Finding(path, problem.message, complete=problem)
    steps = [
        int(step) if step.isascii() and step.isdigit() else step for step in (problem.key or "").split(".") if step
    ]
    return Finding((*path, *steps), problem.message, problem.value, problem.allowed, problem.nearest)


def _misfit(error: _Error, place: Place | None) -> Finding:
    """The value is not what the place accepts."""
    path = error.trail.path
    accepted = describe(place) if place is not None else None
    text = f"must be {accepted}" if accepted else error.text.replace("Input should be", "must be", 1)
    found = lookup(error.data, path)
    if found is None:
        return Finding(path, f"has no value; {text}")
    if isinstance(found, dict):
        return Finding(path, f"{text}, not a mapping")
    known = [str(value) for value in literals_of(place)] if place is not None else []
    close = nearest(found, known) if isinstance(found, str) else None
    if known and not (place and place.members) and isinstance(found, str | int | float):
        return Finding(path, "unknown value", found, listed(known), close)
    return Finding(path, text, found, nearest=close)


def _missing(error: _Error) -> Finding:
    trail = error.trail
    if isinstance(trail.path[-1], int):
        shorter = Trail(trail.path[:-1], trail.parent, None, trail.forks)
        return _misfit(_Error(error.kind, shorter, error.data, {}, error.text), trail.parent)
    accepted = describe(trail.place) if trail.place is not None else None
    return Finding(trail.path, f"is missing; must be {accepted}" if accepted else "is missing")


def _unknown_key(error: _Error) -> Finding:
    key = str(error.trail.path[-1])
    known = sorted(fields_of(error.trail.parent))
    present = lookup(error.data, error.trail.path[:-1])
    absent = [name for name in known if isinstance(present, dict) and name not in present]
    close = nearest(key, absent) or nearest(key, known)
    return Finding(error.trail.path, "unknown key", allowed=listed(known) or None, nearest=close)


def _tag(error: _Error) -> Finding:
    """The key that tells the members of a union apart is missing or unknown."""
    key = str(error.context.get("discriminator", "")).strip("'")
    path = (*error.trail.path, key)
    tags = [str(tag) for tag in (tags_of(error.trail.place, key) if error.trail.place is not None else ())]
    found = lookup(error.data, path)
    if found is MISSING:
        return Finding(path, "is missing", allowed=listed(tags) or None)
    if found is None:
        return Finding(path, "has no value", allowed=listed(tags) or None)
    return Finding(path, "unknown value", found, listed(tags) or None, nearest(str(found), tags))


def _quantity(error: _Error) -> Finding:
    allowed, close = error.context.get("allowed"), error.context.get("nearest")
    return Finding(error.trail.path, error.text, error.value, allowed, close)


def _not_finite(error: _Error) -> Finding:
    return Finding(error.trail.path, "must be a finite number", error.value)


_EXPLAINERS: Mapping[str, Callable[[_Error], Finding]] = {
    "missing": _missing,
    "extra_forbidden": _unknown_key,
    "union_tag_invalid": _tag,
    "union_tag_not_found": _tag,
    "quantity": _quantity,
    "finite_number": _not_finite,
}

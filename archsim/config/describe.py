"""What a field accepts, in words that fit behind "must be"."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from types import UnionType
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from archsim.config.places import Place, literals_of, place_of
from archsim.config.units import Quantity


def describe(place: Place) -> str | None:
    """For example ``a whole number of at least 1``; None for types that have no description here."""
    parts = [_describe_one(member) for member in place.members or (place,)]
    if any(part is None for part in parts):
        return None
    return " or ".join([*dict.fromkeys(str(part) for part in parts), *["null"] * place.accepts_null])


def _describe_one(place: Place) -> str | None:
    kind = get_origin(place.annotation) or place.annotation
    values = literals_of(place)
    if values:
        return " or ".join(f"'{value}'" for value in values) if len(values) < 4 else f"one of {listed(values)}"
    if not isinstance(kind, type):
        return None
    describers: tuple[tuple[type | UnionType, Callable[[Place], str]], ...] = (
        (bool, lambda _: "true or false"),
        (int | float, _describe_number),
        (str, _describe_text),
        (Mapping | BaseModel, lambda _: "a mapping"),
        (Sequence | Set, _describe_list),
    )
    return next((phrase(place) for kinds, phrase in describers if issubclass(kind, kinds)), None)


def listed(values: Iterable[Any]) -> str:
    """Allowed values as one text."""
    return ", ".join(str(value) for value in values)


def _describe_number(place: Place) -> str:
    is_whole = place.annotation is int
    quantity = next((item for item in place.metadata if isinstance(item, Quantity)), None)
    noun = "a whole number" if is_whole else "a number"
    limits = _limits(place.metadata, is_whole=is_whole)
    if quantity is None:
        return f"{noun} {limits}".rstrip()
    limits = f", {limits.removeprefix('of ')}," if limits else ""
    return f"{noun} of {quantity.noun}{limits} or text such as '{quantity.example}'"


def _limits(metadata: tuple[Any, ...], *, is_whole: bool) -> str:
    """The tightest bounds in words: ``of at least 1``, ``from 1 to 16``, ``above 0 and at most 1``."""
    lows = [(value, False) for value in _stated(metadata, "ge")]
    highs = [(value, True) for value in _stated(metadata, "le")]
    lows += [(value + 1, False) if is_whole else (value, True) for value in _stated(metadata, "gt")]
    highs += [(value - 1, True) if is_whole else (value, False) for value in _stated(metadata, "lt")]
    (low, is_above), (high, is_reached) = max(lows, default=(None, False)), min(highs, default=(None, True))
    if low is not None and high is not None and not is_above and is_reached:
        words = [f"from {_number(low)} to {_number(high)}"]
    else:
        words = [] if low is None else [f"{'above' if is_above else 'at least'} {_number(low)}"]
        words += [] if high is None else [f"{'at most' if is_reached else 'below'} {_number(high)}"]
    words += [f"a multiple of {_number(step)}" for step in _stated(metadata, "multiple_of")]
    text = " and ".join(words)
    return f"of {text}" if text.startswith("at ") else text


def _stated(metadata: tuple[Any, ...], name: str) -> list[Any]:
    """The values of one kind of constraint, such as ``ge`` or ``min_length``."""
    values = [getattr(item, name, None) for item in metadata]
    return [value for value in values if value is not None and not callable(value)]


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else f"{value!r}"


def _describe_text(place: Place) -> str:
    words = [f"of the form {pattern}" for pattern in _stated(place.metadata, "pattern")]
    words += [_length(place.metadata, "character")]
    return " ".join(["text", *(word for word in words if word)])


def _describe_list(place: Place) -> str:
    arguments = get_args(place.annotation)
    if get_origin(place.annotation) is tuple and arguments and arguments[-1] is not Ellipsis:
        items = [describe(place_of(argument)) for argument in arguments]
        text = f"a list of {len(items)} value{'s' * (len(items) != 1)}"
        return f"{text}, each {items[0]}" if len(items) > 1 and items[0] and len(set(items)) == 1 else text
    return f"a list {_length(place.metadata, 'item')}".rstrip()


def _length(metadata: tuple[Any, ...], noun: str) -> str:
    least, most = _stated(metadata, "min_length"), _stated(metadata, "max_length")
    words = [f"at least {max(least)}"] if least and max(least) > 0 else []
    words += [f"at most {min(most)}"] if most else []
    return f"of {' and '.join(words)} {noun}s".replace(" 1 " + noun + "s", " 1 " + noun) if words else ""

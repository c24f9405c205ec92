"""Which type of the schema stands at which place of the data: pydantic's error locations, read along the models.

A location of pydantic mixes the user's keys with its own labels (the tag or type of the union member that was tried);
only a walk along the annotations tells them apart.
"""

from __future__ import annotations

import re
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, RootModel
from pydantic.fields import FieldInfo

from archsim.config.document import Key

MISSING: Any = object()
KEY_MARK = "[key]"


@dataclass(frozen=True, eq=False)
class Place:
    """A type with all that constrains it; ``members`` are the alternatives other than null."""

    annotation: Any
    metadata: tuple[Any, ...] = ()
    discriminator: str | None = None
    members: tuple[Place, ...] = ()
    accepts_null: bool = False


@dataclass(frozen=True, eq=False)
class Fork:
    """A union on the way: at which path of the data, and which member pydantic speaks of."""

    path: Key
    union: Place
    label: str


@dataclass(frozen=True, eq=False)
class Trail:
    """Where an error stands in the data and in the schema (None where the schema cannot be followed)."""

    path: Key
    place: Place | None
    parent: Place | None
    forks: tuple[Fork, ...] = ()
    is_key: bool = False


def lookup(data: Any, path: Key) -> Any:
    """The value at a path, or MISSING."""
    for step in path:
        is_item = isinstance(data, list) and isinstance(step, int) and 0 <= step < len(data)
        if not is_item and not (isinstance(data, dict) and step in data):
            return MISSING
        data = data[step]
    return data


def place_of(annotation: Any, metadata: tuple[Any, ...] = (), discriminator: str | None = None) -> Place:
    """A type as written in a model, freed of aliases, ``Annotated`` and root models."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *extra = get_args(annotation)
            for item in extra:
                found = item.metadata if isinstance(item, FieldInfo) else [item]
                discriminator = discriminator or _discriminator(item)
                metadata = (*metadata, *found)
        elif hasattr(annotation, "__value__"):
            annotation = annotation.__value__
        elif isinstance(annotation, type) and issubclass(annotation, RootModel):
            root = annotation.model_fields["root"]
            annotation, metadata = root.annotation, (*metadata, *root.metadata)
            discriminator = discriminator or _discriminator(root)
        else:
            break
    if get_origin(annotation) not in (Union, types.UnionType):
        return Place(annotation, metadata, discriminator)
    choices = get_args(annotation)
    members = [place_of(choice, metadata) for choice in choices if choice is not type(None)]
    members = [inner for member in members for inner in (member.members or (member,))]
    if len(members) == 1:
        return replace(members[0], discriminator=discriminator, accepts_null=type(None) in choices)
    return Place(annotation, metadata, discriminator, tuple(members), type(None) in choices)


def field_place(field: FieldInfo) -> Place:
    """The place of a model's field."""
    return place_of(field.annotation, tuple(field.metadata), _discriminator(field))


def fields_of(place: Place | None) -> dict[str, FieldInfo]:
    """The fields by the key that a file uses, when the place holds a model."""
    annotation = place.annotation if place is not None else None
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return {}
    return {field.alias or name: field for name, field in annotation.model_fields.items()}


def walk(root: Place, data: Any, location: tuple[str | int, ...]) -> Trail:
    """Follow an error location of pydantic through the schema and the data."""
    trail = Trail((), root, None)
    for index, step in enumerate(location):
        place = trail.place
        if step == KEY_MARK and index == len(location) - 1:
            return replace(trail, is_key=True)
        if place is not None and place.members:
            fork = Fork(trail.path, place, str(step))
            trail = replace(trail, place=_narrowed(place, str(step)), forks=(*trail.forks, fork))
        elif place is not None:
            trail = Trail((*trail.path, step), _below(place, step), place, trail.forks)
        elif lookup(data, (*trail.path, step)) is not MISSING or index == len(location) - 1:
            trail = replace(trail, path=(*trail.path, step), parent=None)
    return trail


def literals_of(place: Place) -> tuple[Any, ...]:
    """The values of a Literal or Enum (of all such members, for a union)."""
    if place.members:
        return tuple(value for member in place.members for value in literals_of(member))
    if get_origin(place.annotation) is Literal:
        return get_args(place.annotation)
    members = getattr(place.annotation, "__members__", None)
    return tuple(member.value for member in members.values()) if members else ()


def tags_of(union: Place, key: str) -> tuple[Any, ...]:
    """The values that the key ``key`` may have over all members of a discriminated union."""
    tags: list[Any] = []
    for member in union.members:
        field = fields_of(member).get(key)
        tags += literals_of(field_place(field)) if field is not None else ()
    return tuple(dict.fromkeys(tags))


def _discriminator(info: Any) -> str | None:
    name = getattr(info, "discriminator", None)
    return name if isinstance(name, str) else None


def _below(place: Place, step: str | int) -> Place | None:
    fields = fields_of(place)
    if fields:
        return field_place(fields[str(step)]) if step in fields else None
    origin, arguments = get_origin(place.annotation), get_args(place.annotation)
    if not isinstance(origin, type) or not arguments:
        return None
    if issubclass(origin, Mapping):
        return place_of(arguments[1])
    if issubclass(origin, tuple) and arguments[-1] is not Ellipsis:
        return place_of(arguments[step]) if isinstance(step, int) and step < len(arguments) else None
    return place_of(arguments[0]) if issubclass(origin, Sequence | set | frozenset) else None


def _narrowed(union: Place, label: str) -> Place | None:
    fits = [member for member in union.members if _is_called(member, union.discriminator, label)]
    return fits[0] if len(fits) == 1 else None


def _is_called(member: Place, discriminator: str | None, label: str) -> bool:
    """Whether a union's label, such as ``conv2d``, ``constrained-int`` or ``list[int]``, means this member."""
    if discriminator is not None:
        field = fields_of(member).get(discriminator)
        return field is not None and label in {str(value) for value in literals_of(field_place(field))}
    kind = get_origin(member.annotation) or member.annotation
    name = "literal" if kind is Literal else str(getattr(kind, "__name__", kind)).lower()
    head = label.lower().split("[", 1)[0]
    if head in (name, f"constrained-{name}"):
        return True
    return head.startswith("function-") and re.search(rf"\b{re.escape(name)}\b", label.lower()) is not None

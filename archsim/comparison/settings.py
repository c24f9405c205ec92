"""Settings in which chips of one family differ, key by key, from the descriptions that their results hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archsim.accelerators import family, family_names
from archsim.comparison.sides import Side, alike
from archsim.config import Document, validate
from archsim.errors import ArchsimError

PROSE = ("name", "description", "source")
UNSET = "none"
FILES = "(files that it names)"


@dataclass(frozen=True)
class Setting:
    """A dotted key as ``--set`` takes it, and what each side has there, as its user wrote it or as the default is."""

    key: str
    values: tuple[str, ...]


def settings(sides: Sequence[Side]) -> tuple[Setting, ...]:
    """The settings that differ; empty where the chips' families differ, as their keys have nothing in common.

    Values are compared as the family reads them (``0.4 GHz`` is ``400 MHz``, what is not stated is its default).
    """
    stated = [side.stated("arch") for side in sides]
    kinds = [one.get("family") if isinstance(one, Mapping) else None for one in stated]
    if kinds[0] is None or not alike(kinds):
        return ()
    written = [dict(leaves(one)) for one in stated]
    meant = [_meant(one) for one in stated]
    read = [dict(leaves(one)) for one in meant if one is not None]
    if len(read) < len(sides):
        read = written
    keys = dict.fromkeys(key for one in read for key in one)
    differing = [key for key in keys if not alike([one.get(key) for one in read])]
    found = [
        Setting(key, tuple(_shown(key, wrote, one) for wrote, one in zip(written, read, strict=True)))
        for key in differing
    ]
    hashes = tuple(side.result.hashes.get("architecture", "") for side in sides)
    return tuple(found) if found or alike(hashes) or not alike(written) else (Setting(FILES, hashes),)


def leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and values of plain data; prose at the top is left out."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            if key or name not in PROSE:
                yield from leaves(item, f"{key}.{name}".lstrip("."))
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from leaves(item, f"{key}.{number}")
    else:
        yield key, value


def _meant(stated: Mapping[str, Any]) -> dict[str, Any] | None:
    """The description with its defaults, in base units; None where it cannot be read here (a plug-in's, for one)."""
    name = str(stated["family"])
    if name not in family_names():
        return None
    try:
        chip = validate(family(name).schema, Document(dict(stated), "", {}))
    except ArchsimError:
        return None
    return chip.model_dump(mode="json", by_alias=True)


def _shown(key: str, written: Mapping[str, Any], read: Mapping[str, Any]) -> str:
    value = written.get(key, read.get(key))
    return UNSET if value is None else str(value)

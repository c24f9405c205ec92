"""What a file is, as its top-level keys say: so that one that was swapped for another is told in one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from archsim.config.document import Document
from archsim.config.presets import Kind as PresetKind
from archsim.errors import ConfigError, Problem

Kind = PresetKind | Literal["sweep", "result"]
NOUNS: Mapping[Kind, str] = {
    "arch": "a chip", "workload": "a network", "cost": "a cost table", "device": "a device", "sweep": "a sweep",
    "result": "the result of a run",
}  # fmt: skip
SIGNS: Mapping[Kind, tuple[frozenset[str], ...]] = {  # a file with all keys of a set is of the kind
    "arch": (frozenset({"family"}),),
    "workload": (frozenset({"layers"}),),
    "cost": (frozenset({"grids"}), frozenset({"constants"}), frozenset({"prices"})),
    "device": (frozenset({"conductance", "levels"}),),
    "sweep": (frozenset({"archs"}), frozenset({"workloads"})),
    "result": (frozenset({"arch", "workload", "cycles"}),),
}


def kinds_of(data: object) -> list[Kind]:
    """The kinds whose keys stand at the top of a file's data; a result has layers, too, and is no network."""
    keys = set(data) if isinstance(data, dict) else set()
    found = [kind for kind, signs in SIGNS.items() if any(sign <= keys for sign in signs)]
    return ["result"] if "result" in found else found


def swapped(document: Document, wanted: Kind) -> Problem | None:
    """The one problem of a file that is of another kind than ``wanted``; None where its keys do not say so clearly."""
    kinds = kinds_of(document.data)
    if len(kinds) != 1 or kinds[0] == wanted:
        return None
    keys = " or ".join(", ".join(sorted(sign)) for sign in SIGNS[wanted])
    text = f"this is {NOUNS[kinds[0]]}; {NOUNS[wanted]} is wanted here"
    return Problem(text, document.file, allowed=f"a file with the key{'s' * (',' in keys)} {keys}")


def refuse_swapped(document: Document, wanted: Kind) -> None:
    """ConfigError for a file that is clearly of another kind."""
    problem = swapped(document, wanted)
    if problem is not None:
        raise ConfigError(problem)

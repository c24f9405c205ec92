"""What was asked for: the chip and the workload as their files state them, overrides, and what was used to answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from archsim.report.html.parts import Cell, Folded, Part, Prose, Table
from archsim.report.style import shortened

if TYPE_CHECKING:
    from archsim.result import Result

MOST_LETTERS_OF_A_VALUE = 2_000
MOST_LETTERS_OF_A_FILE = 60_000
MOST_KEYS = 300


def configuration(result: Result) -> tuple[Part, ...]:
    """Chip and workload as keys that ``--set`` takes, and as YAML; then overrides, overlays, plug-ins."""
    chip, workload = (_mapping(result.inputs.get(kind)) for kind in ("arch", "workload"))
    top = {key: value for key, value in workload.items() if key != "layers"}
    asked = [
        f"{label}: {', '.join(str(item) for item in result.inputs.get(key, ())) or 'none'}"
        for key, label in (("overrides", "Overrides"), ("costs", "Cost overlays"), ("plugins", "Plug-ins"))
    ]
    return (
        _keys("chip", f"Chip {shortened(result.arch, 120)}: what its file states", chip),
        Folded("The chip as YAML", source=_yaml(chip)),
        _keys("workload", f"Workload {shortened(result.workload, 120)}: what its file states, without the layers", top),
        Folded("The workload as YAML, with its layers", source=_yaml(workload)),
        Prose(tuple(asked), listed=True),
    )


def identity(result: Result) -> Table:
    """Versions of the programs and hashes of the inputs."""
    rows = [(Cell(f"version of {name}"), Cell(text)) for name, text in result.versions.items()]
    rows += [(Cell(f"hash of the {name}"), Cell(text)) for name, text in result.hashes.items()]
    return Table("versions", "Versions and hashes", ("what", "which"), tuple(rows), texts=2, sortable=False)


def _mapping(data: Any) -> Mapping[str, Any]:
    return data if isinstance(data, Mapping) else {}


def _keys(key: str, caption: str, data: Mapping[str, Any]) -> Table:
    found = list(_dotted(data))
    rows = tuple((Cell(where), Cell(shortened(said, MOST_LETTERS_OF_A_VALUE))) for where, said in found[:MOST_KEYS])
    left = len(found) - MOST_KEYS
    note = f"{left:,} more keys are in the YAML below" if left > 0 else ""
    return Table(key, caption, ("key", "value"), rows, texts=2, sortable=False, note=note)


def _dotted(data: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Dotted keys with their values; lists of plain values stand in one line."""
    if isinstance(data, Mapping) and data:
        for key, value in data.items():
            yield from _dotted(value, f"{at}.{key}".lstrip("."))
    elif isinstance(data, list) and any(isinstance(item, Mapping | list) for item in data):
        for number, item in enumerate(data):
            yield from _dotted(item, f"{at}.{number}")
    elif at:
        yield shortened(at, 120), ", ".join(map(_plain, data)) if isinstance(data, list) else _plain(data)


def _plain(value: Any) -> str:
    """As YAML writes it."""
    named = {True: "true", False: "false", None: "null"}
    return named[value] if value is None or isinstance(value, bool) else str(value)


def _yaml(data: Mapping[str, Any]) -> str:
    import yaml

    text = yaml.safe_dump(dict(data), sort_keys=False, allow_unicode=True, width=100)
    left = len(text) - MOST_LETTERS_OF_A_FILE
    return text if left <= 0 else f"{text[:MOST_LETTERS_OF_A_FILE]}\n# {left:,} more letters are left out\n"

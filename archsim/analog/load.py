"""Devices by name, from YAML files, and from CSV files of measured states."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archsim.analog.device import UNMODELLED, Device
from archsim.analog.schema import US_PER_S
from archsim.config import Document, build_from, find, overridden, read_text, validate
from archsim.config.document import Key
from archsim.errors import ArchsimError, ConfigError, Problem

COLUMNS = ("state", "mean", "sigma")


def load_device(name_or_path: str | Path, overrides: Sequence[str] = (), like: Device | None = None) -> Device:
    """A device by preset name, YAML file or CSV file, with dotted overrides such as ``read.voltage=0.2``.

    A CSV file states, for each level, the mean and the standard deviation of the measured conductance, in siemens::

        # source: our chip, 2026-03-02
        state,mean,sigma
        0,5e-6,2e-7
        1,50e-6,1e-6

    It gives the levels and the variation (normal, linear between the states); everything else is that of ``like``, or
    not modelled. ConfigError lists everything that is wrong.
    """
    path, shown = find("device", name_or_path)
    if path.suffix.lower() != ".csv":
        return build_from("device", name_or_path, overrides, lambda document, _: validate(Device, document))
    states, problems = _read_states(path, shown)
    document, malformed = overridden(_document(states, path, shown, like), overrides)
    problems += malformed
    if len(states.rows) >= 2:
        try:
            device = validate(Device, document)
        except ArchsimError as error:
            problems += error.problems
        else:
            if not problems:
                return device
    raise ConfigError(problems)


@dataclass(frozen=True)
class _States:
    """What a CSV file says: (line, mean, sigma) in the order of the states, and the source in a comment."""

    rows: tuple[tuple[int, float, float], ...]
    source: str


def _read_states(path: Path, shown: str) -> tuple[_States, list[Problem]]:
    """The well-formed rows and what is wrong with the others."""
    lines = [(number, line.strip()) for number, line in enumerate(read_text(path, shown).splitlines(), 1)]
    comments = [line[1:].strip() for _, line in lines if line.startswith("#")]
    stated = [comment.partition(":")[2].strip() for comment in comments if comment.lower().startswith("source:")]
    source = next((text for text in stated if text), f"{shown}: measured states")
    body = [(number, next(csv.reader([line]))) for number, line in lines if line and not line.startswith("#")]
    header = [name.strip() for name in body[0][1]] if body else []
    if header != list(COLUMNS):
        text, allowed = "the first line must name the columns", ",".join(COLUMNS)
        return _States((), source), [Problem(text, shown, body[0][0] if body else 1, None, ",".join(header), allowed)]
    problems: list[Problem] = []
    rows: list[tuple[int, float, float]] = []
    for state, (number, fields) in enumerate(body[1:]):
        faults = _faults(fields, state, rows[-1][1] if rows else 0.0)
        problems += [Problem(text, shown, number, key, value) for text, key, value in faults]
        if not faults:
            rows.append((number, float(fields[1]), float(fields[2])))
    if len(body) < 3:
        problems.append(Problem("needs at least two states", shown, body[-1][0], value=len(body) - 1))
    return _States(tuple(rows), source), problems


def _faults(fields: Sequence[str], state: int, below_s: float) -> list[tuple[str, str | None, Any]]:
    """What is wrong with one row: text, column and value."""
    if len(fields) != len(COLUMNS):
        return [(f"must have {len(COLUMNS)} values: {', '.join(COLUMNS)}", None, ",".join(fields))]
    number, mean, sigma = (text.strip() for text in fields)
    faults: list[tuple[str, str | None, Any]] = []
    if number != str(state):
        faults.append((f"must be {state}: states are numbered from 0 in ascending order", "state", number))
    mean_s, sigma_s = _number(mean), _number(sigma)
    if mean_s is None or mean_s <= 0:
        faults.append(("must be a number of siemens above 0", "mean", mean))
    elif mean_s > 1:
        faults.append(("is above 1 S; conductances are in siemens", "mean", mean))
    elif mean_s <= below_s:
        faults.append(("must be above the mean of the state before it", "mean", mean))
    if sigma_s is None or sigma_s < 0:
        faults.append(("must be a number of siemens of at least 0", "sigma", sigma))
    return faults


def _number(text: str) -> float | None:
    """A finite number, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _document(states: _States, path: Path, shown: str, like: Device | None) -> Document:
    """The states as a device file would state them; problems point at the lines of the CSV file."""
    means = [mean * US_PER_S for _, mean, _ in states.rows]
    sigmas = [sigma * US_PER_S for _, _, sigma in states.rows]
    data: dict[str, Any] = {
        **(dict.fromkeys(UNMODELLED) if like is None else like.model_dump(mode="json")),
        "kind": "measured" if like is None else like.kind,
        "name": path.stem,
        "description": f"states of {shown}" + ("" if like is None else f", everything else of {like.name}"),
        "conductance": {"g_min": means[0], "g_max": means[-1], "source": states.source} if means else {},
        "levels": {"count": len(means), "states": means, "source": states.source},
        "variation": {
            "distribution": "normal",
            "table": [{"g": mean, "sigma": sigma} for mean, sigma in zip(means, sigmas, strict=True)],
            "source": states.source,
        },
    }
    lines: Mapping[Key, int] = {("levels", "states", index): number for index, (number, _, _) in enumerate(states.rows)}
    return Document(data, shown, lines, path.parent)

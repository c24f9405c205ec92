"""A list of layers, as the workload files of layer-by-layer simulators state it, written as archsim's workload YAML.

Such files name no connections. Where every layer reads just what the layer before it makes, the layers are chained; a
single mismatch (a pool, a shortcut, a padding written into a map) makes a table of independent layers of the list.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from archsim.config import parse_document, validate
from archsim.errors import ArchsimError, Problem, WorkloadError
from archsim.workload.densities import DEFAULT
from archsim.workload.draft import draft_of
from archsim.workload.io.importing import Asked
from archsim.workload.io.text import workload_text
from archsim.workload.network import INPUT, Shape
from archsim.workload.resolve import resolve
from archsim.workload.schema import WorkloadFile

_FORBIDDEN = re.compile(r"[^\w.+ \-]")
_LONGEST_NAME = 200
_LAYERS = "\nlayers:\n"


@dataclass(frozen=True)
class Row:
    """One layer of a file: the line on which it stands, its name there, and what it computes.

    ``keys`` are those of archsim's layer beside ``name`` and ``input_shape``.
    """

    line: int
    name: str
    kind: str
    in_shape: Shape
    out_shape: Shape
    keys: dict[str, Any]


@dataclass(frozen=True)
class LayerList:
    """A whole file: its rows, and what holds for all of them."""

    rows: Sequence[Row]
    timesteps: int
    density: float
    description: str
    source: str
    precision: dict[str, int]
    neuron: dict[str, Any]


def convolution(
    line: int, name: str, in_shape: Shape, filters: int, kernel: tuple[int, int], stride: tuple[int, int],
    padding: tuple[int, int] = (0, 0), groups: int = 1,
) -> Row:  # fmt: skip
    """A convolution of ``filters`` filters (per group); one of 1 x 1 over a single place is fully connected."""
    channels, height, width = in_shape
    if (height, width) == kernel == (1, 1) and padding == (0, 0) and groups == 1:
        return Row(line, name, "linear", in_shape, (filters, 1, 1), {"in_features": channels, "out_features": filters})
    rows, columns = (
        (size + 2 * pad - k) // step + 1
        for size, k, step, pad in zip((height, width), kernel, stride, padding, strict=True)
    )
    out = groups * filters
    keys: dict[str, Any] = {"out_channels": out, "kernel": _short(kernel)}
    keys |= {"stride": _short(stride)} if stride != (1, 1) else {}
    keys |= {"padding": _short(padding)} if padding != (0, 0) else {}
    keys |= {"groups": groups} if groups > 1 else {}
    return Row(line, name, "conv2d", in_shape, (out, rows, columns), keys)


def product(line: int, name: str, rows: int, in_features: int, out_features: int) -> Row:
    """A matrix product of ``rows`` x ``in_features`` by ``in_features`` x ``out_features``."""
    keys = {"in_features": in_features, "out_features": out_features}
    shapes = (in_features, rows, 1), (out_features, rows, 1)
    if rows == 1:
        return Row(line, name, "linear", *shapes, keys)
    return Row(line, name, "matmul", *shapes, {"rows": rows, **keys})


def refuse_meaningless(asked: Asked, tool: str) -> list[Problem]:
    """Options of an import that say nothing about a list of layers."""
    given = {
        "dialect": asked.dialect, "dt": asked.dt, "input_shape": asked.input_shape, "input_scale": asked.input_scale,
    }  # fmt: skip
    texts = {
        "dialect": "has layers and no neurons, so there are no dialects",
        "dt": "has layers and no neurons, so there is no time step",
        "input_shape": "states the input of every layer",
        "input_scale": "has no weights that an input meets",
    }
    return [
        Problem(f"{tool}'s file {texts[key]}; leave this out", str(asked.path), key=key, value=value)
        for key, value in given.items()
        if value is not None
    ]


def is_chain(rows: Sequence[Row]) -> bool:
    """Whether every layer but the first reads just what the one before it makes; a single layer is no chain."""
    return len(rows) > 1 and all(
        after.in_shape == before.out_shape
        or (after.kind == "linear" and math.prod(after.in_shape) == math.prod(before.out_shape))
        for before, after in pairwise(rows)
    )


def connection(rows: Sequence[Row]) -> str:
    """The note on how the layers are connected."""
    if is_chain(rows):
        return "every layer reads what the one before it makes, so they are chained; `chained: false` would part them"
    return "the layers do not feed each other as they stand, so they are a table of independent layers (chained: false)"


def named(rows: Sequence[Row]) -> tuple[list[Row], list[str]]:
    """The rows under names that archsim allows, each once; and a note on every name that was changed."""
    taken = {INPUT, DEFAULT}
    found, notes = [], []
    for row in rows:
        plain = _FORBIDDEN.sub("_", row.name.strip())[: _LONGEST_NAME - 10]
        base = plain if re.match(r"\w", plain) else f"layer_{plain}"
        name, count = base, 1
        while name in taken:
            count += 1
            name = f"{base}-{count}"
        taken.add(name)
        found.append(replace(row, name=name))
        if name != row.name:
            notes.append(
                f"line {row.line}: layer '{row.name}' is called '{name}' here: names are unique, of letters and _ . + -"
            )
    return found, notes


def write(asked: Asked, layers: LayerList) -> str:
    """The workload file. WorkloadError with the lines of the list's own file for what archsim does not model."""
    chained = is_chain(layers.rows)
    head: dict[str, Any] = {
        "name": asked.name, "description": layers.description, "source": layers.source, "timesteps": layers.timesteps,
    }  # fmt: skip
    encoding = asked.encoding or ("events" if chained else None)
    if encoding is not None:
        head["input"] = {"shape": _stated(layers.rows[0].in_shape), "encoding": encoding}
    head |= {"neuron": layers.neuron, "precision": layers.precision, "chained": chained}
    head["activity"] = {"density": layers.density}
    text = workload_text(head, [_layer(row, chained) for row in layers.rows])
    _check(text, asked, layers.rows)
    return text


def _layer(row: Row, chained: bool) -> dict[str, Any]:
    keys: dict[str, Any] = {"name": row.name, "type": row.kind}
    if row.kind == "conv2d" and not chained:
        keys["input_shape"] = list(row.in_shape)
    return keys | row.keys


def _check(text: str, asked: Asked, rows: Sequence[Row]) -> None:
    """Load what was written; its problems stand on the lines of the file that was read."""
    first = text[: text.index(_LAYERS)].count("\n") + 3
    try:
        document = parse_document(text, str(asked.path))
        _, problems = resolve(draft_of(validate(WorkloadFile, document)), document)
    except ArchsimError as error:
        problems = list(error.problems)
    if problems:
        raise WorkloadError(_moved(problems, first, rows))


def _moved(problems: Iterable[Problem], first: int, rows: Sequence[Row]) -> list[Problem]:
    """The problems of a text whose layers stand on lines from ``first`` on, one each, on the lines of the rows."""
    found = []
    for problem in problems:
        index = -1 if problem.line is None else problem.line - first
        inside = 0 <= index < len(rows)
        found.append(replace(problem, line=rows[index].line if inside else None))
    return found


def _stated(shape: Shape) -> list[int]:
    return [shape[0]] if shape[1:] == (1, 1) else list(shape)


def _short(pair: tuple[int, int]) -> int | list[int]:
    return pair[0] if pair[0] == pair[1] else list(pair)

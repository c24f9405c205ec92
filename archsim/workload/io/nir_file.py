"""A NIR file as plain nodes.

The format is that of NIR 1.0 (Pedersen et al., Nature Communications 15, 8122, 2024): a group ``node`` that is a graph,
with groups ``nodes/NAME`` (a member ``type``, and one per parameter) and a member ``edges`` of pairs of names.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.errors import ConfigError, Problem, nearest
from archsim.workload.io.nir_process import UnreadableError, answer_of
from archsim.workload.io.nir_reader import NEEDED

Value = NDArray[Any] | str


@dataclass(frozen=True)
class Node:
    """One node: its type, its parameters, and for a graph the nodes and edges in it."""

    kind: str
    fields: Mapping[str, Value] = field(default_factory=dict)
    nodes: Mapping[str, Node] = field(default_factory=dict)
    edges: tuple[tuple[str, str], ...] = ()

    def array(self, name: str) -> NDArray[Any] | None:
        """A parameter that is numbers; None where the file does not state it so."""
        value = self.fields.get(name)
        return None if isinstance(value, str) else value


@dataclass(frozen=True)
class NirFile:
    """The graph of a file, and the version of NIR that wrote it."""

    graph: Node
    version: str


def read_nir(path: Path) -> NirFile:
    """Read a NIR file in a process of its own; ConfigError with everything that is wrong with its nodes.

    Refused: what is no HDF5 file, links out of the file, unknown types of nodes, missing parameters, values that are no
    finite numbers, more than 10,000 nodes, 16 nested graphs or 1 GiB of numbers.
    """
    shown = str(path)
    if find_spec("h5py") is None:
        raise ConfigError(Problem("reading NIR needs the package 'h5py': pip install 'archsim[nir]'", shown))
    try:
        with np.load(io.BytesIO(answer_of(path)), allow_pickle=False) as members:
            found = json.loads(str(members["found"]))
            arrays = {int(name[1:]): members[name] for name in members.files if name != "found"}
    except UnreadableError as error:
        raise ConfigError(Problem(f"is a damaged NIR file: {error}", shown)) from None
    except OSError as error:
        raise ConfigError(Problem(f"cannot be read: {error.strerror or error}", shown)) from None
    if "error" in found:
        raise ConfigError(Problem(f"is no NIR file, or a damaged one: {found['error']}", shown))
    if found["problems"]:
        raise ConfigError([_problem(problem, shown) for problem in found["problems"]])
    return NirFile(_node(found["graph"], arrays), found["version"] or "of unknown version")


def _problem(found: Mapping[str, Any], shown: str) -> Problem:
    """A problem of the reader; one that names a type of node also has the types that there are."""
    if "value" not in found:
        return Problem(found["message"], shown, key=found["key"])
    value, known = found["value"], ", ".join(NEEDED)
    near = nearest(value or "", NEEDED)
    return Problem(found["message"], shown, key=found["key"], value=value, allowed=known, nearest=near)


def _node(found: Mapping[str, Any], arrays: Mapping[int, NDArray[Any]]) -> Node:
    fields = {
        name: value if isinstance(value, str) else arrays[value] for name, value in found.get("fields", {}).items()
    }
    nodes = {name: _node(node, arrays) for name, node in found.get("nodes", {}).items()}
    return Node(found["kind"], fields, nodes, tuple((source, target) for source, target in found.get("edges", ())))

"""A NIR file as plain nodes: HDF5 from a stranger, so that types, links and sizes are checked before anything is read.

The format is that of NIR 1.0 (Pedersen et al., Nature Communications 15, 8122, 2024): a group ``node`` that is a graph,
with groups ``nodes/NAME`` (a member ``type``, and one per parameter) and a member ``edges`` of pairs of names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archsim.errors import ConfigError, Problem, nearest

if TYPE_CHECKING:
    import h5py

MAX_NODES = 10_000
MAX_DEPTH = 16
MAX_EDGES = 100_000
MAX_BYTES = 1 << 30
GRAPH = "NIRGraph"
_CONV = ("weight", "bias", "stride", "padding", "dilation", "groups")
_POOL = ("kernel_size", "stride", "padding")
NEEDED: Mapping[str, tuple[str, ...]] = {
    "Affine": ("weight", "bias"),
    "AvgPool2d": _POOL,
    "Conv1d": _CONV,
    "Conv2d": _CONV,
    "CubaLI": ("tau_syn", "tau_mem", "r", "v_leak"),
    "CubaLIF": ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold"),
    "Delay": ("delay",),
    "Flatten": ("start_dim", "end_dim"),
    "I": ("r",),
    "IF": ("r", "v_threshold"),
    "Input": (),
    "LI": ("tau", "r", "v_leak"),
    "LIF": ("tau", "r", "v_leak", "v_threshold"),
    "Linear": ("weight",),
    GRAPH: ("nodes", "edges"),
    "Output": (),
    "Scale": ("scale",),
    "SumPool2d": _POOL,
    "Threshold": ("threshold",),
}
"""Parameters that a node of each type cannot do without."""
OPTIONAL = ("input_shape", "input_type", "shape", "v_reset", "w_in")
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
    """Read a NIR file; ConfigError with everything that is wrong with its nodes.

    Refused: what is no HDF5 file, links out of the file, unknown types of nodes, missing parameters, values that are no
    finite numbers, more than 10,000 nodes, 16 nested graphs or 1 GiB of numbers.
    """
    shown = str(path)
    try:
        import h5py
    except ImportError:
        raise ConfigError(Problem("reading NIR needs the package 'h5py': pip install 'archsim[nir]'", shown)) from None
    try:
        with h5py.File(path, "r") as file:
            reader = _Reader(shown)
            graph = reader.root(file)
            version = reader.text(file, "version") or "of unknown version"
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, MemoryError) as error:
        reason = str(error).partition("(")[2].rstrip(")") or str(error)
        raise ConfigError(Problem(f"is no NIR file, or a damaged one: {reason}", shown)) from None
    if reader.problems or graph is None:
        raise ConfigError(reader.problems)
    return NirFile(graph, version)


class _Reader:
    """One pass over a file; keeps what is wrong."""

    def __init__(self, shown: str) -> None:
        self.shown = shown
        self.problems: list[Problem] = []
        self.nodes = 0
        self.bytes = 0

    def blame(self, where: str, message: str, **hints: Any) -> None:
        self.problems.append(Problem(message, self.shown, key=where or None, **hints))

    def root(self, file: h5py.File) -> Node | None:
        """The graph of the whole file."""
        group = self.group(file, "node")
        if group is None:
            self.blame("", "is an HDF5 file, but no NIR file: it has no group 'node'")
            return None
        node = self.node(group, "", 0)
        if node is not None and node.kind != GRAPH:
            self.blame("", f"holds a single {node.kind} in place of a graph")
        return node

    def node(self, group: h5py.Group, where: str, depth: int) -> Node | None:
        """A node and what is in it; None if it cannot be read."""
        self.nodes += 1
        if self.nodes > MAX_NODES or depth > MAX_DEPTH:
            if not any("at most" in problem.message for problem in self.problems):
                self.blame(where, f"is too much: at most {MAX_NODES:,} nodes, and {MAX_DEPTH} graphs in each other")
            return None
        kind = self.text(group, "type")
        if kind is None or kind not in NEEDED:
            text = "states no type" if kind is None else "is of a type that NIR 1.0 does not have"
            self.blame(where, text, value=kind, allowed=", ".join(NEEDED), nearest=nearest(kind or "", NEEDED))
            return None
        if kind == GRAPH:
            return self.graph(group, where, depth)
        fields = {name: self.value(group, name, where) for name in (*NEEDED[kind], *OPTIONAL)}
        missing = [name for name in NEEDED[kind] if name not in group]
        if missing:
            self.blame(where, f"{kind} without {', '.join(missing)}")
        return Node(kind, {name: value for name, value in fields.items() if value is not None})

    def graph(self, group: h5py.Group, where: str, depth: int) -> Node | None:
        inside, edges = self.group(group, "nodes"), self.edges(group, where)
        if inside is None or edges is None:
            self.blame(where, "a graph without nodes, or without readable edges (pairs of names)")
            return None
        found = {}
        for name in inside:
            own = self.group(inside, name)
            label = f"{where}.{name}" if where else str(name)
            if own is None:
                self.blame(label, "is no group of this file")
            elif (node := self.node(own, label, depth + 1)) is not None:
                found[str(name)] = node
            if self.nodes > MAX_NODES:
                break
        return Node(GRAPH, {}, found, edges)

    def group(self, parent: h5py.Group, name: str) -> h5py.Group | None:
        """A group that lies in this file (no link to another place); None if there is none."""
        import h5py

        if not isinstance(parent.get(name, getlink=True), h5py.HardLink):
            return None
        found = parent.get(name)
        return found if isinstance(found, h5py.Group) else None

    def dataset(self, parent: h5py.Group, name: str, where: str) -> h5py.Dataset | None:
        """A member with values, of a size that is read; None if there is none."""
        import h5py

        if name not in parent:
            return None
        link = parent.get(name, getlink=True)
        found = parent.get(name) if isinstance(link, h5py.HardLink) else None
        if not isinstance(found, h5py.Dataset) or found.external or found.is_virtual:
            self.blame(f"{where}.{name}" if where else name, "holds no values in this file")
            return None
        if found.shape is None:
            return None
        self.bytes += found.size * found.dtype.itemsize
        if self.bytes > MAX_BYTES:
            self.blame(where, f"the file holds more than {MAX_BYTES:,} bytes of values; at most so many are read")
            return None
        return found

    def text(self, parent: h5py.Group, name: str) -> str | None:
        """A member that is one text."""
        found = self.dataset(parent, name, "")
        value = None if found is None or found.shape != () else found[()]
        if isinstance(value, bytes):
            return value.decode("utf-8", "replace")
        return value if isinstance(value, str) else None

    def value(self, parent: h5py.Group, name: str, where: str) -> Value | None:
        """A parameter: finite numbers, or one text."""
        found = self.dataset(parent, name, where)
        if found is None:
            return None
        if found.dtype.kind in "OS":
            return self.text(parent, name)
        key = f"{where}.{name}"
        if found.dtype.kind not in "fiub":
            self.blame(key, f"holds {found.dtype}; allowed: numbers")
            return None
        array = np.asarray(found[()])
        wrong = ~np.isfinite(array)
        if wrong.any():
            first = [int(place) for place in np.argwhere(wrong)[0]]
            place = f" at {first}" if first else ""
            text = f"{int(wrong.sum()):,} values are no finite numbers, the first ({array[tuple(first)]}){place}"
            self.blame(key, text)
            return None
        return array

    def edges(self, group: h5py.Group, where: str) -> tuple[tuple[str, str], ...] | None:
        found = self.dataset(group, "edges", where)
        if found is None or found.size == 0:
            return None if found is None else ()
        if found.ndim != 2 or found.shape[1] != 2 or found.dtype.kind not in "OS" or found.shape[0] > MAX_EDGES:
            return None
        texts = [[_decoded(item) for item in pair] for pair in found[()]]
        return tuple(dict.fromkeys((source, target) for source, target in texts))


def _decoded(item: Any) -> str:
    return item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item)

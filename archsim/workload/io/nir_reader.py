"""The program that opens NIR files, in a process of its own: libhdf5 can be made to crash, or never to end.

It reads paths (JSON, one a line) and answers each with a length (8 bytes) and an npz: ``found`` is JSON (version, graph
and problems, or the error that ended it), ``a0``, ``a1``, ... the arrays that the graph refers to. Types, links and
sizes are checked before values are read. It imports nothing of archsim.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

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


def main() -> None:
    """Answer every path that comes in."""
    for line in sys.stdin.buffer:
        content = answer(json.loads(line))
        sys.stdout.buffer.write(len(content).to_bytes(8, "big"))
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


def answer(path: str) -> bytes:
    """What is in a file, as an npz."""
    import h5py

    reader = Reader()
    found: dict[str, Any] = {}
    try:
        with h5py.File(path, "r") as file:
            found["graph"] = reader.root(file)
            found["version"] = reader.text(file, "version")
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, MemoryError, AttributeError) as error:
        found = {"error": str(error).partition("(")[2].rstrip(")") or str(error)}
    found["problems"] = reader.problems
    content = io.BytesIO()
    arrays: dict[str, Any] = {f"a{index}": array for index, array in enumerate(reader.arrays)}
    np.savez(content, found=np.array(json.dumps(found)), **arrays)
    return content.getvalue()


class Reader:
    """One pass over a file; keeps its arrays and what is wrong."""

    def __init__(self) -> None:
        self.problems: list[dict[str, Any]] = []
        self.arrays: list[NDArray[Any]] = []
        self.nodes = 0
        self.bytes = 0

    def blame(self, where: str, message: str, **hints: Any) -> None:
        """Keep a problem with its place and hints."""
        self.problems.append({"message": message, "key": where or None, **hints})

    def root(self, file: h5py.File) -> dict[str, Any] | None:
        """The graph of the whole file."""
        group = self.group(file, "node")
        if group is None:
            self.blame("", "is an HDF5 file, but no NIR file: it has no group 'node'")
            return None
        node = self.node(group, "", 0)
        if node is not None and node["kind"] != GRAPH:
            self.blame("", f"holds a single {node['kind']} in place of a graph")
        return node

    def node(self, group: h5py.Group, where: str, depth: int) -> dict[str, Any] | None:
        """A node and what is in it; None if it cannot be read."""
        self.nodes += 1
        if self.nodes > MAX_NODES or depth > MAX_DEPTH:
            if not any("at most" in problem["message"] for problem in self.problems):
                self.blame(where, f"is too much: at most {MAX_NODES:,} nodes, and {MAX_DEPTH} graphs in each other")
            return None
        kind = self.text(group, "type")
        if kind is None or kind not in NEEDED:
            text = "states no type" if kind is None else "is of a type that NIR 1.0 does not have"
            self.blame(where, text, value=kind)
            return None
        if kind == GRAPH:
            return self.graph(group, where, depth)
        fields = {name: self.value(group, name, where) for name in (*NEEDED[kind], *OPTIONAL)}
        told = {problem["key"] for problem in self.problems}
        missing = [name for name in NEEDED[kind] if fields[name] is None and f"{where}.{name}" not in told]
        if missing:
            self.blame(where, f"{kind} without {', '.join(missing)}")
        return {"kind": kind, "fields": {name: value for name, value in fields.items() if value is not None}}

    def graph(self, group: h5py.Group, where: str, depth: int) -> dict[str, Any] | None:
        """A graph and all nodes in it; None if it has no nodes or edges."""
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
        return {"kind": GRAPH, "nodes": found, "edges": edges}

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

    def value(self, parent: h5py.Group, name: str, where: str) -> str | int | None:
        """A parameter: a text, or the number of the array of its finite numbers."""
        found = self.dataset(parent, name, where)
        if found is None:
            return None
        key = f"{where}.{name}"
        if found.dtype.kind in "OS" and name == "padding" and found.shape == ():
            return self.text(parent, name)
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
        self.arrays.append(array)
        return len(self.arrays) - 1

    def edges(self, group: h5py.Group, where: str) -> list[tuple[str, str]] | None:
        """Pairs of names, each once."""
        found = self.dataset(group, "edges", where)
        if found is None or found.size == 0:
            return None if found is None else []
        if found.ndim != 2 or found.shape[1] != 2 or found.dtype.kind not in "OS" or found.shape[0] > MAX_EDGES:
            return None
        texts = [[_decoded(item) for item in pair] for pair in found[()]]
        return list(dict.fromkeys((source, target) for source, target in texts))


def _decoded(item: Any) -> str:
    return item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item)


if __name__ == "__main__":
    main()

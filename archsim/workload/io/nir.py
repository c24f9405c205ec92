"""NIR files: the graph, the dialect that it is read in, and the workload file that comes out."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.errors import ConfigError, Problem, nearest
from archsim.workload.io.dialects import DIALECTS, Dialect
from archsim.workload.io.importing import DEFAULT_TIMESTEPS, Asked, Imported
from archsim.workload.io.nir_file import NirFile, Node, read_nir
from archsim.workload.io.nir_graph import NEURONS, Placed, placed
from archsim.workload.io.nir_layers import Layers, layers_of
from archsim.workload.io.nir_shapes import Dims, show
from archsim.workload.io.text import workload_text
from archsim.workload.network import INPUT

_LITERAL = DIALECTS["euler"]
_STEPPED = {*NEURONS, "Delay"} - {"Threshold"}
_PRECISION = {"weight_bits": 8, "membrane_bits": 16, "input_bits": 8}


@dataclass
class _Graph:
    """What of a file no dialect changes: the nodes in order, the input's shape, and what is wrong so far."""

    file: str
    order: list[Placed] = field(default_factory=list)
    nodes: Mapping[str, Node] = field(default_factory=dict)
    shape: Dims = None
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def blame(self, where: str, message: str) -> None:
        self.problems.append(Problem(message, self.file, key=where or None))


@dataclass
class _Reading:
    """A graph as one dialect reads it."""

    dialect: Dialect | None
    layers: Layers
    problems: list[Problem]

    def same_as(self, other: _Reading) -> bool:
        """Whether both are the same network."""
        mine, theirs = self.layers.arrays, other.layers.arrays
        equal = self.layers.layers == other.layers.layers and mine.keys() == theirs.keys()
        return equal and all(np.array_equal(mine[name], theirs[name]) for name in mine)


def read(asked: Asked) -> Imported:
    """The network of a NIR file in the dialect that is asked for, or in the only one that it can be in.

    ConfigError with all problems: of the file, of its graph, of shapes and weights, of nodes that the dialect does not
    know; without a dialect where one is needed, the dialects that fit and what each means.
    """
    file = read_nir(asked.path)
    graph = _Graph(str(asked.path))
    graph.order, entry, graph.nodes = placed(file.graph, graph.blame)
    _input_shape(graph, entry, asked)
    if asked.dialect is not None and asked.dialect not in DIALECTS:
        near = nearest(asked.dialect, DIALECTS)
        text, known = "no such dialect", ", ".join(DIALECTS)
        graph.problems.append(Problem(text, key="dialect", value=asked.dialect, allowed=known, nearest=near))
        raise ConfigError([*graph.problems, *_read_as(graph, _LITERAL, asked).problems])
    reading = _chosen(graph, asked)
    return _imported(file, graph, reading, asked)


def _chosen(graph: _Graph, asked: Asked) -> _Reading:
    """The graph as the dialect that was asked for reads it, else as every dialect that can read it does."""
    if asked.dialect is not None:
        readings = [_read_as(graph, DIALECTS[asked.dialect], asked)]
    elif not any(one.node.kind in _STEPPED for one in graph.order):
        readings = [_read_as(graph, None, asked)]
    else:
        readings = [_read_as(graph, dialect, asked) for dialect in DIALECTS.values()]
    of_all = [problem for problem in readings[0].problems if all(problem in other.problems for other in readings)]
    fitting = [reading for reading in readings if len(reading.problems) == len(of_all)]
    problems = graph.problems + of_all
    if fitting and all(reading.same_as(fitting[0]) for reading in fitting[1:]):
        if problems:
            raise ConfigError(problems)
        return fitting[0]
    if fitting:
        possible = ", ".join(reading.dialect.name for reading in fitting if reading.dialect is not None)
        text = "a NIR file does not say how its neurons are stepped; name what wrote it with --dialect"
        problems.append(Problem(f"{text}; possible for this file: {possible}", graph.file, key="dialect"))
    else:
        text = "no dialect can have written this file; with one of them as --dialect it is said why"
        problems.append(Problem(text, graph.file, key="dialect", allowed=", ".join(DIALECTS)))
    for reading in fitting:
        assert reading.dialect is not None
        problems.append(Problem(reading.dialect.meaning, graph.file, key=f"--dialect {reading.dialect.name}"))
    raise ConfigError(problems)


def _read_as(graph: _Graph, dialect: Dialect | None, asked: Asked) -> _Reading:
    """The graph in one dialect; None where nothing in it needs one."""
    used = dialect or _LITERAL
    problems: list[Problem] = []
    if dialect is not None:
        foreign = [one for one in graph.order if one.node.kind in NEURONS and not _writes(dialect, one.node.kind)]
        if foreign:
            listed = ", ".join(f"{one.name} ({one.node.kind})" for one in foreign)
            text = f"the dialect '{dialect.name}' has no such neurons: {listed}"
            problems.append(Problem(text, graph.file, key="dialect", allowed=", ".join(dialect.writes)))

    def blame(where: str, message: str) -> None:
        problem = Problem(message, graph.file, key=where or None)
        if problem not in problems:
            problems.append(problem)

    layers = layers_of(graph.order, graph.nodes, graph.shape, used, asked.dt or used.dt, blame)
    return _Reading(dialect, layers, problems)


def _writes(dialect: Dialect, kind: str) -> bool:
    return kind in dialect.writes or kind == "Threshold"


def _input_shape(graph: _Graph, entry: str, asked: Asked) -> None:
    """The input's shape: what is asked for, else what the file states; a contradiction of the two is a problem."""
    stated = _stated_shape(graph, entry)
    given = asked.input_shape
    if given is None and stated is None and entry:
        text = "the file does not state the shape of its input; name it with --input-shape"
        graph.blame(entry, text)
    elif given is not None and stated is not None and given != stated:
        if math.prod(given) == math.prod(stated):
            text = f"the file calls its input {show(stated)}; it is read as {show(given)}, in the same order"
            graph.notes.append(text)
        else:
            graph.problems.append(
                Problem(f"contradicts the file, whose input is {show(stated)}", key="input_shape", value=list(given))
            )
            given = stated
    graph.shape = stated if given is None else given


def _stated_shape(graph: _Graph, entry: str) -> Dims:
    """What the Input node says, else what the first node that reads it says; None if neither does."""
    node = graph.nodes.get(entry)
    if node is None:
        return None
    found = _sizes(node.array("shape"))
    first = [_read_by(one.node) for one in graph.order if INPUT in one.sources]
    read = next((shape for shape in first if shape is not None), None)
    if found is None:
        return read
    if (len(found) == 4 and found[0] == 1) or (read is not None and found == (1, *read)):
        found = found[1:]  # an axis of one image, which exporters leave there
    if len(found) <= 3:
        return found
    graph.blame(entry, f"the input has {len(found)} axes; allowed: 1 to 3, without those of images and time")
    return None


def _read_by(node: Node) -> Dims:
    """The shape that a node says it reads."""
    weight, groups = node.array("weight"), node.array("groups")
    if node.kind in ("Linear", "Affine") and weight is not None and weight.ndim == 2:
        return (weight.shape[1],)
    stated = _sizes(node.array("input_type" if node.kind == "Flatten" else "input_shape"))
    if weight is not None and weight.ndim > 2 and stated is not None and groups is not None and groups.size == 1:
        return (weight.shape[1] * int(groups.flat[0]), *stated)
    return stated if node.kind == "Flatten" else None


def _sizes(values: NDArray[Any] | None) -> Dims:
    sizes = [] if values is None else [float(size) for size in values.reshape(-1)[:8]]
    return tuple(map(int, sizes)) if sizes and all(1 <= size <= 1 << 24 for size in sizes) else None


def _imported(file: NirFile, graph: _Graph, reading: _Reading, asked: Asked) -> Imported:
    """The workload file's text and arrays."""
    assert graph.shape is not None
    layers, notes = reading.layers, [*graph.notes, *reading.layers.notes]
    if asked.dialect is None and reading.dialect is not None:
        notes.append(f"dialect: {reading.dialect.name}; no other reads this file, or they read it alike")
    if asked.timesteps is None:
        notes.append(f"timesteps: {DEFAULT_TIMESTEPS} is a placeholder, a NIR file states none (--timesteps)")
    if asked.encoding is None:
        notes.append("encoding: events, spikes as they come; a NIR file states none (--encoding)")
    if asked.encoding == "direct" and asked.input_scale is None:
        notes.append("input.scale: 1, integers as they are; a network trained on pixels / 255 needs --input-scale 255")
    if any(one.get("neuron", {}).get("max_spikes", 1) > 1 for one in layers.layers):
        notes.append("max_spikes: 255 bounds the spikes that a neuron sends per step; the framework has no bound")
    head: dict[str, Any] = {
        "name": asked.name,
        "description": f"Imported from {asked.path.name}.",
        "source": _source(file, reading, asked),
        "timesteps": asked.timesteps or DEFAULT_TIMESTEPS,
        "input": _input(graph.shape, asked),
    }
    head |= _common_neuron(layers.layers)
    head["precision"] = _PRECISION
    if layers.arrays:
        head["weights"] = asked.weights_file
    comments = ["precision: archsim's defaults; the file holds floating-point numbers.", *notes]
    return Imported(asked.name, workload_text(head, layers.layers, comments), layers.arrays or None, tuple(notes))


def _input(shape: Sequence[int], asked: Asked) -> dict[str, Any]:
    found: dict[str, Any] = {"shape": list(shape), "encoding": asked.encoding or "events"}
    if asked.input_scale is not None:
        scale = float(asked.input_scale)
        found["scale"] = int(scale) if scale.is_integer() else scale
    return found


def _common_neuron(layers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The neuron that all layers share, taken out of them; nothing where they differ."""
    own = [layer["neuron"] for layer in layers if "neuron" in layer]
    if not own or any(one != own[0] for one in own):
        return {}
    for layer in layers:
        layer.pop("neuron", None)
    return {"neuron": own[0]}


def _source(file: NirFile, reading: _Reading, asked: Asked) -> str:
    digest = hashlib.sha256(asked.path.read_bytes()).hexdigest()[:16]
    text = f"{asked.path.name} (NIR {file.version}, sha256 {digest}...)"
    if reading.dialect is None:
        return text
    dialect, dt = reading.dialect, asked.dt or reading.dialect.dt
    return f"{text}; dialect {dialect.name}, dt {f'{dt:g}' if dt else 'from r'}, as in {dialect.source}"

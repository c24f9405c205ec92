"""The nodes of a NIR graph in the order in which they are executed: nested graphs opened, recurrent weights found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from archsim.errors import nearest
from archsim.workload.io.nir_file import Node
from archsim.workload.io.nir_reader import GRAPH
from archsim.workload.network import INPUT

Blame = Callable[[str, str], None]
NEURONS = ("CubaLI", "CubaLIF", "I", "IF", "LI", "LIF", "Threshold")
RECURRENT = ("Affine", "Conv2d", "Linear", "Scale")
_PORTS = ("Input", "Output")


@dataclass(frozen=True)
class Placed:
    """A node in its place: what it reads (names of nodes, or ``input``), and the node that feeds it back its spikes.

    ``feedback`` is that node's name; the neuron's own name where its spikes return as they are.
    """

    name: str
    node: Node
    sources: tuple[str, ...]
    feedback: str | None = None


@dataclass
class Flat:
    """All nodes of a graph and of the graphs in it, by their path, and who reads whom."""

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)


def placed(graph: Node, blame: Blame) -> tuple[list[Placed], str, Mapping[str, Node]]:
    """The nodes in order (the last is what the network puts out), the input's name, and all nodes by name.

    Several edges into a node are several sources of it. Problems: edges to nothing, several inputs or outputs, nodes
    that nothing feeds, and cycles other than a neuron and one weighted node that feeds its spikes back.
    """
    flat = _opened(graph, "", blame)
    inputs = [name for name, node in flat.nodes.items() if node.kind == "Input" and name in graph.nodes]
    outputs = [name for name, node in flat.nodes.items() if node.kind == "Output" and name in graph.nodes]
    for kind, ports in (("Input", inputs), ("Output", outputs)):
        if len(ports) != 1:
            listed = f": {', '.join(ports)}" if ports else ""
            blame("", f"the graph has {len(ports)} {kind} nodes; a workload has one{listed}")
    if len(inputs) != 1 or len(outputs) != 1:
        return [], "", flat.nodes
    sources = _sources(flat, inputs[0])
    inner = [name for name, node in flat.nodes.items() if node.kind not in _PORTS]
    feedback = _feedback(flat, sources, inner)
    names = [name for name in inner if name not in feedback.values() or name in feedback]
    reads = {name: tuple(one for one in sources[name] if one != feedback.get(name)) for name in names}
    for name, own in reads.items():
        if not own:
            blame(name, "nothing feeds this node")
    ends = sources[outputs[0]]
    order = _in_order(reads, ends, blame)
    found = [Placed(name, flat.nodes[name], reads[name], feedback.get(name)) for name in order]
    if not ends or INPUT in ends:
        blame(outputs[0], "the output reads the input itself" if ends else "nothing feeds this node")
    elif len(ends) > 1:
        found.append(Placed(outputs[0], Node("Output"), ends))
    return found, inputs[0], flat.nodes


def _opened(graph: Node, prefix: str, blame: Blame) -> Flat:
    """The graph with nested ones opened: an edge to a graph leads to its Input, one from it comes from its Output."""
    flat = Flat()
    ports: dict[str, dict[str, list[str]]] = {}
    for name, node in graph.nodes.items():
        path = prefix + name
        if node.kind != GRAPH:
            flat.nodes[path] = node
            continue
        inner = _opened(node, f"{path}.", blame)
        flat.nodes |= inner.nodes
        flat.edges += inner.edges
        ports[name] = {
            kind: [f"{path}.{one}" for one, each in node.nodes.items() if each.kind == kind] for kind in _PORTS
        }
    for source, target in graph.edges:
        ends = [_end(flat, ports, prefix, one, kind, blame) for one, kind in ((source, "Output"), (target, "Input"))]
        if ends[0] is not None and ends[1] is not None:
            flat.edges.append((ends[0], ends[1]))
    return flat


def _end(
    flat: Flat, ports: Mapping[str, Mapping[str, list[str]]], prefix: str, name: str, kind: str, blame: Blame
) -> str | None:
    """The node that one end of an edge stands for."""
    if name in ports:
        found = ports[name][kind]
        if len(found) != 1:
            blame(prefix + name, f"an edge meets this graph, which has {len(found)} {kind} nodes; one is needed")
        return found[0] if len(found) == 1 else None
    path = prefix + name
    if path in flat.nodes:
        return path
    near = nearest(path, flat.nodes)
    blame(path, "an edge names this node, and there is none" + (f"; did you mean '{near}'?" if near else ""))
    return None


def _sources(flat: Flat, entry: str) -> dict[str, tuple[str, ...]]:
    """What each node reads, inner Inputs and Outputs skipped; the network's own input is ``input``."""
    direct: dict[str, list[str]] = {name: [] for name in flat.nodes}
    for source, target in flat.edges:
        direct[target].append(source)
    found = {}
    for name in flat.nodes:
        reads: dict[str, None] = {}
        seen, stack = {name}, list(reversed(direct[name]))
        while stack:
            one = stack.pop()
            if one == entry:
                reads[INPUT] = None
            elif flat.nodes[one].kind not in _PORTS:
                reads[one] = None
            elif one not in seen:
                seen.add(one)
                stack += reversed(direct[one])
        found[name] = tuple(reads)
    return found


def _feedback(flat: Flat, sources: Mapping[str, tuple[str, ...]], inner: list[str]) -> dict[str, str]:
    """Neuron -> the weighted node that reads only it and feeds only it, or itself for an edge to itself."""
    readers: dict[str, list[str]] = {}
    for name, reads in sources.items():
        for one in reads:
            readers.setdefault(one, []).append(name)
    found: dict[str, str] = {}
    for name in inner:
        if name in sources[name] and flat.nodes[name].kind in NEURONS:
            found.setdefault(name, name)
        elif flat.nodes[name].kind in RECURRENT and len(sources[name]) == 1 and readers.get(name) == [*sources[name]]:
            neuron = sources[name][0]
            if neuron in flat.nodes and flat.nodes[neuron].kind in NEURONS:
                found.setdefault(neuron, name)
    return found


def _in_order(reads: Mapping[str, tuple[str, ...]], ends: tuple[str, ...], blame: Blame) -> list[str]:
    """Producers before their readers, each branch to its end, otherwise as the file lists them; the end is last."""
    waiting = {name: {one for one in own if one != INPUT} for name, own in reads.items()}
    readers: dict[str, list[str]] = {}
    for name, own in waiting.items():
        for one in own:
            readers.setdefault(one, []).append(name)
    last = set(ends[:1]) if len(ends) == 1 else set()
    ready = [name for name, own in waiting.items() if not own]
    order: list[str] = []
    while ready:
        at = next((index for index, name in enumerate(ready) if name not in last), 0)
        name = ready.pop(at)
        order.append(name)
        for reader in readers.get(name, []):
            waiting[reader].discard(name)
        ready = [reader for reader in readers.get(name, []) if not waiting[reader]] + ready
    left = set(waiting) - set(order)
    while dead := {name for name in left if not left.intersection(readers.get(name, []))}:
        left -= dead
    if left:
        text = "these nodes feed each other; only a neuron with one weighted node of its own (or an edge to itself) may"
        blame(", ".join(name for name in waiting if name in left), text)
    return order

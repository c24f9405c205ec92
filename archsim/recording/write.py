"""From the graph of a module to the text of a workload file and the arrays of its weights."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archsim.recording.graph import POOLS, WEIGHTED, Array, Graph, Node
from archsim.recording.neurons import Neurons
from archsim.workload.io.text import workload_text

_SHORT = {"linear": "fc", "neuron": "neuron", "batchnorm": "bn"} | dict.fromkeys(POOLS, "pool")
_TAKEN = ("input", "default")


@dataclass(frozen=True)
class Written:
    """The layers as mappings of a workload file, the arrays of the weights, and whose spikes each layer sends.

    ``modules``: layer -> path of the module; ``spikes``: layer -> path of the module of its neurons.
    """

    layers: list[dict[str, Any]]
    arrays: dict[str, Array]
    modules: dict[str, str]
    spikes: dict[str, str]


class Writer:
    """One pass over the layers of a graph."""

    def __init__(self, graph: Graph, neurons: Mapping[str, Neurons]) -> None:
        self.graph, self.neurons = graph, neurons
        self.kept = graph.layers()
        self.names: dict[Node, str] = {}
        self.written = Written([], {}, {}, {})
        self._merged = self._neurons_behind()

    def write(self) -> Written:
        """All layers; layers that archsim has not, or that cannot follow each other, are noted in the graph."""
        for node in self.kept:
            self._check(node)
        if not self.graph.problems and not any(node.kind in WEIGHTED for node in self.kept):
            self.graph.blame("module", "no Conv1d, Conv2d or Linear computes anything from its input")
        if not self.graph.problems and not any(node.kind == "neuron" for node in self.kept):
            self.graph.blame("module", "none of its neurons is one of snnTorch, SpikingJelly or sinabs")
        if not self.graph.problems:
            for node in self.kept:
                self._write(node)
        return self.written

    def source(self, node: Node) -> Node:
        """The node, or what it is another view of."""
        while node.kind == "flatten" and (node.keys.get("same") or self._only_linear(node)):
            node = node.inputs[0]
        return node

    def _only_linear(self, node: Node) -> bool:
        """Whether only linear layers read a flattened map: they flatten it themselves."""
        return all(reader.kind == "linear" for reader in self.graph.readers_of(node))

    def _neurons_behind(self) -> dict[Node, Node]:
        """Weighted layers whose only reader is a neuron module, which becomes theirs."""
        readers: dict[Node, list[Node]] = {}
        for node in self.kept:
            if node is self.source(node):
                for one in node.inputs:
                    readers.setdefault(self.source(one), []).append(node)
        self.readers = readers
        only = {node: found[0] for node, found in readers.items() if len(found) == 1}
        return {
            node: one
            for node, one in only.items()
            if node.kind in WEIGHTED and one.kind == "neuron" and not self._before_neurons(one)
        }

    def _before_neurons(self, node: Node) -> bool:
        """Whether nothing but neurons reads a node: a workload file then takes these for its own."""
        behind = self.readers.get(node, [])
        return bool(behind) and all(one.kind == "neuron" for one in behind)

    def _covered(self, node: Node) -> bool:
        """Whether every way out of a node meets neurons before weights: a file must then say that it spikes."""
        behind = self.readers.get(node, [])
        return bool(behind) and all(
            one.kind == "neuron" or (one.kind not in WEIGHTED and self._covered(one)) for one in behind
        )

    def _check(self, node: Node) -> None:
        for one in node.inputs:
            if one.kind == "unknown" and one.name not in self.graph.problems.values():
                behind = ", ".join(f"'{source.name}'" for source in one.inputs)
                self.graph.blame(one.name, f"{one.why} (behind {behind}, read by '{node.name}')")
            elif one.kind == "state":
                self.graph.blame(node.name, f"reads '{one.name}'; between layers archsim carries spikes only")
        if node.kind in WEIGHTED:
            for one in self._currents(node):
                self.graph.blame(node.name, f"reads what is no spikes, of '{one.name}': put neurons between the two")

    def _currents(self, node: Node) -> list[Node]:
        """Where currents or potentials that reach a weighted layer come from."""
        found: list[Node] = []
        waiting = list(node.inputs)
        while waiting:
            one = waiting.pop()
            if one.kind in WEIGHTED:
                found.append(one)
            elif one.kind == "neuron":
                found += [one] * (self.neurons[one.name].keys.get("model") in ("li", "cuba_li"))
            elif one.kind != "unknown":
                waiting += one.inputs
        return found

    def _write(self, node: Node) -> None:
        if node.kind == "input":
            self.names[node] = "input"
            return
        if node is not self.source(node):
            return
        inputs = [self.names[self.source(one)] for one in node.inputs]
        if node in self._merged.values():
            self.names[node] = inputs[0]
            return
        name = self._name(node)
        self.names[node] = name
        layer: dict[str, Any] = {"name": name, "type": node.kind}
        previous = self.written.layers[-1]["name"] if self.written.layers else "input"
        if node.kind == "add":
            layer["inputs"] = inputs
        elif inputs[0] != previous:
            layer["from"] = inputs[0]
        if node.kind != "neuron":
            layer |= node.keys
            self.written.arrays.update({f"{name}.{part}": values for part, values in node.arrays.items()})
        if "bias" in node.arrays:
            layer["bias"] = True
        self.written.modules[name] = node.name
        self._with_neurons(layer, node if node.kind == "neuron" else self._merged.get(node), node)
        self.written.layers.append(layer)

    def _with_neurons(self, layer: dict[str, Any], neuron: Node | None, node: Node) -> None:
        """The neurons of a layer, or that it has none."""
        if neuron is None:
            if node.kind in WEIGHTED:
                layer["spiking"] = False
            return
        found = self.neurons[neuron.name]
        if node is not neuron and self._covered(neuron):
            layer["spiking"] = True
        layer["neuron"] = found.keys
        if found.recurrent is not None:
            layer["recurrent"] = found.recurrent
        self.written.arrays.update({f"{layer['name']}.{part}": values for part, values in found.arrays.items()})
        self.written.spikes[layer["name"]] = neuron.name

    def _name(self, node: Node) -> str:
        name = re.sub(r"[^\w.+-]", "-", node.name).lstrip(".+-")
        if not re.search(r"[^\W\d_]", name):
            name = f"{_SHORT.get(node.kind, node.kind.rstrip('12d'))}{name}"
        taken = {*_TAKEN, *self.written.modules}
        numbered = (f"{name}-{count}" for count in range(2, len(taken) + 3))
        return name if name not in taken else next(one for one in numbered if one not in taken)


def text_of(head: Mapping[str, Any], layers: Sequence[Mapping[str, Any]]) -> str:
    """A workload file; neurons that all layers share stand above them."""
    neurons = [layer["neuron"] for layer in layers if "neuron" in layer]
    shared = {"neuron": neurons[0]} if neurons and all(one == neurons[0] for one in neurons) else {}
    own = [{key: value for key, value in layer.items() if key not in shared} for layer in layers]
    return workload_text({**head, **shared}, own)

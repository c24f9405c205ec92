"""Names of layers, and what a workload file leaves out because its reader knows it: sources, flattening, neurons."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from archsim.workload.network import INPUT

_RESERVED = (INPUT, "default")
_WEIGHTED = ("conv1d", "conv2d", "linear")


def layer_names(nodes: Sequence[str]) -> dict[str, str]:
    """A name of a layer for each node: the node's, in the letters that names may have, each once."""
    names: dict[str, str] = {}
    taken = set(_RESERVED)
    for node in nodes:
        wanted = re.sub(r"[^\w.+ \-]", "_", node)[:180].strip()
        wanted = wanted if re.match(r"\w", wanted) else "n" + wanted
        name, number = wanted, 2
        while name in taken:
            name, number = f"{wanted}_{number}", number + 1
        taken.add(name)
        names[node] = name
    return names


def without_flattens(layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The layers without those that flatten maps for linear layers only: these flatten by themselves."""
    behind = _readers(layers)
    gone: dict[str, str] = {}
    kept: list[dict[str, Any]] = []
    for layer in layers:
        source = layer.get("from", INPUT)
        if "from" in layer:
            layer["from"] = gone.get(source, source)
        read_by = behind.get(layer["name"], [])
        if layer["type"] == "flatten" and read_by and all(one["type"] == "linear" for one in read_by):
            gone[layer["name"]] = layer["from"]
        else:
            kept.append(layer)
    for last, layer in zip([INPUT, *(one["name"] for one in kept)], kept, strict=False):
        if layer.get("from") == last:
            del layer["from"]
    return kept


def _readers(layers: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """By name of a layer, those that read it; every layer states what it reads."""
    found: dict[str, list[dict[str, Any]]] = {}
    for layer in layers:
        for source in layer.get("inputs", [layer.get("from", INPUT)]):
            found.setdefault(source, []).append(layer)
    return found


def state_spiking(layers: list[dict[str, Any]]) -> None:
    """State that weighted layers carry no neurons of their own where the reader of the file would give them some."""
    behind = _readers(layers)
    covered: dict[str, bool] = {}
    for layer in reversed(layers):
        read_by = behind.get(layer["name"], [])
        covered[layer["name"]] = bool(read_by) and all(
            one["type"] == "neuron" or (one["type"] not in _WEIGHTED and covered[one["name"]]) for one in read_by
        )
        if layer["type"] in _WEIGHTED and not covered[layer["name"]]:
            layer["spiking"] = False

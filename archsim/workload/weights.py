"""Weights and neuron parameters in an npz file beside the workload: written by whoever trained the network.

Members: ``format`` ("archsim-weights-1") and ``LAYER.PART``, floating-point numbers or integers. Parts:

* ``weight``: [out, in / groups, kh, kw] of a conv2d (a conv1d: [out, in / groups, k]), [out, in] of a linear or matmul;
  ``bias``: [out], where the layer has one;
* ``scale`` and ``offset`` of a batchnorm, ``y = x * scale + offset``: [C], or [T, C] with one for each timestep;
  ``scale`` of a scale layer: one number, [C] or [C, H, W];
* ``recurrent_weight``: [N, N], [C, C, kh, kw], or for elementwise one number, [C] or [C, H, W]; ``recurrent_bias``:
  [N], [C], or for elementwise as its weight;
* parameters of neurons where these differ from each other, in place of the number in the workload file: ``threshold``,
  ``leak``, ``gain``, ``rest``, ``reset_to``, ``minimum``, ``current_leak``, ``current_gain``: one number, [C] or
  [C, H, W].
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.errors import nearest
from archsim.workload.layer_schema import OF_CURRENTS, OF_SPIKES
from archsim.workload.network import Layer, Network, Neuron
from archsim.workload.npz import Member, announced, read_arrays, write_arrays

FORMAT = "archsim-weights-1"
OF_NEURONS = ("threshold", "leak", "gain", "rest", "reset_to", "minimum", "current_leak", "current_gain")
"""Parts that may differ from neuron to neuron."""
Array = NDArray[Any]
Shapes = list[tuple[int, ...]]
_SMALL_BYTES = 4096


@dataclass(frozen=True)
class Weights:
    """Checked members of a weights file, by ``LAYER.PART``; conv1d kernels have a last axis of 1."""

    file: str
    sha256: str
    arrays: Mapping[str, Array] = field(repr=False)

    def part(self, layer: str, part: str) -> Array | None:
        """One array of a layer; None if the file has none."""
        return self.arrays.get(f"{layer}.{part}")

    def of(self, layer: str) -> dict[str, Array]:
        """All arrays of a layer, by part."""
        split = ((*name.rpartition("."), array) for name, array in self.arrays.items())
        return {part: array for owner, _, part, array in split if owner == layer}


def write_weights(path: str | os.PathLike[str], arrays: Mapping[str, Array]) -> Path:
    """Write a weights file from arrays by ``LAYER.PART``, whole or not at all."""
    return write_arrays(path, {"format": np.array(FORMAT), **arrays})


def check_weights(content: bytes, network: Network, file: str) -> tuple[Weights | None, list[str]]:
    """The weights in these bytes, or everything that is wrong with them: missing, unknown, misshapen, not finite."""
    members, problems = announced(content)
    if problems:
        return None, problems
    wanted, needed = _expected(network)
    problems = _format_problems(content, members)
    problems += [f"'{name}' is missing: {_show_all(wanted[name])}" for name in needed if name not in members]
    others = [name for name in members if name != "format"]
    for name in others:
        problems += _member_problems(name, members[name], wanted)
    sound = [name for name in others if not _member_problems(name, members[name], wanted)]
    arrays, damaged = read_arrays(content, sound)
    problems += damaged
    for name, array in arrays.items():
        problems += _value_problems(name, array)
    if problems:
        return None, problems
    kernels = {name: _as_map(name, array, wanted[name]) for name, array in arrays.items()}
    return Weights(file, hashlib.sha256(content).hexdigest(), kernels), []


def _expected(network: Network) -> tuple[dict[str, Shapes], list[str]]:
    """The shapes that each member may have, the first as it is used; and the members that must be there."""
    wanted: dict[str, Shapes] = {}
    needed: list[str] = []
    for layer in network.layers:
        must = _of_layer(layer, network.timesteps)
        may = {} if layer.neuron is None else dict.fromkeys(_of_neuron(layer.neuron), _of_map(layer))
        wanted |= {f"{layer.name}.{part}": shapes for part, shapes in (must | may).items()}
        needed += [f"{layer.name}.{part}" for part in must]
    return wanted, needed


def _of_layer(layer: Layer, timesteps: int) -> dict[str, Shapes]:
    """Parts that a layer cannot do without."""
    channels, height, width = layer.out_shape
    must: dict[str, Shapes] = {}
    if layer.kind == "conv2d":
        full = (channels, layer.in_shape[0] // layer.groups, *layer.kernel)
        must["weight"] = [full] if full[-1] > 1 else [full, full[:-1]]
    elif layer.weighted:
        must["weight"] = [(channels, layer.in_shape[0])]
    if layer.bias:
        must["bias"] = [(channels,)]
    if layer.kind == "batchnorm":
        must["scale"] = must["offset"] = [(channels,), (timesteps, channels)]
    if layer.kind == "scale":
        must["scale"] = _of_map(layer)
    if layer.recurrent is not None:
        every = channels * height * width
        own: dict[str, tuple[Shapes, Shapes]] = {
            "linear": ([(every, every)], [(every,)]),
            "conv2d": ([(channels, channels, *layer.recurrent.kernel)], [(channels,)]),
            "elementwise": (_of_map(layer), _of_map(layer)),
        }
        must["recurrent_weight"] = own[layer.recurrent.kind][0]
        if layer.recurrent.bias:
            must["recurrent_bias"] = own[layer.recurrent.kind][1]
    return must


def _of_map(layer: Layer) -> Shapes:
    """What stands for every value of the layer's map: the values, one for each channel, one for all."""
    channels, height, width = layer.out_shape
    return [(channels, height, width), (channels,), (channels, 1, 1), ()]


def _of_neuron(neuron: Neuron) -> list[str]:
    """The parameters that the neuron's model has."""
    useless = {"leak"} if neuron.model == "if" else set()
    useless |= set() if neuron.has_current else set(OF_CURRENTS)
    useless |= set() if neuron.spiking else set(OF_SPIKES)
    useless |= set() if neuron.reset == "hard" else {"reset_to"}
    return [name for name in OF_NEURONS if name not in useless]


def _format_problems(content: bytes, members: Mapping[str, Member]) -> list[str]:
    if "format" in members and members["format"].bytes <= _SMALL_BYTES:
        arrays, problems = read_arrays(content, ["format"])
        kind = arrays.get("format")
        if problems or (kind is not None and kind.shape == () and str(kind) == FORMAT):
            return problems
    return [f"'format' is missing or another one; this version reads {FORMAT!r}"]


def _member_problems(name: str, member: Member, wanted: Mapping[str, Shapes]) -> list[str]:
    if name not in wanted:
        near = nearest(name, wanted)
        return [f"'{name}' belongs to nothing in this network" + (f"; did you mean '{near}'?" if near else "")]
    problems = []
    if member.dtype.kind not in "fiu":
        problems.append(f"'{name}' holds {member.dtype}; allowed: floating-point numbers and integers")
    if member.shape not in wanted[name]:
        problems.append(f"'{name}' has shape {_show(member.shape)}; expected {_show_all(wanted[name])}")
    return problems


def _value_problems(name: str, array: Array) -> list[str]:
    wrong = ~np.isfinite(array)
    if wrong.any():
        first = tuple(int(place) for place in np.argwhere(wrong)[0])
        where = f" at {_show(first)}" if first else ""
        return [f"'{name}' has {int(wrong.sum()):,} values that are no numbers, the first ({array[first]}){where}"]
    part = name.rpartition(".")[2]
    if part == "threshold" and (array <= 0).any():
        return [f"'{name}' has values of 0 or below; a threshold is above 0"]
    if part in ("leak", "current_leak") and ((array < 0) | (array > 1)).any():
        return [f"'{name}' has values outside 0..1; a leak is the fraction that is kept"]
    if part == "minimum" and (array > 0).any():
        return [f"'{name}' has values above 0; the potential starts there"]
    return []


def _as_map(name: str, array: Array, shapes: Shapes) -> Array:
    """Kernels of a conv1d with their last axis; all else as it is. Read-only."""
    array = array.reshape(shapes[0]) if name.endswith(".weight") else array
    array.flags.writeable = False
    return array


def _show(shape: tuple[int, ...]) -> str:
    return "[" + ", ".join(str(size) for size in shape) + "]" if shape else "one number"


def _show_all(shapes: Shapes) -> str:
    return " or ".join(dict.fromkeys(map(_show, shapes)))

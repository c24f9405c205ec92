"""Recorded spikes in an npz file: written by training scripts, read here without trusting a byte of it.

Members: ``format`` ("archsim-trace-1"), ``timesteps``; the network's input as ``input`` [N, C, H, W] (one image for all
timesteps), or like a layer named "input"; for every layer with neurons either ``spikes/LAYER``, the [N, T, C*H*W] bits
packed along the last axis to uint8 [N, T, ceil(C*H*W / 8)] with ``shape/LAYER`` = [C, H, W], or ``values/LAYER``, uint8
or uint16 [N, T, C, H, W] for neurons that send integers. Optional: ``labels`` [N], ``predictions`` [N].
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.workload.generators import Values
from archsim.workload.network import INPUT, Shape
from archsim.workload.npz import write_arrays

FORMAT = "archsim-trace-1"
Array = NDArray[Any]
_LARGEST = int(np.iinfo(np.uint16).max)


@dataclass(frozen=True)
class Trace:
    """Checked members of a trace file: every edge recorded for ``n_samples`` inputs and ``timesteps`` steps."""

    file: str
    timesteps: int
    n_samples: int
    members: Mapping[str, Array] = field(repr=False)
    shapes: Mapping[str, Shape]
    sha256: str

    @property
    def labels(self) -> Array | None:
        """True classes [N], if recorded."""
        return self.members.get("labels")

    @property
    def predictions(self) -> Array | None:
        """Classes that the recorded network answered [N], if recorded."""
        return self.members.get("predictions")

    def values(self, name: str, sample: int) -> Values:
        """Recorded values that leave the layer ``name`` (or ``"input"``) in one sample, [T, C, H, W]."""
        shape = self.shapes[name]
        packed = self.members.get(f"spikes/{name}")
        if packed is not None:
            bits = np.unpackbits(packed[sample], axis=-1, count=shape[0] * shape[1] * shape[2])
            return bits.reshape(self.timesteps, *shape)
        values = self.members.get(f"values/{name}")
        if values is None:
            return np.broadcast_to(self.members[INPUT][sample], (self.timesteps, *shape))
        recorded: Values = values[sample]
        return recorded


def write_trace(
    path: str | os.PathLike[str],
    timesteps: int,
    input: Array,
    spikes: Mapping[str, Array],
    labels: Array | None = None,
    predictions: Array | None = None,
) -> None:
    """Write a trace file, whole or not at all.

    ``input``: [N, C, H, W] unsigned integers (the same image at every timestep) or [N, T, C, H, W] per timestep.
    ``spikes``: layer -> [N, T, C, H, W] or [N, T, features]; 0/1 maps are bit-packed, integers kept as they are.

    Raises ValueError for negative or fractional values and for shapes that do not fit ``timesteps``.
    """
    members: dict[str, Array] = {"format": np.array(FORMAT), "timesteps": np.array(timesteps, dtype=np.int64)}
    if input.ndim == 4:
        members[INPUT] = _unsigned(INPUT, input)
    else:
        members.update(_members_of(INPUT, input, timesteps))
    for name, values in spikes.items():
        members.update(_members_of(name, values, timesteps))
    for name, labelling in (("labels", labels), ("predictions", predictions)):
        if labelling is not None:
            members[name] = np.asarray(labelling, dtype=np.int64)
    write_arrays(path, members)


def _members_of(name: str, values: Array, timesteps: int) -> dict[str, Array]:
    values = _unsigned(name, values)
    if values.ndim == 3:
        values = values[..., None, None]
    if values.ndim != 5 or values.shape[1] != timesteps:
        raise ValueError(f"{name}: expected [N, {timesteps}, C, H, W], got shape {values.shape}")
    if values.size and int(values.max()) > 1:
        return {f"values/{name}": values}
    flat = values.reshape(*values.shape[:2], -1)
    shape = np.array(values.shape[2:], dtype=np.int64)
    return {f"spikes/{name}": np.packbits(flat.astype(bool), axis=-1), f"shape/{name}": shape}


def _unsigned(name: str, values: Array) -> Array:
    """The values as uint8, or uint16 where they need it."""
    values = np.asarray(values)
    largest = values.max(initial=0)
    if values.size and (values.min() < 0 or largest > _LARGEST or not np.all(values == np.floor(values))):
        raise ValueError(f"{name}: a trace holds integers from 0 to {_LARGEST}")
    return values.astype(np.uint8 if largest <= np.iinfo(np.uint8).max else np.uint16)

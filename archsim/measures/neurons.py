"""Membrane updates and the operations of neurons, as NeuroBench 2.3.0 defines them.

A membrane is *updated* at the first timestep, and later where the potential that snnTorch stores differs from the one
before the layer was called. snnTorch stores what it compares with the threshold, before the reset, which it does a
timestep later; so do :func:`archsim.snn.simulate`'s potentials. An update costs a fixed number of operations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.workload import Layer, Neuron

Array = NDArray[Any]
RESETS = {"hard": "zero", "delayed_hard": "zero", "subtract": "subtract", "delayed_subtract": "subtract"}
CLASSES = {"if": "Leaky", "lif": "Leaky", "cuba_lif": "Synaptic"}
"""snnTorch's class of a neuron; an IF neuron is a Leaky of beta 1."""
OPERATIONS: Mapping[tuple[str, str], int] = {
    ("Leaky", "subtract"): 4, ("Leaky", "zero"): 4, ("Synaptic", "subtract"): 6, ("Synaptic", "zero"): 8,
}  # fmt: skip
"""Operations of an update; NeuroBench lists Lapicque (11) and Alpha (18, 24) too, which archsim does not have."""


def updates(potentials: Array) -> Array:
    """Membrane updates int64 [B] of potentials [B, T, C, H, W]."""
    changed = np.count_nonzero(potentials[:, 1:] != potentials[:, :-1], axis=(1, 2, 3, 4))
    found: Array = changed + int(np.prod(potentials.shape[2:]))
    return found


def operations_each(layer: Layer) -> int | None:
    """What NeuroBench takes an update of the layer's neurons to cost; None for neurons that it does not list."""
    if layer.neuron is None or layer.recurrent is not None:
        return None
    return _listed(layer.neuron)


def _listed(neuron: Neuron) -> int | None:
    return OPERATIONS.get((CLASSES.get(neuron.model, ""), RESETS.get(neuron.reset, "")))

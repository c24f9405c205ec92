"""What a run takes for granted of neurons: parameters of their own, several spikes at once, potentials that leave."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from archsim.workload import Layer, Workload
from archsim.workload.weights import OF_NEURONS

OF_COSTS = ("leak", "current_leak", "rest", "minimum")
"""Parameters whose number decides which parts an update uses."""


def neuron_assumptions(workload: Workload) -> list[str]:
    """Sentences for people: where a workload's neurons are more than what a chip's neuron units are counted for."""
    carriers = [layer for layer in workload.network.layers if layer.neuron is not None]
    notes = _of_their_own(workload, carriers) if workload.weights is not None else []
    several = [layer.name for layer in carriers if layer.spiking and layer.out_max > 1]
    if several:
        notes.append(f"the number of spikes of one update takes one comparison: {_quoted(several)}")
    silent = [layer.name for layer in carriers if not layer.spiking]
    if silent:
        notes.append(f"potentials leave at every timestep, also where the last alone predicts: {_quoted(silent)}")
    return notes


def _of_their_own(workload: Workload, carriers: Iterable[Layer]) -> list[str]:
    """Parameters in the weights file: those that differ from neuron to neuron, or from the number in the network."""
    differ: dict[str, list[str]] = {}
    other: dict[str, list[str]] = {}
    assert workload.weights is not None
    for layer in carriers:
        stated = workload.weights.of(layer.name)
        for part in OF_NEURONS:
            if part in stated and stated[part].size and np.ptp(stated[part]) > 0:
                differ.setdefault(part, []).append(layer.name)
            elif part in OF_COSTS and part in stated and not _same(getattr(layer.neuron, part), stated[part]):
                other.setdefault(part, []).append(layer.name)
    notes = [
        f"{part} differs from neuron to neuron of {_quoted(names)}; a memory for it is not counted"
        for part, names in differ.items()
    ]
    notes += [
        f"updates of {_quoted(names)} cost what the {part} in the workload's file costs, not the one among its weights"
        for part, names in other.items()
    ]
    return notes


def _same(stated: float | None, array: Any) -> bool:
    return stated is not None and bool(np.all(array == np.asarray(stated, array.dtype)))


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)

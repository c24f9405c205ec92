"""Where chunks of samples come from: a simulation on inputs, a recording, or drawn spikes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.measures.connections import Connection
from archsim.measures.tally import Chunk
from archsim.measures.travelling import Travelling
from archsim.snn import simulate
from archsim.snn.simulation import Precision
from archsim.workload import Activity, Layer, Network, Workload
from archsim.workload.network import INPUT

Array = NDArray[Any]
Progress = Callable[[int, int], None]
CHUNK_BYTES = 1 << 26
"""Potentials and spikes that are held at once."""
MOST = 64


def simulated_chunks(
    workload: Workload, values: Array, numbers: Sequence[int], labels: Array | None, precision: Precision,
    progress: Progress | None = None,
) -> Iterator[Chunk]:  # fmt: skip
    """Execute the network on inputs [N, ...] with these sample numbers."""
    network = workload.network
    names = [layer.name for layer in network.layers if layer.neuron is not None and precision == "stated"]
    for chosen in _slices(network, len(values)):
        if progress is not None:
            progress(chosen.start, len(values))
        found = simulate(workload, values[chosen], precision=precision, membranes=names, numbers=numbers[chosen])
        travelling = Travelling(network, workload.weights, _timed(found.input), found.spikes)
        potentials = found.potentials if precision == "stated" else travelling.potentials()[0]
        correct = None if labels is None else int((found.predictions == labels[chosen]).sum())
        yield Chunk(len(found.predictions), travelling.at, found.spikes, potentials, correct)


def recorded_chunks(
    workload: Workload, samples: Sequence[int], correct: Array | None, precision: Precision,
    progress: Progress | None = None,
) -> Iterator[Chunk]:  # fmt: skip
    """The spikes of a recording; potentials too where the workload's weights give just these spikes.

    ``correct``: whether each sample was classified correctly, bool [len(samples)].
    """
    network, activity = workload.network, workload.activity
    spiking = [layer for layer in network.layers if layer.spiking]
    for chosen in _slices(network, len(samples)):
        if progress is not None:
            progress(chosen.start, len(samples))
        some = samples[chosen]
        given = np.stack([_given(activity, sample) for sample in some])
        spikes = {layer.name: np.stack([activity.outputs_of(layer, sample) for sample in some]) for layer in spiking}
        travelling = Travelling(network, workload.weights, given, spikes)
        potentials = None if workload.weights is None else _potentials(workload, travelling, given, precision)
        right = None if correct is None else int(correct[chosen].sum())
        yield Chunk(len(some), travelling.at, spikes, potentials, right)


def drawn_chunks(workload: Workload, samples: Sequence[int], progress: Progress | None = None) -> Iterator[Chunk]:
    """Spikes drawn at stated densities, one sample at a time."""
    network, activity = workload.network, workload.activity
    spiking = [layer for layer in network.layers if layer.spiking and network.consumers(layer.name)]
    for number, sample in enumerate(samples):
        if progress is not None:
            progress(number, len(samples))
        spikes = {layer.name: activity.outputs_of(layer, sample)[None] for layer in spiking}

        def reaching(connection: Connection, sample: int = sample, spikes: Mapping[str, Array] = spikes) -> Array:
            if connection.recurrent:
                return Travelling(network, None, _no_input(network), spikes).at(connection)
            values = activity.inputs_of(connection.layer, sample)[None]
            divisor = _divisor(network, connection.layer)
            return values if divisor == 1 else values / divisor

        yield Chunk(1, reaching, spikes, None)


def inputs_of(activity: Activity, samples: Sequence[int]) -> Array:
    """The network's inputs of some samples: images [N, C, H, W] of a direct code, else [N, T, C, H, W]."""
    given = np.stack([_given(activity, sample) for sample in samples])
    return given[:, 0] if given.shape[1] == 1 and activity.network.encoding == "direct" else given


def _given(activity: Activity, sample: int) -> Array:
    """The network's input as it travelled, [T, C, H, W]; [1, C, H, W] where it is the same at every timestep."""
    network = activity.network
    reader = network.consumers(INPUT)[0]
    values = activity.inputs_of(reader, sample)
    assert network.input_shape is not None
    if reader.kind == "add":
        first = reader.sources.index(INPUT) * network.input_shape[0]
        values = values[:, first : first + network.input_shape[0]]
    values = values.reshape(network.timesteps, *network.input_shape)
    same = network.encoding == "direct" and (values == values[:1]).all()
    return values[:1] if same else values


def _potentials(
    workload: Workload, travelling: Travelling, given: Array, precision: Precision
) -> Mapping[str, Array] | None:
    """Potentials on recorded inputs; None if the workload's weights give other spikes than the recorded ones."""
    if precision == "float":
        potentials, same = travelling.potentials()
        return potentials if same else None
    names = [layer.name for layer in workload.network.layers if layer.neuron is not None]
    images = given[:, 0] if given.shape[1] == 1 else given
    return simulate(workload, images, precision=precision, membranes=names).potentials


def _timed(given: Array) -> Array:
    return given if given.ndim == 5 else given[:, None]


def _no_input(network: Network) -> Array:
    return np.zeros((1, 1, *(network.input_shape or (1, 1, 1))), np.uint8)


def _divisor(network: Network, layer: Layer) -> float:
    """By what a drawn integer at the layer's input is more than the real value: windows of averages, a direct scale."""
    divisor, source = 1.0, layer.sources[0] if layer.sources else ""
    while source not in ("", INPUT) and not network.layer(source).spiking and network.layer(source).kind != "add":
        before = network.layer(source)
        divisor *= np.prod(before.kernel) if before.kind == "avgpool2d" else 1.0
        source = before.sources[0]
    return divisor * (network.code.scale if source == INPUT and network.encoding == "direct" else 1.0)


def _slices(network: Network, samples: int) -> list[slice]:
    """Chunks whose potentials and values fit into ``CHUNK_BYTES``."""
    shapes = [layer.out_shape for layer in network.layers]
    one = network.timesteps * max(1, sum(int(np.prod(shape)) for shape in shapes)) * 8
    size = max(1, min(MOST, CHUNK_BYTES // one))
    return [slice(first, min(first + size, samples)) for first in range(0, samples, size)]

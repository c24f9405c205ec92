"""Executing a plan: inputs in chunks that stay in cache, chunks on several threads."""

from __future__ import annotations

import contextlib
import importlib
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.snn.inputs import Inputs
from archsim.snn.operators import applied
from archsim.snn.plan import Plan, Step
from archsim.snn.readouts import Confidence, confidences, exit_steps
from archsim.workload.network import INPUT

Array = NDArray[Any]
Progress = Callable[[int, int], None]
CHUNK_BYTES = 1 << 23
"""Values of one chunk's largest edge, over all timesteps."""


@dataclass(frozen=True)
class Ending:
    """When an input ends before the last timestep."""

    threshold: float
    confidence: Confidence


@dataclass
class Recorded:
    """Arrays that the chunks fill."""

    given: Array | None
    spikes: dict[str, Array]
    potentials: dict[str, Array]
    outputs: Array
    steps: Array
    saturations: dict[str, int]
    lock: threading.Lock = field(default_factory=threading.Lock)


def recorded_arrays(plan: Plan, inputs: Inputs, membranes: Sequence[str]) -> Recorded:
    """Empty arrays for all that a simulation of these inputs keeps."""
    network, count, steps = plan.network, len(inputs), plan.network.timesteps
    encoded = inputs.values.ndim == 4 and network.encoding != "direct"
    given = np.zeros((count, steps, *inputs.values.shape[1:]), np.uint8) if encoded else None
    spiking = [step for step in plan.steps if step.layer.spiking]
    spikes = {
        step.layer.name: np.zeros((count, steps, *step.layer.out_shape), step.neurons.out_type)
        for step in spiking if step.neurons is not None
    }  # fmt: skip
    potentials = {
        name: np.zeros((count, steps, *network.layer(name).out_shape), plan.dtype) for name in dict.fromkeys(membranes)
    }
    outputs = np.zeros((count, steps, int(np.prod(network.layers[-1].out_shape))), plan.dtype)
    return Recorded(given, spikes, potentials, outputs, np.full(count, steps, np.int64), {})


def execute(
    plan: Plan, inputs: Inputs, into: Recorded, ending: Ending | None, threads: int | None, progress: Progress | None,
    in_one: bool = False,
) -> None:  # fmt: skip
    """Run all chunks, or all inputs as one. What a chunk yields does not depend on the others."""
    chunks = [slice(0, len(inputs))] if in_one else _chunks(plan, len(inputs))
    workers = min(len(chunks), threads or os.cpu_count() or 1)
    done = 0
    if progress is not None:
        progress(0, len(inputs))
    if workers == 1:
        for chunk in chunks:
            _run(plan, inputs, chunk, into, ending)
            done += chunk.stop - chunk.start
            if progress is not None:
                progress(done, len(inputs))
        return
    with products_on_one_thread(), ThreadPoolExecutor(workers) as pool:
        waiting = {pool.submit(_run, plan, inputs, chunk, into, ending): chunk for chunk in chunks}
        try:
            for future in as_completed(waiting):
                future.result()
                done += waiting[future].stop - waiting[future].start
                if progress is not None:
                    progress(done, len(inputs))
        finally:
            pool.shutdown(cancel_futures=True)


def products_on_one_thread() -> contextlib.AbstractContextManager[object]:
    """Keep numpy's matrix products from starting threads of their own, which fight with ours; needs threadpoolctl."""
    try:
        limits = importlib.import_module("threadpoolctl").threadpool_limits
    except ImportError:
        return contextlib.nullcontext()
    held: contextlib.AbstractContextManager[object] = limits(1, "blas")
    return held


def _chunks(plan: Plan, count: int) -> list[slice]:
    widest = max(int(np.prod(step.layer.out_shape)) for step in plan.steps)
    size = max(1, min(64, CHUNK_BYTES // (widest * plan.network.timesteps * plan.dtype.itemsize)))
    return [slice(first, min(first + size, count)) for first in range(0, count, size)]


def _run(plan: Plan, inputs: Inputs, chunk: slice, into: Recorded, ending: Ending | None) -> None:
    """All layers of one chunk, each over all timesteps."""
    travelling = inputs.travelling(chunk)
    if into.given is not None:
        into.given[chunk] = travelling
    values = {INPUT: _as_real(plan, inputs, travelling)}
    for step in plan.steps:
        name = step.layer.name
        operands = [values[source] for source in step.layer.sources]
        values[name] = _layer(plan, step, applied(step.operate, operands, inputs.numbers[chunk]), chunk, into)
        for source in set(step.layer.sources):
            if plan.last_reader.get(source) == name:
                del values[source]
    last = plan.steps[-1]
    left = values[last.layer.name]
    flat = left.reshape(*left.shape[:2], -1).astype(plan.dtype, copy=False)
    into.outputs[chunk] = flat * plan.dtype.type(last.unit) if last.unit != 1.0 else flat
    if ending is not None:
        _end(plan, chunk, into, ending)


def _as_real(plan: Plan, inputs: Inputs, travelling: Array) -> Array:
    """Integers of a direct code as the real values that they stand for; spikes as they are."""
    if plan.network.encoding != "direct":
        return travelling
    if not inputs.integers or plan.scale == 1.0:
        return travelling.astype(plan.dtype)
    return (travelling / np.float64(plan.scale)).astype(plan.dtype)


def _layer(plan: Plan, step: Step, currents: Array, chunk: slice, into: Recorded) -> Array:
    """The values that leave one layer, [B, T or 1, C, H, W]."""
    name = step.layer.name
    if step.neurons is None:
        return currents
    potentials = into.potentials[name][chunk] if name in into.potentials else None
    if step.layer.spiking:
        out = into.spikes[name][chunk]
    else:
        shape = (len(currents), plan.network.timesteps, *step.layer.out_shape)
        out = np.empty(shape, step.neurons.out_type)
    saturated = step.neurons.run(currents, out, potentials)
    with into.lock:
        into.saturations[name] = into.saturations.get(name, 0) + saturated
    return out


def _end(plan: Plan, chunk: slice, into: Recorded, ending: Ending) -> None:
    """Silence what lies behind the timestep at which an input's prediction is certain."""
    certain = confidences(plan.network, into.outputs[chunk], ending.confidence)
    steps = exit_steps(certain, ending.threshold)
    into.steps[chunk] = steps
    arrays = [*into.spikes.values(), *into.potentials.values(), into.outputs]
    if into.given is not None:
        arrays.append(into.given)
    for array in arrays:
        for values, end in zip(array[chunk], steps, strict=True):
            values[end:] = 0

"""The door: a network in, its metrics out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from archsim.datasets import Inputs
from archsim.measures.asking import Asked, Samples, checked
from archsim.measures.chunks import Progress, drawn_chunks, inputs_of, recorded_chunks, simulated_chunks
from archsim.measures.connections import at_stated_bits, connections
from archsim.measures.footprint import FRAMEWORKS, connection_sparsity, footprint
from archsim.measures.rows import Metrics
from archsim.measures.tally import Chunk, Tally
from archsim.snn import SimulatedActivity
from archsim.workload import RecordedActivity, Workload

Array = NDArray[Any]


def metrics(  # noqa: PLR0913 - one parameter per thing that may be asked
    workload: str | Path | Workload,
    *,
    inputs: str | Inputs | None = None,
    samples: Samples | None = None,
    precision: str | None = None,
    batch: int | None = None,
    framework: str = "snntorch",
    overrides: str | Sequence[str] = (),
    allow_outside: bool = False,
    progress: Progress | None = None,
) -> Metrics:
    """NeuroBench's metrics of a workload, and the energy of its operations.

    ``inputs`` (such as ``mnist:0..15``) are executed by ``archsim.snn.simulate`` in ``precision`` (``float``, as
    trained, unless told otherwise). Without them the workload's own ``samples`` (all that are recorded; of drawn spikes
    sample 0) are taken, or with a ``precision`` executed anew. ``batch``: samples that go through a framework together
    (default: all); an input that is no single spike makes MACs of the whole batch's timestep. ``framework`` says what
    the footprint holds beside weights, see ``archsim.measures.footprint.FRAMEWORKS``.

    Raises one ConfigError with everything that is wrong.
    """
    asked = checked(
        workload, inputs=inputs, samples=samples, precision=precision, batch=batch, framework=framework,
        overrides=overrides, allow_outside=allow_outside,
    )  # fmt: skip
    network, weights = asked.workload.network, asked.workload.weights
    counted = weights
    if weights is not None and asked.executed_at == "stated":
        counted = at_stated_bits(network, weights)
    tally = Tally(network, tuple(connections(network, counted)))
    for chunk in _chunks(asked, progress):
        tally.add(chunk)
    parts = footprint(network, weights, FRAMEWORKS[framework])
    return Metrics(
        workload=network.name, source=_source(asked), samples=asked.samples, timesteps=network.timesteps,
        batch=asked.batch, precision=asked.executed_at or asked.origin, framework=framework,
        parameter_count=sum(row.elements for row in parts if row.owner == "parameter"),
        connection_sparsity=None if counted is None else connection_sparsity(network, counted),
        activation_sparsity=tally.activation_sparsity, classification_accuracy=tally.accuracy, footprint=parts,
        connections=tally.connection_rows(asked.batch), neurons=tally.neuron_rows(), notes=tuple(_notes(asked, tally)),
    )  # fmt: skip


def _chunks(asked: Asked, progress: Progress | None) -> Iterator[Chunk]:
    workload, activity = asked.workload, asked.workload.activity
    if asked.inputs is not None:
        given = asked.inputs
        return simulated_chunks(
            workload, given.values, asked.samples, given.labels, asked.precision or "float", progress
        )
    if activity.synthetic:
        return drawn_chunks(workload, asked.samples, progress)
    labels, predictions = _classes(workload)
    chosen = list(asked.samples)
    if asked.precision is not None:
        labels = None if labels is None else labels[chosen]
        return simulated_chunks(workload, inputs_of(activity, chosen), chosen, labels, asked.precision, progress)
    right = None if labels is None or predictions is None else (labels == predictions)[chosen]
    return recorded_chunks(workload, asked.samples, right, asked.executed_at or "float", progress)


def _classes(workload: Workload) -> tuple[Array | None, Array | None]:
    """Labels and predictions of all samples, where they are known."""
    activity = workload.activity
    if isinstance(activity, RecordedActivity):
        return activity.trace.labels, activity.trace.predictions
    if isinstance(activity, SimulatedActivity):
        return activity.labels, activity.predictions
    return None, None


def _source(asked: Asked) -> str:
    if asked.inputs is not None:
        return f"simulated: {asked.inputs.note}"
    described = asked.workload.activity.describe()
    return described if asked.precision is None else f"simulated on the inputs of: {described}"


def _notes(asked: Asked, tally: Tally) -> Iterator[str]:
    """Why figures are missing, and what they assume."""
    network, weights, activity = asked.workload.network, asked.workload.weights, asked.workload.activity
    if weights is None:
        yield "no weights file: no weight is taken as zero, and every number takes 4 bytes"
        norms = [layer.name for layer in network.layers if layer.kind in ("batchnorm", "scale")]
        if norms and not activity.synthetic:
            yield f"{', '.join(norms)}: folded, as on a chip: what they make of a zero is not known"
    if activity.synthetic and asked.inputs is None:
        yield "drawn spikes: no potentials and no classes, so neither membrane updates nor an accuracy"
    elif not tally.updated:
        yield (
            "membrane updates need potentials, and there are no weights to compute them with" if weights is None
            else "membrane updates: these weights do not give the recorded spikes, so potentials are not known"
        )  # fmt: skip
    if tally.accuracy is None and not (activity.synthetic and asked.inputs is None):
        yield "accuracy: labels or predictions are not known"
    unlisted = [row.name for row in tally.neuron_rows() if row.dense_operations is None]
    if unlisted:
        yield f"neuron operations: NeuroBench lists none for the neurons of {', '.join(unlisted)}"

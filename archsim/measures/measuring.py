"""The door: which network, on which samples; everything that is asked is checked as a whole first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from archsim.datasets import Inputs, load_inputs
from archsim.errors import ArchsimError, ConfigError, Problem, nearest
from archsim.measures.chunks import Progress, drawn_chunks, inputs_of, recorded_chunks, simulated_chunks
from archsim.measures.connections import at_stated_bits, connections
from archsim.measures.footprint import FRAMEWORKS, connection_sparsity, footprint
from archsim.measures.rows import Metrics
from archsim.measures.tally import Chunk, Tally
from archsim.samples import parse_samples
from archsim.snn import SimulatedActivity
from archsim.snn.simulation import PRECISIONS, Precision, workload_problems
from archsim.workload import RecordedActivity, Workload, load_workload

Array = NDArray[Any]
Samples = str | int | Sequence[int]


@dataclass(frozen=True)
class _Asked:
    """Checked: samples of the workload's own activity, or inputs to execute it on."""

    workload: Workload
    samples: tuple[int, ...]
    inputs: Inputs | None
    precision: Precision | None
    batch: int
    framework: str

    @property
    def executed_at(self) -> Precision | None:
        """The precision that the network is executed at; None for recorded and drawn spikes."""
        if self.precision is not None or self.inputs is not None:
            return self.precision or "float"
        activity = self.workload.activity
        return activity.precision if isinstance(activity, SimulatedActivity) else None


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

    ``inputs`` (such as ``mnist:0..15``) are executed by :func:`archsim.snn.simulate` in ``precision`` (``float``, as
    trained, unless told otherwise). Without them the workload's own ``samples`` (all that are recorded; of drawn spikes
    sample 0) are taken, or with a ``precision`` executed anew. ``batch``: samples that go through a framework together
    (default: all); an input that is no single spike makes MACs of the whole batch's timestep. ``framework`` says what
    the footprint holds beside weights, see :data:`archsim.measures.footprint.FRAMEWORKS`.

    Raises one ConfigError with everything that is wrong.
    """
    asked = _checked(workload, inputs, samples, precision, batch, framework, overrides, allow_outside)
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
        batch=asked.batch, precision=_precision(asked), framework=framework,
        parameter_count=sum(row.elements for row in parts if row.owner == "parameter"),
        connection_sparsity=None if counted is None else connection_sparsity(network, counted),
        activation_sparsity=tally.activation_sparsity, classification_accuracy=tally.accuracy, footprint=parts,
        connections=tally.connection_rows(asked.batch), neurons=tally.neuron_rows(), notes=tuple(_notes(asked, tally)),
    )  # fmt: skip


def _checked(
    workload: str | Path | Workload, inputs: str | Inputs | None, samples: Samples | None, precision: str | None,
    batch: int | None, framework: str, overrides: str | Sequence[str], allow_outside: bool,
) -> _Asked:  # fmt: skip
    problems = _option_problems(inputs, samples, precision, batch, framework)
    loaded: Workload | None = None
    given: Inputs | None = None
    numbers: tuple[int, ...] = ()
    try:
        loaded = _loaded(workload, overrides, allow_outside)
    except ArchsimError as error:
        problems += error.problems
    try:
        numbers = () if samples is None else _numbers(samples, loaded)
    except ArchsimError as error:
        problems += error.problems
    if loaded is not None and inputs is None:
        inputs = getattr(loaded.activity, "spec", None)
        numbers = numbers or _all(loaded)
    if loaded is not None and precision is not None and inputs is None and loaded.activity.synthetic:
        text = "says how inputs are executed, and these spikes are drawn"
        allowed = "with inputs, or recorded spikes"
        problems.append(Problem(text, key="precision", value=precision, allowed=allowed))
    try:
        given = load_inputs(inputs, None if loaded is None else loaded.network) if isinstance(inputs, str) else inputs
    except ArchsimError as error:
        problems += error.problems
    if loaded is not None and (given is not None or isinstance(inputs, str) or precision is not None):
        problems += workload_problems(loaded)
    if problems or loaded is None:
        raise ConfigError(dict.fromkeys(problems))
    count = len(given.values) if given is not None else len(numbers)
    chosen: Precision | None = None if precision is None else "stated" if precision == "stated" else "float"
    return _Asked(
        loaded, given.indices if given is not None else numbers, given, chosen, min(batch or count, count), framework
    )


def _option_problems(
    inputs: str | Inputs | None, samples: Samples | None, precision: str | None, batch: int | None, framework: str
) -> list[Problem]:
    problems = []
    if inputs is not None and samples is not None:
        text = "the inputs say themselves which samples they are"
        problems.append(Problem(text, key="samples", value=samples, allowed="--inputs mnist:0..15"))
    for key, value, known in (("precision", precision, PRECISIONS), ("framework", framework, tuple(FRAMEWORKS))):
        if value is not None and value not in known:
            near = nearest(str(value), known)
            problems.append(Problem("is not known", key=key, value=value, allowed=", ".join(known), nearest=near))
    if batch is not None and (isinstance(batch, bool) or not isinstance(batch, int) or batch < 1):
        problems.append(Problem("is a number of samples", key="batch", value=batch, allowed="1 or more"))
    return problems


def _loaded(workload: str | Path | Workload, overrides: str | Sequence[str], allow_outside: bool) -> Workload:
    texts = [overrides] if isinstance(overrides, str) else list(overrides)
    if not isinstance(workload, Workload):
        return load_workload(workload, [text.removeprefix("workload.") for text in texts], allow_outside)
    if texts:
        text = "cannot be applied: the workload is loaded already"
        raise ConfigError([Problem(text, key="overrides", value=one, allowed="load_workload(...)") for one in texts])
    return workload


def _numbers(samples: Samples, workload: Workload | None) -> tuple[int, ...]:
    """The samples of the workload's activity; ConfigError for those that do not exist."""
    chosen = parse_samples(samples) if isinstance(samples, str) else samples
    if workload is None:
        return ()
    there = workload.activity.samples
    if chosen == "all":
        return _all(workload)
    numbers = (chosen,) if isinstance(chosen, int) else tuple(chosen)
    wrong = [number for number in numbers if isinstance(number, bool) or number not in there]
    if wrong or not numbers:
        shown = ", ".join(map(str, wrong)) or None
        raise ConfigError(Problem("no such samples", key="samples", value=shown, allowed=f"0..{len(there) - 1}"))
    return tuple(int(number) for number in numbers)


def _all(workload: Workload) -> tuple[int, ...]:
    """All recorded samples, or the first of those that are drawn."""
    return (0,) if workload.activity.synthetic else tuple(workload.activity.samples)


def _chunks(asked: _Asked, progress: Progress | None) -> Iterator[Chunk]:
    workload, activity = asked.workload, asked.workload.activity
    if asked.inputs is not None:
        return simulated_chunks(
            workload, asked.inputs.values, asked.inputs.labels, asked.precision or "float", progress
        )
    if activity.synthetic:
        return drawn_chunks(workload, asked.samples, progress)
    labels, predictions = _classes(workload)
    chosen = list(asked.samples)
    if asked.precision is not None:
        labels = None if labels is None else labels[chosen]
        return simulated_chunks(workload, inputs_of(activity, chosen), labels, asked.precision, progress)
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


def _source(asked: _Asked) -> str:
    if asked.inputs is not None:
        return f"simulated: {asked.inputs.note}"
    described = asked.workload.activity.describe()
    return described if asked.precision is None else f"simulated on the inputs of: {described}"


def _precision(asked: _Asked) -> str:
    return asked.executed_at or ("drawn" if asked.workload.activity.synthetic else "as recorded")


def _notes(asked: _Asked, tally: Tally) -> Iterator[str]:
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

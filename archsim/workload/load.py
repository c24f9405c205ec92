"""From a name or a file to a :class:`Workload`, or to one error with everything that is wrong with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from archsim.config import Document, build_from, validate
from archsim.errors import ArchsimError, ConfigError, Problem, WorkloadError
from archsim.workload.activity import Activity, ChipSpec, NamedInputs, RecordedActivity, SyntheticActivity
from archsim.workload.companion import RefusedError, locate, read
from archsim.workload.densities import Stated, resolve_densities, unknown_names
from archsim.workload.draft import density_names, draft_of, salvage, salvage_activity
from archsim.workload.network import Network
from archsim.workload.resolve import Draft, resolve
from archsim.workload.schema import ActivitySpec, WorkloadFile
from archsim.workload.trace_reader import check_trace
from archsim.workload.weights import Weights, check_weights

_TRACE = ("activity", "trace")
_WEIGHTS = ("weights",)


@dataclass(frozen=True)
class Workload:
    """A network, what travels in it, its weights if it has some, and the document that says so.

    ``hash`` covers the bytes of the trace and of the weights, too.
    """

    network: Network
    activity: Activity
    document: Document = field(repr=False)
    hash: str
    weights: Weights | None = None

    @property
    def name(self) -> str:
        """The network's name."""
        return self.network.name


def load_workload(name_or_path: str | Path, overrides: Sequence[str] = (), allow_outside: bool = False) -> Workload:
    """Load a preset by name or a workload file by path, with dotted overrides such as ``timesteps=8``.

    Trace and weights lie in the workload file's folder or below it; other places are refused unless ``allow_outside``.
    Raises ConfigError or WorkloadError with all problems of the file, its network, its trace and its weights.
    """
    return build_from(
        "workload", name_or_path, overrides, lambda document, path: _load(_Loader(document, path, allow_outside))
    )


def _load(loader: _Loader) -> Workload:
    document = loader.document
    try:
        file = validate(WorkloadFile, document)
    except ConfigError as error:
        draft = salvage(document)
        further = [] if draft is None else loader.draft_problems(draft, salvage_activity(document), None)
        raise ConfigError(_in_order([*error.problems, *further])) from None
    return loader.workload(draft_of(file), file.activity, file.weights)


class _Loader:
    """One file on its way to a workload."""

    def __init__(self, document: Document, path: Path, allow_outside: bool) -> None:
        self.document, self.path, self.allow_outside = document, path, allow_outside

    def draft_problems(self, draft: Draft, activity: ActivitySpec | None, weights: str | None) -> list[Problem]:
        """What is wrong with the readable parts of a file that cannot be loaded."""
        _, problems = resolve(draft, self.document)
        trace = None if activity is None else activity.trace
        for key, name in ((_TRACE, trace), (_WEIGHTS, weights)):
            try:
                if name is not None:
                    self._locate(name, key)
            except ArchsimError as error:
                problems += error.problems
        named = [(name, spec) for name, spec in zip(draft.names, draft.layers, strict=True) if name]
        kinds = {name: None if spec is None else spec.type for name, spec in named}
        return problems + unknown_names(kinds, density_names(self.document), self.document.problem)

    def workload(self, draft: Draft, activity: ActivitySpec | None, weights: str | None) -> Workload:
        """The workload of a file that follows the schema."""
        network, problems = resolve(draft, self.document)
        if problems:
            raise WorkloadError(_in_order(self.draft_problems(draft, activity, weights)))
        found: Activity | None = None
        read: Weights | None = None
        try:
            found = self._activity(network, activity)
        except WorkloadError as error:
            problems += error.problems
        try:
            read = None if weights is None else self._weights(network, weights)
        except WorkloadError as error:
            problems += error.problems
        if problems or found is None:
            raise WorkloadError(_in_order(problems))
        bytes_of = (found.trace.sha256 if isinstance(found, RecordedActivity) else "", *([read.sha256] if read else []))
        return Workload(network, found, self.document, _hash(self.document, bytes_of), read)

    def _activity(self, network: Network, activity: ActivitySpec | None) -> Activity:
        if activity is not None and activity.trace is not None:
            return self._recorded(network, activity.trace)
        if activity is not None and activity.inputs is not None:
            of_chip = ChipSpec(activity.chip or 0, activity.calibrate or "none", activity.calibration)
            return NamedInputs(network, activity.inputs, activity.precision, of_chip)
        densities, problems = resolve_densities(network, _stated(activity), self.document.problem)
        if problems:
            raise WorkloadError(problems)
        return SyntheticActivity(network, densities)

    def _weights(self, network: Network, name: str) -> Weights:
        if not network.chained:
            text = "weights need layers that chain; a table (chained: false) is not executed on inputs"
            raise WorkloadError(self.document.problem(_WEIGHTS, text, value=name))
        path = self._locate(name, _WEIGHTS)
        try:
            found, mistakes = check_weights(read(path), network, name)
        except RefusedError as refused:
            found, mistakes = None, [str(refused)]
        if found is None:
            raise WorkloadError([self.document.problem(_WEIGHTS, f"{name}: {mistake}") for mistake in mistakes])
        return found

    def _recorded(self, network: Network, trace: str) -> RecordedActivity:
        problems = []
        if not network.chained:
            text = "recorded spikes need layers that chain; a table (chained: false) takes densities"
            raise WorkloadError(self.document.problem(_TRACE, text, value=trace))
        for layer in network.layers:
            if layer.weighted and layer.in_signed:
                text = f"'{layer.name}' reads currents, and a trace holds only spikes; put neurons before it"
                problems.append(self.document.problem(("layers", layer.index), text))
        path = self._locate(trace, _TRACE)
        try:
            found, mistakes = check_trace(read(path), network, trace)
        except RefusedError as refused:
            found, mistakes = None, [str(refused)]
        problems += [self.document.problem(_TRACE, f"{trace}: {mistake}") for mistake in mistakes]
        if problems or found is None:
            raise WorkloadError(problems)
        return RecordedActivity(network, found)

    def _locate(self, name: str, key: tuple[str, ...]) -> Path:
        folder = self.document.folder or Path()
        try:
            return locate(name, folder, (folder, self.path.resolve().parent), self.allow_outside)
        except RefusedError as refused:
            raise WorkloadError(self.document.problem(key, str(refused), value=name)) from None


def _stated(activity: ActivitySpec | None) -> Stated:
    if activity is None:
        return Stated()
    density = activity.density
    return Stated(
        overall=density if isinstance(density, float | int) else None,
        by_layer=density if isinstance(density, dict) else None,
        generator=activity.generator,
        dispersion=activity.dispersion or 0.0,
        seed=activity.seed,
    )


def _hash(document: Document, sha256: Sequence[str]) -> str:
    """Content only: neither comments nor the place of the file."""
    content = json.dumps([document.data, *sha256], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def _in_order(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: float("inf") if problem.line is None else problem.line)

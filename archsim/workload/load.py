"""From a name or a file to a :class:`Workload`, or to one error with everything that is wrong with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from archsim.config import Document, build_from, validate
from archsim.errors import ArchsimError, ConfigError, Problem, WorkloadError
from archsim.workload.activity import Activity, RecordedActivity, SyntheticActivity
from archsim.workload.densities import Stated, resolve_densities, unknown_names
from archsim.workload.draft import density_names, draft_of, salvage, salvage_activity
from archsim.workload.network import Network
from archsim.workload.resolve import Draft, resolve
from archsim.workload.schema import ActivitySpec, WorkloadFile
from archsim.workload.trace_file import TraceRefusedError, locate, read
from archsim.workload.trace_reader import check_trace

_TRACE = ("activity", "trace")


@dataclass(frozen=True)
class Workload:
    """A network, what travels in it, and the document that says so; ``hash`` covers the trace's bytes too."""

    network: Network
    activity: Activity
    document: Document
    hash: str

    @property
    def name(self) -> str:
        """The network's name."""
        return self.network.name


def load_workload(name_or_path: str | Path, overrides: Sequence[str] = (), allow_outside: bool = False) -> Workload:
    """Load a preset by name or a workload file by path, with dotted overrides such as ``timesteps=8``.

    A trace lies in the workload file's folder or below it; any other place is refused unless ``allow_outside``.
    Raises ConfigError or WorkloadError with all problems of the file, its network and its trace.
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
        further = [] if draft is None else loader.draft_problems(draft, salvage_activity(document))
        raise ConfigError(_in_order([*error.problems, *further])) from None
    return loader.workload(draft_of(file), file.activity)


class _Loader:
    """One file on its way to a workload."""

    def __init__(self, document: Document, path: Path, allow_outside: bool) -> None:
        self.document, self.path, self.allow_outside = document, path, allow_outside

    def draft_problems(self, draft: Draft, activity: ActivitySpec | None) -> list[Problem]:
        """What is wrong with the readable parts of a file that cannot be loaded."""
        _, problems = resolve(draft, self.document)
        if activity is not None and activity.trace is not None:
            try:
                self._locate(activity.trace)
            except ArchsimError as error:
                problems += error.problems
        named = [(name, spec) for name, spec in zip(draft.names, draft.layers, strict=True) if name]
        kinds = {name: None if spec is None else spec.type for name, spec in named}
        return problems + unknown_names(kinds, density_names(self.document), self.document.problem)

    def workload(self, draft: Draft, activity: ActivitySpec | None) -> Workload:
        """The workload of a file that follows the schema."""
        network, problems = resolve(draft, self.document)
        if problems:
            raise WorkloadError(_in_order(self.draft_problems(draft, activity)))
        if activity is not None and activity.trace is not None:
            recorded = self._recorded(network, activity.trace)
            return Workload(network, recorded, self.document, _hash(self.document, recorded.trace.sha256))
        densities, problems = resolve_densities(network, _stated(activity), self.document.problem)
        if problems:
            raise WorkloadError(_in_order(problems))
        return Workload(network, SyntheticActivity(network, densities), self.document, _hash(self.document, ""))

    def _recorded(self, network: Network, trace: str) -> RecordedActivity:
        problems = []
        if not network.chained:
            text = "recorded spikes need layers that chain; a table (chained: false) takes densities"
            raise WorkloadError(self.document.problem(_TRACE, text, value=trace))
        for layer in network.layers:
            if layer.weighted and layer.in_signed:
                text = f"'{layer.name}' reads currents, and a trace holds only spikes; put neurons before it"
                problems.append(self.document.problem(("layers", layer.index), text))
        path = self._locate(trace)
        try:
            found, mistakes = check_trace(read(path), network, trace)
        except TraceRefusedError as refused:
            found, mistakes = None, [str(refused)]
        problems += [self.document.problem(_TRACE, f"{trace}: {mistake}") for mistake in mistakes]
        if problems or found is None:
            raise WorkloadError(problems)
        return RecordedActivity(network, found)

    def _locate(self, trace: str) -> Path:
        folder = self.document.folder or Path()
        try:
            return locate(trace, folder, (folder, self.path.resolve().parent), self.allow_outside)
        except TraceRefusedError as refused:
            raise WorkloadError(self.document.problem(_TRACE, str(refused), value=trace)) from None


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


def _hash(document: Document, trace_sha256: str) -> str:
    """Content only: neither comments nor the place of the file."""
    content = json.dumps([document.data, trace_sha256], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def _in_order(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: float("inf") if problem.line is None else problem.line)

"""The accuracy of a sweep's designs on chips of analog crossbars: what is asked of each, and the answer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from archsim.calibrating import digital, inputs_under
from archsim.config import Document
from archsim.config.document import Key
from archsim.cost.overrides import is_of_costs
from archsim.datasets.asked import parse_spec
from archsim.errors import ConfigError, Problem
from archsim.fidelity import accuracy
from archsim.request import WORKLOAD_PREFIX, Gather, Request
from archsim.result import OnChips
from archsim.snn.simulation import workload_problems
from archsim.sweeps.spec import OnChipsSpec, SweepFile
from archsim.sweeps.table import OF_CHIPS

KEY = "accuracy"
UNASKED = "is not known of any point: no accuracy on chips is asked for"
ACTIVITY = f"{WORKLOAD_PREFIX}activity"


@dataclass(frozen=True)
class AskedOfChips:
    """As in the sweep's file, files of inputs where they lie; ``content``: a hash of what these inputs are."""

    inputs: str
    chips: int
    first_chip: int
    calibrate: str
    calibration: str | None
    content: str = ""

    def of(self, arch: str, workload: str, overrides: Sequence[str], plugins: Sequence[str]) -> OnChips:
        """The answer for a design; overrides of prices, and of what the design is executed on, say nothing here."""
        ours = [text for text in overrides if not is_of_costs(text) and not text.startswith(ACTIVITY)]
        found = accuracy(
            arch, workload, inputs=self.inputs, chips=self.chips, first_chip=self.first_chip, calibrate=self.calibrate,
            calibration=self.calibration, overrides=ours, plugins=list(plugins), allow_outside=True,
        )  # fmt: skip
        return OnChips(found.inputs, len(found.chips), found.mean, found.spread, found.worst)


def asked_of_chips(spec: OnChipsSpec | None, document: Document) -> AskedOfChips | None:
    """What a sweep's file asks, with paths as seen from it."""
    if spec is None:
        return None
    calibration = None if spec.calibration is None else _located(document, spec.calibration)
    inputs = _located(document, spec.inputs)
    return AskedOfChips(inputs, spec.chips, spec.first_chip, spec.calibrate, calibration)


def contents_of(asked: AskedOfChips, request: Request, document: Document) -> str:
    """A hash of the inputs as this network takes them; ConfigError for what keeps its chip from being asked."""
    gather, digest = Gather(), hashlib.sha256()
    refusal = digital(request.architecture, KEY, request.architecture.name)
    gather.add(*([] if refusal is None else [refusal]), *workload_problems(request.workload))
    given = gather.of(partial(inputs_under, asked.inputs, request.workload.network, "inputs"))
    if given is not None and given.labels is None:
        gather.add(Problem("these inputs have no labels, so there is no accuracy", key="inputs", value=asked.inputs))
    spec = asked.calibration
    seen = None if spec is None else gather.of(partial(inputs_under, spec, request.workload.network, "calibration"))
    if gather.problems:
        raise ConfigError([_told(problem, document) for problem in gather.problems])
    for one in (given, seen):
        if one is not None:
            digest.update(f"{one.indices} {one.labels}".encode() + one.values.tobytes())
    return digest.hexdigest()


def _told(problem: Problem, document: Document) -> Problem:
    """A problem where the sweep's file asks for the accuracy."""
    part = (KEY, problem.key) if problem.key in ("inputs", "calibration") else (KEY,)
    place = document.problem(part, problem.message)
    return replace(problem, file=place.file, line=place.line, key=place.key)


def unasked(file: SweepFile, document: Document) -> list[Problem]:
    """Objectives and constraints that are of chips, where nothing is asked of these."""
    if file.accuracy is not None:
        return []
    named: list[tuple[Key, str]] = [(("constraints", at), text) for at, text in enumerate(file.constraints)]
    if file.search is not None:
        named += [(("method", "search", "objectives", at), name) for at, name in enumerate(file.search.objectives)]
    return [
        document.problem(at, UNASKED, value=said, allowed="with accuracy: {inputs: mnist:0..99}")
        for at, said in named if said.strip().startswith(OF_CHIPS)
    ]  # fmt: skip


def _located(document: Document, spec: str) -> str:
    """Inputs of a file as seen from the sweep's."""
    asked, _ = parse_spec(spec)
    if asked is None or asked.file is None or document.folder is None:
        return spec
    return f"{(document.folder / asked.file).resolve()}{spec.strip()[len(asked.file) :]}"

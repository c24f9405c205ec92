"""Workloads whose files name real inputs: the network itself is executed on them, and its spikes are the activity."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archsim.config.document import OVERRIDE
from archsim.datasets import Inputs, load_inputs
from archsim.datasets.asked import parse_spec
from archsim.errors import ConfigError, Problem, UnsupportedError, WorkloadError
from archsim.result import Accuracy
from archsim.snn import Simulated, SimulatedActivity
from archsim.snn.simulation import Precision, plan_of, workload_problems
from archsim.workload import NamedInputs, Workload
from archsim.workload import load_workload as load_named
from archsim.workload.companion import RefusedError, locate

_AT = ("activity", "inputs")


def load_workload(name_or_path: str | Path, overrides: Sequence[str] = (), allow_outside: bool = False) -> Workload:
    """Load a preset by name or a workload file by path, with dotted overrides such as ``timesteps=8``.

    Trace, weights and inputs of one's own lie in the workload file's folder or below it; other places are refused
    unless ``allow_outside``. Where the file names inputs (``activity: {inputs: mnist:0..15}``), the network is executed
    on them once its spikes are asked for. Raises ConfigError or WorkloadError with all problems of the file, its
    network, its trace, its weights and its inputs.
    """
    return executed(load_named(name_or_path, overrides, allow_outside), allow_outside)


def executed(workload: Workload, allow_outside: bool = False) -> Workload:
    """The workload with the spikes of its network on the inputs that it names; any other as it is."""
    named = workload.activity
    if not isinstance(named, NamedInputs):
        return workload
    problems = [_blamed(workload, problem) for problem in workload_problems(workload)]
    found: list[Inputs] = []
    for key, spec in (("inputs", named.spec), ("calibration", named.of_chip.calibration)):
        at = ("activity", key)
        try:
            if spec is not None:
                found.append(load_inputs(_located(workload, spec, at, allow_outside), workload.network))
        except ConfigError as error:
            problems += [_blamed(workload, problem, at) for problem in error.problems]
    if problems:
        raise WorkloadError(problems)
    try:
        activity = InputActivity(workload, found[0], named, *found[1:])
    except ConfigError as error:
        raise WorkloadError([_blamed(workload, problem) for problem in error.problems]) from None
    digest = hashlib.sha256(f"{workload.hash} {activity.content}".encode()).hexdigest()
    return replace(workload, activity=activity, hash=digest)


def accuracy_of(workload: Workload, samples: Sequence[int]) -> Accuracy | None:
    """How often the network is right on these samples; None where nothing executes it, or no labels are known.

    None, too, where the network is executed as it was trained and cannot be expressed in the stated bits
    (:func:`no_accuracy` says why).
    """
    activity = workload.activity
    if not isinstance(activity, InputActivity) or activity.labels is None or no_accuracy(workload):
        return None
    stated, trained = activity.at("stated").predictions, activity.at("float").predictions
    network, chosen = workload.network, list(samples)
    bits = tuple(dict.fromkeys(layer.weight_bits for layer in network.weighted_layers))
    labels, ours, floats = (tuple(map(int, array[chosen])) for array in (activity.labels, stated, trained))
    return Accuracy(
        activity.name, bits, network.precision.membrane_bits, labels,
        tuple(map(int, activity.predictions[chosen])) if activity.of_chip else ours, floats, activity.inputs.emulated,
        chip=activity.chip, stated_predictions=ours if activity.of_chip else (),
    )  # fmt: skip


def no_accuracy(workload: Workload) -> str:
    """Why a network that is executed as it was trained has no accuracy at the stated bits; empty where it has one."""
    activity = workload.activity
    if not isinstance(activity, InputActivity) or activity.labels is None or activity.precision == "stated":
        return ""
    try:
        plan_of(workload, activity.dtype, "stated")
    except UnsupportedError as error:
        return f"no accuracy at the stated bits: {'; '.join(problem.message for problem in error.problems)}"
    return ""


@dataclass(frozen=True)
class Executed:
    """What a network answers on its inputs: a simulation of some of them, and their labels if they are known."""

    name: str
    simulated: Simulated
    labels: NDArray[np.int64] | None


def simulated_of(workload: Workload, samples: Sequence[int]) -> Executed | None:
    """The network executed on these samples of its inputs; None where its activity comes from elsewhere."""
    activity = workload.activity
    if not isinstance(activity, InputActivity):
        return None
    chosen = list(samples)
    every = activity.execute(slice(None))
    some = replace(
        every, outputs=every.outputs[chosen], readout=every.readout[chosen], predictions=every.predictions[chosen],
        steps=every.steps[chosen], spikes={}, potentials={},
    )  # fmt: skip
    return Executed(activity.name, some, None if activity.labels is None else activity.labels[chosen])


def inputs_of(workload: Workload) -> Inputs | None:
    """What the network is executed on; None where its activity comes from elsewhere."""
    activity = workload.activity
    return activity.inputs if isinstance(activity, InputActivity) else None


def predictions_of(workload: Workload, precision: Precision) -> NDArray[np.int64]:
    """The class that software predicts for every input of :func:`inputs_of`, at a precision."""
    activity = workload.activity
    assert isinstance(activity, InputActivity)
    return activity.at(precision).predictions


class InputActivity(SimulatedActivity):
    """The spikes of a network on inputs of a dataset, at one precision; and what it answers at others.

    ``of_chip``: the stated precision on analog crossbars, which are known once :func:`archsim.on_chip.bound` says so.
    """

    chip = ""

    def __init__(
        self, workload: Workload, inputs: Inputs, named: NamedInputs, calibration: Inputs | None = None
    ) -> None:
        self.of_chip = named.precision == "chip"
        precision: Precision = "float" if named.precision == "float" else "stated"
        super().__init__(workload, inputs.values, inputs.labels, name=named.spec, precision=precision,
                         numbers=inputs.indices)  # fmt: skip
        self.inputs, self.named, self.calibration = inputs, named, calibration
        self._beside: dict[str, InputActivity] = {}

    def at(self, precision: Precision) -> InputActivity:
        """The same network on the same inputs at a precision of software."""
        if precision == self.precision and not self.of_chip:
            return self
        if precision not in self._beside:
            other = NamedInputs(self.network, self.named.spec, precision)
            self._beside[precision] = InputActivity(self.workload, self.inputs, other)
        return self._beside[precision]

    @property
    def content(self) -> str:
        """The hash of inputs, labels, weights and precision; of a chip's spikes its number and calibration, too."""
        if not self.of_chip:
            return super().content
        given = self.calibration
        seen = "" if given is None else f"{given.indices}{hashlib.sha256(given.values.tobytes()).hexdigest()}"
        return hashlib.sha256(f"{super().content} {self.named.of_chip} {seen}".encode()).hexdigest()

    def execute(self, chosen: slice) -> Simulated:
        """See :meth:`SimulatedActivity.execute`; UnsupportedError where nobody said what the chip is."""
        if self.of_chip:
            text = "these spikes are those of a chip, and here is none; archsim.simulate(ARCH, WORKLOAD) has one"
            raise UnsupportedError(Problem(text, key="precision", value="chip"))
        return super().execute(chosen)

    def describe(self) -> str:
        """Which inputs, what these are, and at which precision."""
        return f"{super().describe()} ({self.inputs.note})"


def _located(workload: Workload, spec: str, at: tuple[str, str], allow_outside: bool) -> str:
    """The inputs with a file of the user's as it is found: beside the workload, or where an override names it."""
    asked, _ = parse_spec(spec)
    document = workload.document
    if asked is None or asked.file is None or document.where(at)[0] == OVERRIDE:
        return spec
    folder = document.folder or Path()
    try:
        path = locate(asked.file, folder, (folder,), allow_outside)
    except RefusedError as refused:
        raise ConfigError(document.problem(at, str(refused), value=asked.file)) from None
    return f"{path}{spec[len(asked.file) :]}"


def _blamed(workload: Workload, problem: Problem, at: tuple[str, str] = _AT) -> Problem:
    """A problem where the file, or an override, names what is wrong: the weights, or the inputs."""
    place = workload.document.problem(("weights",) if problem.key == "weights" else at, problem.message)
    return replace(problem, file=place.file, line=place.line, key=place.key)

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
from archsim.snn import Simulated, SimulatedActivity, simulate
from archsim.snn.simulation import plan_of, workload_problems
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
    problems = workload_problems(workload)
    activity: _Executed | None = None
    try:
        inputs = load_inputs(_located(workload, named.spec, allow_outside), workload.network)
        activity = None if problems else _Executed(workload, inputs, named)
    except ConfigError as error:
        problems += error.problems
    if activity is None:
        raise WorkloadError([_blamed(workload, problem) for problem in problems])
    digest = hashlib.sha256(f"{workload.hash} {activity.content}".encode()).hexdigest()
    return replace(workload, activity=activity, hash=digest)


def accuracy_of(workload: Workload, samples: Sequence[int]) -> Accuracy | None:
    """How often the network is right on these samples; None where nothing executes it, or no labels are known.

    None, too, where the network is executed as it was trained and cannot be expressed in the stated bits
    (:func:`no_accuracy` says why).
    """
    activity = workload.activity
    if not isinstance(activity, _Executed) or activity.labels is None or no_accuracy(workload):
        return None
    stated, trained = activity.at("stated").predictions, activity.at("float").predictions
    network, chosen = workload.network, list(samples)
    bits = tuple(dict.fromkeys(layer.weight_bits for layer in network.weighted_layers))
    labels, ours, floats = (tuple(map(int, array[chosen])) for array in (activity.labels, stated, trained))
    return Accuracy(
        activity.name, bits, network.precision.membrane_bits, labels, ours, floats, activity.inputs.emulated
    )


def no_accuracy(workload: Workload) -> str:
    """Why a network that is executed as it was trained has no accuracy at the stated bits; empty where it has one."""
    activity = workload.activity
    if not isinstance(activity, _Executed) or activity.labels is None or activity.precision == "stated":
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
    if not isinstance(activity, _Executed):
        return None
    chosen = list(samples)
    values, numbers = activity.inputs.values, activity.inputs.indices
    every = simulate(workload, values, precision=activity.precision, numbers=numbers)
    some = replace(
        every, outputs=every.outputs[chosen], readout=every.readout[chosen], predictions=every.predictions[chosen],
        steps=every.steps[chosen], spikes={}, potentials={},
    )  # fmt: skip
    return Executed(activity.name, some, None if activity.labels is None else activity.labels[chosen])


def inputs_of(workload: Workload) -> Inputs | None:
    """What the network is executed on; None where its activity comes from elsewhere."""
    activity = workload.activity
    return activity.inputs if isinstance(activity, _Executed) else None


def predictions_of(workload: Workload, precision: str) -> NDArray[np.int64]:
    """The class that software predicts for every input of :func:`inputs_of`, at a precision."""
    activity = workload.activity
    assert isinstance(activity, _Executed)
    return activity.at(precision).predictions


class _Executed(SimulatedActivity):
    """The spikes of a network on inputs of a dataset, at one precision; and what it answers at the other."""

    def __init__(self, workload: Workload, inputs: Inputs, named: NamedInputs) -> None:
        super().__init__(workload, inputs.values, inputs.labels, name=named.spec, precision=named.precision,
                         numbers=inputs.indices)  # fmt: skip
        self.inputs = inputs
        self._beside: _Executed | None = None
        self._named = named

    def at(self, precision: str) -> _Executed:
        """The same network on the same inputs at a precision."""
        if precision == self.precision:
            return self
        if self._beside is None:
            other = NamedInputs(self.network, self._named.spec, "float" if self.precision == "stated" else "stated")
            self._beside = _Executed(self.workload, self.inputs, other)
        return self._beside

    def describe(self) -> str:
        """Which inputs, what these are, and at which precision."""
        return f"{super().describe()} ({self.inputs.note})"


def _located(workload: Workload, spec: str, allow_outside: bool) -> str:
    """The inputs with a file of the user's as it is found: beside the workload, or where an override names it."""
    asked, _ = parse_spec(spec)
    document = workload.document
    if asked is None or asked.file is None or document.where(_AT)[0] == OVERRIDE:
        return spec
    folder = document.folder or Path()
    try:
        path = locate(asked.file, folder, (folder,), allow_outside)
    except RefusedError as refused:
        raise ConfigError(document.problem(_AT, str(refused), value=asked.file)) from None
    return f"{path}{spec[len(asked.file) :]}"


def _blamed(workload: Workload, problem: Problem) -> Problem:
    """A problem where the file, or an override, names what is wrong: the weights, or the inputs."""
    place = workload.document.problem(("weights",) if problem.key == "weights" else _AT, problem.message)
    return replace(problem, file=place.file, line=place.line, key=place.key)

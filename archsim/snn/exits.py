"""What ending inputs early would give, from one simulation of all timesteps."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.errors import ConfigError, Problem, nearest
from archsim.snn.readouts import (
    CONFIDENCES,
    Confidence,
    confidences,
    exit_steps,
    most_confident,
    most_spikes,
    predicted,
    running,
)
from archsim.snn.simulated import Simulated
from archsim.workload.network import Network

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Exit:
    """Every input ended at the first timestep at which the confidence was ``threshold`` or more.

    ``steps`` and ``predictions`` [N]; ``mean_steps``; ``accuracy`` if labels were given.
    """

    threshold: float
    steps: Array
    mean_steps: float
    predictions: Array
    accuracy: float | None


def exits(
    simulated: Simulated, thresholds: Iterable[float], labels: Array | None = None, confidence: Confidence = "softmax"
) -> tuple[Exit, ...]:
    """Timesteps, predictions and accuracy for each threshold (see ``archsim.snn.readouts``), without simulating.

    A timestep does not depend on later ones, so the first t timesteps of a run are a run of t timesteps. Raises
    ConfigError for thresholds outside 0..1 or out of reach of the readout, labels of another number, and a simulation
    that itself ended early.
    """
    chosen = tuple(float(threshold) for threshold in thresholds)
    problems = exit_problems("thresholds", chosen, confidence)
    problems += reach_problems(simulated.network, "thresholds", chosen, confidence)
    if simulated.early:
        problems.append(Problem("these inputs ended early; simulate them without exit_at", key="simulated"))
    truth = None if labels is None else np.asarray(labels)
    if truth is not None and truth.shape != simulated.predictions.shape:
        text = f"there are {len(simulated.predictions)} inputs"
        problems.append(Problem(text, key="labels", value=truth.shape))
    if problems:
        raise ConfigError(problems)
    certain = confidences(simulated.network, simulated.outputs, confidence)
    answers = predicted(running(simulated.network.readout, simulated.outputs))
    found = []
    for threshold in chosen:
        steps = exit_steps(certain, threshold)
        predictions = answers[np.arange(len(steps)), steps - 1]
        accuracy = None if truth is None else float((predictions == truth).mean())
        found.append(Exit(threshold, steps, float(steps.mean()), predictions, accuracy))
    return tuple(found)


def exit_problems(key: str, thresholds: Iterable[float], confidence: str) -> list[Problem]:
    """What is wrong with thresholds and with the kind of confidence that they are compared with."""
    problems = [
        Problem("a confidence lies between 0 and 1", key=key, value=threshold, allowed="above 0, at most 1")
        for threshold in thresholds
        if not 0 < threshold <= 1
    ]
    if confidence not in CONFIDENCES:
        text = "there is no such confidence"
        problems.append(Problem(text, key="confidence", value=confidence, allowed=", ".join(CONFIDENCES),
                                nearest=nearest(confidence, CONFIDENCES)))  # fmt: skip
    return problems


def reach_problems(network: Network, key: str, thresholds: Iterable[float], confidence: str) -> list[Problem]:
    """Thresholds that no input of this network could pass, because its readout stays within a few spikes."""
    if confidence not in CONFIDENCES:
        return []
    most = most_confident(network, "entropy" if confidence == "entropy" else "softmax")
    last = network.layers[-1].name
    spikes = most_spikes(network, last)
    text = (
        f"no input could end early: readout '{network.readout}' of layer '{last}' stays within 0..{spikes} spikes, so "
        f"the confidence never exceeds {most:.4g}; state readout: sum in the workload, or a lower threshold"
    )
    allowed = f"above 0, at most {math.floor(most * 1e4) / 1e4:g}"
    return [Problem(text, key=key, value=value, allowed=allowed) for value in thresholds if most < value <= 1]

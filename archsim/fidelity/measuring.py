"""Chips made one after another, each calibrated, executed on all inputs, and compared with software."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.crossbar.schema import CrossbarArchitecture
from archsim.calibrating import Calibration, made
from archsim.datasets import Inputs
from archsim.fabricated import Fabricated
from archsim.fidelity.answer import Accuracies, LayerErrors, over_chips
from archsim.fidelity.imperfections import imperfections_of
from archsim.fidelity.layers import Tally, errors_of, mean_of
from archsim.inputs import predictions_of
from archsim.snn import Simulated, simulate
from archsim.workload import Workload

Array = NDArray[Any]
Progress = Callable[[int, int], None]
LOOKED = 32
"""Inputs whose layers are looked at."""
BLOCK = 256
"""Inputs whose spikes are in memory together."""


@dataclass(frozen=True)
class Question:
    """A network, the inputs that it is executed on, and the numbers of the chips that execute it."""

    arch: CrossbarArchitecture
    workload: Workload
    inputs: Inputs
    numbers: range
    calibration: Calibration


def measured(question: Question, progress: Progress | None = None) -> Accuracies:
    """Make every chip and execute the network on it."""
    workload, inputs = question.workload, question.inputs
    total = len(inputs.indices)
    few = slice(0, LOOKED)
    stated = simulate(workload, inputs.values[few], precision="stated", numbers=inputs.indices[few])
    predicted, looked = np.empty((len(question.numbers), total), np.int64), []
    chip: Fabricated | None = None
    for at, number in enumerate(question.numbers):
        report = None if progress is None else partial(_shifted, progress, at * total, len(question.numbers) * total)
        if report is not None:
            report(0)
        chip = made(question.arch, workload, number, question.calibration, chip)
        predicted[at], errors = _executed(question, chip, stated, report)
        looked.append(errors)
    in_software, trained = predictions_of(workload, "stated"), predictions_of(workload, "float")
    over = over_chips(predicted, question.numbers, in_software, trained, inputs.labels)
    return _answer(question, over, mean_of(looked))


def _executed(
    question: Question, chip: Fabricated, stated: Simulated, report: Callable[[int], None] | None
) -> tuple[Array, tuple[LayerErrors, ...]]:
    """What one chip predicts of every input, and its layers' errors on the first ones."""
    inputs, found = question.inputs, []
    errors: tuple[LayerErrors, ...] = ()
    for block in _blocks(len(inputs.indices)):
        values, numbers = inputs.values[block], inputs.indices[block]
        if block.start == 0:
            tally = Tally()
            simulated = chip.watched(tally, values, numbers)
            errors = errors_of(chip, simulated, stated, tally)
        else:
            simulated = chip.simulate(values, numbers)
        found.append(simulated.predictions)
        if report is not None:
            report(block.stop)
    return np.concatenate(found), errors


def _blocks(total: int) -> Iterator[slice]:
    """The inputs that are looked at, then the others."""
    yield slice(0, min(LOOKED, total))
    yield from (slice(first, min(first + BLOCK, total)) for first in range(LOOKED, total, BLOCK))


def _shifted(progress: Progress, before: int, total: int, done: int) -> None:
    progress(before + done, total)


def _answer(question: Question, over: dict[str, Any], layers: tuple[LayerErrors, ...]) -> Accuracies:
    network, inputs, setting = question.workload.network, question.inputs, question.calibration
    with_what = setting.inputs
    own = with_what is not None and with_what.name == inputs.name and set(with_what.indices) & set(inputs.indices)
    return Accuracies(
        arch=question.arch.name, workload=question.workload.name, inputs=inputs.spec, samples=len(inputs.indices),
        emulated=inputs.emulated, timesteps=network.timesteps,
        weight_bits=tuple(dict.fromkeys(layer.weight_bits for layer in network.weighted_layers)),
        membrane_bits=network.precision.membrane_bits, layers=layers, looked=min(LOOKED, len(inputs.indices)),
        calibrate=setting.gains, calibrated=setting.parts, calibration="" if with_what is None else with_what.spec,
        calibration_note="among the inputs that are asked for" if own else "",
        imperfections=imperfections_of(question.arch), **over,
    )  # fmt: skip

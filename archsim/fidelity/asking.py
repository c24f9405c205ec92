"""What is asked of the accuracy on chips, checked as a whole before any of them is made."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from archsim.accelerators import Architecture, load_architecture
from archsim.calibrating import calibration_of, digital, inputs_under, known_gains
from archsim.comparison.folder import place_for_figure
from archsim.datasets import Inputs
from archsim.errors import ArchsimError, ConfigError, Problem
from archsim.fidelity.answer import Accuracies
from archsim.fidelity.measuring import Progress, Question, measured
from archsim.inputs import inputs_of
from archsim.request import Gather, Request, Several, prepare
from archsim.workload import Workload

MOST_CHIPS = 1 << 31


def accuracy(  # noqa: PLR0913 - one parameter per thing that may be asked
    arch: str | Path | Architecture,
    workload: str | Path | Workload,
    *,
    inputs: str | None = None,
    chips: int = 1,
    first_chip: int = 0,
    calibrate: str = "none",
    calibration: str | None = None,
    overrides: str | Sequence[str] = (),
    device: str | None = None,
    plugins: Several = (),
    allow_outside: bool = False,
    figure: str | Path | None = None,
    progress: Progress | None = None,
) -> Accuracies:
    """The accuracy of a network on so many ``chips`` of analog crossbars as they are made, from ``first_chip`` on.

    ``inputs`` as of :func:`archsim.simulate`, or the workload's file names them. ``calibrate``: ``layer`` or ``column``
    multiplies the sums of each by a gain that makes up for what they lack. For that, and for converters of calibrated
    range, every chip executes the ``calibration`` inputs first: by default 32 that are not asked for (of a file of
    one's own the first 32 of the inputs themselves). ``figure`` is where the answer will be drawn.
    ``progress(done, total)`` counts inputs of all chips. Raises ArchsimError with everything that is wrong.
    """
    gather = Gather()
    numbers = gather.of(partial(_numbers, chips, first_chip))
    gains = gather.of(partial(known_gains, calibrate))
    if figure is not None:
        gather.of(partial(place_for_figure, figure))
    options: dict[str, Any] = {"overrides": overrides, "device": device, "plugins": plugins}
    request = gather.of(
        lambda: prepare(arch, workload, inputs=inputs, allow_outside=allow_outside, **options)
    )
    gather.add(*_not_crossbars(arch, request))
    given = None if request is None else gather.of(partial(_inputs, request))
    network = None if request is None else request.workload.network
    seen = None if calibration is None else gather.of(partial(inputs_under, calibration, network, "calibration"))
    setting = None
    if request is not None and network is not None and given is not None and gains is not None and not gather.problems:
        chip = request.architecture.chip
        setting = gather.of(partial(calibration_of, chip, network, given, gains, seen))
    if gather.problems or request is None or given is None or numbers is None or setting is None:
        raise ConfigError(gather.problems)
    return measured(Question(request.architecture.chip, request.workload, given, numbers, setting), progress)


def _numbers(chips: Any, first: Any) -> range:
    """The numbers of the chips."""
    problems = []
    for key, value, least in (("chips", chips, 1), ("first_chip", first, 0)):
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value < MOST_CHIPS:
            text = "must be a whole number"
            problems.append(Problem(text, key=key, value=value, allowed=f"{least} or more, below {MOST_CHIPS}"))
    if problems:
        raise ConfigError(problems)
    return range(first, first + chips)


def _not_crossbars(arch: str | Path | Architecture, request: Request | None) -> list[Problem]:
    """Why there are no such chips; of a chip that cannot be loaded, the request has said it."""
    with suppress(ArchsimError):
        chip = request.architecture if request is not None else (
            arch if isinstance(arch, Architecture) else load_architecture(arch)
        )  # fmt: skip
        problem = digital(chip, "arch", chip.name)
        return [] if problem is None else [problem]
    return []


def _inputs(request: Request) -> Inputs:
    found = inputs_of(request.workload)
    if found is None:
        text = "accuracy needs inputs that the network itself is executed on"
        raise ConfigError(Problem(text, key="inputs", allowed="such as mnist:0..99, with a workload that has weights"))
    return found

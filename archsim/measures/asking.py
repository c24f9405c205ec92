"""What is asked to be measured, checked as a whole before anything is executed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from archsim.datasets import Inputs, load_inputs
from archsim.errors import ArchsimError, ConfigError, Problem, nearest
from archsim.inputs import executed, load_workload
from archsim.measures.footprint import FRAMEWORKS
from archsim.samples import parse_samples
from archsim.snn import SimulatedActivity
from archsim.snn.simulation import PRECISIONS, Precision, workload_problems
from archsim.workload import Workload

T = TypeVar("T")
Samples = str | int | Sequence[int]


@dataclass(frozen=True)
class Asked:
    """Checked: samples of the workload's own activity, or inputs to execute it on; ``batch`` samples together."""

    workload: Workload
    samples: tuple[int, ...]
    inputs: Inputs | None
    precision: Precision | None
    batch: int

    @property
    def executed_at(self) -> Precision | None:
        """The precision that the network is executed at; None for recorded and drawn spikes."""
        if self.precision is not None or self.inputs is not None:
            return self.precision or "float"
        activity = self.workload.activity
        return activity.precision if isinstance(activity, SimulatedActivity) else None

    @property
    def origin(self) -> str:
        """Of spikes that are not executed."""
        return "drawn" if self.workload.activity.synthetic else "as recorded"


def checked(
    workload: str | Path | Workload, *, inputs: str | Inputs | None, samples: Samples | None, precision: str | None,
    batch: int | None, framework: str, overrides: str | Sequence[str], allow_outside: bool,
) -> Asked:  # fmt: skip
    """What can be measured; ConfigError with everything that is wrong."""
    problems = _option_problems(inputs, samples, precision, batch, framework)
    loaded = _attempt(problems, lambda: _loaded(workload, overrides, allow_outside))
    network = None if loaded is None else loaded.network
    given = inputs if isinstance(inputs, Inputs) else None
    if isinstance(inputs, str):
        given = _attempt(problems, lambda: load_inputs(inputs, network))
    numbers = _attempt(problems, lambda: _numbers(samples, loaded)) or ()
    if loaded is not None and inputs is None and precision is None and getattr(loaded.activity, "of_chip", False):
        text = "measures are of the network alone, and these spikes are those of a chip"
        problems.append(Problem(text, key="activity.precision", value="chip", allowed="stated or float"))
    if loaded is not None and (inputs is not None or precision is not None):
        problems += workload_problems(loaded)
        if inputs is None and loaded.activity.synthetic:
            text = "says how inputs are executed, and these spikes are drawn"
            problems.append(Problem(text, key="precision", value=precision, allowed="with inputs, or recorded spikes"))
    if problems or loaded is None:
        raise ConfigError([one for at, one in enumerate(problems) if one not in problems[:at]])
    chosen = given.indices if given is not None else numbers
    known: Precision | None = None if precision is None else "stated" if precision == "stated" else "float"
    return Asked(loaded, tuple(chosen), given, known, min(batch or len(chosen), len(chosen)))


def _attempt(problems: list[Problem], step: Callable[[], T]) -> T | None:
    """What the step returns; None where it fails, with its problems kept."""
    try:
        return step()
    except ArchsimError as error:
        problems += error.problems
        return None


def _option_problems(
    inputs: str | Inputs | None, samples: Samples | None, precision: str | None, batch: int | None, framework: str
) -> list[Problem]:
    problems = []
    if inputs is not None and samples is not None:
        text = "the inputs say themselves which samples they are"
        problems.append(Problem(text, key="samples", value=samples, allowed="such as --inputs mnist:0..15"))
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
    return executed(workload, allow_outside)


def _numbers(samples: Samples | None, workload: Workload | None) -> tuple[int, ...]:
    """The samples of the workload's activity, all that are recorded where none is named."""
    chosen = parse_samples(samples) if isinstance(samples, str) else samples
    if workload is None:
        return ()
    there, drawn = workload.activity.samples, workload.activity.synthetic
    if chosen == "all" and drawn:
        text = "drawn spikes have no last sample; name those to measure"
        raise ConfigError(Problem(text, key="samples", value="all", allowed="numbers such as 0..15"))
    if chosen is None or isinstance(chosen, str):
        return (0,) if drawn else tuple(there)
    numbers = (chosen,) if isinstance(chosen, int) else tuple(chosen)
    wrong = [number for number in numbers if isinstance(number, bool) or number not in there]
    if wrong or not numbers:
        shown = ", ".join(map(str, wrong)) or None
        allowed = f"{there[0]}..{there[-1]}" if len(there) else None
        raise ConfigError(Problem("no such samples", key="samples", value=shown, allowed=allowed))
    return tuple(int(number) for number in numbers)

"""Executing what a comparison needs and no store knows, and setting the results side by side."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from archsim.comparison.request import ComparisonRequest, prepare_comparison
from archsim.comparison.sides import Side, labels
from archsim.comparison.subjects import Subject
from archsim.comparison.tables import Comparison
from archsim.errors import ArchsimError, Problem
from archsim.request import Gather, Request, Samples, Several
from archsim.result import Result
from archsim.store import Answer, Store, answer, opened
from archsim.workload import Workload

if TYPE_CHECKING:
    from archsim.simulation import Progress


@dataclass(frozen=True)
class Answered:
    """A comparison, and where the answers of its chips came from: a line for each, and why one is not kept."""

    comparison: Comparison
    origins: tuple[str, ...] = ()
    unsaved: ArchsimError | None = None


def compare(  # noqa: PLR0913 - one parameter per thing that a comparison may be asked
    *subjects: Subject,
    workload: str | Path | Workload | None = None,
    node: str | float | None = None,
    overrides: str | Sequence[str] = (),
    costs: Several = (),
    engine: str | None = None,
    samples: Samples | None = None,
    plugins: Several = (),
    allow_outside: bool = False,
    progress: Progress | None = None,
    store: str | Path | Store | None = None,
) -> Comparison:
    """Set chips and runs side by side, and say what is not like for like.

    ``subjects`` are two or more of: a run (the folder that ``archsim run -o`` wrote, the id of a stored one, or a
    Result) and a chip (a name of a preset, a YAML file, or an Architecture). Chips are executed on ``workload``, all
    with the same options, which are those of :func:`archsim.simulate`; ``node`` (``28nm``) sets the technology node of
    all of them, so that they are priced at one. A ``store`` (its file, or an ``archsim.Store``) has the runs with ids,
    answers for chips what it was asked before, and keeps what is new; a warning says so where it cannot. Ratios and
    differences are to the first. Raises ArchsimError with everything that is wrong.
    """
    request = prepare_comparison(
        *subjects, workload=workload, node=node, overrides=overrides, costs=costs, engine=engine, samples=samples,
        plugins=plugins, allow_outside=allow_outside, store=store,
    )  # fmt: skip
    found = fulfil_comparison(request, progress, None if store is None else opened(store))
    if found.unsaved is not None:
        warnings.warn("; ".join(found.origins), stacklevel=2)
    return found.comparison


def fulfil_comparison(
    request: ComparisonRequest, progress: Progress | None = None, store: Store | ArchsimError | None = None
) -> Answered:
    """Execute the chips of a prepared comparison that the store does not know; it keeps what is new.

    ArchsimError names every chip that the network cannot run on.
    """
    runs = _with_one_workload([one for one in request.subjects if isinstance(one, Request)])
    total = sum(len(run.samples) for run in runs)
    answers: list[Answer] = []
    done = 0
    for number, run in enumerate(runs):
        try:
            answers.append(answer(run, store, partial(_executed, run, _part(progress, done, total))))
        except ArchsimError as error:
            raise _refusals(error, runs[number:]) from None
        done += len(run.samples)
    found = iter(answers)
    results = [next(found).result if isinstance(one, Request) else one for one in request.subjects]
    names = labels([result.arch for result in results], request.given)
    sides = tuple(
        Side(label, given, "executed" if isinstance(one, Request) else "run", result)
        for label, given, one, result in zip(names, request.given, request.subjects, results, strict=True)
    )
    origins = _origins([side for side in sides if side.origin == "executed"], answers)
    unsaved = next((one.unsaved for one in answers if one.unsaved is not None), None)
    return Answered(Comparison(sides), origins, unsaved)


def _executed(run: Request, progress: Progress | None) -> Result:
    """Loads what executes only where something is executed."""
    from archsim.simulation import fulfil

    return fulfil(run, progress)


def _origins(sides: Sequence[Side], answers: Sequence[Answer]) -> tuple[str, ...]:
    """Where each chip's answer came from; once, without a chip, what holds for all of them."""
    lines = [one.origin for one in answers]
    if len(set(lines)) == 1:
        return (lines[0],) if lines[0] else ()
    return tuple(f"{side.label}: {line}" for side, line in zip(sides, lines, strict=True) if line)


def _with_one_workload(runs: Sequence[Request]) -> list[Request]:
    """The runs on one object where their workloads are equal: its spikes are made once."""
    first = runs[0].workload if runs else None
    return [replace(run, workload=first) if first and run.workload.hash == first.hash else run for run in runs]


def _part(progress: Progress | None, done: int, total: int) -> Callable[[int, int], None] | None:
    """Progress over all chips, from that of one."""
    return None if progress is None else lambda number, _: progress(done + number, total)


def _refusals(first: ArchsimError, runs: Sequence[Request]) -> ArchsimError:
    """What is wrong with a chip that cannot execute the network, and with those after it: they are only lowered."""
    gather = Gather()
    gather.add(*_named(first, runs[0]))
    for run in runs[1:]:
        lower = partial(run.architecture.family.lower, run.architecture.chip, run.workload, run.samples[0])
        try:
            lower()
        except ArchsimError as error:
            gather.add(*_named(error, run))
    return ArchsimError(gather.problems)


def _named(error: ArchsimError, run: Request) -> list[Problem]:
    name = run.architecture.name
    return [replace(p, file=name) if p.file is None else p for p in error.problems]

"""Executing what a comparison needs, and setting the results side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from archsim.comparison.request import ComparisonRequest, prepare_comparison
from archsim.comparison.sides import Side, labels
from archsim.comparison.subjects import Subject
from archsim.comparison.tables import Comparison
from archsim.errors import ArchsimError, Problem
from archsim.request import Gather, Request, Samples, Several
from archsim.result import Result
from archsim.simulation import Progress, fulfil
from archsim.workload import Workload


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
) -> Comparison:
    """Set chips and runs side by side, and say what is not like for like.

    ``subjects`` are two or more of: a run (the folder that ``archsim run -o`` wrote, or a Result) and a chip (a name of
    a preset, a YAML file, or an Architecture). Chips are executed on ``workload``, all with the same options, which are
    those of :func:`archsim.simulate`; ``node`` (``28nm``) sets the technology node of all of them, so that they are
    priced at one. Ratios are to the first. Raises ArchsimError with everything that is wrong.
    """
    request = prepare_comparison(
        *subjects, workload=workload, node=node, overrides=overrides, costs=costs, engine=engine, samples=samples,
        plugins=plugins, allow_outside=allow_outside,
    )  # fmt: skip
    return fulfil_comparison(request, progress)


def fulfil_comparison(request: ComparisonRequest, progress: Progress | None = None) -> Comparison:
    """Execute the chips of a prepared comparison; ArchsimError names every chip that the network cannot run on."""
    runs = _with_one_workload([one for one in request.subjects if isinstance(one, Request)])
    total = sum(len(run.samples) for run in runs)
    executed: list[Result] = []
    done = 0
    for number, run in enumerate(runs):
        try:
            executed.append(fulfil(run, _part(progress, done, total)))
        except ArchsimError as error:
            raise _refusals(error, runs[number:]) from None
        done += len(run.samples)
    fresh = iter(executed)
    results = [next(fresh) if isinstance(one, Request) else one for one in request.subjects]
    names = labels([result.arch for result in results], request.given)
    return Comparison(
        tuple(
            Side(label, given, "executed" if isinstance(one, Request) else "run", result)
            for label, given, one, result in zip(names, request.given, request.subjects, results, strict=True)
        )
    )


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

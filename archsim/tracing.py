"""Runs that are looked at over time: executed anew (a saved result holds no graph), one input at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archsim.accelerators import Architecture
from archsim.analysis.timeline import Timeline, timeline_of
from archsim.errors import ArchsimError, ConfigError, Problem
from archsim.report.trace import place_for_trace, write_trace
from archsim.request import Request, Samples, Several, prepare
from archsim.result import FILE, Result
from archsim.run import Run
from archsim.samples import parse_samples
from archsim.simulation import Progress, fulfil, run_of
from archsim.workload import Workload

ONE = Problem("a timeline shows one input", key="samples", allowed="one sample")


def timeline(
    arch: str | Path | Architecture,
    workload: str | Path | Workload,
    *,
    overrides: str | Sequence[str] = (),
    costs: Several = (),
    engine: str = "auto",
    sample: int = 0,
    plugins: Several = (),
    allow_outside: bool = False,
) -> Timeline:
    """Execute one input and keep when everything happened: slices of units, buffers, power (for ``archsim.plot``).

    Parameters as those of :func:`archsim.simulate`. ArchsimError with everything that is wrong.
    """
    return _executed(
        prepare_timeline(
            arch, workload, overrides=overrides, costs=costs, engine=engine, samples=sample, plugins=plugins,
            allow_outside=allow_outside,
        )
    )  # fmt: skip


def trace(  # noqa: PLR0913 - one parameter per thing that a run may be asked
    arch: str | Path | Architecture,
    workload: str | Path | Workload,
    path: str | Path,
    *,
    overrides: str | Sequence[str] = (),
    costs: Several = (),
    engine: str = "auto",
    sample: int = 0,
    plugins: Several = (),
    allow_outside: bool = False,
) -> Path:
    """Execute one input and write what every unit did when as a trace that ui.perfetto.dev opens.

    The file ends in .json, and is written whole or not at all; the rest as for :func:`timeline`. ArchsimError with
    everything that is wrong, before anything is executed.
    """
    request = prepare_timeline(
        arch, workload, trace=path, overrides=overrides, costs=costs, engine=engine, samples=sample, plugins=plugins,
        allow_outside=allow_outside,
    )  # fmt: skip
    return write_trace(_executed(request), path)


def _executed(request: Request) -> Timeline:
    (sample,) = request.samples
    return timeline_of_run(run_of(request, sample))


def prepare_timeline(
    arch: str | Path | Architecture,
    workload: str | Path | Workload,
    *,
    trace: str | Path | None = None,
    figures: bool = False,
    **options: Any,
) -> Request:
    """As :func:`archsim.request.prepare`, for one sample with a trace, or figures of its timeline in ``output``."""
    problems = [*_problems(trace, figures, options.get("output"), options.get("samples", (0,)))]
    try:
        request = prepare(arch, workload, **options)
    except ArchsimError as error:
        raise ConfigError([*error.problems, *problems]) from None
    if problems or len(request.samples) != 1:
        raise ConfigError(problems or ONE)
    return request


@dataclass(frozen=True)
class Watch:
    """What a run is to leave behind of what happened when: a trace, figures in its folder, or both."""

    trace: str | None
    figures: bool
    _seen: list[Timeline] = field(default_factory=list)

    def prepare(self, arch: str, workload: str, **options: Any) -> Request:
        """As :func:`prepare_timeline`."""
        return prepare_timeline(arch, workload, trace=self.trace, figures=self.figures, **options)

    def fulfil(self, request: Request, progress: Progress | None = None) -> Result:
        """Execute and price a request of one sample, and watch it."""

        def watched(request: Request, sample: int) -> Run:
            run = run_of(request, sample)
            self._seen.append(timeline_of_run(run))
            return run

        return fulfil(request, progress, watched)

    def save(self, folder: str | None) -> Iterator[Path]:
        """Write the trace, and the figures into the folder; yields each file that is there."""
        (seen,) = self._seen
        if self.trace is not None:
            yield write_trace(seen, self.trace)
        if self.figures and folder is not None:
            from archsim.report.plots import plot

            yield from plot(seen, output=folder)


def timeline_of_run(run: Run) -> Timeline:
    """The timeline of an executed sample, with its prices."""
    prices = run.prices
    latency_ns = prices.latency_ns
    return timeline_of(
        run.execution,
        {(name, action): p.value for name, bill in prices.bills.items() for action, p in bill.cost.energy_pj.items()},
        clock_mhz=run.architecture.chip.clock_mhz,
        leakage_mw=prices.static_pj.value / latency_ns if latency_ns else 0.0,
        arch=run.architecture.name, workload=run.workload.name, synthetic=run.workload.activity.synthetic,
        sample=run.sample,
    )  # fmt: skip


def _problems(
    trace: str | Path | None, figures: bool, output: str | Path | None, samples: Samples
) -> list[Problem]:  # fmt: skip
    found: list[Problem] = []
    if trace is not None:
        try:
            place_for_trace(trace)
        except ArchsimError as error:
            found += error.problems
        if output is not None and Path(trace).absolute() == (Path(output) / FILE).absolute():
            found.append(Problem("is where the result itself goes", key="trace", value=str(trace)))
    if figures and output is None:
        text = "the figures of the timeline need a folder"
        found.append(Problem(text, key="timeline", allowed="with -o DIR"))
    if _several(samples):
        found.append(ONE)
    return found


def _several(samples: Samples) -> bool:
    """Whether these are certainly several; whether they are samples at all is another question."""
    with suppress(ArchsimError):
        given = parse_samples(samples) if isinstance(samples, str) else samples
        return isinstance(given, Sequence) and len(given) > 1
    return False

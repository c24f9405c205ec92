"""The way of a break-even: the ANN once per T, the SNN at several spike rates, and where their costs cross."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from archsim.accelerators import Architecture
from archsim.crossover.answer import Breakeven, Curve, Own, Point, Verdict
from archsim.crossover.cost import METRICS, Cost, cost_of
from archsim.crossover.narrow import narrow
from archsim.crossover.request import ANN_DENSITY, TIMESTEPS, BreakevenRequest, prepare_breakeven
from archsim.crossover.say import listed, notes, sentences
from archsim.crossover.twin import activation_bits, quantised, spiking
from archsim.errors import ArchsimError, ConfigError, Problem
from archsim.request import Samples, Several
from archsim.workload import Workload

Progress = Callable[[int, int], None]
RATES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)
"""Spike rates that are executed whatever is found, up to the largest that can be reached; and the workload's own."""
NARROWING = 2  # rates executed beside each crossing, as a rule: what the progress bar expects


def breakeven(  # noqa: PLR0913 - one parameter per thing that may be asked
    arch: str | Path | Architecture,
    workload: str | Path | Workload,
    *,
    timesteps: str | int | Sequence[int] = TIMESTEPS,
    ann_density: float = ANN_DENSITY,
    ann_pe: str | None = None,
    ann_overrides: str | Sequence[str] = (),
    uniform: bool = False,
    overrides: str | Sequence[str] = (),
    costs: Several = (),
    engine: str = "fast",
    samples: Samples | None = None,
    inputs: str | None = None,
    plugins: Several = (),
    allow_outside: bool = False,
    progress: Progress | None = None,
) -> Breakeven:
    """The spike rate and the timesteps below which an SNN costs less than the same topology as a quantised ANN.

    ``ann_density``: non-zero share of the ANN's activations. ``ann_pe`` (systolic chips): ``multiplier`` (the default)
    or ``bit_serial``. ``ann_overrides``: dotted keys of the ANN's chip. ``uniform``: one density for all layers
    behind the input, in place of the workload's own in their ratios. The rest is as for :func:`archsim.simulate`;
    densities of recorded or simulated spikes are counted over ``samples``, and each sample is executed. Raises
    ArchsimError with everything that is wrong.
    """
    request = prepare_breakeven(
        arch, workload, timesteps=timesteps, ann_density=ann_density, ann_pe=ann_pe, ann_overrides=ann_overrides,
        uniform=uniform, overrides=overrides, costs=costs, engine=engine, samples=samples, inputs=inputs,
        plugins=plugins, allow_outside=allow_outside,
    )  # fmt: skip
    return fulfil_breakeven(request, progress)


def fulfil_breakeven(request: BreakevenRequest, progress: Progress | None = None) -> Breakeven:
    """Execute what :func:`prepare_breakeven` has loaded and checked.

    Raises one ConfigError with all that the chips cannot execute of the two networks, at any T.
    """
    base, rates = request.base, request.rates
    planned = len(RATES) + (NARROWING * len(METRICS) + 1) * len(request.ann_densities)
    count = _Count(progress, planned * len(request.timesteps))
    searches = [_Search(request, steps, count) for steps in request.timesteps]
    refused = _Refused()
    for search in searches:
        refused.of("SNN", search.timesteps, partial(search.point, rates.own))
        refused.of("ANN", search.timesteps, search.anns)
    refused.tell()
    curves = [search.curve() for search in searches]
    own = _own(request, searches)
    chip = base.architecture.chip
    densities = {name: edge.density for edge in (*rates.fixed, *rates.spikes) for name in edge.readers}
    order = [layer.name for layer in base.workload.network.weighted_layers]
    answer = Breakeven(
        base.architecture.name, base.workload.name, base.samples, float(chip.node_nm), float(chip.clock_mhz),
        request.ann_overrides, request.ann_densities, {name: densities[name] for name in order}, rates.uniform,
        rates.most, tuple(curves), own, (), (),
    )  # fmt: skip
    answer = replace(answer, notes=notes(answer, base.workload))
    return replace(answer, sentences=sentences(answer))


class _Count:
    """Executed points, told to whoever shows progress; how many there will be is not known exactly."""

    def __init__(self, progress: Progress | None, expected: int) -> None:
        self._progress, self._expected, self._done = progress, expected, 0

    def one(self) -> None:
        """Another point is about to be executed."""
        if self._progress is not None:
            self._progress(min(self._done, self._expected), self._expected)
        self._done += 1


class _Refused:
    """What the chips cannot execute, by network, and at which timesteps."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], tuple[Problem, list[int]]] = {}

    def of(self, name: str, timesteps: int, step: Callable[[], object]) -> None:
        """Run a step of one network, and keep its problems."""
        try:
            step()
        except ArchsimError as error:
            for problem in error.problems:
                self._found.setdefault((name, str(problem)), (problem, []))[1].append(timesteps)

    def tell(self) -> None:
        """One ConfigError with all of them, if there are any."""
        problems = [
            replace(problem, message=f"the {name} (T = {listed(steps)}): {problem.message}")
            for (name, _), (problem, steps) in self._found.items()
        ]
        if problems:
            raise ConfigError(problems)


def _own(request: BreakevenRequest, searches: Sequence[_Search]) -> Own:
    """The workload as it is: recorded spikes are executed themselves, others are those of its own rate."""
    base, timesteps = request.base, request.base.workload.network.timesteps
    recorded = not base.workload.activity.synthetic
    if recorded or request.rates.uniform:
        cost = cost_of(base.architecture, base.workload, base.table, base.samples, base.engine)
    else:
        search = next(one for one in searches if one.timesteps == timesteps)
        cost = search.point(request.rates.own).snn
    return Own(timesteps, request.rates.own, cost, recorded)


class _Search:
    """Executed points of one T; none is executed twice."""

    def __init__(self, request: BreakevenRequest, timesteps: int, count: _Count) -> None:
        self.request, self.timesteps, self._count = request, timesteps, count
        self._points: dict[float, Point] = {}
        self._anns: dict[float, Cost] = {}

    @property
    def grid(self) -> list[float]:
        """The rates that are executed whatever is found."""
        rates = self.request.rates
        return sorted({*(rate for rate in RATES if rate < rates.most), rates.most, rates.own})

    def point(self, rate: float) -> Point:
        """The SNN at a spike rate."""
        if rate not in self._points:
            self._count.one()
            base, rates = self.request.base, self.request.rates
            network = spiking(base.workload, self.timesteps, rates.at(rate))
            cost = cost_of(base.architecture, network, base.table, base.samples, base.engine)
            self._points[rate] = Point(rate, cost, rates.capped(rate))
        return self._points[rate]

    def anns(self) -> dict[float, Cost]:
        """The ANN at each density of its activations."""
        base = self.request.base
        for density in self.request.ann_densities:
            if density not in self._anns:
                self._count.one()
                stated = self.request.rates.of_ann(density, self.timesteps)
                network = quantised(base.workload, self.timesteps, stated)
                self._anns[density] = cost_of(self.request.ann, network, base.table, base.samples, base.engine)
        return self._anns

    def curve(self) -> Curve:
        """All points, and the verdicts by every metric against every ANN."""
        for rate in self.grid:
            self.point(rate)
        known = 0
        verdicts: tuple[Verdict, ...] = ()
        while len(self._points) > known:  # what was executed for one verdict is looked at for all
            known, verdicts = len(self._points), self._verdicts()
        points = tuple(self._points[rate] for rate in sorted(self._points))
        bits = activation_bits(self.request.base.workload.network, self.timesteps)
        return Curve(self.timesteps, bits, self.anns(), points, self.point(self.request.rates.own), verdicts)

    def _verdicts(self) -> tuple[Verdict, ...]:
        return tuple(self._verdict(metric, density) for density in self.request.ann_densities for metric in METRICS)

    def _verdict(self, metric: str, density: float) -> Verdict:
        least = self.anns()[density].of(metric)

        def excess(rate: float) -> float:
            return self.point(rate).snn.of(metric) / least - 1.0

        rates = sorted(self._points)
        wins = [excess(rate) < 0 for rate in rates]
        if len(set(wins)) == 1:
            return Verdict(metric, density, "always" if wins[0] else "never")
        crossings = [at for at in range(1, len(wins)) if wins[at] != wins[at - 1]]
        at = next((at for at in crossings if wins[at - 1]), None)
        if at is None:  # it loses where little spikes and wins where much does
            return Verdict(metric, density, "mixed")
        low, high = narrow(excess, rates[at - 1], rates[at])
        rate = low + (high - low) * excess(low) / (excess(low) - excess(high))
        return Verdict(metric, density, "below" if len(crossings) == 1 else "mixed", rate, low, high)

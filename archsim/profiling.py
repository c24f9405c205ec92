"""Profile of one run: where the time went, what would shorten it, what would save energy, and what to change first."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from archsim.accelerators import Architecture
from archsim.advice import Advice, Executed, advise, sentences
from archsim.analysis.roofline import Roofline, roofline
from archsim.analysis.sensitivity import Sensitivity, sensitivities
from archsim.cost.pricing import Prices, price
from archsim.cost.table import CostTable
from archsim.engine import execute
from archsim.errors import ArchsimError, ConfigError, Problem
from archsim.request import Request, Samples, Several, prepare
from archsim.result import Result
from archsim.run import Run
from archsim.simulation import result_of, run_of
from archsim.workload import Workload

FORMAT = "archsim-profile-1"
EXECUTED_AGAIN_UP_TO_TASKS = 1_000_000


@dataclass(frozen=True)
class EnergySaving:
    """One change of prices or time, and the energy that the run would need less: pJ."""

    change: str  # "half the energy", "no leakage" or "half the latency"
    subject: str  # a component, or "all"
    energy_pj: float  # with the change
    gain_pj: float


@dataclass(frozen=True)
class Profile:
    """A run, and what changes to the chip would do to it.

    The parts of each of ``result.units`` sum to ``result.cycles``, and so do the shares of ``result.critical_path``.
    """

    result: Result
    roofline: Roofline
    time: tuple[Sensitivity, ...]  # the largest gain first
    left_out: int  # single units and buffers that were not tried, for want of time
    energy: tuple[EnergySaving, ...]  # the largest gain first
    advice: Advice | None  # None: no single change shortens the run
    sentences: tuple[str, str, str]

    @property
    def anomalies(self) -> tuple[Sensitivity, ...]:
        """Changes for the better that make the run longer."""
        return tuple(one for one in self.time if one.anomaly)

    def to_data(self) -> dict[str, Any]:
        """Everything as plain data."""
        result = self.result
        return {
            "format": FORMAT, "arch": result.arch, "workload": result.workload, "samples": list(result.samples),
            "synthetic": result.synthetic, "cycles": result.cycles, "latency_ns": result.latency_ns,
            "energy_pj": result.energy_pj, "dynamic_pj": result.dynamic_pj, "static_pj": result.static_pj,
            "units": [_plain(row) for row in result.units],
            "critical_path": [_plain(row) for row in result.critical_path],
            "roofline": asdict(self.roofline),
            "time": [asdict(one) | {"anomaly": one.anomaly} for one in self.time], "left_out": self.left_out,
            "energy": [asdict(one) for one in self.energy],
            "advice": None if self.advice is None else asdict(self.advice), "sentences": list(self.sentences),
        }  # fmt: skip

    def to_text(self) -> str:
        """Everything as one JSON object."""
        return json.dumps(self.to_data(), indent=1)


def profile(
    arch: str | Path | Architecture,
    workload: str | Path | Workload,
    *,
    overrides: str | Sequence[str] = (),
    costs: Several = (),
    engine: str = "auto",
    samples: Samples = 0,
    plugins: Several = (),
    allow_outside: bool = False,
) -> Profile:
    """Execute one sample and try what would make it shorter and cheaper (arguments as :func:`archsim.simulate`).

    Raises ArchsimError with everything that is wrong.
    """
    return fulfil_profile(
        prepare_profile(
            arch, workload, overrides=overrides, costs=costs, engine=engine, samples=samples, plugins=plugins,
            allow_outside=allow_outside,
        )
    )  # fmt: skip


def prepare_profile(arch: str | Path | Architecture, workload: str | Path | Workload, **options: Any) -> Request:
    """As :func:`archsim.request.prepare`; a profile is of exactly one sample."""
    request = prepare(arch, workload, **options)
    if len(request.samples) != 1:
        listed = ", ".join(str(sample) for sample in request.samples)
        raise ConfigError(
            Problem("a profile looks at one sample", key="samples", value=listed, allowed="one number, such as 0")
        )
    return request


def fulfil_profile(request: Request) -> Profile:
    """Execute, and time and price again with every change."""
    return profile_of(run_of(request, request.samples[0]), request.table)


def profile_of(run: Run, table: CostTable) -> Profile:
    """The profile of an executed run."""
    result = result_of(run, table)
    chip = run.architecture.chip
    tried = sensitivities(run.execution, run.attribution.path)
    savings = energy_savings(run.prices)
    roof = roofline(run.execution, run.lowered.components, chip.clock_mhz)
    advice = advise(tried.found, chip)
    if advice is not None and result.tasks <= EXECUTED_AGAIN_UP_TO_TASKS:
        advice = replace(advice, executed=_best(run, table, advice.overrides))
    return Profile(
        result, roof, tried.found, tried.left_out, savings, advice,
        sentences(result, tried.found, savings[0].subject if savings else "", advice),
    )  # fmt: skip


def _best(run: Run, table: CostTable, ways: Sequence[Sequence[str]]) -> Executed | None:
    """The way that makes the shortest run; those that the chip does not allow or that do not fit are left out."""
    done = []
    for way in ways:
        with suppress(ArchsimError):
            done.append(_executed(run, table, way))
    return min(done, key=lambda one: one.cycles, default=None)


def _executed(run: Run, table: CostTable, overrides: Sequence[str]) -> Executed:
    """The same sample on the same chip with some overrides."""
    architecture = run.architecture.with_overrides(overrides)
    chip = architecture.chip
    lowered = architecture.family.lower(chip, run.workload, run.sample)
    execution = execute(lowered.graph, "fast")
    latency_ns = execution.cycles * 1000.0 / chip.clock_mhz
    prices = price(execution.ledger, lowered.components, table, chip.node_nm, latency_ns)
    return Executed(tuple(overrides), execution.cycles, prices.total_pj.value)


def energy_savings(prices: Prices) -> tuple[EnergySaving, ...]:
    """Price the run again: each component at half its actions' energy and leakage, no leakage at all, half the time."""
    total, static = prices.total_pj.value, prices.static_pj.value
    gains = [("half the energy", name, bill.energy_pj.value / 2) for name, bill in prices.bills.items()]
    gains += [("no leakage", "all", static), ("half the latency", "all", static / 2)]
    found = [EnergySaving(change, subject, total - gain, gain) for change, subject, gain in gains]
    return tuple(sorted(found, key=lambda one: -one.gain_pj))


def _plain(row: Any) -> dict[str, Any]:
    return {key: dict(value) if isinstance(value, Mapping) else value for key, value in asdict(row).items()}

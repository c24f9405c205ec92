"""The answer: curves of executed points, where they cross, and what the workload itself does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from archsim.crossover.cost import METRICS, Cost

FORMAT = "archsim-breakeven-1"
Outcome = Literal["never", "always", "below", "mixed"]


@dataclass(frozen=True)
class Point:
    """The SNN at one spike rate, executed. ``capped``: layers whose input is as dense as can be there."""

    rate: float
    snn: Cost
    capped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """Where the SNN wins by one metric against the ANN at one density of activations.

    ``never`` and ``always``: at no or every executed rate. ``below``: at ``low`` and every executed rate under it, and
    at ``high`` and above no more; both are executed, and ``rate`` lies where the line between them meets the ANN.
    ``mixed``: the costs cross more than once; ``rate`` is then the lowest crossing.
    """

    metric: str
    ann_density: float
    outcome: Outcome
    rate: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Curve:
    """One number of timesteps: the ANN of ``bits`` bits at each density, the SNN at each rate, and who wins where."""

    timesteps: int
    bits: int
    ann: Mapping[float, Cost]
    points: tuple[Point, ...]
    own: Point
    verdicts: tuple[Verdict, ...]

    def verdict(self, metric: str, ann_density: float) -> Verdict:
        """The verdict by a metric against the ANN at a density."""
        return next(one for one in self.verdicts if (one.metric, one.ann_density) == (metric, ann_density))

    def ratio(self, point: Point, metric: str, ann_density: float) -> float:
        """SNN / ANN."""
        return point.snn.of(metric) / self.ann[ann_density].of(metric)


@dataclass(frozen=True)
class Own:
    """The workload as it is: its timesteps, its spike rate, and what it costs.

    ``recorded``: with its own spikes, recorded or simulated, not with drawn ones.
    """

    timesteps: int
    rate: float
    snn: Cost
    recorded: bool


@dataclass(frozen=True)
class Breakeven:
    """An SNN and the same topology as a quantised ANN on one chip.

    ``ann_overrides`` are all that differs between the chips; ``densities`` are the SNN's own, by weighted layer.
    """

    arch: str
    workload: str
    samples: tuple[int, ...]
    node_nm: float
    clock_mhz: float
    ann_overrides: tuple[str, ...]
    ann_densities: tuple[float, ...]
    densities: Mapping[str, float]
    uniform: bool
    most_rate: float
    curves: tuple[Curve, ...]
    own: Own
    notes: tuple[str, ...]
    sentences: tuple[str, ...]

    @property
    def ann_density(self) -> float:
        """The density of the ANN's activations that was asked for."""
        return self.ann_densities[0]

    @property
    def own_curve(self) -> Curve:
        """The curve of the workload's own timesteps."""
        return self.curve(self.own.timesteps)

    def curve(self, timesteps: int) -> Curve:
        """The curve of a number of timesteps (StopIteration if it was not asked for)."""
        return next(one for one in self.curves if one.timesteps == timesteps)

    def own_ratio(self, metric: str) -> float:
        """What the workload as it is costs, over what the ANN costs."""
        return self.own.snn.of(metric) / self.own_curve.ann[self.ann_density].of(metric)

    def wins_up_to(self, metric: str) -> int | None:
        """The SNN wins at its own rate at all T that were asked for, up to this one; None if not even at the first."""
        found = None
        for curve in self.curves:
            if curve.ratio(curve.own, metric, self.ann_density) >= 1.0:
                break
            found = curve.timesteps
        return found

    def to_data(self) -> dict[str, Any]:
        """Everything as plain data; rates are fractions, pJ, ns, um2."""
        return {
            "format": FORMAT, "arch": self.arch, "workload": self.workload, "samples": list(self.samples),
            "node_nm": self.node_nm, "clock_mhz": self.clock_mhz,
            "ann": {"overrides": list(self.ann_overrides), "densities": list(self.ann_densities)},
            "own": {
                **asdict(self.own), "densities": dict(self.densities),
                "ratio": {metric: self.own_ratio(metric) for metric in METRICS},
                "wins_up_to_timesteps": {metric: self.wins_up_to(metric) for metric in METRICS},
            },
            "uniform": self.uniform, "most_rate": self.most_rate,
            "curves": [self._curve(curve) for curve in self.curves],
            "notes": list(self.notes), "sentences": list(self.sentences),
        }  # fmt: skip

    def _curve(self, curve: Curve) -> dict[str, Any]:
        return {
            "timesteps": curve.timesteps, "bits": curve.bits,
            "ann": [{"density": density, **asdict(cost)} for density, cost in curve.ann.items()],
            "points": [
                {
                    "rate": point.rate, "capped": list(point.capped), **asdict(point.snn),
                    "ratio": {metric: curve.ratio(point, metric, self.ann_density) for metric in METRICS},
                }
                for point in curve.points
            ],
            "breakeven": [asdict(verdict) for verdict in curve.verdicts],
        }  # fmt: skip

    def to_text(self) -> str:
        """Everything as one JSON object."""
        return json.dumps(self.to_data(), indent=1)

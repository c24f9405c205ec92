"""Ending inputs early: what a confidence threshold saves on the chip, and what it costs in accuracy.

An input ends at the first timestep whose prediction is certain enough (``archsim.snn.readouts``). The chip has that
prediction when the last task of its last layer at that timestep, and at those before, has delivered its result, in
cycle X. Nothing starts from there on; what has started is finished and paid for:

``E(X) = sum of E_i over the tasks i with start_i < X + leakage x X``, latency ``X``.

All of it comes from one execution of all timesteps: the order of work does not depend on when it ends. On a chip that
finishes a layer for all timesteps before the next one begins, the first prediction comes late and little is saved; the
figures say so. Comparing confidence with the threshold is not counted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators import Architecture
from archsim.analysis.power import TaskEnergy
from archsim.comparison.folder import place_for_figure
from archsim.errors import ConfigError, Problem, UnsupportedError
from archsim.inputs import simulated_of
from archsim.request import Gather, Request, Samples, Several, prepare
from archsim.run import Run, draw_of
from archsim.simulation import Progress, run_of
from archsim.snn import exits
from archsim.snn.exits import exit_problems, reach_problems
from archsim.snn.readouts import Confidence
from archsim.workload import Workload

FORMAT = "archsim-early-exit-1"
LATE = 0.75  # of a run: a first prediction behind it saves little
THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ExitRow:
    """Means over the inputs at one threshold; ``threshold`` None: no input ends early."""

    threshold: float | None
    timesteps: float
    accuracy: float | None
    energy_pj: float
    latency_ns: float
    edp_pj_ns: float  # of the means
    ended_early: float  # fraction of the inputs


@dataclass(frozen=True)
class EarlyExit:
    """The rows of all thresholds, the highest first, behind that of no early end."""

    arch: str
    workload: str
    inputs: str
    samples: int
    timesteps: int
    confidence: str
    rows: tuple[ExitRow, ...]
    front: tuple[bool, ...]  # no other row is better in energy without losing accuracy
    note: str  # where the first prediction comes too late to save much

    def to_json(self) -> dict[str, Any]:
        """The one object that ``--json`` prints."""
        return {"format": FORMAT, **asdict(self)}

    def to_text(self) -> str:
        """:meth:`to_json` as text."""
        return json.dumps(self.to_json(), allow_nan=False)


def early_exit(  # noqa: PLR0913 - one parameter per thing that may be asked
    arch: str | Path | Architecture,
    workload: str | Path | Workload,
    *,
    inputs: str | None = None,
    thresholds: str | Sequence[float] = THRESHOLDS,
    confidence: str = "softmax",
    precision: str | None = None,
    overrides: str | Sequence[str] = (),
    costs: Several = (),
    engine: str = "auto",
    samples: Samples | None = None,
    plugins: Several = (),
    allow_outside: bool = False,
    figure: str | Path | None = None,
    progress: Progress | None = None,
) -> EarlyExit:
    """Energy, latency and accuracy for each threshold of the confidence, on inputs that the network is executed on.

    ``inputs`` as of :func:`archsim.simulate`; or the workload's file names them. ``thresholds`` may be a text such as
    ``0.5,0.9``; ``figure`` is where the answer will be drawn. Raises ArchsimError with everything
    that is wrong: thresholds outside 0..1, a workload without inputs or weights, and what a run may get wrong.
    """
    gather = Gather()
    chosen = gather.of(lambda: _numbers(thresholds)) or ()
    gather.add(*exit_problems("thresholds", chosen, confidence))
    if figure is not None:
        gather.of(lambda: place_for_figure(figure))
    given: dict[str, Any] = {"samples": samples, "plugins": plugins, "allow_outside": allow_outside}
    given |= {"inputs": inputs, "precision": precision, "overrides": overrides, "costs": costs, "engine": engine}
    request = gather.of(lambda: prepare(arch, workload, **given))
    if request is not None:
        gather.add(*reach_problems(request.workload.network, "thresholds", chosen, confidence))
    if request is not None and simulated_of(request.workload, request.samples) is None:
        text = "an early end needs inputs that the network itself is executed on"
        gather.add(Problem(text, key="inputs", allowed="such as mnist:0..99, with a workload that has weights"))
    if gather.problems or request is None:
        raise ConfigError(gather.problems)
    return _answer(request, sorted(set(chosen), reverse=True), "entropy" if confidence == "entropy" else "softmax",
                   progress)  # fmt: skip


def _numbers(thresholds: str | Sequence[float]) -> tuple[float, ...]:
    """Thresholds as numbers; ConfigError with every one that is none."""
    items = [item.strip() for item in thresholds.split(",")] if isinstance(thresholds, str) else list(thresholds)
    found, problems = [], []
    for item in items:
        try:
            found.append(float(item))
        except (TypeError, ValueError):
            problems.append(Problem("not a number", key="thresholds", value=item, allowed="such as 0.5,0.9,0.99"))
    if not items:
        problems.append(Problem("no threshold is named", key="thresholds", allowed="at least one"))
    if problems:
        raise ConfigError(problems)
    return tuple(found)


def _answer(
    request: Request, thresholds: Sequence[float], confidence: Confidence, progress: Progress | None
) -> EarlyExit:
    """Execute every sample once, and end it at every threshold."""
    network, total = request.workload.network, len(request.samples)
    found = simulated_of(request.workload, request.samples)
    assert found is not None
    ends = exits(found.simulated, thresholds, found.labels, confidence)
    energy_pj, latency_ns = np.zeros((total, network.timesteps)), np.zeros((total, network.timesteps))
    for number, sample in enumerate(request.samples):
        if progress is not None:
            progress(number, total)
        energy_pj[number], latency_ns[number] = spent(run_of(request, sample), network.timesteps)
    whole = np.full(total, network.timesteps)
    accuracy = None if found.labels is None else found.simulated.accuracy(found.labels)
    rows = [_row(None, whole, accuracy, energy_pj, latency_ns)]
    rows += [_row(end.threshold, end.steps, end.accuracy, energy_pj, latency_ns) for end in ends]
    return EarlyExit(
        request.architecture.name, request.workload.name, found.name, total, network.timesteps, confidence,
        tuple(rows), _front(rows), _note(latency_ns),
    )  # fmt: skip


def _note(latency_ns: Floats) -> str:
    """That the chip cannot end an input early to speak of, where the first prediction comes late in the run."""
    first = float((latency_ns[:, 0] / latency_ns[:, -1]).mean())
    if latency_ns.shape[1] == 1 or first <= LATE:
        return ""
    return (
        f"the prediction of the first timestep comes after {100 * first:.0f} % of the run: this chip finishes layers"
        " for all timesteps before it begins the next; timesteps.scope=network lets a systolic chip end early"
    )


def spent(run: Run, timesteps: int) -> tuple[Floats, Floats]:
    """Energy in pJ and latency in ns if the input ends behind timestep 0, 1, ..., T - 1: two arrays [T]."""
    execution, graph = run.execution, run.execution.graph
    ready = decided(run, timesteps)
    action_pj, leakage_mw = draw_of(run.prices)
    order = np.argsort(execution.start, kind="stable")
    paid = np.concatenate([[0.0], np.cumsum(TaskEnergy(graph).at(action_pj)[order])])
    started = np.searchsorted(execution.start[order], ready, side="left")
    latency_ns = ready.astype(np.float64) * (1000.0 / float(run.architecture.chip.clock_mhz))
    return paid[started] + leakage_mw * latency_ns, latency_ns


def decided(run: Run, timesteps: int) -> NDArray[np.int64]:
    """The cycle in which the prediction of each timestep is there, [T]; with the last one the run ends.

    UnsupportedError where the last layer's timesteps are not computed one by one.
    """
    execution, graph = run.execution, run.execution.graph
    number = {name: index for index, name in enumerate(graph.layers)}
    last = [number[name] for name in run.lowered.layers[-1].members]
    of_last = np.isin(graph.layer, last) & (graph.timestep >= 0)
    ready = np.full(timesteps, -1, np.int64)
    np.maximum.at(ready, graph.timestep[of_last], (execution.finish + graph.latency)[of_last])
    if (ready < 0).any():
        text = "this chip computes several timesteps of a layer together, so that no input ends in between"
        allowed = "one timestep at a time (systolic chips: timesteps.order=sequential)"
        raise UnsupportedError(Problem(text, value=run.architecture.name, allowed=allowed))
    ready = np.maximum.accumulate(ready)
    ready[-1] = execution.cycles
    return ready


def _row(
    threshold: float | None, steps: NDArray[Any], accuracy: float | None, energy_pj: Floats, latency_ns: Floats
) -> ExitRow:
    each = np.arange(len(steps)), steps - 1
    energy, latency = float(energy_pj[each].mean()), float(latency_ns[each].mean())
    early = float((steps < energy_pj.shape[1]).mean())
    return ExitRow(threshold, float(steps.mean()), accuracy, energy, latency, energy * latency, early)


def _front(rows: Sequence[ExitRow]) -> tuple[bool, ...]:
    """Which rows no other one beats in energy or accuracy without losing in the other."""
    if any(row.accuracy is None for row in rows):
        return (False,) * len(rows)
    points: Mapping[int, tuple[float, float]] = {
        index: (row.energy_pj, -(row.accuracy or 0.0)) for index, row in enumerate(rows)
    }
    return tuple(
        not any(other != mine and other[0] <= mine[0] and other[1] <= mine[1] for other in points.values())
        for mine in points.values()
    )

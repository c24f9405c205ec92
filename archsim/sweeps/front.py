"""The Pareto front of a sweep: the points that no other point beats in one number without losing in another.

Points compete with those of their own network: nobody chooses a chip by giving it less to do.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archsim.errors import ArchsimError, ConfigError, Problem
from archsim.sweeps.table import FORMAT, OK, Row, Sweep, known_metric, load_sweep

LARGER_IS_BETTER = frozenset(
    {"throughput_per_s", "synaptic_operations", "accuracy", "chip_accuracy", "chip_accuracy_worst"}
)


@dataclass(frozen=True)
class Front:
    """The front of a sweep for some objectives: its rows in ascending order of the first one, and all that competed.

    Of several networks each has its own front; they stand one after the other.
    """

    sweep: Sweep
    objectives: tuple[str, ...]
    rows: tuple[Row, ...]
    candidates: tuple[Row, ...]

    def to_text(self) -> str:
        """The one JSON object that ``--json`` prints."""
        body = {"format": FORMAT, "name": self.sweep.name, "objectives": self.objectives, "front": self.rows}
        return json.dumps(body, indent=1, allow_nan=False)


def pareto(sweep: str | Path | Sweep, *objectives: str) -> Front:
    """The front of a sweep, or of the folder that one wrote.

    Objectives are numbers of a result, smaller being better, except throughput and accuracy. Points that failed or
    break a constraint do not compete; points that are equal in all objectives are all on the front, or none.
    ArchsimError for unknown objectives, and where no point can compete.
    """
    problems: list[Problem] = []
    for name in objectives:
        try:
            known_metric(name)
        except ArchsimError as error:
            problems += error.problems
    if len(set(objectives)) != len(objectives) or not objectives:
        problems.append(Problem("a front has one or more objectives, each once", value=" ".join(objectives) or None))
    try:
        table = sweep if isinstance(sweep, Sweep) else load_sweep(sweep)
    except ArchsimError as error:
        raise ConfigError([*problems, *error.problems]) from None
    if problems:
        raise ConfigError(problems)
    candidates = tuple(row for row in table.of(OK) if all(row[name] is not None for name in objectives))
    if not candidates:
        text = "no point has all objectives and meets the constraints"
        raise ArchsimError(Problem(text, file=table.name, value=" ".join(objectives)))
    signs = np.array([-1.0 if name in LARGER_IS_BETTER else 1.0 for name in objectives])
    costs = np.array([[row[name] for name in objectives] for row in candidates], dtype=np.float64) * signs
    chosen: list[int] = []
    for network in dict.fromkeys(row["workload"] for row in candidates):
        own = np.array([at for at, row in enumerate(candidates) if row["workload"] == network])
        chosen += sorted(own[undominated(costs[own])].tolist(), key=lambda at: (*costs[at].tolist(), at))
    return Front(table, tuple(objectives), tuple(candidates[at] for at in chosen), candidates)


def undominated(costs: NDArray[np.float64]) -> NDArray[np.bool_]:
    """[points] whether no other point is at least as small in every column of ``costs`` and smaller in one."""
    kept = np.ones(len(costs), bool)
    for at in range(len(costs)):
        if kept[at]:
            beaten = (costs[at] <= costs).all(axis=1) & (costs[at] < costs).any(axis=1)
            kept &= ~beaten
    return kept

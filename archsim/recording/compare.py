"""The framework's spikes beside archsim's own: every layer that differs, how often, and where first."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from archsim.errors import Problem, WorkloadError
from archsim.recording.graph import Array
from archsim.snn import Simulated, simulate
from archsim.workload import Workload


def simulated_alike(
    workload: Workload, values: Array, spikes: Mapping[str, Array], modules: Mapping[str, str], own: str
) -> tuple[Simulated, str]:
    """archsim's simulation that equals the recorded spikes, in the module's type or else the other one.

    WorkloadError that names every layer that differs, in the module's type, where neither does.
    """
    types = ("float64", "float32") if own == "float64" else ("float32", "float64")
    problems: list[Problem] = []
    for dtype in types:
        found = simulate(workload, values, dtype="float64" if dtype == "float64" else "float32")
        differing = _differences(found, spikes, modules, dtype)
        if not differing:
            return found, dtype
        problems = problems or differing
    raise WorkloadError([*problems, _remedy(own, workload)])


def _differences(
    found: Simulated, spikes: Mapping[str, Array], modules: Mapping[str, str], dtype: str
) -> list[Problem]:
    problems = []
    for layer, recorded in spikes.items():
        made = found.spikes[layer]
        wrong = made != recorded
        if wrong.any():
            first = tuple(int(place) for place in np.argwhere(wrong)[0])
            where = f"sample {first[0]}, timestep {first[1]}, [{', '.join(map(str, first[2:]))}]"
            text = f"{int(wrong.sum()):,} of {wrong.size:,} values differ between the framework and archsim ({dtype}), "
            text += f"first in {where}: {int(recorded[first])} there, {int(made[first])} here"
            problems.append(Problem(text, key=modules[layer]))
    return problems


def _remedy(own: str, workload: Workload) -> Problem:
    """What may be done: rare differences are sums that round otherwise."""
    text = f"'{workload.name}' is not recorded: a trace must equal archsim's own simulation. "
    if own != "float64":
        text += "Where few values differ, sums rounded differently; in double precision (module.double()) that is rare"
    else:
        text += "In double precision this is no rounding: the neurons compute something that archsim did not read"
    return Problem(text)

"""The framework's spikes beside archsim's own: every layer that differs, how often, and where first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from archsim.errors import Problem, WorkloadError
from archsim.recording.graph import Array
from archsim.snn import Simulated, simulate
from archsim.workload import Workload

_ROUNDING = 1e-3


@dataclass(frozen=True)
class Recorded:
    """What the framework gave: spikes by layer, [N, T, C, H, W], and paths of the modules whose they are.

    ``outputs``: currents or potentials [N, T, ...] of the last layer where this one sends no spikes.
    """

    spikes: Mapping[str, Array]
    modules: Mapping[str, str]
    outputs: Array | None


def simulated_alike(workload: Workload, values: Array, recorded: Recorded, own: str) -> tuple[Simulated, str]:
    """archsim's simulation that equals the recording, in the module's type or else the other one.

    WorkloadError that names every layer that differs, in the module's type, where neither does.
    """
    types = ("float64", "float32") if own == "float64" else ("float32", "float64")
    problems: list[Problem] = []
    for dtype in types:
        found = simulate(workload, values, dtype="float64" if dtype == "float64" else "float32")
        differing = _differences(found, recorded, dtype)
        if not differing:
            differing = _outputs_differ(found, recorded)
        if not differing:
            return found, dtype
        problems = problems or differing
    raise WorkloadError([*problems, _remedy(own, workload)])


def _differences(found: Simulated, recorded: Recorded, dtype: str) -> list[Problem]:
    problems = []
    for layer, theirs in recorded.spikes.items():
        ours = found.spikes[layer]
        wrong = ours != theirs
        if wrong.any():
            first = tuple(int(place) for place in np.argwhere(wrong)[0])
            where = f"sample {first[0]}, timestep {first[1]}, [{', '.join(map(str, first[2:]))}]"
            text = f"{int(wrong.sum()):,} of {wrong.size:,} values differ between the framework and archsim ({dtype}), "
            text += f"first in {where}: {int(theirs[first])} there, {int(ours[first])} here"
            problems.append(Problem(text, key=recorded.modules[layer]))
    return problems


def _outputs_differ(found: Simulated, recorded: Recorded) -> list[Problem]:
    """What leaves the last layer without spikes is the same but for rounding."""
    if recorded.outputs is None:
        return []
    theirs, ours = recorded.outputs.reshape(found.outputs.shape), found.outputs
    off = float(np.abs(theirs - ours).max(initial=0.0))
    largest = float(np.abs(theirs).max(initial=0.0))
    if off <= _ROUNDING * max(largest, 1.0):
        return []
    text = f"its values differ by up to {off:.3g} between the framework and archsim; the largest is {largest:.3g}"
    return [Problem(text, key=list(recorded.modules.values())[-1])]


def _remedy(own: str, workload: Workload) -> Problem:
    """What may be done: rare differences are sums that round otherwise."""
    text = f"'{workload.name}' is not recorded: a trace must equal archsim's own simulation. "
    if own != "float64":
        text += "Where few values differ, sums rounded differently; in double precision (module.double()) that is rare"
    else:
        text += "In double precision this is no rounding: the neurons compute something that archsim did not read"
    return Problem(text)

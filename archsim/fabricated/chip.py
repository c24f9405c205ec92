"""One chip as it was made: a workload's network on its crossbars, with the errors of the chip of a number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.crossbar.lower import placements
from archsim.accelerators.crossbar.schema import CrossbarArchitecture
from archsim.errors import ConfigError, Problem, UnsupportedError, nearest
from archsim.fabricated.calibration import GAINS, Gains, fixed_quantiser, set_gain, set_range
from archsim.fabricated.codes import range_problems, scheme_of
from archsim.fabricated.layer import CrossbarLayer
from archsim.snn import Simulated
from archsim.snn.execute import Progress
from archsim.snn.inputs import Inputs
from archsim.snn.operators import as_bias
from archsim.snn.plan import Plan, operator_of
from archsim.snn.simulation import checked, executed, workload_problems
from archsim.snn.stated import stated_plan
from archsim.workload import Layer, Workload

Array = NDArray[Any]
Numbers = int | Sequence[int]
MOST_CELLS = 1 << 28
"""Of all crossbars together: conductances and their effective ones are held in float64, 4 GiB."""
Each = Callable[[CrossbarLayer, Array, Array], None]


@dataclass(frozen=True)
class Fabricated:
    """A network on one chip: ``layers`` are its weighted layers on their crossbars, ``plan`` executes all of it."""

    arch: CrossbarArchitecture
    workload: Workload
    number: int
    plan: Plan
    layers: Mapping[str, CrossbarLayer]

    def simulate(
        self, inputs: Any, numbers: Numbers = 0, threads: int | None = None, progress: Progress | None = None
    ) -> Simulated:
        """Execute the network on inputs as :func:`archsim.snn.simulate` does, at the stated precision."""
        return executed(self.plan, self._checked(inputs, numbers), threads=threads, progress=progress)

    def calibrate(self, inputs: Any, numbers: Numbers = 0, gains: Gains = "none") -> None:
        """Set ranges of converters (``adc.range: calibrated``) and gains, layer by layer, from these inputs.

        What was set before is forgotten. ConfigError for inputs that the network does not take, and unknown gains.
        """
        if gains not in GAINS:
            near, allowed = nearest(str(gains), GAINS), ", ".join(GAINS)
            raise ConfigError(Problem("is not known here", key="gains", value=gains, allowed=allowed, nearest=near))
        ranges = not self.arch.adc.ideal and self.arch.adc.range == "calibrated"
        given = self._checked(inputs, numbers)
        neurons = {step.layer.name: step.neurons for step in self.plan.steps if step.layer.spiking}
        wanted: dict[str, Array] = {}
        if gains != "none":
            network, weights = self.workload.network, self.workload.weights
            wanted = {name: spikes.sum(axis=(0, 1, 3, 4), dtype=np.float64)
                      for name, spikes in executed(stated_plan(network, weights), given).spikes.items()}  # fmt: skip

        def learn(layer: CrossbarLayer, values: Array, of: Array) -> None:
            name = layer.layer.name
            if ranges:
                set_range(layer, values, of)
            set_gain(layer, values, of, gains, neurons.get(name), wanted.get(name))

        for layer in self.layers.values():
            layer.gain = np.ones((1, 1, 1))
        if ranges or gains != "none":
            self._watched(learn, given)

    def watched(self, each: Each, inputs: Any, numbers: Numbers = 0) -> Simulated:
        """Execute inputs in one piece, ``each`` called with every layer and its input before it is executed."""
        return self._watched(each, self._checked(inputs, numbers))

    def _watched(self, each: Each, given: Inputs) -> Simulated:
        try:
            for layer in self.layers.values():
                layer.watcher = each
            return executed(self.plan, given, threads=1, in_one=True)
        finally:
            for layer in self.layers.values():
                layer.watcher = None

    def _checked(self, inputs: Any, numbers: Numbers) -> Inputs:
        given, problems = checked(self.workload, inputs, "stated", numbers)
        if given is None or problems:
            raise ConfigError(problems)
        return given


def fabricate(
    arch: CrossbarArchitecture, workload: Workload, number: int = 0, like: Fabricated | None = None
) -> Fabricated:
    """The chip of a number, programmed with the workload's weights; converters of calibrated range are not set yet.

    ``like``: another chip of the same description and workload, whose cells were told to hold the same. Raises
    MisfitError, UnsupportedError and ConfigError for networks that do not fit, or that the chip or the stated precision
    cannot execute.
    """
    if not isinstance(arch, CrossbarArchitecture):
        text = "has no analog crossbars"
        raise ConfigError(Problem(text, key="arch", value=type(arch).__name__, allowed="a CrossbarArchitecture"))
    problems = workload_problems(workload)
    if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 0:
        problems.append(Problem("is a whole number", key="number", value=number, allowed="0 or more"))
    if like is not None and not _is_like(like, arch, workload):
        problems.append(Problem("has another network, or other crossbars", key="like", value=like.workload.name))
    if problems:
        raise ConfigError(problems)
    placed, found = placements(arch, workload.network), {}
    cells = arch.crossbar.rows * arch.crossbar.cols * sum(one.crossbars for one in placed.values())
    if cells > MOST_CELLS:
        text = f"the crossbars of '{workload.name}' have {cells:,} cells, which are held one by one"
        raise UnsupportedError(Problem(text, key="crossbar.rows", allowed=f"up to {MOST_CELLS:,} cells"))
    wrong = []

    def on_crossbars(layer: Layer, parts: Mapping[str, Array], dtype: np.dtype[Any]) -> CrossbarLayer:
        placement, weights = placed[layer.name], parts["weight"]
        exact = operator_of(layer, {"weight": weights}, workload.network.timesteps, np.dtype(np.float64))
        bias = as_bias(parts.get("bias"), np.dtype(np.float64))
        made = CrossbarLayer(arch, placement, number, exact, bias, workload.network.timesteps)
        beyond = range_problems(scheme_of(placement), weights, layer.name)
        wrong.extend(beyond)
        if like is not None:
            made.write(like.layers[layer.name].written)
        elif not beyond:
            made.program(weights)
        if not beyond:
            made.quantiser = fixed_quantiser(made)
        found[layer.name] = made
        return made

    plan = stated_plan(workload.network, workload.weights, on_crossbars)
    if wrong:
        raise UnsupportedError(wrong)
    return Fabricated(arch, workload, number, plan, found)


def _is_like(other: Fabricated, arch: CrossbarArchitecture, workload: Workload) -> bool:
    """Whether the same is written into crossbars of the same kind."""
    same = other.workload.network == workload.network and other.workload.weights is workload.weights
    return same and other.arch.hierarchy == arch.hierarchy and other.arch.crossbar == arch.crossbar and (
        other.arch.mapping == arch.mapping
    )  # fmt: skip

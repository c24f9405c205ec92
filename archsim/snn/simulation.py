"""Executing a workload with weights on real inputs: what is asked is checked as a whole first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from archsim.errors import ConfigError, Problem, nearest
from archsim.snn.execute import Ending, Progress, Recorded, execute, recorded_arrays
from archsim.snn.exits import exit_problems, reach_problems
from archsim.snn.inputs import Inputs, check_inputs
from archsim.snn.plan import Plan, float_plan
from archsim.snn.readouts import Confidence, predicted, running
from archsim.snn.simulated import Simulated
from archsim.snn.stated import stated_plan
from archsim.workload import Workload
from archsim.workload.network import Network

DTYPES = ("float32", "float64")
PRECISIONS = ("float", "stated")
Precision = Literal["float", "stated"]


def simulate(  # noqa: PLR0913 - one parameter per thing that a simulation may be asked
    workload: Workload,
    inputs: Any,
    *,
    dtype: Literal["float32", "float64"] = "float32",
    precision: Precision = "float",
    membranes: Sequence[str] = (),
    exit_at: float | None = None,
    confidence: Confidence = "softmax",
    numbers: int | Sequence[int] = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Simulated:
    """Execute the workload's network, timestep by timestep, on ``inputs``.

    ``inputs``: [N, C, H, W], one image [C, H, W], or as it travels at each timestep [N, T, C, H, W]; events
    [N, T, C, H, W] or [T, C, H, W]. Integers are what a chip gets; real values are used as they are. ``precision``:
    ``float``, the weights as trained, in ``dtype``; ``stated``, integers of the workload's weight and membrane bits
    (``archsim.snn.stated``), whatever the ``dtype``. ``membranes``: layers whose potentials are kept. ``exit_at``:
    an input ends at the first timestep at which the ``confidence`` of its prediction is that or more
    (``archsim.snn.readouts``). ``numbers``: of the first input, or of each; a seed of rate-coded spikes.
    ``threads``: by default as many as there are cores. ``progress(done, total)`` counts inputs.

    Raises ConfigError with everything that is wrong, and UnsupportedError for what ``stated`` integers cannot express.
    """
    network = workload.network
    problems = _option_problems(network, dtype, precision, membranes, threads)
    thresholds = () if exit_at is None else (exit_at,)
    problems += exit_problems("exit_at", thresholds, confidence)
    problems += reach_problems(network, "exit_at", thresholds, confidence)
    given, wrong = checked(workload, inputs, precision, numbers)
    if problems or wrong or given is None:
        raise ConfigError([*wrong, *problems])
    ending = None if exit_at is None else Ending(exit_at, confidence)
    return executed(plan_of(workload, dtype, precision), given, membranes, ending, threads, progress)


def executed(
    plan: Plan, given: Inputs, membranes: Sequence[str] = (), ending: Ending | None = None,
    threads: int | None = None, progress: Progress | None = None, in_one: bool = False,
) -> Simulated:  # fmt: skip
    """A plan executed on checked inputs (see :func:`simulate`), ``in_one``: every layer on all of them at once."""
    into = recorded_arrays(plan, given, membranes)
    execute(plan, given, into, ending, threads, progress, in_one)
    return _simulated(plan, given, into, ending is not None)


def checked(
    workload: Workload, inputs: Any, precision: str, numbers: int | Sequence[int]
) -> tuple[Inputs | None, list[Problem]]:
    """The inputs, and what is wrong with them and with the workload."""
    problems = workload_problems(workload)
    if not workload.network.chained:
        return None, problems
    given, wrong = check_inputs(workload.network, inputs, numbers)
    if given is not None and precision == "stated" and not given.integers and workload.network.encoding == "direct":
        text = "a chip gets integers; these real values lie between them, so there is no stated precision"
        wrong.append(Problem(text, key="inputs"))
    return given, problems + wrong


def plan_of(workload: Workload, dtype: str, precision: Precision) -> Plan:
    """The network ready to be executed."""
    if precision == "stated":
        return stated_plan(workload.network, workload.weights)
    return float_plan(workload.network, workload.weights, np.dtype(dtype))


def workload_problems(workload: Workload) -> list[Problem]:
    """Why a workload cannot be executed on inputs at all."""
    network, problems = workload.network, []
    if not network.chained:
        text = f"'{network.name}' is a table of layers that do not feed each other, so nothing can be executed on it"
        return [Problem(text, key="chained", value=False, allowed="true")]
    with_numbers = [
        layer.name for layer in network.layers
        if layer.weighted or layer.kind in ("batchnorm", "scale") or layer.recurrent is not None
    ]  # fmt: skip
    if workload.weights is None and with_numbers:
        text = f"'{network.name}' has no weights; state them (weights: {network.name}-weights.npz)"
        problems.append(Problem(text, key="weights"))
    return problems


def _option_problems(
    network: Network, dtype: str, precision: str, membranes: Sequence[str], threads: int | None
) -> list[Problem]:
    problems = []
    for key, value, known in (("dtype", dtype, DTYPES), ("precision", precision, PRECISIONS)):
        if value not in known:
            near = nearest(str(value), known)
            text = "is not known here"
            problems.append(Problem(text, key=key, value=value, allowed=", ".join(known), nearest=near))
    with_neurons = [layer.name for layer in network.layers if layer.neuron is not None]
    if isinstance(membranes, str):
        problems.append(Problem("is a list of layers", key="membranes", value=membranes, allowed=f"[{membranes!r}]"))
        membranes = ()
    for name in membranes:
        if name not in with_neurons:
            text = "there is no layer with neurons of this name"
            problems.append(Problem(text, key="membranes", value=name, nearest=nearest(name, with_neurons)))
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
        problems.append(Problem("is a whole number", key="threads", value=threads, allowed="1 or more"))
    return problems


def _simulated(plan: Plan, inputs: Inputs, into: Recorded, early: bool) -> Simulated:
    so_far = running(plan.network.readout, into.outputs)
    readout = so_far[np.arange(len(inputs)), into.steps - 1]
    given = inputs.values if into.given is None else into.given
    if early and inputs.values.ndim == 5:
        alive = np.arange(plan.network.timesteps) < into.steps[:, None]
        given = given * alive[:, :, None, None, None].astype(given.dtype)

    def shown(values: Any) -> Any:
        return values[0] if inputs.single else values

    return Simulated(
        network=plan.network,
        input=shown(given),
        spikes={name: shown(values) for name, values in into.spikes.items()},
        outputs=into.outputs,
        readout=readout,
        predictions=predicted(readout),
        steps=into.steps,
        potentials={name: shown(values) for name, values in into.potentials.items()},
        saturations=dict(into.saturations),
        single=inputs.single,
        whole=inputs.integers or inputs.network.encoding in ("rate", "ttfs"),
        early=early,
    )

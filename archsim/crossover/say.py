"""What an answer assumes, and what it says in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from archsim.crossover.answer import Breakeven, Curve
from archsim.crossover.cost import METRICS
from archsim.crossover.request import ANN_DENSITY
from archsim.crossover.twin import pixel_levels
from archsim.workload import Workload

SLIGHT = 5e-4  # ratios this close to 1 are printed as such


def notes(answer: Breakeven, workload: Workload) -> tuple[str, ...]:
    """What was assumed, in the order of what matters."""
    network, curve = workload.network, answer.own_curve
    ann, snn = curve.ann[answer.ann_density], curve.own.snn
    same = "no setting of the chip differs"
    found = [
        f"the ANN's chip differs by {', '.join(answer.ann_overrides)}" if answer.ann_overrides else same,
        f"area at T = {curve.timesteps}: SNN {snn.area_um2 / 1e6:.4g} mm2, ANN {ann.area_um2 / 1e6:.4g} mm2 "
        f"({ann.area_um2 - snn.area_um2:+,.0f} um2: PEs, neuron units, and memories that follow the network)",
        f"ANN: one timestep; quantised ReLUs of b = ceil(log2(m T + 1)) bits, {_bits(answer)}; counted as "
        "integrate-and-fire without a leak and with a hard reset, and no state outlives the step",
        _density(answer),
        _input(answer, workload),
        "spike rate: non-zero values per value and timestep at the inputs of layers with weights"
        + ("" if network.input_shape is None else "; the network's input is none: it keeps its density at every rate"),
        "one density for all layers behind the input (--uniform)" if answer.uniform
        else "layers keep the ratios of their own densities, up to 1" + _caps(curve),
        "spikes and activations are drawn at their densities (non-zero values of several bits: all as likely); no "
        "accuracy is compared",
        "all parts leak all the time in both runs, also those that only one network uses",
    ]  # fmt: skip
    return tuple(found)


def sentences(answer: Breakeven) -> tuple[str, ...]:
    """The answer in a sentence for each metric: over the timesteps, and of the workload as it is."""
    found = []
    for metric, name in METRICS.items():
        told = f"{name[0].upper()}{name[1:]}: {_over_timesteps(answer, metric)}"
        ratio = answer.own_ratio(metric)
        if abs(ratio - 1.0) < SLIGHT:
            own = "costs as much as the ANN"
        else:
            own = f"{'wins' if ratio < 1 else 'loses'}, at {ratio:.3g} times the ANN's"
        spikes = "own spikes" if answer.own.recorded else "own densities"
        most = answer.wins_up_to(metric)
        steps = "at no T" if most is None else f"up to T = {most}"
        found.append(
            f"{told}. At its own spike rate, {100 * answer.own.rate:.3g} %, {answer.workload} wins {steps}; with its "
            f"{spikes} at T = {answer.own.timesteps} it {own}."
        )
    return tuple(found)


def _over_timesteps(answer: Breakeven, metric: str) -> str:
    """Where the SNN wins, at each T."""
    verdicts = [(curve.timesteps, curve.verdict(metric, answer.ann_density)) for curve in answer.curves]
    outcomes: dict[str, list[int]] = {}
    for timesteps, one in verdicts:
        outcomes.setdefault(one.outcome, []).append(timesteps)
    parts = []
    below = [f"{_percent(one.rate)} at T = {steps}" for steps, one in verdicts if one.outcome == "below" and one.rate]
    if "always" in outcomes:
        parts.append(f"the SNN wins at every spike rate at T = {listed(outcomes['always'])}")
    if below:
        parts.append(f"the SNN wins below {', '.join(below)}")
    if "mixed" in outcomes:
        parts.append(f"the costs cross more than once at T = {listed(outcomes['mixed'])}")
    if "never" in outcomes:
        parts.append(f"the SNN never wins at T = {listed(outcomes['never'])}, not even without a spike")
    return "; ".join(parts)


def _percent(rate: float | None) -> str:
    return "-" if rate is None else f"{100 * rate:.3g} %"


def listed(steps: Sequence[int]) -> str:
    """Numbers as people write them: 2..5, 8."""
    runs: list[list[int]] = []
    for step in steps:
        if runs and step == runs[-1][-1] + 1:
            runs[-1].append(step)
        else:
            runs.append([step])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}..{run[-1]}" for run in runs)


def _bits(answer: Breakeven) -> str:
    found: dict[int, list[int]] = {}
    for curve in answer.curves:
        found.setdefault(curve.bits, []).append(curve.timesteps)
    return ", ".join(f"{bits} at T = {listed(steps)}" for bits, steps in found.items())


def _density(answer: Breakeven) -> str:
    given = f"{answer.ann_density:g} of the ANN's activations are non-zero"
    if answer.ann_density == ANN_DENSITY:
        given += " (44 % zeros: mean of six ImageNet CNNs, Albericio et al., ISCA 2016)"
    return given


def _input(answer: Breakeven, workload: Workload) -> str:
    network = workload.network
    if network.input_shape is None:
        return "a table of layers: every layer of the ANN reads values of b bits"
    if network.encoding == "direct":
        return f"both read the same image of {network.precision.input_bits} bits, the SNN as often as its chip says"
    bits = pixel_levels(network, answer.own.timesteps).bit_length()
    return (
        f"the SNN reads spikes ({network.encoding}); the ANN the same as pixels ({bits} bits at "
        f"T = {answer.own.timesteps}), non-zero where any of the T timesteps has a spike"
    )


def _caps(curve: Curve) -> str:
    """From which executed rate on layers are at their cap."""
    first = next((point for point in curve.points if point.capped), None)
    if first is None:
        return ""
    return f" (from a rate of {100 * first.rate:.3g} % on: {', '.join(first.capped[:3])}" + (
        ", ...)" if len(first.capped) > 3 else ")"
    )

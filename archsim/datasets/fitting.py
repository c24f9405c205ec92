"""Whether inputs are what a network takes: images or events, their shape, their values and their timesteps."""

from __future__ import annotations

import math
from dataclasses import dataclass

from archsim.datasets.digits import OPTION
from archsim.errors import Problem
from archsim.workload import Network, Shape


@dataclass(frozen=True)
class Offered:
    """What there is: ``shape`` [C, H, W], of events per timestep; ``timesteps`` of events, None for images.

    ``largest`` is the largest value; ``name`` is the dataset's, where it can be asked for other values.
    """

    shape: Shape
    timesteps: int | None
    largest: int
    name: str | None = None


def largest_taken(network: Network) -> int:
    """Largest value of an input: 2**input_bits - 1 of a pixel (direct, rate, ttfs), ``max_spikes`` of an event."""
    if network.encoding == "events":
        return network.input_max
    return (1 << network.precision.input_bits) - 1


def taken_as(network: Network, shape: Shape) -> Shape | None:
    """The shape in which the network takes a map: its own, also where that is the flattened one; None if neither."""
    if network.input_shape in (shape, (math.prod(shape), 1, 1)):
        return network.input_shape
    return None


def misfits(network: Network, offered: Offered) -> list[Problem]:
    """Everything that keeps the network from taking these inputs."""
    who = f"the network '{network.name}'"
    if not network.chained or network.input_shape is None:
        return [Problem(f"{who} is a table of layers (chained: false), and inputs need layers that chain", key=OPTION)]
    problems = []
    takes_events = network.encoding == "events"
    if takes_events and offered.timesteps is None:
        text = f"{who} takes events [N, T, C, H, W], and these are images [N, C, H, W]"
        allowed = "events-mnist, events-digits, events of your own; or input.encoding: rate, ttfs or direct"
        problems.append(Problem(text, key=OPTION, allowed=allowed))
    elif not takes_events and offered.timesteps is not None:
        text = f"{who} takes images [N, C, H, W] (encoding: {network.encoding}), and these are events [N, T, C, H, W]"
        problems.append(Problem(text, key=OPTION, allowed="mnist, digits, or images of your own"))
    elif takes_events and offered.timesteps != network.timesteps:
        text = f"{who} has {network.timesteps} timesteps, and these events have {offered.timesteps}"
        problems.append(Problem(text, key=OPTION, allowed=f"T = {network.timesteps}"))
    if taken_as(network, offered.shape) is None:
        text = f"{who} takes {_shown(network.input_shape)}, and these inputs have the shape {_shown(offered.shape)}"
        problems.append(Problem(text, key=OPTION))
    if takes_events == (offered.timesteps is not None) and offered.largest > largest_taken(network):
        problems.append(_too_large(network, offered, who))
    return problems


def _too_large(network: Network, offered: Offered, who: str) -> Problem:
    most = largest_taken(network)
    allowed = f"{offered.name}@max={most}" if offered.name else f"0..{most}"
    of = f"input.max_spikes: {most}" if network.encoding == "events" else f"{network.precision.input_bits} input bits"
    return Problem(f"{who} takes values up to {most} ({of})", key=OPTION, value=offered.largest, allowed=allowed)


def _shown(shape: Shape) -> str:
    return f"[{', '.join(str(size) for size in shape)}]"

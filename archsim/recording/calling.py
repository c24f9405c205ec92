"""How a module is given its input: step by step, or all timesteps at once, in one of several orders of axes."""

from __future__ import annotations

from typing import Literal

from archsim.recording.follow import Follower
from archsim.recording.graph import EVERY, STILL
from archsim.recording.inputs import Given
from archsim.recording.neurons import Neurons

Call = Literal["step", "time_first", "batch_first", "folded", "inside"]
CALLS = {
    "step": "module(x[t]) for each timestep, [1, ...]",
    "time_first": "module(x) with [T, 1, ...]",
    "batch_first": "module(x) with [1, T, ...]",
    "folded": "module(x) with [1 x T, ...]",
    "inside": "module(x) with one still image [1, ...]; the loop over time is inside",
}


def run(follower: Follower, values: Given, sample: int, way: str) -> None:
    """Run one sample, as the module takes time."""
    torch, module, steps = follower.torch, follower.module, values.timesteps
    parameter = next(iter(module.parameters()), None)
    device = None if parameter is None else parameter.device
    real = torch.as_tensor(values.real(sample, str(follower.dtype).removeprefix("torch.")), device=device)
    still = values.encoding == "direct"
    if way == "step":
        for step in range(steps):
            tensor = (real if still else real[step])[None].clone()
            follower.start(tensor, STILL if still else step, "N")
            module(tensor)
        return
    if way == "inside":
        tensor, when, axes = real[None].clone(), STILL, "N"
    else:
        every = torch.stack([real] * steps) if still else real
        axis = {"time_first": 1, "batch_first": 0, "folded": None}[way]
        tensor = every if axis is None else every.unsqueeze(axis)
        when, axes = EVERY, {"time_first": "TN", "batch_first": "NT", "folded": "T"}[way]
    follower.start(tensor, when, axes)
    module(tensor)


def usual_call(follower: Follower, values: Given) -> str:
    """How the module's neurons take time."""
    takes = set()
    for part, leaf in follower.leaves.values():
        if leaf.kind == "neuron" and leaf.reader is not None:
            read = Neurons(values.features)
            leaf.reader(part, read)
            hidden = getattr(part, "init_hidden", True)
            takes.add(read.takes if hidden else "state")
    for axes, way in (("TN", "time_first"), ("NT", "batch_first"), ("T", "folded")):
        if axes in takes:
            return way
    return ("inside" if values.encoding == "direct" else "time_first") if "state" in takes else "step"

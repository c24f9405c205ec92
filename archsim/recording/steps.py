"""Calls of neuron modules: which timestep each is, whose state it carries, and the spikes that come out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from archsim.recording.functions import Call
from archsim.recording.graph import EVERY, STILL, Node, Value
from archsim.recording.modules import Leaf
from archsim.recording.neurons import Neurons

if TYPE_CHECKING:
    from archsim.recording.follow import Follower

_AXES = {"TN": "[timesteps, samples, ...]", "NT": "[samples, timesteps, ...]", "T": "[samples x timesteps, ...]"}


def stepped(follower: Follower, path: str, part: Any, leaf: Leaf, call: Call) -> None:
    """A neuron module was called: its spikes are kept, and its state must be its own of the timestep before."""
    args, kwargs, out = call
    known, outs = follower.find(args[0]), out if isinstance(out, tuple) else (out,)
    if known is None:
        follower.graph.blame(path, "reads a tensor that is not computed from the network's input")
        return
    neurons = _read(follower, path, (part, leaf), tuple(args[0].shape)[len(known.axes) :])
    done = follower.calls.get(path, 0)
    axes, why = _taken(neurons, known, done)
    if why is not None:
        follower.graph.blame(path, why)
    several = axes != "N"
    follower.calls[path] = done + (follower.timesteps if several else 1)
    shape = tuple(outs[0].shape)[len(axes) :]
    node = _node(follower, path, known.node, shape)
    _check_states(follower, node, [*args[1:], *kwargs.values()], done)
    when = EVERY if several else done
    for place, tensor in enumerate(outs):
        follower.tell(tensor, Value(_state(follower, node, place) if place else node, when, axes))
    if why is None and done < follower.timesteps:
        if neurons.keys.get("model") in ("li", "cuba_li"):
            follower.put_out(node, outs[0], when)
        else:
            _keep(follower, node, outs[0], when)


def _node(follower: Follower, path: str, source: Node, shape: tuple[int, ...]) -> Node:
    neurons = follower.neurons[path]
    make = lambda: Node("neuron", path, (source,), shape, neurons.keys, neurons.arrays)  # noqa: E731
    node = follower.graph.node(("neuron", path), make)
    if node.inputs[0] is not source:
        first, then = node.inputs[0].name, source.name
        text = f"reads '{first}', and at another timestep or place '{then}'; one module for each place"
        follower.graph.blame(path, text)
    return node


def _state(follower: Follower, node: Node, place: int) -> Node:
    """A potential or current that a module gives out beside its spikes."""
    make = lambda: Node("state", f"{node.name} (potential)", (node,), node.shape)  # noqa: E731
    return follower.graph.node(("state", node.name, place), make)


def _read(follower: Follower, path: str, found: tuple[Any, Leaf], shape: tuple[int, ...]) -> Neurons:
    """What the neurons are, read once."""
    part, leaf = found
    if path not in follower.neurons:
        follower.neurons[path] = neurons = Neurons(shape)
        assert leaf.reader is not None
        leaf.reader(part, neurons)
        for why in neurons.reasons:
            follower.graph.blame(path, f"{type(part).__name__}: {why}")
    return follower.neurons[path]


def _check_states(follower: Follower, node: Node, given: Sequence[Any], done: int) -> None:
    for state in given:
        value = follower.find(state)
        if state is None or (done == 0 and value is None and hasattr(state, "any") and not bool(state.any())):
            continue
        own = value is not None and node in (value.node, *(value.node.inputs if value.node.kind == "state" else ()))
        if value is None or not own or value.when != done - 1:
            text = "is given a state that is not its own of the timestep before, or not 0 at the first"
            follower.graph.blame(node.name, text)


def _keep(follower: Follower, node: Node, spikes: Any, when: int) -> None:
    if node.name not in follower.spikes:
        follower.spikes[node.name] = np.zeros((follower.timesteps, *node.shape), np.float64)
    numbers = spikes.detach().cpu().numpy()
    if when == EVERY:
        follower.spikes[node.name][:] = numbers.reshape(follower.timesteps, *node.shape)
    else:
        follower.spikes[node.name][when] = numbers[0]


def _taken(neurons: Neurons, known: Value, done: int) -> tuple[str, str | None]:
    """The axes in front of what a neuron module gets, and what is wrong with them."""
    takes = neurons.takes
    if takes == "N":
        if known.when == EVERY:
            text = "steps once in each call, and gets all timesteps in one tensor; call='step', or a loop over x[t]"
            return takes, text
        if known.when not in (STILL, done):
            return takes, f"gets timestep {known.when} in its call {done + 1}; one call for each timestep, in order"
        return takes, None
    if known.when != EVERY:
        text = "takes all timesteps in one tensor, and gets one; call='time_first', 'batch_first' or 'folded'"
        return takes, text
    if known.axes != takes:
        return takes, f"takes {_AXES[takes]}, and gets {_AXES[known.axes]}"
    return takes, None

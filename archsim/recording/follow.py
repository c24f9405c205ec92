"""Following a module while it runs: hooks on its layers and neurons, and every function that is called between them.

``torch.fx`` follows a module before it runs, and stops at loops over ``x.shape[0]`` and at state that is passed along
by hand, which spiking networks are full of. Here tensors are known by their identity, so any way of writing the loop is
followed, and folded by :mod:`archsim.recording.graph`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from archsim.recording import functions, sinabs, snntorch, spikingjelly
from archsim.recording.graph import EVERY, NO_LAYER, STILL, Array, Described, Graph, Node, Refusal, Value
from archsim.recording.modules import Leaf, leaf_of
from archsim.recording.neurons import Neurons
from archsim.recording.steps import stepped
from archsim.recording.where import placed

_RESET = {"snntorch": snntorch.reset, "spikingjelly": spikingjelly.reset, "sinabs": sinabs.reset}


class Follower:
    """Follows one module over any number of samples, one at a time.

    Spikes travel in the type of the module's parameters: snnTorch's are float32, whatever its layers compute in.
    """

    def __init__(self, module: Any, timesteps: int) -> None:
        self.torch: Any = sys.modules["torch"]
        self.module, self.timesteps = module, timesteps
        self.dtype = dtype_of(self.torch, module)
        self.graph = Graph()
        self.leaves = dict(_leaves(module))
        self.through_time = set(_through_time(module, timesteps))
        self.neurons: dict[str, Neurons] = {}
        self.calls: dict[str, int] = {}
        self.spikes: dict[str, Array] = {}
        self.outputs: dict[str, Array] = {}
        self._values: dict[int, Value] = {}
        self._alive: list[Any] = []
        self._depth = 0

    @contextmanager
    def hooks(self) -> Iterator[None]:
        """While it is entered, calls of the layers and neurons are seen, and sinabs' layers take one sample at a time.

        One sample has too little work for several threads, so PyTorch gets one.
        """
        with ExitStack() as stack:
            stack.callback(self.torch.set_num_threads, self.torch.get_num_threads())
            self.torch.set_num_threads(1)
            for path, (part, leaf) in self.leaves.items():
                before, after = self._entering, self._leaving(path, part, leaf)
                stack.callback(part.register_forward_pre_hook(before).remove)
                stack.callback(part.register_forward_hook(after, with_kwargs=True).remove)
                for inner in part.children():
                    stack.callback(inner.register_forward_pre_hook(self._cast).remove)
            for part in self.module.modules():
                if hasattr(part, "batch_size") and type(part).__module__.startswith("sinabs."):
                    before_that = {name: vars(part)[name] for name in _SINGLE if name in vars(part)}
                    stack.callback(vars(part).update, before_that)
                    vars(part).update({name: _SINGLE[name] for name in before_that})
            yield

    @contextmanager
    def sample(self) -> Iterator[None]:
        """One sample: state is reset before and after, and every tensor is known again by what it is."""
        self._values, self._alive, self.calls, self.spikes, self.outputs, self._depth = {}, [], {}, {}, {}, 0
        self._reset()
        try:
            with self.torch.no_grad(), _mode(self.torch, self):
                yield
            for path, (_, leaf) in self.leaves.items():
                made = self.calls.get(path, 0)
                if leaf.kind == "neuron" and made != self.timesteps and path not in self.graph.problems.values():
                    self._uneven(path, made)
        finally:
            self._values, self._alive = {}, []
            self._reset()

    def start(self, tensor: Any, when: int, axes: str) -> None:
        """Say that a tensor is the network's input."""
        shape = tuple(tensor.shape)[len(axes) :]
        self.tell(tensor, Value(self.graph.node("input", lambda: Node("input", "input", (), shape)), when, axes))

    def find(self, thing: Any) -> Value | None:
        """What a tensor is, if it was followed."""
        return self._values.get(id(thing))

    def tell(self, tensor: Any, value: Value | None) -> None:
        """Say what a tensor is."""
        if value is not None:
            self._alive.append(tensor)
            self._values[id(tensor)] = value

    def function(self, name: str, args: Sequence[Any], kwargs: dict[str, Any], out: Any) -> None:
        """A function of PyTorch was called between the modules."""
        if self._depth == 0:
            functions.apply(self, name, (args, kwargs, out))

    def lost(self, name: str, call: functions.Call, why: str = NO_LAYER) -> None:
        """What came out of a call is nothing that archsim has; who reads it is refused."""
        args, kwargs, out = call
        known = [value for value in map(self.find, _tensors((args, list(kwargs.values())))) if value is not None]
        if not known:
            return
        sources = tuple(dict.fromkeys(value.node for value in known))
        if name == "__bool__":
            text = "a condition in forward() depends on its values, so the network is not the same for every input"
            self.graph.blame(_computed(sources[0]).name, text)
        tensors = _tensors([args[0] if name == "__setitem__" else out])
        name, sources = placed(self, name, sources)
        for tensor in tensors:
            if hasattr(tensor, "shape"):
                shape = tuple(tensor.shape)[len(known[0].axes) :]
                self.tell(tensor, known[0]._replace(node=self.graph.unknown(name, sources, shape, why)))

    def layer(
        self,
        name: str,
        described: Described | Refusal,
        known: Value,
        out: Any,
        others: tuple[Node, ...] = (),
        at: tuple[int, str] | None = None,
    ) -> None:
        """What came out is that of a layer on one node, or more."""
        when, axes = at or (known.when, known.axes)
        shape = tuple(out.shape)[len(axes) :]
        inputs = (known.node, *others)
        if isinstance(described, Refusal):
            node = self.graph.unknown(name, inputs, shape, described.why)
        else:
            found = described
            key = (found.kind, name, inputs, repr(sorted(found.keys.items())))
            node = self.graph.node(key, lambda: Node(found.kind, name, inputs, shape, found.keys, found.arrays))
        self.tell(out, Value(node, when, axes))
        if node.kind == "linear":
            self.put_out(node, out, when)

    def put_out(self, node: Node, out: Any, when: int) -> None:
        """Keep values of what may be the last layer, [T, ...]: currents of a linear one, potentials."""
        kept = self.outputs.setdefault(node.name, np.zeros((self.timesteps, *node.shape)))
        kept[slice(None) if when in (EVERY, STILL) else when] = out.detach().cpu().numpy().reshape(-1, *node.shape)

    def _entering(self, part: Any, args: Any) -> None:
        self._depth += 1

    def _cast(self, part: Any, args: Any) -> Any:
        return tuple(one.to(self.dtype) if hasattr(one, "is_floating_point") else one for one in args)

    def _leaving(self, path: str, part: Any, leaf: Leaf) -> Any:
        def hook(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any], out: Any) -> Any:
            if leaf.kind == "neuron":
                out = tuple(one.to(self.dtype) for one in out) if isinstance(out, tuple) else out.to(self.dtype)
            self._depth -= 1
            given = args or tuple(kwargs.values())[:1]
            if self._depth == 0 and given:
                self._called(path, part, leaf, (given, kwargs if args else dict(list(kwargs.items())[1:]), out))
            return out

        return hook

    def _called(self, path: str, part: Any, leaf: Leaf, call: functions.Call) -> None:
        args, _, out = call
        known = self.find(args[0])
        if leaf.kind == "neuron":
            stepped(self, path, part, leaf, call)
        elif known is None:
            self.graph.blame(path, "reads a tensor that is not computed from the network's input")
        elif leaf.kind == "refused":
            if leaf.always:
                self.graph.blame(path, f"{type(part).__name__} {leaf.why}")
            self.lost(path, call, f"{type(part).__name__} {leaf.why}")
        elif leaf.kind == "same" or (leaf.kind == "dropout" and (not part.training or part.p == 0)):
            self.tell(out, known)
        elif leaf.kind == "dropout":
            self.graph.blame(path, f"{type(part).__name__} drops values while training; module.eval() first")
            self.tell(out, known)
        elif leaf.kind == "add":
            functions.added(self, path, call)
        elif leaf.kind == "view":
            functions.viewed(self, known, path, call)
        else:
            self._stateless(path, part, leaf, known, call)

    def _stateless(self, path: str, part: Any, leaf: Leaf, known: Value, call: functions.Call) -> None:
        """A layer without state: the axes in front of the map that it takes are told from the tensor's."""
        args, _, out = call
        shape = tuple(args[0].shape)
        front = len(shape) - (leaf.rank or len(shape) - len(known.axes))
        if front != len(known.axes) and front == 1 and known.when == EVERY and shape[0] == self.timesteps:
            known = functions.view(self, known._replace(axes="T"), args[0], path) or known
        if front != len(known.axes):
            self.lost(path, call, f"takes maps of {leaf.rank} axes, and gets {list(known.node.shape)}")
            return
        assert leaf.rule is not None
        described = leaf.rule(part, shape[front:])
        if path in self.through_time and isinstance(described, Described):
            self._normed(path, described, known, out)
        else:
            self.layer(path, described, known, out)

    def _normed(self, path: str, described: Described, known: Value, out: Any) -> None:
        """One of the batch norms of a list that has one for each timestep: they are one layer."""
        owner, _, place = path.rpartition(".")
        step = int(place)
        if known.when not in (step, STILL):
            self.graph.blame(path, f"is the batch norm of timestep {step}, and gets timestep {known.when}")
        shape = tuple(out.shape)[len(known.axes) :]
        empty = {part: np.zeros((self.timesteps, len(row)), row.dtype) for part, row in described.arrays.items()}
        make = lambda: Node("batchnorm", owner, (known.node,), shape, arrays=empty)  # noqa: E731
        node = self.graph.node(("batchnorm", owner, known.node), make)
        for part, row in described.arrays.items():
            node.arrays[part][step] = row
        self.tell(out, Value(node, step, known.axes))

    def _uneven(self, path: str, made: int) -> None:
        times = f"{made} time{'s' * (made != 1)}"
        remedy = f"timesteps={made}" if made else "leave it out of the module"
        self.graph.blame(path, f"was called {times} for {self.timesteps} timesteps; {remedy}, or another `call`")

    def _reset(self) -> None:
        for part, leaf in self.leaves.values():
            root = type(part).__mro__
            if leaf.kind == "neuron":
                next(_RESET[name] for name in (one.__module__.split(".")[0] for one in root) if name in _RESET)(part)


def dtype_of(torch: Any, module: Any) -> Any:
    """The type of the module's parameters; float32 where it has none."""
    return next((one.dtype for one in module.parameters() if one.is_floating_point()), torch.float32)


def _computed(node: Node) -> Node:
    """The last layer that a node is computed from."""
    while node.kind == "unknown" and node.inputs:
        node = node.inputs[0]
    return node


_SINGLE = {"batch_size": 1, "num_timesteps": -1}


def _leaves(module: Any) -> Iterator[tuple[str, tuple[Any, Leaf]]]:
    """The modules that are followed as a whole, by their path."""
    waiting = [("", module)]
    while waiting:
        path, part = waiting.pop(0)
        leaf = leaf_of(part)
        if leaf is not None:
            yield path or type(part).__name__, (part, leaf)
        else:
            waiting = [(f"{path}.{name}".lstrip("."), child) for name, child in part.named_children()] + waiting


def _through_time(module: Any, timesteps: int) -> Iterator[str]:
    """Paths of batch norms that stand in a list of one for each timestep, as those of snnTorch's BatchNormTT1d and 2d.

    Known by their number, and because they have no bias.
    """
    for path, part in module.named_modules():
        norms = [one for one in part.children() if type(one).__name__ in ("BatchNorm1d", "BatchNorm2d")]
        alone = type(part).__name__ == "ModuleList" and len(norms) == len(part) == timesteps > 1
        if alone and all(norm.bias is None and norm.weight is not None for norm in norms):
            yield from (f"{path}.{place}" for place in range(timesteps))


def _tensors(things: Iterable[Any]) -> Iterator[Any]:
    """All that lies in nested lists and tuples."""
    for thing in things:
        if isinstance(thing, list | tuple):
            yield from _tensors(thing)
        else:
            yield thing


def _mode(torch: Any, follower: Follower) -> Any:
    """What PyTorch asks before it calls a function."""

    class Mode(torch.overrides.TorchFunctionMode):  # type: ignore[misc]
        """Tells the follower of every function."""

        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            """Call it, and tell what came out."""
            out = func(*args, **(kwargs or {}))
            name = torch.overrides.resolve_name(func) or ""
            if name and not name.endswith("__get__"):
                follower.function(name.rpartition(".")[2], args, kwargs or {}, out)
            return out

    return Mode()

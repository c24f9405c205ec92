"""The verb: run a module on inputs, follow it, write its network, and hold archsim's own simulation against it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from archsim.errors import ArchsimError, ConfigError, Problem, UnsupportedError, nearest
from archsim.recording.calling import CALLS, Call, run, usual_call
from archsim.recording.compare import Recorded, simulated_alike
from archsim.recording.follow import Follower, dtype_of
from archsim.recording.graph import NO_LAYER, Array, as_map
from archsim.recording.inputs import Given, Order, Time, given
from archsim.recording.modules import followed
from archsim.recording.recording import Parts, Recording
from archsim.recording.write import Writer, Written

_BITS = {"weight_bits": (8, 1, 32), "membrane_bits": (16, 2, 32)}


def record(  # noqa: PLR0913 - one parameter per thing that a module does not say of itself
    module: Any,
    inputs: Any,
    *,
    name: str,
    labels: Any = None,
    timesteps: int | None = None,
    encoding: Literal["direct", "events"] | None = None,
    order: Order = "TN",
    scale: float | None = None,
    call: Call | None = None,
    input_bits: int | None = None,
    precision: Mapping[str, int] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Recording:
    """Record a PyTorch module of snnTorch, SpikingJelly or sinabs neurons: its network, its weights and its spikes.

    ``inputs``: still images [N, C, H, W], [N, C, L] or [N, features] of integers, or of integers / ``scale`` (default:
    found), for which ``timesteps`` is stated; or spikes [T, N, ...], without (``order="NT"``: [N, T, ...]).
    ``encoding`` says which where that does not. ``labels`` [N] are kept. ``call``: how the module takes time: ``step``,
    module(x[t]) for each timestep; ``time_first``, once with [T, 1, ...]; ``batch_first``, [1, T, ...]; ``folded``,
    [1 x T, ...]; ``inside``, one still image (default: as its neurons do). ``input_bits`` (direct; default: what the
    images need) and ``precision`` (``weight_bits`` 8, ``membrane_bits`` 16) are what the chip will store; the recording
    itself is the framework's. ``progress(done, total)`` counts samples.

    The module is run sample by sample, its state reset before and after. Raises ConfigError for arguments that are
    wrong; UnsupportedError with everything in the module that archsim has no layer for; WorkloadError where archsim's
    own simulation does not equal the framework's spikes, with every layer that differs.
    """
    problems = _module_problems(module) + _name_problems(name)
    values = given(inputs, Time(timesteps, encoding, order, scale), problems)
    bits = _precision(precision, input_bits, values, problems)
    known = _labels(labels, values, problems)
    if call is not None and call not in CALLS:
        near = nearest(str(call), CALLS)
        problems.append(Problem("no such way to call", key="call", value=call, allowed=", ".join(CALLS), nearest=near))
    elif values is not None and call == "inside" and values.encoding != "direct":
        problems.append(Problem("takes a still image; these are spikes", key="call", value=call, allowed="time_first"))
    if problems or values is None:
        raise ConfigError(problems)
    follower = Follower(module, values.timesteps)
    with _told(follower):
        way = call or usual_call(follower, values)
    spikes = _run(follower, values, way, progress or (lambda done, total: None))
    written = Writer(follower.graph, follower.neurons).write()
    _refuse(follower)
    notes = _notes(follower, values, way, call is None, order)
    return _recording(name, follower, values, bits, (written, spikes, known, notes))


def _recording(name: str, follower: Follower, values: Given, bits: dict[str, int], found: Any) -> Recording:
    written, (by_module, outputs), labels, notes = found
    spikes = _by_layer(follower, written, by_module)
    head = _head(name, follower, values, bits)
    given_map = _as_maps(values.values, 1 if values.encoding == "direct" else 2, values.features)
    parts = Parts(head, written.layers, written.arrays, given_map, spikes)
    workload = parts.workload()
    last = str(written.layers[-1]["name"])
    recorded = Recorded(spikes, written.spikes | {last: written.spikes.get(last, written.modules[last])}, None)
    if last not in spikes:
        recorded = replace(recorded, outputs=outputs.get(recorded.modules[last]))
    own, dtype = simulated_alike(workload, given_map, recorded, _dtype(follower.module))
    return Recording(name, workload, given_map, spikes, own.predictions, labels, written.modules, dtype, notes, parts)


def _run(
    follower: Follower, values: Given, way: str, progress: Callable[[int, int], None]
) -> tuple[dict[str, Array], dict[str, Array]]:
    """The spikes of every neuron module, [N, T, ...], sample by sample; and the values of layers that nothing reads."""
    spikes: dict[str, list[Array]] = {}
    outputs: dict[str, list[Array]] = {}
    with follower.hooks():
        for sample in range(len(values.values)):
            with _told(follower), follower.sample():
                run(follower, values, sample, way)
            for path, found in follower.spikes.items():
                spikes.setdefault(path, []).append(_compact(found))
            read = {one.name for node in follower.graph.layers() for one in node.inputs}
            for path, found in follower.outputs.items():
                if path not in read:
                    outputs.setdefault(path, []).append(found)
            progress(sample + 1, len(values.values))
            if follower.graph.problems:
                break
    return {path: np.stack(found) for path, found in spikes.items()}, {
        path: np.stack(found) for path, found in outputs.items()
    }


def _compact(spikes: Array) -> Array:
    """Numbers of spikes as small integers; anything else as it is."""
    small = spikes.astype(np.uint8 if spikes.max(initial=0) < 256 else np.uint16)
    return small if (small == spikes).all() else spikes


@contextmanager
def _told(follower: Follower) -> Iterator[None]:
    """What the module raises is told as such, beside what was found until then."""
    try:
        yield
    except ArchsimError:
        raise
    except Exception as error:
        text = f"raised {type(error).__name__}: {error}"
        Writer(follower.graph, follower.neurons).write()
        ways = "; ".join(f"call='{way}': {what}" for way, what in CALLS.items())
        own = Problem(text, key=type(follower.module).__name__, allowed=ways)
        raise UnsupportedError([*_problems(follower), own]) from error


def _notes(follower: Follower, values: Given, way: str, guessed: bool, order: str) -> tuple[str, ...]:
    """What was assumed, in sentences."""
    notes = []
    if values.encoding == "events":
        axes = ", ".join((*order, "..."))
        read = f"{len(values.values)} samples, {values.timesteps} timesteps"
        notes.append(f"inputs read as [{axes}] (order='{order}'): {read}")
    elif values.scale != 1:
        rounded = ", to which they were rounded" if values.snapped else ""
        notes.append(f"inputs are integers / {values.scale:g}{rounded}")
    if guessed:
        notes.append(f"called as {CALLS[way]} (call='{way}', from its neurons)")
    for path, neurons in follower.neurons.items():
        part = follower.leaves[path][0]
        if neurons.keys.get("max_spikes", 1) > 1 and type(getattr(part, "spike_fn", None)).__name__ != "MaxSpike":
            notes.append(f"'{path}' sends any number of spikes; a chip's values hold {neurons.keys['max_spikes']}")
    return tuple(notes)


def _refuse(follower: Follower) -> None:
    if follower.graph.problems:
        raise UnsupportedError(_problems(follower))


def _problems(follower: Follower) -> list[Problem]:
    """Everything in the order of the modules; what functions between them do, behind; last what is followed."""
    order = {path: place for place, path in enumerate(follower.leaves)}
    found = sorted(follower.graph.problems.items(), key=lambda item: order.get(item[1], len(order)))
    refused = [follower.leaves[name] for _, name in found if name in follower.leaves]
    instead = followed(refused, any(NO_LAYER in text for text, _ in found))
    told = [Problem(f"followed are {names}") for names in instead]
    return [*(Problem(text[len(name) + 2 :], key=name) for text, name in found), *told]


def _by_layer(follower: Follower, written: Written, by_module: Mapping[str, Array]) -> dict[str, Array]:
    """The spikes of layers, as maps of integers."""
    found, problems = {}, []
    for layer, path in written.spikes.items():
        if path not in by_module:
            continue
        keys, values = follower.neurons[path].keys, by_module[path]
        whole, most = np.round(values), keys.get("max_spikes", 1)
        if (whole != values).any() or values.min() < 0 or values.max() > most:
            off = float(values[(whole != values) | (values < 0) | (values > most)][0])
            text, allowed = "sends values that are no numbers of spikes", f"0 to {most}"
            problems.append(Problem(text, key=path, value=off, allowed=allowed))
        found[layer] = _as_maps(whole, 2, follower.neurons[path].shape).astype(np.uint8 if most < 256 else np.uint16)
    if problems:
        raise UnsupportedError(problems)
    return found


def _as_maps(values: Array, front: int, features: tuple[int, ...]) -> Array:
    return values.reshape(*values.shape[:front], *as_map(features))


def _head(name: str, follower: Follower, values: Given, bits: Mapping[str, int]) -> dict[str, Any]:
    module = follower.module
    neurons = [type(part) for part, leaf in follower.leaves.values() if leaf.kind == "neuron"]
    roots = sorted({kind.__module__.split(".")[0] for kind in neurons})
    versions = ", ".join(f"{root} {getattr(sys.modules.get(root), '__version__', '')}".strip() for root in roots)
    spec: dict[str, Any] = {"shape": list(values.features), "encoding": values.encoding}
    if values.encoding == "direct" and values.scale != 1:
        spec["scale"] = int(values.scale) if values.scale == int(values.scale) else values.scale
    if values.encoding == "events" and values.largest > 1:
        spec["max_spikes"] = values.largest
    source = f"recorded from {type(module).__name__}{f' ({versions})' if versions else ''}"
    return {"name": name, "source": source, "timesteps": values.timesteps, "input": spec, "precision": dict(bits)}


def _dtype(module: Any) -> str:
    """The name of the type that the module computes in."""
    return str(dtype_of(sys.modules["torch"], module)).removeprefix("torch.")


def _module_problems(module: Any) -> list[Problem]:
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(module, torch.nn.Module):
        return [Problem("is no PyTorch module", key="module", value=type(module).__name__, allowed="a torch.nn.Module")]
    if _dtype(module) not in ("float32", "float64"):
        return [Problem(f"computes in {_dtype(module)}", key="module", allowed="module.float(), or module.double()")]
    return []


def _name_problems(name: Any) -> list[Problem]:
    if isinstance(name, str) and len(name) <= 200 and re.fullmatch(r"\w[\w.+ \-]*", name):
        return []
    return [Problem("is no name of a network", key="name", value=name, allowed="letters, digits, spaces and _ . + -")]


def _precision(
    precision: Mapping[str, int] | None, input_bits: int | None, values: Given | None, problems: list[Problem]
) -> dict[str, int]:
    """Widths of what the chip will store."""
    bits = {key: usual for key, (usual, _, _) in _BITS.items()}
    for key, stated in (precision or {}).items():
        if key not in _BITS:
            text, near = "no such width; the input's is input_bits=", nearest(str(key), _BITS)
            problems.append(Problem(text, key=f"precision.{key}", allowed=", ".join(_BITS), nearest=near))
        elif type(stated) is not int or not _BITS[key][1] <= stated <= _BITS[key][2]:
            allowed = f"{_BITS[key][1]} to {_BITS[key][2]}"
            problems.append(Problem("no such width", key=f"precision.{key}", value=stated, allowed=allowed))
        else:
            bits[key] = stated
    if values is None or values.encoding != "direct":
        if input_bits is not None and values is not None:
            problems.append(Problem("spikes have no bits; only still images have", key="input_bits", value=input_bits))
        return bits
    needed = max(values.largest, int(values.scale) if values.scale > 1 else 0).bit_length() or 1
    needed = min(needed, 16) if values.largest < 1 << 16 else needed
    if input_bits is not None and (type(input_bits) is not int or not values.largest.bit_length() <= input_bits <= 16):
        allowed = f"{max(1, values.largest.bit_length())} to 16"
        problems.append(Problem("does not hold the inputs", key="input_bits", value=input_bits, allowed=allowed))
    return bits | {"input_bits": input_bits or needed}


def _labels(labels: Any, values: Given | None, problems: list[Problem]) -> Array | None:
    """Whole numbers, one for each sample."""
    if labels is None or values is None:
        return None
    found = np.asarray(labels.detach().cpu().numpy() if hasattr(labels, "detach") else labels)
    if found.shape != (len(values.values),) or found.dtype.kind not in "iu":
        text = f"of shape {list(found.shape)} are not one integer for each of {len(values.values)} samples"
        problems.append(Problem(text, key="labels"))
        return None
    return found.astype(np.int64)

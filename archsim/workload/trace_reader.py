"""Checking a trace file against the network that it claims to be a recording of: every disagreement at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from archsim.errors import nearest
from archsim.workload.network import INPUT, Network, Shape
from archsim.workload.npz import Member, announced, read_arrays
from archsim.workload.trace import FORMAT, Array, Trace

_SMALL_BYTES = 4096
_EDGE_PREFIXES = ("spikes", "values", "shape")


@dataclass(frozen=True)
class _Edge:
    """What the network expects of one recorded edge."""

    name: str
    shape: Shape
    maximum: int


@dataclass
class _Check:
    network: Network
    members: Mapping[str, Member]
    small: dict[str, Array]
    samples: int | None = None
    wanted: list[tuple[str, int]] = field(default_factory=list)


def check_trace(content: bytes, network: Network, file: str) -> tuple[Trace | None, list[str]]:
    """The trace in these bytes, or everything that is wrong with it.

    Sizes, types and shapes are compared before anything big is unpacked; values are compared with the largest that the
    edge can carry (1 for spikes).
    """
    members, problems = announced(content)
    if problems:
        return None, problems
    check, problems = _read_small(content, members, network)
    problems += _format_problems(check)
    edges = list(_recorded_edges(network))
    for edge in edges:
        problems += _edge_problems(check, edge)
    problems += _unknown_members(check, edges)
    problems += _labelling_problems(check)
    if problems:
        return None, problems
    arrays, problems = read_arrays(content, [name for name, _ in check.wanted])
    for name, maximum in check.wanted:
        largest = int(arrays[name].max(initial=0)) if name in arrays else 0
        if largest > maximum:
            problems.append(f"'{name}' has the value {largest}; its neurons send at most {maximum}")
    if problems:
        return None, problems
    shapes = {edge.name: edge.shape for edge in edges}
    digest = hashlib.sha256(content).hexdigest()
    return Trace(file, network.timesteps, check.samples or 0, arrays, shapes, digest), []


def _recorded_edges(network: Network) -> Iterator[_Edge]:
    if network.input_shape is not None:
        yield _Edge(INPUT, network.input_shape, network.input_max)
    for layer in network.layers:
        if layer.spiking:
            yield _Edge(layer.name, layer.out_shape, layer.out_max)


def _read_small(content: bytes, members: Mapping[str, Member], network: Network) -> tuple[_Check, list[str]]:
    """Unpack the members that describe others; none of them may be big."""
    names = [name for name in members if name in ("format", "timesteps") or name.startswith("shape/")]
    problems = [f"'{name}' is far too big" for name in names if members[name].bytes > _SMALL_BYTES]
    small, damaged = read_arrays(content, [name for name in names if members[name].bytes <= _SMALL_BYTES])
    return _Check(network, members, small), problems + damaged


def _format_problems(check: _Check) -> list[str]:
    problems = []
    kind = check.small.get("format")
    if kind is None or kind.shape != () or str(kind) != FORMAT:
        found = "is missing" if kind is None else f"is {str(kind)[:40]!r}"
        problems.append(f"'format' {found}; this version reads {FORMAT!r}")
    steps, wanted = _steps(check), check.network.timesteps
    if steps is None:
        problems.append("'timesteps' is missing, or no integer")
    elif steps != wanted:
        problems.append(
            f"'timesteps' is {steps}; the workload has {wanted}: state timesteps: {steps}, record {wanted} timesteps, "
            "or state a density in place of the trace (activity: {density: 0.1})"
        )
    return problems


def _steps(check: _Check) -> int | None:
    """Timesteps that the trace says it holds."""
    steps = check.small.get("timesteps")
    return None if steps is None or steps.shape != () or steps.dtype.kind not in "iu" else int(steps)


def _edge_problems(check: _Check, edge: _Edge) -> list[str]:
    """Compare one edge's members with the network, and note what to unpack."""
    given = [f"{prefix}/{edge.name}" for prefix in ("spikes", "values") if f"{prefix}/{edge.name}" in check.members]
    if edge.name == INPUT and INPUT in check.members:
        given.append(INPUT)
    if not given:
        wanted = "'input'" if edge.name == INPUT else f"'spikes/{edge.name}'"
        return [f"{wanted} is missing: '{edge.name}' is not recorded"]
    if len(given) > 1:
        return [f"'{edge.name}' is recorded more than once: {', '.join(given)}"]
    name = given[0]
    member = check.members[name]
    expected: tuple[int, ...] = (check.network.timesteps, *edge.shape)
    problems = []
    if name.startswith("spikes/"):
        problems = _stated_shape_problems(check, edge)
        channels, height, width = edge.shape
        expected = (check.network.timesteps, -(-channels * height * width // 8))
    elif name == INPUT:
        expected = edge.shape
    allowed = ("|u1",) if name.startswith("spikes/") else ("|u1", "<u2")
    if member.dtype.str not in allowed:
        problems.append(f"'{name}' holds {member.dtype}; allowed: {', '.join(np.dtype(kind).name for kind in allowed)}")
    as_stated = expected if name == INPUT else (_steps(check), *expected[1:])  # other timesteps are one problem
    if not member.shape or member.shape[1:] not in (expected, as_stated):
        problems.append(f"'{name}' has shape {_show(member.shape)}; expected {_show(('N', *expected))}")
    else:
        problems += _sample_problems(check, name, member.shape[0])
    check.wanted.append((name, 255 if name.startswith("spikes/") else edge.maximum))
    return problems


def _stated_shape_problems(check: _Check, edge: _Edge) -> list[str]:
    stated = check.small.get(f"shape/{edge.name}")
    if stated is None:
        return [] if f"shape/{edge.name}" in check.members else [f"'shape/{edge.name}' is missing"]
    if stated.shape != (3,) or stated.dtype.kind not in "iu" or tuple(int(size) for size in stated) != edge.shape:
        return [f"'shape/{edge.name}' is {_show(stated.ravel()[:5].tolist())}; the workload has {_show(edge.shape)}"]
    return []


def _sample_problems(check: _Check, name: str, samples: int) -> list[str]:
    if samples == 0:
        return [f"'{name}' holds no sample"]
    if check.samples is None:
        check.samples = samples
    if samples != check.samples:
        return [f"'{name}' holds {samples} samples where others hold {check.samples}"]
    return []


def _labelling_problems(check: _Check) -> list[str]:
    problems = []
    for name in ("labels", "predictions"):
        member = check.members.get(name)
        if member is None:
            continue
        if member.dtype.kind not in "iu" or (check.samples is not None and member.shape != (check.samples,)):
            problems.append(f"'{name}' is {member.dtype} {_show(member.shape)}; expected {check.samples} integers")
        check.wanted.append((name, np.iinfo(np.int64).max))
    return problems


def _unknown_members(check: _Check, edges: list[_Edge]) -> list[str]:
    known = [edge.name for edge in edges]
    problems = []
    for member in check.members:
        prefix, _, name = member.partition("/")
        if prefix in _EDGE_PREFIXES and name not in known:
            near = nearest(name, known)
            hint = f"; did you mean '{near}'?" if near else ""
            problems.append(f"'{member}' records no layer with neurons of this workload{hint}")
    return problems


def _show(shape: tuple[object, ...] | list[object]) -> str:
    return "[" + ", ".join(str(size) for size in shape) + "]"

"""Who feeds whom, and which weighted layers carry neurons: from names alone, before any shape is known."""

from __future__ import annotations

from archsim.config import Document
from archsim.errors import Problem, nearest
from archsim.workload.layer_schema import AddSpec, AnyLayer, NeuronLayerSpec, WeightedSpec
from archsim.workload.network import INPUT

RESERVED = (INPUT, "default")
Sources = list[tuple[str, ...] | None]
"""Per layer the names of its producers; None where they are unknown."""


def find_sources(
    specs: list[AnyLayer | None], names: list[str | None], chained: bool, document: Document
) -> tuple[Sources, list[str], list[Problem]]:
    """The producers of every layer, and a label for each: its name, made unique where the file failed to.

    Problems: duplicate or reserved names, sources that are unknown or come later.
    """
    problems: list[Problem] = []
    sources: Sources = []
    labels: list[str] = []
    first: dict[str, int] = {}
    for index, (spec, name) in enumerate(zip(specs, names, strict=True)):
        if spec is None:
            sources.append(None)
        elif chained:
            wanted = _wanted(spec, labels[-1] if labels else INPUT)
            earlier = {INPUT, *labels}
            unknown = [(key, one) for key, one in wanted if one not in earlier]
            problems += [_unknown(document, index, key, one, names, first) for key, one in unknown]
            sources.append(None if unknown else tuple(one for _, one in wanted))
        else:
            problems += _linked_rows(spec, index, document)
            sources.append(())
        if name in RESERVED:
            problems.append(document.problem(("layers", index, "name"), f"'{name}' means something else here"))
        elif name in first:
            text = f"this name is taken by layers.{first[name]}"
            line = document.line(("layers", first[name]))
            where = f" (line {line})" if line else ""
            problems.append(document.problem(("layers", index, "name"), text + where, value=name))
        elif name is not None:
            first[name] = index
        labels.append(name if name is not None and first.get(name) == index else f"layers.{index}")
    return sources, labels, problems


def _wanted(spec: AnyLayer, previous: str) -> list[tuple[str, str]]:
    """Key and name of each source of a layer in a chain."""
    if isinstance(spec, AddSpec) and spec.inputs is not None:
        return [("inputs", name) for name in spec.inputs]
    main = ("from", previous if spec.from_ is None else spec.from_)
    return [main, ("with", spec.with_)] if isinstance(spec, AddSpec) and spec.with_ is not None else [main]


def _unknown(
    document: Document, index: int, key: str, name: str, names: list[str | None], earlier: dict[str, int]
) -> Problem:
    path = ("layers", index, key)
    if name in names:
        return document.problem(path, "is this layer itself or a later one; a layer reads earlier ones", value=name)
    near = nearest(name, [INPUT, *earlier])
    return document.problem(path, "there is no layer of this name", value=name, nearest=near)


def _linked_rows(spec: AnyLayer, index: int, document: Document) -> list[Problem]:
    if isinstance(spec, AddSpec):
        text = "an add needs layers that feed it; in a table (chained: false) none does"
        return [document.problem(("layers", index), text)]
    if spec.from_ is not None:
        text = "in a table (chained: false) no layer feeds another"
        return [document.problem(("layers", index, "from"), text, value=spec.from_)]
    return []


def carries_neuron(specs: list[AnyLayer | None], labels: list[str], sources: Sources) -> list[bool]:
    """Which layers carry neurons.

    A ``neuron`` layer does. A weighted layer does as ``spiking`` says; unless stated, it does except where every way
    out of it meets an explicit ``neuron`` layer before another weighted layer or the end. A ``neuron`` layer that reads
    a weighted layer directly is that layer's neuron even under ``spiking: true``.
    """
    readers: dict[str, list[int]] = {}
    for index, producers in enumerate(sources):
        for producer in producers or ():
            readers.setdefault(producer, []).append(index)
    covered = [False] * len(specs)
    carries = [False] * len(specs)
    for index in range(len(specs) - 1, -1, -1):
        behind = readers.get(labels[index], [])
        covered[index] = bool(behind) and all(
            isinstance(specs[one], NeuronLayerSpec) or (not isinstance(specs[one], WeightedSpec) and covered[one])
            for one in behind
        )
        carries[index] = _carries(specs[index], covered[index], [specs[one] for one in behind])
    return carries


def _carries(spec: AnyLayer | None, covered: bool, behind: list[AnyLayer | None]) -> bool:
    if isinstance(spec, NeuronLayerSpec):
        return True
    if not isinstance(spec, WeightedSpec) or spec.spiking is False:
        return False
    if spec.spiking:
        return not behind or not all(isinstance(one, NeuronLayerSpec) for one in behind)
    return not covered

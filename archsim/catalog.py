"""What comes with archsim, by name: presets and their text, components, dataflows, and the schemas of files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Union, get_args

from archsim.config import find, load_document, names
from archsim.errors import ArchsimError, ConfigError, Problem, nearest

Topic = Literal["archs", "workloads", "costs", "devices", "components", "dataflows", "datasets"]
Kind = Literal["arch", "workload", "cost", "device"]
TOPICS: tuple[Topic, ...] = get_args(Topic)
KINDS: tuple[Kind, ...] = get_args(Kind)
_PRESETS: dict[str, Kind] = {"archs": "arch", "workloads": "workload", "costs": "cost", "devices": "device"}


@dataclass(frozen=True)
class Entry:
    """One thing that can be named on the command line or in a file, and what it is."""

    name: str
    description: str


def own_version() -> str:
    """The installed version of archsim; from a checkout that is not installed, that it is not."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("archsim")
    except PackageNotFoundError:
        return "(not installed)"


def entries(topic: str) -> tuple[Entry, ...]:
    """Everything of one topic, by name: presets, primitives of components, dataflows, or datasets."""
    _known(topic, TOPICS, "topic")
    if topic == "components":
        from archsim.cost.primitives import PRIMITIVES

        return tuple(Entry(name, f"actions: {', '.join(PRIMITIVES[name].actions)}") for name in sorted(PRIMITIVES))
    if topic == "dataflows":
        from archsim.accelerators.systolic.dataflows import dataflow, dataflow_names

        flows = [dataflow(name) for name in dataflow_names()]
        return tuple(
            Entry(flow.name, f"{flow.description}: {flow.rows} x {flow.cols} in the array, {flow.stream} stream")
            for flow in flows
        )
    if topic == "datasets":
        from archsim.datasets import DATASETS

        return tuple(Entry(data.name, f"{data.description}: {data.samples:,} samples") for data in DATASETS.values())
    kind = _PRESETS[topic]
    return tuple(Entry(name, _description(kind, name)) for name in names(kind))


def preset_text(name: str) -> str:
    """A preset's file, verbatim, to be edited; ConfigError names the nearest preset of any kind."""
    known = {preset: kind for kind in KINDS for preset in names(kind)}
    if name not in known:
        listed = ", ".join(known)
        raise ConfigError(Problem("no such preset", value=name, allowed=listed, nearest=nearest(name, known)))
    path, _ = find(known[name], name)
    return path.read_text(encoding="utf-8")


def schema(kind: str) -> dict[str, Any]:
    """JSON Schema of a file: ``arch`` (any family), a family, ``workload``, ``cost``, ``overlay``, ``device`` or
    ``sweep``."""
    from pydantic import TypeAdapter

    from archsim.accelerators import family, family_names
    from archsim.analog import Device
    from archsim.cost.schema import CostFileModel, OverlayModel
    from archsim.sweeps.spec import SweepFile
    from archsim.workload import WorkloadFile

    families = {name: family(name).schema for name in family_names()}
    every: Any = Union[tuple(families.values())]  # noqa: UP007 - built at run time
    models: dict[str, Any] = {"arch": every, "workload": WorkloadFile, "cost": CostFileModel, "overlay": OverlayModel}
    models |= {"device": Device, "sweep": SweepFile} | families
    _known(kind, tuple(models), "kind of file")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **TypeAdapter(models[kind]).json_schema()}


def _known(word: str, allowed: tuple[str, ...], noun: str) -> None:
    if word not in allowed:
        listed = ", ".join(allowed)
        raise ConfigError(Problem(f"no such {noun}", value=word, allowed=listed, nearest=nearest(word, allowed)))


def _description(kind: Kind, name: str) -> str:
    """The first sentence of the preset's description."""
    try:
        data = load_document(*find(kind, name)).data
    except ArchsimError as error:
        return f"cannot be read: {error.problems[0]}"
    text = data.get("description") if isinstance(data, dict) else None
    words = " ".join(str(text or "").split())
    return words.split(". ")[0].split("; ")[0].rstrip(".:")

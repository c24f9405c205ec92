"""Check chips, workloads, cost tables, devices and sweeps without running them: every problem of every file at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from archsim.config import Document, load_document, names
from archsim.config.kinds import kinds_of
from archsim.errors import ArchsimError, ConfigError, Problem, nearest

Kind = Literal["arch", "workload", "cost", "device", "overlay", "sweep"]
PRESETS: tuple[Literal["arch", "workload", "cost", "device"], ...] = ("arch", "workload", "cost", "device")
NOUNS: Mapping[Kind, str] = {
    "arch": "chip", "workload": "workload", "cost": "cost table", "device": "device", "overlay": "cost overlay",
    "sweep": "sweep",
}  # fmt: skip


@dataclass(frozen=True)
class Checked:
    """A file without problems: what it is, and what it says in a few words."""

    file: str
    kind: Kind
    summary: str


def check(
    *names_or_paths: str | Path, allow_outside: bool = False, plugins: Sequence[str | Path] = ()
) -> tuple[Checked, ...]:
    """Load every file as what its keys say it is. One ConfigError holds the problems of all files, in their order.

    Of a chip the memories are priced by the default cost table, too. ``plugins`` are Python files that register the
    families and dataflows which the files name.
    """
    from archsim.accelerators import load_plugin

    found: list[Checked] = []
    problems: list[Problem] = []
    for plugin in plugins:
        try:
            load_plugin(str(plugin))
        except ArchsimError as error:
            problems += error.problems
    for name in names_or_paths:
        try:
            found.append(_check_one(str(name), allow_outside))
        except ArchsimError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return tuple(found)


def _check_one(name: str, allow_outside: bool) -> Checked:
    kind, path = _recognise(name)
    checkers: dict[Kind, Callable[[], str]] = {
        "arch": lambda: _arch(path),
        "workload": lambda: _workload(path, allow_outside),
        "cost": lambda: _cost(path),
        "device": lambda: _device(path),
        "overlay": lambda: _overlay(path),
        "sweep": lambda: _sweep(path),
    }
    return Checked(name, kind, checkers[kind]())


def _arch(name: str) -> str:
    from archsim.accelerators import load_architecture
    from archsim.cost.table import load_costs
    from archsim.pricing_check import unpriceable

    chip = load_architecture(name)
    problems = unpriceable(chip, load_costs())
    if problems:
        raise ConfigError(problems)
    return f"'{chip.name}', {chip.family.name}"


def _workload(name: str, allow_outside: bool) -> str:
    from archsim.inputs import load_workload

    loaded = load_workload(name, allow_outside=allow_outside)
    network = loaded.network
    return f"'{loaded.name}', {len(network.layers)} layers, {network.timesteps} timesteps, {loaded.activity.describe()}"


def _cost(name: str) -> str:
    from archsim.cost.table import load_costs

    table = load_costs(name)
    return f"'{table.name}', {len(table.constants)} constants"


def _overlay(name: str) -> str:
    from archsim.cost.table import load_costs

    return f"'{load_costs(overlays=[name]).name}'"


def _device(name: str) -> str:
    from archsim.analog import load_device

    device = load_device(name)
    omitted = ", ".join(device.not_modelled) or "nothing"
    return f"'{device.name}', {device.kind}, {device.levels.count} levels, not modelled: {omitted}"


def _sweep(name: str) -> str:
    from archsim.sweeps.checks import check_spec

    file = check_spec(name).file
    keys = dict.fromkeys([*file.space, *(key for point in file.points or () for key in point)])
    return f"of {' and '.join(file.archs)} × {' and '.join(file.workloads)} over {', '.join(keys) or 'no key'}"


def _recognise(name: str) -> tuple[Kind, str]:
    """What a file is (the kind with which it shares most keys) and its path; a name is looked up as a preset."""
    presets: dict[str, Kind] = {preset: kind for kind in PRESETS for preset in names(kind)}
    if name in presets:
        return presets[name], name
    if "/" not in name and not name.endswith((".yaml", ".yml", ".csv")):
        if not Path(name).exists():
            text = "no preset has this name (a path contains '/' or ends in .yaml)"
            raise ConfigError(Problem(text, value=name, allowed=", ".join(presets), nearest=nearest(name, presets)))
        name = f"./{name}"
    if name.lower().endswith(".csv"):
        return "device", name
    return _kind_of(load_document(Path(name), name, doubled_keys=True)), name


def _kind_of(document: Document) -> Kind:
    data = document.data
    if kinds_of(data) == ["result"]:
        allowed = ", ".join(dict.fromkeys(NOUNS.values()))
        raise ConfigError(Problem("this is the result of a run", document.file, allowed=allowed))
    if not isinstance(data, dict):
        raise ConfigError(Problem("must be a mapping of keys", file=document.file, line=document.line(())))
    keys = _keys_by_kind()
    scores = {kind: sum(_closeness(str(key), known) for key in data) for kind, known in keys.items()}
    best = max(scores, key=lambda kind: scores[kind])
    if not scores[best]:
        text = "is neither a chip nor a workload, a cost table, a device or a sweep: none of its keys belong to one"
        allowed = "; ".join(f"{NOUNS[kind]}: {', '.join(sorted(known))}" for kind, known in keys.items())
        raise ConfigError(Problem(text, file=document.file, line=document.line(()), allowed=allowed))
    if best == "cost" and not _is_whole_table(data):
        return "overlay"
    return best


def _is_whole_table(data: Mapping[str, object]) -> bool:
    grids = data.get("grids")
    return isinstance(grids, dict) and len(grids) > 1


def _closeness(key: str, known: Sequence[str]) -> float:
    """1 for a known key, less for one that looks like a misspelling of it."""
    if key in known:
        return 1.0
    return 0.5 if nearest(key, known) else 0.0


def _keys_by_kind() -> dict[Kind, tuple[str, ...]]:
    """The keys of each kind of file that no other kind has."""
    from archsim.accelerators import family, family_names
    from archsim.analog import Device
    from archsim.cost.schema import CostFileModel
    from archsim.sweeps.spec import SweepFile
    from archsim.workload import WorkloadFile

    chips = {key for name in family_names() for key in family(name).schema.model_fields}
    keys: dict[Kind, set[str]] = {
        "arch": chips, "workload": set(WorkloadFile.model_fields), "cost": set(CostFileModel.model_fields),
        "device": set(Device.model_fields), "sweep": set(SweepFile.model_fields),
    }  # fmt: skip
    own = {
        kind: mine.difference(*(other for name, other in keys.items() if name != kind)) for kind, mine in keys.items()
    }
    return {kind: tuple(sorted(mine)) for kind, mine in own.items()}

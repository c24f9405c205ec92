"""The points of a sweep: what each asks for, what its answer depends on (its key), and which share one execution."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

from archsim.config.presets import find, names
from archsim.sweeps.checks import Checked, file_of
from archsim.sweeps.sample import draw_points
from archsim.sweeps.work import Task, override

SEED = "workload.activity.seed"
COSTS = "costs"
ID_LETTERS = 10
PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class DesignPoint:
    """One row of the table to be: its chip, network and varied values, and the key of its answer."""

    arch: str
    workload: str
    values: Mapping[str, Any]
    id: str  # of the design alone: the same in every version of archsim
    key: str


def lay_out(checked: Checked) -> tuple[tuple[DesignPoint, ...], tuple[Task, ...]]:
    """All points in the table's order, and the executions that answer them: one for all cost overlays of a point."""
    file = checked.file
    seeds = file.seeds or range(file.repeats or 0)
    repeated = [{SEED: seed} for seed in seeds] or [{}]
    drawn = [{**values, **seed} for values in draw_points(file) for seed in repeated]
    common = _sha256(_own_source(), file.samples, [_content(checked, name) for name in file.plugins])
    prices = [_several(names) for names in file.costs]
    priced = [_sha256([_content(checked, name) for name in overlays]) for overlays in prices]
    content = _sha256(common, checked.contents, priced)
    points: list[DesignPoint] = []
    tasks: list[Task] = []
    for arch, workload, values in product(file.archs, file.workloads, drawn):
        design = [checked.contents[arch], checked.contents[workload], _with_files(checked, values)]
        ids = [_sha256(design, file.samples, price)[:ID_LETTERS] for price in priced]
        keys = [_sha256(common, design, price) for price in priced]
        tasks.append(_task(checked, arch, workload, values, tuple(keys), content))
        for short, key, overlays in zip(ids, keys, prices, strict=True):
            shown = {**values, **({COSTS: " + ".join(overlays)} if len(prices) > 1 else {})}
            points.append(DesignPoint(arch, workload, shown, short, key))
    return tuple(points), tuple(tasks)


def varied_keys(points: Iterable[DesignPoint]) -> tuple[str, ...]:
    """The columns of what is varied, in the order in which the points name them."""
    return tuple(dict.fromkeys(key for point in points for key in point.values))


def _task(
    checked: Checked, arch: str, workload: str, values: Mapping[str, Any], keys: tuple[str, ...], content: str
) -> Task:
    file = checked.file
    return Task(
        arch=checked.located(arch), workload=checked.located(workload),
        overrides=tuple(override(key, value) for key, value in values.items()),
        costs=tuple(tuple(checked.located(name) for name in _several(names)) for names in file.costs), keys=keys,
        samples=file.samples, engine=file.engine, plugins=tuple(checked.located(name) for name in file.plugins),
        content=content,
    )  # fmt: skip


def _several(names: str | Sequence[str] | None) -> tuple[str, ...]:
    return () if names is None else (names,) if isinstance(names, str) else tuple(names)


def _with_files(checked: Checked, values: Mapping[str, Any]) -> list[Any]:
    """Values as they are, and what files hold that they name (a device, a trace)."""
    return [[key, value, _content(checked, value) if isinstance(value, str) else None] for key, value in values.items()]


def _content(checked: Checked, name: str) -> str:
    """The name with the hash of the file behind it, if there is one."""
    for path in (Path(checked.located(name)), Path(name)):
        if file_of(path):
            return f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}"
    return name


@cache
def _own_source() -> str:
    """A hash of the package's source and of its presets of chips, devices and costs."""
    digest = hashlib.sha256()
    chips, _ = find("arch", names("arch")[0])
    for folder in (PACKAGE, chips.parent.parent):
        for path in sorted(folder.rglob("*.*")):
            if path.suffix in (".py", ".yaml", ".csv"):
                digest.update(f"{path.relative_to(folder)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _sha256(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()

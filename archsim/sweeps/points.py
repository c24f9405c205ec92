"""The points of a sweep: what each asks for, what its answer depends on (its key), and which share one execution."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice, product
from pathlib import Path
from typing import Any

from archsim.config.presets import find, names
from archsim.cost.overrides import is_of_costs
from archsim.sweeps.checks import Checked, file_of
from archsim.sweeps.sample import Point, draw_points
from archsim.sweeps.work import Price, Task, override

SEED = "workload.activity.seed"
COSTS = "costs"
ID_LETTERS = 10
MOST_PRICES = 500  # of one execution in one task: processes share the rest, and little is lost with one
_Execution = tuple[str, str, tuple[str, ...]]  # chip, network, overrides
PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class DesignPoint:
    """One row of the table to be: its chip, network and varied values, and the key of its answer."""

    arch: str
    workload: str
    values: Mapping[str, Any]
    id: str  # of the design alone: the same in every version of archsim
    key: str


def lay_out(checked: Checked, drawn: Sequence[Point] | None = None) -> tuple[tuple[DesignPoint, ...], tuple[Task, ...]]:
    """All points in the table's order, and the executions that answer them.

    Points that differ only in prices (cost overlays, constants, what the chip's family names) share one execution.
    ``drawn`` are the values of the space's keys, by default those that the file's method draws.
    """
    file = checked.file
    seeds = file.seeds or range(file.repeats or 0)
    repeated = [{SEED: seed} for seed in seeds] or [{}]
    drawn = draw_points(file) if drawn is None else drawn
    designs = [{**values, **seed} for values in drawn for seed in repeated]
    common = _sha256(_own_source(), file.samples, [_content(checked, name) for name in file.plugins])
    overlays = [_several(names) for names in file.costs]
    of_overlays = [_sha256([_content(checked, name) for name in names]) for names in overlays]
    points: list[DesignPoint] = []
    shared: dict[_Execution, dict[str, Price]] = {}
    for arch, workload, values in product(file.archs, file.workloads, designs):
        design = [checked.contents[arch], checked.contents[workload], _with_files(checked, values)]
        executed, priced = _split(values, checked.only_prices[arch])
        prices = shared.setdefault((arch, workload, executed), {})
        for laid, hashed in zip(overlays, of_overlays, strict=True):
            key = _sha256(common, design, hashed)
            prices[key] = Price(tuple(checked.located(name) for name in laid), priced)
            shown = {**values, **({COSTS: " + ".join(laid)} if len(overlays) > 1 else {})}
            short = _sha256(design, file.samples, hashed)[:ID_LETTERS]
            points.append(DesignPoint(arch, workload, shown, short, key))
    content = _sha256(common, checked.contents, of_overlays)
    return tuple(points), tuple(
        task for execution, prices in shared.items() for task in _tasks(checked, execution, prices, content)
    )


def varied_keys(points: Iterable[DesignPoint]) -> tuple[str, ...]:
    """The columns of what is varied, in the order in which the points name them."""
    return tuple(dict.fromkeys(key for point in points for key in point.values))


def _split(values: Mapping[str, Any], only_prices: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Overrides that are executed, and those that change prices only."""
    executed: list[str] = []
    priced: list[str] = []
    for key, value in values.items():
        (priced if is_of_costs(key) or key in only_prices else executed).append(override(key, value))
    return tuple(executed), tuple(priced)


def _tasks(checked: Checked, execution: _Execution, prices: Mapping[str, Price], content: str) -> Iterator[Task]:
    """One execution, in as many tasks as its prices need."""
    file, (arch, workload, overrides) = checked.file, execution
    for first in range(0, len(prices), MOST_PRICES):
        part = dict(islice(prices.items(), first, first + MOST_PRICES))
        yield Task(
            arch=checked.located(arch), workload=checked.located(workload), overrides=overrides,
            prices=tuple(part.values()), keys=tuple(part), samples=file.samples, engine=file.engine,
            plugins=tuple(checked.located(name) for name in file.plugins), content=content,
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

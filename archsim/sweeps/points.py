"""The points of a sweep: what each asks for, what its answer depends on (its key), and which share one execution."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

from archsim.cost.overrides import is_of_costs
from archsim.sweeps.checks import Checked
from archsim.sweeps.contents import Contents
from archsim.sweeps.sample import Point, draw_points
from archsim.sweeps.work import Price, Task, override

SEED = "workload.activity.seed"
COSTS = "costs"
ID_LETTERS = 10
MOST_PRICES = 500  # of one execution in one task: processes share the rest, and little is lost with one
_Execution = tuple[str, str, tuple[str, ...], tuple[str, str]]  # chip, network, overrides, contents


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
    contents, overlays = Contents(checked), [_several(names) for names in file.costs]
    tables = [checked.tables[tuple(checked.located(name) for name in laid)] for laid in overlays]
    points: list[DesignPoint] = []
    shared: dict[_Execution, dict[str, Price]] = {}
    for arch, workload, values in product(file.archs, file.workloads, designs):
        content = contents.of(arch, workload, values)
        executed, priced = _split(contents.overrides(values), checked.only_prices[arch])
        prices = shared.setdefault((arch, workload, executed, content), {})
        design = [content, list(values.items()), file.samples]
        for laid, table in zip(overlays, tables, strict=True):
            key = _sha256(checked.common, design, table)
            prices[key] = Price(tuple(checked.located(name) for name in laid), priced, table)
            shown = {**values, **({COSTS: " + ".join(laid)} if len(overlays) > 1 else {})}
            points.append(DesignPoint(arch, workload, shown, _sha256(design, table)[:ID_LETTERS], key))
    read = {**checked.read, **contents.read}
    return tuple(points), tuple(
        task for execution, prices in shared.items() for task in _tasks(checked, execution, prices, read)
    )


def varied_keys(points: Iterable[DesignPoint]) -> tuple[str, ...]:
    """The columns of what is varied, in the order in which the points name them."""
    return tuple(dict.fromkeys(key for point in points for key in point.values))


def _split(values: Mapping[str, Any], only_prices: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Overrides that are executed, and those that change prices only; both in their order.

    A key is a price where it is, or lies below, one that the family names, and no other value is set around it.
    """
    executed: list[str] = []
    priced: list[str] = []
    for key, value in values.items():
        is_price = any(_is_within(key, one) for one in only_prices)
        is_within_other = any(_is_within(key, one) and one != key for one in values if one not in only_prices)
        (priced if is_of_costs(key) or (is_price and not is_within_other) else executed).append(override(key, value))
    return tuple(executed), tuple(priced)


def _is_within(key: str, other: str) -> bool:
    return key == other or key.startswith(other + ".")


def _tasks(
    checked: Checked, execution: _Execution, prices: Mapping[str, Price], read: Mapping[str, str]
) -> Iterator[Task]:
    """One execution, in as many tasks as its prices need."""
    file, (arch, workload, overrides, (chip, network)) = checked.file, execution
    for first in range(0, len(prices), MOST_PRICES):
        part = dict(islice(prices.items(), first, first + MOST_PRICES))
        yield Task(
            arch=checked.located(arch), workload=checked.located(workload), overrides=overrides,
            prices=tuple(part.values()), keys=tuple(part), samples=file.samples, engine=file.engine,
            plugins=tuple(checked.located(name) for name in file.plugins), chip=chip, network=network,
            common=checked.common, read=tuple(read.items()), on_chips=checked.on_chips,
        )  # fmt: skip


def _several(names: str | Sequence[str] | None) -> tuple[str, ...]:
    return () if names is None else (names,) if isinstance(names, str) else tuple(names)


def _sha256(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()

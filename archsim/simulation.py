"""The way of the data, once through: lower, execute, price, attribute; for one sample or several."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from archsim.accelerators import Architecture, Lowered, load_architecture, load_plugin
from archsim.analysis.attribution import Attribution, attribute
from archsim.analysis.throughput import Throughput, throughput
from archsim.analysis.verdict import verdict
from archsim.cost.pricing import Prices, price
from archsim.cost.table import CostTable, load_costs
from archsim.cost.variation import vary
from archsim.engine import EngineName, Execution, execute
from archsim.errors import ArchsimError, ConfigError, Problem
from archsim.result import (
    ComponentRow,
    CountRow,
    LayerRow,
    PathRow,
    Result,
    UnitRow,
    mean_and_spread,
)
from archsim.workload import Workload, load_workload

WORKLOAD_PREFIX = "workload."


@dataclass(frozen=True)
class Run:
    """One executed sample with everything that was computed on the way (the Result keeps the tables only)."""

    architecture: Architecture
    workload: Workload
    sample: int
    lowered: Lowered
    execution: Execution
    prices: Prices
    attribution: Attribution
    throughput: Throughput


def simulate(
    arch: str | Architecture,
    workload: str | Workload,
    *,
    overrides: Sequence[str] = (),
    costs: Sequence[str] = (),
    engine: EngineName = "auto",
    samples: Sequence[int] = (0,),
    plugins: Sequence[str] = (),
    vary_costs: bool = False,
    allow_outside: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """Execute a workload on a chip and price it.

    ``overrides`` are dotted keys of the chip (``array.rows=32``) or, with the prefix ``workload.``, of the workload
    (``workload.timesteps=8``). Several ``samples`` are executed one by one; the result then holds means, and the spread.
    Raises ArchsimError with everything that is wrong.
    """
    for plugin in plugins:
        load_plugin(plugin)
    architecture, network, table = _load(arch, workload, overrides, costs, allow_outside)
    if not samples:
        raise ConfigError(Problem("no sample is named", key="samples", allowed="at least one"))
    wrong = [sample for sample in samples if sample not in network.activity.samples]
    if wrong:
        last = len(network.activity.samples) - 1
        raise ConfigError([Problem("no such sample", key="samples", value=sample, allowed=f"0..{last}") for sample in wrong])
    results = []
    for number, sample in enumerate(samples):
        if progress is not None:
            progress(number, len(samples))
        run = run_once(architecture, network, table, sample, engine)
        results.append(result_of(run, table, vary_costs))
    combined = results[0] if len(results) == 1 else combine(results)
    return replace(
        combined, versions=_versions(),
        hashes={"architecture": _hash(architecture.document.data), "workload": network.hash, "costs": table.hash},
        inputs={
            "arch": architecture.document.data, "workload": network.document.data, "overrides": list(overrides),
            "costs": list(costs), "samples": list(samples), "plugins": list(plugins),
        },
    )  # fmt: skip


def _load(
    arch: str | Architecture, workload: str | Workload, overrides: Sequence[str], costs: Sequence[str], allow_outside: bool,
) -> tuple[Architecture, Workload, CostTable]:  # fmt: skip
    """Chip, workload and cost table; the problems of all three at once."""
    of_workload = [item.removeprefix(WORKLOAD_PREFIX) for item in overrides if item.startswith(WORKLOAD_PREFIX)]
    of_arch = [item for item in overrides if not item.startswith(WORKLOAD_PREFIX)]
    problems: list[Problem] = []
    loaded: list[Any] = []
    loaders: tuple[Callable[[], Any], ...] = (
        lambda: load_architecture(arch, of_arch) if isinstance(arch, str) else arch,
        lambda: load_workload(workload, of_workload, allow_outside) if isinstance(workload, str) else workload,
        lambda: load_costs(overlays=costs),
    )
    for load in loaders:
        try:
            loaded.append(load())
        except ArchsimError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return loaded[0], loaded[1], loaded[2]


def run_once(architecture: Architecture, workload: Workload, table: CostTable, sample: int, engine: EngineName) -> Run:
    """Lower, execute and price one sample."""
    chip = architecture.chip
    lowered = architecture.family.lower(chip, workload, sample)
    execution = execute(lowered.graph, engine)
    prices = price(execution.ledger, lowered.components, table, chip.node_nm, execution.cycles * 1000.0 / chip.clock_mhz)
    return Run(architecture, workload, sample, lowered, execution, prices, attribute(execution), throughput(lowered.graph))


def result_of(run: Run, table: CostTable, vary_costs: bool = False) -> Result:
    """The tables of one run."""
    chip, execution, prices = run.architecture.chip, run.execution, run.prices
    interval = run.throughput.interval_cycles
    swings: tuple[Mapping[str, Any], ...] = ()
    if vary_costs:
        rows = vary(execution.ledger, run.lowered.components, table, chip.node_nm, prices.latency_ns)
        swings = tuple(
            {
                "constant": row.key, "unit": row.unit, "value": row.value, "low": row.low, "high": row.high, "nominal_pj": row.nominal_pj,
                "at_low_pj": row.at_low_pj, "at_high_pj": row.at_high_pj, "swing_pj": row.swing_pj, "source": row.source,
            }
            for row in rows
        )  # fmt: skip
    result = Result(
        arch=run.architecture.name, workload=run.workload.name, engine=execution.engine, samples=(run.sample,),
        timesteps=run.workload.network.timesteps, tasks=execution.graph.tasks, clock_mhz=chip.clock_mhz, node_nm=chip.node_nm,
        cycles=execution.cycles, latency_ns=prices.latency_ns, energy_pj=prices.total_pj.value,
        dynamic_pj=prices.dynamic_pj.value, static_pj=prices.static_pj.value, area_um2=prices.area_um2.value,
        throughput_per_s=chip.clock_mhz * 1e6 / interval if interval else None, interval_cycles=interval,
        throughput_note=run.throughput.reason, synthetic=run.workload.activity.synthetic,
        layers=_layer_rows(run), components=_component_rows(run), counts=_count_rows(run),
        units=tuple(UnitRow(u.unit, u.busy, u.starved, u.blocked, u.arbitration, u.idle) for u in run.attribution.units),
        critical_path=tuple(PathRow(p.unit, p.layer, p.what, p.cycles) for p in run.attribution.path),
        assumptions=run.lowered.assumptions, verdict="", vary_costs=swings,
    )  # fmt: skip
    return replace(result, verdict=verdict(result))


def _count_rows(run: Run) -> tuple[CountRow, ...]:
    names, level = run.execution.graph.layers, {part.name: part.level for part in run.lowered.components}
    energy = run.prices.energy_pj.tolist()
    return tuple(
        CountRow(names[layer], step, component, action, count, energy[row], level[component])
        for row, (layer, step, component, action, count) in enumerate(run.execution.ledger.rows())
    )


def _component_rows(run: Run) -> tuple[ComponentRow, ...]:
    return tuple(
        ComponentRow(
            name=bill.component.name, level=bill.component.level, energy_pj=bill.energy_pj.value, dynamic_pj=bill.dynamic_pj.value,
            static_pj=bill.static_pj.value, area_um2=bill.area_um2.value, instances=bill.component.count,
            description=bill.component.description,
        )
        for bill in run.prices.bills.values()
    )  # fmt: skip


def _layer_rows(run: Run) -> tuple[LayerRow, ...]:
    """Layers with energy: their actions, and the leakage of each component while its unit worked for the layer."""
    execution, graph = run.execution, run.execution.graph
    dynamic = np.bincount(execution.ledger.layer, weights=run.prices.energy_pj, minlength=len(graph.layers))
    static = _static_by_layer(run)
    path: dict[str, int] = {}
    for share in run.attribution.path:
        path[share.layer] = path.get(share.layer, 0) + share.cycles
    first = np.full(len(graph.layers), np.iinfo(np.int64).max)
    last = np.zeros(len(graph.layers), np.int64)
    np.minimum.at(first, graph.layer, execution.start)
    np.maximum.at(last, graph.layer, execution.finish)
    index = {name: number for number, name in enumerate(graph.layers)}
    rows = []
    for fact in run.lowered.layers:
        at = index[fact.name]
        members = [index[name] for name in fact.members]
        rows.append(
            LayerRow(
                name=fact.name, kind=fact.kind, cycles=sum(path.get(name, 0) for name in fact.members),
                span_cycles=int(last[at] - first[at]), energy_pj=float(sum(dynamic[m] + static[m] for m in members)),
                dynamic_pj=float(sum(dynamic[m] for m in members)), static_pj=float(sum(static[m] for m in members)),
                folds=fact.folds, passes=fact.passes, utilisation=fact.utilisation, density=fact.density,
                dense_products=fact.dense_products, active_products=execution.ledger.total("pe_adder", "sop", at), in_bits=fact.in_bits,
            )
        )  # fmt: skip
    return tuple(rows)


def _static_by_layer(run: Run) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Leakage of each component times the share of the run in which its unit was busy with each layer."""
    graph, cycles = run.execution.graph, max(run.execution.cycles, 1)
    layers = len(graph.layers)
    names = [unit.name for unit in graph.units]
    busy = np.bincount(graph.unit.astype(np.int64) * layers + graph.layer, weights=graph.duration, minlength=len(names) * layers)
    share = busy.reshape(len(names), layers) / cycles
    total = np.zeros(layers)
    for bill in run.prices.bills.values():
        unit = run.lowered.busy_unit.get(bill.component.level)
        if unit in names:
            total += bill.static_pj.value * share[names.index(unit)]
    return total


def combine(results: Sequence[Result]) -> Result:
    """Means over samples; ``per_sample`` and ``spread`` say how they differ."""
    first, n = results[0], len(results)
    headline = ("cycles", "latency_ns", "energy_pj", "dynamic_pj", "static_pj", "edp_pj_ns")
    per_sample = tuple({"sample": result.samples[0], **{name: float(getattr(result, name)) for name in headline}} for result in results)
    intervals = [result.interval_cycles for result in results]
    known = [interval for interval in intervals if interval is not None]
    interval = sum(known) / n if len(known) == n else None
    mean = replace(
        first, samples=tuple(result.samples[0] for result in results),
        **{name: sum(getattr(result, name) for result in results) / n for name in headline if name != "edp_pj_ns"},
        interval_cycles=interval, throughput_per_s=first.clock_mhz * 1e6 / interval if interval else None,
        layers=tuple(_mean_rows([result.layers for result in results], ("name",))),
        components=tuple(_mean_rows([result.components for result in results], ("name",))),
        counts=tuple(_mean_rows([result.counts for result in results], ("layer", "timestep", "component", "action"))),
        units=tuple(_mean_rows([result.units for result in results], ("unit",))),
        critical_path=tuple(_mean_rows([result.critical_path for result in results], ("unit", "layer", "what"))),
        per_sample=per_sample, spread={name: mean_and_spread(row[name] for row in per_sample) for name in headline},
    )  # fmt: skip
    return replace(mean, verdict=verdict(mean))


def _mean_rows(tables: Sequence[Sequence[Any]], keys: Sequence[str]) -> list[Any]:
    """Rows of equal keys averaged; a row that a sample lacks counts as 0 there."""
    n = len(tables)
    groups: dict[tuple[Any, ...], list[Any]] = {}
    for table in tables:
        for row in table:
            groups.setdefault(tuple(getattr(row, key) for key in keys), []).append(row)
    return [_mean_row(rows, n, keys) for rows in groups.values()]


def _mean_row(rows: Sequence[Any], n: int, keys: Sequence[str]) -> Any:
    fixed = {*keys, "folds", "passes", "in_bits", "instances", "dense_products", "timestep", "area_um2"}
    changed: dict[str, Any] = {}
    for name in rows[0].__dataclass_fields__:
        value = getattr(rows[0], name)
        if name in fixed or isinstance(value, str):
            continue
        if isinstance(value, Mapping):
            names = sorted({key for row in rows for key in getattr(row, name)})
            changed[name] = {key: sum(getattr(row, name).get(key, 0) for row in rows) / n for key in names}
        else:
            changed[name] = sum(getattr(row, name) for row in rows) / n
    return replace(rows[0], **changed)


def _hash(data: object) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in ("archsim", "numpy", "simpy", "numba"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found

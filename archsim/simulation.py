"""The way of the data, once through: lower, execute, price, attribute; for one sample or several."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from archsim.accelerators import Architecture
from archsim.analysis.throughput import note
from archsim.analysis.verdict import verdict
from archsim.average import combine
from archsim.cost.component import Component
from archsim.cost.notes import node_notes
from archsim.cost.table import CostTable
from archsim.cost.variation import vary
from archsim.engine import EngineName
from archsim.inputs import accuracy_of, no_accuracy
from archsim.provenance import asked, hashes, versions
from archsim.request import Request, Samples, Several, prepare
from archsim.result import ComponentRow, CountRow, LayerRow, PathRow, Result, UnitRow
from archsim.run import Run, draw_of, run_once
from archsim.workload import Workload

if TYPE_CHECKING:
    from archsim.store import Store

Progress = Callable[[int, int], None]
Once = Callable[[Request, int], Run]


def simulate(  # noqa: PLR0913 - one parameter per thing that a run may be asked
    arch: str | Path | Architecture,
    workload: str | Path | Workload,
    *,
    overrides: str | Sequence[str] = (),
    costs: Several = (),
    engine: EngineName = "auto",
    samples: Samples | None = None,
    inputs: str | None = None,
    precision: Literal["stated", "float", "chip"] | None = None,
    plugins: Several = (),
    against: str | Sequence[str] = (),
    vary_costs: bool = False,
    allow_outside: bool = False,
    progress: Progress | None = None,
    store: str | Path | Store | None = None,
) -> Result:
    """Execute a workload on a chip and price it.

    ``overrides`` are dotted keys of the chip (``array.rows=32``) or, with the prefix ``workload.``, of the workload
    (``workload.timesteps=8``); both must then be given by name or path. With the prefix ``cost.`` they are constants of
    the cost table (``cost.dram.read_bit=20``, in the constant's unit). ``samples`` are numbers, or a text such as
    ``0..15`` or ``all`` (default: 0); several are executed one by one, and the result then holds means and spread.
    ``inputs`` (``mnist:0..15``, ``digits:all``, an npz file) are what the network itself is executed on, with the bits
    that the workload states, as it was trained, or on the chip's own crossbars as they are made (``precision``); the
    result then has an accuracy. ``against`` names
    peers, ``sata-sim`` or ``sata-sim:act_bits=4``, whose answers stand beside archsim's. Where several texts or paths
    may be given, a single one will do. A ``store`` (its file, or an ``archsim.Store``) answers what it was asked before
    and keeps what is new; a warning says so where it cannot. Raises ArchsimError with everything that is wrong.
    """
    request = prepare(
        arch, workload, overrides=overrides, costs=costs, engine=engine, samples=samples, inputs=inputs,
        precision=precision, plugins=plugins, against=against, vary_costs=vary_costs, allow_outside=allow_outside,
        store=store,
    )  # fmt: skip
    if store is None:
        return fulfil(request, progress)
    from archsim.store import answer, opened

    found = answer(request, opened(store), lambda: fulfil(request, progress))
    if found.unsaved is not None:
        warnings.warn(found.origin, stacklevel=2)
    return found.result


def fulfil(request: Request, progress: Progress | None = None, once: Once | None = None) -> Result:
    """Execute and price what :func:`archsim.request.prepare` has loaded and checked.

    ``once`` stands in for :func:`run_of`, for callers that have an execution already.
    """
    once = once or run_of
    results: list[Result] = []
    parts: tuple[Component, ...] = ()
    for number, sample in enumerate(request.samples):
        if progress is not None:
            progress(number, len(request.samples))
        run = once(request, sample)
        results.append(result_of(run, request.table, request.vary_costs))
        parts = run.lowered.components
    combined = results[0] if len(results) == 1 else combine(results)
    unknown = no_accuracy(request.workload)
    result = replace(
        combined, versions=versions(), hashes=hashes(request), accuracy=accuracy_of(request.workload, request.samples),
        assumptions=(*combined.assumptions, *([unknown] if unknown else [])),
        inputs=asked(request) | {"components": [_as_data(part) for part in parts]},
    )  # fmt: skip
    answers = {peer.key: peer.answer(request.architecture, request.workload, result) for peer in request.peers}
    return replace(result, against=answers)


def _as_data(part: Component) -> dict[str, Any]:
    return {name: getattr(part, name) for name in part.__dataclass_fields__} | {"attributes": dict(part.attributes)}


def run_of(request: Request, sample: int) -> Run:
    """The run of one of a request's samples."""
    return run_once(request.architecture, request.workload, request.table, sample, request.engine)


def result_of(run: Run, table: CostTable, vary_costs: bool = False) -> Result:
    """The tables of one run."""
    chip, execution, prices = run.architecture.chip, run.execution, run.prices
    interval = run.throughput.interval_cycles
    too_short = [
        f"timed too short: {what} needs {cycles:,} cycles per input"
        for what, cycles in run.lowered.least_cycles.items() if cycles > (interval or execution.cycles)
    ]  # fmt: skip
    notes = node_notes(run.lowered.components, table, chip.node_nm)
    swings: tuple[Mapping[str, Any], ...] = ()
    if vary_costs:
        rows = vary(execution.ledger, run.lowered.components, table, chip.node_nm, prices.latency_ns)
        swings = tuple(
            {
                "constant": row.key, "unit": row.unit, "value": row.value, "low": row.low, "high": row.high,
                "nominal_pj": row.nominal_pj, "at_low_pj": row.at_low_pj, "at_high_pj": row.at_high_pj,
                "swing_pj": row.swing_pj, "source": row.source,
            }
            for row in rows
        )  # fmt: skip
    result = Result(
        arch=run.architecture.name, workload=run.workload.name, engine=execution.engine, samples=(run.sample,),
        timesteps=run.workload.network.timesteps, tasks=execution.graph.tasks,
        clock_mhz=chip.clock_mhz, node_nm=chip.node_nm,
        cycles=execution.cycles, latency_ns=prices.latency_ns, energy_pj=prices.total_pj.value,
        dynamic_pj=prices.dynamic_pj.value, static_pj=prices.static_pj.value, area_um2=prices.area_um2.value,
        peak_power_mw=run.peak_power().at(*draw_of(prices)),
        throughput_per_s=run.throughput_per_s, interval_cycles=interval,
        throughput_note=note(run.throughput, execution), synthetic=run.workload.activity.synthetic,
        layers=_layer_rows(run), components=_component_rows(run), counts=_count_rows(run),
        units=tuple(
            UnitRow(u.unit, u.busy, u.starved, u.blocked, u.arbitration, u.idle) for u in run.attribution.units
        ),
        critical_path=tuple(PathRow(p.unit, p.layer, p.what, p.cycles) for p in run.attribution.path),
        assumptions=(*run.lowered.assumptions, *too_short, *notes), verdict="", vary_costs=swings,
    )  # fmt: skip
    return replace(result, verdict="; ".join([verdict(result), *too_short]))


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
            name=bill.component.name, level=bill.component.level, energy_pj=bill.energy_pj.value,
            dynamic_pj=bill.dynamic_pj.value,
            static_pj=bill.static_pj.value, area_um2=bill.area_um2.value, instances=bill.component.count,
            description=bill.component.description,
        )
        for bill in run.prices.bills.values()
    )  # fmt: skip


def _layer_rows(run: Run) -> tuple[LayerRow, ...]:
    """Layers with energy: their actions, and the leakage of each component while its unit worked for the layer."""
    execution, graph = run.execution, run.execution.graph
    dynamic = np.bincount(execution.ledger.layer, weights=run.prices.energy_pj, minlength=len(graph.layers))
    static_by_level = _static_by_layer(run)
    static = np.add.reduce([np.zeros(len(graph.layers)), *static_by_level.values()])
    path: dict[str, int] = {}
    for share in run.attribution.path:
        path[share.layer] = path.get(share.layer, 0) + share.cycles
    first = np.full(len(graph.layers), np.iinfo(np.int64).max)
    last = np.zeros(len(graph.layers), np.int64)
    np.minimum.at(first, graph.layer, execution.start)
    np.maximum.at(last, graph.layer, execution.finish)
    index = {name: number for number, name in enumerate(graph.layers)}
    rows = []
    for fact, products in zip(run.lowered.layers, run.active_products, strict=True):
        at = index[fact.name]
        members = [index[name] for name in fact.members]
        rows.append(
            LayerRow(
                name=fact.name, kind=fact.kind, cycles=sum(path.get(name, 0) for name in fact.members),
                span_cycles=int(last[at] - first[at]), energy_pj=float(sum(dynamic[m] + static[m] for m in members)),
                dynamic_pj=float(sum(dynamic[m] for m in members)), static_pj=float(sum(static[m] for m in members)),
                members=fact.members, in_bits=fact.in_bits, static_by_level={
                    level: float(sum(share[m] for m in members)) for level, share in static_by_level.items()
                },
                folds=fact.folds, passes=fact.passes, utilisation=fact.utilisation, density=fact.density,
                dense_products=fact.dense_products, active_products=products, first_cycle=int(first[at]),
            )
        )  # fmt: skip
    return tuple(rows)


def _static_by_layer(run: Run) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
    """By level, [layers]: leakage times the share of the run in which the level's units worked for a layer."""
    graph, cycles = run.execution.graph, max(run.execution.cycles, 1)
    layers = len(graph.layers)
    number = {unit.name: index for index, unit in enumerate(graph.units)}
    key = graph.unit.astype(np.int64) * layers + graph.layer
    busy = np.bincount(key, weights=graph.duration, minlength=len(number) * layers).reshape(-1, layers) / cycles
    static: dict[str, float] = {}
    for bill in run.prices.bills.values():
        static[bill.component.level] = static.get(bill.component.level, 0.0) + bill.static_pj.value
    return {
        level: static.get(level, 0.0)
        * sum((busy[number[unit]] * part for unit, part in units.items() if unit in number), np.zeros(layers))
        for level, units in run.lowered.busy_units.items()
    }

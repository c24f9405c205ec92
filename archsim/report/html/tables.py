"""The sortable tables: levels, components, actions, layers, units, critical path, samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from archsim.report.html.parts import Cell, Table, count, most, name, number, share
from archsim.report.units import AREA, EDP, ENERGY, POWER, TIME, Scale, percent, scale_for

if TYPE_CHECKING:
    from archsim.result import Result, UnitRow

MOST_CAUSES = 3
CYCLES = "cycles: the layer's share of the critical path; a layer that others hide has few"
NONE = Cell("")
PLAIN = Scale(1.0, "")
LADDERS = {"latency_ns": TIME, "edp_pj_ns": EDP, "peak_power_mw": POWER} | dict.fromkeys(
    ("energy_pj", "dynamic_pj", "static_pj"), ENERGY
)
NAMES = {
    "latency_ns": "latency", "edp_pj_ns": "energy x delay", "peak_power_mw": "peak power", "energy_pj": "energy",
    "dynamic_pj": "dynamic", "static_pj": "static",
}  # fmt: skip


def levels(result: Result) -> Table:
    """Dynamic and static energy of each level."""
    scale = scale_for((result.energy_pj,), ENERGY)
    rows = tuple(
        (name(level), *_energies(scale, dynamic, static), share(dynamic + static, result.energy_pj))
        for level, (dynamic, static) in result.levels().items()
    )
    foot = (Cell("all"), *_energies(scale, result.dynamic_pj, result.static_pj), share(1, 1))
    columns = ("level", *_energy_columns(scale), "share")
    return Table("levels", "Energy by level of the chip", columns, rows, foot=(foot,))


def components(result: Result) -> Table:
    """Every component, the most expensive first."""
    scale = scale_for((result.energy_pj,), ENERGY)
    area = scale_for((result.area_um2,), AREA)
    rows, note = most("Result.frame('components')", [
        (
            name(part.name), name(part.level), count(part.instances),
            *_energies(scale, part.dynamic_pj, part.static_pj), share(part.energy_pj, result.energy_pj),
            number(area(part.area_um2)), name(part.description),
        )
        for part in sorted(result.components, key=lambda part: -part.energy_pj)
    ])  # fmt: skip
    size = f"area {area.printed_unit}"
    columns = ("component", "level", "instances", *_energy_columns(scale), "share", size, "what it is")
    return Table("components", "Components of the chip", columns, rows, texts=2, words=8, note=note)


def actions(result: Result) -> Table:
    """How often each component did what, over all layers and timesteps, and what that cost."""
    scale = scale_for((result.dynamic_pj,), ENERGY)
    energy = result.energy_by("component", "action")
    times: dict[tuple[str, str], float] = {}
    for row in result.counts:
        times[row.component, row.action] = times.get((row.component, row.action), 0.0) + row.count
    rows, note = most("Result.frame('counts')", [
        (
            name(component), name(action), count(times[component, action]), number(scale(energy_pj)),
            share(energy_pj, result.dynamic_pj),
        )
        for (component, action), energy_pj in sorted(energy.items(), key=lambda item: -item[1])
    ])  # fmt: skip
    caption = "Actions of the components, over all layers and timesteps"
    columns = ("component", "action", "count", f"dynamic {scale.printed_unit}", "share of dynamic")
    return Table("actions", caption, columns, rows, texts=2, note=note)


def layers(result: Result) -> Table:
    """Every mapped layer in the network's order; leakage while the units idled belongs to none."""
    scale = scale_for((result.energy_pj,), ENERGY)
    rows, note = most("Result.frame('layers')", [
        (
            name(row.name), name(row.kind), count(row.cycles), share(row.cycles, result.cycles), count(row.span_cycles),
            share(row.utilisation, 1), share(row.density, 1), count(row.active_products), count(row.passes),
            *_energies(scale, row.dynamic_pj, row.static_pj), share(row.energy_pj, result.energy_pj),
        )
        for row in result.layers
    ])  # fmt: skip
    idle_pj = result.energy_pj - sum(row.energy_pj for row in result.layers)
    foot = (Cell("idle"), Cell("static"), *[NONE] * 7, NONE, number(scale(idle_pj)), number(scale(idle_pj)),
            share(idle_pj, result.energy_pj))  # fmt: skip
    columns = ("layer", "kind", "cycles", "of time", "first to last cycle", "hardware used", "non-zero inputs",
               "active products", "passes", *_energy_columns(scale), "of energy")  # fmt: skip
    said = "; ".join(filter(None, [CYCLES, note]))
    return Table("layers", "Layers of the network", columns, rows, texts=2, foot=(foot,), note=said)


def units(result: Result) -> Table:
    """Where each unit's time went, in per cent of the run, and what it waited for most."""
    ranked = sorted((row for row in result.units if row.unit != "sync"), key=lambda row: -row.busy)
    rows, note = most("Result.frame('units')", [_unit(row) for row in ranked])
    columns = ("unit", "busy", "starved", "blocked", "arbitration", "idle", "waits for")
    caption = "Where the units' time goes, in per cent of the run"
    said = "starved: waits for data; blocked: the buffer behind it is full; arbitration: another has the shared unit"
    return Table("units", caption, columns, rows, words=6, note="; ".join(filter(None, [said, note])))


def _unit(row: UnitRow) -> tuple[Cell, ...]:
    causes = ((row.starved, "data"), (row.blocked, "full"), (row.arbitration, "shared"))
    waits = [sum(cause.values()) for cause, _ in causes]
    run = row.busy + sum(waits) + row.idle
    ranked = sorted(((cycles, of, why) for cause, why in causes for of, cycles in cause.items()), reverse=True)
    said = "; ".join(f"{name(of).text} ({why}) {percent(cycles, run)}" for cycles, of, why in ranked[:MOST_CAUSES])
    return (name(row.unit), *(share(piece, run) for piece in (row.busy, *waits, row.idle)), Cell(said or "-"))


def critical_path(result: Result) -> Table | None:
    """What the run's length is made of, the longest share first; the shares sum to the run. None: not recorded."""
    if not result.critical_path:
        return None
    ranked = sorted(result.critical_path, key=lambda row: -row.cycles)
    rows, note = most("Result.frame('critical_path')", [
        (name(row.unit), name(row.layer), name(row.what), count(row.cycles), share(row.cycles, result.cycles))
        for row in ranked
    ])  # fmt: skip
    total = sum(row.cycles for row in ranked)
    foot = (Cell("all"), NONE, NONE, count(total), share(total, result.cycles))
    caption = "Critical path: what the run's length is made of"
    columns = ("unit", "layer", "what", "cycles", "of time")
    return Table("critical-path", caption, columns, rows, texts=3, foot=(foot,), note=note)


def samples(result: Result) -> Table | None:
    """The figures of each sample, and their spread. None: there is one only."""
    if len(result.per_sample) < 2:
        return None
    keys = tuple(dict.fromkeys(key for row in result.per_sample for key in row if key != "sample"))
    scales = {
        key: scale_for([row.get(key, 0.0) for row in result.per_sample], LADDERS[key]) if key in LADDERS else PLAIN
        for key in keys
    }
    rows, note = most("Result.per_sample", [
        (count(row.get("sample", at)), *_figures(row, scales)) for at, row in enumerate(result.per_sample)
    ])  # fmt: skip
    spreads = {
        what: {key: found[what] for key, found in result.spread.items() if what in found}
        for what in ("mean", "std", "min", "max")
    }
    foot = tuple((Cell(what), *_figures(found, scales)) for what, found in spreads.items())
    units = {key: scales[key].printed_unit for key in keys}
    columns = ("sample", *(f"{NAMES.get(key, key.replace('_', ' '))} {units[key]}".strip() for key in keys))
    return Table("samples", "Samples, one by one, and their spread", columns, rows, foot=foot, note=note)


def _figures(row: Mapping[str, float], scales: Mapping[str, Scale]) -> list[Cell]:
    return [number(scale(row[key])) if key in row else NONE for key, scale in scales.items()]


def _energy_columns(scale: Scale) -> tuple[str, ...]:
    return tuple(f"{what} {scale.printed_unit}" for what in ("dynamic", "static", "total"))


def _energies(scale: Scale, dynamic_pj: float, static_pj: float) -> tuple[Cell, ...]:
    return tuple(number(scale(value)) for value in (dynamic_pj, static_pj, dynamic_pj + static_pj))

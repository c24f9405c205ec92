"""One result out of several samples: means, and how the samples differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from archsim.analysis.verdict import verdict
from archsim.result import Result, mean_and_spread

HEADLINE = ("cycles", "latency_ns", "energy_pj", "dynamic_pj", "static_pj", "edp_pj_ns", "peak_power_mw")


def combine(results: Sequence[Result]) -> Result:
    """Means over samples; ``per_sample`` and ``spread`` say how they differ."""
    first, n = results[0], len(results)
    per_sample = tuple(
        {"sample": result.samples[0], **{name: float(getattr(result, name)) for name in HEADLINE}} for result in results
    )
    intervals = [result.interval_cycles for result in results]
    known = [interval for interval in intervals if interval is not None]
    interval = sum(known) / n if len(known) == n else None
    mean = replace(
        first, samples=tuple(result.samples[0] for result in results),
        **{name: sum(getattr(result, name) for result in results) / n for name in HEADLINE if name != "edp_pj_ns"},
        throughput_note=_note(results, interval),
        interval_cycles=interval, throughput_per_s=first.clock_mhz * 1e6 / interval if interval else None,
        layers=tuple(_mean_rows([result.layers for result in results], ("name",))),
        components=tuple(_mean_rows([result.components for result in results], ("name",))),
        counts=tuple(_mean_rows([result.counts for result in results], ("layer", "timestep", "component", "action"))),
        units=tuple(_mean_rows([result.units for result in results], ("unit",))),
        critical_path=tuple(_mean_rows([result.critical_path for result in results], ("unit", "layer", "what"))),
        vary_costs=_mean_swings([result.vary_costs for result in results]), per_sample=per_sample,
        spread={name: mean_and_spread(row[name] for row in per_sample) for name in HEADLINE},
    )  # fmt: skip
    return replace(mean, verdict=verdict(mean))


def _note(results: Sequence[Result], interval: float | None) -> str:
    """Why there is no interval, of the first sample that has none; else the remark of the mean, if it deserves one."""
    if interval is None:
        return next(result.throughput_note for result in results if result.interval_cycles is None)
    if interval <= sum(result.cycles for result in results) / len(results):
        return ""
    return next(result.throughput_note for result in results if result.throughput_note)


def _mean_swings(tables: Sequence[Sequence[Mapping[str, Any]]]) -> tuple[Mapping[str, Any], ...]:
    """Energies of each constant averaged, those with the widest mean swing first."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in (row for table in tables for row in table):
        groups.setdefault(row["constant"], []).append(row)
    energies = ("nominal_pj", "at_low_pj", "at_high_pj", "swing_pj")
    means = [
        {**rows[0], **{key: sum(row[key] for row in rows) / len(rows) for key in energies}} for rows in groups.values()
    ]
    return tuple(sorted(means, key=lambda row: -row["swing_pj"]))


def _mean_rows(tables: Sequence[Sequence[Any]], keys: Sequence[str]) -> list[Any]:
    """Rows of equal keys averaged; a row that a sample lacks counts as 0 there."""
    n = len(tables)
    groups: dict[tuple[Any, ...], list[Any]] = {}
    for table in tables:
        for row in table:
            groups.setdefault(tuple(getattr(row, key) for key in keys), []).append(row)
    return [_mean_row(rows, n, keys) for rows in groups.values()]


def _mean_row(rows: Sequence[Any], n: int, keys: Sequence[str]) -> Any:
    fixed = {*keys, "folds", "passes", "in_bits", "instances", "dense_products", "timestep", "area_um2", "members"}
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

"""The page of a run: its sections in the order in which people ask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from archsim.report.headline import figures, samples
from archsim.report.html import charts, tables
from archsim.report.html.comparisons import comparisons
from archsim.report.html.configuration import configuration, identity
from archsim.report.html.parts import Chart, Folded, Part, Prose, Section, Table
from archsim.report.html.pictures import over_time
from archsim.report.html.provenance import provenance
from archsim.report.html.rendering import Page, render
from archsim.report.units import typeset, whole

if TYPE_CHECKING:
    from archsim.result import Result

NO_PATH = "This result holds no critical path."


def page(result: Result, folder: Path | None = None) -> str:
    """The whole HTML text. ``folder`` is the run's own, if it has one: figures over time that lie there come along."""
    return render(Page(
        title=f"{result.arch} × {result.workload}: archsim report", heading=(result.arch, result.workload),
        facts=_facts(result), verdict=(typeset(result.verdict),),
        figures=tuple((name, typeset(value), typeset(remark)) for name, value, remark in figures(result)),
        sections=tuple(sections(result, folder)), warning=_synthetic(result),
    ))  # fmt: skip


def sections(result: Result, folder: Path | None) -> Iterator[Section]:
    """Energy, time, area, samples, comparisons, configuration, assumptions, provenance, identity."""
    yield Section("energy", "Where the energy goes", tuple(_energy(result)))
    yield Section("time", "Where the time goes", (*_time(result), *over_time(folder, result)))
    yield Section("area", "Where the area goes", (charts.by_area(result),))
    several = tables.samples(result)
    if several is not None:
        yield Section("per-sample", "Sample by sample", (several,))
    yield from comparisons(result)
    yield Section("configuration", "What was asked", configuration(result))
    yield Section("assumed", "What was assumed", (Prose(result.assumptions or ("Nothing was noted.",), listed=True),))
    yield Section("prices", "Where the prices come from", provenance(result))
    yield Section("identity", "What computed this", (identity(result),))


def _energy(result: Result) -> Iterator[Part]:
    yield charts.by_level(result)
    yield tables.levels(result)
    yield charts.by_component(result)
    yield tables.components(result)
    yield from _with_numbers(*charts.by_layer(result))
    yield tables.layers(result)
    yield from _with_numbers(*charts.by_timestep(result))
    yield Folded("Every action of every component", (tables.actions(result),))


def _with_numbers(chart: Chart, numbers: Table) -> Iterator[Part]:
    yield chart
    yield Folded(f"{chart.title}: the numbers", (numbers,))


def _time(result: Result) -> Iterator[Part]:
    yield charts.time_by_layer(result)
    spans = charts.over_time(result)
    if spans is not None:
        yield spans
    path = tables.critical_path(result)
    yield Prose((NO_PATH,)) if path is None else path
    yield charts.by_unit(result)
    yield tables.units(result)


def _facts(result: Result) -> tuple[str, ...]:
    steps = f"{whole(result.timesteps)} timestep" + ("" if result.timesteps == 1 else "s")
    engine = f"engine {result.engine} ({whole(result.tasks)} tasks)"
    return samples(result), steps, f"{result.clock_mhz:g} MHz", f"{result.node_nm:g} nm", engine


def _synthetic(result: Result) -> str:
    """What a reader must know first: that no recorded spikes were executed; empty if they were."""
    if not result.synthetic:
        return ""
    described = next((note for note in result.assumptions if note.startswith("activity: ")), "")
    text = described.removeprefix("activity: ").removeprefix("synthetic: ")
    return f"Synthetic activity, not recorded spikes{f': {text}' if text else '.'}"

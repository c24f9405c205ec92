"""A comparison as tables for people: the sides, their figures beside each other, and what is not like for like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from archsim.comparison.sides import alike, by_value, listed, said_samples
from archsim.report.compare_changes import change_parts, said, settings_part
from archsim.report.compare_figure import short_labels
from archsim.report.look import HEADING, WARNING, console_for_people, grid_table, titled
from archsim.report.units import (
    AREA,
    EDP,
    ENERGY,
    POWER,
    TIME,
    Ladder,
    percent,
    readable,
    scale_for,
    significant,
    whole,
)

if TYPE_CHECKING:
    from archsim.comparison import Comparison, Difference, Side

RATE: Ladder = ((1.0, "/s", 0.0),)
SHOWN: dict[str, tuple[str, Ladder]] = {
    "energy_pj": ("energy", ENERGY),
    "dynamic_pj": ("  dynamic", ENERGY),
    "static_pj": ("  static", ENERGY),
    "on_chip_pj": ("  on chip", ENERGY),
    "steady_energy_pj": ("energy, back to back", ENERGY),
    "latency_ns": ("latency", TIME),
    "throughput_per_s": ("throughput", RATE),
    "edp_pj_ns": ("energy x delay", EDP),
    "area_um2": ("area", AREA),
    "power_mw": ("mean power", POWER),
    "peak_power_mw": ("peak power", POWER),
    "pj_per_synaptic_operation": ("per synaptic operation", ENERGY),
}
FIRST_COLUMN, BESIDE, FEWEST_LETTERS = 24, 12, 9
NONE = "-"
ASSUMPTIONS = "assumptions"
ALIKE = (
    "Like for like: the same network, spikes and inputs, one technology node and clock, one cost table and version,"
    " weights in the same place, the same memories, chips of one size, and the same assumptions."
)


def print_comparison(comparison: Comparison, console: Console | None = None) -> None:
    """Everything that a comparison says, on stdout or on the given console."""
    console = console or console_for_people()
    for part in _parts(comparison, console.width):
        console.print(part)
        console.print()
    console.print(_fairness(comparison))


def _parts(comparison: Comparison, width: int) -> Iterator[RenderableType]:
    yield _title(comparison)
    yield Group(Text("What differs", style=HEADING), Padding(said(comparison), (0, 0, 0, 2), expand=False))
    for columns in _blocks(comparison, width):
        yield titled("Side by side (ratios to the first)", _metrics(comparison, columns), *_notes(comparison, columns))
    yield from change_parts(comparison, width)
    for columns in _blocks(comparison, width):
        yield titled("Energy by level", _levels(comparison, columns), *_level_notes(comparison))
    for columns in _blocks(comparison, width):
        yield titled("Area by level", _areas(comparison, columns), *_level_notes(comparison))
    if comparison.layers:
        for columns in _blocks(comparison, width):
            yield titled("Layers", _layers(comparison, columns), *_layer_notes(comparison))
    settings = settings_part(comparison)
    if settings is not None:
        yield settings


class _Columns:
    """The sides that one table has room for, the first among them, and their headings."""

    def __init__(self, comparison: Comparison, places: Sequence[int], letters: int) -> None:
        self.places = tuple(places)
        self.sides = [comparison.sides[at] for at in places]
        labels = short_labels(comparison, letters)
        self.headings = [labels[at] for at in places]

    def of(self, values: Sequence[float | None]) -> list[float | None]:
        """The values of these sides."""
        return [values[at] for at in self.places]

    def table(self, first: str, *beside: str) -> Table:
        """A table with a column of names, and for each side its figure and those beside it."""
        return grid_table(first, *(head for heading in self.headings for head in (heading, *beside)))


def _blocks(comparison: Comparison, width: int) -> Iterator[_Columns]:
    """As many sides beside each other as the width has room for; the first stands in every block."""
    count, room = len(comparison.sides), width - FIRST_COLUMN
    most = max(2, min(count, room // (FEWEST_LETTERS + BESIDE)))
    letters = max(FEWEST_LETTERS, room // most - BESIDE)
    for start in range(1, count, most - 1):
        yield _Columns(comparison, (0, *range(start, min(start + most - 1, count))), letters)


def _title(comparison: Comparison) -> RenderableType:
    """A line per side, and that the activity is synthetic where it is on all sides."""
    results = [side.result for side in comparison.sides]
    lines = [Text.assemble((side.label, HEADING), f": {_origin(side)}") for side in comparison.sides]
    if all(result.synthetic for result in results):
        lines.append(Text("synthetic activity, not recorded spikes", style=WARNING))
    return Group(*lines)


def _origin(side: Side) -> str:
    result = side.result
    how = f"engine {result.engine}, {whole(result.tasks)} tasks"
    origin = f"executed ({how})" if side.origin == "executed" else f"the run {side.given} ({how})"
    steps = f"{result.timesteps} timestep" + "s" * (result.timesteps != 1)
    return (
        f"{result.workload}, {said_samples(result.samples)}, {steps}, {result.node_nm:g} nm, {result.clock_mhz:g} MHz,"
        f" {origin}"
    )


def _metrics(comparison: Comparison, columns: _Columns) -> Table:
    table = columns.table("", "ratio")
    for metric in comparison.metrics:
        title, ladder = SHOWN[metric.name]
        pairs = zip(columns.of(metric.values), columns.of(metric.ratios), strict=True)
        cells = [text for value, ratio in pairs for text in (_readable(value, ladder), _ratio(ratio))]
        table.add_row(title, *cells)
    return table


def _readable(value: float | None, ladder: Ladder) -> str:
    return NONE if value is None else readable(value, ladder)


def _ratio(value: float | None) -> str:
    return NONE if value is None else f"{significant(value)}x"


def _notes(comparison: Comparison, columns: _Columns) -> Iterator[Text]:
    """Why a side has no throughput, or what must be said of it."""
    for side in columns.sides:
        if side.result.throughput_note:
            yield Text(f"throughput of {side.label}: {side.result.throughput_note}", style="dim")


def _levels(comparison: Comparison, columns: _Columns) -> Table:
    """Energy of each level and how much of it is static."""
    scale = scale_for([side.result.energy_pj for side in comparison.sides], ENERGY)
    table = columns.table(f"level, energy in {scale.unit}", "static")
    for pair in comparison.levels:
        cells: list[str] = []
        for dynamic, static in zip(columns.of(pair.dynamic_pj), columns.of(pair.static_pj), strict=True):
            there = dynamic is not None and static is not None
            total = (dynamic or 0.0) + (static or 0.0)
            cells += [significant(scale(total)), percent(static or 0.0, total)] if there else [NONE, NONE]
        table.add_row(pair.level, *cells)
    table.add_section()
    results = [side.result for side in columns.sides]
    sums = ((significant(scale(one.energy_pj)), percent(one.static_pj, one.energy_pj)) for one in results)
    table.add_row("all", *(text for pair_ in sums for text in pair_))
    return table


def _level_notes(comparison: Comparison) -> Iterator[Text]:
    """Components that sides count to different levels, so that the levels do not hold the same things."""
    for part in comparison.moved:
        pairs = [(side, level) for side, level in zip(comparison.sides, part.levels, strict=True) if level is not None]
        where = by_value([side for side, _ in pairs], (level for _, level in pairs))
        yield Text(f"not like for like: {part.component} counts as {where}", style=WARNING)


def _areas(comparison: Comparison, columns: _Columns) -> Table:
    """Area of each level and its share of the chip."""
    totals = [side.result.area_um2 for side in columns.sides]
    scale = scale_for([side.result.area_um2 for side in comparison.sides], AREA)
    table = columns.table(f"level, area in {scale.unit}", "share")
    for pair in comparison.levels:
        cells: list[str] = []
        for value, total in zip(columns.of(pair.area_um2), totals, strict=True):
            cells += [significant(scale(value)), percent(value, total)] if value else [NONE, NONE]
        table.add_row(pair.level, *cells)
    table.add_section()
    table.add_row("all", *(text for total in totals for text in (significant(scale(total)), percent(total, total))))
    return table


def _layers(comparison: Comparison, columns: _Columns) -> Table:
    """Layers that all sides have; below them what is left, so that columns add up."""
    scale = scale_for([side.result.energy_pj for side in comparison.sides], ENERGY)
    table = columns.table(f"layer, energy in {scale.unit}", "cycles")
    for pair in comparison.layers:
        cells = [(pair.energy_pj[at], pair.cycles[at]) for at in columns.places]
        table.add_row(pair.name, *(text for energy, cycles in cells for text in _cells(scale(energy), cycles)))
    if any(comparison.other_layers):
        own: list[str] = []
        for at, side in zip(columns.places, columns.sides, strict=True):
            rows = [row for row in side.result.layers if row.name in comparison.other_layers[at]]
            own += _cells(scale(sum(row.energy_pj for row in rows)), sum(row.cycles for row in rows))
        table.add_row("layers of its own", *own)
    idle = [side.result.energy_pj - sum(row.energy_pj for row in side.result.layers) for side in columns.sides]
    table.add_row("idle", *(text for energy in idle for text in (significant(scale(energy)), "")), style="dim")
    return table


def _cells(energy: float, cycles: float) -> tuple[str, str]:
    return significant(energy), whole(cycles)


def _layer_notes(comparison: Comparison) -> Iterator[Text]:
    """What cycles are; layers that only some sides have; layers that stand for more on one side than on another."""
    yield Text("cycles: the layer's share of the critical path; a layer that others hide has few", style="dim")
    for side, names in zip(comparison.sides, comparison.other_layers, strict=True):
        if names:
            yield Text(f"layers of {side.label} only: {', '.join(names)}", style="dim")
    for pair in comparison.layers:
        if not alike([set(members) for members in pair.members]):
            sides = zip(comparison.sides, pair.members, strict=True)
            said = "; ".join(f"{listed(members)} on {side.label}" for side, members in sides)
            yield Text(f"{pair.name} is {said}", style="dim")


def _fairness(comparison: Comparison) -> RenderableType:
    """What is not like for like, a sentence each; or that all is."""
    differences: Sequence[Difference] = comparison.differences
    if not differences:
        return Text(f"{ALIKE} The settings above differ." if comparison.settings else ALIKE, style="bold")
    texts = [difference.text for difference in differences if difference.topic != ASSUMPTIONS]
    assumed = [difference.text for difference in differences if difference.topic == ASSUMPTIONS]
    bodies: list[RenderableType] = [_bullets(texts)] if texts else []
    if assumed:
        bodies += [Text("assumed of some and not of others:"), _bullets(assumed)]
    return Group(
        Text("Not like for like", style=WARNING), *(Padding(body, (0, 0, 0, 2), expand=False) for body in bodies)
    )


def _bullets(texts: Sequence[str]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0))
    for text in texts:
        table.add_row("-", text)
    return table

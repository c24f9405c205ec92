"""Where energy, time and area go, as lying bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from archsim.report.html.parts import MOST_ROWS, Bar, Chart, Segment, Table, number, stacked
from archsim.report.html.parts import name as named
from archsim.report.style import GREY, LEVEL_COLOURS, TIME_COLOURS, TOTAL
from archsim.report.units import AREA, CYCLES, ENERGY, TIME, percent, printed, scale_for

if TYPE_CHECKING:
    from archsim.result import ComponentRow, Result

MOST_BARS = 40
LEAST_WIDTH = 0.2  # per cent, so that a short layer is seen
SHARED = "shared by several"
Piece = tuple[float, str, bool]


def by_level(result: Result) -> Chart:
    """Energy of each level, dynamic and leakage."""
    rows = [
        (level, [(dynamic, _colour(level), False), (static, _colour(level), True)])
        for level, (dynamic, static) in result.levels().items()
    ]
    return Chart("chart-levels", "Energy by level", _energy_bars(rows, result.energy_pj), _KINDS)


def by_component(result: Result) -> Chart:
    """Energy of each component, the largest first; the smallest together."""
    ranked = sorted(result.components, key=lambda part: -part.energy_pj)
    rows = [(part.name, [(part.dynamic_pj, _colour(part.level), False), (part.static_pj, _colour(part.level), True)])
            for part in ranked[:MOST_BARS]]  # fmt: skip
    rest = ranked[MOST_BARS:]
    if rest:
        sums = sum(part.dynamic_pj for part in rest), sum(part.static_pj for part in rest)
        rows.append((f"{len(rest)} smaller ones", [(sums[0], GREY, False), (sums[1], GREY, True)]))
    bars = _energy_bars(rows, result.energy_pj)
    return Chart("chart-components", "Energy by component", bars, _levels_legend(result))


def by_layer(result: Result) -> tuple[Chart, Table]:
    """Energy of each layer over the levels, dynamic and leakage; and the same as a table."""
    levels = tuple(result.levels())
    owner = {member: row.name for row in result.layers for member in (row.members or (row.name,))}
    dynamic: dict[tuple[str, str], float] = {}
    for (layer, level), energy in result.energy_by("layer", "level").items():
        if layer in owner:
            dynamic[owner[layer], level] = dynamic.get((owner[layer], level), 0.0) + energy
    rows: list[tuple[str, list[Piece]]] = []
    for row in result.layers:
        pieces: list[Piece] = []
        for level in levels:
            pieces.append((dynamic.get((row.name, level), 0.0), _colour(level), False))
            pieces.append((row.static_by_level.get(level, 0.0), _colour(level), True))
        rows.append((row.name, pieces))
    idle = result.energy_pj - sum(row.energy_pj for row in result.layers)
    note = f"without {printed(max(idle, 0.0), ENERGY)} of leakage while units idle"
    bars = _energy_bars(rows[:MOST_BARS], result.energy_pj)
    chart = Chart("chart-layers", "Energy by layer", bars, _levels_legend(result), _cut(note, len(rows)))
    return chart, _numbers("layers-by-level", "Energy of each layer at each level", "layer", levels, rows)


def by_timestep(result: Result) -> tuple[Chart, Table]:
    """Dynamic energy of each timestep over the levels; and the same as a table."""
    levels = tuple(result.levels())
    sums = result.energy_by("timestep", "level")
    steps = sorted({step for step, _ in sums}, key=lambda step: (step < 0, step))
    rows = [
        (
            SHARED if step < 0 else f"timestep {step}",
            [(sums.get((step, level), 0.0), _colour(level), False) for level in levels],
        )
        for step in steps
    ]
    bars = _energy_bars(rows[:MOST_BARS], result.dynamic_pj)
    legend = tuple((level, Segment(0, 100, _colour(level))) for level in levels)
    chart = Chart("chart-timesteps", "Dynamic energy over the timesteps", bars, legend, _cut("", len(rows)))
    return chart, _numbers("timesteps-by-level", "Dynamic energy of each timestep", "timestep", levels, rows)


def time_by_layer(result: Result) -> Chart:
    """Share of the critical path of each layer."""
    longest = max((row.cycles for row in result.layers), default=0.0)
    bars = tuple(
        Bar(named(row.name).text, stacked([(row.cycles, TOTAL, False)], longest),
            f"{printed(row.cycles, CYCLES)}, {percent(row.cycles, result.cycles)}")
        for row in result.layers[:MOST_BARS]
    )  # fmt: skip
    note = "cycles of the critical path that the layer makes up"
    return Chart("chart-time", "Time by layer", bars, note=_cut(note, len(result.layers)))


def over_time(result: Result) -> Chart | None:
    """When each layer runs, from its first start to its last finish. None: the result does not know."""
    bars = []
    for row in result.layers[:MOST_BARS]:
        if row.first_cycle is None or not result.cycles:
            return None
        start, width = (100 * cycles / result.cycles for cycles in (row.first_cycle, row.span_cycles))
        ns = result.latency_ns / result.cycles
        first, last = (printed(cycles * ns, TIME) for cycles in (row.first_cycle, row.first_cycle + row.span_cycles))
        said = (Segment(round(start, 2), max(round(width, 2), LEAST_WIDTH), TOTAL),)
        bars.append(Bar(named(row.name).text, said, f"{first} to {last}"))
    run = printed(result.latency_ns, TIME)
    note = f"over the {run} of the run, from a layer's first task, which may be a load ahead, to its last"
    return Chart("chart-spans", "When each layer runs", tuple(bars), note=_cut(note, len(result.layers)))


def by_unit(result: Result) -> Chart:
    """Each unit's time: busy, starved, blocked, queueing, idle. The busiest units."""
    ranked = sorted((row for row in result.units if row.unit != "sync"), key=lambda row: -row.busy)
    bars = []
    for row in ranked[:MOST_BARS]:
        waits = {"starved": row.starved, "blocked": row.blocked, "arbitration": row.arbitration}
        pieces = {"busy": row.busy, **{what: sum(cause.values()) for what, cause in waits.items()}, "idle": row.idle}
        run = sum(pieces.values())
        segments = stacked([(cycles, TIME_COLOURS[what], False) for what, cycles in pieces.items()], run)
        bars.append(Bar(named(row.unit).text, segments, f"busy {percent(row.busy, run)}"))
    legend = tuple((what, Segment(0, 100, colour)) for what, colour in TIME_COLOURS.items())
    return Chart("chart-units", "What the units do", tuple(bars), legend, _cut("per cent of the run", len(ranked)))


def by_area(result: Result) -> Chart:
    """Area of each component on the chip, the largest first."""
    parts: Sequence[ComponentRow] = sorted(
        (part for part in result.components if part.area_um2), key=lambda part: -part.area_um2
    )
    largest = max((part.area_um2 for part in parts), default=0.0)
    bars = tuple(
        Bar(_times(part), stacked([(part.area_um2, _colour(part.level), False)], largest),
            f"{printed(part.area_um2, AREA)}, {percent(part.area_um2, result.area_um2)}")
        for part in parts[:MOST_BARS]
    )  # fmt: skip
    note = f"{printed(result.area_um2, AREA)} in all, DRAM apart"
    levels = dict.fromkeys(part.level for part in parts)
    legend = tuple((level, Segment(0, 100, _colour(level))) for level in levels)
    return Chart("chart-area", "Area by component", bars, legend, _cut(note, len(parts)))


def _times(part: ComponentRow) -> str:
    return named(part.name).text + (f" (×{part.instances:,})" if part.instances > 1 else "")


def _colour(level: str) -> str:
    return LEVEL_COLOURS.get(level, GREY)


_KINDS = (("dynamic", Segment(0, 100, GREY)), ("leakage", Segment(0, 100, GREY, hatched=True)))


def _levels_legend(result: Result) -> tuple[tuple[str, Segment], ...]:
    return (*((level, Segment(0, 100, _colour(level))) for level in result.levels()), *_KINDS)


def _energy_bars(rows: Sequence[tuple[str, Sequence[Piece]]], all_pj: float) -> tuple[Bar, ...]:
    """Bars of energies, the longest as wide as the chart."""
    sums = [sum(value for value, *_ in pieces) for _, pieces in rows]
    longest = max(sums, default=0.0)
    return tuple(
        Bar(named(label).text, stacked(pieces, longest), f"{printed(total, ENERGY)}, {percent(total, all_pj)}")
        for (label, pieces), total in zip(rows, sums, strict=True)
    )


def _cut(note: str, there: int) -> str:
    left = there - MOST_BARS
    return "; ".join(filter(None, [note, f"{left:,} more are not drawn, see the table" if left > 0 else ""]))


def _numbers(
    key: str, caption: str, what: str, levels: Sequence[str], rows: Sequence[tuple[str, Sequence[Piece]]]
) -> Table:
    """The numbers behind stacked bars: one column per level (dynamic and leakage together)."""
    sums: list[Mapping[str, float]] = []
    for _, pieces in rows:
        each = len(pieces) // len(levels) if levels else 1
        values = [value for value, *_ in pieces]
        sums.append({level: sum(values[at * each : (at + 1) * each]) for at, level in enumerate(levels)})
    scale = scale_for([sum(found.values()) for found in sums], ENERGY)
    cells = tuple(
        (named(label), *(number(scale(found[level])) for level in levels), number(scale(sum(found.values()))))
        for (label, _), found in zip(rows[:MOST_ROWS], sums, strict=False)
    )
    unit = scale.printed_unit
    columns: tuple[str, ...] = (what, *(f"{level} {unit}" for level in levels), f"all {unit}")
    return Table(key, caption, columns, cells)

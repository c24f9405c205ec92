"""Which key moves which number, as bars and tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from archsim.report.html.parts import Bar, Cell, Chart, Folded, Part, Prose, Table, count, name, number, stacked
from archsim.report.html.sweep.effects import CHIP, Grouping, Influence
from archsim.report.html.sweep.study import Group, Study
from archsim.report.style import TOTAL
from archsim.report.sweep_units import ladder_of, named
from archsim.report.units import percent, scale_for
from archsim.sweeps.table import FAILED, OK, Row

MOST_BARS = 20
STRONG = 0.1  # a rank correlation below this is no trend worth a word
NONE = Cell("-")
UNCLEAR = "no clear effect"
ABOUT = (
    "Share: how much of the number's spread over the executed points the key explains alone (correlation ratio η²; the"
    " first-order sensitivity index on a full grid). ρ: rank correlation (Spearman), +1 if the number always rises with"
    " the key, −1 if it always falls."
)
SEARCHED = "A search tries designs like the good ones more often: shares and correlations are those of what it tried."
NOTHING = "No key has two values with executed points."


def influence_parts(study: Study, group: Group, key: str, most_cells: int) -> Iterator[Part]:
    """A chart per objective, the same as a table, and the means behind it."""
    found, grouped = group.influences, group.groupings
    if not found or len(group.executed) < 2:
        yield Prose((NOTHING,))
        return
    yield Prose((ABOUT, SEARCHED) if study.sought else (ABOUT,))
    for at, metric in enumerate(study.objectives, start=1):
        yield _chart(f"{key}-chart-{at}", metric, [each[metric] for each in found.values()])
    numbers = _table(f"{key}-shares", study, group, found, grouped)
    means = _means(f"{key}-means", study, group, [grouped[name] for name in found], most_cells)
    yield Folded("Shares and rank correlations as a table", (numbers,))
    yield Folded("The mean of every number for every value of every key", (means,))


def _chart(key: str, metric: str, found: Sequence[Influence]) -> Chart:
    ranked = sorted(found, key=lambda one: -(one.share or 0.0))
    bars = tuple(
        Bar(titled(one.key).text, stacked([(one.share or 0.0, TOTAL, False)], 1.0), _said(one))
        for one in ranked[:MOST_BARS]
    )
    left = len(ranked) - MOST_BARS
    note = "share of its spread that each key explains alone" + (f"; {left} keys are not drawn" if left > 0 else "")
    if any(one.share is not None and not one.is_clear for one in found):
        note += f"; {UNCLEAR}: a key that does nothing may get as much by chance, with so many values and points"
    return Chart(key, f"What moves {named(metric)}", bars, note=note)


def titled(key: str) -> Cell:
    """What a column is called."""
    return name("chip" if key == CHIP else key)


def _said(one: Influence) -> str:
    share = "not defined" if one.share is None else percent(one.share, 1.0)
    if one.rank is None:
        return share if one.share is None or one.is_clear else f"{share}, {UNCLEAR}"
    if one.share is not None and not one.is_clear:
        return f"{share}, {UNCLEAR} (ρ\u00a0{_signed(one.rank)})"
    way = "no trend" if abs(one.rank) < STRONG else "rises" if one.rank > 0 else "falls"
    return f"{share}, {way} (ρ\u00a0{_signed(one.rank)})"


def _signed(rank: float) -> str:
    return f"{rank:+.2f}".replace("-", "−")


def _table(
    key: str, study: Study, group: Group, found: Mapping[str, Mapping[str, Influence]], grouped: Mapping[str, Grouping]
) -> Table:
    rows = []
    for name_of, each in found.items():
        cells = [titled(name_of), count(len(grouped[name_of].labels))]
        for metric in study.objectives:
            one = each[metric]
            cells.append(NONE if one.share is None else Cell(percent(one.share, 1.0), one.share))
            cells.append(NONE if one.rank is None else Cell(_signed(one.rank), one.rank))
        rows.append(tuple(cells))
    columns = ["key", "groups"]
    for metric in study.objectives:
        columns += [f"share of {named(metric)}", f"ρ with {named(metric)}"]
    points = len(group.executed)
    note = f"of {points:,} executed points; a key of g groups that does nothing has (g − 1) / {points - 1:,} by chance"
    return Table(key, f"Which key moves which number{study.suffix(group)}", tuple(columns), tuple(rows), note=note)


def _means(key: str, study: Study, group: Group, grouped: Sequence[Grouping], most_cells: int) -> Table:
    """Mean of each objective per group, and its difference to the mean of all (the main effect)."""
    scales = {metric: scale_for(_values(group.executed, metric), ladder_of(metric)) for metric in study.objectives}
    columns = ["key", "value", "points", "met", "failed", "on the front"]
    for metric in study.objectives:
        columns += [f"mean {named(metric)} {scales[metric].printed_unit}".strip(), "against all"]
    on_front = {id(row) for row in group.front.rows} if group.front else set()
    every = []
    for grouping in grouped:
        members = grouping.groups(group.rows)
        for at, label in enumerate(grouping.labels):
            rows = [row for row, one in zip(group.rows, members.tolist(), strict=True) if one == at]
            cells = [titled(grouping.key), name(label), count(len(rows)), count(_many(rows, OK)),
                     count(_many(rows, FAILED)), count(sum(id(row) in on_front for row in rows))]  # fmt: skip
            for metric, scale in scales.items():
                here, everywhere = (_mean(part, metric) for part in (rows, group.executed))
                if here is None or everywhere is None:
                    cells += [NONE, NONE]
                    continue
                cells.append(number(scale(here)))
                effect = (here - everywhere) / everywhere if everywhere else 0.0
                cells.append(Cell(f"{100 * effect:+.1f} %".replace("-", "−"), effect))
            every.append(tuple(cells))
    most = max(most_cells // len(columns), 10)
    left = len(every) - most
    note = "met: executed and within the constraints; means are of executed points; against all: the main effect"
    note += f"; {left:,} more rows are left out" if left > 0 else ""
    caption = f"Means for every value of every key{study.suffix(group)}"
    return Table(key, caption, tuple(columns), tuple(every[:most]), texts=2, note=note)


def _values(rows: Sequence[Row], metric: str) -> list[float]:
    return [float(row[metric]) for row in rows if row[metric] is not None]


def _mean(rows: Sequence[Row], metric: str) -> float | None:
    values = _values(rows, metric)
    return float(np.mean(values)) if values else None


def _many(rows: Sequence[Row], status: str) -> int:
    return sum(row["status"] == status for row in rows)


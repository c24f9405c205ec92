"""Where sides differ, as tables for people: the largest differences by component, action and layer, and settings."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from archsim.comparison import sentences
from archsim.comparison.sentences import factor
from archsim.report.compare_figure import short_labels
from archsim.report.look import grid_table, titled
from archsim.report.units import AREA, ENERGY, TIME, Ladder, scale_for, signed, significant

if TYPE_CHECKING:
    from archsim.comparison import Change, Comparison, PartTable, Product, Setting
    from archsim.comparison.parts import Quantity

LADDERS: dict[Quantity, Ladder] = {"energy": ENERGY, "latency": TIME, "area": AREA}
TOP, TOP_OF_MANY, MOST_SETTINGS = 8, 4, 14
LABEL_LETTERS, FEW_LETTERS, NARROW = 16, 11, 100
NONE, OF_FIRST = "-", "of first"
SPLIT = (
    "counted, each: how often and at which price, as multiples of the first's (new: it has none; gone: only it has it);"
    " of leakage: run time and power; by count + by price = difference"
)


def said(comparison: Comparison) -> RenderableType:
    """For each further run, in sentences: how much more or less it needs, and what makes most of the difference."""
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0))
    for change in comparison.changes:
        for sentence in sentences(change):
            table.add_row("-", sentence)
    return table


def change_parts(comparison: Comparison, width: int) -> Iterator[RenderableType]:
    """For each further run, tables of the largest differences from the first; nothing of what is equal."""
    labels = short_labels(comparison, LABEL_LETTERS if width >= NARROW else FEW_LETTERS)
    most = TOP if len(comparison.changes) == 1 else TOP_OF_MANY
    for change, label in zip(comparison.changes, labels[1:], strict=True):
        names = (labels[0], label)
        way = f"from {change.first.label} to {change.other.label}"
        if change.energy_by_component.differing:
            yield titled(f"Energy by component, {way}", _table(change.energy_by_component, "component", names, most))
            yield titled(f"Energy by action, {way}", _actions(change, most), Text(SPLIT, style="dim"))
        if change.energy_by_layer.differing:
            yield titled(f"Energy by layer, {way}", _table(change.energy_by_layer, "layer", names, most))
        if change.latency_by_layer.differing:
            yield titled(f"Latency by layer, {way}", _table(change.latency_by_layer, "layer", names, most))
        if change.area_by_component.differing:
            yield titled(f"Area by component, {way}", _table(change.area_by_component, "component", names, most))


def settings_part(comparison: Comparison) -> RenderableType | None:
    """Settings that differ between chips of one family; None where there are none."""
    found: Sequence[Setting] = comparison.settings
    if not found:
        return None
    table = grid_table("key", *short_labels(comparison, LABEL_LETTERS))
    for setting in found[:MOST_SETTINGS]:
        table.add_row(setting.key, *setting.values)
    more = len(found) - MOST_SETTINGS
    notes = [Text(f"and {more} more, which --json and -o have", style="dim")] if more > 0 else []
    return titled("Settings that differ", table, *notes)


def _table(found: PartTable[Any], noun: str, names: tuple[str, str], most: int) -> Table:
    """Both sides, the difference, and its share of the first side's total."""
    scale = scale_for(found.totals, LADDERS[found.quantity])
    table = grid_table(f"{noun}, {found.quantity} in {scale.unit}", *names, "difference", OF_FIRST)
    shown, rest = _ranked(found, most)
    whole = found.totals[0]
    for part in shown:
        one, two = (significant(scale(value)) for value in part.values)
        table.add_row(part.names[0], one, two, signed(scale(part.difference)), _share(part.difference, whole))
    if rest:
        one, two = (significant(scale(math.fsum(part.values[side] for part in rest))) for side in (0, 1))
        difference = math.fsum(part.difference for part in rest)
        table.add_row(_smaller(rest), one, two, signed(scale(difference)), _share(difference, whole))
    table.add_section()
    one, two = (significant(scale(value)) for value in found.totals)
    table.add_row("all", one, two, signed(scale(found.difference)), _share(found.difference, whole))
    return table


def _actions(change: Change, most: int) -> Table:
    """Differences with what count and price did to them."""
    found = change.energy_by_action
    scale = scale_for(found.totals, ENERGY)
    table = grid_table(
        f"action, energy in {scale.unit}", "difference", OF_FIRST, "counted", "each", "by count", "by price"
    )
    shown, rest = _ranked(found, most)
    whole = found.totals[0]
    for part in shown:
        effects = (signed(scale(value)) for value in (part.count_effect, part.price_effect))
        table.add_row(
            ".".join(part.names), signed(scale(part.difference)), _share(part.difference, whole),
            *_ratios(part), *effects,
        )  # fmt: skip
    for name, parts in ((_smaller(rest), rest), ("all", found.parts)):
        if not parts:
            continue
        if name == "all":
            table.add_section()
        sums = [math.fsum(part.difference for part in parts), math.fsum(part.count_effect for part in parts),
                math.fsum(part.price_effect for part in parts)]  # fmt: skip
        difference, by_count, by_price = (signed(scale(value)) for value in sums)
        table.add_row(name, difference, _share(sums[0], whole), "", "", by_count, by_price)
    return table


def _ranked(found: PartTable[Any], most: int) -> tuple[list[Any], list[Any]]:
    """The parts that differ, the largest first, and those that are left."""
    differing = list(found.differing)
    return (differing, []) if len(differing) <= most + 1 else (differing[:most], differing[most:])


def _smaller(rest: Sequence[Any]) -> str:
    return f"{len(rest)} smaller ones"


def _ratios(part: Product) -> tuple[str, str]:
    """How count and price changed, as factors; ``new`` and ``gone`` where only one side has any."""
    for amount, word in ((part.first, "new"), (part.other, "gone")):
        if not amount.count:
            return word, NONE
    one, two = part.first.price, part.other.price
    return factor(part.other.count / part.first.count), factor(two / one) if one and two is not None else NONE


def _share(part: float, whole: float) -> str:
    return f"{signed(100 * part / whole)} %" if whole else NONE

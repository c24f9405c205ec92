"""What stands beside archsim's own answer: peers' answers with their waterfalls, and the constants' swings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from archsim.report.look import HEADING, WARNING, grid_table
from archsim.report.units import AREA, ENERGY, TIME, percent, quantity, readable, scale_for, signed, significant, whole
from archsim.report.waterfalls import PeerWaterfall, waterfalls_of

if TYPE_CHECKING:
    from archsim.result import Result

PJ_PER_NJ = 1000.0


def comparison_parts(result: Result) -> Iterator[RenderableType]:
    """Tables for ``--against`` and ``--vary-costs``, if they were asked for."""
    for key, answer in result.against.items():
        parts = (Padding(part, (0, 0, 0, 2), expand=False) for part in _peer(answer, result))
        yield Group(Text(f"Against {key}", style=HEADING), *parts)
    if result.vary_costs:
        yield Group(
            Text("Which constant the energy hangs on (one at a time, the others nominal)", style=HEADING),
            Padding(_swings(result.vary_costs), (0, 0, 0, 2), expand=False),
        )


def _peer(answer: Mapping[str, Any], result: Result) -> Iterator[RenderableType]:
    if "unsupported" in answer:
        yield Text("it cannot answer:", style=WARNING)
        yield Text("\n".join(f"- {reason}" for reason in answer["unsupported"]))
        return
    yield from _figures(answer, result)
    for number, way in enumerate(waterfalls_of(answer)):
        yield Padding(_waterfall(way), (1 if number else 0, 0, 0, 0), expand=False)
    yield _note("what its description leaves out: " + "; ".join(answer["limits"]))


def _figures(answer: Mapping[str, Any], result: Result) -> Iterator[RenderableType]:
    """The peer's totals beside archsim's, or its layers beside archsim's if it has no energy."""
    if "total_nJ" in answer:
        yield _totals(answer, result)
    elif "energy_pj" in answer:
        yield _chip_totals(answer, result)
        refused = answer["refused"]
        if refused:
            reasons = dict.fromkeys(reason for several in refused.values() for reason in several)
            yield Text(
                f"it gives no {', '.join(refused)}; the ways start from its formulas all the same:", style=WARNING
            )
            yield Text("\n".join(f"- {reason}" for reason in reasons))
    else:
        yield _layers_beside(answer["layers"])
        yield _note("k: thousand elements; K: KiB of DRAM traffic (the peer's values have one byte)")


def _note(text: str) -> Text:
    return Text(text, style="dim")


def _chip_totals(answer: Mapping[str, Any], result: Result) -> Table:
    """Energy, area and latency; "-" for what the peer refuses."""
    table = grid_table("", "energy", "area", "latency", "PEs", "tiles")
    figures = (("energy_pj", ENERGY), ("area_um2", AREA), ("latency_ns", TIME))
    theirs = ("-" if answer[name] is None else readable(answer[name], ladder) for name, ladder in figures)
    mapped = ("-" if answer[name] is None else whole(answer[name]) for name in ("pes", "tiles"))
    table.add_row("peer", *theirs, *mapped)
    table.add_row("archsim", *(readable(getattr(result, name), ladder) for name, ladder in figures), "", "")
    return table


def _totals(answer: Mapping[str, Any], result: Result) -> Table:
    table = grid_table("", "energy", "cycles", "operations", "compute", "SRAM", "DRAM")
    parts = ("comp_total_nJ", "sram_total_nJ", "dram_total_nJ")
    table.add_row(
        "peer", readable(answer["total_nJ"] * PJ_PER_NJ, ENERGY),
        whole(answer["total_cycles"]), whole(answer["total_mac_ops"]),
        *(readable(answer[part] * PJ_PER_NJ, ENERGY) for part in parts),
    )  # fmt: skip
    levels = {level: dynamic + static for level, (dynamic, static) in result.levels().items()}
    dram, sram = levels.get("DRAM", 0.0), levels.get("global buffer", 0.0)
    table.add_row(
        "archsim", readable(result.energy_pj, ENERGY), whole(result.cycles), whole(result.synaptic_operations),
        *(readable(value, ENERGY) for value in (result.energy_pj - dram - sram, sram, dram)),
    )  # fmt: skip
    return table


def _waterfall(way: PeerWaterfall) -> Table:
    found, name = way.found, way.quantity
    rows: Sequence[Mapping[str, Any]] = found["rows"]
    scale = scale_for([found["start"], found["end"], *(row["after"] for row in rows)], way.ladder)
    table = grid_table(
        f"from the peer's {name} to archsim's", "why", f"change {scale.unit}", f"{name} {scale.unit}", texts=2
    )
    table.columns[0].ratio, table.columns[1].ratio = 5, 6
    table.add_row("the peer's answer", "", "", significant(scale(found["start"])), style="bold")
    for row in rows:
        change = signed(scale(row["difference"]))
        table.add_row(row["name"], row["explanation"], change, significant(scale(row["after"])))
    table.add_row("archsim's answer", "", "", significant(scale(found["end"])), style="bold")
    return table


def _layers_beside(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = grid_table(
        "layer",
        "cycles",
        "archsim",
        "ifmap k",
        "archsim",
        "filter k",
        "archsim",
        "ofmap k",
        "archsim",
        "DRAM K",
        "archsim",
    )
    for row in rows:
        ours = row["archsim"]
        theirs_kib = sum(row[f"dram_{name}"] for name in ("ifmap_reads", "filter_reads", "ofmap_writes")) / 1024
        cells = [row["name"], whole(row["cycles"]), whole(ours["cycles"]) if ours else "-"]
        for name in ("sram_ifmap_reads", "sram_filter_reads", "sram_ofmap_writes"):
            cells += [significant(row[name] / 1e3), significant(ours[name] / 1e3) if ours else "-"]
        kib = (ours["dram_read_bits"] + ours["dram_write_bits"]) / 8192 if ours else 0.0
        table.add_row(*cells, significant(theirs_kib), significant(kib) if ours else "-")
    return table


def _swings(rows: Sequence[Mapping[str, Any]]) -> Table:
    scale = scale_for([value for row in rows for value in (row["at_low_pj"], row["at_high_pj"])], ENERGY)
    table = grid_table(
        "constant",
        "value",
        "lowest",
        "highest",
        f"at low {scale.unit}",
        f"at high {scale.unit}",
        f"swing {scale.unit}",
        "of nominal",
    )
    table.columns[0].no_wrap = True
    for row in rows:
        ends = ("-" if row[name] is None else f"{row[name]:g}" for name in ("low", "high"))
        value = "-" if row["value"] is None else quantity(row["value"], row["unit"])
        energies = (significant(scale(row[name])) for name in ("at_low_pj", "at_high_pj", "swing_pj"))
        table.add_row(row["constant"], value, *ends, *energies, percent(row["swing_pj"], row["nominal_pj"]))
    return table

"""What stands at the lines of a crossbar: drivers of the word lines, multiplexers from bit lines to converters.

A word line of n columns that is driven costs base + n x cell, one that is selected and stays silent costs the base
(NeuroSim's row driver at 32, 64 and 128 columns lies on this line within 0.3 %, its area exactly); one instance is the
drivers of all ``rows`` lines. ``model: isaac`` is ISAAC's 1-bit converter instead, whatever the columns.
A multiplexer of n bit lines switches one of them to the converter (``select``); its area is n times that of one.
"""

from __future__ import annotations

from typing import Final

from archsim.cost.primitives.base import Need, Primitive, Request, at_node, nothing
from archsim.cost.records import ComponentCost, Priced
from archsim.cost.totals import total

MODELS: Final = ("neurosim", "isaac")


def _driver(request: Request) -> ComponentCost:
    model = request.text("model")
    if model not in MODELS:
        raise request.refuse("model", "no such driver", value=model, allowed=", ".join(MODELS))
    drive, silent, leakage, area = _neurosim(request) if model == "neurosim" else _isaac(request)
    rows = request.number("rows")
    lines = f"x {rows} word lines"
    return ComponentCost(
        {"drive": at_node(drive, "energy", request), "silent": at_node(silent, "energy", request)},
        at_node(leakage.times(float(rows), lines), "leakage", request),
        at_node(area.times(float(rows), lines), "area", request),
        request.node_nm,
    )


def _neurosim(request: Request) -> tuple[Priced, Priced, Priced, Priced]:
    cols, constant = request.number("cols"), request.table.constant
    silent = Priced.of(constant("wordline.base"), "one word line selected")

    def along(name: str, what: str) -> Priced:
        return Priced.of(constant(name), what).times(float(cols), f"x {cols} columns")

    return (
        total([("select", silent), ("columns", along("wordline.cell", "one column of a driven word line"))]),
        silent,
        Priced.of(constant("wordline.leakage"), "driver of one word line"),
        total([("base", Priced.of(constant("wordline.area_base"), "driver of one word line without columns")),
               ("columns", along("wordline.area_cell", "driver per column"))]),
    )  # fmt: skip


def _isaac(request: Request) -> tuple[Priced, Priced, Priced, Priced]:
    drive = request.table.constant("wordline.isaac.drive")
    stated = "its source states none apart from the energy of a driven line"
    return (
        Priced.of(drive, "one word line driven by a 1-bit converter"),
        nothing("pJ", stated, drive.source),
        nothing("mW", stated, drive.source),
        Priced.of(request.table.constant("wordline.isaac.area"), "one 1-bit converter"),
    )


def _mux(request: Request) -> ComponentCost:
    inputs = request.number("inputs")
    select, area = (request.table.constant(f"column_mux.{name}") for name in ("select", "area"))
    if inputs == 1:
        why = "a converter of its own for every bit line: nothing to select"
        free = [nothing(unit, why, "by construction") for unit in ("pJ", "mW", "um2")]
        return ComponentCost({"select": free[0]}, free[1], free[2], request.node_nm)
    return ComponentCost(
        {"select": at_node(Priced.of(select, "one bit line switched to the converter"), "energy", request)},
        nothing("mW", "its source states none", select.source),
        at_node(Priced.of(area, "one input").times(float(inputs), f"x {inputs} inputs"), "area", request),
        request.node_nm,
    )


PRIMITIVES: Final = (
    Primitive(
        "wordline_driver",
        ("drive", "silent"),
        {
            "rows": Need("word lines"),
            "cols": Need("bit lines"),
            "model": Need(", ".join(MODELS), MODELS[0], text=True),
        },
        _driver,
        "drivers of all word lines of a crossbar; actions drive (one active line), silent (one selected, not driven)",
    ),
    Primitive(
        "column_mux",
        ("select",),
        {"inputs": Need("bit lines of one converter", 8)},
        _mux,
        "bit lines of one converter; action select (one of them)",
    ),
)

"""SRAM of any size from a table of CACTI points, log-log in (bytes per bank, line bytes), never outside it.

A node between two of the table's is interpolated log-log, too (all of a cell type's points, energy, leakage and area
alike, so that nothing jumps from one node to the next); a node outside them is scaled from the nearest.
Energy is per access of one LINE in one bank; leakage and area are those of all banks. Routing between banks is not in
the table's points (it is in the range of the factors ``sram.read_factor``, ``write_factor``, ``leakage_factor``).
"""

from __future__ import annotations

import math
from typing import Final

from archsim.cost.grids import Grid
from archsim.cost.interpolate import describe, loglog, loglog2
from archsim.cost.primitives.base import Need, Primitive, Request, at_node, cited
from archsim.cost.records import ComponentCost, Constant, Priced

UNITS: Final = {"read_pj": "pJ", "write_pj": "pJ", "leakage_mw": "mW", "area_um2": "um2"}
DEFAULT_CELL: Final = "itrs-lop"
REGISTER_FILE_HINT: Final = "below that use a registerfile"


def _cost(request: Request) -> ComponentCost:
    nodes = _nodes(request)
    bank_bytes = _bank_bytes(request, nodes)
    banks = request.number("banks")

    def figure(quantity: str, factor: str) -> Priced:
        constant = request.table.constant(factor)
        return _figure(request, nodes, bank_bytes, quantity).times(constant.span, f"times {cited(factor, constant)}")

    used = request.table.divisor("sram.placement_utilisation")
    area = _figure(request, nodes, bank_bytes, "area_um2").times(
        used.span.inverse(), f"bank area / {cited('sram.placement_utilisation', used)}"
    )

    each = f"x {banks} banks"
    line = f"one line of {request.number('line_bytes')} bytes in one bank"
    return ComponentCost(
        {
            "line_read": at_node(figure("read_pj", "sram.read_factor").times(1.0, line), "energy", request),
            "line_write": at_node(figure("write_pj", "sram.write_factor").times(1.0, line), "energy", request),
        },
        at_node(figure("leakage_mw", "sram.leakage_factor").times(float(banks), each), "leakage", request),
        at_node(area.times(float(banks), each), "area", request),
        request.node_nm,
    )


def nodes_around(grid: Grid, cell: str, node_nm: float) -> tuple[float, ...]:
    """The nodes whose points give the price at ``node_nm``: itself, the two around it, or the nearest."""
    nodes = sorted(node for node, its in grid.sram if its == cell)
    below, above = [node for node in nodes if node <= node_nm], [node for node in nodes if node >= node_nm]
    return tuple(sorted({*below[-1:], *above[:1]}))


def _nodes(request: Request) -> tuple[float, ...]:
    cell = request.text("cell")
    nodes = nodes_around(request.table.sram, cell, request.node_nm)
    if not nodes:
        raise request.refuse("cell", "no such cell type in the SRAM table", value=cell,
                             allowed=", ".join(sorted({its for _, its in request.table.sram.sram})))  # fmt: skip
    return nodes


def _bank_bytes(request: Request, nodes: tuple[float, ...]) -> float:
    tables = [request.table.sram.sram[node, request.text("cell")]["read_pj"] for node in nodes]
    rows = set.intersection(*(set(table) for table in tables))
    size, banks, line = (request.number(name) for name in ("bytes", "banks", "line_bytes"))
    low, high = min(key[0] for key in rows), max(key[0] for key in rows)
    bounds = f"{low:g} to {high:g} bytes per bank at {' and '.join(f'{node:g}' for node in nodes)} nm"
    per_bank = size / banks
    if per_bank > high:
        raise request.refuse("bytes", f"{per_bank:g} bytes per bank are more than the SRAM table has", value=size,
                             allowed=f"{bounds}; set banks: {math.ceil(size / high)}")  # fmt: skip
    if per_bank < low:
        most = size // int(low)
        hint = f"set banks: {most}" if most >= 1 else REGISTER_FILE_HINT
        raise request.refuse("bytes", f"{per_bank:g} bytes per bank are fewer than the SRAM table has", value=size,
                             allowed=f"{bounds}; {hint}")  # fmt: skip
    lines = sorted({key[1] for key in rows})
    if not lines[0] <= line <= lines[-1]:
        raise request.refuse("line_bytes", "the line lies outside the SRAM table", value=line,
                             allowed=f"{lines[0]:g} to {lines[-1]:g} bytes; a wider port is several srams")  # fmt: skip
    return per_bank


def _figure(request: Request, nodes: tuple[float, ...], bank_bytes: float, quantity: str) -> Priced:
    grid = request.table.sram
    cell, line, unit = request.text("cell"), float(request.number("line_bytes")), UNITS[quantity]
    values, steps = {}, []
    for node in nodes:
        point = loglog2(bank_bytes, line, grid.sram[node, cell][quantity])
        how = "in the table" if point.exact else f"log-log between {describe(point, ('bytes per bank', 'line bytes'))}"
        bank = f"a bank of {bank_bytes:g} bytes with {line:g}-byte lines, {cell}, {node:g} nm"
        steps.append(f"{quantity.rpartition('_')[0]} of {bank}: {point.value:.4g} {unit}, {how}")
        values[node] = point.value
    at = nodes[0]
    if len(nodes) == 2:
        at = request.node_nm
        values[at] = loglog(at, values).value
        steps.append(f"log-log between the {cell} points of {nodes[0]:g} and {nodes[1]:g} nm: {values[at]:.4g} {unit}")
    return Priced.of(Constant(values[at], unit, at, grid.model.source, grid.model.note), *steps)


PRIMITIVES: Final = (
    Primitive(
        "sram",
        ("line_read", "line_write"),
        {
            "bytes": Need("bytes"),
            "line_bytes": Need("bytes", 32),
            "banks": Need("banks", 1),
            "cell": Need("itrs-lop or itrs-lstp", DEFAULT_CELL, text=True),
        },
        _cost,
        "SRAM of some bytes in banks; actions line_read, line_write (one line)",
    ),
)

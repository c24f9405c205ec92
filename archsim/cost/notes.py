"""What a reader of a priced run must know about the technology node: what was scaled, from where, by how much."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from archsim.cost.component import Component
from archsim.cost.primitives.sram import DEFAULT_CELL, nodes_around

if TYPE_CHECKING:
    from archsim.cost.table import CostTable

ANALOG = ("adc", "wordline_driver", "column_mux", "router", "bus", "edram")
NOT_GATES = ("sram", "dram", "crossbar_cells", "link", "htree", *ANALOG)


def node_notes(components: Sequence[Component], table: CostTable, node_nm: float) -> tuple[str, ...]:
    """Sentences for a result's assumptions; none at the node that the whole table was characterised at."""
    cells = {str(part.attributes.get("cell", DEFAULT_CELL)) for part in components if part.primitive == "sram"}
    notes = [_sram(table, cell, node_nm) for cell in sorted(cells)]
    if any(part.primitive not in NOT_GATES for part in components):
        notes.insert(0, _gates(table, node_nm))
    notes.append(_analog([part for part in components if part.primitive in ANALOG], table, node_nm))
    if any(part.primitive == "crossbar_cells" for part in components):
        notes.append("crossbar cells keep the layout, conductances and read pulse of their device at every node")
    return tuple(note for note in notes if note)


def _gates(table: CostTable, node_nm: float) -> str:
    known = table.gates.model.node_nm
    if known is None or known == node_nm:
        return ""
    factor = table.scaling.factor
    energy, leakage, area = (factor(quantity, known, node_nm) for quantity in ("energy", "leakage", "area"))
    return (
        f"logic and registers at {node_nm:g} nm are scaled from {known:g} nm: energy x {energy.value:.3g},"
        f" leakage x {leakage.value:.3g} ({leakage.low:.3g} to {leakage.high:.3g}), area x {area.value:.3g}"
        f" ({table.scaling.scaling.model.source}); the clock stays as stated"
    )


def _analog(parts: Sequence[Component], table: CostTable, node_nm: float) -> str:
    """Converters, drivers, routers: where their constants come from when that is not the chip's node."""
    known: dict[float, set[str]] = {}
    for part in parts:
        cost = table.cost_of(part, node_nm)
        for price in (*cost.energy_pj.values(), cost.leakage_mw_each, cost.area_um2_each):
            if price.constant.node_nm not in (None, node_nm):
                known.setdefault(price.constant.node_nm, set()).add(part.primitive)
    if not known:
        return ""
    origins = "; ".join(f"{', '.join(sorted(names))} from {node:g} nm" for node, names in sorted(known.items()))
    return f"scaled to {node_nm:g} nm like logic, for want of a law of their own: {origins}"


def _sram(table: CostTable, cell: str, node_nm: float) -> str:
    """How the SRAM's node was reached, and that its leakage is no trend over the nodes."""
    nodes = nodes_around(table.sram, cell, node_nm)
    if nodes == (node_nm,) and node_nm == table.gates.model.node_nm:
        return ""
    if len(nodes) == 2:
        how = f"interpolated between {cell} points of {nodes[0]:g} and {nodes[1]:g} nm"
    else:
        how = f"{cell} points of {nodes[0]:g} nm" + ("" if nodes[0] == node_nm else " scaled like logic")
    leaks = table.scaling.sram_leakage[cell]
    least = min(leaks.values())
    curve = ", ".join(f"{leak / least:.2g} at {node:g}" for node, leak in sorted(leaks.items(), reverse=True))
    return (
        f"SRAM at {node_nm:g} nm: {how} ({table.sram.model.source.partition(',')[0]}). The devices of one cell type are"
        f" no steady series over the nodes: equal banks leak, as multiples of the least, {curve} nm. Where leakage"
        " matters, chips of different nodes are compared by that more than by the shrink"
    )

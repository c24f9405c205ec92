"""One line that says what costs the energy and what limits the time."""

from __future__ import annotations

from archsim.result import ComponentRow, Result

UNITS_SHOWN = {"dram": "DRAM", "array": "the PE array", "neuron": "the neuron module", "vector": "the vector unit"}


def verdict(result: Result) -> str:
    """The largest cost and the bottleneck: ``energy: X (n %), ...; time: Y (n % of the critical path) ...``."""
    parts = []
    if result.components and result.energy_pj:
        largest = max(result.components, key=lambda part: part.energy_pj)
        share_of_energy = _percent(largest.energy_pj, result.energy_pj)
        parts.append(f"energy: {largest.name} {_kind(largest)} most ({share_of_energy} of {total_energy(result)})")
    if result.critical_path and result.cycles:
        by_unit: dict[str, float] = {}
        for share in result.critical_path:
            by_unit[share.unit] = by_unit.get(share.unit, 0.0) + share.cycles
        unit = max(by_unit, key=by_unit.__getitem__)
        shown = UNITS_SHOWN.get(unit, unit)
        layers: dict[str, float] = {}
        for share in result.critical_path:
            if share.unit == unit:
                layers[share.layer] = layers.get(share.layer, 0.0) + share.cycles
        layer = max(layers, key=layers.__getitem__)
        share_of_path = f"{_percent(by_unit[unit], result.cycles)} of the critical path"
        parts.append(f"time: {shown} is the bottleneck ({share_of_path}, most of it in {layer})")
    return "; ".join(parts)


def _kind(part: ComponentRow) -> str:
    if part.static_pj > part.dynamic_pj:
        return "background power costs" if part.level == "DRAM" else "leakage costs"
    return "operations cost" if part.level in ("compute", "neuron module") else "accesses cost"


def total_energy(result: Result) -> str:
    """Total energy in a readable unit."""
    for factor, unit in ((1e12, "J"), (1e9, "mJ"), (1e6, "uJ"), (1e3, "nJ")):
        if result.energy_pj >= factor:
            return f"{result.energy_pj / factor:.3g} {unit}"
    return f"{result.energy_pj:.3g} pJ"


def _percent(part: float, whole: float) -> str:
    return f"{100.0 * part / whole:.0f} %"

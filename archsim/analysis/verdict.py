"""One line that says what costs the energy and what limits the time."""

from __future__ import annotations

from collections.abc import Iterable

from archsim.result import ComponentRow, Result

UNITS_SHOWN = {
    "dram": "DRAM", "array": "the PE array", "neuron": "the neuron module", "vector": "the vector unit",
    "fetch": "the input buffers", "read": "the crossbars", "adc": "the converters", "neurons": "the neuron module",
    "wires": "the tiles' wires", "membranes": "the membrane memories", "port": "the NoC ports",
    "program": "the write drivers",
}  # fmt: skip
BOTTLENECK_SHARE = 0.2


def verdict(result: Result) -> str:
    """The largest cost and the bottlenecks: ``energy: X costs most (n % of E, mostly why); time: Y is the bottleneck``.

    Every unit with at least a fifth of the critical path is a bottleneck, the largest first; where no unit has so much,
    the largest alone is named.
    """
    parts = []
    if result.components and result.energy_pj:
        largest = max(result.components, key=lambda part: part.energy_pj)
        share = _percent(largest.energy_pj, result.energy_pj)
        parts.append(f"energy: {largest.name} costs most ({share} of {total_energy(result)}, mostly {_kind(largest)})")
    if result.critical_path and result.cycles:
        parts.append(f"time: {_bottlenecks(result)}")
    return "; ".join(parts)


def _kind(part: ComponentRow) -> str:
    """What the larger part of a component's energy is spent on."""
    if part.static_pj > part.dynamic_pj:
        return "background power" if part.level == "DRAM" else "leakage"
    return "operations" if part.level in ("compute", "neuron module") else "accesses"


def _bottlenecks(result: Result) -> str:
    units = _largest_first((shown(share.unit), share.cycles) for share in result.critical_path)
    chosen = [unit for unit, cycles in units if cycles >= BOTTLENECK_SHARE * result.cycles] or [units[0][0]]
    cycles_of = dict(units)
    head = {member: row.name for row in result.layers for member in row.members}
    phrases: list[tuple[str, str]] = []
    for unit in chosen:
        mine = [share for share in result.critical_path if shown(share.unit) == unit]
        layers = _largest_first((head.get(share.layer, share.layer), share.cycles) for share in mine)
        share = _percent(cycles_of[unit], result.cycles) + ("" if phrases else " of the critical path")
        phrases.append((unit, f"({share}, most of it in {layers[0][0]})"))
    if len(phrases) == 1:
        verb = "are" if phrases[0][0].endswith("s") else "is"
        return f"{phrases[0][0]} {verb} the bottleneck {phrases[0][1]}"
    named = [" ".join(phrase) for phrase in phrases]
    return f"{', '.join(named[:-1])} and {named[-1]} are the bottlenecks"


def shown(unit: str) -> str:
    """What a unit is called: ``array``, or the kind of ``LAYER.kind.REPLICA`` and ``kind.NUMBER``."""
    parts = unit.split(".")
    kind = parts[-2] if len(parts) > 1 and parts[-1].isdigit() else unit
    return UNITS_SHOWN.get(kind, unit)


def _largest_first(shares: Iterable[tuple[str, float]]) -> list[tuple[str, float]]:
    """Shares summed by name, the largest first."""
    sums: dict[str, float] = {}
    for name, cycles in shares:
        sums[name] = sums.get(name, 0.0) + cycles
    return sorted(sums.items(), key=lambda item: -item[1])


def total_energy(result: Result) -> str:
    """Total energy in a readable unit."""
    for factor, unit in ((1e12, "J"), (1e9, "mJ"), (1e6, "uJ"), (1e3, "nJ")):
        if result.energy_pj >= factor:
            return f"{result.energy_pj / factor:.3g} {unit}"
    return f"{result.energy_pj:.3g} pJ"


def _percent(part: float, whole: float) -> str:
    return f"{100.0 * part / whole:.0f} %"

"""Which imperfections of a chip are in its accuracy, which it does without, and which nobody stated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from archsim.accelerators.crossbar.schema import CrossbarArchitecture

State = Literal["modelled", "none", "not modelled"]
CELLS = {
    "variation": "variation of programmed cells", "stuck": "stuck cells", "read_noise": "read noise",
    "drift": "drift of cells",
}  # fmt: skip


@dataclass(frozen=True)
class Imperfection:
    """One of them: ``modelled``, with its figures; ``none`` on this chip; or ``not modelled``: nobody says how much."""

    name: str
    state: State
    figures: str


def imperfections_of(arch: CrossbarArchitecture) -> tuple[Imperfection, ...]:
    """All, as the chip and its device state them."""
    return tuple(_all(arch))


def _all(arch: CrossbarArchitecture) -> Iterator[Imperfection]:
    crossbar, adc = arch.crossbar, arch.adc
    wires = {name: value for name, value in crossbar.wires if value}
    stated = ", ".join(f"{name} {value:g} ohm" for name, value in wires.items())
    silent = f"; silent rows {crossbar.silent_rows}" if wires else ""
    yield Imperfection("resistance of wires", "modelled" if wires else "none", stated + silent)
    for name, called in CELLS.items():
        yield _of_cells(arch, name, called)
    if adc.ideal:
        yield Imperfection("rounding of converters", "none", "conversions are exact (adc.ideal)")
    else:
        at_once = "" if crossbar.active_rows == "all" else f", {crossbar.active_rows} rows at once"
        range_ = adc.range if isinstance(adc.range, str) else f"{adc.range:g} level steps"
        yield Imperfection("rounding of converters", "modelled", f"{adc.bits} bits, range {range_}{at_once}")
    errors = [f"{name} {value:g} {unit}" for name, value, unit in (
        ("offset", adc.offset, "LSB"), ("gain", 100 * adc.gain, "%")
    ) if value]  # fmt: skip
    yield Imperfection("mismatch of converters", "modelled" if errors else "none", ", ".join(errors))


def _of_cells(arch: CrossbarArchitecture, name: str, called: str) -> Imperfection:
    errors, part = arch.crossbar.errors, getattr(arch.crossbar.imperfect_cell, name)
    if getattr(errors, name) == "none":
        return Imperfection(called, "none", "turned off by the chip")
    if part is None:
        return Imperfection(called, "not modelled", f"'{arch.crossbar.cell.name}' has no figures")
    ages = name == "drift" or (name == "read_noise" and part.flicker is not None)
    aged = f"; {arch.crossbar.age_s:g} s after programming" if ages else ""
    figures = part.model_dump(exclude={"source", "note"}, exclude_defaults=True)
    return Imperfection(called, "modelled", _shown(figures) + aged)


def _shown(stated: dict[str, Any]) -> str:
    """Figures of a device's part in a line."""
    texts = (
        f"{name} ({_shown(value)})" if isinstance(value, dict) else
        f"{name} {value:g}" if isinstance(value, float) else str(value)
        for name, value in stated.items()
    )  # fmt: skip
    return ", ".join(texts)

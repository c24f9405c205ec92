"""What a result's components say about its memories: where weights rest, and what of the area they take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from archsim.result import Result

DRAM, CELLS, REGISTER_FILE = "dram", "crossbar_cells", "registerfile"
SRAM = ("sram", "edram")
PROGRAMMED, READ = "program", "read_bit"
DEFAULT = "the default"
Home = Literal["cells", "dram", "chip"]


@dataclass(frozen=True)
class Memories:
    """Memories of one chip; areas in um2, energy in pJ, DRAM traffic and programmed cells of one run."""

    sram_bytes: int
    sram_cells: tuple[str, ...]
    register_bytes: int
    cells: int
    memory_area_um2: float
    has_dram: bool
    dram_pj: float
    dram_read_bytes: float
    programmed_cells: float

    @property
    def weights_in(self) -> Home:
        """Where weights rest between two inputs: in crossbar cells; else in DRAM if there is any; else on the chip."""
        return "cells" if self.cells else "dram" if self.has_dram else "chip"


def memories(result: Result) -> Memories:
    """Sums over the components of a result."""
    rows = {row.name: row for row in result.components}
    parts = [part for part in parts_of(result) if part["name"] in rows]
    names = {kind: {part["name"] for part in parts if part.get("primitive") in kinds} for kind, kinds in _KINDS.items()}
    stores = names["sram"] | names["registers"] | names["cells"]
    on_chip = {part["name"] for part in parts if part.get("on_chip", True)}
    return Memories(
        sram_bytes=_bytes(parts, names["sram"] & on_chip),
        sram_cells=tuple(sorted({str(part["attributes"].get("cell", DEFAULT)) for part in parts
                                if part["name"] in names["sram"]})),
        register_bytes=_bytes(parts, names["registers"] & on_chip),
        cells=sum(_number(part, "rows") * _number(part, "cols") * part["count"] for part in parts
                  if part["name"] in names["cells"]),
        memory_area_um2=sum(rows[name].area_um2 for name in stores & on_chip),
        has_dram=bool(names["dram"]),
        dram_pj=sum(rows[name].energy_pj for name in names["dram"]),
        dram_read_bytes=sum(result.count(name, READ) for name in names["dram"]) / 8,
        programmed_cells=sum(result.count(name, PROGRAMMED) for name in names["cells"]),
    )  # fmt: skip


_KINDS: Mapping[str, tuple[str, ...]] = {
    "sram": SRAM, "registers": (REGISTER_FILE,), "cells": (CELLS,), "dram": (DRAM,),
}  # fmt: skip


def parts_of(result: Result) -> tuple[Mapping[str, Any], ...]:
    """The components as the result's ``inputs`` hold them."""
    return tuple(result.inputs.get("components", ()))


def on_chip_pj(result: Result) -> float:
    """Energy without the components beside the chip (DRAM)."""
    beside = {part["name"] for part in parts_of(result) if not part.get("on_chip", True)}
    return result.energy_pj - sum(row.energy_pj for row in result.components if row.name in beside)


def _bytes(parts: Iterable[Mapping[str, Any]], names: set[str]) -> int:
    return sum(_number(part, "bytes") * part["count"] for part in parts if part["name"] in names)


def _number(part: Mapping[str, Any], name: str) -> int:
    value = part["attributes"].get(name, 0)
    return int(value) if isinstance(value, int | float) else 0

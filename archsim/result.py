"""A Result: what one run cost, as tables that describe themselves. Immutable; saved as one JSON file and read back."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.errors import ArchsimError, Problem

if TYPE_CHECKING:
    import pandas as pd

FILE = "result.json"
FORMAT = "archsim-result-1"
IDLE = "idle"


@dataclass(frozen=True)
class CountRow:
    """One line of the ledger with its price: energy is count times the action's cost."""

    layer: str
    timestep: int  # -1: shared by several timesteps
    component: str
    action: str
    count: float  # a whole number in one run; the mean over several samples
    energy_pj: float
    level: str


@dataclass(frozen=True)
class LayerRow:
    """One mapped layer. ``cycles`` is its share of the critical path; shares sum to the run's cycles."""

    name: str
    kind: str
    cycles: float
    span_cycles: float  # first start to last finish; spans of layers may overlap
    energy_pj: float
    dynamic_pj: float
    static_pj: float  # leakage while its units were busy
    folds: int
    passes: int
    utilisation: float  # used PEs / all PEs
    density: float  # non-zero inputs
    dense_products: int
    active_products: float
    in_bits: int
    members: tuple[str, ...] = ()  # the network's layers that are executed here
    static_by_level: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ComponentRow:
    """One part of the chip."""

    name: str
    level: str
    energy_pj: float
    dynamic_pj: float
    static_pj: float
    area_um2: float
    instances: int
    description: str


@dataclass(frozen=True)
class UnitRow:
    """Where one unit's time went, in cycles; the pieces sum to the makespan."""

    unit: str
    busy: float
    starved: Mapping[str, float]
    blocked: Mapping[str, float]
    arbitration: Mapping[str, float]
    idle: float


@dataclass(frozen=True)
class PathRow:
    """Cycles of the critical path that one (unit, layer) contributes."""

    unit: str
    layer: str
    what: str
    cycles: float


@dataclass(frozen=True)
class Result:
    """Everything that a run says. Energies in pJ, times in ns or cycles, area in um2."""

    arch: str
    workload: str
    engine: str
    samples: tuple[int, ...]
    timesteps: int
    tasks: int
    clock_mhz: float
    node_nm: float
    cycles: float
    latency_ns: float
    energy_pj: float
    dynamic_pj: float
    static_pj: float
    area_um2: float
    throughput_per_s: float | None
    interval_cycles: float | None
    throughput_note: str
    synthetic: bool
    layers: tuple[LayerRow, ...]
    components: tuple[ComponentRow, ...]
    counts: tuple[CountRow, ...]
    units: tuple[UnitRow, ...]
    critical_path: tuple[PathRow, ...]
    assumptions: tuple[str, ...]
    verdict: str
    per_sample: tuple[Mapping[str, float], ...] = ()
    spread: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    against: Mapping[str, Any] = field(default_factory=dict)
    vary_costs: tuple[Mapping[str, Any], ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)  # what was asked for, enough to ask again

    @property
    def edp_pj_ns(self) -> float:
        """Energy times latency."""
        return self.energy_pj * self.latency_ns

    @property
    def power_mw(self) -> float:
        """Mean power over the latency (1 pJ / 1 ns = 1 mW)."""
        return self.energy_pj / self.latency_ns if self.latency_ns else 0.0

    @property
    def synaptic_operations(self) -> float:
        """Active products."""
        return sum(layer.active_products for layer in self.layers)

    @property
    def steady_energy_pj(self) -> float | None:
        """Energy per inference with inputs back to back: the dynamic part, and leakage over one interval."""
        if self.interval_cycles is None or not self.cycles:
            return None
        return self.dynamic_pj + self.static_pj * self.interval_cycles / self.cycles

    def energy_by(self, *keys: str) -> dict[tuple[Any, ...], float]:
        """Dynamic energy summed by any of layer, timestep, component, action, level."""
        sums: dict[tuple[Any, ...], float] = {}
        for row in self.counts:
            key = tuple(getattr(row, name) for name in keys)
            sums[key] = sums.get(key, 0.0) + row.energy_pj
        return sums

    def levels(self) -> dict[str, tuple[float, float]]:
        """Dynamic and static energy of each level: compute, neuron module, scratchpad, global buffer, DRAM, ..."""
        sums: dict[str, tuple[float, float]] = {}
        for part in self.components:
            dynamic, static = sums.get(part.level, (0.0, 0.0))
            sums[part.level] = (dynamic + part.dynamic_pj, static + part.static_pj)
        return sums

    def count(self, component: str, action: str, layer: str | None = None) -> float:
        """Total of one action, over all layers or in one."""
        wanted = (component, action)
        return sum(
            row.count for row in self.counts if (row.component, row.action) == wanted and layer in (None, row.layer)
        )

    def frame(self, table: str = "counts") -> pd.DataFrame:
        """A table (counts, layers, components, units, critical_path) as a pandas DataFrame."""
        import pandas

        tables = ("counts", "layers", "components", "units", "critical_path")
        if table not in tables:
            raise ArchsimError(Problem("no such table", value=table, allowed=", ".join(tables)))
        return pandas.DataFrame([asdict(row) for row in getattr(self, table)])

    def to_json(self) -> dict[str, Any]:
        """The one object that ``--json`` prints and that :meth:`save` writes."""
        body = asdict(self)
        body["format"] = FORMAT
        body["edp_pj_ns"], body["power_mw"] = self.edp_pj_ns, self.power_mw
        body["steady_energy_pj"] = self.steady_energy_pj
        body["synaptic_operations"] = self.synaptic_operations
        if self.synaptic_operations and self.energy_pj:
            body["pj_per_synaptic_operation"] = self.energy_pj / self.synaptic_operations
            body["gsop_per_s_per_w"] = self.synaptic_operations / self.energy_pj * 1000.0
        levels = self.levels().items()
        body["levels"] = [{"level": level, "dynamic_pj": pair[0], "static_pj": pair[1]} for level, pair in levels]
        body["idle_pj"] = self.energy_pj - sum(layer.energy_pj for layer in self.layers)
        return body

    def to_text(self, indent: int | None = None) -> str:
        """:meth:`to_json` as text. ArchsimError for figures that are not finite (prices of no real chip)."""
        body = self.to_json()
        try:
            return json.dumps(body, indent=indent, allow_nan=False)
        except ValueError:
            problems = [Problem("is not a finite number; look at the cost table", key=key) for key in _not_finite(body)]
            raise ArchsimError(problems) from None

    def save(self, folder: str | Path) -> Path:
        """Write ``folder/result.json``; the folder is made, and nothing half-written is left behind."""
        path = Path(folder)
        text = self.to_text(indent=1)
        writable_folder(path)
        part = path / (FILE + ".part")
        try:
            path.mkdir(parents=True, exist_ok=True)
            part.write_text(text, encoding="utf-8")
            part.replace(path / FILE)
        except OSError as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise ArchsimError(Problem(f"cannot write the result: {error.strerror}", file=str(path))) from error
        return path / FILE


def writable_folder(folder: str | Path) -> None:
    """ArchsimError where no folder can be made or written to: a file is in the way, or rights are missing."""
    path = Path(folder)
    there = path
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        raise ArchsimError(Problem("a file is in the way of the folder to write to", file=str(path), value=str(there)))
    if not os.access(there, os.W_OK):
        raise ArchsimError(Problem("cannot write here: permission denied", file=str(path)))


def _not_finite(value: Any, key: str = "") -> list[str]:
    """Where in plain data infinities and NaNs are, as dotted keys; at most ten."""
    if isinstance(value, float):
        return [] if math.isfinite(value) else [key]
    if isinstance(value, Mapping):
        items: Iterable[tuple[Any, Any]] = value.items()
    elif isinstance(value, list | tuple):
        items = enumerate(value)
    else:
        return []
    found = (name for part, item in items for name in _not_finite(item, f"{key}.{part}".lstrip(".")))
    return list(islice(found, 10))


def load_result(folder: str | Path) -> Result:
    """Read what :meth:`Result.save` wrote. ArchsimError if it is not there or not a result."""
    path = Path(folder)
    path = path / FILE if path.is_dir() else path
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        hint = "a folder that 'archsim run ... -o FOLDER' wrote"
        raise ArchsimError(Problem("no result here", file=str(folder), allowed=hint)) from error
    except ValueError as error:
        raise ArchsimError(Problem("not a result: the file is not JSON", file=str(path))) from error
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        found = body.get("format") if isinstance(body, dict) else None
        raise ArchsimError(Problem("not a result of this version", file=str(path), value=found, allowed=FORMAT))
    try:
        return _from_json(body)
    except (KeyError, TypeError) as error:
        raise ArchsimError(Problem(f"a damaged result: {error}", file=str(path))) from error


_ROWS: dict[str, type] = {
    "layers": LayerRow, "components": ComponentRow, "counts": CountRow, "units": UnitRow, "critical_path": PathRow,
}  # fmt: skip


def _from_json(body: Mapping[str, Any]) -> Result:
    values: dict[str, Any] = {}
    for name in Result.__dataclass_fields__:
        value = body[name]
        if name in _ROWS:
            value = tuple(_ROWS[name](**{key: _frozen(item) for key, item in row.items()}) for row in value)
        elif isinstance(value, list):
            value = tuple(value)
        values[name] = value
    return Result(**values)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def mean_and_spread(values: Iterable[float]) -> dict[str, float]:
    """Mean, standard deviation (of the population), minimum and maximum."""
    numbers = list(values)
    mean = sum(numbers) / len(numbers)
    variance = sum((number - mean) ** 2 for number in numbers) / len(numbers)
    return {"mean": mean, "std": variance**0.5, "min": min(numbers), "max": max(numbers)}

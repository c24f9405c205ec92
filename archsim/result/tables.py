"""A Result: what one run cost, as tables that describe themselves. Immutable."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.errors import ArchsimError, Problem, nearest
from archsim.op_count import OpCount
from archsim.result.folder import FORMAT, write
from archsim.result.rows import Accuracy, ComponentRow, CountRow, LayerRow, OnChips, PathRow, UnitRow

if TYPE_CHECKING:
    import pandas as pd

TABLES = ("counts", "layers", "components", "units", "critical_path", "levels")

ROUNDING = 1e-12
"""Of the mean: deviations below it come from floating-point sums."""


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
    peak_power_mw: float  # running tasks and the leakage of the whole chip; archsim.analysis.power
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
    accuracy: Accuracy | None = None  # None: not known for these inputs
    on_chips: OnChips | None = None  # None: not asked for; only sweeps ask
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
    def op_count(self) -> OpCount:
        """The executed synaptic operations as ACs (inputs of one bit) and MACs: what op-count estimates price."""
        return OpCount.of((layer.active_products, layer.in_bits == 1) for layer in self.layers)

    @property
    def chip_accuracy(self) -> float | None:
        """The mean over chips of analog crossbars, where that was asked for and labels are known."""
        return None if self.on_chips is None else self.on_chips.mean

    @property
    def chip_accuracy_spread(self) -> float | None:
        """Its sample standard deviation over chips."""
        return None if self.on_chips is None else self.on_chips.spread

    @property
    def chip_accuracy_worst(self) -> float | None:
        """That of the worst chip."""
        return None if self.on_chips is None else self.on_chips.worst

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
        """A table (one of ``TABLES``) as a pandas DataFrame."""
        if table not in TABLES:
            raise ArchsimError(
                Problem("no such table", value=table, allowed=", ".join(TABLES), nearest=nearest(table, TABLES))
            )
        import pandas

        if table == "levels":
            return pandas.DataFrame(self._level_rows())
        return pandas.DataFrame([asdict(row) for row in getattr(self, table)])

    def _level_rows(self) -> list[dict[str, Any]]:
        levels = self.levels().items()
        return [{"level": level, "dynamic_pj": dynamic, "static_pj": static} for level, (dynamic, static) in levels]

    def to_json(self) -> dict[str, Any]:
        """The one object that ``--json`` prints and that :meth:`save` writes."""
        body = asdict(self)
        body["format"] = FORMAT
        body["edp_pj_ns"], body["power_mw"] = self.edp_pj_ns, self.power_mw
        body["steady_energy_pj"] = self.steady_energy_pj
        body["synaptic_operations"] = self.synaptic_operations
        body["estimated_versus_actual"] = self.op_count.beside(self.energy_pj)
        if self.synaptic_operations and self.energy_pj:
            body["pj_per_synaptic_operation"] = self.energy_pj / self.synaptic_operations
            body["gsop_per_s_per_w"] = self.synaptic_operations / self.energy_pj * 1000.0
        if self.accuracy is not None:
            body["accuracy"] |= {"fraction": self.accuracy.fraction, "float_fraction": self.accuracy.float_fraction}
        body["levels"] = self._level_rows()
        body["idle_pj"] = self.energy_pj - sum(layer.energy_pj for layer in self.layers)
        return body

    def to_text(self, indent: int | None = None) -> str:
        """:meth:`to_json` as text. ArchsimError for figures that are not finite (prices of no real chip)."""
        body = self.to_json()
        try:
            return json.dumps(body, indent=indent, allow_nan=False)
        except ValueError:
            problems = [Problem("is not a finite number; look at the cost table", key=key) for key in not_finite(body)]
            raise ArchsimError(problems) from None

    def save(self, folder: str | Path) -> Path:
        """Write ``folder/result.json``; the folder is made, and nothing half-written is left behind.

        Where a run is replaced, the figures that were drawn of it go with it; other files stay.
        """
        return write(self.to_text(indent=1), folder)


def not_finite(value: Any, key: str = "") -> list[str]:
    """Where in plain data infinities and NaNs are, as dotted keys; at most ten."""
    if isinstance(value, float):
        return [] if math.isfinite(value) else [key]
    if isinstance(value, Mapping):
        items: Iterable[tuple[Any, Any]] = value.items()
    elif isinstance(value, list | tuple):
        items = enumerate(value)
    else:
        return []
    found = (name for part, item in items for name in not_finite(item, f"{key}.{part}".lstrip(".")))
    return list(islice(found, 10))


def mean_and_spread(values: Iterable[float]) -> dict[str, float]:
    """Mean, standard deviation (of the population; 0 where there is only rounding), minimum and maximum."""
    numbers = list(values)
    mean = sum(numbers) / len(numbers)
    deviation = (sum((number - mean) ** 2 for number in numbers) / len(numbers)) ** 0.5
    std = deviation if deviation > ROUNDING * abs(mean) else 0.0
    return {"mean": mean, "std": std, "min": min(numbers), "max": max(numbers)}

"""What one network costs on one chip: executed and priced, with only what a comparison needs kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from archsim.accelerators import Architecture
from archsim.cost.pricing import Pricer
from archsim.cost.table import CostTable
from archsim.engine import EngineName, execute
from archsim.run import prices_of
from archsim.workload import Workload

METRICS: Mapping[str, str] = {"energy": "energy", "edp": "energy x delay", "dynamic": "dynamic energy alone"}
"""What is compared, and how it is called in sentences; analyses without time and leakage compare the last."""


@dataclass(frozen=True)
class Cost:
    """One input on one chip; of several samples the means. ``levels``: pJ by level of the chip, leakage included."""

    energy_pj: float
    dynamic_pj: float
    static_pj: float
    latency_ns: float
    edp_pj_ns: float
    area_um2: float
    operations: float  # synaptic operations: products of a value that is not zero
    dense_products: int  # products if no value were zero, all timesteps
    levels: Mapping[str, float]

    def of(self, metric: str) -> float:
        """The figure that is compared: pJ, or pJ ns."""
        return {"energy": self.energy_pj, "edp": self.edp_pj_ns, "dynamic": self.dynamic_pj}[metric]


def cost_of(
    architecture: Architecture, workload: Workload, table: CostTable, samples: Sequence[int], engine: EngineName
) -> Cost:
    """Lower, execute and price each sample; CostError, UnsupportedError and MisfitError as :func:`archsim.simulate`."""
    return _mean([_one(architecture, workload, table, sample, engine) for sample in samples])


def _one(architecture: Architecture, workload: Workload, table: CostTable, sample: int, engine: EngineName) -> Cost:
    chip = architecture.chip
    lowered = architecture.family.lower(chip, workload, sample)
    execution = execute(lowered.graph, engine)
    latency_ns = execution.cycles * 1000.0 / float(chip.clock_mhz)
    ledger = execution.ledger
    prices = prices_of(Pricer(ledger, lowered.components, latency_ns), table, float(chip.node_nm))
    levels: dict[str, float] = {}
    for bill in prices.bills.values():
        levels[bill.component.level] = levels.get(bill.component.level, 0.0) + bill.energy_pj.value
    energy = prices.total_pj.value
    return Cost(
        energy, prices.dynamic_pj.value, prices.static_pj.value, latency_ns, energy * latency_ns,
        prices.area_um2.value, int(np.sum(ledger.count[ledger.action == "sop"])),
        sum(layer.dense_products for layer in lowered.layers), levels,
    )  # fmt: skip


def _mean(costs: Sequence[Cost]) -> Cost:
    if len(costs) == 1:
        return costs[0]

    def mean(values: Iterable[float]) -> float:
        return fmean(values)

    names = dict.fromkeys(level for cost in costs for level in cost.levels)
    return Cost(
        mean(one.energy_pj for one in costs), mean(one.dynamic_pj for one in costs),
        mean(one.static_pj for one in costs), mean(one.latency_ns for one in costs),
        mean(one.edp_pj_ns for one in costs), mean(one.area_um2 for one in costs),
        mean(one.operations for one in costs), costs[0].dense_products,
        {name: mean(one.levels.get(name, 0.0) for one in costs) for name in names},
    )  # fmt: skip

"""One sample on a chip: executed, and priced as often as prices are asked for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from archsim.accelerators import Architecture, Lowered
from archsim.analysis.attribution import Attribution, attribute
from archsim.analysis.power import PeakPower
from archsim.analysis.throughput import Throughput, throughput
from archsim.cost.pricing import Pricer, Prices
from archsim.cost.table import CostTable
from archsim.engine import EngineName, Execution, execute
from archsim.errors import CostError, Problem
from archsim.workload import Workload


@dataclass(frozen=True)
class Unpriced:
    """One executed sample: all of a run that no price changes."""

    architecture: Architecture
    workload: Workload
    sample: int
    lowered: Lowered
    execution: Execution
    throughput: Throughput

    @property
    def latency_ns(self) -> float:
        """From the first start to the last result."""
        return self.execution.cycles * 1000.0 / float(self.architecture.chip.clock_mhz)

    @property
    def throughput_per_s(self) -> float | None:
        """Inputs per second, back to back; None where there is no steady interval."""
        interval = self.throughput.interval_cycles
        return self.architecture.chip.clock_mhz * 1e6 / interval if interval else None

    @cached_property
    def active_products(self) -> tuple[int, ...]:
        """Synaptic operations of each layer, in the order of ``lowered.layers``."""
        ledger, number = self.execution.ledger, {name: at for at, name in enumerate(self.execution.graph.layers)}
        chosen = ledger.action == "sop"
        found = np.bincount(ledger.layer[chosen], ledger.count[chosen], len(number))
        return tuple(int(found[number[fact.name]]) for fact in self.lowered.layers)

    def pricer(self) -> Pricer:
        """What prices it."""
        return Pricer(self.execution.ledger, self.lowered.components, self.latency_ns)

    def peak_power(self) -> PeakPower:
        """What finds its peak power at prices."""
        return PeakPower(self.execution, float(self.architecture.chip.clock_mhz))


@dataclass(frozen=True)
class Run(Unpriced):
    """One executed sample with everything that was computed on the way (the Result keeps the tables only)."""

    prices: Prices
    attribution: Attribution


def execute_once(architecture: Architecture, workload: Workload, sample: int, engine: EngineName) -> Unpriced:
    """Lower and execute one sample, alone and back to back."""
    lowered = architecture.family.lower(architecture.chip, workload, sample)
    execution = execute(lowered.graph, engine)
    return Unpriced(architecture, workload, sample, lowered, execution, throughput(lowered.graph))


def run_once(architecture: Architecture, workload: Workload, table: CostTable, sample: int, engine: EngineName) -> Run:
    """Lower, execute and price one sample."""
    return priced(execute_once(architecture, workload, sample, engine), table)


def priced(done: Unpriced, table: CostTable) -> Run:
    """A sample's run at a table's prices. CostError: a component or an action without a price."""
    prices = prices_of(done.pricer(), table, done.architecture.chip.node_nm)
    known = {field.name: getattr(done, field.name) for field in fields(Unpriced)}
    return Run(**known, prices=prices, attribution=attribute(done.execution))


def prices_of(pricer: Pricer, table: CostTable, node_nm: float) -> Prices:
    """What an execution costs by a table; CostError too where that is more than a number can hold."""
    with np.errstate(over="ignore"):
        prices = pricer.price(table, node_nm)
    if not math.isfinite(prices.total_pj.value * prices.latency_ns) or not math.isfinite(prices.area_um2.value):
        raise CostError(Problem("the costs add up to more than a number can hold", file=table.name))
    return prices


def draw_of(prices: Prices) -> tuple[Mapping[tuple[str, str], float], float]:
    """What draws power: pJ of each action of each component, and mW of the leakage of all."""
    action_pj = {
        (name, action): each.value
        for name, bill in prices.bills.items()
        for action, each in bill.cost.energy_pj.items()
    }
    return action_pj, prices.static_pj.value / prices.latency_ns if prices.latency_ns else 0.0

"""The numbers of a sweep's row at any price: what no price changes is computed once."""

from __future__ import annotations

from collections.abc import Sequence

from archsim.cost.table import CostTable
from archsim.inputs import accuracy_of
from archsim.run import Unpriced, draw_of, prices_of

Row = dict[str, float | None]


class Numbers:
    """Executed samples of one point; their numbers are those of the Result that they would make, means for several."""

    def __init__(self, samples: Sequence[Unpriced]) -> None:
        self._samples = tuple(samples)
        self._pricers = [sample.pricer() for sample in samples]
        self._peaks = [sample.peak_power() for sample in samples]
        self._accuracy = accuracy_of(samples[0].workload, [one.sample for one in samples])

    def at(self, table: CostTable, node_nm: float) -> Row:
        """By name, as :data:`archsim.sweeps.table.METRICS`. CostError: what the table cannot price at this node."""
        paid = [prices_of(pricer, table, node_nm) for pricer in self._pricers]
        peaks = [peak.at(*draw_of(prices)) for peak, prices in zip(self._peaks, paid, strict=True)]
        energy_pj, latency_ns = _mean([one.total_pj.value for one in paid]), _mean([one.latency_ns for one in paid])
        return {
            "energy_pj": energy_pj,
            "dynamic_pj": _mean([one.dynamic_pj.value for one in paid]),
            "static_pj": _mean([one.static_pj.value for one in paid]),
            "latency_ns": latency_ns,
            "area_um2": paid[0].area_um2.value,
            "edp_pj_ns": energy_pj * latency_ns,
            "throughput_per_s": self._throughput_per_s(),
            "peak_power_mw": _mean(peaks),
            "power_mw": energy_pj / latency_ns if latency_ns else 0.0,
            "cycles": _mean([sample.execution.cycles for sample in self._samples]),
            "synaptic_operations": sum(map(_mean, zip(*(one.active_products for one in self._samples), strict=True))),
            "accuracy": None if self._accuracy is None else self._accuracy.fraction,
        }

    def _throughput_per_s(self) -> float | None:
        """At the mean of the intervals; None where a sample has none."""
        intervals = [sample.throughput.interval_cycles for sample in self._samples]
        known = [interval for interval in intervals if interval]
        if len(known) < len(intervals):
            return None
        return float(self._samples[0].architecture.chip.clock_mhz) * 1e6 / _mean(known)


def _mean(values: Sequence[float]) -> float:
    return values[0] if len(values) == 1 else sum(values) / len(values)

"""The energy that is commonly quoted for a spiking network: operations times the price of one, and nothing else.

    E = 0.9 pJ x ACs + 4.6 pJ x MACs

An operation is an input that is not zero meeting a weight: an accumulate (AC) where inputs are single spikes, a
multiply-accumulate (MAC) where they have several bits. Memories, data movement, neurons and leakage are left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_HOROWITZ = "M. Horowitz, Computing's energy problem (and what we can do about it), ISSCC 2014, figure 1.1.9"


@dataclass(frozen=True)
class OperationEnergy:
    """What one operation is said to cost, and where that comes from."""

    name: str
    value_pj: float
    node_nm: float
    source: str
    note: str


AC = OperationEnergy("AC", 0.9, 45.0, _HOROWITZ, "one addition of 32-bit floating-point numbers, 0.9 V")
MAC = OperationEnergy(
    "MAC", 4.6, 45.0, _HOROWITZ, "a multiplication (3.7 pJ) and an addition (0.9 pJ) of 32-bit floats, 0.9 V"
)


@dataclass(frozen=True)
class OpCount:
    """Operations of one inference (means over several samples are no whole numbers)."""

    acs: float
    macs: float

    @staticmethod
    def of(layers: Iterable[tuple[float, bool]]) -> OpCount:
        """From (operations, whether inputs are single spikes) of each layer."""
        both = {True: 0.0, False: 0.0}
        for operations, spikes in layers:
            both[spikes] += operations
        return OpCount(both[True], both[False])

    @property
    def estimated_pj(self) -> float:
        """The op-count energy."""
        return AC.value_pj * self.acs + MAC.value_pj * self.macs

    def beside(self, actual_pj: float) -> dict[str, float | str | None]:
        """Estimated versus actual: the estimate, what it is made of, and how often it fits into the actual energy."""
        estimated = self.estimated_pj
        return {
            "acs": self.acs, "macs": self.macs, "ac_pj": AC.value_pj, "mac_pj": MAC.value_pj, "node_nm": AC.node_nm,
            "source": AC.source, "estimated_pj": estimated, "actual_pj": actual_pj,
            "actual_over_estimated": actual_pj / estimated if estimated else None,
        }  # fmt: skip

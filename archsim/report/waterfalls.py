"""The waterfalls of a peer's answer: of which quantity each is, and in which units it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archsim.report.units import AREA, ENERGY, TIME, Ladder

_KEYS: Mapping[str, tuple[str, Ladder]] = {
    "waterfall": ("energy", ENERGY),
    "area_waterfall": ("area", AREA),
    "latency_waterfall": ("latency", TIME),
}


@dataclass(frozen=True)
class PeerWaterfall:
    """The way from a peer's figure to archsim's: plain data of a :class:`archsim.peers.waterfall.Waterfall`."""

    quantity: str
    ladder: Ladder
    found: Mapping[str, Any]


def waterfalls_of(answer: Mapping[str, Any]) -> tuple[PeerWaterfall, ...]:
    """Energy first (every peer with a waterfall has it), then area and latency where the peer answers them."""
    return tuple(PeerWaterfall(*known, answer[key]) for key, known in _KEYS.items() if key in answer)

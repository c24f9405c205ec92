"""Where a spiking network and the same topology as a quantised ANN cost the same on one chip."""

from archsim.crossover.answer import Breakeven, Curve, Own, Point, Verdict
from archsim.crossover.cost import METRICS, Cost
from archsim.crossover.find import breakeven, fulfil_breakeven
from archsim.crossover.request import BreakevenRequest, prepare_breakeven

__all__ = [
    "METRICS",
    "Breakeven",
    "BreakevenRequest",
    "Cost",
    "Curve",
    "Own",
    "Point",
    "Verdict",
    "breakeven",
    "fulfil_breakeven",
    "prepare_breakeven",
]

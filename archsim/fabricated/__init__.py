"""Networks executed on crossbar chips as they are made: with the errors of their cells, wires and converters."""

from archsim.fabricated.calibration import GAINS, Gains
from archsim.fabricated.chip import Fabricated, fabricate
from archsim.fabricated.layer import CrossbarLayer

__all__ = ["GAINS", "CrossbarLayer", "Fabricated", "Gains", "fabricate"]

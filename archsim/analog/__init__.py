"""What an analog memory cell is: its conductances, its prices, how it errs; and the currents of a crossbar of them."""

from archsim.analog.circuit import SilentRows, crossbar_currents, effective_conductance, gated_currents
from archsim.analog.device import Device
from archsim.analog.load import load_device
from archsim.analog.schema import (
    Cell,
    Conductance,
    Drift,
    Flicker,
    Leakage,
    Levels,
    Programming,
    Read,
    ReadNoise,
    Spread,
    StateLaw,
    Stuck,
    Variation,
)

__all__ = [
    "Cell",
    "Conductance",
    "Device",
    "Drift",
    "Flicker",
    "Leakage",
    "Levels",
    "Programming",
    "Read",
    "ReadNoise",
    "SilentRows",
    "Spread",
    "StateLaw",
    "Stuck",
    "Variation",
    "crossbar_currents",
    "effective_conductance",
    "gated_currents",
    "load_device",
]

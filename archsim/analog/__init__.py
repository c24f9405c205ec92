"""What an analog memory cell is: its conductances, the price of reading and programming it, and how it errs."""

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
    "Spread",
    "StateLaw",
    "Stuck",
    "Variation",
    "load_device",
]

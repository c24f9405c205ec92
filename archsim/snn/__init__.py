"""Functional simulation: a network with its weights, executed timestep by timestep on real inputs."""

from archsim.snn.activity import SimulatedActivity
from archsim.snn.encoders import events_to_raster
from archsim.snn.exits import Exit, exits
from archsim.snn.simulated import Simulated
from archsim.snn.simulation import simulate

__all__ = ["Exit", "Simulated", "SimulatedActivity", "events_to_raster", "exits", "simulate"]

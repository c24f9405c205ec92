"""Design spaces: a file that names chips, networks and keys, executed point by point into one table."""

from archsim.sweeps.front import Front, pareto
from archsim.sweeps.run import SweepRequest, fulfil_sweep, prepare_sweep, sweep
from archsim.sweeps.table import Sweep, load_sweep

__all__ = ["Front", "Sweep", "SweepRequest", "fulfil_sweep", "load_sweep", "pareto", "prepare_sweep", "sweep"]

"""Networks of PyTorch frameworks: followed while they run, recorded, and simulated again spike for spike."""

from archsim.recording.record import record
from archsim.recording.recording import Recording

__all__ = ["Recording", "record"]

"""The command line: arguments in, public functions called, tables or JSON out. No logic of its own."""

from archsim.cli import breakeven, execute, importing, inspect, profile, report, runs, sweep
from archsim.cli.program import app, main

__all__ = ["app", "breakeven", "execute", "importing", "inspect", "main", "profile", "report", "runs", "sweep"]

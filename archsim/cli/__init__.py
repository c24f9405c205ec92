"""The command line: arguments in, public functions called, tables or JSON out. No logic of its own."""

from archsim.cli import (
    accuracy,
    breakeven,
    early_exit,
    execute,
    importing,
    inspect,
    metrics,
    profile,
    report,
    runs,
    sweep,
)
from archsim.cli.program import app, main

__all__ = [
    "accuracy", "app", "breakeven", "early_exit", "execute", "importing", "inspect", "main", "metrics", "profile",
    "report", "runs", "sweep",
]  # fmt: skip

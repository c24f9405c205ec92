"""archsim: what a spiking neural network costs on a chip, and which part of the chip is to blame.

>>> import archsim
>>> result = archsim.simulate("sata", "cnn-mnist")
>>> result.verdict
>>> archsim.plot(result, by="layer", output="layers.pdf")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archsim.accelerators import load_architecture
    from archsim.analog import crossbar_currents, load_device
    from archsim.catalog import entries, preset_text, schema
    from archsim.checking import check
    from archsim.comparison import Comparison, compare
    from archsim.crossover import Breakeven, breakeven
    from archsim.ending import EarlyExit, early_exit
    from archsim.errors import ArchsimError
    from archsim.explanation import explain
    from archsim.fidelity import Accuracies, accuracy
    from archsim.importing import Written, import_network
    from archsim.inputs import load_workload
    from archsim.measures import Metrics, metrics
    from archsim.profiling import Profile, profile
    from archsim.recording import Recording, record
    from archsim.report.breakeven_files import save_breakeven
    from archsim.report.compare_files import save_comparison
    from archsim.report.html import write_report
    from archsim.report.plots import plot
    from archsim.report.profile_files import save_profile
    from archsim.result import Result, load_result
    from archsim.simulation import simulate
    from archsim.store import Store, load_run
    from archsim.store.export import export_runs
    from archsim.sweeps import Front, Sweep, load_sweep, pareto, sweep
    from archsim.tracing import timeline, trace

_HOMES = {
    "Accuracies": "archsim.fidelity",
    "ArchsimError": "archsim.errors",
    "Breakeven": "archsim.crossover",
    "Comparison": "archsim.comparison",
    "EarlyExit": "archsim.ending",
    "Front": "archsim.sweeps",
    "Metrics": "archsim.measures",
    "Profile": "archsim.profiling",
    "Recording": "archsim.recording",
    "Result": "archsim.result",
    "Store": "archsim.store",
    "Sweep": "archsim.sweeps",
    "Written": "archsim.importing",
    "accuracy": "archsim.fidelity",
    "breakeven": "archsim.crossover",
    "check": "archsim.checking",
    "compare": "archsim.comparison",
    "crossbar_currents": "archsim.analog",
    "early_exit": "archsim.ending",
    "entries": "archsim.catalog",
    "explain": "archsim.explanation",
    "export_runs": "archsim.store.export",
    "import_network": "archsim.importing",
    "load_architecture": "archsim.accelerators",
    "load_device": "archsim.analog",
    "load_result": "archsim.result",
    "load_run": "archsim.store",
    "load_sweep": "archsim.sweeps",
    "load_workload": "archsim.inputs",
    "metrics": "archsim.measures",
    "pareto": "archsim.sweeps",
    "plot": "archsim.report.plots",
    "preset_text": "archsim.catalog",
    "profile": "archsim.profiling",
    "record": "archsim.recording",
    "save_breakeven": "archsim.report.breakeven_files",
    "save_comparison": "archsim.report.compare_files",
    "save_profile": "archsim.report.profile_files",
    "schema": "archsim.catalog",
    "simulate": "archsim.simulation",
    "sweep": "archsim.sweeps",
    "timeline": "archsim.tracing",
    "trace": "archsim.tracing",
    "write_report": "archsim.report.html",
}

__all__ = [
    "Accuracies",
    "ArchsimError",
    "Breakeven",
    "Comparison",
    "EarlyExit",
    "Front",
    "Metrics",
    "Profile",
    "Recording",
    "Result",
    "Store",
    "Sweep",
    "Written",
    "accuracy",
    "breakeven",
    "check",
    "compare",
    "crossbar_currents",
    "early_exit",
    "entries",
    "explain",
    "export_runs",
    "import_network",
    "load_architecture",
    "load_device",
    "load_result",
    "load_run",
    "load_sweep",
    "load_workload",
    "metrics",
    "pareto",
    "plot",
    "preset_text",
    "profile",
    "record",
    "save_breakeven",
    "save_comparison",
    "save_profile",
    "schema",
    "simulate",
    "sweep",
    "timeline",
    "trace",
    "write_report",
]


def __dir__() -> list[str]:
    """The public names, imported or not yet."""
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that ``import archsim`` stays light."""
    if name not in _HOMES:
        raise AttributeError(f"module 'archsim' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)

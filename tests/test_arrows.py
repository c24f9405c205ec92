"""The rooms import in one direction only (docs/design.md), and optional weight stays optional."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "archsim"
ALLOWED = {
    "errors": set(),
    "op_count": set(),
    "config": {"errors"},
    "workload": {"config", "errors"},
    "cost": {"config", "errors"},
    "analog": {"config", "errors"},
    "datasets": {"config", "errors", "samples", "workload"},
    "taskgraph": {"errors"},
    "engine": {"taskgraph", "errors"},
    "accelerators": {"workload", "config", "cost", "analog", "taskgraph", "errors"},
    "result": {"errors", "op_count"},
    "analysis": {"engine", "taskgraph", "result", "errors"},
    "peers": {"workload", "config", "errors"},
    "snn": {"workload", "config", "errors"},
    "recording": {"workload", "snn", "config", "errors"},
    "measures": {"datasets", "errors", "inputs", "op_count", "samples", "snn", "workload"},
    "inputs": {"config", "datasets", "errors", "result", "snn", "workload"},
    "fabricated": {"accelerators", "analog", "errors", "snn", "workload"},
    "calibrating": {"accelerators", "datasets", "errors", "fabricated", "workload"},
    "on_chip": {"accelerators", "calibrating", "errors", "fabricated", "inputs", "snn", "workload"},
    "fidelity": {
        "accelerators", "calibrating", "comparison", "datasets", "errors", "fabricated", "inputs", "request", "snn",
        "workload",
    },
    "run": {"accelerators", "analysis", "cost", "engine", "errors", "workload"},
    "store": {"accelerators", "cost", "errors", "provenance", "request", "result"},
    "sweeps": {
        "accelerators", "calibrating", "config", "cost", "datasets", "engine", "errors", "fidelity", "inputs",
        "provenance", "request", "result", "run", "simulation", "snn", "store", "workload",
    },
    "crossover": {
        "accelerators", "config", "cost", "engine", "errors", "pricing_check", "request", "result", "run", "samples",
        "workload",
    },
    "comparison": {
        "accelerators", "config", "errors", "inputs", "pricing_check", "request", "result", "simulation", "store",
        "workload",
    },
}


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module] if node.module != "archsim" else [f"archsim.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("archsim.")}
        found |= {
            f"{name.split('.')[0]}"
            for name in names
            if name.split(".")[0] in ("simpy", "pandas", "matplotlib", "numba")
        }
    return found


def files_of(room: str) -> list[Path]:
    folder = PACKAGE / room
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [PACKAGE / f"{room}.py"]


@pytest.mark.parametrize("room", sorted(ALLOWED))
def test_room_imports_only_down_the_way_of_the_data(room):
    files = files_of(room)
    assert files and all(file.exists() for file in files)
    for file in files:
        wrong = {name for name in imports_of(file) if (PACKAGE / name).exists() or (PACKAGE / f"{name}.py").exists()}
        assert wrong <= ALLOWED[room] | {room}, f"{file.name} imports {wrong - ALLOWED[room] - {room}}"


def test_only_the_cost_component_is_known_to_accelerators():
    for file in files_of("accelerators"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("archsim.cost"):
                assert node.module == "archsim.cost.component"


def test_only_the_engine_imports_simpy():
    for file in PACKAGE.rglob("*.py"):
        if "simpy" in imports_of(file):
            assert file.parent.name == "engine"


def test_nothing_of_the_core_imports_peers():
    for room in set(ALLOWED) - {"peers"}:
        assert all("peers" not in imports_of(file) for file in files_of(room))


def test_importing_archsim_loads_no_optional_weight():
    code = (
        "import sys, archsim, archsim.simulation; "
        "print([m for m in ('pandas', 'matplotlib', 'numba', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

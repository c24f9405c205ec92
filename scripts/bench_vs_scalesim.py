"""archsim and the real SCALE-Sim on the same layers, side by side: equal cycles, and how long each takes.

    python scripts/bench_vs_scalesim.py [--array 32x32] [--dataflow os] [--python PYTHON_WITH_SCALESIM]

Installs scalesim 3.0.0 from PyPI in a virtual environment of its own (with numpy < 2, which it needs) unless
``--python`` names an interpreter that has it. The topology is `resnet18_cifar_head`: five layers of a ResNet-18 for
CIFAR. SCALE-Sim rounds the output size of a strided convolution up, so archsim gets each layer as the matrix product
that SCALE-Sim executes. Simulation time is the call that simulates (here: lower, execute, price, attribute,
throughput), in a process where everything is imported and loaded; whole-process time is the command from start to exit.
Each figure is the median; SCALE-Sim is run once.
"""

from __future__ import annotations

import argparse
import csv
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LAYERS = (  # name, ifmap height and width, filter height and width, channels, filters, stride
    ("conv1", 34, 34, 3, 3, 3, 64, 1),
    ("conv2_1a", 34, 34, 3, 3, 64, 64, 1),
    ("conv3_1a", 34, 34, 3, 3, 64, 128, 2),
    ("conv3_s", 32, 32, 1, 1, 64, 128, 2),
    ("fc", 1, 1, 1, 1, 512, 10, 1),
)
CONFIG = """[general]
run_name = bench

[architecture_presets]
ArrayHeight: {rows}
ArrayWidth: {cols}
IfmapSramSzkB: 64
FilterSramSzkB: 64
OfmapSramSzkB: 64
IfmapOffset: 0
FilterOffset: 10000000
OfmapOffset: 20000000
Bandwidth: 10
Dataflow: {dataflow}
MemoryBanks: 1
ReadRequestBuffer: 64
WriteRequestBuffer: 64

[layout]
IfmapCustomLayout: False
IfmapSRAMBankBandwidth: 10
IfmapSRAMBankNum: 10
IfmapSRAMBankPort: 2
FilterCustomLayout: False
FilterSRAMBankBandwidth: 10
FilterSRAMBankNum: 10
FilterSRAMBankPort: 2

[sparsity]
SparsitySupport: false
SparseRep: ellpack_block
OptimizedMapping: false
BlockSize: 8
RandomNumberGeneratorSeed: 40

[run_presets]
InterfaceBandwidth: CALC
UseRamulatorTrace: False
"""
RUNNER = """
import sys, time
from scalesim.scale_sim import scalesim
s = scalesim(save_disk_space=True, verbose=False, config=sys.argv[1], topology=sys.argv[2], layout=sys.argv[3])
start = time.perf_counter()
s.run_scale(top_path=sys.argv[4])
print("SIMULATION", time.perf_counter() - start)
"""


def scalesim_python(folder: Path) -> str:
    print("installing scalesim 3.0.0 in an environment of its own ...", flush=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    python = folder / "venv" / "bin" / "python"
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", "scalesim==3.0.0", "numpy<2"], check=True)
    return str(python)


def run_scalesim(python: str, folder: Path, rows: int, cols: int, dataflow: str) -> tuple[float, float, list[int]]:
    """Simulation seconds, whole-process seconds, and the cycles of each layer as reported."""
    (folder / "bench.cfg").write_text(CONFIG.format(rows=rows, cols=cols, dataflow=dataflow))
    head = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
    (folder / "topology.csv").write_text(head + "".join(", ".join(map(str, layer)) + ",\n" for layer in LAYERS))
    layout = "Layer name, " + ", ".join(f"c{i}" for i in range(20)) + ",\n"
    ones = ", ".join(["1"] * 20)
    (folder / "layout.csv").write_text(layout + "".join(f"{layer[0]}, {ones},\n" for layer in LAYERS))
    (folder / "runner.py").write_text(RUNNER)
    command = [python, "runner.py", "bench.cfg", "topology.csv", "layout.csv", "out"]
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    whole_s = time.perf_counter() - start
    line = next((text for text in done.stdout.splitlines() if text.startswith("SIMULATION")), None)
    if line is None:
        raise SystemExit(f"SCALE-Sim failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    report = next((folder / "out").rglob("COMPUTE_REPORT.csv"))
    with report.open() as file:
        table = list(csv.reader(file))
    column = next(i for i, name in enumerate(table[0]) if name.strip() == "Total Cycles")
    return float(line.split()[1]), whole_s, [int(float(row[column])) for row in table[1:] if len(row) > column]


def workload_text() -> str:
    lines = ["name: resnet18_cifar_head", "timesteps: 1", "chained: false", "layers:"]
    for name, height, width, kernel_h, kernel_w, channels, filters, stride in LAYERS:
        out_h, out_w = -(-(height - kernel_h + stride) // stride), -(-(width - kernel_w + stride) // stride)
        rows, inner = out_h * out_w, kernel_h * kernel_w * channels
        lines.append(f"  - {{name: {name}, type: matmul, rows: {rows}, in_features: {inner}, out_features: {filters}}}")
    return "\n".join([*lines, "activity: {density: 1.0}"]) + "\n"


def run_archsim(folder: Path, rows: int, cols: int, dataflow: str) -> tuple[dict[str, float], float, list[int]]:
    """Simulation seconds of both engines, whole-process seconds, and the cycles of each layer."""
    import archsim
    from archsim.cost.table import load_costs
    from archsim.run import run_once

    file = folder / "layers.yaml"
    file.write_text(workload_text())
    settings = [f"array.rows={rows}", f"array.cols={cols}"]
    chip, network = archsim.load_architecture(f"scalesim-{dataflow}", settings), archsim.load_workload(str(file))
    table = load_costs()
    seconds = {}
    for engine in ("des", "fast"):
        times = []
        for _ in range(7):
            start = time.perf_counter()
            run_once(chip, network, table, 0, engine)
            times.append(time.perf_counter() - start)
        seconds[engine] = statistics.median(times)
    command = [sys.executable, "-m", "archsim", "run", f"scalesim-{dataflow}", str(file), "--json"]
    for setting in settings:
        command += ["--set", setting]
    # byte-compiled like any installed package, even if this is a checkout: the first run writes, and is not counted
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    whole = []
    for _ in range(6):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=environment)
        whole.append(time.perf_counter() - start)
    layers = archsim.simulate(chip, network).layers
    return seconds, statistics.median(whole[1:]), [int(layer.cycles) for layer in layers]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--array", default="32x32")
    parser.add_argument("--dataflow", default="os", choices=["os", "ws", "is"])
    parser.add_argument("--python", help="an interpreter that has scalesim installed")
    given = parser.parse_args()
    rows, cols = map(int, given.array.split("x"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = given.python or scalesim_python(folder)
        theirs_s, theirs_whole_s, theirs = run_scalesim(python, folder, rows, cols, given.dataflow)
        ours_s, ours_whole_s, ours = run_archsim(folder, rows, cols, given.dataflow)
    print(f"resnet18_cifar_head, {given.array}, {given.dataflow}")
    for layer, their, our in zip(LAYERS, theirs, ours, strict=True):
        verdict = "equal" if our == their + 1 else "DIFFERENT"
        print(f"  {layer[0]:10s} SCALE-Sim {their:>9,} (+1 = {their + 1:>9,})   archsim {our:>9,}   {verdict}")
    print(
        f"simulation time: SCALE-Sim {theirs_s:.2f} s; "
        f"archsim des {ours_s['des'] * 1e3:.2f} ms ({theirs_s / ours_s['des']:,.0f} x less), "
        f"fast {ours_s['fast'] * 1e3:.2f} ms ({theirs_s / ours_s['fast']:,.0f} x less)"
    )
    print(
        f"whole process:   SCALE-Sim {theirs_whole_s:.2f} s; "
        f"archsim {ours_whole_s:.2f} s ({theirs_whole_s / ours_whole_s:,.1f} x less)"
    )
    if ours != [cycles + 1 for cycles in theirs]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()

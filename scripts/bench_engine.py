"""How fast the lowering and the engines are, in tasks per second, on one lowered graph with the ledger on.

    python scripts/bench_engine.py [ARCH] [WORKLOAD] [--repeat N]

Each line is the median of N runs in this process; numba's compile time is reported apart. The in-order line uses the
same network with a DRAM that never stalls and ideal neuron units, whose graph has no fifo unit.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence

from archsim import load_architecture, load_workload
from archsim.engine import des, fast, numba_is_there
from archsim.engine.ledger import ledger_of
from archsim.taskgraph import TaskGraph


def median_seconds(work: Callable[[], object], repeat: int) -> float:
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def line(what: str, tasks: int, seconds: float, note: str = "") -> None:
    print(f"{what:44s} {tasks:>9,} tasks {seconds * 1e3:10.2f} ms {tasks / seconds / 1e6:8.3f} M tasks/s  {note}")


def lowered(arch: str, workload: str, settings: Sequence[str]) -> tuple[Callable[[], TaskGraph], TaskGraph]:
    chip, network = load_architecture(arch, settings), load_workload(workload)

    def lower() -> TaskGraph:
        return chip.family.lower(chip.chip, network, 0).graph

    return lower, lower()


def engines(graph: TaskGraph, name: str, repeat: int) -> None:
    def with_ledger(start_cycles: Callable[[], object]) -> Callable[[], object]:
        return lambda: (start_cycles(), ledger_of(graph))

    line(f"des, {name}", graph.tasks, median_seconds(with_ledger(lambda: des.start_cycles(graph)), repeat))
    line(f"fast in plain Python, {name}", graph.tasks,
         median_seconds(with_ledger(lambda: fast.start_cycles(graph, False)), repeat))  # fmt: skip
    if not numba_is_there():
        print("fast compiled: numba is not installed (extra 'fast')")
        return
    start = time.perf_counter()
    fast.start_cycles(graph, True)
    compile_s = time.perf_counter() - start
    line(f"fast compiled, {name}", graph.tasks,
         median_seconds(with_ledger(lambda: fast.start_cycles(graph, True)), repeat),
         f"first call {compile_s:.2f} s (import, compile or load from the cache)")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("arch", nargs="?", default="sata")
    parser.add_argument("workload", nargs="?", default="vgg16-cifar10")
    parser.add_argument("--repeat", type=int, default=7)
    given = parser.parse_args()
    lower, graph = lowered(given.arch, given.workload, ())
    line("lowering with its actions", graph.tasks, median_seconds(lower, given.repeat))
    skipping, skip_graph = lowered(given.arch, given.workload, ["sparsity=skip: union"])
    line("lowering with its actions, skip: union", skip_graph.tasks, median_seconds(skipping, given.repeat))
    engines(graph, "fifo DRAM", given.repeat)
    _, in_order = lowered(given.arch, given.workload, ["dram.bandwidth=unlimited", "neuron.units=ideal"])
    engines(in_order, "in order only", given.repeat)


if __name__ == "__main__":
    main()

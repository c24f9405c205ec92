"""Time sweeps of sata x vgg9-cifar10, store off: 1,000 designs, all distinct, and 10,000 prices of one; each again.

Ten random designs are executed anew with des, ten random prices alone, and compared number by number.
"""

from __future__ import annotations

import argparse
import math
import random
import tempfile
import time
from pathlib import Path

import archsim
from archsim.sweeps.table import METRICS

SPEC = """
archs: [sata]
workloads: [vgg9-cifar10]
space:
  array.rows: {from: 8, to: 64}
  array.cols: {from: 4, to: 64}
  array.dataflow: [output_stationary, weight_stationary, input_stationary]
  timesteps.order: [sequential, parallel]
  neuron.membrane.home: [dram]
  buffers.weight.size: [64 KiB, 144 KiB, 288 KiB, 576 KiB]
  buffers.ifmap.size: [32 KiB, 64 KiB, 128 KiB]
  buffers.ofmap.size: [32 KiB, 64 KiB, 128 KiB]
  dram.bandwidth: {from: 1.6, to: 25.6, scale: log}
method: {latin_hypercube: {points: POINTS, seed: 0}}
"""

PRICES = """
archs: [sata]
workloads: [vgg9-cifar10]
space:
  node: {from: 16.0, to: 90.0, steps: STEPS}
  cost.dram.read_bit: {from: 2.0, to: 40.0, steps: STEPS}
"""
DRAWN = PRICES.replace(", steps: STEPS", "") + "method: {latin_hypercube: {points: POINTS, seed: 0}}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--again", type=int, default=10, help="points that are executed again with des")
    parser.add_argument("--prices", type=int, default=10_000)
    asked = parser.parse_args()
    measured("designs", SPEC.replace("POINTS", str(asked.points)), asked.jobs, asked.again, "des")
    steps = str(math.isqrt(asked.prices))
    measured("prices, a grid", PRICES.replace("STEPS", steps), asked.jobs, asked.again, "fast")
    measured("prices, each at a node of its own", DRAWN.replace("POINTS", str(asked.prices)), asked.jobs,
             asked.again, "fast")  # fmt: skip


def measured(what: str, text: str, jobs: int, again: int, engine: str) -> None:
    """Sweep twice, and check some of the points by themselves."""
    with tempfile.TemporaryDirectory() as folder:
        spec, output = Path(folder, "spec.yaml"), Path(folder, "out")
        spec.write_text(text)
        began = time.perf_counter()
        table = archsim.sweep(spec, jobs=jobs, output=output)
        seconds = time.perf_counter() - began
        fine = table.of("ok")
        distinct = len({row["energy_pj"] for row in fine})
        print(f"{len(table.rows):,} {what}, {len(fine):,} ok, {distinct:,} distinct: {seconds:.1f} s")
        for message in sorted({row["message"] for row in table.of("failed")})[:5]:
            print("  failed:", message)
        began = time.perf_counter()
        same = archsim.sweep(spec, jobs=jobs, output=output)
        print(f"  the same command again: {time.perf_counter() - began:.2f} s, equal: {same == table}")
    chosen = random.Random(0).sample(fine, min(again, len(fine)))
    equal = [_as_alone(row, table.keys, engine) for row in chosen]
    print(f"  {sum(equal)} of {len(equal)} random points equal to a run of their own, with {engine}")


def _as_alone(row: dict[str, object], keys: tuple[str, ...], engine: str) -> bool:
    overrides = [f"{key}={row[key]}" for key in keys]
    result = archsim.simulate("sata", "vgg9-cifar10", overrides=overrides, engine=engine)
    return {name: row[name] for name in METRICS} == {name: getattr(result, name) for name in METRICS}


if __name__ == "__main__":
    main()

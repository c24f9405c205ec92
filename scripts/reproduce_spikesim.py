"""SpikeSim's headline claims as archsim's `spikeflow` sees them, and which assumption makes the difference.

* area of the neuron module: its share on VGG9 (published: more than 11 %);
* topology: what changing the network does to the neuron module's area and to energy x delay (published: 1.24x and 10x;
  the change itself is in no readable source, so two guesses are executed and named, and neither is a check);
* timesteps: energy x delay of VGG16 on 64 x 64 images of 200 classes at T = 4 over T = 1 (published: 10.4x);
* sharing: area of the neuron module of a residual network when 2 and 4 channels share a unit (published: 1.38x, 2.41x).

    python scripts/reproduce_spikesim.py [-o table.csv | table.md]
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

import archsim
from archsim.errors import ArchsimError
from archsim.result import Result
from archsim.workload import load_workload

ARCH = "spikeflow"
TINY_IMAGENET = ("input.shape=[3, 64, 64]", "layers.20.out_features=200")
UNITS = ("neuron_adder", "neuron_comparator", "neuron_threshold", "neuron_membrane", "neuron_leak", "neuron_reset")


class Row(NamedTuple):
    """One claim: what is published, what archsim finds, and what that hangs on."""

    claim: str
    published: str
    archsim: str
    hangs_on: str


def neuron_um2(result: Result, units_only: bool = False) -> float:
    """Area of the neuron module: its units, and the memory of the membranes."""
    return sum(
        part.area_um2
        for part in result.components
        if part.level == "neuron module" and (not units_only or part.name in UNITS)
    )


def edp(result: Result) -> float:
    """Energy times delay in pJ ns."""
    return result.energy_pj * result.latency_ns


def changed(name: str, change: Any, folder: Path) -> Result:
    """Executed on the chip: a shipped network with some of its layers exchanged."""
    network = load_workload(name).document.data
    layers = [layer for old in network["layers"] for layer in change(old)]
    described = {**network, "name": f"{name}-changed", "layers": layers}
    path = folder / "changed.yaml"
    path.write_text(yaml.safe_dump(described))
    return archsim.simulate(ARCH, str(path))


def neurons_behind_pools(layer: dict[str, Any]) -> list[dict[str, Any]]:
    """The convolution before a pool has no neurons of its own; they stand behind the pool."""
    if layer["name"] in ("conv2", "conv4", "conv7"):
        return [{**layer, "spiking": False}]
    if layer["type"].endswith("pool2d"):
        return [layer, {"name": f"{layer['name']}_neurons", "type": "neuron"}]
    return [layer]


def narrow_beginning(layer: dict[str, Any]) -> list[dict[str, Any]]:
    """Half the channels where the maps are largest."""
    return [{**layer, "out_channels": 32}] if layer["name"] in ("conv1", "conv2") else [layer]


WHY = {
    "share": "16-bit membranes in SRAM macros; converters priced by the survey take a third of the area",
    "guess": "which change the paper made is not known",
    "edp": "the run is bound by conv1, read bit plane by bit plane; SpikeSim reads an image as one spike",
    "timesteps": "SpikeSim's formulas make both proportional to T: 16x; at T = 1 archsim needs no membrane memory",
    "sharing": "sharing saves units, not membranes; the published ratio lies between if its area counts both",
}


def rows() -> Iterator[Row]:
    """All claims."""
    vgg9 = archsim.simulate(ARCH, "vgg9-cifar10")
    yield Row("neuron module, share of area (VGG9)", "> 11 %", f"{neuron_um2(vgg9) / vgg9.area_um2:.1%}", WHY["share"])
    changes = {"neurons behind the pools": neurons_behind_pools, "32 channels in conv1 and conv2": narrow_beginning}
    with tempfile.TemporaryDirectory() as folder:
        for name, change in changes.items():
            other, guess = changed("vgg9-cifar10", change, Path(folder)), f"topology (our guess: {name})"
            area = f"{neuron_um2(vgg9) / neuron_um2(other):.2f}x"
            yield Row(f"{guess}: neuron module area", "1.24x", area, WHY["guess"])
            yield Row(f"{guess}: energy x delay", "10x", f"{edp(vgg9) / edp(other):.2f}x", WHY["edp"])
    short, long = (
        archsim.simulate(
            ARCH, "vgg16-cifar10", overrides=[f"workload.{item}" for item in (*TINY_IMAGENET, f"timesteps={t}")]
        )
        for t in (1, 4)
    )
    claim = "T from 1 to 4 (VGG16, 64 x 64, 200 classes): energy x delay"
    yield Row(claim, "10.4x", f"{edp(long) / edp(short):.1f}x", WHY["timesteps"])
    alone, *shared = (
        archsim.simulate(ARCH, "resnet19-cifar10", overrides=[f"neuron.channels_per_unit={n}"]) for n in (1, 2, 4)
    )
    for n, published, result in zip((2, 4), ("1.38x", "2.41x"), shared, strict=True):
        units, both = (neuron_um2(alone, only) / neuron_um2(result, only) for only in (True, False))
        found = f"{units:.2f}x units, {both:.2f}x with membranes"
        yield Row(f"{n} channels share a unit (ResNet19): neuron area", published, found, WHY["sharing"])


def markdown(table: Sequence[Row]) -> str:
    """The table as markdown."""
    lines = ["| claim | published | archsim | hangs on |", "|---|---|---|---|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in table)]) + "\n"


def main() -> int:
    """Print the table; exit code 2 with all problems if an input is wrong."""
    parser = argparse.ArgumentParser(description="SpikeSim's headline claims as archsim sees them")
    parser.add_argument("-o", "--output", type=Path, help="write .csv or .md as well")
    given = parser.parse_args()
    try:
        table = list(rows())
    except ArchsimError as error:
        sys.stderr.write("".join(f"error: {problem}\n" for problem in error.problems))
        return 2
    sys.stdout.write(markdown(table))
    if given.output is not None:
        if given.output.suffix == ".csv":
            with given.output.open("w", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows([Row._fields, *table])
        else:
            given.output.write_text(markdown(table))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

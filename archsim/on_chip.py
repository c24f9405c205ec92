"""The spikes of a network on one chip of analog crossbars, as the activity that this chip is charged for."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from weakref import WeakKeyDictionary

from archsim.accelerators import Architecture
from archsim.accelerators.crossbar.schema import CrossbarArchitecture
from archsim.calibrating import Calibration, calibration_of, digital, made
from archsim.errors import ConfigError
from archsim.fabricated import Fabricated
from archsim.inputs import InputActivity
from archsim.snn import Simulated
from archsim.workload import Workload

KEY = "workload.activity"


def bound(workload: Workload, architecture: Architecture, option: str = f"{KEY}.precision") -> Workload:
    """The workload with the spikes that the chip's crossbars send; one that asks for no chip's as it is.

    ConfigError for a chip without crossbars, under ``option``.
    """
    activity = workload.activity
    if not isinstance(activity, InputActivity) or not activity.of_chip:
        return workload
    refusal = digital(architecture, option, "chip")
    if refusal is not None:
        raise ConfigError(refusal)
    found = _of_chip(activity, architecture)
    digest = hashlib.sha256(f"{workload.hash} {found.content}".encode()).hexdigest()
    return replace(workload, activity=found, hash=digest)


class OnChip(InputActivity):
    """What the chip of a number sends, at the stated bits; it is made once its spikes are first asked for."""

    def __init__(self, asked: InputActivity, arch: CrossbarArchitecture, setting: Calibration, described: str) -> None:
        super().__init__(asked.workload, asked.inputs, asked.named, asked.calibration)
        self.arch, self.setting, self.described = arch, setting, described
        self._made: Fabricated | None = None

    @property
    def chip(self) -> str:  # type: ignore[override]
        """Which chip this is, and what was set on it with what."""
        with_what = self.setting.inputs
        set_with = "" if with_what is None else f", {' and '.join(self.setting.parts)} set with {with_what.spec}"
        return f"chip {self.named.of_chip.number} of {self.arch.name}{set_with}"

    @property
    def content(self) -> str:
        """That of the inputs, and all of the chip that changes a current."""
        return hashlib.sha256(f"{super().content} {self.described}".encode()).hexdigest()

    def describe(self) -> str:
        """Which inputs, and which chip."""
        return f"{super().describe()}, on {self.chip}"

    def execute(self, chosen: slice) -> Simulated:
        """The network on the chip."""
        if self._made is None:
            self._made = made(self.arch, self.workload, self.named.of_chip.number, self.setting)
        numbers = self.inputs.indices[chosen]
        return self._made.simulate(self.inputs.values[chosen], numbers, self.threads)


_LAST: WeakKeyDictionary[InputActivity, OnChip] = WeakKeyDictionary()
"""Of each activity the chip that it was asked of last: points of a sweep may differ in prices only."""


def _of_chip(asked: InputActivity, architecture: Architecture) -> OnChip:
    chip, of_chip = architecture.chip, asked.named.of_chip
    prices = {key for key in architecture.family.only_prices if "." not in key}
    described = f"{chip.model_dump_json(exclude=prices)} {chip.included}"
    last = _LAST.get(asked)
    if last is not None and last.described == described:
        return last
    setting = calibration_of(chip, asked.network, asked.inputs, of_chip.calibrate, asked.calibration)
    found = _LAST[asked] = OnChip(asked, chip, setting, described)
    return found

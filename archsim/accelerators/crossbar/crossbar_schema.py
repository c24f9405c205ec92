"""One crossbar as its chip's file states it: the array, its cells and how they err, its lines and what drives them."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from archsim.accelerators.crossbar.cell_errors import Errors, Wires
from archsim.accelerators.crossbar.parts_schema import Size
from archsim.analog import Device, load_device
from archsim.config import Nanoseconds, Strict
from archsim.errors import ConfigError, Problem

FILES = (".yaml", ".yml", ".csv")
PRICED = "rram-20k-200k, rram-spikesim, sram-65nm"
S_PER_NS = 1e-9


class Crossbar(Strict):
    """One array of cells with its word-line drivers and column muxes."""

    rows: Size = Field(description="word lines")
    cols: Size = Field(description="physical columns (slices, signs and reference columns included)")
    device: str = Field(description="the cell: a preset of arch_configs/device, or a YAML file")
    states: str | None = Field(None, description="CSV file of measured states, in place of those of the device")
    cell_bits: Annotated[int, Field(ge=1, le=8)] = Field(1, description="bits of a weight that one cell holds")
    signed: Literal["differential", "diff", "offset"] = Field(
        "differential",
        description="sign of a weight: two columns, two crossbars, or an offset with a reference column",
    )
    column_mux: Size = Field(8, description="columns that share one converter, one after the other")
    conducts: Literal["hold", "sample_hold"] = Field(
        "hold", description="the line conducts through all mux phases, or once into sample-and-hold stages"
    )
    read: Annotated[Nanoseconds, Field(gt=0)] | None = Field(
        None, description="how long lines conduct until the columns are settled; default: the read pulse of the device"
    )
    hold: Annotated[Nanoseconds, Field(gt=0)] | Literal["conversion", "pulse"] = Field(
        "conversion",
        description="how long a held line conducts in each mux phase: the conversion, or a pulse of the device",
    )
    driver: Literal["neurosim", "isaac"] = Field("neurosim", description="source of the word-line drivers' costs")
    active_rows: Size | Literal["all"] = Field(
        "all", description="word lines that are driven at once, at most; more rows are read one group after the other"
    )
    silent_rows: Literal["grounded", "gated"] = Field(
        "grounded", description="rows without a spike are held at 0 V, or their access transistors are off"
    )
    wires: Wires = Wires()
    errors: Errors = Errors()

    @field_validator("device", "states")
    @classmethod
    def _beside_the_file(cls, value: str | None, info: ValidationInfo) -> str | None:
        """A path in a chip's file is relative to that file; one from the command line to where that is given."""
        document = (info.context or {}).get("document")
        if value is None or document is None or document.folder is None or not value.lower().endswith(FILES):
            return value
        return value if ("crossbar", info.field_name) in document.overridden else str(document.folder / value)

    @field_validator("device")
    @classmethod
    def _has_a_price(cls, value: str) -> str:
        """There is such a device, and what crossbars do with it can be priced."""
        device = _load({"device": value})
        missing = [name for name in ("read", "cell") if getattr(device, name) is None]
        if missing:
            raise ConfigError([
                Problem(f"its `{name}` is not modelled: nothing that the crossbars do could be priced", value=value,
                        allowed=f"a device with `{name}`, such as {PRICED}")
                for name in missing
            ])  # fmt: skip
        return value

    @field_validator("states")
    @classmethod
    def _are_states(cls, value: str | None, info: ValidationInfo) -> str | None:
        """There are such states."""
        if value is not None:
            _load({**info.data, "states": value})
        return value

    @field_validator("cell_bits")
    @classmethod
    def _has_a_level_for_each(cls, value: int, info: ValidationInfo) -> int:
        """The device can tell so many bits apart."""
        if {"device", "states"} <= info.data.keys():
            device = _load(info.data)
            most = device.levels.most_bits
            if value > most:
                text = f"'{device.name}' has {device.levels.count} levels; {value} bits need {1 << value}"
                raise ConfigError(Problem(text, value=value, allowed=f"{'1..' * (most > 1)}{most}, or another device"))
        return value

    @cached_property
    def cell(self) -> Device:
        """The device, with measured states if there are any: what reads and programming cost."""
        return _load({"device": self.device, "states": self.states})

    @cached_property
    def imperfect_cell(self) -> Device:
        """The device with the errors that the chip states in place of its own: what accuracy sees."""
        return self.errors.applied(self.cell)

    @property
    def age_s(self) -> float:
        """Seconds since programming; unless stated, when the programmed conductance was measured."""
        if self.errors.age is not None:
            return float(self.errors.age)
        drift = self.imperfect_cell.drift
        return 0.0 if drift is None else float(drift.t0) * S_PER_NS

    @property
    def rows_at_once(self) -> int:
        """Word lines that are driven at once, at most."""
        return self.rows if self.active_rows == "all" else self.active_rows

    @property
    def read_ns(self) -> float:
        """How long a line conducts until its columns are settled."""
        if self.read is not None:
            return float(self.read)
        assert self.cell.read is not None  # checked with the rest
        return float(self.cell.read.pulse)

    @property
    def levels(self) -> int:
        """Conductance levels in use: 2**cell_bits."""
        return 1 << self.cell_bits

    @cached_property
    def states_us(self) -> tuple[float, ...]:
        """Conductances of the levels in use, in microsiemens: evenly chosen among those of the device."""
        states = self.cell.levels_s
        return tuple((states[np.linspace(0, len(states) - 1, self.levels).round().astype(int)] * 1e6).tolist())

    @property
    def mean_us(self) -> float:
        """Mean conductance of a cell, in microsiemens, if all levels are as likely.

        Of a positive and a negative cell at least one is at the lowest level.
        """
        mean = sum(self.states_us) / self.levels
        return mean if self.signed == "offset" else (mean + self.states_us[0]) / 2

    def problems(self) -> list[Problem]:
        """Settings that exclude each other, or of which one would change nothing."""
        mux = "more columns share a converter than the crossbar has"
        held = "would have no effect: a line conducts once, into sample-and-hold stages"
        driven = "more word lines are driven at once than the crossbar has"
        still = "would have no effect: the cells neither drift nor have 1/f noise"
        fresh = "1/f noise grows with the time since programming, which is not stated"
        noise, cell, errors = self.imperfect_cell.read_noise, self.imperfect_cell, self.errors
        flickers = noise is not None and noise.flicker is not None
        turned_off = "none" in (errors.drift, errors.read_noise)
        is_still = not flickers and cell.drift is None and not turned_off
        is_fresh = flickers and not isinstance(errors.read_noise, str) and errors.age is None and cell.drift is None
        rules = (
            (self.column_mux > self.cols, "column_mux", self.column_mux, mux, f"1..{self.cols}"),
            (self.conducts == "sample_hold" and self.hold != "conversion", "hold", self.hold, held,
             "conversion, or crossbar.conducts: hold"),
            (self.rows_at_once > self.rows, "active_rows", self.active_rows, driven, f"all, or 1..{self.rows}"),
            (errors.age is not None and is_still, "errors.age", errors.age, still,
             "null, or crossbar.errors.drift: {...}, or a device with drift"),
            (is_fresh, "errors.read_noise.flicker", None, fresh, "with crossbar.errors.age: a time such as 1 day"),
        )  # fmt: skip
        return [
            Problem(text, key=f"crossbar.{key}", value=value, allowed=allowed)
            for wrong, key, value, text, allowed in rules if wrong
        ]  # fmt: skip


def _load(stated: dict[str, Any]) -> Device:
    """The device of the keys ``device`` and ``states``, where these are there and valid; ConfigError."""
    try:
        device = load_device(stated["device"]) if "device" in stated else None
        states = stated.get("states")
        return load_device(states, like=device) if states is not None else load_device(stated["device"])
    except ConfigError as error:
        raise ConfigError([one if one.file else replace(one, key=None) for one in error.problems]) from None

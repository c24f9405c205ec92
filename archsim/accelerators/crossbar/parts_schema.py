"""The parts of a crossbar chip, level by level, as its file states them."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from archsim.analog import Device, load_device
from archsim.config import Bytes, Nanometres, Nanoseconds, Strict
from archsim.errors import ArchsimError, Problem
from archsim.taskgraph import MOST_CYCLES

Positive = Annotated[int, Field(ge=1, le=MOST_CYCLES)]
Count = Annotated[int, Field(ge=0, le=MOST_CYCLES)]
Size = Annotated[int, Field(ge=1, le=65536)]
FILES = (".yaml", ".yml", ".csv")
PRICED = "rram-20k-200k, rram-spikesim, sram-65nm"


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

    @field_validator("device", "states")
    @classmethod
    def _beside_the_file(cls, value: str | None, info: ValidationInfo) -> str | None:
        """A path in a chip's file is relative to that file; one from the command line to where that is given."""
        document = (info.context or {}).get("document")
        if value is None or document is None or document.folder is None or not value.lower().endswith(FILES):
            return value
        return value if ("crossbar", info.field_name) in document.overridden else str(document.folder / value)

    @cached_property
    def cell(self) -> Device:
        """The device, with measured states if there are any."""
        device = load_device(self.device)
        return device if self.states is None else load_device(self.states, like=device)

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

    @cached_property
    def is_known(self) -> bool:
        """Whether there is such a device."""
        try:
            return bool(self.cell.name)
        except ArchsimError:
            return False

    def problems(self) -> list[Problem]:
        """What is wrong with the device, or with the way in which it is used."""
        try:
            device = self.cell
        except ArchsimError as error:
            key = "crossbar.device" if self.states is None else "crossbar.states"
            return [problem if problem.file else replace(problem, key=key) for problem in error.problems]
        found = []
        if self.levels > device.levels.count:
            text = f"'{device.name}' has {device.levels.count} levels; {self.cell_bits} bits need {self.levels}"
            most = device.levels.count.bit_length() - 1
            allowed = f"{'1' if most == 1 else f'1..{most}'}, or another device"
            found.append(Problem(text, key="crossbar.cell_bits", value=self.cell_bits, allowed=allowed))
        for name in ("read", "cell"):
            if getattr(device, name) is None:
                text = f"its `{name}` is not modelled: nothing that the crossbars do could be priced"
                found.append(
                    Problem(
                        text,
                        key="crossbar.device",
                        value=self.device,
                        allowed=f"a device with `{name}`, such as {PRICED}",
                    )
                )
        return found


class Adc(Strict):
    """The column converters."""

    bits: Annotated[int, Field(ge=1, le=16)] = Field(description="resolution; the survey has 4 to 12 bits")
    conversion: Annotated[Nanoseconds, Field(gt=0)] = Field(description="one conversion")
    model: Literal["survey", "spikesim", "mlsa", "isaac"] = Field("survey", description="source of its costs")
    share: Literal["crossbar", "pe"] = Field("crossbar", description="converters of each crossbar, or of all of a PE")
    analog_sum: bool = Field(
        False, description="currents of a PE's crossbars are added before conversion (adc.share: pe)"
    )
    skip_silent: bool = Field(True, description="crossbars without an active row are not converted and read as 0")
    resolution: Literal["full", "active_rows"] = Field(
        "full",
        description="bits decided: all, or as many as the active rows need (a popcount finds out)",
    )


class ProcessingElement(Strict):
    """Crossbars whose results are added where they are converted."""

    crossbars: Size = Field(9, description="crossbars of one PE")


class Tile(Strict):
    """PEs that share buffers, an H-tree and a router."""

    pes: Size = Field(8, description="PEs of one tile")
    side: Nanometres | Literal["fit"] = Field(
        "fit", description="edge of a tile, for its H-tree and the links; fit: as its parts need"
    )
    wiring: Literal["htree", "bus"] = Field("htree", description="between the PEs and the buffers of a tile")
    wires: Positive = Field(256, description="bits that the H-tree or bus moves per cycle")
    wiring_cycles: Count = Field(1, description="from the PEs to the neurons of the tile")
    shift_add: Literal["gates", "isaac"] = Field("gates", description="source of the shift-and-add units' costs")


class Mapping(Strict):
    """How weights are laid out."""

    unroll: Literal["kernel", "flat"] = Field(
        "kernel", description="a crossbar holds one kernel position of a block of channels, or any rows (im2col)"
    )
    replicate: Positive | Literal["auto"] | dict[str, Positive] = Field(
        1, description="copies of every layer, of some by name, or as many as the chip has room for"
    )
    share_tiles: bool = Field(False, description="layers may lie in the same tile")


class Memory(Strict):
    """A memory made of equal macros, as many as the network needs."""

    macro: Annotated[Bytes, Field(ge=1)] = Field(1024, description="bytes of one macro")
    line: Annotated[Bytes, Field(ge=1, le=128)] = Field(16, description="bytes read or written in one access")
    lines_per_cycle: Positive = Field(1, description="macros of one tile that are accessed at once")

    @property
    def line_bits(self) -> int:
        """Bits of one access."""
        return int(self.line) * 8

    def macros(self, bits: int) -> int:
        """Macros that one tile has for so many bits; none for none."""
        return max(self.lines_per_cycle, -(-bits // (int(self.macro) * 8))) if bits else 0


class NeuronModule(Strict):
    """The units that update neurons, at the tiles where a layer's sums are completed."""

    units: Positive | Literal["per_channel"] = Field(
        64, description="units of each tile, or as many as the channels of its layer need"
    )
    channels_per_unit: Positive = Field(1, description="channels that share a unit (units: per_channel)")
    cycles_per_update: Positive = Field(1, description="cycles between two updates of one unit (pipelined)")
    latency_cycles: Count = Field(0, description="cycles after the last update until its spike is there")
    clear_between_inputs: bool = Field(False, description="membranes are written back cleared after the last timestep")
    membrane: Memory = Memory()

    def units_for(self, channels: int) -> int:
        """Units at a tile that completes so many channels of a layer."""
        return self.units if self.units != "per_channel" else -(-channels // self.channels_per_unit)


class InputBuffer(Memory):
    """The buffers of a tile: the rows of the input map that wait for the crossbars, and operands of residual adds."""

    rows: Positive | Literal["all"] = Field(
        "all", description="rows of the input map that it holds, each for one timestep; all: of all timesteps"
    )
    memory: Literal["sram", "edram"] = Field("sram", description="SRAM by CACTI, or ISAAC's embedded DRAM")


class Noc(Strict):
    """The mesh between tiles: one port at each tile, routes along x, then y."""

    flit_bits: Positive = Field(32, description="bits of a flit, one per cycle and port")
    router_cycles: Count = Field(1, description="cycles per hop")
    packets: Literal["aer", "bitmap"] = Field("bitmap", description="an address per spike, or a bit per channel")
    cast: Literal["unicast", "multicast"] = Field("multicast", description="a packet per reader, or one for all")

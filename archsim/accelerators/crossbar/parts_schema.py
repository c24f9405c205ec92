"""The parts of a crossbar chip, level by level, as its file states them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from archsim.config import Bytes, Nanometres, Nanoseconds, Strict
from archsim.errors import Problem
from archsim.taskgraph import MOST_CYCLES

Positive = Annotated[int, Field(ge=1, le=MOST_CYCLES)]
Count = Annotated[int, Field(ge=0, le=MOST_CYCLES)]
Size = Annotated[int, Field(ge=1, le=65536)]
Sigma = Annotated[float, Field(ge=0, le=65536)]
STEPWISE = ("survey", "isaac", "spikesim")  # converters that decide bit by bit


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
    ideal: bool = Field(False, description="for accuracy: conversions are exact; what they cost is that of their bits")
    range: Literal["calibrated", "full", "levels"] | Annotated[float, Field(ge=1e-3, le=1e9)] = Field(
        "calibrated",
        description="level steps that the largest code stands for: chosen from a few inputs for each layer, as many "
        "as the rows read at once can make, one for each code, or so many",
    )
    offset: Sigma = Field(0.0, description="spread over converters of their offset: sigma in LSB")
    gain: Sigma = Field(0.0, description="spread over converters of their gain: sigma relative to 1")

    def problems(self) -> list[Problem]:
        """Settings that exclude each other, or of which one would change nothing."""
        summed = "currents are added where the crossbars of a PE share converters"
        stepwise = "a sense amplifier does not decide bit by bit"
        exact = "would have no effect: conversions are exact (adc.ideal)"
        rules = (
            (self.analog_sum and self.share != "pe", "analog_sum", True, summed, "false, or adc.share: pe"),
            (self.resolution != "full" and self.model not in STEPWISE, "resolution", self.resolution, stepwise,
             f"full, or adc.model: {', '.join(STEPWISE)}"),
            (self.ideal and self.range != "calibrated", "range", self.range, exact, "calibrated, or adc.ideal: false"),
            (self.ideal and self.offset > 0, "offset", self.offset, exact, "0, or adc.ideal: false"),
            (self.ideal and self.gain > 0, "gain", self.gain, exact, "0, or adc.ideal: false"),
        )  # fmt: skip
        return [
            Problem(text, key=f"adc.{key}", value=value, allowed=allowed)
            for wrong, key, value, text, allowed in rules if wrong
        ]  # fmt: skip


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
    encoding: Literal["plain", "complement", "compensated"] = Field(
        "plain",
        description="what cells hold: the weights; the complement of outputs that would conduct more (signed: "
        "offset); or what makes up for the resistance of the wires",
    )


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

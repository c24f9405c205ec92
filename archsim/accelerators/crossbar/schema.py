"""What a crossbar chip is: the frozen, validated description that a file in ``arch_configs/crossbar`` states."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from archsim.accelerators.crossbar.crossbar_schema import Crossbar
from archsim.accelerators.crossbar.mapping import Hierarchy
from archsim.accelerators.crossbar.parts_schema import (
    Adc,
    InputBuffer,
    Mapping,
    NeuronModule,
    Noc,
    Positive,
    ProcessingElement,
    Tile,
)
from archsim.accelerators.crossbar.reads import Converters
from archsim.accelerators.dram import Dram
from archsim.config import Megahertz, Nanometres, Strict
from archsim.errors import ConfigError, Problem
from archsim.taskgraph import MOST_CYCLES


class CrossbarArchitecture(Strict):
    """An accelerator of analog in-memory-computing crossbars for spiking networks."""

    family: Literal["crossbar"] = Field(description="which model executes the chip")
    name: str = Field(description="of the chip")
    description: str = Field("", description="what it is; `archsim list` shows the first sentence")
    source: str = Field("", description="where its figures come from, and what is assumed")
    clock: Annotated[Megahertz, Field(gt=0, le=1e6)] = Field(description="of the whole chip")
    node: Annotated[Nanometres, Field(gt=0)] = Field(65, description="technology node that everything is priced at")
    sram_cell: Literal["itrs-lop", "itrs-lstp"] = Field(
        "itrs-lop", description="CACTI's devices of SRAM: low operating power, or low standby power"
    )
    crossbar: Crossbar
    adc: Adc
    pe: ProcessingElement = ProcessingElement()
    tile: Tile = Tile()
    tiles: Positive | Literal["as_needed"] = Field("as_needed", description="tiles of the chip")
    reload: bool = Field(False, description="a network larger than the chip is loaded in rounds, for every input anew")
    mapping: Mapping = Mapping()
    accumulator_bits: Annotated[int, Field(ge=2, le=32)] = Field(16, description="width of partial sums")
    neuron: NeuronModule = NeuronModule()
    buffer: InputBuffer = InputBuffer()
    noc: Noc = Noc()
    dram: Dram | None = Field(None, description="where inputs come from and outputs go; null: they are not modelled")
    pool_lanes: Positive = Field(16, description="values that a tile pools or adds per cycle")
    first_layer: Literal["repeat", "once"] = Field(
        "repeat", description="an image is read at every timestep, or once, and its sums are kept beside the membranes"
    )
    pipeline: Literal["none", "layer", "full"] = Field(
        "full", description="a layer starts after the one before, after its timestep, or once its window is there"
    )
    timesteps: Literal["sequential", "together"] = Field(
        "sequential", description="all positions of a timestep in a row, or all timesteps of a position"
    )
    granularity: Literal["auto", "position", "row"] = Field("auto", description="what one task handles")

    @model_validator(mode="after")
    def _consistent(self) -> CrossbarArchitecture:
        problems = [*self.crossbar.problems(), *self.adc.problems(), *self._contradictions()]
        if problems:
            raise ConfigError(problems)
        return self

    def _contradictions(self) -> list[Problem]:
        """Settings of several parts that exclude each other, or of which one would change nothing."""
        crossbar, fixed = self.crossbar, self.tiles != "as_needed"
        endless = "a chip as large as needed has room for any number of replicas"
        loaded = "a chip as large as needed is loaded once"
        rounds = "the weights of each round come from DRAM, and whole maps wait for it"
        sharing = "a number of units of each tile is shared by whatever channels it completes"
        units = "1, or neuron.units: per_channel"
        ends = "every timestep of a layer ends with its last position"
        price = "its `programming` is not modelled, and a chip that is loaded in rounds is programmed"
        waits = "a layer that starts after the one before reads whole maps"
        turned = "complements are of weights with an offset"
        alone = "a chip that is loaded in rounds has no room for replicas"
        rows, copies = self.buffer.rows != "all", self.mapping.replicate
        rules = (
            (copies == "auto" and not fixed, "mapping.replicate", "auto", endless, "a number, or tiles: n"),
            (self.reload and not fixed, "reload", True, loaded, "false, or tiles: n"),
            (self.reload and fixed and (self.dram is None or rows), "reload", True, rounds,
             "false, or dram: {...} and buffer.rows: all"),
            (self.reload and fixed and copies != 1, "mapping.replicate", copies, alone, "1, or reload: false"),
            (self.neuron.units != "per_channel" and self.neuron.channels_per_unit != 1, "neuron.channels_per_unit",
             self.neuron.channels_per_unit, sharing, units),
            (self.pipeline == "layer" and self.timesteps == "together", "pipeline", "layer", ends,
             "full or none, or timesteps: sequential"),
            (self.reload and crossbar.cell.programming is None, "crossbar.device",
             crossbar.device, price, "a device with `programming`: rram-20k-200k, sram-65nm, or reload: false"),
            (rows and self.pipeline != "full", "buffer.rows", self.buffer.rows, waits, "all, or pipeline: full"),
            (self.mapping.encoding == "complement" and crossbar.signed != "offset", "mapping.encoding", "complement",
             turned, "plain or compensated, or crossbar.signed: offset"),
        )  # fmt: skip
        return [
            Problem(text, key=key, value=value, allowed=allowed) for wrong, key, value, text, allowed in rules if wrong
        ]

    @property
    def included(self) -> object:
        """What the files that this description names hold."""
        return self.crossbar.cell.model_dump(mode="json")

    @property
    def clock_mhz(self) -> float:
        """Clock frequency; one cycle lasts 1000 / clock_mhz ns."""
        return float(self.clock)

    @property
    def node_nm(self) -> float:
        """Technology node."""
        return float(self.node)

    @property
    def hierarchy(self) -> Hierarchy:
        """The sizes that the mapping needs."""
        return Hierarchy(
            rows=self.crossbar.rows, cols=self.crossbar.cols, cell_bits=self.crossbar.cell_bits,
            signed=self.crossbar.signed, crossbars_per_pe=self.pe.crossbars, pes_per_tile=self.tile.pes,
            tiles=None if self.tiles == "as_needed" else self.tiles, unroll=self.mapping.unroll,
            share_tiles=self.mapping.share_tiles, reload=self.reload,
        )  # fmt: skip

    @property
    def converters(self) -> Converters:
        """What decides which conversions there are."""
        adc, crossbar = self.adc, self.crossbar
        return Converters(adc.share, adc.analog_sum, adc.skip_silent, adc.bits, crossbar.levels, crossbar.rows_at_once)

    @property
    def conversion_ns(self) -> float:
        """One conversion, in whole cycles."""
        return self.cycles(float(self.adc.conversion)) * 1000.0 / self.clock_mhz

    @property
    def hold_ns(self) -> float:
        """How long a held line conducts in each mux phase."""
        hold, read = self.crossbar.hold, self.crossbar.cell.read
        assert read is not None  # checked with the rest
        return {"conversion": self.conversion_ns, "pulse": float(read.pulse)}[hold] if isinstance(hold, str) else hold

    def cycles(self, nanoseconds: float) -> int:
        """A time as whole cycles, rounded up; at least one."""
        return int(min(max(1.0, -(-nanoseconds * self.clock_mhz // 1000)), MOST_CYCLES + 1))

"""What a crossbar chip is: the frozen, validated description that a file in ``arch_configs/crossbar`` states."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from archsim.accelerators.crossbar.mapping import Hierarchy
from archsim.config import Bytes, Megahertz, Nanometres, Nanoseconds, Strict
from archsim.errors import ConfigError, Problem
from archsim.taskgraph import MOST_CYCLES

Positive = Annotated[int, Field(ge=1, le=MOST_CYCLES)]
Count = Annotated[int, Field(ge=0, le=MOST_CYCLES)]
Size = Annotated[int, Field(ge=1, le=65536)]


class Crossbar(Strict):
    """One array of cells with its word-line drivers and column muxes."""

    rows: Size = Field(description="word lines")
    cols: Size = Field(description="physical columns (slices, signs and reference columns included)")
    device: str = Field(description="name or file of the cell: arch_configs/device")
    cell_bits: Annotated[int, Field(ge=1, le=8)] = Field(1, description="bits of a weight that one cell holds")
    signed: Literal["differential", "diff", "offset"] = Field(
        "differential",
        description="sign of a weight: two columns, two crossbars, or an offset with a reference column",
    )
    column_mux: Size = Field(8, description="columns that share one converter, one after the other")
    conducts: Literal["hold", "sample_hold"] = Field(
        "hold", description="the line conducts through all mux phases, or once into sample-and-hold stages"
    )
    read: Annotated[Nanoseconds, Field(gt=0)] = Field(description="from driving the rows until the columns are settled")


class Adc(Strict):
    """The column converters."""

    bits: Annotated[int, Field(ge=1, le=16)] = Field(description="resolution")
    conversion: Annotated[Nanoseconds, Field(gt=0)] = Field(description="one conversion")
    share: Literal["crossbar", "pe"] = Field("crossbar", description="converters of each crossbar, or of all of a PE")
    analog_sum: bool = Field(
        False, description="currents of a PE's crossbars are added before conversion (adc.share: pe)"
    )
    skip_silent: bool = Field(True, description="crossbars without an active row are not converted and read as 0")


class ProcessingElement(Strict):
    """Crossbars whose results are added where they are converted."""

    crossbars: Size = Field(9, description="crossbars of one PE")


class Tile(Strict):
    """PEs that share buffers, an H-tree and a router."""

    pes: Size = Field(8, description="PEs of one tile")
    htree_cycles: Count = Field(1, description="from the PEs to the neurons of the tile")


class Mapping(Strict):
    """How weights are laid out."""

    unroll: Literal["kernel", "flat"] = Field(
        "kernel", description="a crossbar holds one kernel position of a block of channels, or any rows (im2col)"
    )
    replicate: Positive | Literal["auto"] = Field(
        1, description="copies of every layer, or as many as the chip has room for where they shorten it most"
    )
    share_tiles: bool = Field(False, description="layers may lie in the same tile")


class Membrane(Strict):
    """The SRAM that holds the membrane potentials of all layers."""

    line: Annotated[Bytes, Field(ge=1, le=128)] = Field(16, description="bytes read or written in one access")
    banks: Positive = Field(1, description="banks of each tile's memory")


class NeuronModule(Strict):
    """The units that update neurons, at the tile where a layer's sums are completed."""

    units: Positive = Field(64, description="units of one layer")
    cycles_per_update: Positive = Field(1, description="cycles between two updates of one unit (pipelined)")
    latency_cycles: Count = Field(0, description="cycles after the last update until its spike is there")
    membrane: Membrane = Membrane()


class InputBuffer(Strict):
    """The buffer in front of each layer's crossbars."""

    rows: Positive | Literal["all"] = Field("all", description="rows of the input map that it holds, each for one t")
    port_bits: Positive = Field(256, description="bits fetched per cycle")


class Noc(Strict):
    """The mesh between tiles: one port at each tile, routes along x, then y."""

    flit_bits: Positive = Field(32, description="bits of a flit, one per cycle and port")
    router_cycles: Count = Field(1, description="cycles per hop")
    packets: Literal["aer", "bitmap"] = Field("bitmap", description="an address per spike, or a bit per channel")
    cast: Literal["unicast", "multicast"] = Field("multicast", description="a packet per reader, or one for all")


class CrossbarArchitecture(Strict):
    """An accelerator of analog in-memory-computing crossbars for spiking networks."""

    family: Literal["crossbar"]
    name: str
    description: str = ""
    source: str = ""
    clock: Annotated[Megahertz, Field(gt=0, le=1e6)]
    node: Annotated[Nanometres, Field(gt=0)] = 65
    crossbar: Crossbar
    adc: Adc
    pe: ProcessingElement = ProcessingElement()
    tile: Tile = Tile()
    tiles: Positive | Literal["as_needed"] = Field("as_needed", description="tiles of the chip")
    reload: bool = Field(False, description="a network larger than the chip is loaded in rounds")
    mapping: Mapping = Mapping()
    accumulator_bits: Annotated[int, Field(ge=2, le=48)] = Field(16, description="width of partial sums")
    neuron: NeuronModule = NeuronModule()
    buffer: InputBuffer = InputBuffer()
    noc: Noc = Noc()
    pool_lanes: Positive = Field(16, description="values that a tile pools or adds per cycle")
    pipeline: Literal["none", "layer", "full"] = Field(
        "full", description="a layer starts after the one before, after its timestep, or once its window is there"
    )
    timesteps: Literal["sequential", "together"] = Field(
        "sequential", description="all positions of a timestep in a row, or all timesteps of a position"
    )
    granularity: Literal["auto", "position", "row"] = Field("auto", description="what one task handles")

    @model_validator(mode="after")
    def _consistent(self) -> CrossbarArchitecture:
        crossbar, problems = self.crossbar, []
        if crossbar.column_mux > crossbar.cols:
            text = "more columns share a converter than the crossbar has"
            allowed = f"1..{crossbar.cols}"
            problems.append(Problem(text, key="crossbar.column_mux", value=crossbar.column_mux, allowed=allowed))
        if self.adc.analog_sum and self.adc.share != "pe":
            text = "currents are added where the crossbars of a PE share converters"
            problems.append(Problem(text, key="adc.analog_sum", value=True, allowed="false, or adc.share: pe"))
        if self.mapping.replicate == "auto" and self.tiles == "as_needed":
            text = "a chip as large as needed has room for any number of replicas"
            allowed = "a number, or tiles: n"
            problems.append(Problem(text, key="mapping.replicate", value="auto", allowed=allowed))
        if self.reload and self.tiles == "as_needed":
            text = "a chip as large as needed is loaded once"
            problems.append(Problem(text, key="reload", value=True, allowed="false, or tiles: n"))
        if problems:
            raise ConfigError(problems)
        return self

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

    def cycles(self, nanoseconds: float) -> int:
        """A time as whole cycles, rounded up; at least one."""
        return int(min(max(1.0, -(-nanoseconds * self.clock_mhz // 1000)), MOST_CYCLES + 1))

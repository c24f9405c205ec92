"""What a systolic chip is: the frozen, validated description that a file in ``arch_configs/systolic`` states."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from archsim.accelerators.dram import Dram
from archsim.accelerators.systolic.dataflows import dataflow
from archsim.accelerators.systolic.memory_schema import Buffers, Positive
from archsim.config import Bytes, Megahertz, Nanometres, Strict
from archsim.errors import ConfigError, Problem
from archsim.taskgraph import MOST_CYCLES

Count = Annotated[int, Field(ge=0, le=MOST_CYCLES)]
SCAN_BITS = 64  # unless stated


def _known_dataflow(name: str) -> str:
    try:
        dataflow(name)
    except ConfigError as error:  # the key is this field's
        raise ConfigError([replace(problem, key=None) for problem in error.problems]) from None
    return name


class Array(Strict):
    """The PE array and the dataflow that runs on it."""

    rows: Annotated[int, Field(ge=1, le=65536)] = Field(description="PE rows")
    cols: Annotated[int, Field(ge=1, le=65536)] = Field(description="PE columns")
    dataflow: Annotated[str, AfterValidator(_known_dataflow)] = Field(
        "output_stationary", description="name of a registered dataflow (os, ws, is are short names)"
    )


class Scratchpad(Strict):
    """Register files inside one PE; a size of 0 means that there is none."""

    spike: Annotated[Bytes, Field(ge=0, lt=1024)] = Field(0, description="input values")
    weight: Annotated[Bytes, Field(ge=0, lt=1024)] = Field(
        0, description="weights; a tile whose K weights fit is fetched once for all T"
    )
    partial_sum: Annotated[Bytes, Field(ge=0, lt=1024)] = Field(
        0, description="partial sums; has area and leakage only, because sums are made in the accumulators"
    )


class ProcessingElement(Strict):
    """The datapath of one PE."""

    wide_values: Literal["bit_serial", "multiplier", "none"] = Field(
        "bit_serial",
        description="how values wider than a bit are multiplied: one bit plane per cycle, on a multiplier, "
        "or not at all",
    )
    accumulator_bits: Annotated[int, Field(ge=2, le=32)] = Field(16, description="accumulator and adder width")
    accumulator_sets: Literal[1, 2] = Field(
        1, description="2: the next pass may start while the neuron units read the last one"
    )
    scratchpad: Scratchpad = Scratchpad()


def _batch(value: Any) -> Any:
    """``sequential`` | ``parallel`` | ``batched: n``: timesteps handled together (0: all)."""
    if isinstance(value, str) and (text := re.fullmatch(r"batched: *(\d{1,9})", value)):
        value = {"batched": int(text[1])}
    if value == "sequential":
        return 1
    if value == "parallel":
        return 0
    if isinstance(value, dict) and set(value) == {"batched"}:
        number = value["batched"]
        if isinstance(number, int) and not isinstance(number, bool) and number >= 1:
            return number
    raise ValueError("must be sequential, parallel or 'batched: n' with n of at least 1")


class Timesteps(Strict):
    """Where the timestep loop stands, and how many timesteps are handled together."""

    scope: Literal["network", "layer", "tile"] = Field(
        "layer", description="t outside all layers; outside the tiles of a layer; or innermost, tile by tile"
    )
    order: Annotated[int, BeforeValidator(_batch, json_schema_input_type=str | dict[str, int])] = Field(
        1, ge=0, description="sequential | batched: n | parallel: timesteps whose partial sums are live together"
    )
    placement: Literal["rows", "in_pe"] = Field(
        "rows",
        description="where the timesteps of a batch go: beside each other in the array, "
        "or into several accumulators per PE",
    )

    def batch(self, timesteps: int) -> int:
        """Timesteps handled together."""
        return timesteps if self.order == 0 else min(self.order, timesteps)


def _sparsity(value: Any) -> Any:
    """``none`` | ``gate`` | ``skip: union`` | ``skip: row``."""
    if isinstance(value, str) and (text := re.fullmatch(r"skip: *(\w+)", value)):
        value = {"skip": text[1]}
    if isinstance(value, dict) and set(value) == {"skip"} and value["skip"] in ("union", "row"):
        return f"skip_{value['skip']}"
    if isinstance(value, str) and value in ("none", "gate"):
        return value
    raise ValueError("must be none, gate, 'skip: union' or 'skip: row'")


Sparsity = Annotated[
    Literal["none", "gate", "skip_union", "skip_row"],
    BeforeValidator(_sparsity, json_schema_input_type=str | dict[str, str]),
]


class Membrane(Strict):
    """Where a neuron's state rests between two visits."""

    home: Literal["register", "sram", "dram"] = Field(
        "register",
        description="in the neuron units, in the membrane buffer (spilled to DRAM where it is too small), or in DRAM",
    )
    registers_per_unit: Positive = Field(1, description="neurons whose state one neuron unit can keep")


class NeuronModule(Strict):
    """The units that update neurons."""

    units: Literal["per_pe", "per_column", "shared", "ideal"] = Field(
        "per_pe",
        description="one per PE, one per column, one per `columns_per_unit` columns, or ideal: free of time and energy",
    )
    columns_per_unit: Positive = Field(1, description="columns that share one unit (units: shared)")
    cycles_per_update: Positive = Field(1, description="cycles between two updates of one unit (pipelined)")
    latency_cycles: Count = Field(0, description="cycles after the last update until its spike is there")
    update: Literal["every_step", "event"] = Field(
        "every_step", description="event: a neuron without input spikes is left untouched"
    )
    clear_between_inputs: bool = Field(
        True, description="membranes that outlive a visit are written once more, to start the next input from rest"
    )
    membrane: Membrane = Membrane()


class VectorUnit(Strict):
    """The unit that pools and adds maps on their way out."""

    lanes: Positive = Field(16, description="values handled per cycle")


class SystolicArchitecture(Strict):
    """A systolic-array accelerator for spiking networks."""

    family: Literal["systolic"] = Field(description="which model executes the chip")
    name: str = Field(description="of the chip")
    description: str = Field("", description="what it is; `archsim list` shows the first sentence")
    source: str = Field("", description="where its figures come from, and what is assumed")
    clock: Annotated[Megahertz, Field(gt=0, le=1e6)] = Field(description="of the whole chip")
    node: Annotated[Nanometres, Field(gt=0)] = Field(28, description="technology node that everything is priced at")
    sram_cell: Literal["itrs-lop", "itrs-lstp"] = Field(
        "itrs-lop", description="CACTI's devices of SRAM: low operating power, or low standby power"
    )
    array: Array
    pe: ProcessingElement = ProcessingElement()
    timesteps: Timesteps = Timesteps()
    sparsity: Sparsity = Field("gate", description="none | gate | skip: union | skip: row")
    gate_weight_read: bool = Field(False, description="a silent spike also saves the PE-local weight read")
    spike_format: Literal["bitmap", "index"] = Field(
        "bitmap", description="metadata of skipping: 1 bit per value, or an index per spike"
    )
    scan_bits: Positive = Field(
        SCAN_BITS, description="bits of the spike map that each row's scanner looks at per cycle when the array skips"
    )
    first_layer: Literal["once", "repeat"] = Field(
        "repeat", description="a direct-coded input: current computed once and held, or at every t"
    )
    neuron: NeuronModule = NeuronModule()
    buffers: Buffers
    dram: Dram
    vector: VectorUnit = VectorUnit()

    @model_validator(mode="after")
    def _consistent(self) -> SystolicArchitecture:
        problems = _dataflow_problems(self, dataflow(self.array.dataflow).stationary) + _without_effect(self)
        if self.neuron.membrane.home == "sram" and self.buffers.membrane is None:
            problems.append(
                Problem(
                    "missing: neuron.membrane.home is sram",
                    key="buffers.membrane",
                    allowed="a buffer: {size, line, banks}",
                )
            )
        if self.neuron.units == "shared" and self.neuron.columns_per_unit > self.array.cols:
            problems.append(
                Problem(
                    "more columns than the array has",
                    key="neuron.columns_per_unit",
                    value=self.neuron.columns_per_unit,
                    allowed=f"1..{self.array.cols}",
                )
            )
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


def _without_effect(arch: SystolicArchitecture) -> list[Problem]:
    """Settings that would change nothing: refused, so that nobody sweeps them in vain."""
    skips, gates = arch.sparsity.startswith("skip"), arch.sparsity != "none" and arch.pe.scratchpad.weight > 0
    neuron, flow, ideal = arch.neuron, dataflow(arch.array.dataflow), arch.neuron.units == "ideal"
    one_visit = arch.timesteps.order == 0 or (arch.timesteps.scope == "tile" and flow.stationary == "ofmap")
    cases = [
        (arch.gate_weight_read and not gates, "gate_weight_read", True,
         "false, or a weight scratchpad (pe.scratchpad.weight) and sparsity: gate"),
        (arch.spike_format == "index" and not skips, "spike_format", "index", "bitmap, or sparsity: skip"),
        (neuron.columns_per_unit > 1 and neuron.units != "shared", "neuron.columns_per_unit", neuron.columns_per_unit,
         "1, or neuron.units: shared"),
        (neuron.membrane.registers_per_unit > 1 and neuron.membrane.home != "register",
         "neuron.membrane.registers_per_unit", neuron.membrane.registers_per_unit,
         "1, or neuron.membrane.home: register"),
        (arch.pe.accumulator_sets > 1 and flow.stationary != "ofmap", "pe.accumulator_sets", arch.pe.accumulator_sets,
         "1, or an output-stationary dataflow"),
        (arch.scan_bits != SCAN_BITS and not skips, "scan_bits", arch.scan_bits, f"{SCAN_BITS}, or sparsity: skip"),
        (arch.timesteps.placement == "in_pe" and arch.timesteps.order == 1 and flow.stationary == "ofmap",
         "timesteps.placement", "in_pe", "rows, or timesteps.order: parallel or 'batched: n' with n above 1"),
        (not neuron.clear_between_inputs and (one_visit or ideal), "neuron.clear_between_inputs", False,
         "true, or neuron units that are not ideal" if ideal else
         "true, or neurons that are visited more than once: neither timesteps.order: parallel, "
         "nor scope: tile with an output-stationary dataflow"),
        (neuron.cycles_per_update > 1 and ideal, "neuron.cycles_per_update", neuron.cycles_per_update,
         "1, or neuron units that are not ideal"),
        (neuron.latency_cycles > 0 and ideal, "neuron.latency_cycles", neuron.latency_cycles,
         "0, or neuron units that are not ideal"),
    ]  # fmt: skip
    return [
        Problem("would have no effect", key=key, value=value, allowed=allowed)
        for applies, key, value, allowed in cases
        if applies
    ]


def _dataflow_problems(arch: SystolicArchitecture, stationary: str) -> list[Problem]:
    problems = []
    if stationary != "ofmap":
        if arch.timesteps.placement == "in_pe":
            problems.append(
                Problem(
                    "only where outputs stay in the PE",
                    key="timesteps.placement",
                    value="in_pe",
                    allowed="rows, or an output-stationary dataflow",
                )
            )
        if arch.sparsity == "skip_row":
            problems.append(
                Problem(
                    "rows can run ahead of each other only where each accumulates for itself",
                    key="sparsity",
                    value="skip: row",
                    allowed="none, gate, skip: union, or an output-stationary dataflow",
                )
            )
    if stationary == "ifmap" and arch.sparsity == "skip_union":
        problems.append(
            Problem(
                "inputs stay in the array, so nothing silent streams by",
                key="sparsity",
                value="skip: union",
                allowed="none, gate, or a dataflow that streams inputs",
            )
        )
    return problems
